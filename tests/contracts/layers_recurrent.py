"""The recurrent layers and cells."""

from contract import Layer

import autograd_core as ag
from autograd_core import nn


def absent(rng):
    """No initial state."""


LAYERS = {
    "RNNCell": Layer(
        lambda: nn.RNNCell(2, 3),
        ((2, 2), (2, 3)),
        empty=((0, 2), (0, 3)),
        wrong=[
            (((2, 3),), r"RNNCell: expected input of shape \(N, 2\) or \(2,\), got \(2, 3\)"),
            (((2, 2), (2, 2)), r"RNNCell: expected h of hx to have shape \(2, 3\), got \(2, 2\)"),
        ],
    ),
    "RNNCell-relu": Layer(lambda: nn.RNNCell(2, 3, bias=False, nonlinearity="relu"), ((2,), (3,))),
    "LSTMCell": Layer(
        lambda: nn.LSTMCell(2, 3),
        ((2, 2), ((2, 3), (2, 3))),
        empty=((0, 2), ((0, 3), (0, 3))),
        wrong=[
            (((4, 2, 2),), r"LSTMCell: expected input of shape \(N, 2\)"),
            (((2, 2), (2, 3)), r"LSTMCell: expected hx to be a pair \(h, c\)"),
            (((2, 2), ((2, 3), (2, 2))), r"LSTMCell: expected c of hx to have shape \(2, 3\), got \(2, 2\)"),
        ],
    ),
    "LSTMCell-unbatched": Layer(lambda: nn.LSTMCell(2, 3, bias=False), ((2,),)),
    "GRUCell": Layer(
        lambda: nn.GRUCell(2, 3),
        ((2, 2), (2, 3)),
        empty=((0, 2), (0, 3)),
        wrong=[(((2, 2), (3, 3)), r"GRUCell: expected h of hx to have shape \(2, 3\), got \(3, 3\)")],
    ),
    "GRUCell-unbatched": Layer(lambda: nn.GRUCell(2, 3, bias=False), ((2,),)),
    "RNN": Layer(
        lambda: nn.RNN(2, 3),
        ((3, 2, 2),),
        empty=((3, 0, 2),),
        wrong=[
            (((3, 2, 3),), r"RNN: expected input of shape \(T, N, 2\) or \(T, 2\), got \(3, 2, 3\)"),
            (((3, 2, 2), (1, 3, 3)), r"RNN: expected h of hx to have shape \(1, 2, 3\), got \(1, 3, 3\)"),
            (((0, 2, 2),), r"RNN: expected sequences of at least one step, got input of shape \(0, 2, 2\)"),
        ],
    ),
    "RNN-relu": Layer(lambda: nn.RNN(1, 2, 2, "relu", bidirectional=True), ((2, 1), (4, 2))),
    "RNN-lengths": Layer(
        lambda: nn.RNN(2, 1, bidirectional=True, batch_first=True),
        ((2, 3, 2),),
        options={"lengths": ag.tensor([3, 1])},
        wrong=[
            (((3, 3, 2),), r"RNN: expected lengths of shape \(3,\), one for each sequence, got \(2,\)"),
            (((2, 2, 2),), "RNN: expected lengths from 0 to 2, the number of steps, got 3"),
        ],
    ),
    "LSTM": Layer(
        lambda: nn.LSTM(2, 1),
        ((2, 2, 2), ((1, 2, 1), (1, 2, 1))),
        empty=((2, 0, 2), ((1, 0, 1), (1, 0, 1))),
        wrong=[
            (((3, 2, 1),), r"LSTM: expected input of shape \(T, N, 2\) or \(T, 2\), got \(3, 2, 1\)"),
            (((3, 2, 2), (1, 2, 1)), r"LSTM: expected hx to be a pair \(h, c\)"),
        ],
    ),
    "LSTM-projected": Layer(lambda: nn.LSTM(1, 2, proj_size=1, batch_first=True), ((1, 2, 1),)),
    "LSTM-dropout": Layer(lambda: nn.LSTM(1, 1, 2, bias=False, dropout=0.5), ((3, 1),)),
    "LSTM-lengths": Layer(
        lambda: nn.LSTM(1, 1, bidirectional=True), ((3, 2, 1), absent), options={"lengths": ag.tensor([1, 3])}
    ),
    "GRU": Layer(
        lambda: nn.GRU(2, 2),
        ((2, 2, 2),),
        empty=((3, 0, 2),),
        wrong=[(((2,),), r"GRU: expected input of shape \(T, N, 2\) or \(T, 2\), got \(2,\)")],
    ),
    "GRU-deep": Layer(lambda: nn.GRU(1, 1, 2, dropout=0.5, batch_first=True, bidirectional=True), ((1, 2, 1),)),
    "GRU-lengths": Layer(
        lambda: nn.GRU(1, 1, bidirectional=True), ((3, 2, 1), (2, 2, 1)), options={"lengths": ag.tensor([1, 3])}
    ),
}
