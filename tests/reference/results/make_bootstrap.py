#!/usr/bin/env python3
"""Reference values for results/statistics/bootstrap.h.

Makes bootstrap.json:  python3 make_bootstrap.py   (needs numpy)

"exact": small inputs whose bootstrap distribution is enumerated with fractions; the levels are those
whose two quantiles lie at least 1/80 of probability away from any step, so that a bootstrap of 40,000
samples (whose quantiles are good to 0.0022 of probability at worst, one SD) must land on the same values.
"coverage": how often a percentile interval at level 0.95 holds the true value, measured with NumPy on
values 75 + trial + case + rest, all normal and drawn anew for each experiment.
"""
import collections
import fractions
import itertools
import json
import pathlib

import numpy as np

EXPERIMENTS, SAMPLES, LEVEL = 4000, 1000, 0.95


def means(values):
    """Distribution of the mean of as many draws with replacement."""
    n = len(values)
    share = fractions.Fraction(1, n ** n)
    result = collections.Counter()
    for draw in itertools.product(values, repeat=n):
        result[sum(draw) / n] += share
    return result


def crossed(trials, case_draw):
    """Distribution of the mean over drawn trials, given drawn cases."""
    return means([sum(trial[c] for c in case_draw) / len(case_draw) for trial in trials])


def add(total, part, factor):
    for value, share in part.items():
        total[value] += share * factor


def combine(a, b, sign):
    result = collections.Counter()
    for (x, p), (y, q) in itertools.product(a.items(), b.items()):
        result[x + sign * y] += p * q
    return result


def draws(cases):
    return list(itertools.product(cases, repeat=len(cases)))


def crossed_mean(trials):
    """trials: one {case: value} each."""
    result = collections.Counter()
    all_draws = draws(sorted(trials[0]))
    for draw in all_draws:
        add(result, crossed(trials, draw), fractions.Fraction(1, len(all_draws)))
    return result


def crossed_difference(a, b):
    shared = sorted(a[0].keys() & b[0].keys())
    own_a, own_b = sorted(a[0].keys() - b[0].keys()), sorted(b[0].keys() - a[0].keys())
    result = collections.Counter()
    for common in draws(shared):
        for of_a, of_b in itertools.product(draws(own_a), draws(own_b)):
            share = fractions.Fraction(1, len(draws(shared)) * len(draws(own_a)) * len(draws(own_b)))
            add(result, combine(crossed(a, common + of_a), crossed(b, common + of_b), -1), share)
    return result


def nested_mean(trials):
    one = collections.Counter()  # one drawn trial's mean
    for trial in trials:
        add(one, means(list(trial.values())), fractions.Fraction(1, len(trials)))
    total = collections.Counter({fractions.Fraction(0): fractions.Fraction(1)})
    for _ in trials:
        total = combine(total, one, 1)
    return collections.Counter({v / len(trials): p for v, p in total.items()})


def nested_difference(a, b):
    if [t.keys() for t in a] == [t.keys() for t in b]:
        return nested_mean([{c: x[c] - y[c] for c in x} for x, y in zip(a, b)])
    return combine(nested_mean(a), nested_mean(b), -1)


def quantile(distribution, p):
    """The value at p, or nothing if p is near a step."""
    reached = fractions.Fraction(0)
    for value in sorted(distribution):
        before, reached = reached, reached + distribution[value]
        if p < reached:
            return value if min(p - before, reached - p) > fractions.Fraction(1, 80) else None
    raise AssertionError


def intervals(distribution):
    assert sum(distribution.values()) == 1
    found = []
    for percent in range(98, 10, -3):
        tail = fractions.Fraction(100 - percent, 200)
        low, high = quantile(distribution, tail), quantile(distribution, 1 - tail)
        if low is not None and high is not None:
            found.append([percent / 100, float(low), float(high)])
    assert len(found) > 1
    return found[:: max(1, len(found) // 4)]


def random_trials(rng, cases_of_trials):
    return [{c: fractions.Fraction(int(rng.integers(0, 80)), 8) for c in cases}
            for cases in cases_of_trials]


def as_json(trials):
    return [[list(t), [float(v) for v in t.values()]] for t in trials]


def exact(rng):
    rows = []
    for shape in ([[1, 2]] * 2, [[7, 3, 5]] * 2, [[1, 2]] * 3, [[4]] * 3, [[2, 1, 3, 4]]):
        trials = random_trials(rng, shape)
        rows.append([False, as_json(trials), None, intervals(crossed_mean(trials))])
    for shape in ([[1, 2], [3, 4]], [[1, 2, 3], [4]], [[1], [2], [3]]):
        trials = random_trials(rng, shape)
        rows.append([True, as_json(trials), None, intervals(nested_mean(trials))])
    for of_a, of_b in (([[1, 2]] * 2, [[2, 1]] * 2), ([[1, 2]], [[2, 3]] * 2), ([[1, 2]], [[3, 4]])):
        a, b = random_trials(rng, of_a), random_trials(rng, of_b)
        for trial in b:  # a common case effect: drawing the cases together matters
            for case in trial:
                trial[case] += 20 * case
        for trial in a:
            for case in trial:
                trial[case] += 20 * case
        rows.append([False, as_json(a), as_json(b), intervals(crossed_difference(a, b))])
    for of_a, of_b in (([[1, 2], [3, 4]], [[2, 1], [4, 3]]), ([[1, 2], [3]], [[4], [5]])):
        a, b = random_trials(rng, of_a), random_trials(rng, of_b)
        for trial in a + b:
            for case in trial:
                trial[case] += 20 * case
        rows.append([True, as_json(a), as_json(b), intervals(nested_difference(a, b))])
    return rows


def covers(drawn, truth):
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return low <= truth <= high


def counts(rng, n):
    return rng.multinomial(n, np.full(n, 1 / n), size=SAMPLES) / n


def coverage(rng, kind, trials, cases, sd_trial, sd_case, sd_rest):
    hits = 0
    for _ in range(EXPERIMENTS):
        case = rng.normal(0, sd_case, cases)

        def values():
            of_case = case if kind != "nested mean" else rng.normal(0, sd_case, (trials, cases))
            return (75 + rng.normal(0, sd_trial, (trials, 1)) + of_case +
                    rng.normal(0, sd_rest, (trials, cases)))

        a = values()
        if kind == "nested mean":
            picked = a[rng.integers(0, trials, (SAMPLES, trials))]
            draw = rng.integers(0, cases, picked.shape)
            drawn = np.take_along_axis(picked, draw, axis=2).mean(axis=(1, 2))
        else:
            of_cases = counts(rng, cases)
            drawn = np.einsum("st,tc,sc->s", counts(rng, trials), a, of_cases, optimize=True)
            if kind == "crossed difference":
                drawn -= np.einsum("st,tc,sc->s", counts(rng, trials), values(), of_cases, optimize=True)
        hits += covers(drawn, 0 if kind == "crossed difference" else 75)
    return [kind, trials, cases, sd_trial, sd_case, sd_rest, hits / EXPERIMENTS]


def main():
    rng = np.random.default_rng(1979)
    models = [("crossed mean", 5, 40, 1.5, 8.0, 4.0), ("crossed mean", 5, 40, 1.5, 0.0, 1.0),
              ("crossed difference", 5, 40, 1.5, 8.0, 4.0), ("nested mean", 5, 20, 1.5, 5.0, 6.0)]
    text = json.dumps({"exact": exact(rng), "experiments": EXPERIMENTS,
                       "coverage": [coverage(rng, *m) for m in models]})
    text = text.replace("]]], [", "]]],\n[").replace("\": [[", "\": [\n[")
    pathlib.Path(__file__).with_name("bootstrap.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
