"""Where a setting comes from, and what is said of a wrong one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from renderkiln.domain.errors import UsageError
from renderkiln.settings import Settings


def load(folder: Path, environ: dict[str, str] | None = None, **flags: object) -> Settings:
    home = {"RENDERKILN_HOME": str(folder / "home")}
    return Settings.load(environ=home | (environ or {}), folder=folder, **flags)


def test_the_stronger_source_wins(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    assert load(tmp_path).stall_timeout == 60
    (tmp_path / "home" / "renderkiln.toml").write_text(
        "stall_timeout = 1\nnice = 1\ncores = 1\nkeep_work = true"
    )
    (tmp_path / "renderkiln.toml").write_text("stall_timeout = 2\nnice = 2\ncores = 2")
    settings = load(tmp_path, {"RENDERKILN_STALL_TIMEOUT": "3", "RENDERKILN_NICE": "3"}, stall_timeout=4)
    assert (settings.stall_timeout, settings.nice, settings.cores, settings.keep_work) == (4, 3, 2, True)


def test_a_flag_that_is_none_is_not_given(tmp_path: Path) -> None:
    assert load(tmp_path, {"RENDERKILN_NICE": "3"}, nice=None).nice == 3


def test_an_empty_variable_is_not_given(tmp_path: Path) -> None:
    assert load(tmp_path, {"RENDERKILN_NICE": ""}).nice == 0


def test_the_users_own_name_of_the_output_folder_is_accepted(tmp_path: Path) -> None:
    assert load(tmp_path, {"RENDER_OUTPUT_DIR": "/films"}).output_dir == Path("/films")
    both = {"RENDER_OUTPUT_DIR": "/films", "RENDERKILN_OUTPUT_DIR": "/ours"}
    assert load(tmp_path, both).output_dir == Path("/ours")
    assert Settings.environment_names("output_dir") == ("RENDERKILN_OUTPUT_DIR", "RENDER_OUTPUT_DIR")


def test_the_file_in_the_current_folder_may_name_the_home(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "renderkiln.toml").write_text("nice = 7")
    (tmp_path / "renderkiln.toml").write_text(f"home = '{tmp_path / 'there'}'")
    assert Settings.load(environ={}, folder=tmp_path).nice == 7


def test_a_tilde_is_the_users_folder(tmp_path: Path) -> None:
    assert load(tmp_path, output_dir="~/films").output_dir == Path.home() / "films"


def test_several_fonts_come_as_a_list(tmp_path: Path) -> None:
    fonts = (Path("/a.ttf"), Path("/b.ttf"))
    assert load(tmp_path, {"RENDERKILN_FONTS": os.pathsep.join(map(str, fonts))}).fonts == fonts
    (tmp_path / "renderkiln.toml").write_text('fonts = ["/a.ttf", "/b.ttf"]')
    assert load(tmp_path).fonts == fonts


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "colour = 1",
            r"unknown setting 'colour' in .*renderkiln.toml; known are: home, database, output_dir",
        ),
        ("nice = 'x", r"cannot read the settings in .*renderkiln.toml"),
        ("nice = 99", r"nice in .*renderkiln.toml: .*less than or equal to 19, not 99"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "renderkiln.toml").write_text(text)
    with pytest.raises(UsageError, match=words):
        load(tmp_path)


def test_a_wrong_variable_or_flag_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"RENDERKILN_CORES: .*not 'many'"):
        load(tmp_path, {"RENDERKILN_CORES": "many"})
    with pytest.raises(UsageError, match=r"--max-duration: .*greater than 0, not -1"):
        load(tmp_path, max_duration=-1)


def test_every_setting_has_one_line_of_help_and_a_default() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert "\n" not in field.description
        assert not field.is_required()
