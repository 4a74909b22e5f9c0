#!/usr/bin/env python3
"""Writes tests/fixtures/import: small models of other tools, and what those tools predict with them.

    pip install scikit-learn skl2onnx onnx 'xgboost>=3'
    python3 scripts/make_import_fixtures.py                        all but the files of XGBoost 1.7
    pip install 'xgboost==1.7.6' 'numpy<2' scikit-learn             in an environment of its own
    python3 scripts/make_import_fixtures.py --old                  those

Models are trained on rows of the built-in data sets. Beside each model lies a CSV file:
`row` is a row of the data that the model has not seen, counted from 0; `predicted` is the library's class or number;
`score_...` are its raw scores: the margin of two classes (the difference of probabilities where a forest has those), else
one a class. `--corpus DIR` copies the models as the first inputs of the fuzz targets.
"""

import argparse
import csv
import gzip
import shutil
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "tests" / "fixtures" / "import"
TEST_ROWS = 150


def read(path):
    """The features and the labels of a CSV file, the label last."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", newline="", encoding="utf-8-sig") as file:
        _, *rows = [row for row in csv.reader(file) if row]
    return np.array([[float(x) for x in row[:-1]] for row in rows]), [row[-1] for row in rows]


def classes(path):
    features, labels = read(path)
    return features, np.array([int(x) if x.lstrip("-").isdigit() else x for x in labels])


def numbers(path):
    features, labels = read(path)
    return features, np.array([float(x) for x in labels])


class Data:
    """Rows in a seeded order, the first few for the test."""

    def __init__(self, rows, labels, seed=7):
        order = np.random.default_rng(seed).permutation(len(rows))
        count = min(TEST_ROWS, len(rows) // 3)
        self.test, self.train = order[:count], order[count:]
        self.rows, self.labels = rows, labels

    def fit(self, model):
        return model.fit(self.rows[self.train], self.labels[self.train])


def save(name, ending, model_bytes, data, predicted, scores):
    """A model, and for its test rows what the library says of them."""
    (OUT / f"{name}.{ending}").write_bytes(model_bytes)
    scores = np.asarray(scores, dtype=np.float64).reshape(len(data.test), -1)
    with open(OUT / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["row", "predicted", *[f"score_{i}" for i in range(scores.shape[1])]])
        for row, label, values in zip(data.test, predicted, scores):
            writer.writerow([row, label, *[f"{value:.9g}" for value in values]])
    print(f"{name}.{ending}: {len(model_bytes)} bytes")


def plain_integers():
    """skl2onnx hands the unsigned integers and booleans of histogram trees to onnx, which takes Python's integers only."""
    from skl2onnx.common import _container as container

    inner = container.ModelComponentContainer.add_node

    def add_node(self, op_type, inputs, outputs, *args, **attributes):
        def plain(value):
            if isinstance(value, (list, tuple)):
                return [plain(item) for item in value]
            return int(value) if isinstance(value, (np.integer, np.bool_, bool)) else value

        return inner(self, op_type, inputs, outputs, *args, **{key: plain(v) for key, v in attributes.items()})

    container.ModelComponentContainer.add_node = add_node


def sklearn_models(spam, iris, digits, diabetes):
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import (
        ExtraTreesRegressor,
        GradientBoostingClassifier,
        GradientBoostingRegressor,
        HistGradientBoostingClassifier,
        HistGradientBoostingRegressor,
        RandomForestClassifier,
        RandomForestRegressor,
    )
    from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, RidgeClassifier, SGDClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, Normalizer, RobustScaler, StandardScaler
    from sklearn.svm import SVC, LinearSVC, LinearSVR
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
    from skl2onnx import to_onnx

    plain_integers()
    few = Data(spam.rows, spam.labels)
    few.train = few.train[:150]
    parts = ColumnTransformer([("a", StandardScaler(), list(range(5, 10))), ("b", MinMaxScaler(), list(range(5)))])

    def decision(model, rows):
        return model.decision_function(rows)

    def difference(model, rows):
        return 2 * model.predict_proba(rows)[:, 1] - 1

    def probabilities(model, rows):
        return model.predict_proba(rows)

    def number(model, rows):
        return model.predict(rows)

    f32, f64 = np.float32, np.float64
    logistic = {"max_iter": 2000}
    for name, data, model, score, kind in [
        ("logreg-iris", iris, LogisticRegression(**logistic), decision, f32),
        ("logreg-spam", spam, make_pipeline(StandardScaler(), LogisticRegression(**logistic)), decision, f32),
        ("logreg-spam-double", spam, make_pipeline(StandardScaler(), LogisticRegression(**logistic)), decision, f64),
        ("normalizer-logreg-digits", digits, make_pipeline(Normalizer(), LogisticRegression(**logistic)), decision, f32),
        ("normalizer-logreg-iris-double", iris, make_pipeline(Normalizer("l1"), LogisticRegression(C=100)), decision, f64),
        ("linear-svc-spam", spam, make_pipeline(StandardScaler(), LinearSVC()), decision, f32),
        ("linear-svc-iris", iris, LinearSVC(), decision, f32),
        ("svc-spam", few, make_pipeline(StandardScaler(), SVC(kernel="linear", C=0.01)), decision, f32),
        ("sgd-digits", digits, make_pipeline(MaxAbsScaler(), SGDClassifier(random_state=1)), decision, f32),
        ("sgd-spam", spam, make_pipeline(RobustScaler(), SGDClassifier(loss="log_loss", random_state=1)), decision, f32),
        ("ridge-classifier-digits", digits, RidgeClassifier(), decision, f32),
        ("linreg-diabetes", diabetes, make_pipeline(MinMaxScaler(), LinearRegression()), number, f32),
        ("ridge-diabetes-double", diabetes, make_pipeline(StandardScaler(), Ridge()), number, f64),
        ("columns-ridge-diabetes", diabetes, make_pipeline(parts, Ridge()), number, f32),
        ("linear-svr-diabetes", diabetes, make_pipeline(RobustScaler(), LinearSVR(C=10.0, max_iter=20000)), number, f32),
        ("tree-iris", iris, DecisionTreeClassifier(max_depth=4, random_state=1), probabilities, f32),
        ("tree-spam", spam, DecisionTreeClassifier(max_depth=6, random_state=1), difference, f32),
        ("tree-spam-double", spam, make_pipeline(StandardScaler(), DecisionTreeClassifier(max_depth=5, random_state=1)), difference, f64),
        ("tree-diabetes", diabetes, DecisionTreeRegressor(max_depth=4, random_state=1), number, f32),
        ("forest-digits", digits, RandomForestClassifier(20, max_depth=6, max_leaf_nodes=20, random_state=1), probabilities, f32),
        ("forest-spam", spam, RandomForestClassifier(20, max_depth=6, random_state=1), difference, f32),
        ("forest-diabetes", diabetes, RandomForestRegressor(20, max_depth=4, random_state=1), number, f32),
        ("extra-trees-diabetes", diabetes, ExtraTreesRegressor(20, max_depth=5, random_state=1), number, f32),
        ("boosting-spam", spam, GradientBoostingClassifier(n_estimators=40, random_state=1), decision, f32),
        ("boosting-iris", iris, GradientBoostingClassifier(n_estimators=10, max_depth=2, random_state=1), decision, f32),
        ("boosting-diabetes", diabetes, GradientBoostingRegressor(n_estimators=40, max_depth=2, random_state=1), number, f32),
        ("hist-boosting-spam", spam, HistGradientBoostingClassifier(max_iter=30, max_leaf_nodes=8), decision, f32),
        ("hist-boosting-diabetes", diabetes, HistGradientBoostingRegressor(max_iter=30, max_leaf_nodes=8), number, f32),
    ]:
        data.fit(model)
        rows = data.rows[data.test]
        last = model.steps[-1][1] if hasattr(model, "steps") else model
        # LinearSVC refuses the option that skl2onnx gives to the last step of any pipeline.
        options = {id(last): {}} if isinstance(last, LinearSVC) else None
        onnx = to_onnx(model, data.rows[:1].astype(kind), options=options)
        save(name, "onnx", onnx.SerializeToString(), data, model.predict(rows), score(model, rows))


def xgboost_models(spam, digits, diabetes, old):
    import xgboost

    print("XGBoost", xgboost.__version__)
    prefix = "xgboost17" if old else "xgboost"
    common = {"max_depth": 3, "eta": 0.3, "seed": 1, "nthread": 2}
    for name, data, ending, rounds, params in [
        ("spam", spam, "json", 25, {"objective": "binary:logistic"}),
        ("digits", digits, "ubj", 6, {"objective": "multi:softprob", "num_class": 10}),
        ("diabetes", diabetes, "json", 25, {"objective": "reg:squarederror", "max_depth": 2}),
        ("dart-spam", spam, "ubj", 12, {"objective": "binary:hinge", "booster": "dart", "rate_drop": 0.3, "max_depth": 3}),
        ("linear-diabetes", diabetes, "json", 60, {"objective": "reg:squarederror", "booster": "gblinear"}),
    ]:
        train = xgboost.DMatrix(data.rows[data.train], data.labels[data.train])
        test = xgboost.DMatrix(data.rows[data.test])
        booster = xgboost.train({**common, **params}, train, rounds)
        scores = booster.predict(test, output_margin=True)
        if data is diabetes:
            predicted = scores
        else:
            predicted = scores.argmax(axis=1) if scores.ndim == 2 else (scores > 0).astype(int)
        save(f"{prefix}-{name}", ending, bytes(booster.save_raw(ending)), data, predicted, scores)
    if old:
        return
    # Stopped early: the scikit-learn interface predicts with the best round's trees only.
    model = xgboost.XGBClassifier(n_estimators=60, max_depth=4, learning_rate=0.9, early_stopping_rounds=8, random_state=1)
    model.fit(
        spam.rows[spam.train[:600]],
        spam.labels[spam.train[:600]],
        eval_set=[(spam.rows[spam.train[600:900]], spam.labels[spam.train[600:900]])],
        verbose=False,
    )
    rows = spam.rows[spam.test]
    model.save_model(OUT / "xgboost-stopped-spam.json")
    content = (OUT / "xgboost-stopped-spam.json").read_bytes()
    save("xgboost-stopped-spam", "json", content, spam, model.predict(rows), model.predict(rows, output_margin=True))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--old", action="store_true", help="write the files of XGBoost 1.7")
    parser.add_argument("--corpus", type=Path, help="copy the models to DIR/import_onnx and DIR/import_xgboost")
    args = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    if args.corpus:
        for target, endings in [("import_onnx", ["onnx"]), ("import_xgboost", ["json", "ubj"])]:
            folder = args.corpus / target
            folder.mkdir(parents=True, exist_ok=True)
            for ending in endings:
                for path in sorted(OUT.glob(f"*.{ending}")):
                    shutil.copy(path, folder)
        return
    spam = Data(*classes(ROOT / "datasets" / "spam.csv.gz"))
    digits = Data(*classes(ROOT / "datasets" / "digits.csv.gz"))
    iris = Data(*classes(ROOT / "datasets" / "iris.csv"))
    diabetes = Data(*numbers(ROOT / "datasets" / "diabetes.csv"))
    if not args.old:
        sklearn_models(spam, iris, digits, diabetes)
    xgboost_models(spam, digits, diabetes, args.old)


if __name__ == "__main__":
    main()
