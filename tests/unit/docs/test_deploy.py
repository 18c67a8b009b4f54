"""What the files in deploy/ name is there, and what they start does start."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from object_stores import serving
from renderkiln.domain.clock import SystemClock
from renderkiln.settings import Settings
from renderkiln.stores import Stores

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
FILES = sorted(path.name for path in DEPLOY.iterdir() if path.name != "cluster.env")
# As Compose reads it: a value, an error where it is empty, or what stands for it then.
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


def known() -> set[str]:
    return {name for field in Settings.model_fields for name in Settings.environment_names(field)}


@pytest.mark.parametrize("name", FILES)
def test_every_setting_in_it_is_one(name: str) -> None:
    said = set(re.findall(r"\bRENDERKILN_[A-Z0-9_]*[A-Z0-9]\b", (DEPLOY / name).read_text()))
    assert said <= known()


def copied() -> list[str]:
    """What the image is built of."""
    lines = re.findall(r"^COPY (?!--from)(.+) \S+$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    return [name for line in lines for name in line.split()]


def test_the_image_copies_all_that_the_build_needs_and_nothing_else_is_sent() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    hook = (ROOT / "hatch_build.py").read_text()
    needed = {
        "pyproject.toml",
        "uv.lock",
        "src",
        "hatch_build.py",
        project["project"]["readme"],
        *project["project"]["license-files"],
        *re.findall(r'Path\(self\.root\) / "([^/"]+)', hook),
    }
    assert set(copied()) == needed
    assert "custom" in project["tool"]["hatch"]["build"]["hooks"]
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert ignored[0] == "**"
    assert {each[1:] for each in ignored if each.startswith("!")} == needed
    assert "dashboard/node_modules" in ignored  # of this machine, perhaps of another kind


@pytest.mark.slow
def test_a_wheel_of_just_what_the_image_copies_has_the_dashboard(tmp_path: Path) -> None:
    uv = shutil.which("uv", path=os.pathsep.join([os.environ["PATH"], str(ROOT / ".uv/bin")]))
    assert uv is not None
    for name in copied():
        if (ROOT / name).is_dir():
            skipped = shutil.ignore_patterns("node_modules", "__pycache__", "site")
            shutil.copytree(ROOT / name, tmp_path / name, ignore=skipped)
        else:
            shutil.copy(ROOT / name, tmp_path / name)
    subprocess.run([uv, "build", "--quiet", "--wheel", "--out-dir", "out"], cwd=tmp_path, check=True)
    (wheel,) = (tmp_path / "out").glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "renderkiln/api/site/index.html" in names
    assert any(re.fullmatch(r"renderkiln/api/site/assets/.+\.js\.gz", name) for name in names)


def example() -> dict[str, str]:
    """The variables of cluster.env, as copied from the example, with a secret for each that lacks one."""
    lines = (DEPLOY / "cluster.env.example").read_text().splitlines()
    pairs = [line.split("=", 1) for line in lines if line and not line.startswith("#")]
    assert not any(set(value) & set("'\"$\\ #") for _, value in pairs)  # that Compose would read otherwise
    return {name: value or f"{number:048x}" for number, (name, value) in enumerate(pairs, 1)}


def interpolated(value: str, given: Mapping[str, str]) -> str:
    """As Compose does it. Raises LookupError for what must be set."""

    def put(found: re.Match[str]) -> str:
        name, sign, other = found.groups()
        if sign == "?" and not given.get(name):
            raise LookupError(other)
        return given.get(name) or (other if sign == "-" else "")

    return VARIABLE.sub(put, value)


def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.cluster.yaml").read_text())["services"]
    return found


def environment(service: str, given: Mapping[str, str]) -> dict[str, str]:
    """What a process of this service finds in its environment."""
    facts = services()[service]
    own = {name: interpolated(str(value), given) for name, value in facts["environment"].items()}
    return {**(given if "env_file" in facts else {}), **own}


def test_the_cluster_does_not_start_without_secrets_of_its_own() -> None:
    lines = (DEPLOY / "cluster.env.example").read_text().splitlines()
    left = [line.removesuffix("=") for line in lines if line.endswith("=")]
    assert left == ["POSTGRES_PASSWORD", "RENDERKILN_S3_SECRET_KEY", "RENDERKILN_SIGNING_SECRET"]
    for name in left:
        with pytest.raises(LookupError, match="openssl rand"):
            environment("api", {**example(), name: ""})


def test_the_s3_server_of_the_cluster_knows_the_key_that_the_others_have(tmp_path: Path) -> None:
    given = example()
    (tmp_path / "files" / "renderkiln").mkdir(parents=True)
    command = services()["s3"]["command"]
    assert command[-3:] == ["--addr", ":9000", "/files"]
    arguments = [*command[:-3], "--addr", "127.0.0.1:0", str(tmp_path / "files")]
    with serving(arguments, tmp_path / "none", environment("s3", given)) as endpoint:
        for service in ("api", "worker"):
            theirs = {**environment(service, given), "RENDERKILN_S3_ENDPOINT": endpoint}
            settings = Settings.load(environ=theirs, folder=tmp_path, home=tmp_path / service)
            assert (
                settings.database
                == f"postgresql://renderkiln:{given['POSTGRES_PASSWORD']}@postgres:5432/renderkiln"
            )
            room = Stores(settings, SystemClock()).rooms().private
            room.put(f"a/{service}", iter([b"film"]), content_type="video/mp4")
            assert b"".join(room.open(f"a/{service}")) == b"film"
            assert not settings.s3_redirect  # nobody outside knows a server called s3


def test_what_services_keep_lies_on_a_disk() -> None:
    for service in ("api", "worker"):
        facts = services()[service]
        assert any(re.search(r"(^|:)/data$", each) for each in facts["volumes"])
        assert not any("/data" in each for each in facts["tmpfs"])


def test_a_key_is_made_as_the_unit_says(tmp_path: Path) -> None:
    unit = (DEPLOY / "renderkiln.service").read_text()
    found = re.search(r"runuser -u (\S+) -- (env -C (\S+) RENDERKILN_HOME=(\S+) (\S+) keys create.*)", unit)
    assert found is not None
    user, line, *places, program = found.groups()
    assert f"\nUser={user}\n" in unit
    assert "DynamicUser" not in unit  # its folder is in one that only root may enter
    assert places == ["/var/lib/renderkiln"] * 2
    assert f"\nWorkingDirectory={places[0]}\n" in unit
    assert f"\nExecStart={program} serve\n" in unit
    here = line.replace(program, f"{sys.executable} -m renderkiln").replace(places[0], str(tmp_path))
    made = subprocess.run(here.split(), capture_output=True, text=True, check=True)
    assert made.stdout.startswith("rk_")


def test_the_service_gives_workers_their_grace() -> None:
    unit = (DEPLOY / "renderkiln.service").read_text()
    assert int(re.search(r"TimeoutStopSec=(\d+)", unit)[1]) > Settings.model_fields["grace"].default  # type: ignore[index]
    for compose in DEPLOY.glob("compose*.yaml"):
        for seconds in re.findall(r"stop_grace_period: (\d+)s", compose.read_text()):
            assert int(seconds) > Settings.model_fields["grace"].default
