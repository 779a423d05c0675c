#!/usr/bin/env python3
"""Reference values for the tests of results/statistics/statistics.h that ttest.json does not hold.

Makes statistics.json:  python3 make_statistics.py   (needs numpy, scipy and mpmath)

Paired tests from summaries start from lists and take t and p from scipy.stats.ttest_rel where they
can; everything else follows its formula in mpmath, and Benjamini-Hochberg comes from
scipy.stats.false_discovery_control.
"""
import json
import pathlib

import mpmath as mp
import numpy as np
from scipy import stats

from non_central_t import above, below, p_above, p_two_sided, quantile, secant


def correction(df):
    df = mp.mpf(df)
    return mp.gamma(df / 2) / (mp.sqrt(df / 2) * mp.gamma((df - 1) / 2))


def non_centralities(t, df, alpha):
    """The non-centralities that leave alpha / 2 above t and below t."""
    t, tail = mp.mpf(t), mp.mpf(alpha) / 2
    spread = mp.sqrt(1 + t * t / (2 * mp.mpf(df)))
    z = -mp.sqrt(2) * mp.erfinv(2 * tail - 1)
    low = secant(lambda d: mp.log(above(t, df, d) / tail), t - z * spread, spread / 20)
    high = secant(lambda d: mp.log(below(t, df, d) / tail), t + z * spread, spread / 20)
    return low, high


def interval_of_g(t, df, scale, alpha):
    """g and its bounds, or nothing below two degrees of freedom."""
    if df < 2:
        return [None, None, None]
    factor = correction(df) * scale
    low, high = non_centralities(abs(t), df, alpha)
    bounds = (factor * low, factor * high) if t >= 0 else (-factor * high, -factor * low)
    return [float(factor * t), *map(float, bounds)]


def test_of(mean, se, df, alpha):
    t = mean / se
    reach = se * quantile(alpha, df)
    return [float(t), float(df), float(p_two_sided(t, df)), float(mean - reach), float(mean + reach)]


def exact(values):
    return [mp.mpf(float(v)) for v in values]


def spread_of(differences):
    n = len(differences)
    mean = mp.fsum(differences) / n
    return mean, mp.sqrt(mp.fsum((d - mean) ** 2 for d in differences) / (n - 1))


def corrected(a, b, ratio, alpha):
    differences = [x - y for x, y in zip(exact(a), exact(b))]
    n = len(differences)
    mean, sd = spread_of(differences)
    scale = mp.sqrt(mp.mpf(1) / n + mp.mpf(ratio))
    return [list(a), list(b), ratio, alpha, test_of(mean, sd * scale, n - 1, alpha),
            interval_of_g(mean / (sd * scale), n - 1, scale, alpha)]


def paired_summary(mean_a, sd_a, mean_b, sd_b, n, r, alpha, with_g):
    va, vb = mp.mpf(sd_a), mp.mpf(sd_b)
    sd = mp.sqrt(va ** 2 + vb ** 2 - 2 * mp.mpf(r) * va * vb)
    scale = 1 / mp.sqrt(n)
    mean = mp.mpf(mean_a) - mp.mpf(mean_b)
    g = interval_of_g(mean / (sd * scale), n - 1, scale, alpha) if with_g else None
    return [mean_a, sd_a, mean_b, sd_b, n, r, alpha, test_of(mean, sd * scale, n - 1, alpha), g]


def paired_lists(a, b):
    test = stats.ttest_rel(a, b)
    r = float(np.corrcoef(a, b)[0, 1])
    return [float(a.mean()), float(a.std(ddof=1)), float(b.mean()), float(b.std(ddof=1)), len(a), r,
            float(test.statistic), float(test.pvalue)]


def equivalence(mean_a, sd_a, n_a, mean_b, sd_b, n_b, margin, pooled, alpha):
    sa, sb = mp.mpf(sd_a) ** 2, mp.mpf(sd_b) ** 2
    if pooled:
        df = mp.mpf(n_a + n_b - 2)
        se = mp.sqrt(((n_a - 1) * sa + (n_b - 1) * sb) / df * (mp.mpf(1) / n_a + mp.mpf(1) / n_b))
    else:
        va, vb = sa / n_a, sb / n_b
        df = (va + vb) ** 2 / (va ** 2 / (n_a - 1) + vb ** 2 / (n_b - 1))
        se = mp.sqrt(va + vb)
    difference = mp.mpf(mean_a) - mp.mpf(mean_b)
    reach = se * quantile(2 * mp.mpf(alpha), df)
    return [mean_a, sd_a, n_a, mean_b, sd_b, n_b, margin, pooled, alpha, float(df),
            float(p_above((difference + margin) / se, df)),
            float(p_above((margin - difference) / se, df)),
            float(difference - reach), float(difference + reach)]


def main():
    rng = np.random.default_rng(2003)
    summaries = [paired_summary(*c, True) for c in [
        (84.92, 1.62, 83.03, 3.14, 5, 0.0, 0.05), (84.92, 1.62, 83.03, 3.14, 5, 1.0, 0.05),
        (84.92, 1.62, 83.03, 3.14, 5, -1.0, 0.05), (80.0, 2.0, 79.0, 2.0, 3, 0.999999999, 0.01),
        (80.0, 2.0, 79.0, 0.0, 5, 0.3, 0.05), (90.0, 0.01, 10.0, 0.02, 2, 0.5, 0.05)]]
    for i in range(80):
        n = int(rng.integers(2, 12)) if i % 4 else int(rng.integers(50, 300))
        mean = round(float(rng.uniform(30, 90)), 2)
        summaries.append(paired_summary(
            mean, round(float(rng.uniform(0.1, 8)), 2), round(mean + float(rng.normal(0, 4)), 2),
            round(float(rng.uniform(0.1, 8)), 2), n, round(float(rng.uniform(-1, 1)), 3),
            float(rng.choice([0.05, 0.01, 0.1])), i % 4 == 1))
    lists = []
    for _ in range(60):
        n = int(rng.integers(3, 12))
        a = rng.uniform(40, 90, n).round(2)
        lists.append(paired_lists(a, (a + rng.normal(rng.uniform(-3, 3), 6, n)).round(2)))
    folds = []
    for i in range(30):
        n = int(rng.integers(2, 11))
        a = rng.uniform(40, 90, n).round(2)
        b = (a + rng.normal(rng.uniform(-3, 3), 2, n)).round(2)
        folds.append(corrected([*map(float, a)], [*map(float, b)], float(rng.choice([0.25, 1 / 9, 1.0])),
                               float(rng.choice([0.05, 0.01]))))
    equivalences = [equivalence(*c) for c in [
        (84.92, 1.62, 5, 83.03, 3.14, 5, 3.0, False, 0.05), (80.0, 0.0, 5, 79.0, 1.5, 5, 2.0, False, 0.05),
        (80.0, 0.0, 5, 79.0, 1.5, 5, 2.0, True, 0.05), (80.0, 1.0, 2, 80.0, 1.0, 2, 1.0, True, 0.05),
        (80.0, 1e-3, 200, 80.0, 1e-3, 200, 0.05, True, 0.05), (80.0, 1e-4, 5, 10.0, 1e-4, 5, 1.0, False, 0.05)]]
    for i in range(120):
        n_a, n_b = (int(rng.integers(2, 9)) for _ in range(2))
        mean = round(float(rng.uniform(30, 90)), 2)
        equivalences.append(equivalence(
            mean, round(float(rng.uniform(0.1, 5)), 2), n_a, round(mean + float(rng.normal(0, 3)), 2),
            round(float(rng.uniform(0.1, 5)), 2), n_b, round(float(rng.uniform(0.5, 6)), 1), i % 2 == 0,
            float(rng.choice([0.05, 0.01, 0.05 / 48]))))
    intervals = []
    for t, df, alpha in [(0.0, 8, 0.05), (1e-3, 2, 0.05), (40.0, 2, 0.05), (1e7, 8, 0.05), (19.9, 198, 0.05),
                         (20.1, 198, 0.05), (30.0, 1000, 0.01), (2.0, 8, 1e-12), (60.0, 8, 1e-12),
                         (3.0, 100000, 0.05)]:
        intervals.append([t, df, alpha, *map(float, non_centralities(t, df, alpha))])
    tails = []
    for _ in range(160):
        df = int(rng.choice([2, 3, 4, 8, 18, 98, 1000, 100000, 5000000]))
        t = float(rng.choice([0.1, 1, 2.3, 5, 12, 19.9, 20.1, 50, 1000])) * float(rng.uniform(0.9, 1))
        spread = np.sqrt(1 + t * t / (2 * df))
        delta = t + spread * float(rng.uniform(-7, 7))
        of_t = above(t, df, delta), below(t, df, delta)
        tails.append([t, df, float(delta), *(float(p) if p > 1e-14 else None for p in of_t)])
    corrections = [[df, float(correction(df))] for df in (2, 3, 4, 8, 48, 198, 10000, 10000000)]
    adjustments = []
    for size in (1, 2, 3, 7, 36, 48):
        p = (10 ** rng.uniform(-12, 0, size)).tolist()
        if size >= 7:
            p[2] = p[4]
            p[0] = 0.0
            p[1] = 1.0
        adjustments.append([p, list(map(float, stats.false_discovery_control(p)))])
    text = json.dumps({
        "paired_summary": summaries, "paired_lists": lists, "corrected": folds,
        "equivalence": equivalences, "non_centralities": intervals, "tails": tails, "corrections": corrections,
        "benjamini_hochberg": adjustments})
    text = text.replace("], [", "],\n[").replace("\": [[", "\": [\n[")
    pathlib.Path(__file__).with_name("statistics.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
