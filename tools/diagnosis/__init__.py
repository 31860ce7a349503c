"""Why does it not learn: the training doctor and its pictures.

>>> import autograd_core as ag
>>> from autograd_core import nn
>>> from autograd_core.tools.diagnosis import doctor
>>> model = nn.Sequential(nn.Linear(2, 3), nn.Softmax(dim=-1))
>>> report = doctor(model, nn.CrossEntropyLoss(), (ag.randn(16, 2), ag.arange(16) % 3))
>>> [finding.code for finding in report.findings]
['D11-softmax-twice']
"""

from .doctor import Doctor, doctor
from .findings import DoctorReport, Finding
from .plots import (
    activation_histograms,
    gradient_flow,
    gradient_histograms,
    update_history,
    update_ratios,
    weight_histograms,
)
from .surfaces import SURFACES, Landscape, Surface, Trajectories, loss_landscape, optimizer_trajectories

__all__ = [
    "SURFACES",
    "Doctor",
    "DoctorReport",
    "Finding",
    "Landscape",
    "Surface",
    "Trajectories",
    "activation_histograms",
    "doctor",
    "gradient_flow",
    "gradient_histograms",
    "loss_landscape",
    "optimizer_trajectories",
    "update_history",
    "update_ratios",
    "weight_histograms",
]
