#!/usr/bin/env python3
"""Reference values for results/statistics/permutation.h.

Makes permutation.json:  python3 make_permutation.py   (needs numpy and scipy)

The values are multiples of 1/8, so that ties are exact, and p is that of scipy.stats.permutation_test
(all arrangements) of the absolute difference of means. "decimal" holds values with two decimals, whose
ties are hidden by rounding; there p is counted with fractions.
"""
import fractions
import itertools
import json
import pathlib

import numpy as np
from scipy import stats


def difference(x, y, axis):
    return np.abs(np.mean(x, axis=axis) - np.mean(y, axis=axis))


def exact_p(a, b, paired):
    return float(stats.permutation_test((a, b), difference, vectorized=True, n_resamples=np.inf,
                                        permutation_type="samples" if paired else "independent",
                                        alternative="greater").pvalue)


def counted_p(a, b, paired):
    """By enumeration with exact decimals."""
    a, b = ([fractions.Fraction(str(x)) for x in xs] for xs in (a, b))
    if paired:
        d = [x - y for x, y in zip(a, b)]
        sums = [abs(sum(s * x for s, x in zip(signs, d)))
                for signs in itertools.product((1, -1), repeat=len(d))]
        bar = abs(sum(d))
    else:
        both, total = a + b, sum(a) + sum(b)

        def spread(s):
            return abs(s / len(a) - (total - s) / len(b))

        sums = [spread(sum(c)) for c in itertools.combinations(both, len(a))]
        bar = spread(sum(a))
    return sum(s >= bar for s in sums) / len(sums)


def main():
    rng = np.random.default_rng(1935)
    scipys, decimals = [], []
    for i in range(120):
        paired = i % 3 == 0
        n_a = int(rng.integers(2, 10 if paired else 7))
        n_b = n_a if paired or rng.random() < 0.4 else int(rng.integers(2, 7))
        a = rng.integers(0, 60, n_a) / 8 + rng.choice([0, 2, 4])
        b = rng.integers(0, 60, n_b) / 8
        scipys.append([list(a), list(b), paired, exact_p(a, b, paired)])
    for i in range(60):
        paired = i % 3 == 0
        n_a = int(rng.integers(3, 8 if paired else 6))
        n_b = n_a if paired or rng.random() < 0.4 else int(rng.integers(3, 6))
        a = (rng.integers(0, 12, n_a) / 100 + 84.1).round(2)
        b = (rng.integers(0, 12, n_b) / 100 + 84.1).round(2)
        if len(set(a) | set(b)) > 1 and not (paired and np.all(a == b)):
            decimals.append([list(a), list(b), paired, counted_p(a, b, paired)])
    a, b = rng.integers(0, 60, 12) / 8 + 1.5, rng.integers(0, 60, 12) / 8
    large = [[list(a), list(b), False, exact_p(a, b, False)]]  # 2.7 million arrangements
    a, b = a[:10], b[:10]
    large.append([list(a), list(b), True, exact_p(a, b, True)])
    text = json.dumps({"scipy": scipys, "decimal": decimals, "large": large})
    text = text.replace("], [[", "],\n[[").replace("\": [[[", "\": [\n[[")
    pathlib.Path(__file__).with_name("permutation.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
