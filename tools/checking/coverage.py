"""How much of each input is checked: every element while they are few, and of large inputs what a share of time buys.

Through a large input the function is moved in random directions, all elements at once.  A direction sees every
element, but only the sum of what they do; elements sampled at random are seen by themselves.
"""

from __future__ import annotations

import numpy as np

__all__ = ["MODES", "coverage", "direction"]

MODES = ("auto", "dense", "sampled", "directional")

DENSE = 2048
"""Up to so many elements in all inputs together, each is checked."""

SAMPLED = 256
"""Of more, about so many are drawn; inputs that have not much more than their share are still checked in full."""

LARGE = 16384
"""In an input of more elements than this, none is drawn: they would be too few to matter."""

DIRECTIONS = 4


def coverage(sizes: list[int], mode: str) -> list[tuple[int, int]]:
    """For inputs of these sizes, how many elements of each to check, and how many directions.

    Besides the modes that a person can choose there is ``"quick"``: one direction each.
    """
    if mode == "dense" or (mode == "auto" and sum(sizes) <= DENSE):
        return [(n, 0) for n in sizes]
    if mode in ("directional", "quick"):
        directions = DIRECTIONS if mode == "directional" else 1
        return [(n, 0) if n <= directions else (0, directions) for n in sizes]
    counts = dict.fromkeys(range(len(sizes)), 0)
    left = SAMPLED
    for place, i in enumerate(sorted(counts, key=lambda i: sizes[i])):
        share = max(left // (len(sizes) - place), DIRECTIONS)
        if sizes[i] <= 2 * share:
            counts[i] = sizes[i]
        elif sizes[i] <= LARGE or mode == "sampled":
            counts[i] = share
        left = max(0, left - counts[i])
    return [(counts[i], 0 if counts[i] == n else DIRECTIONS) for i, n in enumerate(sizes)]


def direction(array: np.ndarray, gradient: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Random signs and sizes, in proportion to the numbers; 0 where there is no number to move, or no gradient."""
    vector = rng.choice([-1.0, 1.0], array.shape) * rng.uniform(0.5, 1.0, array.shape)
    movable = np.isfinite(array) & np.isfinite(gradient)
    size = np.maximum(1.0, np.abs(np.where(movable, array, 0.0)))
    return np.asarray(np.where(movable, vector * size, 0.0))
