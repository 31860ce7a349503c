# mypy: disable-error-code="no-untyped-def"
"""Convolutions, directly: no matrix of windows is made.

Each sample is first copied to *planes*: with its padding, and with elements that are a stride apart next to each other.
What a place within the kernel sees, for windows along a row, then is a run of a plane, and a convolution is for every
output row a sum of runs, each times one weight.  The sums stay in registers: four channels by three vectors of outputs,
or four channels by three places for the gradient by the weight.

How many dimensions there are, their strides and padding are matters of where runs begin, which tables say; they are
computed when a convolution is lowered (see `compiler.lowerings.convolution`) and come in as addresses.

- copies: for each row of a channel's planes, where it is in the channel, in the planes, and how long
- taps: where in the planes the first output finds what each of its weights is multiplied with
- rows: for each vector of outputs, how far it is from the first one in the planes, where it is in an output channel,
  and how long; those of `correlate` begin with places in a tile
"""

from __future__ import annotations

from .jit import kernel, plus
from .runs import copy_first, exact_runs, lanes, scaled_runs, shared_runs
from .windows import pack, table

__all__ = ["correlate", "correlate_weight"]


@kernel
def correlate(
    x, weight, out, planes, packed, tile, batch, groups, channels, outputs, given, plane, size,
    copies, copied, stride, phases, phased, taps, places, used, rows, by_group, by_output, step, dense,
):  # fmt: skip
    """A convolution, or the gradient of one by its input.

    Parameters
    ----------
    x : pointer, (batch, groups, channels, given)
    weight : pointer; for output channel o of a group, at ``group * by_group + o * by_output + places[k]`` is what is
        multiplied with the input at taps[k]
    out : pointer, (batch, groups, outputs, size)
    planes : scratch memory, (groups, channels, plane) and two vectors
    packed : scratch memory, (groups, outputs rounded up to fours, used): the weights in the order they are used
    tile : scratch memory of 12 vectors
    copies, copied, stride : address of the table, its length, and the stride of the elements of a row in x
    phases, phased : address of the table of which taps and which rows belong together, and its length
    taps, places, used, rows : addresses of tables, and the length of the first two
    step : how far apart the outputs of a vector are
    dense : whether there is one phase, whose rows are the output from one end to the other
    """
    width = lanes(x)
    copies, phases, taps, places, rows = table(copies), table(phases), table(taps), table(places), table(rows)
    for i in range(groups * channels * plane + 2 * width):
        planes[i] = 0
    at = 0
    for group in range(groups):
        for o in range(0, outputs, 4):
            for k in range(used):
                for r in range(o, o + 4):
                    packed[at] = weight[group * by_group + (r if r < outputs else o) * by_output + places[k]]
                    at += 1
    end = batch * groups * outputs * size
    to = 0
    for n in range(batch):
        pack(x, n * groups * channels * given, planes, groups * channels, given, plane, copies, copied, stride)
        weights = base = 0
        for _ in range(groups):
            for o in range(0, outputs, 4):
                many = min(outputs - o, 4)
                for phase in range(0, 4 * phased, 4):
                    for t in range(phases[phase + 2], phases[phase + 3], 9):
                        q = rows[t + 7] + width
                        # What a row has too much is overwritten by the next row, and too many channels by the next.
                        fits = dense and q <= size and to + 3 * size + q <= end
                        target, at, apart, row = (out, to, size, t) if fits else (tile, 0, 3 * width, 0)
                        scaled_runs(planes, base, packed, weights, taps, phases[phase], phases[phase + 1], rows, t,
                                    target, at, apart, row)  # fmt: skip
                        if fits:
                            continue
                        for r in range(many):
                            for v in range(t, t + 9, 3):
                                q = to + r * size + rows[v + 1]
                                for i in range(at, at + rows[v + 2]):
                                    out[q] = tile[i]
                                    q += step
                                at += width
                to += many * size
                weights += 4 * used
            base += channels * plane


@kernel
def correlate_weight(
    x, g, out, planes, padded, sums, batch, groups, channels, outputs, given, plane, size,
    copies, copied, stride, taps, used, rows, many,
):  # fmt: skip
    """The gradient of a convolution by its weight.

    Parameters
    ----------
    x : pointer, (batch, groups, channels, given)
    g : pointer, (batch, groups, outputs, size)
    out : pointer, (groups, outputs, used)
    planes : scratch memory, (groups, channels, plane) and two vectors
    padded : scratch memory, (groups, outputs, many) vectors
    sums : scratch memory of a vector for each element of out, rounded up to fours of outputs and threes of taps
    copies, copied, stride : address of the table, its length, and the stride of the elements of a row in x
    taps, used : address of the table, and its length, without two more at its end
    rows, many : address of the table, and its length
    """
    width = lanes(x)
    copies, taps, rows = table(copies), table(taps), table(rows)
    threes, blocks = (used + 2) // 3, (outputs + 3) // 4
    line = many * width
    for i in range(groups * channels * plane + 2 * width):
        planes[i] = 0
    for i in range(groups * blocks * threes * 12 * width):
        sums[i] = 0
    source = 0
    for n in range(batch):
        start = n * groups * channels * given
        pack(x, start, planes, groups * channels, given, plane, copies, copied, stride)
        # Beyond the end of a row are zeros in g, and numbers of another row in x, which must be finite then.
        unusual = x[0] * 0
        for i in range(start, start + groups * channels * given):
            unusual = plus(unusual, x[i] * 0)
        to = 0
        for _ in range(groups * outputs):
            for t in range(0, 3 * many, 3):
                at, length = source + rows[t + 1], rows[t + 2]
                if at + width <= batch * groups * outputs * size:
                    copy_first(g, at, length, padded, to)
                else:
                    for i in range(width):
                        padded[to + i] = g[at + i] if i < length else g[at] * 0
                to += width
            source += size
        # In parts of 128 vectors, so that what is read again is still in the nearest cache.
        for begin in range(0, many, 128):
            end = min(begin + 128, many)
            q = base = at = 0
            for _ in range(groups):
                for o in range(0, outputs, 4):
                    left = min(outputs - o, 4)
                    for k in range(0, used, 3):
                        if unusual == 0:
                            shared_runs(padded, q, left - 1, line, planes, base, taps, k, rows, begin, end, sums, at)
                        else:
                            exact_runs(padded, q, left - 1, line, planes, base, taps, k, rows, begin, end, sums, at)
                        at += 12 * width
                    q += left * line
                base += channels * plane
    for o in range(groups * outputs):
        block = o // outputs * blocks + o % outputs // 4
        for k in range(used):
            at = ((block * threes + k // 3) * 12 + o % outputs % 4 * 3 + k % 3) * width
            total = sums[at]
            for i in range(at + 1, at + width):
                total += sums[i]
            out[o * used + k] = total
