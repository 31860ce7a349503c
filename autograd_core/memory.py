"""Memory that was freed stays with the process, for the next training step.

A step makes some megabytes of arrays and frees them.  The GNU C library gives freed memory back to the system above a
threshold, and every page of it costs a fault when the next step takes it again: a third of the time of a small
Transformer's step, in a process that does nothing else.  The library learns its threshold from the largest array that
was ever freed (M_MMAP_THRESHOLD in ``man mallopt``), up to 32 MB; so it is enough to make one here, never touched.
Where MALLOC_TRIM_THRESHOLD_ or MALLOC_MMAP_THRESHOLD_ is set in the environment, that holds instead.
"""

from __future__ import annotations

import numpy as np

__all__ = ["keep_freed"]


def keep_freed() -> None:
    """Keep up to 64 MB of freed memory; where the C library is another one this does nothing."""
    np.empty(32 * 2**20 - 8192, np.uint8)
