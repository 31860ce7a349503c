"""Where our losses decided otherwise than PyTorch's, and why."""


def _all_ignored(sample):
    ignored = (sample.inputs[1] == sample.kwargs.get("ignore_index", -100)).all()
    return bool(ignored) and sample.kwargs.get("reduction", "mean") == "mean"


DEPARTURES: dict = {
    "CrossEntropyLoss": [
        (_all_ignored, "the mean with every target ignored is 0, with a warning and gradient 0; PyTorch's is NaN")
    ],
    "KLDivLoss": [
        (
            lambda sample: sample.kwargs.get("reduction") == "batchmean" and sample.inputs[0].ndim == 0,
            "batchmean divides by the size of the first dimension, which a 0-d input has not",
        )
    ],
}
