"""PyTorch: a hand-written loop over indexed tensors with fused Adam, eager or compiled."""

from __future__ import annotations

import os
from typing import Any

import torch
from contenders import BATCH, CONVOLUTIONS, DENSE, TEST_BATCH, Task, load_mnist
from torch import nn


def run(task: Task, *, compiled: bool) -> float:
    """Train, save, and return the test accuracy.

    Args:
        task: What to train.
        compiled: Whether ``torch.compile`` compiles the net and its loss.
    """
    torch.set_num_threads(os.cpu_count() or 1)
    net = _net(task.spec)
    x, y, x_val, y_val, x_test, y_test = (
        torch.from_numpy(array).to(torch.float32).div_(255)[:, None]
        if array.ndim == 3
        else torch.from_numpy(array).long()
        for array in load_mnist(task.images)
    )
    if task.spec == "small_cnn":
        net = net.to(memory_format=torch.channels_last)
        x, x_val, x_test = (a.to(memory_format=torch.channels_last) for a in (x, x_val, x_test))
    optimizer = torch.optim.Adam(net.parameters(), fused=True)

    def precision() -> Any:
        return torch.autocast("cpu", torch.bfloat16, enabled=task.policy == "mixed_bfloat16")

    def loss_of(x: Any, y: Any) -> Any:
        with precision():
            return nn.functional.cross_entropy(net(x), y)

    step_loss = torch.compile(loss_of) if compiled else loss_of

    def accuracy(x: Any, y: Any) -> float:
        net.eval()
        with torch.inference_mode(), precision():
            right = sum(
                int((net(x[i : i + TEST_BATCH]).argmax(1) == y[i : i + TEST_BATCH]).sum())
                for i in range(0, len(x), TEST_BATCH)
            )
        return right / len(x)

    def epoch() -> None:
        net.train()
        for rows in torch.randperm(len(x)).split(BATCH):
            optimizer.zero_grad(set_to_none=True)
            step_loss(x[rows], y[rows]).backward()
            optimizer.step()
        accuracy(x_val, y_val)

    task.run_epochs(epoch)
    tested = accuracy(x_test, y_test)
    torch.save(net.state_dict(), task.folder / "model.pt")
    return tested


def _net(spec: str) -> Any:
    if spec == "small_cnn":
        layers: list[nn.Module] = []
        for before, after, size, stride in CONVOLUTIONS:
            layers += [nn.Conv2d(before, after, size, stride, size // 2, bias=False)]
            layers += [nn.BatchNorm2d(after), nn.ReLU()]
        last = CONVOLUTIONS[-1][1]
        return nn.Sequential(*layers, nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(last, 10))
    rates, units = DENSE[spec]
    layers = [nn.Flatten(), *([nn.Dropout(rates[0])] if rates else [])]
    for before, after in zip((784, *units), units, strict=False):
        layers += [nn.Linear(before, after), nn.ReLU()]
        layers += [nn.Dropout(rates[1])] if rates else []
    return nn.Sequential(*layers, nn.Linear((784, *units)[-1], 10))
