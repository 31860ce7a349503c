"""Shapes, joining and splitting, indexing, diagonals, creation, casts.

NAMES are PyTorch's.  DEPARTURES gives, for a name, pairs: a test of a sample (its ``input``, ``args``, ``kwargs``),
and the reason why we decided otherwise for such samples.
"""

NAMES: set[str] = {"cat"}

DEPARTURES: dict = {}
