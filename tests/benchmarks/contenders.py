"""One training by one contender, in this process: `contenders.py NAME SPEC POLICY EPOCHS FOLDER`.

POLICY is the dtype policy, float32 or mixed_bfloat16, of any contender. Prints a JSON object:
seconds of each epoch, of the whole process, peak memory, accuracy.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import kzoo

Result = tuple[list[float], float]


def load_mnist() -> tuple[Any, ...]:
    """Return x and y to train on, to validate on and to test on, uint8."""
    with np.load(Path(os.environ["KZOO_DATA"], "mnist.npz")) as file:
        x, y = file["x_train"], file["y_train"]
        return x[:-5000], y[:-5000], x[-5000:], y[-5000:], file["x_test"], file["y_test"]


def run_kzoo(spec: str, policy: str, epochs: int, folder: Path) -> Result:
    """Train as `kzoo run` does, saving included."""
    changes = {
        "model.dtype_policy": policy,
        "fit.epochs": epochs,
        "dataset.fallback": None,
        "dataset.augment": None,
    }
    run = kzoo.run(spec, overrides=changes, out=folder, display="quiet")
    return run.history["seconds"], run.metrics["test_accuracy"]


def run_keras(spec: str, policy: str, epochs: int, folder: Path) -> Result:
    """Train the same net as a plain Keras script does, saving included."""
    import keras

    keras.config.set_dtype_policy(policy)

    class Clock(keras.callbacks.Callback):
        def __init__(self) -> None:
            super().__init__()
            self.seconds: list[float] = []
            self.began = 0.0

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.began = time.perf_counter()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.seconds.append(time.perf_counter() - self.began)

    x, y, x_val, y_val, x_test, y_test = load_mnist()
    inputs = keras.Input((28, 28))
    parameters = kzoo.load_spec(spec).model.parameters
    net = kzoo.build(
        kzoo.load_spec(spec).model.builder, input_shape=(28, 28), num_classes=10, **parameters
    )
    model = keras.Model(inputs, net(keras.layers.Rescaling(1 / 255)(inputs)))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    clock = Clock()
    model.fit(
        x, y, batch_size=100, epochs=epochs, validation_data=(x_val, y_val), callbacks=[clock],
        verbose=0,
    )  # fmt: skip
    accuracy = model.evaluate(x_test, y_test, batch_size=1000, verbose=0)[1]
    model.save(folder / "model.keras")
    return clock.seconds, accuracy


def run_torch(spec: str, policy: str, epochs: int, folder: Path) -> Result:
    """Train the same net in a hand-written loop over indexed tensors, with fused Adam."""
    import torch
    from torch import nn

    def dense(units: tuple[int, ...], rates: tuple[float, float] | None = None) -> nn.Sequential:
        layers: list[nn.Module] = [nn.Flatten()]
        layers += [nn.Dropout(rates[0])] if rates else []
        for before, after in zip((784, *units), units, strict=False):
            layers += [nn.Linear(before, after), nn.ReLU()]
            layers += [nn.Dropout(rates[1])] if rates else []
        return nn.Sequential(*layers, nn.Linear((784, *units)[-1], 10))

    def convolutional() -> nn.Sequential:
        layers: list[nn.Module] = []
        for before, after, size, stride in ((1, 32, 5, 2), (32, 64, 3, 2), (64, 96, 3, 1)):
            layers += [nn.Conv2d(before, after, size, stride, size // 2, bias=False)]
            layers += [nn.BatchNorm2d(after), nn.ReLU()]
        return nn.Sequential(*layers, nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(96, 10))

    nets = {
        "softmax_regression": lambda: dense(()),
        "deep_mlp": lambda: dense((256, 256)),
        "mlp_dropout": lambda: dense((512, 512), (0.2, 0.5)),
        "small_cnn": convolutional,
    }
    torch.set_num_threads(2)
    net: Any = nets[spec]()
    x, y, x_val, y_val, x_test, y_test = (
        torch.from_numpy(array).to(torch.float32).div_(255)[:, None]
        if array.ndim == 3
        else torch.from_numpy(array).long()
        for array in load_mnist()
    )
    if spec == "small_cnn":
        net = net.to(memory_format=torch.channels_last)
        x, x_val, x_test = (a.to(memory_format=torch.channels_last) for a in (x, x_val, x_test))
    optimizer = torch.optim.Adam(net.parameters(), fused=True)

    def precision() -> Any:
        return torch.autocast("cpu", torch.bfloat16, enabled=policy == "mixed_bfloat16")

    def accuracy(x: Any, y: Any) -> float:
        net.eval()
        with torch.inference_mode(), precision():
            right = sum(
                int((net(x[i : i + 1000]).argmax(1) == y[i : i + 1000]).sum())
                for i in range(0, len(x), 1000)
            )
        return right / len(x)

    seconds = []
    for _ in range(epochs):
        began = time.perf_counter()
        net.train()
        for rows in torch.randperm(len(x)).split(100):
            optimizer.zero_grad(set_to_none=True)
            with precision():
                loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
        accuracy(x_val, y_val)
        seconds.append(time.perf_counter() - began)
    tested = accuracy(x_test, y_test)
    torch.save(net.state_dict(), folder / "model.pt")
    return seconds, tested


def main() -> None:
    """Run the contender that the command line names."""
    contender, spec, policy, epochs, folder = sys.argv[1:]
    run = {"kzoo": run_kzoo, "keras": run_keras, "torch": run_torch}[contender]
    seconds, accuracy = run(spec, policy, int(epochs), Path(folder))
    began = float(Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[19])
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    total = uptime - began / os.sysconf("SC_CLK_TCK")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"epochs": seconds, "total": total, "peak_mib": peak, "accuracy": accuracy}))


if __name__ == "__main__":
    main()
