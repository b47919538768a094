"""The virtual environment of a checkout is made without harm to another one's."""

from pathlib import Path

import pytest

from tools import venv


def test_what_a_link_leads_to_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "complete").write_text("theirs")
    ours = tmp_path / "venv"
    ours.symlink_to(theirs)
    monkeypatch.setattr(venv, "_run", lambda *command: ours.mkdir(exist_ok=True))

    venv.main(ours, "requirements")

    assert not ours.is_symlink()
    assert (ours / "complete").is_file()
    assert (theirs / "complete").read_text() == "theirs"
