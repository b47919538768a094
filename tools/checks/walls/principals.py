"""The principals of rows: pipelines' roles, functions, people, GitHub's tokens, services, and everybody."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from chalicelib import NAME
from tools.checkout import ROOT
from tools.checks.walls.places import PRODUCTION, Target
from tools.checks.walls.rendered import Policy, Rendered

_ISSUER = "token.actions.githubusercontent.com"
# Policies that a row's principal may have besides the rendered ones.
EVERYTHING = "everything"
ADDED = {
    EVERYTHING: Policy(
        "identity",
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]},
    )
}


@dataclass(frozen=True)
class Principal:
    """A principal as IAM sees it. `context` is in all its requests."""

    name: str
    arn: str | None
    identity: tuple[str, ...] = ()
    boundary: str | None = None
    context: Mapping[str, str | list[str]] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class OfAccount:
    """A role of infra/account, such as `workspaces-development`."""

    name: str
    production: bool = False

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{account_id(production=self.is_in_production)}:role/{NAME}-account-{self.name}"

    @property
    def is_in_production(self) -> bool:
        return self.production or self.name.endswith("-production")

    def seen(self, rendered: Rendered) -> Principal:
        """Return the principal, with its policies."""
        role = rendered.role(self.arn)
        return Principal(self.name, role.arn, role.identity, role.boundary)


@dataclass(frozen=True)
class OfFunction:
    """The code of a function, or with `code=False` AWS Lambda itself in the function's name."""

    function: str
    of: Target
    code: bool = True

    @property
    def name(self) -> str:
        return f"{self.of.name}-{self.function}"

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{self.of.account_id}:role/{self.name}"

    def seen(self, rendered: Rendered) -> Principal:
        """Return the principal, with its policies and its boundary."""
        role = rendered.role(self.arn)
        source = f"arn:aws:lambda:{self.of.place}:function:{self.name}"
        context = {"lambda:SourceFunctionArn": source} if self.code else {}
        return Principal(self.name, role.arn, role.identity, role.boundary, context)


@dataclass(frozen=True)
class MadeBy:
    """A role that a pull request's code made, with all permissions that its boundary leaves.

    `boundary` names the boundary, such as `development-workspaces`. `function` runs the code.
    """

    of: Target
    boundary: str
    function: str | None = "api"

    @property
    def name(self) -> str:
        return f"a role of {self.of.name} with all permissions"

    def seen(self, rendered: Rendered) -> Principal:
        """Return the principal: all permissions within the boundary."""
        account = self.of.account_id
        source = f"arn:aws:lambda:{self.of.place}:function:{self.of.name}-{self.function}"
        context = {"lambda:SourceFunctionArn": source} if self.function else {}
        return Principal(
            self.name,
            f"arn:aws:iam::{account}:role/{self.of.name}-made",
            (EVERYTHING,),
            boundary(self.of, self.boundary),
            context,
        )


@dataclass(frozen=True)
class Administrator:
    """Somebody with all permissions in an account. Only policies of resources can stop them."""

    production: bool = False

    @property
    def name(self) -> str:
        return f"an administrator of {'production' if self.production else 'testing'}"

    def seen(self, rendered: Rendered) -> Principal:
        """Return the principal."""
        role = OfAccount("administrator", production=self.production)
        return Principal(self.name, role.arn, (EVERYTHING,))


@dataclass(frozen=True)
class Person:
    """A user on AWS who may do everything that trust policies allow. `mfa_age` is in seconds."""

    name: str
    arn: str
    mfa_age: int | None = 60
    mfa: bool = True

    def seen(self, rendered: Rendered) -> Principal:
        """Return the principal."""
        age = {} if self.mfa_age is None else {"aws:MultiFactorAuthAge": str(self.mfa_age)}
        context = {"aws:MultiFactorAuthPresent": str(self.mfa).lower(), **age}
        return Principal(self.name, self.arn, (EVERYTHING,), None, context)


@dataclass(frozen=True)
class Job:
    """A job on GitHub, with the claims of its token."""

    name: str
    environment: str | None = None
    ref: str = "refs/heads/development"
    repository: str = ""
    repository_id: str = ""
    owner_id: str = ""
    subject: str | None = None
    audience: str = "sts.amazonaws.com"
    production: bool = False

    def seen(self, rendered: Rendered) -> Principal:
        """Return the principal: the token is the only credential."""
        github = variables(production=self.production)["github"]
        repository = self.repository or github["repository"]
        subject = (
            self.subject
            or f"repo:{repository}:{f'environment:{self.environment}' if self.environment else f'ref:{self.ref}'}"
        )
        claims = {
            "aud": self.audience,
            "sub": subject,
            "repository": repository,
            "repository_id": self.repository_id or github["repository_id"],
            "repository_owner_id": self.owner_id or github["repository_owner_id"],
            "ref": self.ref,
            **({"environment": self.environment} if self.environment else {}),
        }
        provider = f"arn:aws:iam::{account_id(production=self.production)}:oidc-provider/{_ISSUER}"
        return Principal(self.name, provider, context={f"{_ISSUER}:{key}": value for key, value in claims.items()})


@dataclass(frozen=True)
class Service:
    """A service of AWS. `context` says for which account and resource it works."""

    service: str
    name: str
    context: Mapping[str, str | list[str]] = field(default_factory=dict, hash=False)

    def seen(self, rendered: Rendered) -> Principal:
        """Return the principal."""
        return Principal(self.name, self.service, context=self.context)


@dataclass(frozen=True)
class Anybody:
    """Somebody without credentials."""

    name: str = "anybody"

    def seen(self, rendered: Rendered) -> Principal:
        """Return the principal."""
        return Principal(self.name, None)


AnyPrincipal = OfAccount | OfFunction | MadeBy | Administrator | Person | Job | Service | Anybody


@cache
def variables(*, production: bool) -> dict[str, dict[str, str]]:
    """Return the variables of infra/account for one of the two accounts."""
    file = ROOT / "infra" / "account" / f"{'production' if production else 'testing'}.tfvars.json"
    found: dict[str, dict[str, str]] = json.loads(file.read_text())
    return found


def boundary(of: Target, name: str) -> str:
    """Return the ARN of a boundary in the account of a target. `name` is such as `development-workspaces`."""
    return f"arn:aws:iam::{of.account_id}:policy/{NAME}-account-boundary-{name}"


def account_id(*, production: bool) -> str:
    """Return the id of production's account, or of the testing account."""
    return PRODUCTION.account_id if production else Target("development").account_id
