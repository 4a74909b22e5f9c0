#!/usr/bin/env python3
"""Compares `create glm`, `knn`, networks for numbers and class weights with scikit-learn, on the same training and test rows.

    pip install numpy pandas scikit-learn ISLP
    cargo build --release
    python3 scripts/compare_trainers.py [--only glm knn mlp weights] [--seeds 0 1]

The tables come with Python packages: house values of Boston and hourly bike rentals (ISLP: `Boston`, `Bikeshare`), defaults on
credit cards, of which 3 % of customers are (ISLP: `Default`), and scikit-learn's diabetes, iris, digits and breast cancer. Every
model of scikit-learn stands behind a StandardScaler. Figures of fhectl are those of the integer model in clear, of networks with
the noise of encryption.
"""

import argparse
import pathlib
import re
import subprocess
import tempfile

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import GammaRegressor, LogisticRegression, PoissonRegressor, TweedieRegressor
from sklearn.metrics import balanced_accuracy_score, recall_score
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier


def packaged(name):
    import ISLP

    return pd.read_csv(pathlib.Path(ISLP.__file__).parent / "data" / f"{name}.csv")


def bikes():
    table = packaged("Bikeshare")
    table["mnth"] = pd.factorize(table["mnth"])[0]
    table["hot"] = (table["hr"].astype(int) - 12) ** 2
    return table[["mnth", "hr", "hot", "holiday", "workingday", "temp", "hum", "windspeed", "bikers"]].astype(float)


def built_in(load):
    data = load(as_frame=True)
    return data.frame


def default():
    table = packaged("Default")
    table["student"] = (table["student"] == "Yes").astype(int)
    return table[["student", "balance", "income", "default"]]


def sides(table, target, seed, stratify):
    labels = table[target] if stratify else None
    return train_test_split(table, test_size=0.25, random_state=seed, stratify=labels)


def created(args, folder, kind, parts, target, options):
    files = [folder / f"{part}.csv" for part in ("train", "test")]
    for file, part in zip(files, parts):
        part.to_csv(file, index=False)
    command = [args.binary, "create", kind, "--data", files[0], "--test-data", files[1], "--target", target, "--out", folder]
    done = subprocess.run([*map(str, command), "--name", "m", "--force", *options], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"create {kind} {options}: {done.stderr}")
    return done.stdout


def figure(text, start):
    return float(re.search(rf"^{start}:? ([-\d.]+)", text, re.MULTILINE)[1])


def fitted(model, parts, target):
    model = make_pipeline(StandardScaler(), model)
    features = [part.drop(columns=target) for part in parts]
    model.fit(features[0], parts[0][target])
    return model.predict(features[1]), model.score(features[1], parts[1][target])


def line(table, model, seed, ours, theirs, what):
    print(f"| {table} | {model} | {seed} | {theirs:.4f} | {ours:.4f} | {ours - theirs:+.4f} | {what} |", flush=True)


def glm(args, folder, seed):
    many = {"max_iter": 10_000}
    cases = [
        ("bikes", bikes(), "bikers", ["--family", "poisson"], PoissonRegressor(alpha=0, **many)),
        ("bikes", bikes(), "bikers", ["--family", "tweedie", "--power", "1.5"], TweedieRegressor(power=1.5, alpha=0, link="log", **many)),
        ("houses", packaged("Boston"), "medv", ["--family", "gamma"], GammaRegressor(alpha=0, **many)),
        ("houses", packaged("Boston"), "medv", ["--family", "gaussian"], TweedieRegressor(power=0, alpha=0, **many)),
    ]
    for name, table, target, options, model in cases:
        parts = sides(table, target, seed, False)
        said = created(args, folder, "glm", parts, target, options)
        line(name, "glm " + " ".join(options[1:]), seed, figure(said, "quantised D2"), fitted(model, parts, target)[1], "D2")


def knn(args, folder, seed):
    own = ["--reveal", "training-rows"]
    for name, load in [("iris", datasets.load_iris), ("digits", datasets.load_digits), ("cancer", datasets.load_breast_cancer)]:
        parts = sides(built_in(load), "target", seed, True)
        said = created(args, folder, "knn", parts, "target", own)
        line(name, "knn 5", seed, figure(said, "quantised accuracy"), fitted(KNeighborsClassifier(5), parts, "target")[1], "accuracy")
    for name, table, target in [("houses", packaged("Boston"), "medv"), ("diabetes", built_in(datasets.load_diabetes), "target")]:
        parts = sides(table, target, seed, False)
        said = created(args, folder, "knn", parts, target, [*own, "--task", "regress", "--neighbors", "7"])
        line(name, "knn 7", seed, figure(said, "quantised R2"), fitted(KNeighborsRegressor(7), parts, target)[1], "R2")


def mlp(args, folder, seed):
    tables = [("houses", packaged("Boston"), "medv"), ("bikes", bikes(), "bikers"), ("diabetes", built_in(datasets.load_diabetes), "target")]
    for name, table, target in tables:
        parts = sides(table, target, seed, False)
        said = created(args, folder, "mlp", parts, target, ["--task", "regress", *args.options])
        theirs = fitted(MLPRegressor(random_state=0, max_iter=2000, early_stopping=name != "diabetes"), parts, target)[1]
        found = re.search(r"simulated R2, with the noise of encryption: ([-\d.]+)", said)
        line(name, "mlp", seed, float(found[1]) if found else figure(said, "quantised R2"), theirs, "R2")
        print("   ", "; ".join(text for text in said.splitlines() if "R2" in text or "inference" in text))


def weights(args, folder, seed):
    parts = sides(default(), "default", seed, True)
    for weight in ["none", "balanced"]:
        own = None if weight == "none" else weight
        for kind, model in [
            ("tree", DecisionTreeClassifier(max_depth=5, min_samples_leaf=30, class_weight=own, random_state=0)),
            ("forest", RandomForestClassifier(50, max_depth=4, class_weight=own, random_state=0)),
            ("logreg", LogisticRegression(class_weight=own)),
            ("svm", LinearSVC(class_weight=own, max_iter=100_000)),
            ("boost", None),
            ("qnn", None),
        ]:
            limits = ["--max-depth", "5", "--min-leaf", "30"] if kind == "tree" else []
            said = created(args, folder, kind, parts, "default", ["--class-weight", weight, *limits])
            pair = [figure(said, "class Yes: recall"), figure(said, "balanced accuracy")]
            theirs = [float("nan")] * 2
            if model is not None:
                predicted, _ = fitted(model, parts, "default")
                truth = parts[1]["default"]
                theirs = [recall_score(truth, predicted, pos_label="Yes"), balanced_accuracy_score(truth, predicted)]
            line("defaults", f"{kind}, {weight}", seed, pair[0], theirs[0], "recall")
            line("defaults", f"{kind}, {weight}", seed, pair[1], theirs[1], "balanced accuracy")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--binary", default="target/release/fhectl")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--only", nargs="+", default=["glm", "knn", "mlp", "weights"])
    parser.add_argument("--options", nargs="*", default=[], help="further flags of create mlp")
    args = parser.parse_args()
    np.random.seed(0)
    print("| table | model | seed | scikit-learn | fhectl | difference | figure |\n|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for seed in args.seeds:
            for part in args.only:
                globals()[part](args, pathlib.Path(folder), seed)


if __name__ == "__main__":
    main()
