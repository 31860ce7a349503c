"""Order: sorting along a dimension, the most frequent, and where a value belongs."""

from __future__ import annotations

from .jit import function, kernel

__all__ = ["argmode", "argsort", "searchsorted"]

RUN = 8


@function
def before(a, b):  # type: ignore[no-untyped-def]
    """Whether `a` comes before `b`, NaN after all."""
    return (a < b) | ((b != b) & (a == a))


@kernel
def _insert(keys, order, n):  # type: ignore[no-untyped-def]
    """Sort runs of a few elements."""
    for start in range(0, n, RUN):
        for k in range(start + 1, min(start + RUN, n)):
            key = keys[k]
            place = order[k]
            j = k
            while j > start and before(key, keys[j - 1]):
                keys[j] = keys[j - 1]
                order[j] = order[j - 1]
                j -= 1
            keys[j] = key
            order[j] = place


@kernel
def _merge(keys, order, to_keys, to_order, n, width):  # type: ignore[no-untyped-def]
    """Make one sorted run of each two, of `width` elements each; of equals the first stays first."""
    for start in range(0, n, 2 * width):
        a = start
        b = middle = min(start + width, n)
        stop = min(start + 2 * width, n)
        k = start
        while a < middle and b < stop:
            if before(keys[b], keys[a]):
                at = b
                b += 1
            else:
                at = a
                a += 1
            to_keys[k] = keys[at]
            to_order[k] = order[at]
            k += 1
        rest = b if b < stop else a
        for r in range(stop - k):
            to_keys[k + r] = keys[rest + r]
            to_order[k + r] = order[rest + r]


@kernel
def _sort(keys, order, other_keys, other_order, n):  # type: ignore[no-untyped-def]
    """Sort `n` keys, and the places that go with them; whether they are in the other memory now."""
    _insert(keys, order, n)
    width, other = RUN, False
    while width < n:
        if other:
            _merge(other_keys, other_order, keys, order, n, width)
        else:
            _merge(keys, order, other_keys, other_order, n, width)
        other = not other
        width *= 2
    return other


@kernel
def argsort(x, keys, order, other_keys, other_order, out, outer, n, inner, descending):  # type: ignore[no-untyped-def]
    """The order along the middle one of three dimensions; equals stay in order."""
    for i in range(outer):
        for j in range(inner):
            at = i * n * inner + j
            for k in range(n):
                keys[k] = x[at + (n - 1 - k if descending else k) * inner]
                order[k] = k
            other = _sort(keys, order, other_keys, other_order, n)
            for k in range(n):
                # Sorted backwards and read backwards, equals (and NaN) keep their order.
                r = n - 1 - k if descending else k
                place = other_order[r] if other else order[r]
                out[at + k * inner] = n - 1 - place if descending else place


@kernel
def argmode(x, keys, order, other_keys, other_order, out, outer, n, inner):  # type: ignore[no-untyped-def]
    """The last place of the most frequent along the middle one of three dimensions, of the smallest of those."""
    for i in range(outer):
        for j in range(inner):
            at = i * n * inner + j
            for k in range(n):
                keys[k] = x[at + k * inner]
                order[k] = k
            other = _sort(keys, order, other_keys, other_order, n)
            last = length = longest = 0
            for k in range(n):
                place = other_order[k] if other else order[k]
                # As NumPy's differences have it, infinities and NaN are no equals.
                same = k > 0 and x[at + place * inner] - x[at + last * inner] == 0
                length = length + 1 if same else 0
                if k == 0 or length > longest:
                    longest = length
                    out[i * inner + j] = place
                last = place


@kernel
def searchsorted(edges, x, out, n, m, outer, shared, right):  # type: ignore[no-untyped-def]
    """Where each of (outer, m) values belongs among `n` sorted ones, of its row or `shared` by all."""
    for i in range(outer):
        row = 0 if shared else i * n
        for j in range(m):
            value = x[i * m + j]
            low = 0
            high = n
            while low < high:
                middle = (low + high) // 2
                edge = edges[row + middle]
                if not before(value, edge) if right else before(edge, value):
                    low = middle + 1
                else:
                    high = middle
            out[i * m + j] = low
