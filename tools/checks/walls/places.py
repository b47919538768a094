"""Name the resources that rows ask about. A place belongs to a target: an environment, or a workspace of one."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache

from chalicelib import NAME
from tools.checkout import ROOT

# An account of somebody else.
STRANGER = "999999999999"


@cache
def _account_of(environment: str) -> str:
    file = ROOT / "infra" / environment / "terraform.tfvars.json"
    id_: str = json.loads(file.read_text())["account_id"]
    return id_


@dataclass(frozen=True)
class Target:
    """An environment, or a workspace of one, such as `w-ann`."""

    environment: str
    workspace: str = "default"
    region: str = "eu-central-1"
    account: str = ""
    system: str = NAME

    @property
    def name(self) -> str:
        """The start of the names of all its resources."""
        suffix = "" if self.workspace == "default" else f"-{self.workspace}"
        return f"{self.system}-{self.environment}{suffix}"

    @property
    def account_id(self) -> str:
        return self.account or _account_of(self.environment)

    @property
    def place(self) -> str:
        """Region and account, as in ARNs."""
        return f"{self.region}:{self.account_id}"

    @property
    def tags(self) -> dict[str, str]:
        return {"system": self.system, "environment": self.environment, "workspace": self.workspace}


DEVELOPMENT = Target("development")
PREPRODUCTION = Target("preproduction")
PRODUCTION = Target("production")


def preview(of: Target, name: str = "ann") -> Target:
    """Return a preview or personal workspace of an environment."""
    return replace(of, workspace=f"w-{name}")


def debug(of: Target, name: str = "fix-1") -> Target:
    """Return a debug workspace of an environment."""
    return replace(of, workspace=f"d-{name}")


def elsewhere(of: Target) -> Target:
    """Return the same target in another region."""
    return replace(of, region="us-west-2")


def abroad(of: Target) -> Target:
    """Return the same target in an account of somebody else."""
    return replace(of, account=STRANGER)


def foreign(of: Target) -> Target:
    """Return a target of another system in the same account."""
    return replace(of, system="other")


@dataclass(frozen=True)
class Place:
    """A resource to ask about. AWS adds `facts`, such as tags, to requests that support them."""

    resource: str
    account: str
    facts: Mapping[str, str | list[str]] = field(default_factory=dict, hash=False)
    # The target whose key policy or other resource policy counts.
    of: Target | None = None


Places = Callable[[Target], Place]


def _own(of: Target, resource: str) -> Place:
    facts: dict[str, str | list[str]] = {f"aws:ResourceTag/{key}": value for key, value in of.tags.items()}
    return Place(resource, of.account_id, facts, of)


def new(place: Places) -> Places:
    """Return the same place before it exists. The request that creates it gives it the tags of its target."""

    def place_of(target: Target) -> Place:
        facts: dict[str, str | list[str]] = {f"aws:RequestTag/{key}": value for key, value in target.tags.items()}
        return replace(place(target), facts={**facts, "aws:TagKeys": list(target.tags)})

    return place_of


def named(arn: str) -> Places:
    """Return a kind of place by its ARN, with {place}, {account} and {name} of the target."""
    return lambda of: _own(of, arn.format(place=of.place, account=of.account_id, name=of.name, region=of.region))


def function(name: str = "api") -> Places:
    """Return a function of the service."""
    return named(f"arn:aws:lambda:{{place}}:function:{{name}}-{name}")


def role(name: str = "api") -> Places:
    """Return the role of a function."""
    return named(f"arn:aws:iam::{{account}}:role/{{name}}-{name}")


def alias(name: str = "api", qualifier: str = "live") -> Places:
    """Return an alias or a version of a function. The function's own policy counts."""
    return named(f"arn:aws:lambda:{{place}}:function:{{name}}-{name}:{qualifier}")


def part(type_: str) -> Places:
    """Return a part of the network, such as `subnet`. Its id does not name its target: only its tags do."""
    return named(f"arn:aws:ec2:{{place}}:{type_}/{type_}-1")


def security_group(name: str) -> Places:
    """Return a security group by the end of its tag `Name`."""

    def place_of(target: Target) -> Place:
        group = part("security-group")(target)
        return replace(
            group,
            resource=f"{group.resource}-{name}",
            facts={**group.facts, "aws:ResourceTag/Name": f"{target.name}-{name}"},
        )

    return place_of


def untagged(place: Places) -> Places:
    """Return the same place without tags."""
    return lambda of: replace(place(of), facts={})


def login(user: str) -> Places:
    """Return the login of a user in the target's cluster."""
    return named(f"arn:aws:rds-db:{{place}}:dbuser:cluster-{{name}}/{user}")


def other_secret(name: str) -> Places:
    """Return a secret that is not the reader's, by a name of OTHER_SECRETS."""
    return named(f"arn:aws:secretsmanager:{{place}}:secret:{{name}}-{name}-AbCdEf")


def dependency_secret(of: Target) -> Place:
    """Return a secret of a dependency, which a person made for the target's environment. It has no tags."""
    secret = f"arn:aws:secretsmanager:{of.place}:secret:{of.system}/{of.environment}/pay-AbCdEf"
    return Place(secret, of.account_id, {}, of)


def secret_of_master(of: Target) -> Place:
    """Return the secret of the master user, which RDS creates, tags and names."""
    tagged = f"arn:aws:rds:{of.place}:cluster:{of.name}"
    made = f"arn:aws:secretsmanager:{of.place}:secret:rds!cluster-{of.name}"
    return Place(made, of.account_id, {"aws:ResourceTag/aws:rds:primaryDBClusterArn": tagged}, of)


def site_bucket(of: Target) -> Place:
    """Return the bucket of the site."""
    return _own(of, f"arn:aws:s3:::{of.name}-{hash_of(of.account_id)}")


def site_file(of: Target) -> Place:
    """Return an object in the bucket of the site."""
    return replace(site_bucket(of), resource=f"{site_bucket(of).resource}/index.html")


def state(of: Target) -> Place:
    """Return the object of Terraform's state."""
    file = f"{of.environment}.tfstate"
    key = file if of.workspace == "default" else f"{of.environment}/{of.workspace}/{file}"
    return Place(f"arn:aws:s3:::{NAME}-state-{of.account_id}/{key}", of.account_id)


def lock(of: Target) -> Place:
    """Return the object that locks Terraform's state."""
    return replace(state(of), resource=f"{state(of).resource}.tflock")


def artifact(of: Target, key: str = "abc/package.zip") -> Place:
    """Return a package. The bucket in the testing account keeps the packages of all targets."""
    account = DEVELOPMENT.account_id
    return Place(f"arn:aws:s3:::{NAME}-artifacts-{account}/{key}", account, of=of)


def state_bucket(of: Target) -> Place:
    """Return the bucket of the states in the account."""
    return replace(state(of), resource=state(of).resource.partition("/")[0])


def buckets(of: Target) -> tuple[Place, ...]:
    """Return buckets in the account of a target whose names begin like the bucket of the states."""
    names = (f"{NAME}-artifacts-{of.account_id}", f"{NAME}-state-2", f"{NAME}-2")
    return tuple(Place(f"arn:aws:s3:::{name}", of.account_id) for name in names)


def hash_of(account_id: str) -> str:
    """Return the end of the names of buckets in an account."""
    return hashlib.sha256(account_id.encode()).hexdigest()[:8]


OTHER_SECRETS = ("other", "other-reader-2", "reader-2")
anything: Places = named("*")
api = named("arn:aws:apigateway:{region}::/restapis/api1")
apis = named("arn:aws:apigateway:{region}::/restapis")
tags_of_api = named("arn:aws:apigateway:{region}::/tags/arn%3Aaws%3Aapigateway%3A{region}%3A%3A%2Frestapis%2Fapi1")
tags_of_new_api = named("arn:aws:apigateway:{region}::/tags/arn%3Aaws%3Aapigateway%3A{region}%3A%3A%2Frestapis%2F*")
cluster = named("arn:aws:rds:{place}:cluster:{name}")
key = named("arn:aws:kms:{place}:key/{name}")
key_of_cloudfront = named("arn:aws:kms:us-east-1:{account}:key/{name}-cloudfront")
log_group = named("arn:aws:logs:{place}:log-group:/aws/lambda/{name}-api")
log_stream = named("arn:aws:logs:{place}:log-group:/aws/lambda/{name}-api:log-stream:1")
reader_secret = named("arn:aws:secretsmanager:{place}:secret:{name}-reader-AbCdEf")
stage = named("arn:aws:apigateway:{region}::/restapis/api1/stages/live")
user_pool = named("arn:aws:cognito-idp:{place}:userpool/{region}_pool1")
