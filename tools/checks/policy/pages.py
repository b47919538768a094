"""Read the headers that CloudFront adds to the pages of the site."""

from collections.abc import Iterator
from typing import Any

Values = dict[str, Any]


def facts(kind: str, values: Values) -> Iterator[tuple[str, Values]]:
    """Yield facts about CloudFront's answers, as types and values:

    - `content_security_policy`: the policy of a set of headers. `sources` has a text for each directive and source,
      such as "script-src 'self'". Each directive is also a value. Without a policy, there are no values.
    - `behavior`: the settings of a distribution for some of its paths.
    """
    if kind == "aws_cloudfront_response_headers_policy":
        yield "content_security_policy", _content_security_policy(values)
    if kind == "aws_cloudfront_distribution":
        for name in ("default_cache_behavior", "ordered_cache_behavior"):
            for each in values.get(name, []):
                yield "behavior", each


def _content_security_policy(values: Values) -> Values:
    found: Values = {}
    for security in values.get("security_headers_config", []):
        for header in security.get("content_security_policy", []):
            text = header.get("content_security_policy", "")
            directives = [each.split() for each in text.split(";") if each.strip()]
            found = {name.lower(): " ".join(sources) for name, *sources in directives}
            found["sources"] = [f"{name.lower()} {each}" for name, *sources in directives for each in sources]
            found["override"] = header.get("override", False)
    return found
