"""JSON without bare infinities."""

import json
import math

import numpy as np
import pytest

from autograd_core.tools.plain_json import plain, written


def test_what_json_has_no_number_for_is_written_as_a_string():
    tree = {"a": (1, -math.inf, [math.nan]), "b": {"c": np.float64("inf"), "d": "text", "e": None}, "f": 0.5}
    assert plain(tree) == {"a": [1, "-inf", ["nan"]], "b": {"c": "inf", "d": "text", "e": None}, "f": 0.5}
    assert json.loads(written(tree), parse_constant=pytest.fail) == plain(tree)
    assert float(plain(tree)["a"][1]) == -math.inf
