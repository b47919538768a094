"""Replace the template's name and owner by the new service's, in the form that each place needs."""

import io
import json
import keyword
import re
import tokenize
from collections.abc import Collection
from dataclasses import dataclass

from tools.checkout import ENVIRONMENTS, UsageError

TEMPLATE = "slipway"
TEMPLATE_OWNER = "acme"

_NAME = re.compile(r"(?=.{2,20}$)[a-z][a-z0-9]*(-[a-z0-9]+)*")
_OWNER = re.compile(r"[A-Za-z0-9](-?[A-Za-z0-9]){0,38}")
# PostgreSQL and RDS keep these names of databases and prefixes of roles for themselves.
_POSTGRES = {"postgres", "rdsadmin", "template0", "template1", "pg", "public"}
# Words that SQL reserves: RDS refuses a database with such a name.
_SQL = frozenset(
    """
    all analyse analyze and any array as asc asymmetric both case cast check collate column constraint
    create current_date current_role current_time current_timestamp current_user default deferrable desc
    distinct do else end except false fetch for foreign from grant group having in initially intersect
    into lateral leading limit localtime localtimestamp not null offset on only or order placing primary
    references returning select session_user some symmetric table then to trailing true union unique
    user using variadic when where window with authorization binary collation concurrently cross
    current_schema freeze full ilike inner is isnull join left like natural notnull outer overlaps right
    similar tablesample verbose
    """.split()  # noqa: SIM905 (a list has one word a line)
)


def check_name(name: str, folders: Collection[str]) -> None:
    """Raise UsageError unless a service can have this name. `folders` are names that the repository uses already."""
    advice = "choose another NAME, such as orders or order-desk"
    identifier = name.replace("-", "_")
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"NAME is {name!r}: use 2 to 20 lower-case letters, digits and single hyphens, and start with a letter"
        )
    if name == TEMPLATE:
        raise UsageError(f"NAME is {name!r}, the name of the template: {advice}")
    if keyword.iskeyword(identifier) or identifier in _SQL:
        raise UsageError(f"NAME is {name!r}, a word of Python or SQL: {advice}")
    if identifier in _POSTGRES or identifier.startswith("pg_"):
        raise UsageError(f"NAME is {name!r}, which PostgreSQL keeps for itself: {advice}")
    if found := re.search("aws|amazon|cognito", name):
        raise UsageError(f"NAME is {name!r}: AWS refuses sign-in domains with {found[0]!r} in their name, so {advice}")
    if identifier in {*folders, *ENVIRONMENTS, "test", "default", "local", TEMPLATE_OWNER}:
        raise UsageError(f"NAME is {name!r}, a word that the code of the service uses already: {advice}")


def check_owner(owner: str) -> None:
    """Raise UsageError unless GitHub allows this owner."""
    if owner and not _OWNER.fullmatch(owner):
        raise UsageError(f"OWNER is {owner!r}: name an owner on GitHub, with letters, digits and single hyphens")


@dataclass(frozen=True)
class Words:
    """The forms of the new name. `kept` are Python names that code with the old name defines.

    The owner and the description are the new service's own, so they may contain the template's name.
    """

    name: str
    owner: str = TEMPLATE_OWNER
    description: str = ""
    kept: frozenset[str] = frozenset()

    @property
    def identifier(self) -> str:
        """The name in Python and SQL."""
        return self.name.replace("-", "_")

    @property
    def title(self) -> str:
        return " ".join(word.capitalize() for word in self.name.split("-"))

    @property
    def class_name(self) -> str:
        return self.title.replace(" ", "")

    def renamed(self, path: str, text: str) -> str:
        """Return the text of a file with the new name and owner."""
        if path.endswith(".py"):
            return self._in_python(text)
        if path.endswith(".sql"):
            return _IN_TEXTS.sub(self._in_sql, text)
        return _IN_TEXTS.sub(self._in_text, text)

    def renamed_path(self, path: str) -> str:
        """Return a file's path with the new name. A Python module's name has no hyphens."""
        return _IN_TEXTS.sub(self._in_identifier if path.endswith(".py") else self._in_text, path)

    def remains(self, text: str) -> list[str]:
        """Return the lines of a text that still have the old name. The new name may contain the old one."""
        described = {self.description, json.dumps(self.description, ensure_ascii=False)[1:-1]}
        forms = (self.name, self.identifier, self.title, self.class_name, self.owner, *described)
        own = "|".join(re.escape(form) for form in forms if form)
        kept = "|".join(map(re.escape, sorted(self.kept)))
        allowed = re.compile(rf"{own}|{TEMPLATE.upper()}|{TEMPLATE}_client" + (rf"|\b(?:{kept})\b" if kept else ""))
        lines = text.splitlines() if TEMPLATE in text.lower() else []
        return [line.strip() for line in lines if TEMPLATE in allowed.sub("", line).lower()]

    def _in_python(self, source: str) -> str:
        if not _IN_CODE.search(source):
            return source
        lines = io.StringIO(source).readlines()
        done: list[str] = []
        row, column = 1, 0

        def text_until(end: tuple[int, int]) -> str:
            nonlocal row, column
            if end[0] == row:
                part = lines[row - 1][column : end[1]]
            else:
                part = lines[row - 1][column:] + "".join(lines[row : end[0] - 1]) + lines[end[0] - 1][: end[1]]
            row, column = end
            return part

        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.NAME and TEMPLATE in token.string.lower():
                done.append(_IN_CODE.sub(self._in_text, text_until(token.start)))
                word = text_until(token.end)
                done.append(word if word in self.kept else _IN_CODE.sub(self._in_identifier, word))
        if lines:
            done.append(_IN_CODE.sub(self._in_text, text_until((len(lines), len(lines[-1])))))
        return "".join(done)

    def _in_identifier(self, match: re.Match[str]) -> str:
        if match["word"] == TEMPLATE.capitalize():
            return self.class_name
        return self.identifier if match["word"] else self.owner

    def _in_sql(self, match: re.Match[str]) -> str:
        return (match["article"] or "") + self.identifier if match["word"] == TEMPLATE else self._in_text(match)

    def _in_text(self, match: re.Match[str]) -> str:
        article = match["article"] or ""
        if article and self.name[0] in "aeiou":
            article = f"{article[0]}n "
        return article + self._noun(match)

    def _noun(self, match: re.Match[str]) -> str:
        if not match["word"]:
            return self.owner
        if match["word"] == TEMPLATE.capitalize():
            return self.title + _possessive(self.title, match["possessive"])
        before, after = match.string[: match.start("word")][-2:], match.string[match.end() :][:2]
        # A part of an identifier, such as slipway_app, or an expression in an f-string.
        as_identifier = re.match(r"_[a-z{]", after) or re.search(r"[a-z0-9]_$", before)
        return (self.identifier if as_identifier else self.name) + _possessive(self.name, match["possessive"])


def _possessive(noun: str, ending: str | None) -> str:
    if not ending:
        return ""
    return "'" if noun.endswith("s") else ending


# `SLIPWAY_URL` and other variables, and the package `slipway_client`, keep their names.
_NAME_OF_TEMPLATE = (
    rf"(?P<article>\b[Aa] )?(?P<word>{TEMPLATE}(?!_client)|{TEMPLATE.capitalize()})(?P<possessive>'s\b)?"
)
# The owner's other repositories, such as acme/shop, are examples, and code has more examples with the owner: they stay.
_THIS_REPOSITORY = rf"(?:@\d+)?/(?:{TEMPLATE}|{{NAME}})"
_IN_CODE = re.compile(rf"{_NAME_OF_TEMPLATE}|\b{TEMPLATE_OWNER}(?={_THIS_REPOSITORY})")
_IN_TEXTS = re.compile(rf"{_NAME_OF_TEMPLATE}|\b{TEMPLATE_OWNER}(?:(?={_THIS_REPOSITORY})|\b(?!(?:@\d+)?/))")
