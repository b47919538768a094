"""Texts that mean something to SQL, browsers, templates or parsers. The service must take them literally."""

HOSTILE = {
    "sql": "'; DROP TABLE systems; COMMIT; --",
    "sql in double quotes": '" OR ""="',
    "a dollar quote": "$$; SELECT pg_sleep(9) $$ \\",
    "a backslash and a quote": "\\'; SELECT 1; --",
    "placeholders": "%s %(system)s %% %n :system $1 ?",
    "a script": "<script>alert('x')</script><img src=x onerror=alert(1)>",
    "templates": "{system} {0} {{7*7}} ${jndi:ldap://x} #{1} `id` $(id)",
    "json": '{"key": "value", "a": [1, null]}\\n\\u0041',
    "lines": "one\r\nSet-Cookie: two\ttabbed\x7f\x1b[31m",
    "unicode": "Ünï\u202ecod\u2028e \U0001f680 \ufeff\uffff e\u0301",
}
# The printable ASCII texts, without white space, so that they fit into the path of a URL.
HOSTILE_ASCII = {name: "".join(text.split()) for name, text in HOSTILE.items() if text.isascii() and text.isprintable()}
