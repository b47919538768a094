"""List the mutants of the sources: changes of infra/ that a scenario must catch in the plan of the changed sources.

A mutant of a plan shows that a scenario reads the plan correctly. A mutant of the sources also shows that the fault
reaches the plan.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.checkout import ToolError
from tools.checks.policy import plans
from tools.checks.policy.changes import ACCOUNT, PRODUCTION

_API_ROLES = "modules/api/roles.tf"
_IDENTITY = "modules/identity/main.tf"
_MAIN = "modules/infrastructure-main/main.tf"
_NETWORK = "modules/network/main.tf"
_SITE = "modules/site/main.tf"


@dataclass(frozen=True)
class SourceMutant:
    """A change of a file of infra/ that a scenario must catch.

    The scenario must fail, and must name each of the culprits. So several mutants can share a plan, because this saves
    time. If a mutant hides others, give it another batch: each batch has its own plan.
    """

    what: str
    file: str
    old: str
    new: str
    culprits: tuple[str, ...]
    plan: str = PRODUCTION
    batch: int = 1


def mutated(copies: Path, run: plans.Run, batch: int, mutants: Sequence[SourceMutant]) -> plans.Plan:
    """Return the plan of a run after all changes of a batch, in a copy of infra/, or raise ToolError."""
    origin = plans.copied(copies, run.environment, run.environment)
    infra = copies / f"{run.name}-batch-{batch}"
    shutil.copytree(copies / run.environment, infra, symlinks=True)
    folder = infra / origin.relative_to(copies / run.environment)
    for file, old, new in dict.fromkeys((each.file, each.old, each.new) for each in mutants):
        text = (infra / file).read_text()
        if text.count(old) != 1:
            raise ToolError(
                f"A mutant replaces a text that infra/{file} has {text.count(old)} times, not once: correct the text "
                f"in tools/checks/policy/sources.py:\n{old}"
            )
        (infra / file).write_text(text.replace(old, new))
    return plans.plan(folder, run)


def _without(what: str, file: str, text: str, *culprits: str, batch: int = 1) -> SourceMutant:
    return SourceMutant(what, file, text, "", culprits, batch=batch)


def _bad_permissions(file: str, before: str, role: str, plan: str, *culprits: str) -> SourceMutant:
    """Return a mutant that gives a role an inline policy, a managed policy and one of AWS's own."""
    statements = """[
      { Effect = "Allow", Action = "s3:*", Resource = "arn:aws:s3:::a/*" },
      { Effect = "Allow", Action = ["s3:Get*", "s3:GetObject", "iam:PassRole"], Resource = "*" },
      { Effect = "Allow", NotAction = "iam:*", Resource = "arn:aws:s3:::b/*" },
      { Effect = "Allow", Action = "s3:PutObject", NotResource = "arn:aws:s3:::a/*" },
    ]"""
    added = f"""resource "aws_iam_role_policy" "mutant" {{
  role   = {role}.id
  policy = jsonencode({{ Statement = {statements} }})
}}

resource "aws_iam_policy" "mutant" {{
  policy = jsonencode({{ Statement = {statements} }})
}}

resource "aws_iam_role_policy_attachment" "mutant" {{
  role       = {role}.name
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}}

"""
    return SourceMutant("bad permissions", file, before, added + before, culprits, plan)


def _bad_permissions_in_environment(*culprits: str) -> SourceMutant:
    before = 'resource "aws_iam_role_policy" "flow" {'
    return _bad_permissions(_NETWORK, before, "aws_iam_role.flow", PRODUCTION, *culprits)


def _bad_permissions_in_account(*culprits: str) -> SourceMutant:
    before = 'resource "aws_iam_role_policy_attachment" "apigateway" {'
    return _bad_permissions("account/logging.tf", before, "aws_iam_role.apigateway", ACCOUNT, *culprits)


_WAYS_OUT = """resource "aws_vpc_security_group_egress_rule" "mutant" {
  security_group_id = aws_security_group.functions.id
  ip_protocol       = "-1"
  cidr_ipv6         = "::/0"
}

resource "aws_security_group_rule" "mutant" {
  security_group_id = aws_security_group.functions.id
  type              = "egress"
  protocol          = "-1"
  from_port         = 0
  to_port           = 0
  cidr_blocks       = ["0.0.0.0/1"]
}

resource "aws_security_group" "mutant" {
  vpc_id = aws_vpc.this.id

  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_network_acl" "mutant" {
  vpc_id = aws_vpc.this.id

  egress {
    rule_no    = 1
    action     = "allow"
    protocol   = "-1"
    from_port  = 0
    to_port    = 0
    cidr_block = "0.0.0.0/0"
  }
}

"""
_DEFAULT_GROUP = 'resource "aws_default_security_group" "this" {\n  vpc_id = aws_vpc.this.id\n'
_OPEN_DEFAULT_GROUP = """
  egress {
    protocol         = "-1"
    from_port        = 0
    to_port          = 0
    ipv6_cidr_blocks = ["::/0"]
  }
"""
_PRIVATE_ROUTES = 'resource "aws_route_table" "private" {\n  vpc_id = aws_vpc.this.id\n'
_INLINE_ROUTE = '\n  route {\n    cidr_block = "0.0.0.0/0"\n    gateway_id = "igw-1"\n  }\n'
_FUNCTIONS_GROUP = 'resource "aws_security_group" "functions" {'


def _egress(*culprits: str) -> SourceMutant:
    return SourceMutant("egress is on", _MAIN, "= var.egress\n", "= true\n", culprits)


SOURCE_MUTANTS = {
    # network
    "Rules let out traffic only to private addresses": [
        _egress("aws_vpc_security_group_egress_rule.https"),
        SourceMutant(
            "rules of other types",
            _NETWORK,
            _FUNCTIONS_GROUP,
            _WAYS_OUT + _FUNCTIONS_GROUP,
            tuple(
                f"aws_{kind}.mutant"
                for kind in ("vpc_security_group_egress_rule", "security_group_rule", "security_group", "network_acl")
            ),
        ),
        SourceMutant(
            "the default group",
            _NETWORK,
            _DEFAULT_GROUP,
            _DEFAULT_GROUP + _OPEN_DEFAULT_GROUP,
            ("aws_default_security_group.this",),
        ),
    ],
    "There is no route out of the network": [
        _egress("aws_route.out", "aws_route.to_the_internet"),
        SourceMutant(
            "a route inside a table",
            _NETWORK,
            _PRIVATE_ROUTES,
            _PRIVATE_ROUTES + _INLINE_ROUTE,
            ("aws_route_table.private",),
        ),
    ],
    "There is no gateway to the internet": [_egress("aws_nat_gateway", "aws_internet_gateway")],
    # nothing_public
    "Nobody gets access without being named": [
        SourceMutant(
            "everybody but one",
            "modules/site/bucket.tf",
            'Principal = { Service = "cloudfront.amazonaws.com" }',
            'NotPrincipal = { Service = "cloudfront.amazonaws.com" }',
            ("aws_s3_bucket_policy.this",),
        )
    ],
    # pages
    "CloudFront adds our headers to every answer": [
        _without(
            "files have no headers",
            _SITE,
            "    cache_policy_id            = aws_cloudfront_cache_policy.site.id\n"
            "    response_headers_policy_id = aws_cloudfront_response_headers_policy.this.id\n",
            "behavior 1",
        ),
    ],
    "The content security policy replaces any other": [
        SourceMutant(
            "an origin can send its own policy",
            _SITE,
            "content_security_policy = local.content_security_policy\n      override                = true",
            "content_security_policy = local.content_security_policy\n      override                = false",
            ("override property",),
        )
    ],
    "Pages load nothing that the content security policy does not list": [
        _without("no default", _SITE, "    \"default-src 'none'\",\n", "does not have default-src"),
        _without(
            "no policy",
            _SITE,
            "    content_security_policy {\n"
            "      content_security_policy = local.content_security_policy\n"
            "      override                = true\n"
            "    }\n",
            "does not have default-src",
            batch=2,
        ),
    ],
    "Pages load only from the site, and call only hosts that have a name": [
        SourceMutant(
            "sources of scripts",
            _SITE,
            "script-src 'self'",
            "script-src 'self' 'unsafe-inline' 'unsafe-eval' data: http: https: https://example.org example.org *",
            tuple(
                f"set to script-src {each}.\n"
                for each in (
                    "'unsafe-inline'",
                    "'unsafe-eval'",
                    "data:",
                    "http:",
                    "https:",
                    "https://example.org",
                    "example.org",
                    "*",
                )
            ),
        ),
        SourceMutant(
            "hosts to call",
            _SITE,
            """concat(["'self'"], var.connect_sources)""",
            """concat(["'self'", "https://*.example.org", "http://example.org"], var.connect_sources)""",
            ("connect-src https://*.example.org", "connect-src http://example.org"),
        ),
    ],
    "Scripts can't turn text into code": [
        _without(
            "text becomes code", _SITE, "    \"require-trusted-types-for 'script'\",\n", "require-trusted-types-for"
        )
    ],
    "No page can change the base of its addresses": [
        _without("any base", _SITE, "    \"base-uri 'none'\",\n", "does not have base-uri")
    ],
    "No other page can show a page of the site in a frame": [
        _without("any frame", _SITE, "    \"frame-ancestors 'none'\",\n", "does not have frame-ancestors")
    ],
    "No page sends a form": [_without("any form", _SITE, "    \"form-action 'none'\",\n", "does not have form-action")],
    # permissions
    "No permission has a wildcard in its action": [
        SourceMutant(
            "everything of X-Ray",
            _API_ROLES,
            'Action   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]',
            'Action   = ["xray:*"]',
            ("xray:* on *",),
        ),
        _bad_permissions_in_environment("s3:* on arn:aws:s3:::a/*", "s3:Get* on *", "* on arn:aws:s3:::b/*"),
        _bad_permissions_in_account("s3:* on arn:aws:s3:::a/*", "s3:Get* on *", "* on arn:aws:s3:::b/*"),
    ],
    "No statement allows everything except a list": [
        _bad_permissions_in_environment("NotAction", "NotResource"),
        _bad_permissions_in_account("NotAction", "NotResource"),
    ],
    "No role may act on all resources, except for traces and network interfaces": [
        _bad_permissions_in_environment("s3:GetObject on *", "s3:PutObject on *"),
    ],
    "No role of an environment may change permissions": [_bad_permissions_in_environment("iam:PassRole on *")],
    "No role of an account may use the data or secrets of all resources": [
        _bad_permissions_in_account("s3:GetObject on *", "s3:PutObject on *")
    ],
    "A role of an account may use or change only the roles of environments": [
        _bad_permissions_in_account("iam:PassRole on *")
    ],
    "No role has a policy of AWS's own, except API Gateway's for logs and the administrators'": [
        _bad_permissions_in_environment("AdministratorAccess for"),
        _bad_permissions_in_account("AdministratorAccess for"),
    ],
    "Every role has the boundary of its environment and kind": [
        SourceMutant(
            "no boundary",
            _NETWORK,
            '"Writes the flow log of ${var.name}"\n  permissions_boundary = var.permissions_boundary\n',
            '"Writes the flow log of ${var.name}"\n',
            ("aws_iam_role.flow",),
        )
    ],
    # production
    "People sign in with a second factor": [
        SourceMutant("not asked for", _MAIN, "= var.production\n  deletion", "= false\n  deletion", ("OPTIONAL",)),
        SourceMutant(
            "ignored", _IDENTITY, 'var.requires_mfa ? "ON" : "OPTIONAL"', '"OPTIONAL"', ("OPTIONAL",), batch=2
        ),
    ],
    "A firewall is in front of the site": [
        _without("no firewall", _SITE, "  web_acl_id          = var.web_acl_arn\n", "does not have web_acl_id")
    ],
    "A firewall is in front of the API": [
        SourceMutant(
            "no firewall",
            _MAIN,
            'source = "../firewall"\n  count  = local.has_firewall ? 1 : 0',
            'source = "../firewall"\n  count  = 0',
            ("aws_wafv2_web_acl_association",),
        )
    ],
    # signing_in
    "Nobody can sign up": [
        SourceMutant(
            "everybody may sign up",
            _IDENTITY,
            "allow_admin_create_user_only = true",
            "allow_admin_create_user_only = false",
            ("allow_admin_create_user_only",),
        ),
        _without(
            "the argument is not set",
            _IDENTITY,
            "  admin_create_user_config {\n    allow_admin_create_user_only = true\n  }\n",
            "allow_admin_create_user_only",
            batch=2,
        ),
    ],
    "Nobody signs in with another provider's account": [
        SourceMutant("another provider", _IDENTITY, '= ["COGNITO"]', '= ["COGNITO", "Google"]', ("Google",))
    ],
    "An authenticator app can be the second factor": [
        SourceMutant(
            "no app",
            _IDENTITY,
            "software_token_mfa_configuration {\n    enabled = true",
            "software_token_mfa_configuration {\n    enabled = false",
            ("enabled",),
        )
    ],
    "Tokens are given only for a code": [
        SourceMutant("the implicit flow", _IDENTITY, '= ["code"]', '= ["code", "implicit"]', ("implicit",))
    ],
    "Passwords are accepted only on the sign-in page": [
        SourceMutant(
            "passwords by API",
            _IDENTITY,
            '"ALLOW_REFRESH_TOKEN_AUTH"',
            '"ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_PASSWORD_AUTH"',
            ("ALLOW_USER_PASSWORD_AUTH",),
        ),
        _without(
            "Cognito's default",
            _IDENTITY,
            '  explicit_auth_flows                  = ["ALLOW_REFRESH_TOKEN_AUTH"]\n',
            "explicit_auth_flows",
            batch=2,
        ),
    ],
    "The sign-in does not reveal who has an account": [
        SourceMutant("reveals", _IDENTITY, '_errors = "ENABLED"', '_errors = "LEGACY"', ("LEGACY",))
    ],
    "Signing out revokes the tokens": [
        SourceMutant("no revocation", _IDENTITY, "revocation       = true", "revocation       = false", ("False",))
    ],
}
