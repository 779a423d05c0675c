#!/usr/bin/env python3
"""Reference values for results/figures/forest.h.

Makes forest.json:  python3 make_forest.py   (needs numpy and scipy 1.11 or newer)

Each row: trials of the reference, trials of the other method, alpha, then for Student's and Welch's
test by scipy.stats.ttest_ind: t, df, p, and the ends of the confidence interval of the difference
reference less other.
"""
import json
import pathlib

import numpy as np
from scipy import stats


def tested(a, b, alpha, equal_var):
    test = stats.ttest_ind(a, b, equal_var=equal_var)
    interval = test.confidence_interval(1 - alpha)
    return [float(x) for x in (test.statistic, test.df, test.pvalue, interval.low, interval.high)]


def main():
    rng = np.random.default_rng(1992)
    rows = []
    for _ in range(24):
        n_a, n_b = (int(rng.integers(2, 8)) for _ in range(2))
        a = rng.normal(rng.uniform(30, 90), rng.uniform(0.2, 6), n_a).clip(0, 100).round(3)
        b = rng.normal(a.mean() + rng.normal(0, 4), rng.uniform(0.2, 6), n_b).clip(0, 100).round(3)
        alpha = float(rng.choice([0.05, 0.01, 0.1]))
        rows.append([list(a), list(b), alpha, tested(a, b, alpha, True), tested(a, b, alpha, False)])
    text = json.dumps(rows).replace("]], [[", "]],\n[[")
    pathlib.Path(__file__).with_name("forest.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
