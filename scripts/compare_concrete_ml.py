#!/usr/bin/env python3
"""Concrete ML and fhectl side by side, in one run on one machine: accuracy, key, request, response, and the time of an inference.

    scripts/compare_concrete_ml.py --concrete CONCRETE_PYTHON --fhectl FHECTL_PYTHON [--only tree,logistic] [--json FILE]

Each argument is the Python of a virtual environment of its own: one with `pip install concrete-ml` (Python 3.8 to 3.12), one with
this project's wheel, scikit-learn, and for the network torch and onnx. Without `--concrete` a virtual environment is made with
python3.10 below `target`; it takes some gigabytes.

Both tools train on the same rows and are judged by the same test rows, in clear. Times are medians of whole inferences in one
process, without network: encrypt one row, compute, decrypt. The models are each tool's own, so the table compares tasks and not
identical models; where a tool's defaults differ, the sizes of the models are the same (depth, trees, layers). Prints a table
in Markdown.
"""

import argparse
import csv
import gzip
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parents[1]
CASES = ("logistic", "tree", "forest", "boosted", "qnn", "cnn")
#: Encrypted rows that a median is of; networks and ensembles of Concrete ML take tens of seconds each.
SAMPLES = {"logistic": 20, "tree": 10, "forest": 2, "boosted": 2, "qnn": 3, "cnn": 2}


def rows(case):
    """Training and test rows: the same for both."""
    import numpy as np

    name = {"qnn": "iris.csv", "cnn": "digits.csv.gz"}.get(case, "spam.csv.gz")
    path = HERE / "datasets" / name
    with gzip.open(path, "rt") if name.endswith("gz") else open(path) as file:
        lines = list(csv.reader(file))[1:]
    X = np.asarray([line[:-1] for line in lines], dtype=np.float32)
    _, y = np.unique([line[-1] for line in lines], return_inverse=True)
    order = np.random.default_rng(42).permutation(len(X))
    cut = int(0.85 * len(X))
    if case == "logistic":
        # Concrete ML's solver does not converge on features of such different sizes.
        X = (X - X[order[:cut]].mean(axis=0)) / X[order[:cut]].std(axis=0)
    return X[order[:cut]], y[order[:cut]], X[order[cut:]], y[order[cut:]]


def network():
    """A small convolutional network for 8x8 digits, trained in torch for both."""
    import torch

    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 8, 4, stride=2), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(72, 10)
    )


def trained_network(X, y):
    import torch

    torch.manual_seed(0)
    model, images = network(), torch.as_tensor(X).reshape(-1, 1, 8, 8) / 16
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(150):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(images), torch.as_tensor(y)).backward()
        optimizer.step()
    return model.eval()


def median(times):
    return statistics.median(times) if times else None


def concrete(case):
    """Concrete ML's figures."""
    import numpy as np
    from concrete.ml.deployment import FHEModelClient, FHEModelDev, FHEModelServer

    X, y, X_test, y_test = rows(case)
    if case == "cnn":
        from concrete.ml.torch.compile import compile_torch_model

        images = lambda part: (part / 16).reshape(-1, 1, 8, 8).astype(np.float32)
        X, X_test = images(X), images(X_test)
        model = compile_torch_model(trained_network(X * 16, y), X, n_bits=6, rounding_threshold_bits=6)
        predicted = model.forward(X_test, fhe="disable").argmax(axis=1)
    else:
        from concrete.ml import sklearn as tools

        if case == "qnn":
            from torch import nn

            model = tools.NeuralNetClassifier(
                module__n_layers=3, module__activation_function=nn.ReLU, module__n_w_bits=4, module__n_a_bits=4, max_epochs=60, verbose=0
            )
        else:
            model = {
                "logistic": lambda: tools.LogisticRegression(n_bits=8),
                "tree": lambda: tools.DecisionTreeClassifier(n_bits=6, max_depth=6, random_state=0),
                "forest": lambda: tools.RandomForestClassifier(n_bits=6, n_estimators=50, max_depth=4, random_state=0),
                "boosted": lambda: tools.XGBClassifier(n_bits=6, n_estimators=50, max_depth=3, random_state=0),
            }[case]()
        model.fit(X, y)
        model.compile(X[:500])
        predicted = model.predict(X_test)
    told = {"accuracy": float(np.mean(predicted == y_test))}
    with tempfile.TemporaryDirectory() as folder:
        FHEModelDev(folder + "/m", model).save()
        client, server = FHEModelClient(folder + "/m", folder + "/k"), FHEModelServer(folder + "/m")
        start = time.perf_counter()
        client.generate_private_and_evaluation_keys()
        key = client.get_serialized_evaluation_keys()
        told["keys_s"], told["key_bytes"] = time.perf_counter() - start, len(key)
        return {**told, **timed(client, lambda request: server.run(request, key), X_test, SAMPLES[case])}


def fhectl(case):
    """fhectl's."""
    import numpy as np

    import fhectl
    import fhectl.sklearn as tools
    from fhectl.deployment import FHEModelClient, FHEModelDev, FHEModelServer

    X, y, X_test, y_test = rows(case)
    if case == "cnn":
        model = fhectl.compile(trained_network(X, y), (X / 16).reshape(-1, 1, 8, 8), y, progress=False)
        X_test = X_test / 16
    else:
        model = {
            "logistic": lambda: tools.LogisticRegression(),
            "tree": lambda: tools.DecisionTreeClassifier(max_depth=6),
            "forest": lambda: tools.RandomForestClassifier(n_estimators=50, max_depth=4, random_state=0),
            "boosted": lambda: tools.GradientBoostingClassifier(n_estimators=50, max_depth=3),
            "qnn": lambda: tools.MLPClassifier(random_state=0),
        }[case]().fit(X, y)
        model = model.compiled_
    mode = "clear" if model._told["exact"] else "simulate"
    told = {"accuracy": model.score(X_test, y_test, fhe=mode), "circuit": model.circuit}
    with tempfile.TemporaryDirectory() as folder:
        FHEModelDev(folder + "/m", model).save()
        client, server = FHEModelClient(folder + "/m", folder + "/k"), FHEModelServer(folder + "/m")
        start = time.perf_counter()
        client.generate_private_and_evaluation_keys()
        key = client.get_serialized_evaluation_keys()
        told["keys_s"], told["key_bytes"] = time.perf_counter() - start, len(key)
        return {**told, **timed(client, lambda request: server.run(request, key), X_test, 10 * SAMPLES[case])}


def timed(client, run, X, samples):
    """The first row is not counted: it unpacks the key."""
    times, sizes = [], (0, 0)
    for row in X[: min(samples, len(X) - 1) + 1]:
        start = time.perf_counter()
        request = client.quantize_encrypt_serialize(row[None])
        answer = run(request)
        client.deserialize_decrypt_dequantize(answer)
        times.append(time.perf_counter() - start)
        sizes = (len(request), len(answer))
        if sum(times) > 600:
            break
    return {"inference_s": median(times[1:] or times), "samples": len(times), "request_bytes": sizes[0], "response_bytes": sizes[1]}


def worker(tool, case):
    told = {"concrete": concrete, "fhectl": fhectl}[tool](case)
    print("FIGURES " + json.dumps(told))


def measured(python, tool, case):
    done = subprocess.run([python, __file__, "--worker", tool, case], capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("FIGURES ")]
    if not lines:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        return {"failed": last}
    return json.loads(lines[0][8:])


def size(count):
    return f"{count / 1e6:.2f} MB" if count >= 1e6 else f"{count / 1e3:.1f} kB"


def duration(seconds):
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1e3:.2f} ms"


def table(figures):
    lines = [
        "| task | Concrete ML: accuracy, inference | key, request, response | fhectl: accuracy, inference | key, request, response | times as fast |",
        "|---|---|---|---|---|---|",
    ]
    for case, (theirs, ours) in figures.items():
        cells = []
        for told in (theirs, ours):
            if "failed" in told:
                cells += [f"failed: {told['failed'][:60]}", ""]
            else:
                cells += [
                    f"{told['accuracy']:.4f}, {duration(told['inference_s'])}",
                    f"{size(told['key_bytes'])}, {size(told['request_bytes'])}, {size(told['response_bytes'])}",
                ]
        ratio = "" if "failed" in theirs or "failed" in ours else f"{theirs['inference_s'] / ours['inference_s']:,.0f}"
        lines.append(f"| {case} | {cells[0]} | {cells[1]} | {cells[2]} | {cells[3]} | {ratio} |")
    return "\n".join(lines)


def concrete_python():
    own = HERE / "target" / "concrete_ml"
    python = own / "bin" / "python"
    if not python.exists():
        subprocess.run(["python3.10", "-m", "venv", own], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "concrete-ml"], check=True)
    return str(python)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--concrete", help="a Python with concrete-ml")
    parser.add_argument("--fhectl", default=sys.executable, help="a Python with fhectl")
    parser.add_argument("--only", help="tasks, with commas")
    parser.add_argument("--json", help="a file for the figures")
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        return worker(*args.worker)
    python = args.concrete or concrete_python()
    figures = {}
    for case in args.only.split(",") if args.only else CASES:
        figures[case] = (measured(python, "concrete", case), measured(args.fhectl, "fhectl", case))
        print(f"{case}: {figures[case]}", file=sys.stderr)
    print(table(figures))
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(figures, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
