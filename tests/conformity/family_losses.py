"""Activations and losses.

NAMES are PyTorch's.  DEPARTURES gives, for a name, pairs: a test of a sample (its ``input``, ``args``, ``kwargs``),
and the reason why we decided otherwise for such samples.
"""

NAMES: set[str] = set()

DEPARTURES: dict = {}
