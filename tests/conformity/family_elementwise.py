"""Arithmetic, exponentials, rounding, selection, comparison, special functions: one element in, one out.

NAMES are PyTorch's.  DEPARTURES gives, for a name, pairs: a test of a sample (its ``input``, ``args``, ``kwargs``),
and the reason why we decided otherwise for such samples.
"""

NAMES: set[str] = {"add", "sub"}

DEPARTURES: dict = {}
