"""PyTorch's values and ours: converting the one into the other, and comparing them."""

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn

torch = pytest.importorskip("torch")
torch.set_num_threads(1)
pytest.importorskip("expecttest", reason="PyTorch's sample inputs need expecttest")

DTYPES = {torch.float32: ag.float32, torch.float64: ag.float64, torch.int64: ag.int64, torch.int32: ag.int32}
DTYPES |= {torch.bool: ag.bool, torch.float16: ag.float16, torch.uint8: ag.uint8, torch.int8: ag.int8}
DTYPES |= {torch.int16: ag.int16}


def converted(value, leaves):
    """The argument for us; floating tensors as leaves, noted together with PyTorch's."""
    if isinstance(value, torch.Tensor):
        if known := [mine for theirs, mine in leaves if theirs is value]:
            return known[0]
        array = value.detach().resolve_conj().numpy().copy()
        mine = ag.tensor(array, requires_grad=value.requires_grad)
        if value.requires_grad:
            leaves.append((value, mine))
        return mine
    if isinstance(value, torch.dtype):
        return DTYPES[value]
    if isinstance(value, torch.nn.TransformerEncoderLayer):
        return encoder_layer(value)
    if callable(value) and hasattr(nn.functional, getattr(value, "__name__", "")):
        return getattr(nn.functional, value.__name__)
    if isinstance(value, (list, tuple)) and not isinstance(value, torch.Size):
        return type(value)(converted(v, leaves) for v in value)
    if isinstance(value, dict):
        return {k: converted(v, leaves) for k, v in value.items()}
    return tuple(value) if isinstance(value, torch.Size) else value


def encoder_layer(theirs):
    """Our layer of the same options and weights."""
    attention = theirs.self_attn
    mine = nn.TransformerEncoderLayer(
        attention.embed_dim,
        attention.num_heads,
        theirs.linear1.out_features,
        theirs.dropout.p,
        converted(theirs.activation, []),
        theirs.norm1.eps,
        attention.batch_first,
        theirs.norm_first,
        attention.in_proj_bias is not None,
        dtype=ag.float64,
    )
    mine.load_state_dict({name: t.detach().double().numpy() for name, t in theirs.state_dict().items()})
    return mine


def flat(value):
    """The tensors of a result, in order."""
    if isinstance(value, (torch.Tensor, ag.Tensor, np.ndarray)):
        return [value]
    if isinstance(value, (list, tuple)):
        return [t for v in value for t in flat(v)]
    return [] if value is None else [torch.tensor(value)]


def array(tensor):
    return tensor.detach().numpy() if not isinstance(tensor, np.ndarray) else tensor


def same(found, expected, message, rtol=1e-7, atol=1e-9):
    assert found.shape == tuple(expected.shape), f"{message}: shape {found.shape}, PyTorch's {tuple(expected.shape)}"
    np.testing.assert_allclose(
        array(found), expected.detach().resolve_conj().numpy(), rtol=rtol, atol=atol, err_msg=message
    )
