#!/usr/bin/env python3
"""Makes tests/fixtures/glm: a table of claims, and what scikit-learn's generalized linear models predict of its test rows.

    pip install numpy scikit-learn
    scripts/make_glm_fixtures.py

The table is made up: counts, costs (of which many are 0) and amounts (all positive) that grow with the exponential of some
columns. `expected.csv` has a column a model, named as the flags of `create glm` that fit it; its last row, `D2`, is what
scikit-learn's `score` says of the test rows. Columns are scaled to deviation 1 first, as fhectl does for its penalty.
"""

import csv
import pathlib

import numpy as np
from sklearn.linear_model import GammaRegressor, PoissonRegressor, TweedieRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "tests" / "fixtures" / "glm"
FEATURES = ["age", "power", "mileage", "city"]
TARGETS = ["count", "cost", "amount"]
MANY = {"max_iter": 100_000, "tol": 1e-10}
MODELS = {
    ("count", "poisson", "", "0"): PoissonRegressor(alpha=0, **MANY),
    ("count", "poisson", "", "0.5"): PoissonRegressor(alpha=0.5, **MANY),
    ("cost", "tweedie", "1.5", "0"): TweedieRegressor(power=1.5, alpha=0, link="log", **MANY),
    ("cost", "tweedie", "1.9", "0.01"): TweedieRegressor(power=1.9, alpha=0.01, link="log", **MANY),
    ("amount", "gamma", "", "0"): GammaRegressor(alpha=0, **MANY),
    ("amount", "gamma", "", "0.1"): GammaRegressor(alpha=0.1, **MANY),
    ("amount", "gaussian", "", "0"): TweedieRegressor(power=0, alpha=0, **MANY),
}


def table(rows, random):
    age, power = random.integers(18, 85, rows), random.integers(4, 16, rows)
    mileage, city = np.round(random.gamma(3, 5, rows), 1), random.integers(0, 2, rows)
    sums = 0.4 - 0.02 * (age - 40) + 0.08 * (power - 8) + 0.02 * mileage + 0.4 * city
    count = random.poisson(np.exp(sums - 0.8))
    cost = np.round([random.gamma(2, 150, n).sum() * np.exp(s / 4) for n, s in zip(count, sums)], 2)
    amount = np.round(random.gamma(3, np.exp(sums) * 40), 2) + 1
    columns = [age, power, mileage, city, count, cost, amount]
    return [[str(x) for x in row] for row in zip(*columns)]


def write(name, header, rows):
    with open(FOLDER / name, "w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(11)
    train, test = table(600, random), table(60, random)
    write("train.csv", FEATURES + TARGETS, train)
    write("test.csv", FEATURES + TARGETS, test)
    numbers = [np.array(rows, dtype=float) for rows in (train, test)]
    features = [part[:, : len(FEATURES)] for part in numbers]
    columns = []
    for (target, family, power, alpha), model in MODELS.items():
        wanted = [part[:, len(FEATURES) + TARGETS.index(target)] for part in numbers]
        fitted = make_pipeline(StandardScaler(), model).fit(features[0], wanted[0])
        name = " ".join(filter(None, [target, family, power, alpha]))
        print(f"{name}: D2 {fitted.score(features[1], wanted[1]):.4f}")
        columns.append([name, *(f"{x:.9g}" for x in fitted.predict(features[1])), f"{fitted.score(features[1], wanted[1]):.9g}"])
    rows = list(zip(*columns))
    write("expected.csv", rows[0], rows[1:])


if __name__ == "__main__":
    main()
