#!/usr/bin/env python3
"""Reference values for results/statistics/rank_agreement.h.

Makes rank_agreement.json:  python3 make_rank_agreement.py   (needs numpy and scipy)

tau-b comes from scipy.stats.kendalltau. Without ties so does p (its exact method counts inversions);
with ties p is the share of all permutations, each scored by its definition.
"""
import itertools
import json
import math
import pathlib

import numpy as np
from scipy import stats


def shares(a, b):
    """Shares of permutations with a score as far from zero as the observed, and as any."""
    a, b = np.asarray(a), np.asarray(b)
    n = len(a)
    orders = np.array(list(itertools.permutations(range(n))))
    scores = np.zeros(len(orders), dtype=int)
    for i, j in itertools.combinations(range(n), 2):
        scores += int(np.sign(a[i] - a[j])) * np.sign(b[orders[:, i]] - b[orders[:, j]]).astype(int)
    observed = sum(int(np.sign(a[i] - a[j]) * np.sign(b[i] - b[j]))
                   for i, j in itertools.combinations(range(n), 2))
    far = np.abs(scores)
    return float(np.mean(far >= abs(observed))), float(np.mean(far == far.max()))


def untied(rng, n, spread):
    while True:
        a = rng.uniform(50, 90, n).round(2)
        b = (a + rng.normal(0, spread, n)).round(2)
        if len(set(a)) == len(set(b)) == n:
            return a, b


def main():
    rng = np.random.default_rng(1938)
    cases = []
    for _ in range(60):  # few distinct values: ties in both lists
        n = int(rng.integers(3, 8))
        a, b = (rng.integers(0, int(rng.integers(2, 6)), n).astype(float) for _ in range(2))
        if len(set(a)) > 1 and len(set(b)) > 1:
            cases.append((a, b))
    for n in (8, 8, 9):
        cases.append((rng.integers(0, 5, n).astype(float), rng.uniform(50, 90, n).round(2)))
    rows = []
    for a, b in cases:
        p, floor = shares(a, b)
        rows.append([list(a), list(b), float(stats.kendalltau(a, b).statistic), p, floor])
    for _ in range(40):  # no ties
        n = int(rng.integers(3, 11))
        a, b = untied(rng, n, rng.uniform(1, 30))
        test = stats.kendalltau(a, b, method="exact")
        rows.append([list(a), list(b), float(test.statistic), float(test.pvalue), 2 / math.factorial(n)])
    large = []
    for n in (11, 12, 20, 48):  # beyond enumeration; p by counting inversions, without ties
        a, b = untied(rng, n, 25)
        test = stats.kendalltau(a, b, method="exact")
        large.append([list(a), list(b), float(test.statistic), float(test.pvalue)])
    text = json.dumps({"exact": rows, "large": large})
    text = text.replace("], [[", "],\n[[").replace("\": [[[", "\": [\n[[")
    pathlib.Path(__file__).with_name("rank_agreement.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
