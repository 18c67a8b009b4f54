"""Workers are killed, stopped and told to end while they render; then every job, event and file is checked.

`make chaos` runs the long form. Exit status 0 only if every check holds.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from chaos.evidence import Evidence, percentile
from chaos.pieces import Piece, pieces
from chaos.trial import Plan, Standing, Trial
from databases import BACKENDS, Postgres
from renderkiln.database.engine import default_url
from renderkiln.media.kernels import use_cache
from renderkiln.settings import Settings

words = Console(stderr=True, highlight=False)

_AFTERWARDS = 60.0  # seconds that the last jobs take, roughly
_SILENCE = 10.0  # seconds between two lines


def main() -> int:
    options = _options()
    use_cache(Settings.load().home.absolute() / "cache")  # for every home below: compiling takes its time
    folder = Path(tempfile.mkdtemp(prefix="renderkiln-chaos-"))
    words.print(f"rendering {options.pieces} films undisturbed, in {folder}")
    undisturbed = pieces(folder / "pieces", options.pieces, options.seconds)
    shares = _shares(options.kills, options.database)
    found = {name: _trial(name, folder / name, undisturbed, options, share) for name, share in shares.items()}
    _report(found, options)
    if all(evidence.holds for evidence in found.values()):
        shutil.rmtree(folder)
        return 0
    words.print(f"left for a closer look: {folder}; the same strikes again: --seed {options.seed}")
    return 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=300, help="strikes in all, shared by the databases")
    parser.add_argument("--database", choices=BACKENDS, help="only this one; by default one after the other")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other strikes")
    parser.add_argument("--jobs", type=int, default=5, help="jobs that are kept open")
    parser.add_argument("--gap", type=float, default=6.0, help="seconds between two strikes, on average")
    parser.add_argument("--pieces", type=int, default=6, help="films that differ")
    parser.add_argument("--seconds", type=float, default=31.0, help="length of the song")
    parser.add_argument("--json", type=Path, help="write what was found into this file")
    return parser.parse_args()


def _shares(strikes: int, only: str | None) -> dict[str, int]:
    """How many strikes each database gets."""
    names = [only] if only else list(BACKENDS)
    return {name: strikes // len(names) + (place < strikes % len(names)) for place, name in enumerate(names)}


def _trial(
    name: str, folder: Path, undisturbed: Sequence[Piece], options: argparse.Namespace, strikes: int
) -> Evidence:
    plan = Plan(strikes, options.jobs, options.seed, options.gap)
    with _database(name, folder) as url:
        return Trial(url, folder, undisturbed, plan).run(_speaker(name, plan))


@contextmanager
def _database(name: str, folder: Path) -> Iterator[str]:
    if name == "sqlite":
        yield default_url(folder / "home")
        return
    server = Postgres(Path(tempfile.mkdtemp(prefix="kiln-pg-")))  # short: see databases.py
    server.start()
    try:
        yield server.fresh()
    finally:
        server.stop()


def _speaker(name: str, plan: Plan) -> Callable[[Standing], None]:
    """Says how far it is, every few seconds, with the time left by the strikes so far."""
    begun = time.monotonic()
    said = begun

    def say(standing: Standing) -> None:
        nonlocal said
        now = time.monotonic()
        if now - said < _SILENCE:
            return
        said = now
        line = f"{name}: {standing.strikes} of {plan.strikes} strikes, "
        line += f"{standing.submitted - standing.open} jobs done, {standing.open} open"
        if to_come := plan.strikes - standing.strikes:
            left = (now - begun) / standing.strikes * to_come + _AFTERWARDS
            line += f", about {left / 60:.0f} min left" if left > 90 else f", about {left:.0f} s left"
        words.print(line)

    return say


def _report(found: dict[str, Evidence], options: argparse.Namespace) -> None:
    """The table on stdout, and all there is in a file."""
    table = Table("", *found, title="Renderkiln chaos")
    for name in _figures(next(iter(found.values()))):
        table.add_row(name, *(_figures(evidence)[name] for evidence in found.values()))
    table.add_section()
    for place, check in enumerate(next(iter(found.values())).checks):
        table.add_row(check.name, *(_verdict(evidence, place) for evidence in found.values()))
    Console().print(table)
    for name, evidence in found.items():
        for check in evidence.checks:
            for each in check.against:
                words.print(f"{name}: {check.name}: {each}", markup=False)
    if options.json is not None:
        options.json.write_text(json.dumps(_to_json(found, options), indent=1, default=str) + "\n")
        words.print(f"written to {options.json}")


def _figures(evidence: Evidence) -> dict[str, str]:
    kinds = {"kill": "SIGKILL", "stop": "SIGSTOP, SIGCONT", "terminate": "SIGTERM", "hurry": "SIGTERM twice"}
    aimed = sum(1 for strike in evidence.blows if strike.aimed)
    released = [each.released for each in evidence.takeovers]
    restarted = [each.restarted for each in evidence.takeovers if each.restarted is not None]
    return {
        "jobs completed": f"{evidence.jobs.get('completed', 0)} of {sum(evidence.jobs.values())}",
        "strikes": f"{sum(evidence.strikes.values())}, {aimed} of them aimed at a stage",
        **{f"  {shown}": str(evidence.strikes.get(kind, 0)) for kind, shown in kinds.items()},
        "jobs handed back": str(evidence.events.get("job.handed_back", 0)),
        "jobs taken over": str(len(evidence.takeovers)),
        "  seconds until queued again: p50, p95, most": _percentiles(released),
        "  seconds until begun again: p50, p95, most": _percentiles(restarted),
        "stages reused": str(evidence.events.get("stage.reused", 0)),
        "attempts tried again": str(evidence.events.get("job.retrying", 0)),
        "work folders left of ended jobs, swept": str(evidence.swept),
    }


def _percentiles(values: Sequence[float]) -> str:
    return ", ".join(f"{percentile(values, share):.1f}" for share in (0.5, 0.95, 1.0))


def _verdict(evidence: Evidence, place: int) -> str:
    check = evidence.checks[place]
    return "yes" if check.holds else f"NO: {len(check.against)}"


def _to_json(found: dict[str, Evidence], options: argparse.Namespace) -> dict[str, Any]:
    return {
        "options": vars(options),
        "holds": all(evidence.holds for evidence in found.values()),
        "databases": {name: asdict(evidence) for name, evidence in found.items()},
    }


if __name__ == "__main__":
    sys.exit(main())
