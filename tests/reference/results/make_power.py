#!/usr/bin/env python3
"""Reference values for results/statistics/power.h.

Makes power.json:  python3 make_power.py   (needs numpy and mpmath)

Power, the effect of a given power and the trials that reach it come from non_central_t.py, that is
from mpmath.
"""
import json
import pathlib

import mpmath as mp
import numpy as np

from non_central_t import above, below, quantile, secant


def power(effect, n_a, n_b, alpha):
    df = n_a + n_b - 2
    critical = quantile(alpha, df)
    delta = mp.mpf(effect) / mp.sqrt(mp.mpf(1) / n_a + mp.mpf(1) / n_b)
    return above(critical, df, delta) + above(critical, df, -delta)


def detectable(n_a, n_b, wanted, alpha):
    df = n_a + n_b - 2
    critical = quantile(alpha, df)
    scale = mp.sqrt(mp.mpf(1) / n_a + mp.mpf(1) / n_b)

    def excess(delta):
        # on a scale on which the secant method meets no flat ends
        opposite = above(critical, df, -delta)
        reached = above(critical, df, delta) + opposite
        missed = max(below(critical, df, delta) - opposite, mp.mpf(10) ** -20)
        return mp.log(reached / missed) - mp.log(mp.mpf(wanted) / (1 - mp.mpf(wanted)))

    low, high = mp.mpf(0), critical
    while excess(high) < 0:
        low, high = high, 2 * high
    for _ in range(8):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) < 0 else (low, middle)
    return secant(excess, (low + high) / 2, (high - low) / 2) * scale


def needed(effect, wanted, alpha):
    n = 2
    while power(effect, n, n, alpha) < wanted:
        n *= 2
    if n == 2:
        return n
    low = n // 2
    while n - low > 1:
        middle = (low + n) // 2
        low, n = (low, middle) if power(effect, middle, middle, alpha) >= wanted else (middle, n)
    return n


def main():
    rng = np.random.default_rng(1988)
    powers = [(0.0, 5, 5, 0.05), (0.5, 64, 64, 0.05), (0.01, 2, 2, 0.05), (1e-6, 1000000, 1000000, 0.05),
              (0.003, 1000000, 1000000, 0.05), (3.0, 2, 2, 0.001), (50.0, 2, 2, 1e-6),
              (3e5, 2, 2, 1e-12), (0.2, 2, 100000, 0.05), (1.5, 2, 100000, 0.01), (9.0, 5, 5, 1e-9),
              (2.0, 50, 60, 1e-12), (-1.25, 5, 5, 0.05), (1.0, 3, 3, 0.9)]
    for _ in range(140):
        n_a = int(rng.integers(2, 12)) if rng.random() < 0.7 else int(rng.integers(12, 500))
        n_b = n_a if rng.random() < 0.5 else int(rng.integers(2, 60))
        powers.append((round(float(rng.uniform(0, 8) / np.sqrt(min(n_a, n_b))), 3), n_a, n_b,
                       float(rng.choice([0.05, 0.05, 0.01, 0.1, 0.05 / 48]))))
    effects = [(5, 5, 0.8, 0.05), (2, 2, 0.8, 0.05), (2, 2, 0.999999, 0.001), (1000000, 1000000, 0.8, 0.05),
               (5, 5, 0.0501, 0.05), (5, 5, 0.999999999, 0.05), (3, 300, 0.9, 0.01)]
    for _ in range(60):
        n_a = int(rng.integers(2, 40))
        n_b = n_a if rng.random() < 0.5 else int(rng.integers(2, 40))
        effects.append((n_a, n_b, round(float(rng.uniform(0.15, 0.99)), 3),
                        float(rng.choice([0.05, 0.05, 0.01, 0.1, 0.05 / 48]))))
    trials = [(0.5, 0.8, 0.05), (0.05, 0.8, 0.05), (0.005, 0.8, 0.05), (40.0, 0.8, 0.05), (1.0, 0.9, 1e-6)]
    for _ in range(40):
        trials.append((round(float(rng.uniform(0.1, 4)), 2), float(rng.choice([0.8, 0.9, 0.5])),
                       float(rng.choice([0.05, 0.01, 0.05 / 48]))))
    text = json.dumps({
        "power": [[*c, float(power(*c))] for c in powers],
        "detectable": [[*c, float(detectable(*c))] for c in effects],
        "trials": [[*c, needed(*c)] for c in trials],
    })
    text = text.replace("], [", "],\n[").replace("\": [[", "\": [\n[")
    pathlib.Path(__file__).with_name("power.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
