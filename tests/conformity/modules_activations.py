"""Where our activations decided otherwise than PyTorch's modules, and why: nowhere."""

DEPARTURES: dict = {}
