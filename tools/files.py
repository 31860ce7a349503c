"""Writing files so that nobody ever sees half of one."""

from __future__ import annotations

import errno
import os
import secrets
from pathlib import Path

__all__ = ["writable_folder", "write"]


def write(path: str | Path, content: bytes) -> Path:
    """Write a file, complete or not at all; an older one stays until the new one is complete.

    Raises
    ------
    OSError
        If it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(Path(folder, "notes.txt"), b"done").read_bytes()
    b'done'
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        temporary.unlink(missing_ok=True)
    return path


def writable_folder(path: str | Path) -> Path:
    """The folder at `path`, made if there is none, after trying that a file can be written there.

    Raises
    ------
    OSError
        If there is something else under this name, or no file can be written.
    """
    folder = Path(path)
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "this is a file, not a folder", str(folder))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        write(folder / f".trial.{secrets.token_hex(4)}", b"").unlink()
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(folder)) from error
    return folder
