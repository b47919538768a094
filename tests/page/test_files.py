"""The dashboard's files as they lie in web/."""

import hashlib
import re

import pytest

from tools.aws.page import compressed
from tools.local.site import WEB

FILES = sorted(path for path in WEB.rglob("*") if path.is_file())
MOST_COMPRESSED_BYTES = 60 * 1024

# From npm: lit-html 3.3.3 (lit-html.js) and oidc-client-ts 3.5.0 (dist/browser/oidc-client-ts.min.js).
VENDORED = {
    "lit-html.js": "b878e7f95dec8a9b6e9b217faca6b6a11bad82ebc44c0caa77419ed83edd81f2",
    "oidc-client-ts.js": "f999daa383f09eb090d0ae32211e9ca931c76840e08e47fcf334fc8f5f74f1ef",
}


@pytest.mark.parametrize("name", VENDORED)
def test_a_vendored_library_is_the_published_file(name):
    content = (WEB / "vendor" / name).read_bytes()

    assert hashlib.sha256(content).hexdigest() == VENDORED[name]
    assert (WEB / "vendor" / name).with_suffix(".LICENSE").exists()


def test_every_vendored_file_has_a_known_hash():
    assert {path.name for path in (WEB / "vendor").iterdir() if path.suffix == ".js"} == set(VENDORED)


def test_all_files_together_are_small():
    sent = [path for path in FILES if path.suffix != ".LICENSE"]
    sizes = {path.name: len(compressed(path.read_bytes())) for path in sent}

    assert sum(sizes.values()) <= MOST_COMPRESSED_BYTES, sizes


def test_the_index_names_existing_files_by_relative_paths():
    named = re.findall(r'(?:src|href)="([^"]+)"', (WEB / "index.html").read_text())

    assert named
    for name in named:
        assert name.startswith("./")
        assert (WEB / name).is_file()


def test_modules_import_existing_files_by_relative_paths():
    for module in (WEB / "js").rglob("*.js"):
        for name in re.findall(r'^(?:import|\} from|import .* from) "([^"]+)"', module.read_text(), re.MULTILINE):
            assert name.startswith("."), module
            assert (module.parent / name).is_file(), (module, name)


@pytest.mark.parametrize("path", [path for path in FILES if path.parent.name != "vendor"], ids=lambda path: path.name)
def test_no_file_has_an_inline_style_or_script(path):
    text = path.read_text()

    assert not re.search(r"\sstyle=|\son[a-z]+=|javascript:|innerHTML|unsafeHTML|localStorage", text)


@pytest.mark.parametrize("path", [path for path in FILES if path.parent.name != "vendor"], ids=lambda path: path.name)
def test_no_file_is_long(path):
    assert len(path.read_text().splitlines()) <= 400
