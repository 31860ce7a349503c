"""One step of each recurrent cell: the new state from what the input gives and from the old state.

What the input gives, ``given = input @ weight_ih.T + bias_ih``, does not depend on the state.  So a layer computes it
for all steps in one product, and only what is here goes from step to step.
"""

from __future__ import annotations

from typing import Any

from autograd_core import as_tensor, chunk, relu, sigmoid, tanh

from .linear import linear

__all__ = ["gru_cell", "lstm_cell", "rnn_cell"]


def _parts(operation: str, count: int, given: Any, weight_hh: Any, size: int) -> None:
    """Whether what the input gives, and what the weight gives, has `count` parts of the state's size."""
    rows = count * size
    if given.shape[-1:] != (rows,) or weight_hh.shape[:1] != (rows,):
        product = f"{count} * {size}" if count > 1 else f"{size}"
        raise ValueError(
            f"{operation}: for a state of size {size} expected given (..., {product}) and weight_hh ({product}, ...), "
            f"got {given.shape} and {weight_hh.shape}"
        )


def rnn_cell(given: Any, h: Any, weight_hh: Any, bias_hh: Any = None, nonlinearity: str = "tanh") -> Any:
    """``h' = tanh(given + weight_hh h + bias_hh)``, or with ReLU in place of tanh.

    Elman, "Finding structure in time" (1990).

    Parameters
    ----------
    given : shape (..., hidden_size)
        ``weight_ih x + bias_ih`` of the input x of this step.
    h : shape (..., hidden_size)
        The state before.
    weight_hh : shape (hidden_size, hidden_size)
    bias_hh : shape (hidden_size,), optional
    nonlinearity : "tanh" or "relu"

    Returns
    -------
    Tensor, shape (..., hidden_size): the state after.

    Raises
    ------
    ValueError
        If the sizes do not fit, or the nonlinearity is neither.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core.nn.functional.recurrent import rnn_cell
    >>> rnn_cell(ag.tensor([1.0]), ag.tensor([2.0]), ag.tensor([[0.5]]), None, "relu")
    tensor([2.])
    """
    given, h, weight_hh = as_tensor(given), as_tensor(h), as_tensor(weight_hh)
    _parts("rnn_cell", 1, given, weight_hh, h.shape[-1])
    total = given + linear(h, weight_hh, bias_hh)
    if nonlinearity == "tanh":
        return tanh(total)
    if nonlinearity == "relu":
        return relu(total)
    raise ValueError(f"rnn_cell: expected nonlinearity 'tanh' or 'relu', got {nonlinearity!r}")


def lstm_cell(given: Any, h: Any, c: Any, weight_hh: Any, bias_hh: Any = None, weight_hr: Any = None) -> Any:
    """A cell c that gates decide to keep, to write and to read; h is what is read.

    With ``i, f, g, o`` the four parts of ``given + weight_hh h + bias_hh``::

        c' = sigmoid(f) c + sigmoid(i) tanh(g)
        h' = sigmoid(o) tanh(c')

    Hochreiter & Schmidhuber, "Long short-term memory" (1997), with the forget gate f of Gers, Schmidhuber & Cummins,
    "Learning to forget: continual prediction with LSTM" (2000).  With `weight_hr`, ``h' = weight_hr sigmoid(o)
    tanh(c')``: Sak, Senior & Beaufays, "Long short-term memory recurrent neural network architectures for large scale
    acoustic modeling" (2014).

    Parameters
    ----------
    given : shape (..., 4 * hidden_size)
        ``weight_ih x + bias_ih`` of the input x of this step.
    h : shape (..., hidden_size), or (..., proj_size)
        What was read before.
    c : shape (..., hidden_size)
        The cell before.
    weight_hh : shape (4 * hidden_size, hidden_size), or (4 * hidden_size, proj_size)
    bias_hh : shape (4 * hidden_size,), optional
    weight_hr : shape (proj_size, hidden_size), optional

    Returns
    -------
    h', c' : as h and c

    Raises
    ------
    ValueError
        If the sizes do not fit.

    Examples
    --------
    An open gate is 1: here all are open, and the candidate ``tanh(g)`` is 1 as well.

    >>> import autograd_core as ag
    >>> from autograd_core.nn.functional.recurrent import lstm_cell
    >>> open_gates, zero = ag.full((4,), 100.0), ag.zeros(1)
    >>> h, c = lstm_cell(open_gates, zero, ag.tensor([2.0]), ag.zeros(4, 1))
    >>> c
    tensor([3.])
    """
    given, h, c, weight_hh = as_tensor(given), as_tensor(h), as_tensor(c), as_tensor(weight_hh)
    _parts("lstm_cell", 4, given, weight_hh, c.shape[-1])
    i, f, g, o = chunk(given + linear(h, weight_hh, bias_hh), 4, -1)
    c = sigmoid(f) * c + sigmoid(i) * tanh(g)
    h = sigmoid(o) * tanh(c)
    return (h if weight_hr is None else linear(h, weight_hr)), c


def gru_cell(given: Any, h: Any, weight_hh: Any, bias_hh: Any = None) -> Any:
    """A state that a gate z keeps or replaces by a candidate n, which a gate r lets see the old state or not.

    With ``r, z, n`` the three parts of `given`, and ``r_h, z_h, n_h`` those of ``weight_hh h + bias_hh``::

        r = sigmoid(r + r_h)
        z = sigmoid(z + z_h)
        n = tanh(n + r n_h)
        h' = (1 - z) n + z h

    Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical machine translation" (2014),
    section 2.3, where r acts on h before the product with the weight; here, as in PyTorch, on the product.

    Parameters
    ----------
    given : shape (..., 3 * hidden_size)
        ``weight_ih x + bias_ih`` of the input x of this step.
    h : shape (..., hidden_size)
        The state before.
    weight_hh : shape (3 * hidden_size, hidden_size)
    bias_hh : shape (3 * hidden_size,), optional

    Returns
    -------
    Tensor, shape (..., hidden_size): the state after.

    Raises
    ------
    ValueError
        If the sizes do not fit.

    Examples
    --------
    With all weights 0 both gates are 1/2 and the candidate is 0.

    >>> import autograd_core as ag
    >>> from autograd_core.nn.functional.recurrent import gru_cell
    >>> gru_cell(ag.zeros(3), ag.tensor([4.0]), ag.zeros(3, 1))
    tensor([2.])
    """
    given, h, weight_hh = as_tensor(given), as_tensor(h), as_tensor(weight_hh)
    _parts("gru_cell", 3, given, weight_hh, h.shape[-1])
    given_r, given_z, given_n = chunk(given, 3, -1)
    from_r, from_z, from_n = chunk(linear(h, weight_hh, bias_hh), 3, -1)
    r, z = sigmoid(given_r + from_r), sigmoid(given_z + from_z)
    n = tanh(given_n + r * from_n)
    return n + z * (h - n)
