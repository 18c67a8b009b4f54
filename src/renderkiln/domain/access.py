"""What the holder of a key may do."""

from __future__ import annotations

from typing import Literal, get_args

Scope = Literal["read", "submit", "admin"]

SCOPES: tuple[Scope, ...] = get_args(Scope)


# Nobody's: what was asked for on this machine, by somebody who reads the database anyway.
LOCAL = ""


def allows(held: Scope, needed: Scope) -> bool:
    """Whether a key of scope `held` may do what takes `needed`: each may what those before it may."""
    return SCOPES.index(held) >= SCOPES.index(needed)
