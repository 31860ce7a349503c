"""What stands in for an array, and for a number, while a program is recorded.

A recording runs the function on stand-ins.  A :class:`Traced` knows its shape and dtype, and which value of the program
it holds; what it really is at the time of recording is nobody's business but the recorder's, for it would be a constant
of the program, and wrong at the next call.  Asked for it, a stand-in says so.

A `Traced` is a cell: a change in place gives it another value, and every tensor that shares it sees the change.
"""

from __future__ import annotations

import math
import operator
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

__all__ = ["Number", "Traced", "TracingError", "caller", "here", "place"]


class TracingError(RuntimeError):
    """What was asked has no answer while a program is recorded; nothing was changed."""


def caller() -> str:
    """``file:line`` of the innermost frame outside this library: the line a person wrote."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "autograd_core":
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def place(line: str) -> str:
    """``file:line`` as a person knows it: in a notebook the number of the cell stands for the file."""
    file, _, number = line.rpartition(":")
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    cell = shell.compile.format_code_name(file) if shell is not None else None
    return f"{' '.join(cell)}:{number}" if cell else line


def here() -> str:
    """Where :func:`caller` is, for a message."""
    return place(caller())


def refuse(asked: str, of: str = "a tensor", instead: str = "") -> NoReturn:
    """Raise what to say when a value is asked for that is not known before the program runs."""
    raise TracingError(
        f"{asked}, at {here()}: the values of {of} are not known while a compiled function is recorded; "
        + (instead or "return it and look at it outside, use where(cond, a, b), or compute it outside")
    )


class Traced:
    """Stands in a tensor for its array.

    Attributes
    ----------
    shape, dtype : as of an array
    value : the program's value that it holds now
    line : where it was made
    """

    __slots__ = (
        "__weakref__",
        "_real",
        "behind",
        "dtype",
        "fixed",
        "line",
        "recorder",
        "root",
        "shape",
        "taken",
        "value",
        "views",
    )

    base = None

    def __init__(self, recorder: Any, value: Any, real: Any, line: str) -> None:
        self.recorder, self.value, self._real, self.line = recorder, value, real, line
        self.shape: tuple[int, ...] = value.shape
        self.dtype: np.dtype[Any] = value.dtype
        self.root: Traced | None = None  # the cell that this one is a view of
        self.views: list[Any] = []  # weak references to the cells that view this one
        self.taken: Any = None  # the cell it was taken from, the array of that then, and its own
        self.behind = False  # whether the root was changed since it was read
        self.fixed = ""  # why it cannot be changed in place, if it cannot

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def itemsize(self) -> int:
        return self.dtype.itemsize

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len: a 0-d tensor has no length")
        return self.shape[0]

    def __repr__(self) -> str:
        return f"traced {self.dtype}[{', '.join(map(str, self.shape))}]"

    __hash__ = object.__hash__

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        refuse("numpy")

    def __array_ufunc__(self, ufunc: Any, how: str, *inputs: Any, **_: Any) -> Any:
        return self._left_to_tensors(f"np.{ufunc.__name__}", inputs)

    def __array_function__(self, function: Any, types: Any, args: Any, keywords: Any) -> Any:
        return self._left_to_tensors(f"np.{function.__name__}", args)

    def _left_to_tensors(self, asked: str, others: Any) -> Any:
        """Nothing can be computed with the stand-in itself; a tensor beside it may know how."""
        if any(hasattr(x, "requires_grad") for x in others):
            return NotImplemented
        refuse(asked, "the array of a tensor", "use the functions of autograd_core on the tensor itself")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        refuse(f"array.{name}", "the array of a tensor", "use the functions of autograd_core on the tensor itself")


def _refusing(name: str) -> Callable[..., Any]:
    def asked(self: Traced, *others: Any) -> Any:
        return self._left_to_tensors(name, others)

    return asked


def _reading(name: str) -> Callable[..., Any]:
    def asked(self: Traced, *_: Any) -> NoReturn:
        refuse(name)

    return asked


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor"):
    setattr(Traced, f"__{_name}__", _refusing(_name))
    setattr(Traced, f"__r{_name}__", _refusing(_name))
for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    setattr(Traced, f"__{_name}__", _refusing(_name))
for _name in ("bool", "int", "float", "index", "iter", "contains", "getitem", "setitem", "complex"):
    setattr(Traced, f"__{_name}__", _reading(_name))


class Number:
    """Stands for a Python number that is not known before the program runs: a learning rate, a step count.

    Arithmetic with it is recorded.  Beside tensors it takes on their dtype, as a Python number does.  An option that a
    user set (and nothing that was computed) may be compared with a number: the outcome becomes something the recording
    depends on.
    """

    __slots__ = ("cell", "option", "recorder")

    def __init__(self, recorder: Any, cell: Traced, option: Any = None) -> None:
        self.recorder, self.cell, self.option = recorder, cell, option

    def __repr__(self) -> str:
        return "traced number"

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        return bool(operator.ne(self, 0))

    def __neg__(self) -> Number:
        return self.recorder.number("neg", self)  # type: ignore[no-any-return]

    def __pos__(self) -> Number:
        return self

    def __float__(self) -> NoReturn:
        refuse("float", "a number that may change between calls", "compute with it as it is: + - * / ** are recorded")

    __int__ = __index__ = __float__

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        refuse("numpy", "a number that may change between calls", "compute with it as it is: + - * / ** are recorded")

    def __array_ufunc__(self, ufunc: Any, how: str, *inputs: Any, **keywords: Any) -> Any:
        if how != "__call__" or keywords:
            return NotImplemented
        return self.recorder.ufunc(ufunc, inputs)


def _arithmetic(name: str, reflected: bool) -> Callable[[Number, Any], Any]:
    def compute(self: Number, other: Any) -> Any:
        if isinstance(other, np.generic):
            other = other.item()
        if not isinstance(other, (int, float, Number)):
            return NotImplemented
        return self.recorder.number(name, *((other, self) if reflected else (self, other)))

    return compute


def _comparison(compare: Callable[[Any, Any], bool]) -> Callable[[Number, Any], bool]:
    def asked(self: Number, other: Any) -> bool:
        if self.option is None or not isinstance(other, (int, float)):
            refuse("comparing", "a number that was computed", "use where(cond, a, b), or compute it outside")
        found: bool = self.recorder.compared(self.option, compare, other)
        return found

    return asked


for _name, _recorded in {"add": "add", "sub": "sub", "mul": "mul", "truediv": "div", "pow": "pow"}.items():
    setattr(Number, f"__{_name}__", _arithmetic(_recorded, False))
    setattr(Number, f"__r{_name}__", _arithmetic(_recorded, True))
for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    setattr(Number, f"__{_name}__", _comparison(getattr(operator, _name)))
