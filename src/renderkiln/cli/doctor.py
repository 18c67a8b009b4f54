"""`renderkiln doctor`."""

from __future__ import annotations

from dataclasses import asdict

import click

from renderkiln.cli.checks import Check, examine
from renderkiln.cli.words import put, put_json, shown, unicode_fits


@click.command("doctor", short_help="Check that this machine can render.")
@click.option(
    "-o", "--output", "shape", type=click.Choice(["json", "table"]), default="table", help="How to print it."
)
def doctor(shape: str) -> int:
    """Check all that a render needs, and say of every problem what mends it.

    Exit status 1 if something needed is broken.
    """
    from renderkiln.settings import Settings

    checks = examine(Settings.load())
    if shape == "json":
        put_json([asdict(check) for check in checks])
    else:
        for check in checks:
            _describe(check)
    return 1 if any(check.state == "broken" for check in checks) else 0


def _describe(check: Check) -> None:
    import sys

    signs = {"fine": "✓", "note": "·", "poor": "!", "broken": "✗"}
    sign = signs[check.state] if unicode_fits(sys.stdout) else check.state.upper()
    put(f"{sign} {check.name}: {shown(check.found)}")
    if check.mend:
        put(f"    {shown(check.mend)}")
