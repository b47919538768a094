"""The rows about the policies of buckets and keys, and about the role of API Gateway."""

from collections.abc import Iterator
from dataclasses import replace

from tools.checks.walls.places import (
    DEVELOPMENT,
    PREPRODUCTION,
    PRODUCTION,
    STRANGER,
    Place,
    Places,
    Target,
    artifact,
    cluster,
    debug,
    function,
    key,
    key_of_cloudfront,
    preview,
    reader_secret,
    role,
    site_bucket,
    site_file,
    state,
    state_bucket,
)
from tools.checks.walls.principals import Administrator, Anybody, Person, Service
from tools.checks.walls.rows import functions, github
from tools.checks.walls.table import Wall, acts, wall

OUTSIDER = Person("an administrator of another account", f"arn:aws:iam::{STRANGER}:user/mallory")
OPEN = {"aws:SecureTransport": "false"}
WRITTEN_ONCE = {"s3:if-none-match": "*"}


def _states() -> Iterator[Wall]:
    for of in (DEVELOPMENT, PRODUCTION):
        who = Administrator(production=of == PRODUCTION)
        others = (Anybody(), OUTSIDER, Administrator(production=of != PRODUCTION))
        for actions, place in (
            (acts("s3", "GetObject PutObject"), state(of)),
            (acts("s3", "ListBucket PutBucketPolicy"), state_bucket(of)),
        ):
            yield Wall(who, "reaches states by TLS only", actions, (place,), not_when=(OPEN,), not_by=others)
        delete = acts("s3", "DeleteObjectVersion")
        yield Wall(who, "deletes an old version of a state", delete, not_on=(state(of),))


def _packages() -> Iterator[Wall]:
    who, of = Administrator(), artifact(DEVELOPMENT)
    bucket = replace(of, resource=of.resource.partition("/")[0])
    others = (Anybody(), OUTSIDER, Administrator(production=True))
    for action, place in (("GetObject", of), ("ListBucket", bucket)):
        yield Wall(who, "reads packages by TLS only", acts("s3", action), (place,), not_when=(OPEN,), not_by=others)
    put = acts("s3", "PutObject")
    object_ = {"s3:ObjectCreationOperation": "true"}
    yield Wall(who, "stores a package once", put, (of,), (), WRITTEN_ONCE, (object_, {**WRITTEN_ONCE, **OPEN}), others)
    yield Wall(who, "stores a part of a package", put, (of,), (), {"s3:ObjectCreationOperation": "false"}, (object_,))
    yield Wall(who, "deletes a package", acts("s3", "DeleteObject DeleteObjectVersion"), not_on=(of,))


def _sites() -> Iterator[Wall]:
    for of in (DEVELOPMENT, PREPRODUCTION, PRODUCTION, preview(DEVELOPMENT)):
        others = [each for each in functions.OWNERS if each not in (of, debug(DEVELOPMENT))]
        cdn = Service("cloudfront.amazonaws.com", "CloudFront", _distribution(of))
        yield wall(cdn, "reads the site of its distribution", acts("s3", "GetObject"), site_file, [of], others)
        yield Wall(
            cdn,
            f"reads the site of {of.name}",
            acts("s3", "GetObject"),
            (site_file(of),),
            (),
            {},
            (OPEN, *map(_distribution, others)),
            (
                replace(cdn, name="CloudFront for nobody", context={}),
                replace(cdn, name="another service", service="apigateway.amazonaws.com"),
                Anybody(),
                OUTSIDER,
            ),
        )
        yield wall(cdn, "writes a site", acts("s3", "PutObject DeleteObject"), site_file, not_of=[of])
        yield wall(
            Administrator(production=of == PRODUCTION),
            "reaches a site by TLS only",
            acts("s3", "ListBucket"),
            site_bucket,
            [of],
            not_when=[OPEN],
        )


def _distribution(of: Target) -> dict[str, str]:
    return {"aws:SourceArn": f"arn:aws:cloudfront::{of.account_id}:distribution/{of.name}"}


USE = acts("kms", "Encrypt Decrypt ReEncryptFrom ReEncryptTo GenerateDataKey GenerateDataKeyWithoutPlaintext")
LOGGED = ("/aws/lambda/{}-api", "/aws/apigateway/{}", "/aws/rds/cluster/{}/postgresql", "/vpc/{}/flow")


def _keys() -> Iterator[Wall]:
    for of in (*functions.OWNERS, *functions.LIVE):
        yield from _key(of, key, "eu-central-1", LOGGED)
        yield from _alarms(of, key)
    for of in functions.OWNERS[:3]:
        yield from _key(of, key_of_cloudfront, "us-east-1", ("aws-waf-logs-{}-cloudfront",))
        yield from _alarms(of, key_of_cloudfront)


def _alarms(of: Target, key: Places) -> Iterator[Wall]:
    alarms = Service("cloudwatch.amazonaws.com", "CloudWatch", {"aws:SourceAccount": of.account_id})
    yield Wall(
        alarms,
        f"uses the key of {of.name} for alarms",
        acts("kms", "Decrypt GenerateDataKey GenerateDataKeyWithoutPlaintext"),
        (key(of),),
        not_by=(
            replace(alarms, name="CloudWatch for another account", context={"aws:SourceAccount": STRANGER}),
            replace(alarms, name="CloudWatch for nobody", context={}),
            replace(alarms, name="another service", service="events.amazonaws.com"),
        ),
    )
    yield Wall(alarms, "changes a key", acts("kms", "Encrypt CreateGrant PutKeyPolicy"), not_on=(key(of),))


def _key(of: Target, place: Places, region: str, groups: tuple[str, ...]) -> Iterator[Wall]:
    """Yield the rows of a key, which encrypts certain log groups."""

    def encrypting(target: Target, group: str, region: str = region) -> dict[str, str]:
        arn = f"arn:aws:logs:{region}:{target.account_id}:log-group:{group.format(target.name)}"
        return {"kms:EncryptionContext:aws:logs:arn": arn}

    encrypted, logs = place(of), Service(f"logs.{region}.amazonaws.com", f"CloudWatch Logs in {region}")
    # The names of an environment begin like the names of its workspaces.
    others = [each for each in functions.OWNERS if not each.name.startswith(of.name)]
    strangers = (
        replace(logs, name="CloudWatch Logs in another region", service="logs.us-west-2.amazonaws.com"),
        Anybody(),
        OUTSIDER,
    )
    for group in groups:
        not_when = [encrypting(each, group) for each in others] + [encrypting(of, group, "us-west-2"), {}]
        yield Wall(
            logs,
            f"uses the key of {of.name} for logs",
            USE,
            (encrypted,),
            (),
            encrypting(of, group),
            tuple(not_when),
            strangers,
        )
    owner = Administrator(production=of.environment == "production")
    manage = acts("kms", "PutKeyPolicy ScheduleKeyDeletion Decrypt CreateGrant")
    others_ = (Anybody(), OUTSIDER, Administrator(production=of.environment != "production"))
    yield Wall(owner, f"manages the key of {of.name}", manage, (encrypted,), not_by=others_)


def _anybody() -> Iterator[Wall]:
    every = [DEVELOPMENT, PREPRODUCTION, PRODUCTION, preview(DEVELOPMENT)]
    for does, actions, place in (
        ("reaches states", acts("s3", "GetObject PutObject"), state),
        ("reaches packages", acts("s3", "GetObject PutObject"), artifact),
        ("reaches a site without CloudFront", acts("s3", "GetObject PutObject"), site_file),
        ("calls a function without API Gateway", acts("lambda", "InvokeFunction InvokeFunctionUrl"), function()),
        ("reads the reader's password", acts("secretsmanager", "GetSecretValue"), reader_secret),
        ("runs SQL", acts("rds-data", "ExecuteStatement"), cluster),
        ("takes the role of a function", acts("sts", "AssumeRole"), role()),
    ):
        for who in (Anybody(), OUTSIDER):
            yield wall(who, does, actions, place, not_of=every)


def _api_gateway() -> Iterator[Wall]:
    for production in (False, True):
        of: Place = github.role("apigateway", production=production)
        gateway = Service(functions.GATEWAY, "API Gateway", {"aws:SourceAccount": of.account})
        yield Wall(
            gateway,
            "takes the role that writes its logs",
            acts("sts", "AssumeRole"),
            (of,),
            not_by=(
                replace(gateway, name="API Gateway for another account", context={"aws:SourceAccount": STRANGER}),
                replace(gateway, name="another service", service="lambda.amazonaws.com"),
                Administrator(production=production),
                OUTSIDER,
            ),
        )


WALLS = (*_states(), *_packages(), *_sites(), *_keys(), *_anybody(), *_api_gateway())
