#!/usr/bin/env python3
"""Reference values for results/claims/claim_verdicts.h.

Makes claims.json:  python3 make_claims.py   (needs scipy)

"pairs": SAR against each other row of the SAR paper's Table 2, column by column: p of Student's and
Welch's test by scipy.stats.ttest_ind_from_stats at the printed numbers, and for Student's the least and
largest over all 32 corners of the box of half-unit roundings. "holm36" and "holm48" are Holm's adjusted
p by hand over the six prior methods and over all eight. The table's cells are read by a regular
expression, not by a TOML parser.
"""
import itertools
import json
import pathlib
import re

from scipy import stats

HERE = pathlib.Path(__file__).parent
TABLE = HERE.parents[2] / "experiments/papers/sar2021/table2.toml"
N, HALF = 5, 0.005
COLUMNS = ["brats/tumor/S", "brats/tumor/M", "brats/tumor/L", "brats/tumor/all",
           "pancreas/organ/all", "pancreas/tumor/all"]


def p_value(a, b, student=True):
    return float(stats.ttest_ind_from_stats(a[0], a[1], N, b[0], b[1], N, equal_var=student).pvalue)


def holm(p):
    order = sorted(range(len(p)), key=p.__getitem__)
    adjusted, largest = [0.0] * len(p), 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p) - rank) * p[index]))
        adjusted[index] = largest
    return adjusted


def main():
    text = TABLE.read_text()
    methods = re.findall(r'^method = "(.*)"$', text, re.M)
    cells = [[tuple(map(float, cell.split("±"))) for cell in re.findall(r'"(.*?)"', line)]
             for line in re.findall(r"^cells = \[(.*)\]$", text, re.M)]
    rows = dict(zip(methods, cells))
    pairs = []
    for method in methods:
        if method == "sar":
            continue
        for column, ours, theirs in zip(COLUMNS, rows["sar"], rows[method]):
            box = [p_value((ours[0] + s[0] * HALF, ours[1] + s[1] * HALF),
                           (theirs[0] + s[2] * HALF, theirs[1] + s[3] * HALF))
                   for s in itertools.product((-1, 1), repeat=4)]
            pairs.append({"method": method, "column": column, "student": p_value(ours, theirs),
                          "welch": p_value(ours, theirs, False), "low": min(box), "high": max(box)})
    prior = [pair for pair in pairs if pair["method"] not in ("mial", "sa")]
    for name, family in (("holm36", prior), ("holm48", pairs)):
        for pair, p in zip(family, holm([pair["student"] for pair in family])):
            pair[name] = p
    (HERE / "claims.json").write_text(json.dumps({"pairs": pairs}, indent=1) + "\n")


main()
