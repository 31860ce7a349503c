"""Programs out of recordings, and native code out of programs.

One call of a step passes through these modules, in this order::

    recorder    runs the function once, and notes what it does: a program (see `program`)
    passes      make an equal program that is less work
    nodes       say where every value is; views and joins disappear
    fusion      decides which operations share a loop
    recomputing puts cheap operations where their results are needed, instead of keeping those
    planning    decides what shares memory
    loops       writes the text of each loop, `rolling` finds what repeats, `emit` puts the function together
    native      has Numba compile it, or finds it in the `cache`; the `loader` brings it into the process
    binding     fills in addresses, and calls it
    step        looks which binding fits the arguments of a call
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    from .step import Compiled

__all__ = ["compile"]


@overload
def compile(function: Callable[..., Any]) -> Compiled: ...
@overload
def compile(function: None = None) -> Callable[[Callable[..., Any]], Compiled]: ...
def compile(function: Callable[..., Any] | None = None) -> Any:
    """Decorator: run a function as native code.

    The first call with arguments of new shapes and dtypes runs the function as it is, to record every operation it
    applies: forward, ``backward()``, ``optimizer.step()``, changes of parameters and buffers.  The recording becomes
    one native function, which later calls run instead.  The code does not depend on sizes, and is kept on disk.

    Parameters
    ----------
    function : callable
        Of tensors and arrays, in nested tuples, lists and dicts if need be; all other arguments are taken as fixed, and
        another value is recorded anew.  It returns tensors in the same way.

    Returns
    -------
    Compiled
        Called as the function.  See :meth:`Compiled.source`, :meth:`Compiled.program` and :meth:`Compiled.report`.

    Raises
    ------
    TracingError
        When it is called: if the function asks for a value of a tensor (``if loss > 1``, ``loss.item()``), or keeps a
        tensor other than by returning it or writing into one that existed before.  Nothing has been changed then.

    Notes
    -----
    What a recording depends on is looked at in every call: the tensors it refers to (parameters, buffers, the state of
    an optimizer, other tensors) hold what they hold at that time; the options of optimizers and the attributes of
    modules that were called may be changed between calls.  Other Python values, global variables for example, are read
    when recording, and so is ``tensor.array`` where it is read directly.  Side effects other than changes of tensors
    (printing, appending to a list) happen when recording, and not again.  Results have no history: differentiate
    inside.  ``.grad`` is what the function leaves there; its memory is used again by the next call.

    Examples
    --------
    >>> import autograd_core as ag
    >>> w = ag.tensor([1.0, 2.0], requires_grad=True)
    >>> @ag.compile
    ... def step(x):
    ...     loss = ((w * x) ** 2).sum()
    ...     w.grad = None
    ...     loss.backward()
    ...     return loss
    >>> step(ag.tensor([1.0, 1.0])), step(ag.tensor([1.0, 2.0]))
    (tensor(5.), tensor(17.))
    >>> w.grad
    tensor([ 2., 16.])
    """
    if function is None:
        return compile
    from .step import Compiled  # when it is needed, since most programs import more than they use

    return Compiled(function)
