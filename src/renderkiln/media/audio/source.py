"""What every layer of a mix is: sound to be pulled, block by block."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

RATE = 48_000  # Hz, of everything that is mixed
BLOCK = 4_800  # samples: 100 ms, the hop of BS.1770
MILLISECOND = RATE // 1000  # samples: the step of every gain that moves

Block = npt.NDArray[np.float32]


class Source(Protocol):
    """Sound without end at `RATE`."""

    def read(self, n: int) -> Block:
        """The next `n` samples: float32 of shape (2, n), C-contiguous, the caller's own to change.

        Silence after the end. What comes does not depend on how the reads are cut.
        """
        ...
