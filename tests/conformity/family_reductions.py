"""Reductions, extremes, softmax, cumulative sums, sorting, statistics.

NAMES are PyTorch's.  DEPARTURES gives, for a name, pairs: a test of a sample (its ``input``, ``args``, ``kwargs``),
and the reason why we decided otherwise for such samples.
"""

NAMES: set[str] = {
    "all",
    "amax",
    "amin",
    "aminmax",
    "any",
    "argmax",
    "argmin",
    "argsort",
    "bincount",
    "bucketize",
    "corrcoef",
    "count_nonzero",
    "cov",
    "cummax",
    "cummin",
    "cumprod",
    "cumsum",
    "cumulative_trapezoid",
    "histc",
    "kthvalue",
    "log_softmax",
    "logcumsumexp",
    "logsumexp",
    "max",
    "mean",
    "median",
    "min",
    "mode",
    "msort",
    "nanmean",
    "nanmedian",
    "nanquantile",
    "nansum",
    "nonzero",
    "norm",
    "prod",
    "quantile",
    "searchsorted",
    "softmax",
    "sort",
    "std",
    "std_mean",
    "sum",
    "topk",
    "trapezoid",
    "trapz",
    "unique",
    "var",
    "var_mean",
}


def _even(sample):
    """Over all elements, of an even count."""
    return not sample.args and "dim" not in sample.kwargs and sample.input.numel() % 2 == 0


def _single_weights(sample):
    """Weights in single precision beside observations in double."""
    weights = sample.kwargs.get("aweights")
    return weights is not None and weights.dtype != sample.input.dtype


DEPARTURES: dict = {
    "cov": [(_single_weights, "the gradient by float32 weights agrees only to float32's rounding")],
    "median": [(_even, "the median of an even count is NumPy's mean of the two; PyTorch's is the lower")],
    "nanmedian": [(_even, "the median of an even count is NumPy's mean of the two; PyTorch's is the lower")],
}
