"""Attention and the Transformer: where ours differ from PyTorch's on PyTorch's samples."""

DEPARTURES = {}
