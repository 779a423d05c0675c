"""Reference values of harness/volume/slices.h from NumPy and SciPy.

Command (from this folder): python3 make_slices.py
Writes slices.json. Made with NumPy 2.4.6 and SciPy 1.17.1. Volumes are indexed x, y, z and stored
with x fastest.
"""

import json

import numpy as np
from scipy import ndimage


def pattern(size):
    """pattern() of tests/unit/volume/reference.h."""
    count = int(np.prod(size))
    values = (np.arange(count, dtype=np.int64) * 10368889 + 4321) % 2**24 / 2**24
    return values.reshape(size, order="F")


def outlines():
    """What the lines around a mask must add up to: edges between inside and outside, one outer line
    per component of pixels that share edges, one hole per component of the outside (that may hang
    together by corners) which does not reach the border."""
    cases = []
    masks = [np.zeros((3, 4), bool), np.ones((3, 4), bool), np.eye(5, dtype=bool),
             np.eye(5, dtype=bool)[::-1], np.indices((6, 7)).sum(axis=0) % 2 == 0,
             np.pad(np.zeros((1, 2), bool), 1, constant_values=True)]
    for i, (shape, share) in enumerate((((9, 12), 0.2), ((9, 12), 0.5), ((9, 12), 0.8),
                                        ((1, 15), 0.5), ((15, 1), 0.5), ((40, 30), 0.6))):
        masks.append(np.random.default_rng(i).random(shape) < share)
    for mask in masks:
        padded = np.pad(mask, 1).astype(int)
        outside, count = ndimage.label(padded == 0, structure=np.ones((3, 3)))
        cases.append({
            "rows": ["".join("#" if pixel else "." for pixel in row) for row in mask],
            "area": int(mask.sum()),
            "edges": int(sum(np.abs(np.diff(padded, axis=axis)).sum() for axis in (0, 1))),
            "outer": ndimage.label(padded)[1],
            "holes": count - 1,
        })
    return cases


def cuts():
    """An L whose centroid lies outside it, on a grid that the image does not share."""
    cases = []
    spacing = np.array([0.8, 1.1, 2.5])
    for image_size, size in (((11, 9, 7), (11, 9, 7)), ((6, 5, 4), (11, 9, 7)),
                             ((14, 17, 9), (11, 9, 7))):
        image = pattern(image_size).astype(np.float32)
        truth = np.zeros(size, bool)
        truth[2:9, 1, 2:4] = True
        truth[2, 1:8, 2:5] = True
        prediction = np.zeros(size, bool)
        prediction[1:5, 0:4, 1:4] = True
        voxels = np.argwhere(truth)
        away = (((voxels - voxels.mean(axis=0)) * spacing) ** 2).sum(axis=1)
        assert np.sum(away < away.min() + 1e-9) == 1, "no tie"
        centre = voxels[np.argmin(away)]
        grid = np.meshgrid(*[(np.arange(n) + 0.5) * m / n - 0.5 for n, m in zip(size, image_size)],
                           indexing="ij")
        seen = ndimage.map_coordinates(image.astype(float), grid, order=1, mode="nearest")

        def planes(volume):
            x, y, z = centre
            return (volume[:, :, z].T, volume[:, y, ::-1].T, volume[x, :, ::-1].T)

        low, high = np.percentile(np.concatenate([p.ravel() for p in planes(seen)]), [1, 99],
                                  method="nearest")
        cases.append({
            "image_size": image_size, "size": size, "spacing": spacing.tolist(),
            "truth": np.flatnonzero(truth.ravel(order="F")).tolist(),
            "prediction": np.flatnonzero(prediction.ravel(order="F")).tolist(),
            "centre": centre.tolist(),
            "grey": [(255 * np.clip((p - low) / (high - low), 0, 1)).ravel().round(3).tolist()
                     for p in planes(seen)],
            "truth_pixels": [int(p.sum()) for p in planes(truth)],
            "prediction_pixels": [int(p.sum()) for p in planes(prediction)],
        })
    return cases


if __name__ == "__main__":
    with open("slices.json", "w", encoding="ascii") as file:
        json.dump({"outlines": outlines(), "cuts": cuts()}, file, separators=(",", ":"))
        file.write("\n")
