from __future__ import annotations

from pathlib import Path

import click
import pytest

from renderkiln.cli import app
from renderkiln.cli.lazy import LazyGroup
from renderkiln.media.errors import Unreadable


def every_group(command: click.Command, context: click.Context) -> list[tuple[LazyGroup, click.Context]]:
    if not isinstance(command, LazyGroup):
        return []
    children = [(command.get_command(context, name), name) for name in command.list_commands(context)]
    below = [
        each
        for child, name in children
        if child is not None
        for each in every_group(child, click.Context(child, parent=context, info_name=name))
    ]
    return [(command, context), *below]


def test_the_help_lines_are_those_of_the_commands_themselves() -> None:
    for group, context in every_group(app.renderkiln, click.Context(app.renderkiln)):
        for name, (_, line) in group.lazy.items():
            command = group.get_command(context, name)
            assert command is not None
            assert command.name == name
            assert command.get_short_help_str(limit=100) == line
        assert group.get_command(context, "nothing") is None


def broken_command(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    @click.command("probe")
    def probe() -> None:
        raise error

    monkeypatch.setattr("renderkiln.cli.probe.probe", probe)


def test_a_bug_is_one_line_and_a_file_with_the_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("RENDERKILN_HOME", str(tmp_path))
    broken_command(monkeypatch, ZeroDivisionError("one\ntwo"))
    assert app.run(["probe"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    (log,) = (tmp_path / "logs").iterdir()
    assert line == f"renderkiln: unexpected ZeroDivisionError: one\\ntwo; please report it with {log}"
    assert "broken_command" in log.read_text() or "in probe" in log.read_text()


def test_a_bug_with_a_broken_home_still_leaves_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("RENDERKILN_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    broken_command(monkeypatch, KeyError("x"))
    assert app.run(["probe"]) == 1
    assert len(list(tmp_path.glob("crash-*.log"))) == 1
    assert "crash-" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (Unreadable("it is empty"), "renderkiln: it is empty"),
        (PermissionError(13, "Permission denied", "/x"), "renderkiln: [Errno 13] Permission denied: '/x'"),
    ],
)
def test_expected_errors_are_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception, line: str
) -> None:
    broken_command(monkeypatch, error)
    assert app.run(["probe"]) == 1
    assert capsys.readouterr().err.splitlines() == [line]


def test_ctrl_c_anywhere_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    broken_command(monkeypatch, KeyboardInterrupt())  # type: ignore[arg-type]  # any BaseException will do
    assert app.run(["probe"]) == 130
