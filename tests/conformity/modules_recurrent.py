"""Recurrent layers: where ours differ from PyTorch's on PyTorch's samples."""

DEPARTURES = {}
