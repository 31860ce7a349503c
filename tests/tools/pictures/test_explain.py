"""The derivation in words and LaTeX."""

import math
import re

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn
from autograd_core.primitive import REGISTRY
from autograd_core.tools.pictures.derivatives import LOCAL
from autograd_core.tools.pictures.explain import explain
from autograd_core.tools.pictures.graph import graph
from autograd_core.tools.pictures.notation import substituted, to_latex
from autograd_core.tools.pictures.step_page import save_page

DOT = "\N{MIDDLE DOT}"

EXTREMES = ("clamp_max", "clamp_min", "maximum", "minimum")

AT = {"acosh": (1.6,), "where": (True, 0.6, 0.3)}
"""Where operations are tried that 0.6 and 0.3 are no arguments of."""


def scalar(value, **options):
    return ag.tensor(value, dtype=np.float64, requires_grad=True, **options)


def lecture():
    x, y, z = scalar(2.0), scalar(3.0), scalar(2.0)
    with ag.record():
        f = (x + y) * (y - z)
    return explain(f)


def test_the_example_of_the_lecture():
    derivation = lecture()
    assert derivation.gradients == {"x": 1.0, "y": 6.0, "z": -5.0}
    text = str(derivation).replace(DOT, "*").replace("\N{PARTIAL DIFFERENTIAL}", "@")
    lines = [line.strip() for line in text.splitlines()]
    for line in (
        "v1 = x + y = 2 + 3 = 5",
        "v2 = y - z = 3 - 2 = 1",
        "f = v1 * v2 = 5 * 1 = 5",
        "df/df = 1",
        "@f/@v1 = v2 = 1",
        "df/dv1 = df/df * @f/@v1 = 1 * 1 = 1",
        "df/dv2 = df/df * @f/@v2 = 1 * 5 = 5",
        "df/dx = df/dv1 * @v1/@x = 1 * 1 = 1",
        "df/dy = df/dv1 * @v1/@y + df/dv2 * @v2/@y = 1 * 1 + 5 * 1 = 1 + 5 = 6",
        "df/dz = df/dv2 * @v2/@z = 5 * (-1) = -5",
        "Result: df/dx = 1, df/dy = 6, df/dz = -5.",
    ):
        assert line in lines
    assert lines.index("df/dv1 = df/df * @f/@v1 = 1 * 1 = 1") < lines.index("df/dx = df/dv1 * @v1/@x = 1 * 1 = 1")


def test_latex_is_well_formed():
    mathtext = pytest.importorskip("matplotlib.mathtext")
    parser = mathtext.MathTextParser("agg")
    w, under_score = scalar(-0.5), scalar(2.0)
    with ag.record():
        g = ag.exp(w * w) / (1 + w**2) - abs(w) * 1e-6 + ag.relu(w) * ag.log(under_score)
    for derivation in (lecture(), explain(g)):
        latex = derivation.latex
        assert latex.startswith("\\begin{aligned}\n&")
        assert latex.endswith("\n\\end{aligned}")
        for row in latex.splitlines()[1:-1]:
            parser.parse(f"${row.removesuffix(' ' + chr(92) * 2).removeprefix('&')}$")
        assert derivation._repr_latex_() == f"$$\n{latex}\n$$"
        formulas = re.findall(r"\$([^$]*)\$", derivation._repr_html_())
        assert len(formulas) > 10


def test_latex_of_what_is_derived():
    latex = lecture().latex
    assert r"\frac{d f}{d v_{1}} = \frac{d f}{d f} \cdot \frac{\partial f}{\partial {v_{1}}} = 1 \cdot 1 = 1" in latex
    assert r"5 \cdot \left(-1\right) = -5" in latex


@pytest.mark.parametrize(
    ("formula", "latex"),
    [
        ("x + y", "x + y"),
        ("a - (b - c)", r"a - \left(b - c\right)"),
        ("(x + 1)^2 / exp(-x)", r"\frac{\left(x + 1\right)^{2}}{e^{-x}}"),
        (f"(-3)^2 {DOT} v10", r"\left(-3\right)^{2} \cdot v_{10}"),
        ("|x| + log(1 + rate)", r"\left|x\right| + \ln\left(1 + \mathrm{rate}\right)"),
        ("2e-05", r"2 \cdot 10^{-5}"),
        ("sqrt(inf)", r"\sqrt{\infty}"),
        ("frob_nicate(x, 2)", r"\mathrm{frob\_nicate}\left(x, 2\right)"),
        ("sum(x, dim 0)", r"\text{sum(x, dim 0)}"),
        ("1 if x >= -2 else 0", r"1 \text{ if } x \geq -2 \text{ else } 0"),
        ("(x > 0) + 1", r"\left(x > 0\right) + 1"),
    ],
)
def test_formulas_in_latex(formula, latex):
    assert to_latex(formula) == latex


def test_numbers_take_the_place_of_names():
    values = {"x": "-3", "v1": "2", "exp": "7"}
    assert substituted("x^2 + exp(v1) - v10", values) == "(-3)^2 + exp(2) - v10"
    assert substituted("max(x, v1)", values) == "max(-3, 2)"
    assert substituted("|x|", values) == "|-3|"


def test_an_exponent_and_the_value_of_the_time_before_are_no_names_with_a_value():
    assert substituted("e + 1e-06", {"e": "2"}) == "2 + 1e-06"
    assert substituted("w * previous x + x", {"w": "5", "x": "2"}) == "5 * previous x + 2"


KINKS = [
    *((name, (0.0,)) for name in ("abs", "relu")),
    *((name, (-0.6,)) for name in ("abs", "relu")),
    *((name, values) for name in EXTREMES for values in ((0.6, 0.6), (0.3, 0.6))),
]


@pytest.mark.parametrize(("name", "values"), [*((name, AT.get(name, (0.6, 0.3))) for name in sorted(LOCAL)), *KINKS])
def test_local_derivatives_are_those_of_the_rules(name, values):
    forms = LOCAL[name]
    given = [scalar(value) if isinstance(value, float) else ag.tensor(value) for value in values[: len(forms)]]
    y = REGISTRY[name](*given)
    known = {"y": y.item(), "sign": np.sign, **{n: getattr(math, n) for n in dir(math)}}
    known |= {letter: t.item() for letter, t in zip("abc", given, strict=False)}
    for form, t in zip(forms, given, strict=True):
        if t.requires_grad:
            (gradient,) = ag.grad(y, [t], retain_graph=True)
            assert eval(form.replace("^", "**"), known) == pytest.approx(gradient.item(), rel=1e-12)


def test_an_operand_used_twice_by_one_operation():
    x = scalar(3.0)
    with ag.record():
        square = x * x
    derivation = explain(square)
    assert derivation.gradients == {"x": 6.0}
    assert f"= 1 {DOT} 3 + 1 {DOT} 3 = 3 + 3 = 6" in derivation.text


def test_gradients_are_the_engines():
    rng = np.random.default_rng(3)
    for _ in range(10):
        a, b, c = (scalar(v) for v in rng.uniform(0.5, 2.0, 3))
        with ag.record():
            out = ag.tanh(a * b - c / a) ** 2 + ag.sin(b) * ag.log(c) - a.clamp(max=1.0)
        expected = ag.grad(out, [a, b, c], retain_graph=True)
        assert explain(out).gradients == {n: g.item() for n, g in zip("abc", expected, strict=True)}


def test_names_and_unrecorded_graphs():
    derivation = explain((scalar(2.0, name="speed") * scalar(3.0)) ** 2, names={"unused": scalar(1.0)})
    assert derivation.gradients["speed"] == 36.0
    assert "speed" in derivation.text


def test_parameters_of_the_same_last_name_are_told_apart():
    ag.manual_seed(0)
    model = nn.Sequential(nn.Linear(1, 1), nn.Tanh(), nn.Linear(1, 1))
    with ag.record():
        out = model(ag.ones(1, 1)).sum()
    expected = ag.grad(out, list(model.parameters()), retain_graph=True)
    derivation = explain(out)
    names = [f"model.{name}" for name, _ in model.named_parameters()]
    assert derivation.gradients == {name: g.item() for name, g in zip(names, expected, strict=True)}
    assert "Result: dout/dmodel.0.weight = " in derivation.text


def test_local_derivatives_at_kinks_say_why():
    x, y = scalar(-0.7), scalar(2.5)
    with ag.record():
        f = ag.relu(x) + ag.maximum(x, y)
    lines = [line.strip() for line in explain(f).text.splitlines()]
    d = "\N{PARTIAL DIFFERENTIAL}"
    assert f"{d}v1/{d}x = 1 if x > 0 else 0 = 1 if (-0.7) > 0 else 0 = 0" in lines
    assert f"{d}v2/{d}y = (1 + sign(y - x)) / 2 = (1 + sign(2.5 - (-0.7))) / 2 = 1" in lines


def test_a_leaf_by_itself():
    x = scalar(2.0)
    assert explain(x).gradients == {"x": 1.0}


def test_what_cannot_be_explained():
    with pytest.raises(TypeError, match="expected a tensor, got float"):
        explain(2.0)
    with pytest.raises(RuntimeError, match="nothing was recorded"):
        explain(ag.tensor(1.0))
    w = ag.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(ValueError, match=r"single numbers, but w has shape and dtype \(2,\)"):
        explain((w * w).sum())
    x = scalar(1.0)
    y = ag.exp(x)
    y.backward()
    with pytest.raises(RuntimeError, match="explain: No gradients: a backward"):
        explain(y)


def test_a_value_that_was_changed_since_is_not_made_up():
    w, x = ag.tensor(2.0, requires_grad=True), ag.tensor(3.0)
    with ag.record():
        loss = w * x
    with ag.no_grad():
        w += 1
    lines = explain(loss).text.splitlines()
    assert re.fullmatch(r"w was changed since by add_ \(.*\), and what it was is not known\.", lines[1])
    assert lines[3].strip() == "loss = w \N{MIDDLE DOT} x = w \N{MIDDLE DOT} 3 = 6"


def test_whole_powers():
    x = ag.tensor(3.0, requires_grad=True)
    with ag.record():
        y = x**3
    assert "\N{PARTIAL DIFFERENTIAL}x = 3 \N{MIDDLE DOT} x^2 = 3 \N{MIDDLE DOT} 3^2 = 27" in explain(y).text
    with ag.record():
        y = x**2
    assert "\N{PARTIAL DIFFERENTIAL}x = 2 \N{MIDDLE DOT} x = 2 \N{MIDDLE DOT} 3 = 6" in explain(y).text


@pytest.mark.parametrize(("call", "arguments"), [(explain, ()), (graph, ()), (save_page, ("page.html",))])
def test_errors_name_what_was_called(call, arguments):
    with pytest.raises(RuntimeError, match=f"^{call.__name__}: the tensor of shape"):
        call(ag.ones(2), *arguments)
    with pytest.raises(TypeError, match=f"^{call.__name__}: expected a tensor"):
        call(3, *arguments)
    with pytest.raises(TypeError, match=f"^{call.__name__}: names must map names to tensors"):
        call(ag.ones(2), *arguments, names=3)
