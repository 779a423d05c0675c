"""A product of an evaluation with example slices, as experiments/worker/README.md describes it, whose
images Pillow made.

Command (from this folder): python3 make_examples.py
Writes examples.json. Made with Pillow 13.0.0 and NumPy 2.4.6.
"""

import base64
import io
import json

import numpy as np
from PIL import Image


def png(width, height):
    ramp = np.linspace(0, 255, width * height).reshape(height, width).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(ramp, mode="L").save(file, format="PNG")
    return base64.b64encode(file.getvalue()).decode("ascii")


def slices(truth, prediction):
    """A volume of 6 x 5 x 4 voxels of 1 x 1 x 2.5 mm."""
    planes = (("axial", 2, 6, 5, [1, 1]), ("coronal", 2, 6, 4, [1, 2.5]),
              ("sagittal", 3, 5, 4, [1, 2.5]))
    return [{"plane": plane, "index": index, "width": width, "height": height,
             "pixel_mm": pixel, "image_png": png(width, height),
             "truth": truth, "prediction": prediction}
            for plane, index, width, height, pixel in planes]


SQUARE = [1, 1, 3, 1, 3, 3, 1, 3]
STEP = [2, 1, 5, 1, 5, 3, 4, 3, 4, 2, 2, 2]


def example(case, bucket, places, dice, centre, orientation, truth, prediction):
    return {"case_id": case, "target": "tumor", "bucket": bucket, "places": places, "dice": dice,
            "centre": centre, "orientation": orientation, "slices": slices(truth, prediction)}


if __name__ == "__main__":
    product = {
        "task": "brats",
        "dice": [],
        "examples": [
            example("Brats18_A_1", "S", ["best"], 81.25, "truth", "stated", [SQUARE], [STEP]),
            example("Brats18_B_1", "S", ["median", "worst"], 0, "truth", "stated",
                    [SQUARE, [3, 3, 4, 3, 4, 4, 3, 4]], []),
            example("Brats18_C_1", "L", ["best", "median", "worst"], 0.0, "prediction", "assumed",
                    [], [STEP]),
        ],
    }
    with open("examples.json", "w", encoding="ascii") as file:
        json.dump(product, file, separators=(",", ":"))
        file.write("\n")
