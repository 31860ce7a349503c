"""A module's weights in a file, in the safetensors format that PyTorch and others read.

The names and shapes in the file are those of ``state_dict()``.  What belongs to the weights but is no tensor, such as
the sizes of the layers, goes into the file's metadata: as JSON under one key, so that equal weights make equal files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from . import files

__all__ = ["load_weights", "read_metadata", "save_weights"]

KEY = "autograd_core"
"""Where the metadata is, in the file's own."""


def save_weights(module: Any, path: str | Path, metadata: Mapping[str, Any] | None = None) -> Path:
    """Write the parameters and persistent buffers of a module to a safetensors file, complete or not at all.

    Parameters
    ----------
    module : Module
    path : str or Path
    metadata : mapping, optional
        What else is needed to use the weights; anything that JSON can hold.

    Examples
    --------
    >>> import tempfile
    >>> from autograd_core import nn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = save_weights(nn.Linear(3, 2), Path(folder, "linear.safetensors"), {"task": "none"})
    ...     load_weights(nn.Linear(3, 2), path)
    {'task': 'none'}
    """
    from safetensors.numpy import save

    arrays = {name: np.array(tensor.array, order="C") for name, tensor in module.state_dict().items()}
    return files.write(path, save(arrays, {KEY: json.dumps(dict(metadata))} if metadata else None))


def load_weights(module: Any, path: str | Path) -> dict[str, Any]:
    """Read the parameters and persistent buffers of a module from a safetensors file.

    Floats of another size are cast.

    Parameters
    ----------
    module : Module
        Its names and shapes must be those in the file.
    path : str or Path

    Returns
    -------
    The metadata that :func:`save_weights` was given.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is no safetensors file, or a tensor has a dtype that NumPy does not know.
    RuntimeError
        If the module does not fit the file; names every key that is missing or unexpected, or has another shape or a
        dtype of another kind.  Nothing is loaded then.
    """
    path = Path(path)
    with _opened(path) as file:
        arrays = {name: _read(file, name, path) for name in file.keys()}  # noqa: SIM118 (no mapping)
        metadata = _metadata(file)
    kinds = [
        f"{name}: expected dtype {tensor.dtype}, got {arrays[name].dtype}"
        for name, tensor in module.state_dict().items()
        if name in arrays and arrays[name].dtype.kind != tensor.dtype.kind
    ]
    if kinds:
        raise RuntimeError(f"load_weights: {path} does not fit {type(module).__name__}: {'; '.join(kinds)}")
    try:
        module.load_state_dict(arrays)
    except RuntimeError as error:
        raise RuntimeError(f"load_weights: {path}: {error}") from None
    return metadata


def read_metadata(path: str | Path) -> dict[str, Any]:
    """The metadata that :func:`save_weights` was given; empty for a file of another origin.

    Raises
    ------
    OSError, ValueError
        As :func:`load_weights`.
    """
    with _opened(Path(path)) as file:
        return _metadata(file)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    from safetensors import SafetensorError, safe_open

    path.open("rb").close()  # Python's own errors say more about why a file cannot be read
    try:
        with safe_open(path, framework="numpy") as file:
            yield file
    except SafetensorError as error:
        raise ValueError(f"load_weights: {path} is not a complete safetensors file: {error}") from None


def _metadata(file: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((file.metadata() or {}).get(KEY, "{}"))
    return found


def _read(file: Any, name: str, path: Path) -> np.ndarray:
    try:
        array: np.ndarray = file.get_tensor(name)
    except TypeError:
        dtype = file.get_slice(name).get_dtype()
        raise ValueError(f"load_weights: {path}: {name} has the dtype {dtype}, which NumPy does not know") from None
    return array
