"""Reference values for tests/unit/volume, computed with NumPy and SciPy in double precision.

Command (from this folder): /usr/bin/python3 make_references.py
Writes resampling.json, evaluation.json and bezier.json. Made with NumPy 1.24.2 and SciPy 1.10.1.
Arrays are stored flat with x fastest; sizes and boxes are in x, y, z order.
"""

import json
from fractions import Fraction

import numpy as np
from scipy import ndimage

rng = np.random.default_rng(20240607)


def flat(array, digits=9):
    return [float(f"{value:.{digits}g}") for value in np.asarray(array).ravel()]


def centres(n, n_new):
    """Positions of the new voxel centres in the old index space."""
    return (np.arange(n_new) + 0.5) * n / n_new - 0.5


def interpolate(volume, size, order, mode):
    """`volume` is z, y, x; `size` is x, y, z."""
    axes = [centres(n, m) for n, m in zip(volume.shape, size[::-1])]
    return ndimage.map_coordinates(volume, np.meshgrid(*axes, indexing="ij"), order=order, mode=mode)


def antialiased(volume, size):
    factors = [n / m for n, m in zip(volume.shape, size[::-1])]
    sigma = [max(0.0, (f - 1) / 2) for f in factors]
    return ndimage.gaussian_filter(volume, sigma, mode="mirror", truncate=4.0)


def nearest_index(n, n_new):
    """Exact arithmetic; min() takes the first, i.e. the lower index of a tie."""
    result = []
    for i in range(n_new):
        x = (Fraction(i) + Fraction(1, 2)) * n / n_new - Fraction(1, 2)
        result.append(min(range(n), key=lambda j: abs(x - j)))
    return result


def resampling():
    size = [13, 10, 7]
    volume = rng.uniform(-1000, 1000, size[::-1]).astype(np.float32).astype(np.float64)
    cases = []
    for new in ([19, 7, 7], [9, 14, 12], [13, 10, 3], [40, 10, 1]):
        cases.append({"method": "cubic", "size": new,
                      "values": flat(interpolate(volume, new, 3, "mirror"))})
        cases.append({"method": "linear", "size": new,
                      "values": flat(interpolate(volume, new, 1, "nearest"))})
    resizes = []
    for origin, extent, new in (([1, 2, 0], [12, 8, 7], [5, 8, 2]), ([3, 0, 2], [4, 10, 3], [9, 3, 6])):
        x, y, z = origin
        box = volume[z:z + extent[2], y:y + extent[1], x:x + extent[0]]
        smooth = antialiased(box, new)
        for cubic in (False, True):
            order, mode = (3, "mirror") if cubic else (1, "nearest")
            for antialias in (False, True):
                resizes.append({"origin": origin, "extent": extent, "size": new, "cubic": cubic,
                                "antialias": antialias,
                                "values": flat(interpolate(smooth if antialias else box, new, order, mode))})
    labels = rng.integers(0, 5, size[::-1])
    nearest = []
    for new in ([26, 5, 7], [7, 15, 14], [4, 3, 2]):
        index = [nearest_index(n, m) for n, m in zip(labels.shape, new[::-1])]
        nearest.append({"size": new, "values": labels[np.ix_(*index)].ravel().tolist()})
    return {"size": size, "values": flat(volume), "cases": cases, "resizes": resizes,
            "labels": labels.ravel().tolist(), "nearest": nearest}


def window_starts(length, window, step):
    """nnU-Net's rule, written down anew."""
    if length <= window:
        return [0]
    count = int(np.ceil((length - window) / (window * step))) + 1
    return [int(np.round((length - window) / (count - 1) * i)) for i in range(count)]


def evaluation():
    prediction = rng.integers(0, 2, 500)
    truth = (rng.random(500) < 0.3).astype(int)
    starts = [{"length": n, "window": w, "step": s, "starts": window_starts(n, w, s)}
              for n in (5, 32, 33, 47, 64, 100, 138, 240) for w in (16, 32, 64) for s in (0.25, 0.5, 1.0)]
    weights = []
    for size in ([8, 4, 12], [7, 16, 4]):
        delta = np.zeros(size[::-1])
        delta[tuple(n // 2 for n in delta.shape)] = 1
        gaussian = ndimage.gaussian_filter(delta, [n / 8 for n in delta.shape], mode="constant")
        weights.append({"size": size, "values": flat(gaussian / gaussian.max())})
    components = []
    for density in (0.06, 0.1, 0.3):
        size = [12, 11, 9]
        mask = rng.random(size[::-1]) < density
        labels, _ = ndimage.label(mask, np.ones((3, 3, 3)))
        counts = np.bincount(labels.ravel())[1:]
        assert np.sum(counts == counts.max()) == 1, "the largest component must be unique"
        kept = labels == 1 + counts.argmax()
        components.append({"size": size, "mask": mask.ravel().astype(int).tolist(),
                           "kept": kept.ravel().astype(int).tolist()})
    values = rng.normal(100, 30, 300).astype(np.float32)
    values[rng.random(300) < 0.4] = 0
    nonzero = values[values != 0].astype(np.float64)
    scores = (values.astype(np.float64) - nonzero.mean()) / nonzero.std()
    return {"prediction": prediction.tolist(), "truth": truth.tolist(),
            "dice_percent": float(200 * np.sum(prediction * truth) / (prediction.sum() + truth.sum())),
            "window_starts": starts, "window_weights": weights, "components": components,
            "intensities": flat(values), "z_scores": flat(scores)}


def bezier():
    """The way of the Models Genesis paper: many t, linear interpolation between them."""
    points = 1000
    entries = np.arange(0, points, 37)
    t = np.linspace(0, 1, 100000)
    cases = []
    controls = [rng.random(4).tolist() for _ in range(6)] + [[1, 0, 0, 1], [1, 1, 0, 0], [0, 1, 1, 0]]
    for u1, u2, u3, u4 in controls:
        x = 3 * u1 * t * (1 - t) ** 2 + 3 * u3 * t**2 * (1 - t) + t**3
        y = 3 * u2 * t * (1 - t) ** 2 + 3 * u4 * t**2 * (1 - t) + t**3
        at = entries / (points - 1)
        cases.append({"controls": [u1, u2, u3, u4], "increasing": flat(np.interp(at, x, y)),
                      "inverted": flat(np.interp(at, x, y[::-1]))})
    return {"points": points, "entries": entries.tolist(), "cases": cases}


if __name__ == "__main__":
    for name, make in (("resampling", resampling), ("evaluation", evaluation), ("bezier", bezier)):
        with open(f"{name}.json", "w", encoding="ascii") as file:
            json.dump(make(), file, separators=(",", ":"))
            file.write("\n")
