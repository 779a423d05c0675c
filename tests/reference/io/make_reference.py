#!/usr/bin/env python3
"""Small NIfTI and MetaImage files as other software writes them, and what nibabel reads in them.

Made with: python3 make_reference.py   (Debian 12: python3-nibabel 5.0, python3-numpy 1.24)

expected.json holds for each file a number of voxels: their place in the patient in millimetres (LPS,
so x and y are those of nibabel's affine with the sign changed) and their value after slope and intercept.
"""
import json
import pathlib

import nibabel
import numpy

HERE = pathlib.Path(__file__).parent
SHAPE = (7, 6, 5)
SPACING = (0.75, 1.5, 2.5)
expected = {}


def voxels(dtype=numpy.int16):
    """Every voxel has a value of its own."""
    n = int(numpy.prod(SHAPE))
    values = (numpy.arange(n) * 37) % 211  # 210 voxels: a permutation of part of 0..210
    if numpy.issubdtype(dtype, numpy.signedinteger):
        values = values - 100
    return values.astype(dtype).reshape(SHAPE, order="F")


def record(name):
    image = nibabel.load(HERE / name)
    data = numpy.asarray(image.get_fdata()).reshape(image.shape[:3], order="F")
    points = []
    rng = numpy.random.default_rng(1)
    corners = [(i, j, k) for i in (0, -1) for j in (0, -1) for k in (0, -1)]
    for index in corners + [tuple(rng.integers(0, s) for s in data.shape) for _ in range(12)]:
        index = [int(i) % s for i, s in zip(index, data.shape)]
        x, y, z = nibabel.affines.apply_affine(image.affine, index)
        points.append([-float(x), -float(y), float(z), float(data[tuple(index)])])
    expected[name] = {
        "orientation": "".join(nibabel.aff2axcodes(image.affine)),
        "type": str(image.header.get_data_dtype().newbyteorder("=")),
        "points": points,
    }


def oriented(codes, tilt_degrees=0.0):
    """An affine whose axes point to `codes`, tilted about z and x."""
    directions = numpy.zeros((3, 3))
    for axis, letter in enumerate(codes):
        row = "RL AP SI".replace(" ", "").index(letter)
        directions[row // 2, axis] = 1 if row % 2 == 0 else -1
    t = numpy.radians(tilt_degrees)
    rz = numpy.array([[numpy.cos(t), -numpy.sin(t), 0], [numpy.sin(t), numpy.cos(t), 0], [0, 0, 1]])
    rx = numpy.array([[1, 0, 0], [0, numpy.cos(t), -numpy.sin(t)], [0, numpy.sin(t), numpy.cos(t)]])
    affine = numpy.eye(4)
    affine[:3, :3] = rz @ rx @ directions @ numpy.diag(SPACING)
    affine[:3, 3] = (-12.5, 20.25, 7.75)
    return affine


def write(name, dtype=numpy.int16, codes="RAS", tilt=0.0, qform=1, sform=1, slope=None, big=False, tail=()):
    affine = oriented(codes, tilt)
    header = nibabel.Nifti1Header(endianness=">" if big else "<")
    header.set_data_dtype(dtype)
    image = nibabel.Nifti1Image(voxels(dtype).reshape(SHAPE + tail, order="F"), affine, header)
    image.header.set_xyzt_units("mm")
    image.set_qform(affine if qform else None, qform)
    image.set_sform(affine if sform else None, sform)
    if slope is not None:
        image.header.set_slope_inter(*slope)
        # nibabel would rescale to keep the values: store the raw integers as they are instead
        raw = image.header.copy()
        raw["vox_offset"] = 352
        raw["magic"] = b"n+1"
        data = voxels(dtype).astype(raw.get_data_dtype()).tobytes(order="F")
        (HERE / name).write_bytes(raw.binaryblock + b"\0\0\0\0" + data)
    else:
        nibabel.save(image, HERE / name)
    record(name)


for dtype in ("uint8", "int8", "uint16", "int32", "uint32", "float32", "float64"):
    write(f"{dtype}.nii", numpy.dtype(dtype).type)
write("int16.nii")
write("int16.nii.gz")
write("big_endian.nii", big=True)
write("big_endian_float64.nii.gz", numpy.float64, big=True, codes="LPS")
write("slope.nii", slope=(0.5, -100.25))
write("slope_big_endian.nii", slope=(2.0, 10.0), big=True, codes="LAS")
write("sform_only.nii", qform=0, sform=4, codes="LAS")
write("qform_only.nii", qform=2, sform=0, codes="LPS")
write("one_volume_4d.nii.gz", tail=(1,))
write("one_volume_5d.nii.gz", tail=(1, 1))
for codes in ("LPS", "LAS", "RPI", "PIR", "ASL", "SRP", "ILA", "PSR", "IAR", "SPL"):
    write(f"axes_{codes}.nii.gz", codes=codes)
write("oblique_RAS.nii.gz", tilt=20)
write("oblique_SPL.nii.gz", codes="SPL", tilt=-17, qform=1, sform=0)

# No form at all: the file does not say where its axes point. ITK takes them as x, y, z from (0, 0, 0);
# nibabel instead centres such an image and flips x, as for ANALYZE, so its places are not recorded.
image = nibabel.Nifti1Image(voxels(), None)
image.header.set_zooms(SPACING)
image.set_qform(None, 0)
image.set_sform(None, 0)
nibabel.save(image, HERE / "no_form.nii")
data = voxels()
expected["no_form.nii"] = {
    "orientation": "none",
    "type": "int16",
    "points": [
        [i * SPACING[0], j * SPACING[1], k * SPACING[2], float(data[i, j, k])]
        for i, j, k in [(0, 0, 0), (6, 0, 0), (0, 5, 0), (0, 0, 4), (6, 5, 4), (3, 2, 1)]
    ],
}

# Two forms that disagree (the sform is 10 mm off): legal, but a doubt worth a remark.
image = nibabel.Nifti1Image(voxels(), oriented("RAS"))
image.set_qform(oriented("RAS"), 1)
moved = oriented("RAS")
moved[0, 3] += 10
image.set_sform(moved, 4)
nibabel.save(image, HERE / "forms_disagree.nii")
# Lengths in micrometres, which must be refused.
image = nibabel.Nifti1Image(voxels(), oriented("RAS"))
image.header.set_xyzt_units("micron")
nibabel.save(image, HERE / "micrometres.nii")

# MetaImage headers written by hand, as scanners' and other programs' exports look.
meta = voxels()
offset = (3.5, -4.25, 100.0)


def write_meta(name, direction, extra="", dtype="MET_SHORT", data=None, data_name="LOCAL"):
    lines = [
        "ObjectType = Image",
        "NDims = 3",
        "BinaryData = True",
        f"BinaryDataByteOrderMSB = {'True' if 'MSB' in extra else 'False'}",
        "CompressedData = False",
        "TransformMatrix = " + " ".join(str(v) for v in numpy.asarray(direction).T.ravel()),
        "Offset = " + " ".join(str(v) for v in offset),
        "CenterOfRotation = 0 0 0",
        "ElementSpacing = " + " ".join(str(v) for v in SPACING),
        "DimSize = " + " ".join(str(v) for v in SHAPE),
        f"ElementType = {dtype}",
        f"ElementDataFile = {data_name}",
    ]
    text = ("\n".join(lines) + "\n").encode()
    if data_name == "LOCAL":
        (HERE / name).write_bytes(text + data)
    else:
        (HERE / name).write_bytes(text)
        (HERE / data_name).write_bytes(data)
    points = []
    for index in [(0, 0, 0), (6, 0, 0), (0, 5, 0), (0, 0, 4), (6, 5, 4), (3, 2, 1)]:
        place = numpy.asarray(direction) @ (numpy.array(index) * SPACING) + offset
        points.append([float(v) for v in place] + [float(meta[index])])
    letters = ""
    for axis in range(3):
        row = int(numpy.argmax(numpy.abs(numpy.asarray(direction)[:, axis])))
        letters += ("RL", "AP", "IS")[row][int(direction[row][axis] > 0)]
    expected[name] = {"orientation": letters, "type": "int16", "points": points}


identity = numpy.eye(3, dtype=int)
write_meta("identity.mhd", identity, data=meta.tobytes(order="F"), data_name="identity.raw")
write_meta("big_endian.mha", identity, "MSB", data=meta.astype(">i2").tobytes(order="F"))
write_meta("flipped.mha", [[-1, 0, 0], [0, -1, 0], [0, 0, 1]], data=meta.tobytes(order="F"))
write_meta("turned.mha", [[0, 0, 1], [1, 0, 0], [0, -1, 0]], data=meta.tobytes(order="F"))

# A file with two volumes, which must be refused.
two = nibabel.Nifti1Image(numpy.stack([voxels(), voxels()], axis=3), oriented("RAS"))
nibabel.save(two, HERE / "two_volumes.nii.gz")
# NIfTI-2, which must be refused with a clear reason.
nibabel.save(nibabel.Nifti2Image(voxels(), oriented("RAS")), HERE / "nifti2.nii")

lines = [f" {json.dumps(name)}: {json.dumps(entry)}" for name, entry in sorted(expected.items())]
(HERE / "expected.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
