"""Give the copy pages, a version and a description of its own."""

import ast
import json
import re
from pathlib import Path

from tools.adopt.tree import Tree
from tools.adopt.words import Words

VERSION = "0.1.0"
RECORD = ".template.json"
_README = Path(__file__).with_name("readme.md")


def without_problems(page: str, tree: Tree) -> str:
    """Remove the sections of problems that no code declares."""
    declared = {slug for path, text in tree.items() if path.endswith(".py") for slug in _declared(text)}
    sections = re.split(r"^(?=## )", page, flags=re.MULTILINE)
    kept = [each for each in sections[1:] if (head := re.match(r"## (\S+)\n", each)) is None or head[1] in declared]
    return "".join([sections[0], *kept]).rstrip("\n") + "\n"


def _declared(source: str) -> set[str]:
    if "problem_type(" not in source and "ProblemType(" not in source:
        return set()
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("problem_type", "ProblemType"):
            slugs = [*node.args[:1], *(each.value for each in node.keywords if each.arg == "slug")]
            found |= {each.value for each in slugs if isinstance(each, ast.Constant) and isinstance(each.value, str)}
    return found


def without_unused_words(vocabulary: str, tree: Tree) -> str:
    """Remove the words of vocabulary.py that neither another file nor another word uses."""
    imported = {word for path, text in tree.items() if path.endswith(".py") for word in _of_vocabulary(text)}
    while True:
        lines = vocabulary.splitlines(keepends=True)
        for node in reversed(ast.parse(vocabulary).body):
            if not (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)):
                continue
            word = node.targets[0].id
            if word not in imported and len(re.findall(rf"\b{word}\b", vocabulary)) == 1:
                del lines[node.lineno - 1 : node.end_lineno]
        if (left := "".join(lines)) == vocabulary:
            return vocabulary
        vocabulary = left


def _of_vocabulary(source: str) -> set[str]:
    """Return the words that a module imports, or reads as `vocabulary.word`."""
    if "vocabulary" not in source:
        return set()
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.ImportFrom(module="chalicelib.vocabulary", names=aliases):
                found.update(alias.name for alias in aliases)
            case ast.Attribute(value=ast.Name(id="vocabulary"), attr=word):
                found.add(word)
    return found


def changelog(page: str) -> str:
    """Return the changelog of a service that has no release yet."""
    introduction = page.partition("\n## ")[0]
    return (
        f"{introduction}\n## [Unreleased]\n\nThe next version is {VERSION}.\n\n### Added\n\n"
        "- **Systems and environments.** Record systems, their environments, and the order of the environments.\n"
        "- **The audit trail.** Every write leaves an event that nobody can change.\n"
        "- **Access without stored secrets.** Pipelines sign in with GitHub's OIDC tokens.\n"
    )


def with_version(source: str) -> str:
    """Set the version in chalicelib/__init__.py."""
    return re.sub(r'^__version__ = ".*"$', f'__version__ = "{VERSION}"', source, flags=re.MULTILINE)


def with_description(pyproject: str, description: str) -> str:
    """Set the sentence that describes the project."""
    line = f"description = {json.dumps(description, ensure_ascii=False)}"
    return re.sub(r"^description = .*$", lambda _: line, pyproject, count=1, flags=re.MULTILINE)


def readme(words: Words) -> str:
    """Return the copy's README.md."""
    values = {"title": words.title, "description": words.description}
    return re.sub(r"\{\{(\w+)\}\}", lambda match: values[match[1]], _README.read_text())


def record(template: str, commit: str, content: str, answers: dict[str, str]) -> str:
    """Return the text of the file that names the template, so that later updates know where this copy began.

    A copy that GitHub made from a template has other commits, but its first commit has the same content: the tree.
    """
    return json.dumps({"template": template, "commit": commit, "tree": content, **answers}, indent=2) + "\n"
