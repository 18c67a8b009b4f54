"""Estimates the orders of one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from renderkiln.cli.opening import open_desk
from renderkiln.cli.orders import Order
from renderkiln.cli.words import clock, put_json, put_table, say, size
from renderkiln.domain import cost
from renderkiln.engine.estimate import Estimate, Spread, total
from renderkiln.media.errors import MediaError
from renderkiln.pipelines.foresight import facts_of


def estimate_all(pipeline: str, orders: Sequence[Order], shape: str) -> int:
    """Print what each order, and all one after another, would take; exit status 1 if a file is none.

    Raises UsageError for wrong params.
    """
    found: list[tuple[Order, Estimate]] = []
    status = 0
    with open_desk() as desk:
        for order in orders:
            try:
                inputs = [facts_of(order.path)] if order.needed else []
            except (MediaError, OSError) as error:
                say(str(error))
                status = 1
                continue
            found.append((order, desk.estimate(pipeline, order, inputs)))
    items = [{"job": order.label, **each.to_json()} for order, each in found]
    if shape == "json":
        put_json({"jobs": items, "seconds": _json(total(each.seconds for _, each in found))})
    elif shape == "jsonl":
        for item in items:
            put_json(item, indent=None)
    else:
        put_table(_rows(found))
        if (costs := cost.total(each.cost for _, each in found)) is not None:
            say(f"all together: about {costs}")
        if len(found) > 1 and (whole := total(each.seconds for _, each in found)) is not None:
            say(f"one after another: {_times(whole)}")
    return status


def _rows(found: Sequence[tuple[Order, Estimate]]) -> Sequence[Mapping[str, Any]]:
    rows = [dict(_row(order, each)) for order, each in found]
    if any(each.cost is not None for _, each in found):
        for row, (_, each) in zip(rows, found, strict=True):
            row["cost"] = "" if each.cost is None else str(each.cost)
    return rows


def _row(order: Order, estimate: Estimate) -> Mapping[str, Any]:
    return {
        "job": order.label,
        "work": f"{estimate.work.units:.0f} {estimate.work.unit}{'s' if estimate.work.units != 1 else ''}",
        "time": "" if estimate.seconds is None else _times(estimate.seconds),
        "cpu": "" if estimate.cpu_seconds is None else clock(estimate.cpu_seconds.typical),
        "size": "" if estimate.bytes_out is None else size(round(estimate.bytes_out.typical)),
        "from": _basis(estimate),
    }


def _basis(estimate: Estimate) -> str:
    match estimate.basis:
        case "measured":
            return f"{estimate.samples} such job{'s' if estimate.samples != 1 else ''}"
        case "guess":
            return "a guess: there was no such job here yet"
        case "unknown":
            return "nothing: there was no such job here yet"


def _times(spread: Spread) -> str:
    return f"{clock(spread.typical)} ({clock(spread.low)} to {clock(spread.high)})"


def _json(spread: Spread | None) -> dict[str, float] | None:
    return None if spread is None else spread.to_json()
