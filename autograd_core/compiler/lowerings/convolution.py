"""Convolutions: tables of where runs begin (see `windows`), for all channels of a group."""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np

from ..program import Instruction, Value
from . import Call, Scratch, lowering
from .windows import Form, Sizes, address, cut, joined, planned, runs, three

VECTOR = 32
"""Bytes of a vector in the kernels."""


def _form(i: Instruction, given: Sizes, sizes: Sizes, kernel: Sizes, transposed: bool) -> Form:
    sign, ones = (-1 if transposed else 1), (1, 1, 1)
    stride = three(i.params["stride"], 1)
    return Form(
        three(given, 1),
        three(sizes, 1),
        three(kernel, 1),
        stride if transposed else ones,
        ones if transposed else stride,
        tuple(-sign * p for p in three(tuple(before for before, _ in i.params["padding"]), 0)),
        tuple(sign * d for d in three(i.params["dilation"], 1)),
    )


class Tables(NamedTuple):
    """What kernels get of a plan: `taps` has two more at the end, which are looked up and not used."""

    plane: int
    copies: np.ndarray
    phases: np.ndarray
    taps: np.ndarray
    places: np.ndarray
    rows: np.ndarray


@functools.cache
def _tables(form: Form, channels: int, by_channel: int, lanes: int, group: int) -> Tables:
    """The tables for so many channels, with rows cut into vectors, which come in groups.

    They are kept for good, as compiled code has their addresses; they do not depend on the size of the batch.
    """
    plan, apart = planned(form), (1, form.up[2])
    each = np.arange(channels)[:, None]
    taps = [np.ravel(each * plan.plane + found[:, 1]) for found in plan.taps]
    places = [np.ravel(each * by_channel + found[:, 0]) for found in plan.taps]
    rows = []
    for whole in plan.rows:
        vectors = cut(joined(whole, apart), lanes, apart)
        rows.append(np.concatenate([vectors, np.repeat(vectors[-1:] * (1, 1, 0), -len(vectors) % group, 0)]))
    tile = runs([(0, i * lanes, 0) for i in range(group)])
    starts = np.cumsum([[0, tile.size], *((len(t), r.size) for t, r in zip(taps, rows, strict=True))], axis=0)
    phases = np.stack([starts[:-1, 0], starts[1:, 0], starts[:-1, 1], starts[1:, 1]], axis=1)
    taps.append(np.zeros(2, np.int64))
    joint = (np.concatenate(parts) for parts in (taps, places, [tile, *rows]))
    return Tables(plan.plane, plan.copies, phases, *joint)


def _operands(i: Instruction) -> tuple[Value, Value] | None:
    a, b = i.operands
    if not (isinstance(a, Value) and isinstance(b, Value)) or len(i.params["stride"]) > 3:
        return None
    same = a.dtype == b.dtype == i.result.dtype and str(a.dtype) in ("float32", "float64")
    return (a, b) if same else None


def _correlate(i: Instruction, transposed: bool) -> Call | None:
    operands = _operands(i)
    if operands is None:
        return None
    x, weight = operands
    out, groups, dtype = i.result, i.params["groups"], str(x.dtype)
    kernel, places = weight.shape[2:], math.prod(weight.shape[2:])
    height, width = weight.shape[0] // groups, weight.shape[1]
    row = width * places
    channels, by_channel, outputs, by_output = (
        (height, row, width, places) if transposed else (width, places, height, row)
    )
    form, lanes = _form(i, x.shape[2:], out.shape[2:], kernel, transposed), VECTOR // x.dtype.itemsize
    tables = _tables(form, channels, by_channel, lanes, 3)
    used = len(tables.places)
    return Call(
        "convolution.correlate",
        (
            x, weight, out,
            Scratch(groups * channels * tables.plane + 2 * lanes, dtype),
            Scratch(groups * (outputs + 3) * used, dtype), Scratch(12 * lanes, dtype),
            x.shape[0], groups, channels, outputs, math.prod(form.given), tables.plane, math.prod(form.sizes),
            address(tables.copies), len(tables.copies), form.down[2],
            address(tables.phases), len(tables.phases), address(tables.taps), address(tables.places), used,
            address(tables.rows), height * row, by_output, form.up[2], max(form.up) == 1,
        ),
    )  # fmt: skip


@lowering("conv")
def _conv(i: Instruction) -> Call | None:
    return _correlate(i, transposed=False)


@lowering("conv_input")
def _conv_input(i: Instruction) -> Call | None:
    return _correlate(i, transposed=True)


@lowering("conv_weight")
def _conv_weight(i: Instruction) -> Call | None:
    operands = _operands(i)
    if operands is None:
        return None
    x, g = operands
    groups, dtype = i.params["groups"], str(x.dtype)
    channels, outputs = x.shape[1] // groups, g.shape[1] // groups
    form, lanes = _form(i, x.shape[2:], g.shape[2:], i.params["kernel"], False), VECTOR // x.dtype.itemsize
    tables = _tables(form, channels, 0, lanes, 1)
    used, rows = len(tables.places), tables.rows[1:]
    return Call(
        "convolution.correlate_weight",
        (
            x, g, i.result,
            Scratch(x.shape[1] * tables.plane + 2 * lanes, dtype), Scratch(g.shape[1] * rows.size // 3 * lanes, dtype),
            Scratch(groups * (outputs + 3) * (used + 2) * lanes, dtype),
            x.shape[0], groups, channels, outputs, math.prod(form.given), tables.plane, math.prod(form.sizes),
            address(tables.copies), len(tables.copies), form.down[2],
            address(tables.taps), used, address(rows), len(rows),
        ),
    )  # fmt: skip
