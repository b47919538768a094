"""The headers of a request."""

import chalice


def header(request: chalice.app.Request, name: str) -> str | None:
    """Return a header's value, or None. `name` is in lower case.

    Lines of one name with different values are one list (RFC 9110, section 5.3). API Gateway's `headers` has only the
    last line, so who sent two keys or types would not notice which one counts.
    """
    last: str | None = request.headers.get(name)
    lines = request.to_original_event().get("multiValueHeaders") or {}
    if sum(map(len, lines.values())) == len(request.headers):  # no header has two lines; the rest takes longer
        return last
    values = [each for sent, several in lines.items() if sent.lower() == name for each in several]
    return ", ".join(dict.fromkeys(filter(None, values))) if len(values) > 1 else last
