#!/usr/bin/env python3
"""Compares fhectl's trainers with scikit-learn's on the same training and test rows.

    pip install scikit-learn
    cargo build --release
    python3 scripts/compare_sklearn.py [--seeds 0 1 2] [--depths 5 8]
    python3 scripts/compare_sklearn.py --train train.csv --test test.csv

For every data set and seed it writes a stratified split as two CSV files, lets `fhectl create tree` and
`fhectl create logreg` train and test on them, and sets the quantised accuracy beside that of a
DecisionTreeClassifier of the same depth and of a standardised LogisticRegression. Exits with 1 where the
mean difference of a model over all runs is beyond its bound, with 2 where a run fails.
"""

import argparse
import csv
import gzip
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEST_SIZE = {"spam": 0.15, "iris": 0.25, "digits": 0.15}
# Points by which the mean quantised accuracy may differ from scikit-learn's.
BOUNDS = {"tree": 1.5, "logreg": 0.5}


def read_csv(path):
    """The header and the rows, the label last, all as text."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", newline="", encoding="utf-8-sig") as file:
        header, *rows = [row for row in csv.reader(file) if row]
    return header, rows


def write_csv(path, header, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


def splits(args, folder):
    """Yields (name, seed, training file, test file)."""
    from sklearn.model_selection import train_test_split

    if args.train:
        yield args.train.stem, "-", args.train, args.test
        return
    for name in args.data:
        (path,) = args.datasets.glob(f"{name}.csv*")
        header, rows = read_csv(path)
        for seed in args.seeds:
            parts = train_test_split(
                rows, test_size=TEST_SIZE[name], random_state=seed, stratify=[row[-1] for row in rows]
            )
            files = [folder / f"{name}-{seed}-{part}.csv" for part in ("train", "test")]
            for file, part in zip(files, parts):
                write_csv(file, header, part)
            yield name, seed, *files


def fhectl_accuracy(args, folder, kind, train, test, options):
    command = [str(args.fhectl), "create", kind, "--data", str(train), "--test-data", str(test)]
    command += [*options, "--out", str(folder / "models"), "--name", f"{kind}-compared", "--force"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"quantised accuracy:\s*([0-9.]+)\s*(%?)", done.stdout, re.IGNORECASE)
    if done.returncode != 0 or not found:
        print(f"failed ({done.returncode}): {' '.join(command)}\n{done.stdout}{done.stderr}", file=sys.stderr)
        sys.exit(2)
    return float(found[1]) / (100 if found[2] else 1)


def sklearn_accuracy(model, train, test):
    (_, learn), (_, judge) = read_csv(train), read_csv(test)
    features = [[[float(cell) for cell in row[:-1]] for row in rows] for rows in (learn, judge)]
    labels = [[row[-1] for row in rows] for rows in (learn, judge)]
    return model.fit(features[0], labels[0]).score(features[1], labels[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fhectl", type=Path, default=ROOT / "target/release/fhectl", help="the binary")
    parser.add_argument("--datasets", type=Path, default=ROOT / "datasets")
    parser.add_argument("--data", nargs="+", choices=list(TEST_SIZE), default=list(TEST_SIZE))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--depths", nargs="+", type=int, default=[5, 8])
    parser.add_argument("--bits", type=int, default=6, help="bits a feature of the trees")
    parser.add_argument("--train", type=Path, help="a CSV file, the label last, in place of the data sets")
    parser.add_argument("--test", type=Path)
    args = parser.parse_args()
    if (args.train is None) != (args.test is None):
        parser.error("--train and --test go together")
    try:
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
        from sklearn.tree import DecisionTreeClassifier
    except ImportError:
        parser.error("scikit-learn is missing: pip install scikit-learn")

    differences = {kind: [] for kind in BOUNDS}
    print(f"{'data':<10} {'seed':>4}  {'model':<8} {'fhectl':>8} {'sklearn':>8} {'points':>7}")
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for name, seed, train, test in splits(args, folder):
            runs = [
                (
                    "tree",
                    f"tree {depth}",
                    ["--max-depth", str(depth), "--bits", str(args.bits)],
                    DecisionTreeClassifier(max_depth=depth, random_state=0),
                )
                for depth in args.depths
            ]
            logreg = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
            runs.append(("logreg", "logreg", [], logreg))
            for kind, label, options, model in runs:
                ours = fhectl_accuracy(args, folder, kind, train, test, options)
                theirs = sklearn_accuracy(model, train, test)
                points = 100 * (ours - theirs)
                differences[kind].append(points)
                print(f"{name:<10} {seed:>4}  {label:<8} {ours:8.4f} {theirs:8.4f} {points:+7.2f}", flush=True)

    beyond = False
    for kind, points in differences.items():
        mean = sum(points) / len(points)
        verdict = "beyond" if abs(mean) > BOUNDS[kind] else "within"
        beyond |= verdict == "beyond"
        print(f"{kind}: mean difference {mean:+.2f} points over {len(points)} runs, {verdict} {BOUNDS[kind]}")
    sys.exit(int(beyond))


if __name__ == "__main__":
    main()
