#!/usr/bin/env python3
"""Makes the neural networks under tests/fixtures/import that tests/import_networks.rs reads.

Each NAME.onnx comes with NAME.csv: rows, what the original library answers in the columns `out0`, `out1`, ... (logits,
margins or values, not normalized), and their label or value in the column `target`. Rows of digits, 64 pixels from 0 to 16,
are the same for all networks on them and stand in digits_rows.csv.

    python3 -m venv /tmp/fixtures && /tmp/fixtures/bin/pip install torch onnx onnxscript scikit-learn skl2onnx
    /tmp/fixtures/bin/python scripts/make_torch_fixtures.py
"""

import csv
import os
import warnings

import numpy as np
import torch
from skl2onnx import to_onnx
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

OUT = os.path.join(os.path.dirname(__file__), "..", "tests", "fixtures", "import")
# Rows of a CSV: the first ones calibrate, the last ones test.
ROWS = 480
warnings.filterwarnings("ignore")
torch.manual_seed(7)
torch.set_num_threads(1)


def write(name, rows, targets, outputs=None):
    """Writes rows where they are given, and outputs where those are."""
    count = min(len(targets), ROWS)
    rows = np.zeros((count, 0)) if rows is None else rows[:count]
    outputs = np.zeros((count, 0)) if outputs is None else np.float64(outputs).reshape(len(targets), -1)[:count]
    path = os.path.join(OUT, f"{name}.csv")
    with open(path, "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        names = [f"x{i}" for i in range(rows.shape[1])] + [f"out{i}" for i in range(outputs.shape[1])]
        out.writerow(names + ["target"])
        for row, values, target in zip(rows, outputs, targets):
            out.writerow([f"{x:.6g}" for x in row] + [f"{x:.6g}" for x in values] + [f"{target:g}"])
    print(name, os.path.getsize(path))


def digits():
    data = load_digits()
    return train_test_split(np.float32(data.data), data.target, test_size=0.28, random_state=1)


def sklearn_models():
    for name, data in [("sklearn_mlp_iris", load_iris), ("sklearn_mlp_binary", load_breast_cancer)]:
        split = train_test_split(*data(return_X_y=True), test_size=0.65, random_state=3)
        train_x, test_x = np.float32(split[0]), np.float32(["%.6g" % x for x in split[1].flat]).reshape(split[1].shape)
        model = make_pipeline(StandardScaler(), MLPClassifier((12, 8), max_iter=2000, alpha=0.1, random_state=0))
        model.fit(train_x, split[2])
        save(name, to_onnx(model, train_x[:1], target_opset=18))
        write(name, test_x, split[3], margins(model[-1], model[0].transform(test_x)))
    train_x, test_x, train_y, test_y = digits()
    model = MLPClassifier((32,), activation="tanh", alpha=0.01, max_iter=600, random_state=0).fit(train_x, train_y)
    save("sklearn_mlp_digits", to_onnx(model, train_x[:1], options={id(model): {"zipmap": False}}, target_opset=15))
    write("digits_rows", test_x, test_y)
    write("sklearn_mlp_digits", None, test_y, margins(model, test_x))
    x, y = load_diabetes(return_X_y=True, scaled=False)
    train_x, test_x, train_y, test_y = train_test_split(np.float32(x), y, test_size=0.6, random_state=0)
    model = make_pipeline(StandardScaler(), MLPRegressor(
        hidden_layer_sizes=(12,), activation="logistic", alpha=10.0, solver="lbfgs", max_iter=3000, random_state=0))
    model.fit(train_x, train_y)
    save("sklearn_mlp_diabetes", to_onnx(model, train_x[:1], target_opset=17))
    write("sklearn_mlp_diabetes", test_x, test_y, model.predict(test_x))


def margins(model, rows):
    """What the last layer gives before softmax or sigmoid, from scikit-learn's own weights."""
    kinds = {"relu": lambda z: np.maximum(z, 0), "tanh": np.tanh}
    values = np.float64(rows)
    for weights, bias in list(zip(model.coefs_, model.intercepts_))[:-1]:
        values = kinds[model.activation](values @ weights + bias)
    out = values @ model.coefs_[-1] + model.intercepts_[-1]
    odds = np.log(np.clip(model.predict_proba(rows), 1e-300, 1))
    if out.shape[1] > 1:
        assert np.allclose(odds - odds[:, :1], out - out[:, :1], atol=1e-3)
    return out


def save(name, model):
    with open(os.path.join(OUT, f"{name}.onnx"), "wb") as file:
        file.write(model.SerializeToString())


class Pixels(nn.Module):
    """Divides pixels by 16: part of the network, so that rows are the data's own."""

    def forward(self, x):
        return x / 16


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 4, 3, stride=2, padding=1), nn.ReLU())
        self.first = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU())
        self.second = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4))
        self.head = nn.Linear(4, 10)
        self.wide = nn.Linear(64, 10)

    def forward(self, x):
        x = self.stem(x / 16)
        x = torch.relu(self.second(self.first(x)) + x)
        return self.wide(torch.flatten(x, 1)) + self.head(x.mean(dim=(2, 3)))


class Branches(nn.Module):
    """Two activations of different kinds side by side, a product with a constant, and a sequence of linear maps."""

    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Linear(64, 12), nn.Linear(64, 12)
        self.narrow, self.head = nn.Linear(24, 8), nn.Linear(8, 10)

    def forward(self, x):
        x = x / 16
        both = torch.cat([torch.sigmoid(self.left(x)) * 2 - 1, nn.functional.leaky_relu(self.right(x), 0.1)], dim=1)
        return torch.log_softmax(self.head(self.narrow(both)), dim=1)


def fit(model, rows, targets, epochs=60):
    model.train()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    for _ in range(epochs):
        for batch in torch.randperm(len(rows)).split(32):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(rows[batch]), targets[batch]).backward()
            optimizer.step()
        schedule.step()
    return model.eval()


def torch_models():
    train_x, test_x, train_y, test_y = digits()
    flat = [torch.tensor(x) for x in (train_x, test_x)]
    images = [x.reshape(-1, 1, 8, 8) for x in flat]
    labels = torch.tensor(train_y)
    models = {
        "torch_mlp_tanh": (nn.Sequential(Pixels(), nn.Linear(64, 24), nn.Tanh(), nn.Dropout(0.1), nn.Linear(24, 10)), flat, 13),
        "torch_branches": (Branches(), flat, 12),
        "torch_cnn": (nn.Sequential(
            Pixels(), nn.Conv2d(1, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(),
            nn.Linear(96, 10)), images, 11),
        "torch_cnn_maxpool": (nn.Sequential(
            Pixels(), nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 10)), images, 14),
        "torch_cnn_deep": (nn.Sequential(
            Pixels(), nn.Conv2d(1, 6, 3, stride=2, padding=1), nn.BatchNorm2d(6), nn.ReLU6(),
            nn.Conv2d(6, 12, 3, padding=1, groups=2), nn.Hardtanh(), nn.AdaptiveAvgPool2d(2), nn.Flatten(),
            nn.Linear(48, 10)), images, 17),
        "torch_residual": (Residual(), images, 18),
    }
    for name, (model, (train, test), opset) in models.items():
        model = fit(model, train, labels)
        with torch.no_grad():
            outputs = model(test).numpy()
        print(name, "accuracy", np.mean(outputs.argmax(1) == test_y))
        for suffix, dynamo in [("", False), ("_dynamo", True)]:
            if dynamo and name not in ("torch_cnn", "torch_cnn_maxpool", "torch_residual", "torch_mlp_tanh"):
                continue
            path = os.path.join(OUT, f"{name}{suffix}.onnx")
            arguments = {"dynamo": True, "opset_version": 18, "external_data": False,
                         "dynamic_shapes": ({0: torch.export.Dim("batch")},)} if dynamo else {
                "dynamo": False, "opset_version": opset, "input_names": ["rows"],
                "dynamic_axes": {"rows": {0: "batch"}},
                # Otherwise the exporter folds batch normalization into convolutions.
                "training": torch.onnx.TrainingMode.PRESERVE if name == "torch_cnn" else torch.onnx.TrainingMode.EVAL}
            torch.onnx.export(model, (test[:2],), path, **arguments)
            print(path, os.path.getsize(path))
        write(name, None, test_y, outputs)


if __name__ == "__main__":
    os.makedirs(OUT, exist_ok=True)
    sklearn_models()
    torch_models()
