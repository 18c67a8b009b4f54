"""How much memory a program may be said to have used that a process of tests has started."""

from __future__ import annotations

import resource


def most_of_a_child(own: int) -> int:
    """`own` bytes, or what this process has used at most: Linux counts that for a child that it starts."""
    return max(own, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
