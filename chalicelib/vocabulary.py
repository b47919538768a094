"""The words of the domain as types, each defined once.

Other modules may import this one, because it imports no module of chalicelib except `patterns`.
"""

from typing import Annotated, Literal

from msgspec import Meta

from chalicelib.patterns import NO_NUL, NOT_WHITE, matching

# Patterns for code that checks a text itself. tests/unit/test_vocabulary.py compares them with their copies elsewhere.
SLUG = "[a-z][a-z0-9-]{1,38}"
WORKSPACE = "[a-z][a-z0-9-]{0,15}"
# A git repository has ids of 40 digits, or of 64 if it uses SHA-256.
ARTIFACT = "(tree:([0-9a-f]{40}|[0-9a-f]{64})|sha256:[0-9a-f]{64})"
SHA = "([0-9a-f]{40}|[0-9a-f]{64})"
# The first digits of an artifact or a commit, for reading. 7 are what git shows at least.
SHORT_ARTIFACT = "((tree|sha256):)?[0-9a-f]{7,64}"
SHORT_SHA = "[0-9a-f]{7,64}"
SUITE = "[A-Za-z0-9][A-Za-z0-9._/-]{0,63}"
CLIENT = "[A-Za-z0-9._~@:|+-]{1,128}"
# Only these characters: so each program that reads the URL finds the same host in it.
_HTTPS_HOST = r"https://([a-z0-9-]+\.)*[a-z0-9-]+"
_PORT_AND_PATH = r"(:[0-9]{1,5})?(/[A-Za-z0-9._~%/-]*)?"
WORKSPACE_URL = _HTTPS_HOST + _PORT_AND_PATH
# An instance of a dependency: an ARN, or a URL. Each instance has one spelling, so that equal instances are found.
# An ARN may end in all that AWS allows in some name, such as `#` in log groups, but not in the wildcards `*` and `?`.
INSTANCE = (
    r"(arn:aws(-[a-z]+)*:[a-z0-9-]+:[a-z0-9-]*:([0-9]{12})?:/?[!-)+-.0-9;->@-~]+((/|:/?)[!-)+-.0-9;->@-~]+)*"
    r"|[a-z][a-z0-9+.-]*://[a-z0-9-]+(\.[a-z0-9-]+)*(:[1-9][0-9]{0,4})?(/[A-Za-z0-9._~-]+)*)"
)
# Parts of other spellings: a URL that is not encrypted, the names of a driver, default ports, paths, URLs of queues and
# buckets, and ARNs with too much or too little of region and account.
SECOND_SPELLING = (
    r"^(http|ws|ftp|amqp|mqtt|redis|ldap|smtp|tcp|postgres|s3|sqs)://|^(mysql|postgresql)\+"
    r"|^((https|wss)://[^/]*:443|amqps://[^/]*:5671|ldaps://[^/]*:636|mongodb://[^/]*:27017|mqtts://[^/]*:8883"
    r"|mysql://[^/]*:3306|postgresql://[^/]*:5432|rediss://[^/]*:6379|sftp://[^/]*:22)(/|$)|/\.\.?(/|$)"
    r"|://([a-z0-9-]+\.)*(sqs|queue|s3|s3express)([.-][a-z0-9-]+)*\.(amazonaws\.(com|eu)|api\.aws)"
    r"|^arn:[^:]*:(s3:([^:]|:[^:])|(events|kinesis|lambda|sns|sqs):(:|[^:]*::))"
)
ENVIRONMENT_URL = rf"({_HTTPS_HOST}|http://(localhost|127\.0\.0\.1)){_PORT_AND_PATH}"

Slug = Annotated[str, matching(SLUG, "azul")]
EnvironmentName = Annotated[str, matching(SLUG, "preproduction", "Name of an environment")]
WorkspaceName = Annotated[
    str, matching(WORKSPACE, "default", "Name of a workspace; `default` is the environment itself")
]
Purpose = Annotated[
    Literal["personal", "preview", "debug"],
    Meta(
        examples=["debug"],
        description="The purpose: the work of one person, the preview of a pull request, or debugging",
    ),
]
Artifact = Annotated[
    str,
    matching(
        ARTIFACT,
        "tree:5b678574ccc67c05b472831abea9e97b713c73e1",
        "The deployed content: a git tree, or the digest of a package",
    ),
]
Sha = Annotated[str, matching(SHA, "200f4b2d8e19e8e64f878567f24b464f3d7146ac", "A commit")]
ShortArtifact = Annotated[
    str,
    matching(SHORT_ARTIFACT, "tree:5b67857", "An artifact: the full id, or 7 or more of its digits that fit no other"),
]
ShortSha = Annotated[
    str, matching(SHORT_SHA, "200f4b2", "A commit: the full id, or 7 or more of its digits that fit no other")
]
Subject = Annotated[
    str,
    Meta(
        max_length=200,
        examples=["Index the manifests again"],
        description="The first line of the commit's message, cut to 200 characters",
        extra_json_schema=NO_NUL,
    ),
]
Suite = Annotated[str, matching(SUITE, "acceptance", "Name of a test suite")]
WorkspaceUrl = Annotated[
    str,
    matching(
        WORKSPACE_URL,
        "https://debug.example.org",
        "Where the workspace is served: https, a host in lower case, and no user or query",
        max_length=2000,
    ),
]
EnvironmentUrl = Annotated[
    str,
    matching(
        ENVIRONMENT_URL,
        "https://azul.example.org",
        "Where the environment is served: https, or http on this machine; a host in lower case, and no user or query",
        max_length=2000,
    ),
]
Client = Annotated[str, matching(CLIENT, "jane@example.org", "The client whose calls are routed")]
OverrideReason = Annotated[
    str,
    matching(
        rf"{NOT_WHITE}[^\u0000]{{8,498}}{NOT_WHITE}",
        "The incident can't wait for the soak",
        "Why the deployment may pass the gate without a grant; no white space at the start or the end",
    ),
]
LooseningReason = Annotated[
    str,
    matching(
        rf"{NOT_WHITE}[^\u0000]{{8,498}}{NOT_WHITE}",
        "The load test has replaced this suite",
        "Why a production environment may require less or trust more. Required for such a change; the audit event has "
        "the reason. No white space at the start or the end",
    ),
]
Reason = Annotated[
    str,
    matching(
        rf"{NOT_WHITE}([^\u0000]{{0,498}}{NOT_WHITE})?",
        "Reports have been empty since Monday",
        "The reason, for people; no white space at the start or the end",
    ),
]
# The text of a claim that the service stores.
Claim = Annotated[str, Meta(max_length=255)]
PrincipalName = Annotated[
    str,
    Meta(
        max_length=1000,
        examples=["pipeline@local"],
        description="The subject of the caller's token, or the service's name if the service itself made the change",
        extra_json_schema=NO_NUL,
    ),
]
