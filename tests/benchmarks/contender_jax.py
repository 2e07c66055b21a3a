"""JAX: a hand-written net and Adam, an epoch of steps in one compiled ``lax.scan``."""

from __future__ import annotations

import itertools
from typing import Any

import jax
import numpy as np
from contenders import BATCH, CONVOLUTIONS, DENSE, TEST_BATCH, Task, load_mnist
from jax import lax
from jax import numpy as jnp

Tree = Any
RATE, BETA_1, BETA_2, EPSILON, MOMENTUM = 0.001, 0.9, 0.999, 1e-7, 0.9


def run(task: Task) -> float:
    """Train, save, and return the test accuracy."""
    x, y, x_val, y_val, x_test, y_test = (
        jnp.asarray(array, jnp.float32) / 255 if array.ndim == 3 else jnp.asarray(array, jnp.int32)
        for array in load_mnist(task.images)
    )
    kind = jnp.bfloat16 if task.policy == "mixed_bfloat16" else jnp.float32
    convolutional = task.spec == "small_cnn"
    apply = _convolutional if convolutional else _dense(task.spec)
    weights, moments = _begin(task.spec)
    zeros = jax.tree.map(jnp.zeros_like, weights)

    def loss(weights: Tree, moments: Tree, x: Any, y: Any, key: Any) -> tuple[Any, Tree]:
        cast = jax.tree.map(lambda w: w.astype(kind), weights)
        logits, moments = apply(cast, moments, x.astype(kind), key)
        chosen = jax.nn.log_softmax(logits.astype(jnp.float32))[jnp.arange(len(y)), y]
        return -chosen.mean(), moments

    def step(state: Tree, rows: Any) -> tuple[Tree, None]:
        weights, moments, first, second, count, key = state
        key, drawn = jax.random.split(key)
        gradient = jax.grad(loss, has_aux=True)
        slope, moments = gradient(weights, moments, x[rows], y[rows], drawn)
        count += 1
        rate = RATE * jnp.sqrt(1 - BETA_2**count) / (1 - BETA_1**count)
        first = jax.tree.map(lambda m, g: m + (g - m) * (1 - BETA_1), first, slope)
        second = jax.tree.map(lambda v, g: v + (g * g - v) * (1 - BETA_2), second, slope)
        weights = jax.tree.map(
            lambda w, m, v: w - rate * m / (jnp.sqrt(v) + EPSILON), weights, first, second
        )
        return (weights, moments, first, second, count, key), None

    train = jax.jit(lambda state, batches: lax.scan(step, state, batches)[0], donate_argnums=0)

    def count_hits(weights: Tree, moments: Tree, x: Any, y: Any) -> Any:
        cast = jax.tree.map(lambda w: w.astype(kind), weights)
        logits, _ = apply(cast, moments, x.astype(kind), None)
        return (logits.argmax(1) == y).sum()

    hits = jax.jit(count_hits)

    def accuracy(x: Any, y: Any) -> float:
        weights, moments = state[:2]
        parts = range(0, len(x), TEST_BATCH)
        right = sum(
            int(hits(weights, moments, x[i : i + TEST_BATCH], y[i : i + TEST_BATCH])) for i in parts
        )
        return right / len(x)

    random = np.random.default_rng(0)
    state = (weights, moments, zeros, zeros, jnp.zeros(()), jax.random.key(0))
    state = jax.tree.map(jnp.copy, state)

    def epoch() -> None:
        nonlocal state
        order = random.permutation(len(x))[: len(x) // BATCH * BATCH]
        state = train(state, jnp.asarray(order.reshape(-1, BATCH)))
        accuracy(x_val, y_val)

    task.run_epochs(epoch)
    tested = accuracy(x_test, y_test)
    np.savez(task.folder / "model.npz", *map(np.asarray, jax.tree.leaves(state[:2])))
    return tested


def _begin(spec: str) -> tuple[Tree, Tree]:
    """Return weights by He's rule, and the means and variances of batch normalisation."""
    random = np.random.default_rng(0)

    def drawn(*shape: int) -> Any:
        scale = np.sqrt(2 / np.prod(shape[:-1]))
        return jnp.asarray(random.normal(0, scale, shape), jnp.float32)

    if spec != "small_cnn":
        sizes = (784, *DENSE[spec][1], 10)
        return [
            (drawn(before, after), jnp.zeros(after)) for before, after in itertools.pairwise(sizes)
        ], []
    kernels = [
        (drawn(size, size, before, after), jnp.ones(after), jnp.zeros(after))
        for before, after, size, _ in CONVOLUTIONS
    ]
    moments = [(jnp.zeros(after), jnp.ones(after)) for _, after, _, _ in CONVOLUTIONS]
    return [*kernels, (drawn(CONVOLUTIONS[-1][1], 10), jnp.zeros(10))], moments


def _dense(spec: str) -> Any:
    rates = DENSE[spec][0]

    def drop(x: Any, rate: float, key: Any) -> Any:
        return jnp.where(jax.random.bernoulli(key, 1 - rate, x.shape), x / (1 - rate), 0)

    def apply(weights: Tree, moments: Tree, x: Any, key: Any) -> tuple[Any, Tree]:
        x = x.reshape(len(x), -1)
        keys = jax.random.split(key, len(weights)) if rates and key is not None else None
        if rates and keys is not None:
            x = drop(x, rates[0], keys[0])
        for index, (kernel, bias) in enumerate(weights[:-1], 1):
            x = jax.nn.relu(x @ kernel + bias)
            if rates and keys is not None:
                x = drop(x, rates[1], keys[index])
        kernel, bias = weights[-1]
        return x @ kernel + bias, moments

    return apply


def _convolutional(weights: Tree, moments: Tree, x: Any, key: Any) -> tuple[Any, Tree]:
    x, new = x[..., None], []
    for (kernel, scale, offset), moment, (_, _, _, stride) in zip(
        weights[:-1], moments, CONVOLUTIONS, strict=True
    ):
        x = lax.conv_general_dilated(
            x, kernel, (stride, stride), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        wide = x.astype(jnp.float32)
        mean, variance = (wide.mean((0, 1, 2)), wide.var((0, 1, 2))) if key is not None else moment
        kept = zip(moment, (mean, variance), strict=True)
        new.append(tuple(MOMENTUM * old + (1 - MOMENTUM) * now for old, now in kept))
        wide = (wide - mean) * lax.rsqrt(variance + 1e-3) * scale + offset
        x = jax.nn.relu(wide).astype(x.dtype)
    kernel, bias = weights[-1]
    return x.max((1, 2)) @ kernel + bias, lax.stop_gradient(new)
