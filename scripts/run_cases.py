#!/usr/bin/env python3
"""Runs small models and tables through `create` and `predict`, and compares with what the original tool predicts.

A case is a folder with a model (`model.onnx`, `model.json`, ...) or a table, `train.csv`, `test.csv` with a column `y` that
is ignored, `expected.csv` (`prediction`, and `p0`, `p1`, ... where the tool gives probabilities), and `README`, one line that
says what should happen. A case without `expected.csv` is only created.

    scripts/run_cases.py CASES_DIR [--only NAME] [--binary target/release/fhectl] [--rows 200]

Prints a line a case: `ok`, `refused` with the error's code, `warned` or `differs` with the figures where predictions are
not the original's and a note said so or none did, `FAILED` for a panic or a time-out.
Exit code 1 where a case differs or fails.
"""

import argparse
import csv
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile

MODELS = ["model.onnx", "model.json", "model.ubj", "model.txt", "model.cbm", "dump.json"]
# Bytes of memory that no case may exceed.
MEMORY = 2 << 30


def run(arguments, folder, seconds=1200):
    environment = {key: value for key, value in os.environ.items() if not key.startswith("FHECTL_")}
    environment.update(XDG_DATA_HOME=str(folder / "data"), NO_COLOR="1")
    try:
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=seconds, env=environment, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return 124, "", f"not done after {seconds} seconds"
    return done.returncode, done.stdout, done.stderr


def column_names(path):
    with open(path, newline="", encoding="utf-8-sig", errors="replace") as file:
        return next(csv.reader(file))


def create(case, binary, folder):
    """Makes the case's model; returns how that ended, and its folder."""
    out = folder / "out"
    common = ["--out", str(out), "--name", "case", "--force"]
    model = next((case / name for name in MODELS if (case / name).exists()), None)
    if model is None and (case / "client.zip").exists():
        return run([binary, "inspect", str(case)], folder), None
    train = case / "train.csv"
    if model is None:
        table = train if train.exists() else next(path for path in sorted(case.iterdir()) if path.suffix == ".csv")
        kind = next((kind for kind in ["linreg", "logreg", "boost", "forest"] if kind in (case / "README").read_text()), "tree")
        return run([binary, "create", kind, "--data", str(table), *common], folder), out / "case"
    command = [binary, "create", "import", str(model), "--data", str(train), *common]
    names = column_names(train)
    if "y" in names:
        command += ["--target", "y"]
    if (case / "test.csv").exists() and "y" in column_names(case / "test.csv"):
        command += ["--test-data", str(case / "test.csv")]
    return run(command, folder), out / "case"


def compare(expected, got, noisy):
    """What of the expected predictions and probabilities is there; of a network, whose answers carry noise, less is asked."""
    names = expected[0]
    rows, answers = expected[1:], got[1:]
    if len(rows) > len(answers):
        return False, f"{len(answers)} predictions for {len(rows)} rows"
    at = got[0].index("prediction")
    scores = [index for index, name in enumerate(got[0]) if name.startswith("score_")]
    wanted = [index for index, name in enumerate(names) if name.startswith("p") and name[1:].isdigit()]
    truth = {"true": "1", "false": "0"}
    spelled = lambda text: truth.get(text.lower(), text)
    number = lambda text: float(text) if text else float("nan")
    if not wanted:
        try:
            pairs = [(number(row[0]), number(answer[at])) for row, answer in zip(rows, answers)]
            mean = sum(a for a, _ in pairs) / len(pairs)
            spread = sum((a - mean) ** 2 for a, _ in pairs)
            error = sum((a - b) ** 2 for a, b in pairs)
            if len({a for a, _ in pairs}) > 2:
                r2 = 1 - error / spread if spread else float(error == 0)
                return r2 >= (0.97 if noisy else 0.99), f"R2 with the original {r2:.4f}"
        except ValueError:
            pass
    same = sum(spelled(row[0]) == spelled(answer[at]) or numeric(row[0]) == numeric(answer[at]) is not None for row, answer in zip(rows, answers))
    share = same / len(rows)
    text, good = f"classes {share:.4f}", share >= (0.95 if noisy else 0.985)
    if wanted and len(scores) == len(wanted):
        gaps = [abs(number(row[i]) - number(answer[j])) for row, answer in zip(rows, answers) for i, j in zip(wanted, scores)]
        worst, mean = max(gaps), sum(gaps) / len(gaps)
        text += f", scores within {worst:.4f} (mean {mean:.4f})"
        good = good and mean <= (0.05 if noisy else 0.02)
    elif wanted:
        text += ", no scores"
    return good, text


def numeric(text):
    try:
        return float(text)
    except ValueError:
        return None


def first_error(text):
    line = next((line for line in text.splitlines() if line.startswith("error")), text.strip().splitlines()[-1:] or [""])
    return line if isinstance(line, str) else line[0]


def play_case(case, binary, most):
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        (code, said, error), model = create(case, binary, folder)
        if code == 124 or "panicked" in error:
            return "FAILED", error.strip().splitlines()[-1][:300]
        if code != 0:
            hint = next((line for line in error.splitlines() if line.strip().startswith("hint")), "")
            return "refused", f"{first_error(error)} | {hint}"[:400]
        warnings = [line for line in error.splitlines() if line.startswith("note")]
        about = next((line for line in said.splitlines() if line.startswith("agreement")), "")
        if model is None or not (case / "expected.csv").exists() or not (case / "test.csv").exists():
            return "ok", " ".join([about, *warnings])[:400]
        expected = list(csv.reader(open(case / "expected.csv", newline="")))[: most + 1]
        rows = (case / "test.csv").read_text().splitlines()[: most + 1]
        (folder / "rows.csv").write_text("\n".join(rows) + "\n")
        code, said, error = run(
            [binary, "predict", str(model), "--input", str(folder / "rows.csv"), "--scores", "--keys", str(folder / "keys")], folder
        )
        if code == 124 or "panicked" in error:
            return "FAILED", error.strip().splitlines()[-1][:300]
        if code != 0:
            return "FAILED", "predict: " + first_error(error)
        warnings += [line for line in error.splitlines() if line.startswith("note")]
        good, text = compare(expected, list(csv.reader(said.splitlines())), "noise" in about)
        outcome = "ok" if good else "warned" if warnings else "differs"
        return outcome, f"{text} | {about} {' '.join(warnings)}"[:500]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("cases", type=pathlib.Path)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--binary", default="target/release/fhectl")
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--json", type=pathlib.Path, help="write the outcomes as JSON")
    arguments = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    outcomes = {}
    for case in sorted(path for path in arguments.cases.iterdir() if path.is_dir()):
        if arguments.only and case.name not in arguments.only:
            continue
        outcome, text = play_case(case, str(pathlib.Path(arguments.binary).resolve()), arguments.rows)
        outcomes[case.name] = {"outcome": outcome, "text": text}
        print(f"{case.name:26} {outcome:8} {text}", flush=True)
    counts = {}
    for outcome in outcomes.values():
        counts[outcome["outcome"]] = counts.get(outcome["outcome"], 0) + 1
    print(counts)
    if arguments.json:
        arguments.json.write_text(json.dumps(outcomes, indent=1))
    sys.exit(1 if counts.get("FAILED") or counts.get("differs") else 0)


if __name__ == "__main__":
    main()
