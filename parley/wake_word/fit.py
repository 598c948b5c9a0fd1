"""Training of the head: a small perceptron on windows of embeddings, by Adam on NumPy."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.intp]
_BATCH = 512
_RATE = 1e-3
_MIN_STEPS = 150
"""Batches after which the head has learned; few examples need more epochs for as many."""
_DECAY = 1e-2
_DROP_INPUT = 0.2
_DROP_HIDDEN = 0.4


@dataclass(frozen=True)
class Windows:
    """Windows of a stream of embeddings, and what they are."""

    stream: Floats
    """[n, 96]"""
    starts: Ints
    positive: NDArray[np.bool_]

    def take(self, which: Ints, length: int) -> Floats:
        """Return windows, flat: [len(which), length * 96]."""
        index = self.starts[which][:, None] + np.arange(length)
        return np.asarray(self.stream[index].reshape(len(which), -1))


@dataclass
class Perceptron:
    """Layers of weights and biases; ReLU between them, a logit at the end."""

    weights: list[Floats]
    biases: list[Floats]

    @classmethod
    def random(cls, sizes: tuple[int, ...], source: np.random.Generator) -> "Perceptron":
        pairs = list(pairwise(sizes))
        return cls(
            [
                (source.standard_normal(pair) * np.sqrt(2 / pair[0])).astype(np.float32)
                for pair in pairs
            ],
            [np.zeros(wide, np.float32) for _, wide in pairs],
        )

    def __call__(self, values: Floats) -> Floats:
        """Return the logits, shape [n], of inputs [n, inputs]."""
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            values = np.maximum(values @ weight + bias, 0)
        return (values @ self.weights[-1] + self.biases[-1])[:, 0]


class Adam:
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019)."""

    def __init__(self, parameters: list[Floats], decay: float = _DECAY) -> None:
        self._parameters = parameters
        self._decay = decay
        self._first = [np.zeros_like(one) for one in parameters]
        self._second = [np.zeros_like(one) for one in parameters]
        self._steps = 0

    def step(self, gradients: list[Floats], rate: float) -> None:
        self._steps += 1
        correct = np.sqrt(1 - 0.999**self._steps) / (1 - 0.9**self._steps)
        rows = zip(self._parameters, gradients, self._first, self._second, strict=True)
        for parameter, gradient, first, second in rows:
            first[:] += 0.1 * (gradient - first)
            second[:] += 0.001 * (gradient**2 - second)
            if parameter.ndim > 1:
                parameter[:] *= np.float32(1 - rate * self._decay)
            parameter[:] -= np.float32(rate * correct) * first / (np.sqrt(second) + 1e-8)


def fit(
    windows: Windows,
    length: int,
    *,
    hidden: tuple[int, ...] = (64, 32),
    epochs: int = 7,
    seed: int = 0,
    ratio: float = 16.0,
) -> Perceptron:
    """Return the head, fitted to windows of mean 0 and deviation 1.

    Every epoch sees all positive windows and `ratio` times as many of the others, half of them
    the ones that the head so far takes for the phrase. More epochs fit the voices and not the
    phrase: with 14 instead of 7, recordings of people in noise were heard a twentieth less often.
    More scenes of the phrase do the same; more scenes of other speech help.
    """
    source = np.random.default_rng(seed)
    positive, negative = np.flatnonzero(windows.positive), np.flatnonzero(~windows.positive)
    head = Perceptron.random((length * 96, *hidden, 1), source)
    adam = Adam([*head.weights, *head.biases])
    count = min(len(negative), int(ratio * len(positive)))
    batches = (len(positive) + count) // _BATCH + 1
    epochs = max(epochs, -(-_MIN_STEPS // batches))
    total, done = epochs * batches, 0
    chosen = source.permutation(negative)[:count]
    for epoch in range(epochs):
        order = source.permutation(np.concatenate([positive, chosen]))
        for at in range(0, len(order), _BATCH):
            batch = order[at : at + _BATCH]
            rate = _RATE * min(1.0, done / 50) * 0.5 * (1 + np.cos(np.pi * done / total))
            adam.step(_gradients(head, windows, batch, length, source), rate)
            done += 1
        if epoch + 1 < epochs:
            chosen = _hard(head, windows, negative, length, count, source)
    return head


def _gradients(
    head: Perceptron, windows: Windows, batch: Ints, length: int, source: np.random.Generator
) -> list[Floats]:
    values = windows.take(batch, length)
    values = values * _mask(values.shape, _DROP_INPUT, source)
    layers, masks = [values], []
    for weight, bias in zip(head.weights[:-1], head.biases[:-1], strict=True):
        mask = _mask((len(batch), len(bias)), _DROP_HIDDEN, source)
        masks.append(mask)
        layers.append(np.maximum(layers[-1] @ weight + bias, 0) * mask)
    logits = (layers[-1] @ head.weights[-1] + head.biases[-1])[:, 0]
    wanted = np.where(windows.positive[batch], 0.98, 0.005).astype(np.float32)
    error = ((1 / (1 + np.exp(-np.clip(logits, -30, 30))) - wanted) / len(batch))[:, None]
    weights, biases = [], []
    for number in range(len(head.weights) - 1, -1, -1):
        weights.append(layers[number].T @ error)
        biases.append(error.sum(axis=0))
        if number:
            error = (error @ head.weights[number].T) * masks[number - 1] * (layers[number] > 0)
    return [*reversed(weights), *reversed(biases)]


def _mask(shape: tuple[int, ...], drop: float, source: np.random.Generator) -> Floats:
    # A byte for each value is random enough and costs a tenth of a number between 0 and 1.
    drawn = np.frombuffer(source.bytes(shape[0] * shape[1]), np.uint8).reshape(shape)
    return (drawn >= round(256 * drop)) * np.float32(1 / (1 - drop))


def _hard(
    head: Perceptron,
    windows: Windows,
    negative: Ints,
    length: int,
    count: int,
    source: np.random.Generator,
) -> Ints:
    """Return `count` negatives: half the hardest, half at random."""
    looked = source.permutation(negative)[: 12 * count]
    logits = np.concatenate(
        [head(windows.take(looked[at : at + 4096], length)) for at in range(0, len(looked), 4096)]
    )
    hardest = looked[np.argsort(-logits)[: count // 2]]
    return np.concatenate([hardest, source.permutation(negative)[: count - len(hardest)]])
