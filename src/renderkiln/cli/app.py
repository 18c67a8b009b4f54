"""The root command, and the border where every error becomes one line and an exit status."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from renderkiln import __version__
from renderkiln.cli.lazy import LazyGroup
from renderkiln.cli.words import say, shown, speak_safely
from renderkiln.domain.errors import RenderkilnError, UsageError

FAILED, WRONG_USE, INTERRUPTED = 1, 2, 130

EPILOG = """
Exit status: 0 all files were made, 1 a job failed or something is broken, 2 wrong usage, 130 interrupted.
Settings come from options, RENDERKILN_… variables and renderkiln.toml: see `renderkiln config show`.
"""


@click.group(
    "renderkiln",
    cls=LazyGroup,
    lazy={
        "demo": ("renderkiln.cli.demo:demo", "Compose a short track and render it."),
        "render": ("renderkiln.cli.render:render", "Render here and now."),
        "submit": ("renderkiln.cli.submit:submit", "Queue jobs for workers, and return."),
        "estimate": ("renderkiln.cli.estimate:estimate", "Say what jobs would take, without making them."),
        "jobs": ("renderkiln.cli.jobs:jobs", "See, watch, cancel and retry jobs."),
        "batches": ("renderkiln.cli.batches:batches", "See, watch, cancel and retry whole batches."),
        "queues": ("renderkiln.cli.queues:queues", "See, pause and limit queues."),
        "webhooks": (
            "renderkiln.cli.webhooks:webhooks",
            "Let addresses be told what happens, and see what became of it.",
        ),
        "events": (
            "renderkiln.cli.events:events",
            "Emit events, see what became of them, and retry those that failed.",
        ),
        "scenes": (
            "renderkiln.cli.scenes:scenes",
            "Check projects of scenes, and look at them, before they are rendered.",
        ),
        "projects": (
            "renderkiln.cli.projects:projects",
            "Keep projects of scenes, change them, and render them by id.",
        ),
        "worker": ("renderkiln.cli.worker:worker", "Work off the queues."),
        "serve": ("renderkiln.cli.serve:serve", "Answer over HTTP, and work off the queues."),
        "keys": ("renderkiln.cli.keys:keys", "Make keys for the HTTP API, list, change and revoke them."),
        "probe": ("renderkiln.cli.probe:probe", "Say what a media file is."),
        "templates": ("renderkiln.cli.templates:templates", "List and preview the looks of a film."),
        "effects": (
            "renderkiln.cli.effects:effects",
            "List what can be done to clips in their variations.",
        ),
        "voices": ("renderkiln.cli.voices:voices", "List the voices that narrations can be spoken by."),
        "doctor": ("renderkiln.cli.doctor:doctor", "Check that this machine can render."),
        "db": (
            "renderkiln.cli.db:db",
            "Look after the database of jobs and what lies beside it on the disk.",
        ),
        "new": ("renderkiln.cli.new:new", "Start a package of your own."),
        "config": ("renderkiln.cli.config:config", "Show the settings and where they come from."),
    },
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="renderkiln", message="%(prog)s %(version)s")
def renderkiln() -> None:
    """The render room you own: submit audio and video render jobs, get verified files."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command line (default: the process's own) and return its exit status. Never raises."""
    speak_safely()
    try:
        answer = renderkiln.main(arguments, prog_name="renderkiln", standalone_mode=False)
        sys.stdout.flush()
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        _forget_stdout()
        return FAILED  # as click itself answers it
    except Exception as error:  # noqa: BLE001 - the border: nothing may leave as a traceback
        return _tell(error)
    return answer if isinstance(answer, int) else 0


def _tell(error: Exception) -> int:
    """One line on stderr about `error`, and the exit status it means."""
    match error:
        case click.NoSuchOption() | click.UsageError() if isinstance(error.ctx, click.Context):
            say(f"{_sentence(error)} (see `{error.ctx.command_path} --help`)")
            return WRONG_USE
        case click.UsageError():
            say(_sentence(error))
            return WRONG_USE
        case click.ClickException():
            say(_sentence(error))
            return error.exit_code
        case UsageError():
            for line in getattr(error, "lines", [str(error)]):  # a document has many mistakes
                say(line)
            return WRONG_USE
        case RenderkilnError() | OSError(errno=int()):
            say(str(error))
            return FAILED
        case _ if (
            type(error).__module__ == "renderkiln.media.errors"
        ):  # named, not imported: `media` is heavy
            say(str(error))
            return FAILED
    if type(error).__module__ == "sqlalchemy.exc" and (cause := getattr(error, "orig", None)) is not None:
        first = (str(cause).strip().splitlines() or ["no reason given"])[0]
        say(f"the database cannot be used: {first} (`renderkiln doctor` looks at it)")
        return FAILED
    from renderkiln.cli.crash import record

    say(f"unexpected {type(error).__name__}: {error}; please report it with {shown(record(error))}")
    return FAILED


def _sentence(error: click.ClickException) -> str:
    text = error.format_message().rstrip(".")
    return text[:1].lower() + text[1:] if not text.startswith("-") else text


def _forget_stdout() -> None:
    # Python flushes stdout once more at exit, and would complain then.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
