"""Seeing backpropagation: pictures, a page that walks through it step by step, and the derivation in words.

>>> import autograd_core as ag
>>> from autograd_core.tools.pictures import graph
>>> x = ag.tensor(2.0, requires_grad=True, name="x")
>>> [box.title for box in graph(x * x).boxes]
['x', 'v1 = x \N{MIDDLE DOT} x']
"""

from .explain import Explanation, explain
from .graph import graph
from .picture import Arrow, Box, Cluster, Picture
from .step_page import save_page

__all__ = ["Arrow", "Box", "Cluster", "Explanation", "Picture", "explain", "graph", "save_page"]
