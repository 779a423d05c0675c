#!/usr/bin/env python3
"""What NumPy, nibabel and SciPy find in the real scans that Debian's packages mricron-data and
invesalius-examples install; the scans themselves are not stored.

Made with: python3 make_real_scans.py   (Debian 12: python3-nibabel 5.0, python3-scipy 1.10,
mricron-data 1.2.20211006, invesalius-examples 3.1.99998)
"""
import json
import pathlib
import tarfile

import nibabel
import numpy
from scipy import ndimage

TEMPLATES = pathlib.Path("/usr/share/mricron/templates")
CRANIUM = "/usr/share/doc/invesalius-examples/examples/Cranium.inv3"
rng = numpy.random.default_rng(7)


def lps(name):
    """Voxels with x to the left, y to the back, z to the head, and the affine that goes with them."""
    image = nibabel.as_closest_canonical(nibabel.load(TEMPLATES / name))
    data = numpy.asarray(image.get_fdata(), dtype=numpy.float64)[::-1, ::-1, :]
    affine = image.affine.copy()
    affine[:3, 3] += affine[:3, 0] * (data.shape[0] - 1) + affine[:3, 1] * (data.shape[1] - 1)
    affine[:3, :2] *= -1
    return data, numpy.diag([-1, -1, 1, 1]) @ affine


def pick(data, count, where):
    """Voxels drawn among those where `where` holds: [x, y, z, value]."""
    candidates = numpy.argwhere(where)
    chosen = candidates[rng.choice(len(candidates), count, replace=False)]
    return [[int(i) for i in index] + [float(data[tuple(index)])] for index in chosen]


result = {"images": {}}
for name in ("ch2.nii.gz", "ch2bet.nii.gz", "aal.nii.gz", "inia19-t1-brain.nii.gz", "inia19-NeuroMaps.nii.gz"):
    data, affine = lps(name)
    inside = numpy.argwhere(data != 0)
    low, high = inside.min(axis=0), inside.max(axis=0)
    nonzero = data[data != 0]
    result["images"][name] = {
        "size": list(data.shape),
        "spacing": [float(numpy.linalg.norm(affine[:3, i])) for i in range(3)],
        "origin": [float(v) for v in affine[:3, 3]],
        "sum": float(data.sum()),
        "nonzero_origin": [int(v) for v in low],
        "nonzero_size": [int(v) for v in high - low + 1],
        "nonzero_mean": float(nonzero.mean()),
        "nonzero_sd": float(nonzero.std()),
        "minimum": float(data.min()),
        "maximum": float(data.max()),
        "voxels": pick(data, 20, data != 0),
    }

# The head CT at 1 mm: third-order spline, voxel centre i at (i + 0.5) * n / n_new - 0.5, mirrored borders.
with tarfile.open(CRANIUM) as archive:
    member = next(m for m in archive.getmembers() if m.name.endswith("matrix.dat"))
    raw = archive.extractfile(member).read()
ct = numpy.frombuffer(raw, dtype="<i2").reshape(108, 256, 256).transpose(2, 1, 0).astype(numpy.float64)
spacing = numpy.array([0.9570312, 0.9570312, 1.5])
size = numpy.floor(numpy.array(ct.shape) * spacing + 0.5).astype(int)
coefficients = ndimage.spline_filter(ct, order=3, mode="mirror")
points = numpy.stack([rng.integers(0, n, 200) for n in size], axis=1)
places = (points + 0.5) * (numpy.array(ct.shape) / size) - 0.5
values = ndimage.map_coordinates(coefficients, places.T, order=3, mode="mirror", prefilter=False)
result["ct"] = {
    "size": [int(n) for n in size],
    "points": [[int(i) for i in p] + [float(v)] for p, v in zip(points, values)],
}
path = pathlib.Path(__file__).with_name("real_scans.json")
path.write_text(json.dumps(result) + "\n")
