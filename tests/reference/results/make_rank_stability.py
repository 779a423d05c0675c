#!/usr/bin/env python3
"""Reference values for results/tables/rank_stability.h.

Makes rank_stability.json:  python3 make_rank_stability.py   (needs numpy and scipy)

The same two models, drawn with NumPy's own random numbers: crossed (trials drawn for each method,
cases once for all methods) and nested (folds, and cases within each drawn one, once for all). Ranks
by counting, tau-b over all pairs, checked against scipy.stats.kendalltau on some samples. An end of
the rank interval is null where the share of samples up to it is too near the quantile to tell.
"""
import json
import pathlib

import numpy as np
from scipy import stats

SAMPLES = 200_000
LEVEL = 0.9
COMPARED_SAMPLES = 20_000  # that the test draws: for the null rule above


def drawn_crossed(rng, methods):
    """Means [sample][method]; methods: arrays [trial][case]."""
    cases = methods[0].shape[1]
    of_cases = rng.multinomial(cases, np.full(cases, 1 / cases), size=SAMPLES) / cases
    means = []
    for values in methods:
        trials = values.shape[0]
        of_trials = rng.multinomial(trials, np.full(trials, 1 / trials), size=SAMPLES) / trials
        means.append(np.einsum("st,tc,sc->s", of_trials, values, of_cases, optimize=True))
    return np.stack(means, axis=1)


def drawn_nested(rng, methods):
    """methods: lists of arrays [case], one per fold."""
    folds = len(methods[0])
    total = np.zeros((SAMPLES, len(methods)))
    for _ in range(folds):
        picked = rng.integers(0, folds, SAMPLES)
        for fold in range(folds):
            here = np.flatnonzero(picked == fold)
            cases = len(methods[0][fold])
            draw = rng.integers(0, cases, (len(here), cases))
            for m, values in enumerate(methods):
                total[here, m] += values[fold][draw].mean(axis=1)
    return total / folds


def rounded(means):
    """Sums in another order must not break ties."""
    return np.round(means, 9)


def middle_ranks(means):
    above = (means[:, None, :] > means[:, :, None]).sum(axis=2)
    equal = (means[:, None, :] == means[:, :, None]).sum(axis=2)
    return 1 + above + (equal - 1) / 2, above, equal


def shares(above, equal):
    n = above.shape[1]
    place = np.arange(n)
    inside = (place >= above[:, :, None]) & (place < (above + equal)[:, :, None])
    return (inside / equal[:, :, None]).mean(axis=0)


def tau_b(means, measured):
    i, j = np.triu_indices(len(measured), 1)
    a = np.sign(means[:, i] - means[:, j])
    b = np.sign(measured[i] - measured[j])
    scale = np.sqrt((a != 0).sum(axis=1) * (b != 0).sum())
    tau = np.where(scale > 0, (a * b).sum(axis=1) / np.where(scale > 0, scale, 1), 0.0)
    for s in range(200):
        expected = stats.kendalltau(means[s], measured).statistic
        assert abs(tau[s] - (0 if np.isnan(expected) else expected)) < 1e-12
    return tau


def interval(ranks):
    error = 6 * np.sqrt(LEVEL * (1 - LEVEL) / 4 * (1 / COMPARED_SAMPLES + 1 / SAMPLES)) * 1.5
    ends = []
    for q in ((1 - LEVEL) / 2, (1 + LEVEL) / 2):
        end = np.quantile(ranks, q, method="inverted_cdf")
        clear = np.mean(ranks <= end) - q > error and q - np.mean(ranks < end) > error
        ends.append(float(end) if clear else None)
    return ends


def model(rng, nested, methods, ids):
    means = rounded((drawn_nested if nested else drawn_crossed)(rng, methods))
    measured = rounded(np.array([np.mean([np.mean(trial) for trial in m]) for m in methods]))
    ranks, above, equal = middle_ranks(means)
    share = shares(above, equal)
    tau = tau_b(means, measured)
    return {
        "nested": nested,
        "cases": ids,
        "values": [[list(map(float, trial)) for trial in m] for m in methods],
        "mean": list(map(float, measured)),
        "rank": list(map(float, middle_ranks(measured[None, :])[0][0])),
        "share": [list(map(float, row)) for row in share],
        "interval": [interval(ranks[:, m]) for m in range(len(methods))],
        "agreement": [float(tau.mean()), float(tau.std())],
        "same_first": float(share[measured == measured.max(), 0].sum()),
    }


def effects(rng, methods, trials, cases, sd_trial, sd_case, sd_rest, gap):
    of_case = rng.normal(0, sd_case, cases)
    return [(70 + gap * m + rng.normal(0, sd_trial, (trials[m], 1)) + of_case +
             rng.normal(0, sd_rest, (trials[m], cases))).round(2) for m in range(methods)]


def main():
    rng = np.random.default_rng(2021)
    rows = []
    for methods, trials, cases, gap in ((4, [5, 5, 4, 5], 8, 1.0), (2, [3, 3], 12, 0.5), (6, [5] * 6, 20, 0.8)):
        values = effects(rng, methods, trials, cases, 1.5, 8, 3, gap)
        rows.append(model(rng, False, values, [list(range(cases))]))
    ties = [rng.integers(0, 3, (2, 3)).astype(float) for _ in range(4)]  # few values: many ties
    rows.append(model(rng, False, ties, [list(range(3))]))
    for methods, sizes in ((4, [3, 3, 3, 3, 3]), (3, [2, 5, 1, 4])):
        ids = np.split(np.arange(sum(sizes)), np.cumsum(sizes)[:-1])
        of_case = rng.normal(0, 8, sum(sizes))
        values = [[(60 + m + rng.normal(0, 1.5) + of_case[fold] + rng.normal(0, 3, len(fold))).round(2)
                   for fold in ids] for m in range(methods)]
        rows.append(model(rng, True, values, [list(map(int, fold)) for fold in ids]))
    text = json.dumps({"samples": SAMPLES, "compared_samples": COMPARED_SAMPLES, "level": LEVEL,
                       "models": rows})
    text = text.replace("}, {", "},\n{").replace("\": [{", "\": [\n{").replace(", \"share\"", ",\n \"share\"")
    pathlib.Path(__file__).with_name("rank_stability.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
