#!/usr/bin/env python3
"""Reference verdicts for the statistical rule of results/comparison/baseline.h.

Makes gate.json:  python3 make_gate.py   (needs numpy and scipy)

Each gate has a few cells of trials, drawn with a fixed seed. The one-sided p values are those of
scipy.stats.ttest_ind(equal_var=False, alternative=...) on the trials themselves, with the margin taken
off the baseline's; Holm's step-down and the verdicts are written out here, independently of the
product.
"""
import json
import pathlib

import numpy as np
from scipy import stats

rng = np.random.default_rng(20240501)
ALPHA = 0.05


def holm(p):
    adjusted = [0.0] * len(p)
    largest = 0.0
    for rank, i in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        largest = max(largest, min(1.0, p[i] * (len(p) - rank)))
        adjusted[i] = largest
    return adjusted


gates = []
for index in range(40):
    margin = float(rng.choice([0.5, 2.0, 5.0]))
    clean = index % 3 == 0  # no loss and little spread: most of these gates pass
    cells = []
    for _ in range(int(rng.integers(1, 7))):
        n_base, n_now = (int(v) for v in rng.integers(3, 9, size=2))
        n_now = max(n_now, n_base)  # every trial of the baseline is there
        mean, spread = rng.uniform(30, 80), rng.uniform(0.1, 0.3 if clean else 3)
        loss = 0.0 if clean else float(rng.choice([0, 0, 0.5, 1, 2, 4])) * margin
        base = np.clip(rng.normal(mean, spread, n_base), 0, 100)
        now = np.clip(rng.normal(mean - loss, spread * rng.uniform(0.3, 3), n_now), 0, 100)
        compared = now[:n_base]  # trials that the baseline does not have are left out
        lost = stats.ttest_ind(base - margin, compared, equal_var=False, alternative="greater")
        kept = stats.ttest_ind(base - margin, compared, equal_var=False, alternative="less")
        cells.append({"base": list(base), "now": list(now), "t": float(lost.statistic),
                      "p_loss": float(lost.pvalue), "p_kept": float(kept.pvalue)})
    for cell, p in zip(cells, holm([cell["p_loss"] for cell in cells])):
        cell["p_loss_adjusted"] = p
        cell["verdict"] = ("failed" if p < ALPHA else "passed" if cell["p_kept"] < ALPHA else "undecided")
    verdicts = [cell["verdict"] for cell in cells]
    exit_code = 1 if "failed" in verdicts else 4 if "undecided" in verdicts else 0
    gates.append({"margin": margin, "alpha": ALPHA, "cells": cells, "exit_code": exit_code})

codes = [gate["exit_code"] for gate in gates]
assert all(codes.count(code) >= 4 for code in (0, 1, 4)), codes
path = pathlib.Path(__file__).with_name("gate.json")
path.write_text(json.dumps({"made_by": "make_gate.py", "gates": gates}, indent=1) + "\n")
print({code: codes.count(code) for code in (0, 1, 4)})
