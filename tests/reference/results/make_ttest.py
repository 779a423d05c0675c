#!/usr/bin/env python3
"""Reference values for the t-tests of results/statistics/statistics.h.

Makes ttest.json:  python3 make_ttest.py   (needs numpy, scipy and mpmath)

t comes from SciPy. p and the quantile of the confidence interval come from mpmath with 50 digits (the
regularised incomplete beta function), because SciPy loses digits in far tails, and SciPy 1.10's
quantile is off by up to 1e-9; SciPy's own p is kept beside ours wherever it agrees to 1e-10. The interval of Hedges' g integrates the non-central t
over its chi denominator with NumPy, so nothing is shared with Boost, on which newer SciPy builds.
"""
import json
import pathlib

import mpmath as mp
import numpy as np
from scipy import optimize, special, stats

mp.mp.dps = 50


def exact_p(t, df):
    return exact_p_of(mp.mpf(float(t)), mp.mpf(float(df)))


def exact_p_of(t, df):
    return mp.betainc(df / 2, mp.mpf(1) / 2, 0, df / (df + t * t), regularized=True)


def exact_quantile(alpha, df):
    start = mp.mpf(float(stats.t.ppf(1 - alpha / 2, df)))
    return float(mp.findroot(lambda t: exact_p_of(t, mp.mpf(float(df))) - alpha, start))


NODES, WEIGHTS = np.polynomial.legendre.leggauss(40)


def non_central_cdf(t, df, delta):
    """P(T <= t) = E over s of Phi(t s - delta), s = chi / sqrt(df), by Gauss-Legendre panels that
    are fine both about s = 1 and where Phi steps from 0 to 1."""
    width = 1 / np.sqrt(2 * df)
    edges = [0.0, *(1 + np.arange(-12, 25) * width)]
    if t != 0:
        edges += list(delta / t + np.arange(-10, 11) / abs(t))
    edges = np.unique([e for e in edges if 0 <= e <= 1 + 24 * width])
    half = np.diff(edges)[:, None] / 2
    s = edges[:-1, None] + half * (1 + NODES)
    log_norm = np.log(2) + df / 2 * np.log(df / 2) - special.gammaln(df / 2)
    density = np.exp(log_norm + (df - 1) * np.log(s) - df * s * s / 2)
    return float(np.sum(half * WEIGHTS * density * special.ndtr(t * s - delta)))


def non_centrality(t, df, probability):
    t, df = float(t), float(df)
    guess = t - special.ndtri(probability) * np.sqrt(1 + t * t / (2 * df))
    reach = 1 + abs(t)
    low, high = guess, guess
    while non_central_cdf(t, df, low) < probability:
        low -= reach
    while non_central_cdf(t, df, high) > probability:
        high += reach
    return optimize.brentq(lambda d: non_central_cdf(t, df, d) - probability, low, high,
                           xtol=1e-15, rtol=1e-15)


def effect(t, df, scale, alpha):
    if df < 2:
        return [None, None, None]
    df = mp.mpf(int(df))
    factor = mp.gamma(df / 2) / (mp.sqrt(df / 2) * mp.gamma((df - 1) / 2)) * mp.mpf(scale)
    bounds = [factor * non_centrality(t, df, q) for q in (1 - alpha / 2, alpha / 2)]
    return [float(factor * mp.mpf(float(t)))] + [float(b) for b in bounds]


def result(t, df, difference, se, alpha, p_scipy):
    p = exact_p(t, df)
    reach = exact_quantile(alpha, df) * se
    agrees = p > 0 and abs(mp.mpf(float(p_scipy)) / p - 1) < 1e-10
    return [float(t), float(df), float(p), float(p_scipy) if agrees else None,
            float(difference - reach), float(difference + reach)]


def two_sample(mean_a, sd_a, n_a, mean_b, sd_b, n_b, alpha):
    row = [mean_a, sd_a, n_a, mean_b, sd_b, n_b, alpha]
    va, vb = sd_a**2 / n_a, sd_b**2 / n_b
    df = n_a + n_b - 2
    pooled = np.sqrt(((n_a - 1) * sd_a**2 + (n_b - 1) * sd_b**2) / df)
    reciprocal = mp.sqrt(mp.mpf(1) / n_a + mp.mpf(1) / n_b)
    out = []
    for equal in (True, False):
        t, p = stats.ttest_ind_from_stats(mean_a, sd_a, n_a, mean_b, sd_b, n_b, equal_var=equal)
        d = df if equal else (va + vb)**2 / (va**2 / (n_a - 1) + vb**2 / (n_b - 1))
        se = pooled * float(reciprocal) if equal else np.sqrt(va + vb)
        out.append(result(t, d, mean_a - mean_b, se, alpha, p))
    t_pooled = (mean_a - mean_b) / (pooled * float(reciprocal))
    return row + out + [effect(t_pooled, df, reciprocal, alpha)]


def paired(a, b, alpha):
    d = np.asarray(a) - np.asarray(b)
    n = len(d)
    test = stats.ttest_rel(a, b)
    se = d.std(ddof=1) / np.sqrt(n)
    return [list(map(float, a)), list(map(float, b)), alpha,
            result(test.statistic, n - 1, d.mean(), se, alpha, test.pvalue),
            effect(test.statistic, n - 1, 1 / mp.sqrt(n), alpha)]


def main():
    rng = np.random.default_rng(20210918)
    cases = []
    for _ in range(140):  # what tables hold: a few trials, Dice in percent
        n_a, n_b = (int(rng.integers(2, 9)) for _ in range(2))
        cases.append((round(float(rng.uniform(20, 95)), 2), round(float(rng.uniform(0.1, 8)), 2), n_a,
                      round(float(rng.uniform(20, 95)), 2), round(float(rng.uniform(0.1, 8)), 2), n_b,
                      float(rng.choice([0.05, 0.05, 0.01, 0.1]))))
    for _ in range(40):  # small effects, where the interval spans zero
        mean = float(rng.uniform(50, 90))
        cases.append((mean, float(rng.uniform(1, 5)), 5, mean + float(rng.normal(0, 2)),
                      float(rng.uniform(1, 5)), 5, 0.05))
    for _ in range(20):  # per-case tests: large groups
        n_a, n_b = (int(rng.integers(50, 400)) for _ in range(2))
        cases.append((float(rng.uniform(60, 90)), float(rng.uniform(5, 20)), n_a,
                      float(rng.uniform(60, 90)), float(rng.uniform(5, 20)), n_b, 0.05))
    cases += [
        (84.92, 1.62, 5, 83.03, 3.14, 5, 0.05),      # SAR against Genesis, TumorS and tumour
        (33.92, 3.00, 5, 33.12, 3.08, 5, 0.05),
        (80.0, 0.0, 5, 79.0, 1.5, 5, 0.05),          # one constant group
        (80.0, 2.0, 2, 80.0, 0.0, 2, 0.05),          # t = 0
        (80.0, 1.0, 2, 70.0, 1.0, 2, 0.05),          # least n
        (80.0, 1e-6, 5, 70.0, 1e-6, 5, 0.05),        # t of ten millions
        (90.0, 0.01, 5, 10.0, 0.02, 5, 0.05),
        (24.0, 1.0, 200, 10.0, 1.5, 200, 0.05),      # p near 1e-300
        (37.0, 1.0, 170, 25.0, 1.5, 170, 0.05),
        (90.0, 0.1, 40, 10.0, 0.3, 60, 0.05),
        (75.0, 5.0, 2, 60.0, 0.001, 300, 0.05),      # very unequal n and SD
        (75.0, 0.001, 2, 60.0, 5.0, 300, 0.05),
    ]
    pairs = []
    for _ in range(40):
        n = int(rng.integers(2, 12))
        a = rng.uniform(40, 90, n).round(2)
        pairs.append((a, (a + rng.normal(rng.uniform(-3, 3), 2, n)).round(2), 0.05))
    adjustments = []
    for size in (1, 2, 5, 12, 48):
        p = rng.uniform(0, 0.2, size).round(4)
        if size >= 5:
            p[1] = p[3]  # a tie
            p[0] = 0.9
        adjustments.append([list(map(float, p)), holm(p), benjamini_hochberg(p)])
    text = json.dumps({
        "two_sample": "mean_a sd_a n_a mean_b sd_b n_b alpha student welch effect",
        "paired": "a b alpha test effect",
        "test": "t df p p_scipy ci_low ci_high",
        "effect": "g g_low g_high",
        "adjustment": "p holm bh",
        "two_sample_cases": [two_sample(*c) for c in cases],
        "paired_cases": [paired(*c) for c in pairs],
        "adjustments": adjustments,
    })
    text = text.replace("]], [", "]],\n[").replace("_cases\": [", "_cases\": [\n")
    path = pathlib.Path(__file__).with_name("ttest.json")
    path.write_text(text + "\n")


def holm(p):
    """By definition: the largest of (m - j + 1) p_(j) over all smaller or equal p, at most 1."""
    ordered = sorted(p)
    m = len(p)
    return [float(min(1, max((m - j) * q for j, q in enumerate(ordered[:1 + ordered.index(x)]))))
            for x in p]


def benjamini_hochberg(p):
    """By definition: the least m p_(j) / j over all larger or equal p."""
    ordered = sorted(p)
    m = len(p)
    last = {x: max(j for j, q in enumerate(ordered) if q == x) for x in ordered}
    return [float(min(1, min(m * ordered[j] / (j + 1) for j in range(last[x], m)))) for x in p]


if __name__ == "__main__":
    main()
