"""What there is to say about an array: its facts in words, and a picture of it the size of a stamp."""

from __future__ import annotations

import base64
import math
import struct
import zlib

import numpy as np

from . import labels

__all__ = ["facts", "heat_map", "magnitude"]

MOST_PIXELS = 24
"""Of a heat map, each way: larger arrays are averaged over blocks."""

# From the lowest negative number over 0 to the highest positive one; the last two are for infinities and for NaN.
COLOURS = bytes.fromhex(
    "0059a0 2a78b3 5495c4 82b1d5 adcbe4 d3e2f0 f5f5f5 f9e2d3 f4c6aa eda57a e28249 d36120 c04a00 aa00aa 000000"
)
LEVELS = len(COLOURS) // 3 - 2


def facts(array: np.ndarray) -> str:
    """Shape, dtype, mean, spread, range, share of zeros, and how many are not finite.

    >>> facts(np.array([0.0, 1.0, 2.0, np.nan]))
    '(4,) float64, mean 1, spread 0.8165, 0 to 2, zeros 25%, 1 nan'
    >>> facts(np.array(2.5))
    '2.5, scalar float64'
    """
    detail = labels.detail(array.shape, array.dtype)
    if array.size <= 1:
        return f"{labels.value_text(array)}, {detail}"
    wide = known = array.astype(np.float64).reshape(-1)
    with np.errstate(over="ignore", invalid="ignore"):
        if not math.isfinite(wide.sum()):
            known = wide[np.isfinite(wide)]
        texts = [detail]
        if known.size:
            mean = known.sum() / known.size
            away = known - mean
            spread = math.sqrt(away @ away / known.size)
            texts.append(f"mean {labels.number(mean)}, spread {labels.number(spread)}")
            texts.append(f"{labels.number(known.min())} to {labels.number(known.max())}")
    zeros = 100 * (1 - np.count_nonzero(wide) / wide.size)
    nan = 0 if known is wide else int(np.isnan(wide).sum())
    infinite = wide.size - known.size - nan
    texts += [f"zeros {zeros:.3g}%"] if zeros else []
    texts += [f"{nan:,} nan"] if nan else []
    texts += [f"{infinite:,} infinite"] if infinite else []
    return ", ".join(texts)


def magnitude(array: np.ndarray) -> float:
    """The mean of the absolute values; 0 for none, and NaN if one is."""
    if not array.size:
        return 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.abs(array, dtype=np.float64).mean())


def heat_map(array: np.ndarray) -> str:
    """An array as a small PNG in a data URI: blue below 0, orange above, white at 0; black is NaN, violet infinite.

    Rows go along all dimensions but the last.  Empty for what has less than two elements.
    """
    if array.size < 2:
        return ""
    with np.errstate(over="ignore", invalid="ignore"):
        pixels = _averaged(array.reshape(-1, array.shape[-1]).astype(np.float64))
        finite = np.isfinite(pixels)
        top = np.abs(pixels[finite]).max(initial=0.0) or 1.0
        shade = np.rint((np.where(finite, pixels, 0.0) / top + 1) * ((LEVELS - 1) / 2))
    shade = np.where(finite, shade, np.where(np.isnan(pixels), LEVELS + 1, LEVELS)).astype(np.uint8)
    return f"data:image/png;base64,{base64.b64encode(_png(shade)).decode()}"


def _averaged(array: np.ndarray) -> np.ndarray:
    """The means of blocks, as many as there are pixels."""
    for axis in (0, 1):
        n = array.shape[axis]
        if n > MOST_PIXELS:
            edges = np.arange(MOST_PIXELS) * n // MOST_PIXELS
            sizes = np.diff(edges, append=n)
            array = np.add.reduceat(array, edges, axis) / np.expand_dims(sizes, 1 - axis)
    return array


def _png(shade: np.ndarray) -> bytes:
    """Rows of colour numbers as a PNG (W3C, "Portable network graphics", third edition, 2025)."""
    height, width = shade.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), shade], 1).tobytes()  # each with filter 0
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)  # 8 bits a pixel, numbers of colours
    return SIGNATURE + _chunk(b"IHDR", header) + PALETTE + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


SIGNATURE, PALETTE = b"\x89PNG\r\n\x1a\n", _chunk(b"PLTE", COLOURS)
