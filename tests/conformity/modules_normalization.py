"""Normalisation and dropout: where we decided otherwise than PyTorch's modules."""

DEPARTURES: dict = {}
