#!/usr/bin/env python3
"""What the lattice-estimator says of the LWE keys that fhectl uses: writes tests/vectors/security.csv.

Install (some minutes, 2 GB):

    python3 -m venv sage && sage/bin/pip install passagemath-standard==10.8.13
    git clone https://github.com/malb/lattice-estimator && git -C lattice-estimator checkout 27a581bb

Run (from the repository's root; some two hours on one core, lines are written as they come, and lines that are there
already are not estimated again):

    sage/bin/python scripts/estimate_security.py keys lattice-estimator --corners
    sage/bin/python scripts/estimate_security.py keys lattice-estimator
    sage/bin/python scripts/estimate_security.py scores lattice-estimator

`keys`: LWE, modulus 2^64, uniform binary secret, noise TUniform(b) with fhectl's b for the dimension, samples without
end. `--corners` takes every attack, in two cost models, for some dimensions of the whole range; without it the remaining
dimensions are estimated by the attacks that come first at the corners (dual hybrid, BDD, uSVP; coded BKW where it is near).

`scores`: a written score of a network together with its ciphertext, read as LWE: modulus 2^bits, error uniform over
W = 16 words, samples without end. Writes tests/vectors/security_scores.csv. See docs/src/reference/parameters.md.

Numbers are log2 of operations in the estimator's default cost model (MATZOV 2022) unless the column `model` says
BDGL16; `inf` is what the estimator says where it found no attack at all, an empty field was not estimated.
"""

import argparse
import csv
import math
import os
import sys
import time

MODULUS_LOG2 = 64
# Every dimension that a search may choose: small keys, then the flattened keys of answers and inputs.
SMALL = list(range(512, 1537, 16))
LARGE = [1792, 2048, 2304, 2432, 2560, 3072, 4096, 8192]
CORNERS = [512, 640, 800, 1024, 1216, 1536, 2048, 2560, 4096, 8192]
SCORE_DIMENSIONS = [512, 640, 768, 1024, 1280, 1536, 1792, 2048, 2304, 2560, 3072, 4096, 8192]
WORDS = 16
# More bits than this no rule for scores asks for.
MOST_SCORE_BITS = 40

QUICK = ["usvp", "bdd", "dual_hybrid"]
# Above this dimension coded BKW is far from the best attack on keys (see the corners).
BKW_DIMENSION = 640
ATTACKS = ["coded_bkw", "usvp", "bdd", "bdd_hybrid", "bdd_mitm_hybrid", "dual", "dual_hybrid"]


def noise_bound(dimension):
    """b of TUniform(b): `t_uniform_bound` in crates/fhectl-core/src/fhe/noise.rs. tfhe 1.8.2's 132-bit curve in units of the last bit of 64:
    the least b whose variance is not below it, up to a part in a million."""
    line = math.ceil(-0.025167785 * dimension + 64 + 4.10067100000001)
    wanted = (2.0**4.44 + 2.0 ** (2 * line) / 3) * (1 - 1e-6)
    bound = max(0, line)
    while (2.0 ** (2 * bound + 1) + 1) / 6 < wanted:
        bound += 1
    return bound


def weakest():
    """Beyond the small keys, the first dimension of each noise bound. A bundle may have any multiple of 16 up to 8192;
    among those of one bound the shortest is the weakest."""
    dimensions = range(SMALL[-1] + 16, 8193, 16)
    return [n for n in dimensions if noise_bound(n) != noise_bound(n - 16)]


def noise_log2(dimension):
    """log2 of the standard deviation of a fresh encryption, as a fraction of the torus."""
    return 0.5 * math.log2((2.0 ** (2 * noise_bound(dimension) + 1) + 1) / 6) - MODULUS_LOG2


def log2_monomials(dimension, degree):
    """log2 of the number of multilinear monomials of at most this degree; from degree n/2 on, the least it can be."""
    degree = min(degree, dimension // 2)
    logs = [
        (math.lgamma(dimension + 1) - math.lgamma(i + 1) - math.lgamma(dimension - i + 1)) / math.log(2)
        for i in range(max(0, degree - 200), degree + 1)
    ]
    top = max(logs)
    return top + math.log2(sum(2.0 ** (value - top) for value in logs))


def arora_ge(dimension, values):
    """Linearization: as many roots as the error has values, a dense matrix that has to be read (exponent 2)."""
    return 2 * log2_monomials(dimension, values)


class Estimator:
    def __init__(self, path):
        sys.path.insert(0, path)
        import estimator  # noqa: wants Sage

        self.lwe, self.noise, self.models = estimator.LWE, estimator.ND, estimator.RC
        estimator.io.Logging.set_level(50)

    def attack(self, name, params, model):
        from sage.all import log, oo

        lwe, kwargs = self.lwe, {"red_cost_model": getattr(self.models, model)}
        runs = {
            "coded_bkw": lambda: lwe.coded_bkw(params),
            "usvp": lambda: lwe.primal_usvp(params, **kwargs),
            "bdd": lambda: lwe.primal_bdd(params, **kwargs),
            "bdd_hybrid": lambda: lwe.primal_hybrid(params, mitm=False, babai=False, **kwargs),
            "bdd_mitm_hybrid": lambda: lwe.primal_hybrid(params, mitm=True, babai=True, **kwargs),
            "dual": lambda: lwe.dual(params, **kwargs),
            "dual_hybrid": lambda: lwe.dual_hybrid(params, **kwargs),
        }
        cost = runs[name]()["rop"]
        return math.inf if cost == oo else float(log(cost, 2))

    def row(self, head, params, model, attacks, algebraic):
        """One line of the table: `head`, then the attacks, then the least."""
        found = {}
        for name in attacks:
            # BKW reduces no lattice, and the hybrids take minutes.
            if model != "MATZOV" and name in ("coded_bkw", "bdd_hybrid", "bdd_mitm_hybrid"):
                continue
            start = time.time()
            found[name] = self.attack(name, params, model)
            print(f"{head} {model} {name} {found[name]:.1f} ({time.time() - start:.0f} s)", file=sys.stderr, flush=True)
        cells = [f"{found[name]:.1f}" if name in found else "" for name in ATTACKS]
        return [*head, model, f"{algebraic:.1f}", *cells, f"{min([algebraic, *found.values()]):.1f}"]


class Table:
    """A CSV file that grows; a line is known by its head and model."""

    def __init__(self, path, head):
        self.path, self.width = path, len(head) + 1
        if not os.path.exists(path):
            self.write([*head, "model", "arora_ge", *ATTACKS, "best"])
        with open(path, newline="") as file:
            self.known = {tuple(line[: self.width]) for line in csv.reader(file)}

    def write(self, line):
        with open(self.path, "a", newline="") as file:
            csv.writer(file, lineterminator="\n").writerow(line)

    def add(self, head, model, row):
        if (*map(str, head), model) not in self.known:
            self.write(row())

    def sort(self):
        with open(self.path, newline="") as file:
            title, *lines = list(csv.reader(file))
        lines.sort(key=lambda line: [int(line[0]), int(line[1]), line[: self.width]])
        os.remove(self.path)
        for line in [title, *lines]:
            self.write(line)


def keys(estimator, table, corners):
    models = ["MATZOV", "BDGL16"] if corners else ["MATZOV"]
    for dimension in CORNERS if corners else sorted({*SMALL, *LARGE, *weakest()} - {*CORNERS}):
        bound = noise_bound(dimension)
        params = estimator.lwe.Parameters(
            n=dimension,
            q=2**MODULUS_LOG2,
            Xs=estimator.noise.Uniform(0, 1),
            Xe=estimator.noise.TUniform(bound),
        )
        algebraic = arora_ge(dimension, 2 ** (bound + 1) + 1)
        attacks = ATTACKS if corners else [*["coded_bkw"] * (dimension <= BKW_DIMENSION), *QUICK]
        head = (dimension, bound)
        for model in models:
            table.add(head, model, lambda: estimator.row(head, params, model, attacks, algebraic))


def score_bits(dimension):
    """The most bits whose W words are at least as wide as a fresh encryption's noise."""
    return min(MOST_SCORE_BITS, math.floor(math.log2(math.sqrt((WORDS**2 - 1) / 12)) - noise_log2(dimension)))


def scores(estimator, table):
    for dimension in SCORE_DIMENSIONS:
        most = score_bits(dimension)
        # Longer keys only get stronger: fewer points of theirs are estimated.
        tried = {8, 10, 13, 16, 20, 24, 32} if dimension < 2560 else {13, 24}
        for bits in sorted({*tried, most}):
            if bits > most:
                continue
            params = estimator.lwe.Parameters(
                n=dimension,
                q=2**bits,
                Xs=estimator.noise.Uniform(0, 1),
                Xe=estimator.noise.Uniform(-WORDS // 2, WORDS // 2 - 1),
            )
            head, algebraic = (dimension, bits), arora_ge(dimension, WORDS)
            attacks = ["coded_bkw", *QUICK]
            table.add(head, "MATZOV", lambda: estimator.row(head, params, "MATZOV", attacks, algebraic))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["keys", "scores"])
    parser.add_argument("estimator", help="folder of the lattice-estimator")
    parser.add_argument("--corners", action="store_true", help="all attacks and both cost models, at the corners")
    parser.add_argument("--folder", default="tests/vectors", help="where the tables are")
    arguments = parser.parse_args()
    estimator = Estimator(arguments.estimator)
    if arguments.what == "keys":
        table = Table(os.path.join(arguments.folder, "security.csv"), ["dimension", "noise_bound"])
        keys(estimator, table, arguments.corners)
    else:
        table = Table(os.path.join(arguments.folder, "security_scores.csv"), ["dimension", "response_bits"])
        scores(estimator, table)
    table.sort()


if __name__ == "__main__":
    main()
