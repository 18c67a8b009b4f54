"""What the files in deploy/ name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from renderkiln.settings import Settings

DEPLOY = Path(__file__).parents[3] / "deploy"
FILES = sorted(path.name for path in DEPLOY.iterdir())


def known() -> set[str]:
    return {name for field in Settings.model_fields for name in Settings.environment_names(field)}


@pytest.mark.parametrize("name", FILES)
def test_every_setting_in_it_is_one(name: str) -> None:
    said = set(re.findall(r"\bRENDERKILN_[A-Z0-9_]*[A-Z0-9]\b", (DEPLOY / name).read_text()))
    assert said <= known()


def test_the_image_copies_what_is_there_and_nothing_else_is_sent() -> None:
    root = DEPLOY.parent
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    names = {name for line in copied for name in line.split()}
    assert names == {"pyproject.toml", "uv.lock", "README.md", "LICENSE", "src"}
    assert all((root / name).exists() for name in names)
    ignored = (root / ".dockerignore").read_text().split()
    assert ignored[0] == "**"
    assert {each[1:] for each in ignored if each.startswith("!")} == names


def test_the_service_gives_workers_their_grace() -> None:
    unit = (DEPLOY / "renderkiln.service").read_text()
    assert int(re.search(r"TimeoutStopSec=(\d+)", unit)[1]) > Settings.model_fields["grace"].default  # type: ignore[index]
    for compose in DEPLOY.glob("compose*.yaml"):
        for seconds in re.findall(r"stop_grace_period: (\d+)s", compose.read_text()):
            assert int(seconds) > Settings.model_fields["grace"].default
