#!/usr/bin/env python3
"""Reference values for the audit of the SAR paper (results/audit/audit.h).

Makes audit.json:  python3 make_audit.py   (needs Python 3.11, numpy and scipy)

Reads the printed tables. p values come from SciPy (ttest_ind_from_stats); their ranges from the 16
corners of each box of rounding intervals; the correlation that a paired test needs from a root finder
on that test's p; Benjamini-Hochberg from SciPy, Holm from its definition. Splits of the test cases are
tried one by one in whole hundredths.
"""
import itertools
import json
import pathlib
import tomllib

import numpy as np
from scipy import optimize, stats

here = pathlib.Path(__file__).parent
paper = here / "../../../experiments/papers/sar2021"
ALPHA, N = 0.05, 5


def table(name):
    data = tomllib.loads((paper / f"{name}.toml").read_text())
    columns = ["/".join([c["task"], c["target"], c.get("bucket", "all")]) for c in data["columns"]]
    return columns, {r["method"]: [tuple(map(float, c.split("±"))) for c in r["cells"]] for r in data["rows"]}


columns, rows = table("table2")


def p_of(a, b, pooled):
    return float(stats.ttest_ind_from_stats(a[0], a[1], N, b[0], b[1], N, equal_var=pooled).pvalue)


def corners(cell):
    return [(cell[0] + i * 0.005, max(0, cell[1] + j * 0.005)) for i in (-1, 1) for j in (-1, 1)]


def paired_p(a, b, r):
    spread = np.sqrt(a[1] ** 2 + b[1] ** 2 - 2 * r * a[1] * b[1])
    return float(2 * stats.t.sf(abs(a[0] - b[0]) / (spread / np.sqrt(N)), N - 1))


def needed(a, b):
    if paired_p(a, b, 1 - 1e-12) >= ALPHA:
        return None
    if paired_p(a, b, -1) < ALPHA:
        return -1
    return float(optimize.brentq(lambda r: paired_p(a, b, r) - ALPHA, -1, 1 - 1e-12, xtol=1e-14))


comparisons = []
for method, cells in rows.items():
    if method == "sar":
        continue
    for column, a, b in zip(columns, cells, rows["sar"]):
        entry = {"cell": f"table2/{method}/{column}", "r": needed(a, b)}
        for name, pooled in (("student", True), ("welch", False)):
            box = [p_of(x, y, pooled) for x, y in itertools.product(corners(a), corners(b))]
            entry[name] = {"p": p_of(a, b, pooled), "least": min(box), "most": max(box)}
        comparisons.append(entry)


def holm(p):
    order = np.argsort(p, kind="stable")
    result, largest = np.empty(len(p)), 0
    for rank, i in enumerate(order):
        largest = max(largest, min(1, (len(p) - rank) * p[i]))
        result[i] = largest
    return result


families = {}
for name, size in (("prior methods", 36), ("prior methods and ablations", 48)):
    p = np.array([c["student"]["p"] for c in comparisons[:size]])
    families[name] = {"size": size,
                      "holm": int((holm(p) < ALPHA).sum()),
                      "bh": int((stats.false_discovery_control(p) < ALPHA).sum())}

# Splits: |a S + b M + c L - N all| <= N in hundredths, which is half a unit each way of all four.
means = {m: [round(100 * c[0]) for c in cells[:4]] for m, cells in rows.items()}
means |= {m: [round(100 * c[0]) for c in cells[:4]] for m, cells in table("table3")[1].items()}
M = np.array(list(means.values()))


def fitting(cases):
    a, b = np.meshgrid(np.arange(1, cases - 1), np.arange(1, cases - 1), indexing="ij")
    inside = a + b < cases
    a, b = a[inside], b[inside]
    c = cases - a - b
    off = np.abs(np.outer(M[:, 0], a) + np.outer(M[:, 1], b) + np.outer(M[:, 2], c) - cases * M[:, 3:])
    return np.stack([a, b, c], 1), off <= cases


splits, fits = fitting(95)
counts = fits.sum(0)
order = np.argsort(-counts, kind="stable")
best = order[0]
buckets = {"rows": len(means),
           "best": splits[best].tolist(),
           "best_rows": int(counts[best]),
           "ties": int((counts == counts[best]).sum()),
           "runner_up_rows": int(counts[order[1]]),
           "not_fitting": [m for m, fit in zip(means, fits[:, best]) if not fit],
           "other_cases": [n for n in range(3, 286) if n != 95 and fitting(n)[1].sum(0).max() >= counts[best]]}

(here / "audit.json").write_text(
    json.dumps({"comparisons": comparisons, "families": families, "buckets": buckets}, indent=1) + "\n")
