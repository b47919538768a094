"""The command `make adopt`: rename a fresh copy, remove the registry's business, and check the result."""

import re
import subprocess
import sys
from collections import Counter

from tools.adopt import business, markup, migrations, pages, python_code, tree, verify, words
from tools.adopt.modules import Modules
from tools.adopt.tree import Tree
from tools.adopt.words import Words
from tools.checkout import ROOT, ToolError
from tools.commands import Environ

_VOCABULARY = "chalicelib/vocabulary.py"
_BY_HAND = """\
{title} is ready on this machine: `make run` serves it, `make test` checks it. Do the rest by hand:
  1. Look at the changes, and commit them: git add -A && git commit -m "Start from the template"
  2. Add your own resources: docs/add-a-resource.md.
  3. Try a deployment in an emulated account: docs/infrastructure.md.
  4. Push to your own repository: git remote set-url origin https://github.com/{owner}/{name}
  5. Create the branches on GitHub and protect them: docs/branching.md.
  6. Name your teams in .github/CODEOWNERS{teams}.
  7. Name your accounts and regions in infra/: *.tfvars.json and *.s3.tfbackend, in infra/account first.
  8. Deploy, and name your addresses: docs/first-deployment.md. Set SLIPWAY_URL only if you record in a Slipway.
{record} names the template and its commit. With it you can take later changes: docs/take-updates.md."""


def main(environ: Environ) -> None:
    """Adopt this checkout, or raise UsageError for a wrong name, or ToolError if the checkout can't be adopted."""
    old = tree.read(ROOT)
    _check(environ, old)
    name, owner = environ["NAME"], environ["OWNER"]
    description = " ".join(environ["DESCRIPTION"].split()).rstrip(".") or f"{Words(name).title}: a REST service"
    spoken = Words(name, owner or words.TEMPLATE_OWNER, description, kept_names(old))
    new, faults = adopted(old, spoken)
    answers = {"name": name, "owner": owner, "description": description}
    new[pages.RECORD] = pages.record(*_template(), answers)
    if faults := [*faults, *verify.faults(old, new, spoken)]:
        listed = "\n".join(f"  {fault}" for fault in faults)
        raise ToolError(
            f"Nothing was changed, because the adopted copy would have faults:\n{listed}\nMove code of the business to "
            "files named after its package or `registry`, or mark its lines with `# registry` and `# /registry`"
        )
    print(summary(old, new, spoken), flush=True)
    if environ["DRY_RUN"] == "1":
        return
    tree.write(ROOT, old, new)
    _finish()
    teams = "" if owner else f", and replace the owner {words.TEMPLATE_OWNER} in all files"
    print(_BY_HAND.format(title=spoken.title, name=name, owner=spoken.owner, teams=teams, record=pages.RECORD))


def _check(environ: Environ, old: Tree) -> None:
    if (ROOT / pages.RECORD).exists():
        raise ToolError(f"This copy is adopted already: {pages.RECORD} names its template. Adopt a fresh clone instead")
    folders = {path.split("/")[0] for path in old if "/" in path}
    modules = {path.split("/")[1].removesuffix(".py") for path in old if path.startswith("chalicelib/")}
    words.check_name(environ["NAME"], folders | modules)
    words.check_owner(environ["OWNER"])
    if changes := tree.git(ROOT, "status", "--porcelain"):
        raise ToolError(f"This copy has changes: commit or remove them, to see what adoption changes\n{changes}")


def _template() -> tuple[str, str, str]:
    """Return the template's address, the commit, and the id of the commit's content."""
    address = f"https://github.com/{words.TEMPLATE_OWNER}/{words.TEMPLATE}"
    for line in tree.git(ROOT, "remote", "--verbose").splitlines():
        # A copy that GitHub made from a template has its own address.
        if match := re.search(rf"\s(https://)(?:[^/@]*@)?(\S+/{words.TEMPLATE})(?:\.git)?\s", line):
            address = match[1] + match[2]
    commit, content = tree.git(ROOT, "rev-parse", "HEAD", "HEAD^{tree}").split()
    return address, commit, content


def kept_names(old: Tree) -> frozenset[str]:
    """Return the Python names that contain the template's name and keep it, because other code imports them."""
    kept = [text for path, text in old.items() if verify.keeps_the_name(path) and path.endswith(".py")]
    return frozenset(name for text in kept for name in verify.defined(text) if words.TEMPLATE in name.lower())


def adopted(old: Tree, spoken: Words) -> tuple[Tree, list[str]]:
    """Return the tree of the new service, and the faults of files that can't do without the business."""
    faults = []
    new = business.without_business(old)
    known = Modules(new)
    gone = Modules(old).gone(known)
    exist = verify.with_folders(new)
    removed = verify.with_folders(old) - exist
    for path in [*new]:
        try:
            new[path] = markup.without_marked(new[path])
            if path.endswith(".py"):
                new[path] = python_code.pruned(new[path], gone)
        except ValueError as error:
            faults.append(f"{path}: {error}")
    new["Makefile"] = markup.makefile(new["Makefile"], markup.commands(new), removed)
    new["pyproject.toml"] = markup.toml(new["pyproject.toml"], known, gone)
    new["chalicelib/__init__.py"] = pages.with_version(new["chalicelib/__init__.py"])
    new["CHANGELOG.md"] = pages.changelog(new["CHANGELOG.md"])
    new["docs/problems.md"] = pages.without_problems(new["docs/problems.md"], new)
    new[_VOCABULARY] = pages.without_unused_words(new[_VOCABULARY], new)
    for path in new:
        if path.endswith(".md"):
            new[path] = markup.without_links(path, new[path], exist)
    new = migrations.renumbered(new)
    kept = {path: text for path, text in new.items() if verify.keeps_the_name(path)}
    renamed = {spoken.renamed_path(path): spoken.renamed(path, text) for path, text in new.items() if path not in kept}
    new = kept | renamed
    new["pyproject.toml"] = pages.with_description(new["pyproject.toml"], spoken.description)
    new["README.md"] = pages.readme(spoken)
    return new, faults


def summary(old: Tree, new: Tree, spoken: Words) -> str:
    """Say which files are removed, by folder, how many change, and which names the service gets."""
    kept = business.without_business(old)
    removed = Counter("/".join(path.split("/")[:-1][:2]) or "." for path in old if path not in kept)
    changed = [path for path in kept if new.get(path) != old[path]]
    lines = [f"Removes {removed.total()} files:"]
    lines += [f"  {count:4} in {folder}" for folder, count in sorted(removed.items())]
    lines += [f"Changes {len(changed)} files, and adds {pages.RECORD}."]
    lines.append(
        f"Names: {spoken.name} (resources on AWS), {spoken.identifier}_app (database role), {spoken.title} (texts); "
        f"the owner is {spoken.owner}."
    )
    return "\n".join(lines)


def _finish() -> None:
    """Format the code, and write the generated files again, or raise ToolError."""
    for command in (
        ("ruff", "check", "--quiet", "--fix", "--exit-zero", "--select", "I,F401"),
        ("ruff", "format", "--quiet"),
        ("tools", "checks", "schema"),
        ("tools", "checks", "openapi"),
    ):
        if subprocess.run(
            [sys.executable, "-m", *command], cwd=ROOT, stdout=subprocess.DEVNULL, check=False
        ).returncode:
            raise ToolError(
                f"`python -m {' '.join(command)}` failed: see above. Undo everything with `git reset --hard && "
                "git clean -fd`, and report the fault to the template"
            )
