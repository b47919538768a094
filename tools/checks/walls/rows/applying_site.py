"""The rows about pipelines' roles and the site: its bucket, its CDN, and the routes to workspaces."""

from collections.abc import Iterator

from tools.checks.walls.places import abroad, anything, named, new, site_bucket, site_file
from tools.checks.walls.rows.applying import APPLY, REAP, REAP_DEBUG, WITH_SITE, Applier
from tools.checks.walls.table import Wall, acts

_CLOUDFRONT = "arn:aws:cloudfront::{account}"
distribution = named(f"{_CLOUDFRONT}:distribution/1")
function = named(f"{_CLOUDFRONT}:function/{{name}}-site")
store = named(f"{_CLOUDFRONT}:key-value-store/1")
# Parts of a distribution have ids and no tags. CloudFront refuses to delete a part that is in use.
PARTS = {
    "cache-policy": "CachePolicy",
    "key-value-store": "KeyValueStore",
    "origin-access-control": "OriginAccessControl",
    "origin-request-policy": "OriginRequestPolicy",
    "response-headers-policy": "ResponseHeadersPolicy",
}
DESTROYS = (*WITH_SITE, *REAP)


def rows(by: Applier) -> Iterator[Wall]:
    """Yield the rows of a role."""
    yield from _bucket(by)
    yield from _distribution(by)
    yield from _routes(by)


def _bucket(by: Applier) -> Iterator[Wall]:
    yield by.by_name(
        "creates and changes the bucket of a site",
        acts("s3", "CreateBucket PutBucketPolicy PutBucketTagging"),
        site_bucket,
        WITH_SITE,
    )
    # To delete a bucket, Terraform first resets its settings.
    yield by.by_name(
        "resets and deletes the bucket of a site",
        acts(
            "s3",
            "DeleteBucket DeleteBucketPolicy ListBucketVersions PutBucketOwnershipControls PutBucketPublicAccessBlock"
            " PutBucketVersioning PutEncryptionConfiguration PutLifecycleConfiguration",
        ),
        site_bucket,
        DESTROYS,
    )
    yield by.by_name("shows a page", acts("s3", "GetObject PutObject"), site_file, WITH_SITE)
    yield by.by_name("deletes a page", acts("s3", "DeleteObject DeleteObjectVersion"), site_file, DESTROYS)


def _distribution(by: Applier) -> Iterator[Wall]:
    yield by.by_tag("creates a distribution", acts("cloudfront", "CreateDistribution"), new(anything), WITH_SITE)
    yield from by.tagging("distribution", acts("cloudfront", "TagResource"), distribution, WITH_SITE)
    yield by.by_tag(
        "changes a distribution", acts("cloudfront", "CreateInvalidation UntagResource"), distribution, WITH_SITE
    )
    yield by.by_tag(
        "switches off and deletes a distribution",
        acts("cloudfront", "DeleteDistribution UpdateDistribution"),
        distribution,
        DESTROYS,
    )
    yield by.by_name(
        "changes the code in a distribution", acts("cloudfront", "PublishFunction UpdateFunction"), function, WITH_SITE
    )
    yield by.by_name("deletes the code in a distribution", acts("cloudfront", "DeleteFunction"), function, DESTROYS)
    create = acts("cloudfront", " ".join(f"Create{each}" for each in ("Function", *PARTS.values())))
    yield by.unlimited("creates parts of distributions", create, anything, WITH_SITE)
    for type_, name in PARTS.items():
        place = named(f"{_CLOUDFRONT}:{type_}/1")
        yield by.unlimited(
            f"deletes any {type_} that is not in use", acts("cloudfront", f"Delete{name}"), place, DESTROYS
        )
        # With another policy, CloudFront could give answers for one token to other clients.
        yield by.unlimited(
            f"changes any {type_}", acts("cloudfront", f"Update{name}"), place, APPLY, not_of=[abroad(by.environment)]
        )


def _routes(by: Applier) -> Iterator[Wall]:
    # The store of the environment has the routes to debug workspaces.
    there = [abroad(by.environment)]
    yield by.unlimited(
        "adds and reads routes", acts("cloudfront-keyvaluestore", "GetKey PutKey"), store, ("debug",), not_of=there
    )
    yield by.unlimited(
        "lists and deletes routes",
        acts("cloudfront-keyvaluestore", "DeleteKey DescribeKeyValueStore ListKeys"),
        store,
        ("debug", *REAP_DEBUG),
        not_of=there,
    )
