"""What people use around a model: the gradient checker, pictures of the backward pass, training, saving.

>>> import autograd_core as ag
>>> from autograd_core.tools import gradcheck
>>> bool(gradcheck(ag.tanh, ag.tensor([0.5, -1.0])))
True
"""

if not __name__.startswith("autograd_core."):
    raise ImportError("import it as autograd_core.tools: 'from autograd_core import tools'")

from .diagnosis_plots import (
    activation_histograms,
    gradient_flow,
    gradient_histograms,
    update_history,
    update_ratios,
    weight_histograms,
)
from .diagnosis_surfaces import SURFACES, Landscape, Surface, Trajectories, loss_landscape, optimizer_trajectories
from .doctor import Doctor, DoctorReport, Finding, doctor
from .explain import Explanation, explain
from .gradcheck import assert_gradients, gradcheck
from .gradcheck_report import Culprit, GradcheckReport
from .picture import Arrow, Box, Cluster, Picture, graph
from .range_finder import RangeTest, find_rate
from .step_page import save_page
from .weights import load_weights, save_weights

__all__ = [
    "SURFACES",
    "Arrow",
    "Box",
    "Cluster",
    "Culprit",
    "Doctor",
    "DoctorReport",
    "Explanation",
    "Finding",
    "GradcheckReport",
    "Landscape",
    "Picture",
    "RangeTest",
    "Surface",
    "Trajectories",
    "activation_histograms",
    "assert_gradients",
    "doctor",
    "explain",
    "find_rate",
    "gradcheck",
    "gradient_flow",
    "gradient_histograms",
    "graph",
    "load_weights",
    "loss_landscape",
    "optimizer_trajectories",
    "save_page",
    "save_weights",
    "update_history",
    "update_ratios",
    "weight_histograms",
]
