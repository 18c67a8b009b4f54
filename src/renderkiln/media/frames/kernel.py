"""How the frame kernels are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit

# nogil: one frame per thread, and threads draw side by side. error_model "numpy": a check for division by
# zero is a branch, and a branch keeps a loop from being vectorised.
# forceinline: the compiled form of a kernel holds a copy of each kernel it calls, and which copy is called
# depends on what was loaded before. Copies round differently: the run that compiles drew other last bits than
# those that find it compiled.
OPTIONS: dict[str, Any] = {
    "cache": True,
    "nogil": True,
    "fastmath": True,
    "error_model": "numpy",
    "forceinline": True,
}

Function = Callable[..., Any]


def kernel(function: Function) -> Function:
    """Compile a function that walks over pixels; it is serial and keeps its compiled form on disk."""
    return njit(function, **OPTIONS)


def inlined(function: Function) -> Function:
    """Compile a small function that disappears into the kernels that call it."""
    return njit(function, inline="always", **OPTIONS)
