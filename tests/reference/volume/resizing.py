"""Resizing for the other scripts of this folder, by SciPy, and checked against scikit-image."""

import numpy as np
from scipy import ndimage
from skimage.transform import resize


def by_scikit_image(block, size, cubic, antialias):
    if cubic:
        return resize(block, size, order=3, mode="reflect", anti_aliasing=antialias, clip=False)
    # Centres outside the first or last voxel, as growing axes have, take that voxel's value, while
    # the Gaussian of shrinking axes mirrors: two calls, one for either kind of axis.
    shrunk = [min(n, m) for n, m in zip(block.shape, size)]
    block = resize(block, shrunk, order=1, mode="reflect", anti_aliasing=antialias, clip=False)
    return resize(block, size, order=1, mode="edge", anti_aliasing=False, clip=False)


def resized(block, size, cubic, antialias):
    """Gaussian of sigma (f - 1) / 2 on axes that shrink by f, cut off at 4 sigma and mirrored; then
    interpolation at half-pixel centres."""
    factors = [n / m for n, m in zip(block.shape, size)]
    smooth = block
    if antialias:
        smooth = ndimage.gaussian_filter(block, [max(0.0, (f - 1) / 2) for f in factors],
                                         mode="mirror", truncate=4.0)
    centres = [(np.arange(m) + 0.5) * f - 0.5 for m, f in zip(size, factors)]
    result = ndimage.map_coordinates(smooth, np.meshgrid(*centres, indexing="ij"),
                                     order=3 if cubic else 1, mode="mirror" if cubic else "nearest")
    assert np.allclose(result, by_scikit_image(block, size, cubic, antialias), rtol=0, atol=1e-12)
    return result
