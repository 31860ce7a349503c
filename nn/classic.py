"""Single units of the field's first decades, and linear classifiers: a weighted sum, and what is done with it."""

from __future__ import annotations

from typing import Any

from autograd_core import Tensor, arange, argmax, as_tensor, heaviside, no_grad, sigmoid, softmax, stack, tensor, where

from . import checks, init
from . import functional as F
from .linear import Linear
from .module import Module

__all__ = ["Adaline", "LinearSVM", "LogisticRegression", "McCullochPitts", "Perceptron", "SigmoidNeuron"]


# Units: one number for each example


class McCullochPitts(Module):
    """1 where the weighted sum of the inputs reaches the threshold, 0 elsewhere; nothing is learned.

    McCulloch & Pitts, "A logical calculus of the ideas immanent in nervous activity" (1943), with weights, so that an
    input can count against the others.

    Parameters
    ----------
    weight : sequence of float
        Of each input; they become a buffer.
    threshold : float

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> both = nn.McCullochPitts([1, 1], threshold=2)
    >>> both(ag.tensor([[0, 0], [0, 1], [1, 0], [1, 1]]))
    tensor([0., 0., 0., 1.])
    """

    weight: Tensor
    threshold: Tensor

    def __init__(self, weight: Any, threshold: float, *, dtype: Any = None) -> None:
        super().__init__()
        values = [float(w) for w in weight]
        self.register_buffer("weight", tensor([values], dtype=dtype))
        self.register_buffer("threshold", tensor(float(threshold), dtype=dtype))

    def forward(self, input: Any) -> Any:
        return heaviside(F.linear(input, self.weight).squeeze(-1) - self.threshold, 1.0)

    def extra_repr(self) -> str:
        return f"weight={self.weight[0].tolist()}, threshold={self.threshold.item()}"


class _Unit(Linear):
    """A weighted sum of the inputs and a bias, of shape (...) for inputs of shape (..., in_features)."""

    def __init__(self, in_features: int, *, dtype: Any = None) -> None:
        super().__init__(in_features, 1, dtype=dtype)

    def forward(self, input: Any) -> Any:
        return super().forward(input).squeeze(-1)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}"


class _Corrected(_Unit):
    """A unit that starts at 0 and learns from its errors, one example after the other."""

    def reset_parameters(self) -> None:
        for parameter in self.parameters():
            init.zeros_(parameter)

    def _corrected(self, x: Any, y: Any, lr: float) -> list[float]:
        """One pass of ``θ ← θ + lr (y - ŷ) x``; the errors ``y - ŷ`` on the way."""
        x, y = as_tensor(x), as_tensor(y)
        if x.ndim != 2 or y.shape != x.shape[:1]:
            raise ValueError(
                f"{type(self).__name__}.learn: expected x of shape (N, {self.in_features}) and y of shape (N,), "
                f"got {x.shape} and {y.shape}"
            )
        assert self.bias is not None
        errors = []
        with no_grad():
            for example, wanted in zip(x, y, strict=True):
                error = wanted - self(example)
                self.weight.add_(lr * error * example)
                self.bias.add_(lr * error)
                errors.append(error.item())
        return errors


class Perceptron(_Corrected):
    """The threshold logic unit: 1 where the weighted sum is at least 0; elsewhere 0, or -1 if the output is "sign".

    Its gradient is 0 everywhere; it learns by :meth:`learn`, from weights of 0.

    Rosenblatt, "The perceptron: a probabilistic model for information storage and organization in the brain" (1958).

    Parameters
    ----------
    in_features : int
    output : "heaviside" or "sign"
    dtype : optional
        Of the parameters; the default dtype if not given.

    Raises
    ------
    ValueError
        If the output is neither, or the input's last dimension is not `in_features`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> x, y = ag.tensor([[0, 0], [0, 1], [1, 0], [1, 1]]), ag.tensor([0, 1, 1, 1])
    >>> either = nn.Perceptron(2)
    >>> either.learn(x, y, passes=100)
    5
    >>> either(x).tolist()
    [0.0, 1.0, 1.0, 1.0]
    """

    def __init__(self, in_features: int, output: str = "heaviside", *, dtype: Any = None) -> None:
        super().__init__(in_features, dtype=dtype)
        if output not in ("heaviside", "sign"):
            raise ValueError(f"Perceptron: expected output 'heaviside' or 'sign', got {output!r}")
        self.output = output

    def forward(self, input: Any) -> Any:
        step = heaviside(super().forward(input), 1.0)
        return step if self.output == "heaviside" else 2 * step - 1

    def learn(self, x: Any, y: Any, lr: float = 1.0, *, passes: int = 1) -> int:
        """Go over the examples with the perceptron rule, ``θ ← θ + lr (y - ŷ) x``, until a pass makes no mistake.

        If the examples are separable, it makes at most (R / margin)² mistakes, where R is the largest norm of an
        example with a 1 for the bias, and the margin is the least distance of these to some plane through 0 that
        separates them (Novikoff, "On convergence proofs on perceptrons", 1962).  If not, it never stops making them.

        Parameters
        ----------
        x : examples, shape (N, in_features)
        y : what the unit should give, shape (N,): 0 and 1, or -1 and 1
        lr : η
        passes : at most so many

        Returns
        -------
        The number of mistakes made; θ was corrected after each.

        Raises
        ------
        ValueError
            If shapes do not fit, or `y` has other values.
        """
        checks.one_of("Perceptron.learn", as_tensor(y), (0, 1) if self.output == "heaviside" else (-1, 1))
        mistakes = 0
        for _ in range(passes):
            made = sum(error != 0 for error in self._corrected(x, y, lr))
            if not made:
                break
            mistakes += made
        return mistakes

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, output={self.output!r}"


class Adaline(_Corrected):
    """The adaptive linear unit: a weighted sum that learns by the delta rule, from weights of 0.

    Widrow & Hoff, "Adaptive switching circuits" (1960).

    Parameters
    ----------
    in_features : int
    dtype : optional
        Of the parameters; the default dtype if not given.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> unit = nn.Adaline(1)
    >>> unit.learn(ag.tensor([[1.0], [2.0]]), ag.tensor([1.0, 1.0]), lr=0.5)
    0.3125
    >>> unit.weight.item(), unit.bias.item()
    (0.0, 0.25)
    """

    def learn(self, x: Any, y: Any, lr: float) -> float:
        """Go over the examples once with the delta rule, ``θ ← θ + lr (y - ŷ) x``.

        It is the step of gradient descent on half the squared error of one example.

        Parameters
        ----------
        x : examples, shape (N, in_features)
        y : what the unit should give, shape (N,)
        lr : η; below 2 / (‖x‖² + 1), or the error grows

        Returns
        -------
        Half the mean of the squared errors met on the way; 0 without examples.
        """
        errors = self._corrected(x, y, lr)
        return sum(error**2 for error in errors) / (2 * max(len(errors), 1))

    def loss(self, x: Any, y: Any) -> Any:
        """Half the mean squared error."""
        return 0.5 * F.mse_loss(self(x), y)


class SigmoidNeuron(_Unit):
    """``sigmoid(w · x + b)``, a perceptron with a smooth step.

    Parameters
    ----------
    in_features : int
    dtype : optional
        Of the parameters; the default dtype if not given.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> neuron = nn.SigmoidNeuron(3)
    >>> neuron(ag.ones(5, 3)).shape
    (5,)
    """

    def forward(self, input: Any) -> Any:
        return sigmoid(super().forward(input))

    def loss(self, x: Any, y: Any) -> Any:
        """Half the mean squared error; for the cross-entropy there is :class:`LogisticRegression`."""
        return 0.5 * F.mse_loss(self(x), y)


# Linear classifiers: a score for each class


class _LinearClassifier(Linear):
    """Scores of classes, and the loss of an objective with an L2 penalty; a subclass says which.

    Two classes need one score, of class 1 against class 0.
    """

    def __init__(self, in_features: int, num_classes: int = 2, *, l2: float = 0.0, dtype: Any = None) -> None:
        name = type(self).__name__
        if num_classes < 2:
            raise ValueError(f"{name}: expected at least 2 classes, got num_classes={num_classes}")
        if not l2 >= 0:
            raise ValueError(f"{name}: l2 must be at least 0, got {l2}")
        super().__init__(in_features, 1 if num_classes == 2 else num_classes, dtype=dtype)
        self.num_classes, self.l2 = num_classes, l2

    def forward(self, input: Any) -> Any:
        scores = super().forward(input)
        return scores.squeeze(-1) if self.num_classes == 2 else scores

    def _data_loss(self, scores: Any, y: Tensor) -> Any:
        raise NotImplementedError

    def loss(self, x: Any, y: Any) -> Any:
        """What to minimise: the mean loss of the examples, and ``l2 / 2 ‖weight‖²`` (the bias is not penalised).

        Parameters
        ----------
        x : examples, shape (N, in_features)
        y : integer classes, shape (N,)

        Raises
        ------
        ValueError, IndexError
            If shapes do not fit, or a class is not in 0 .. num_classes - 1.
        """
        y, operation = as_tensor(y), f"{type(self).__name__}.loss"
        if self.num_classes == 2:
            checks.one_of(operation, y, (0, 1))
        else:
            checks.integers(operation, y)
            checks.classes_in_range(operation, y, self.num_classes)
        loss = self._data_loss(self(x), y)
        return loss + 0.5 * self.l2 * (self.weight * self.weight).sum() if self.l2 else loss

    def predict(self, x: Any) -> Any:
        """The class with the highest score, int64 of shape (N,)."""
        with no_grad():
            scores = self(x)
            return (scores > 0).long() if self.num_classes == 2 else argmax(scores, -1)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, num_classes={self.num_classes}, l2={self.l2}"


class LogisticRegression(_LinearClassifier):
    """The linear classifier whose scores are log-odds; for more than two classes, the softmax classifier.

    ``forward`` gives the scores: one for two classes, shape (N,), else one for each class, shape (N, num_classes).
    With ``l2 = 1 / (C N)`` its loss is that of scikit-learn, divided by C N.

    Parameters
    ----------
    in_features : int
    num_classes : int
    l2 : float
        Weight of the penalty, at least 0.
    dtype : optional
        Of the parameters; the default dtype if not given.

    Raises
    ------
    ValueError
        If an option is out of range, or the input's last dimension is not `in_features`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> x, y = ag.tensor([[0.0], [1.0], [2.0], [3.0]]), ag.tensor([0, 0, 1, 1])
    >>> model = nn.LogisticRegression(1)
    >>> for _ in range(100):
    ...     model.zero_grad()
    ...     model.loss(x, y).backward()
    ...     with ag.no_grad():
    ...         for p in model.parameters():
    ...             p -= 2.0 * p.grad
    >>> model.predict(x)
    tensor([0, 0, 1, 1])
    """

    def _data_loss(self, scores: Any, y: Tensor) -> Any:
        if self.num_classes == 2:
            return F.binary_cross_entropy_with_logits(scores, y.to(scores.dtype))
        return F.cross_entropy(scores, y)

    def predict_proba(self, x: Any) -> Any:
        """The probability of each class, shape (N, num_classes)."""
        with no_grad():
            scores = self(x)
            if self.num_classes == 2:
                return stack([sigmoid(-scores), sigmoid(scores)], -1)
            return softmax(scores, -1)


class LinearSVM(_LinearClassifier):
    """The linear support vector machine: each class against the rest, with a margin.

    The loss of an example is ``max(0, 1 - t s)``, or its square, summed over the scores s; t is 1 for the example's
    class and -1 for the rest.  Scores are as for :class:`LogisticRegression`.  With ``l2 = 1 / (C N)`` its loss is the
    objective of scikit-learn's LinearSVC divided by C N, but for that one's penalty on the bias.

    Cortes & Vapnik, "Support-vector networks" (1995).

    Parameters
    ----------
    in_features : int
    num_classes : int
    l2 : float
        Weight of the penalty, at least 0.
    squared : bool
        Whether the hinge is squared.
    dtype : optional
        Of the parameters; the default dtype if not given.

    Raises
    ------
    ValueError
        If an option is out of range, or the input's last dimension is not `in_features`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> model = nn.LinearSVM(2, l2=0.1)
    >>> model.load_state_dict({"weight": [[2.0, 0.0]], "bias": [0.0]}).missing_keys
    []
    >>> model.loss(ag.tensor([[1.0, 5.0], [0.25, 0.0]]), ag.tensor([1, 1]))
    tensor(0.325, grad_fn=<add>)
    """

    def __init__(
        self, in_features: int, num_classes: int = 2, *, l2: float = 1e-4, squared: bool = True, dtype: Any = None
    ) -> None:
        super().__init__(in_features, num_classes, l2=l2, dtype=dtype)
        self.squared = squared

    def _data_loss(self, scores: Any, y: Tensor) -> Any:
        hinge = F.squared_hinge_loss if self.squared else F.hinge_loss
        if self.num_classes == 2:
            return hinge(scores, 2 * y - 1)
        against_the_rest = where(y.unsqueeze(-1) == arange(self.num_classes), 1, -1)
        return hinge(scores, against_the_rest, reduction="none").sum(-1).mean()

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, squared={self.squared}"
