"""Arithmetic, exponentials, rounding, selection, comparison, special functions: one element in, one out.

NAMES are PyTorch's.  DEPARTURES gives, for a name, pairs: a test of a sample (its ``input``, ``args``, ``kwargs``),
and the reason why we decided otherwise for such samples.  CALLS are the functions whose samples do not begin with our
first argument.
"""

import autograd_core as ag

OPERATORS = "radd rsub rmul rdiv rmod rpow rand ror rxor"

FUNCTIONS = """
abs neg positive square reciprocal sign copysign hypot add sub rsub mul div true_divide floor_divide pow float_power
addcmul addcdiv lerp
exp exp2 expm1 log log2 log10 log1p sqrt rsqrt sigmoid logit logaddexp logaddexp2
sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh sinc deg2rad rad2deg
floor ceil trunc round frac remainder fmod heaviside
clamp clamp_min clamp_max maximum minimum fmax fmin where masked_fill nan_to_num
erf erfc erfinv lgamma digamma polygamma xlogy special.polygamma special.xlog1py
eq ne lt le gt ge equal allclose isclose isnan isinf isposinf isneginf isfinite signbit
logical_and logical_or logical_xor logical_not
bitwise_and bitwise_or bitwise_xor bitwise_not bitwise_left_shift bitwise_right_shift
"""

NAMES: set[str] = {f"__{name}__" for name in OPERATORS.split()} | set(FUNCTIONS.split())

DEPARTURES: dict = {}

CALLS = {
    "where": ag.Tensor.where,
    "polygamma": lambda x, n: ag.polygamma(n, x),
    "special.polygamma": lambda x, n: ag.special.polygamma(n, x),
}
