"""The error function and its complement, vectorised; see `exponential` for the method and the errors.

For large arguments ``(1 + 2 x) exp(x**2) erfc(x)`` is a polynomial in ``(x - k) / (x + k)``, for all x at once
(Shepherd & Laframboise, Mathematics of Computation 36, 1981).
"""

from __future__ import annotations

from .exponential import exp
from .jit import function
from .typed import constant, copysign, fma, polynomial

_ONE = constant(1.0)

_NEAR = polynomial(  # erf(x) / x - 1, in x**2
    [0.12837915, -0.37612516, 0.112820834, -0.026777195, 0.005009763, -0.0006080199],
    [0.12837916709551256, -0.3761263890318326, 0.1128379167091327, -0.026866170629825208, 0.005223977331905118,
     -0.0008548294625607735, 0.00012053199700619726, -1.4842740406357477e-05, 1.469649461046637e-06],
)  # fmt: skip
_DECAY = polynomial(  # -log(erfc(x))
    [-0.00017327283, 1.1295092, 0.63335615, 0.10827263, -0.025116464, 0.0041706846, -0.00043454653, 2.1116959e-05],
)
_TAIL = polynomial(
    [1.238453965790, -0.140271304063, 0.000959342058262, 0.085254260115, -0.110239663134, 0.0915904361410,
     -0.0566922764311, 0.0271157009982, -0.00882133968783],
    [1.2384539793123546, -0.14027115596218098, 0.000957562645607285, 0.08524723650181595, -0.11020496512131275,
     0.09169192249622736, -0.056895159985836385, 0.02652561199078681, -0.00854749974553824, 0.0012411313412754705,
     0.00040466089433232005, -0.0002697668824844867, 2.8768949937780058e-05, 2.6585408116918732e-05,
     -9.125690874226676e-06, -2.124039770773699e-06, 1.5703709905533046e-06, 1.5328218131573942e-07,
     -2.3218539072218675e-07, -1.1602613386670481e-08, 2.4138056626585667e-08, 1.0185668944791317e-09],
)  # fmt: skip
_CENTRE, _HALF = constant(3.7), constant(0.5)
_END = constant(10.2, 28.0)
"""From here on erfc is 0."""
_FAR, _FARTHEST = constant(0.9), constant(3.95)


@function
def erf32(x):  # type: ignore[no-untyped-def]
    """The error function of a float32, within 1.1 ulp."""
    y = abs(x)
    near = x + x * _NEAR(x * x)
    far = _ONE(x) - exp(-_DECAY(y if not y > _FARTHEST(x) else _FARTHEST(x)))
    far = copysign(far, x)
    return near if y < _FAR(x) else far


@function
def _erfc_far(x):  # type: ignore[no-untyped-def]
    """``erfc(x)`` of a number that is at least 0.4."""
    x = _END(x) if x > _END(x) else x
    square = x * x
    decay = exp(-square)
    decay = decay - decay * fma(x, x, -square)
    return decay * _TAIL((x - _CENTRE(x)) / (x + _CENTRE(x))) / fma(x + x, _ONE(x), _ONE(x))


@function
def erf(x):  # type: ignore[no-untyped-def]
    """The error function of a float64, within 1.3 ulp."""
    y = abs(x)
    near, far = x + x * _NEAR(x * x), copysign(1.0 - _erfc_far(y), x)
    return near if y < 0.5 else far


@function
def erfc(x):  # type: ignore[no-untyped-def]
    """``1 - erf(x)``, within 4.0 ulp (float64: 3.5)."""
    y = abs(x)
    far = _erfc_far(y)
    far = _ONE(x) - far + _ONE(x) if x < 0 else far
    near = _ONE(x) - (x + x * _NEAR(x * x))
    return near if y < _HALF(x) else far
