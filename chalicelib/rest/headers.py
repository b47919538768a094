"""The headers of a request."""

import chalice
from chalice.app import CaseInsensitiveMapping


def join_lines(request: chalice.app.Request) -> bool:
    """Let `request.headers` have all lines of a header, as a list (RFC 9110, section 5.3). Equal lines count once.

    API Gateway's `headers` has only the last line, so who sent two keys or types would not notice which one counts.
    Return False if no header has several lines.
    """
    lines: dict[str, list[str]] = request.to_original_event().get("multiValueHeaders") or {}
    if not lines or sum(map(len, lines.values())) == len(request.headers):
        return False
    joined: dict[str, list[str]] = {}
    for name, values in lines.items():
        joined.setdefault(name.lower(), []).extend(filter(None, values))
    request.headers = CaseInsensitiveMapping({name: ", ".join(dict.fromkeys(each)) for name, each in joined.items()})
    return True
