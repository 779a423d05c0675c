"""Reference values for tests/nn from PyTorch and NumPy.

Needs PyTorch (any version with CPU support). Writes losses_and_plateau.json beside itself:
    python3 losses_and_plateau.py
"""

import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

SMOOTH = 1.0
EPSILON = 1e-5


def wave(*shape, phase):
    """Values without a pattern that a wrong axis order would keep."""
    n = int(np.prod(shape))
    return torch.tensor(np.sin(np.arange(n) * 1.7 + phase) * 2.5, dtype=torch.float32).reshape(shape)


def quotient(p, g, smooth):
    return (2 * float((p * g).sum()) + smooth) / (float(p.sum()) + float(g.sum()) + smooth)


def dice_case(classes):
    shape = (2, 2, 3, 4)  # samples, z, y, x
    logits = wave(shape[0], classes, *shape[1:], phase=0.3 + classes).double()
    labels = torch.tensor((np.arange(int(np.prod(shape))) * 7 % 5) % max(classes, 2)).reshape(shape)
    if classes == 1:
        foreground = torch.sigmoid(logits)
        probability = torch.cat([1 - foreground, foreground], 1)
        entropy = F.binary_cross_entropy_with_logits(logits[:, 0], labels.double())
    else:
        probability = torch.softmax(logits, 1)
        entropy = F.cross_entropy(logits, labels)
    count = max(classes, 2)
    truth = [(labels == k).double() for k in range(count)]
    batch = [quotient(probability[:, k], truth[k], SMOOTH) for k in range(count)]
    taleb = [quotient(probability[:, k], truth[k], EPSILON) for k in range(count)]
    single = [
        quotient(probability[n, k], truth[k][n], EPSILON)
        for n in range(shape[0])
        for k in range(1, count)
    ]
    losses = {
        "multi_foreground": 1 - np.mean(batch[1:]),
        "taleb": -np.mean(taleb),
        "nnunet": float(entropy) - np.mean(single),
    }
    if classes == 1:
        losses["genesis"] = 1 - batch[1]
    return {
        "classes": classes,
        "shape": list(shape),
        "logits": logits.flatten().tolist(),
        "labels": labels.flatten().tolist(),
        "losses": losses,
    }


def small_losses():
    logits = wave(4, 3, phase=0.1)
    labels = torch.tensor([0, 2, 1, 0])
    weights = torch.tensor([2 / 3, 4 / 3, 4 / 3])
    adversary = wave(4, phase=0.9)
    is_ct = torch.tensor([1.0, 0.0, 0.0, 1.0])
    restored, target = wave(2, 1, 2, 2, 2, phase=0.5), wave(2, 1, 2, 2, 2, phase=1.9)
    bce = F.binary_cross_entropy_with_logits(adversary, is_ct, reduction="none")
    norms = (restored - target).flatten(1).norm(dim=1)
    return {
        "scale_logits": logits.flatten().tolist(),
        "scale_labels": labels.tolist(),
        "scale_weights": weights.tolist(),
        "scale_mean": F.cross_entropy(logits, labels).item(),
        "scale_sum": F.cross_entropy(logits, labels, reduction="sum").item(),
        "scale_weighted_mean": F.cross_entropy(logits, labels, weights).item(),
        "modality_logits": adversary.tolist(),
        "is_ct": is_ct.tolist(),
        "modality_batch_mean": bce.mean().item(),
        "modality_sum": bce.sum().item(),
        "modality_per_domain": (bce[is_ct > 0].mean() + bce[is_ct == 0].mean()).item(),
        "restored": restored.flatten().tolist(),
        "target": target.flatten().tolist(),
        "mse_mean": F.mse_loss(restored, target).item(),
        "mse_sum": 2 * F.mse_loss(restored, target).item(),
        "l2norm_mean": norms.mean().item(),
        "l2norm_sum": norms.sum().item(),
    }


def plateau(factor, patience, threshold, relative, minimum):
    losses = [1.0, 0.9, 0.89999, 0.9, 0.91, 0.8, 0.79995, 0.79991, 0.81, 0.8, 0.5, 0.6, 0.6]
    losses += [0.55, 0.51, 0.5, 0.49999, 0.7, 0.49996, 0.6, 0.6, 0.6, 0.6, 0.6, 0.3, 0.31, 0.3]
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=1.0)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer,
        factor=factor,
        patience=patience,
        threshold=threshold,
        threshold_mode="rel" if relative else "abs",
        min_lr=minimum,
    )
    rates = []
    for loss in losses:
        schedule.step(loss)
        rates.append(optimizer.param_groups[0]["lr"])
    return {
        "factor": factor,
        "patience": patience,
        "threshold": threshold,
        "relative": relative,
        "minimum": minimum,
        "losses": losses,
        "rates": rates,
    }


def main():
    reference = {
        "dice": [dice_case(1), dice_case(3)],
        "dice_smooth": SMOOTH,
        "small": small_losses(),
        "plateau": [
            plateau(0.5, 0, 1e-4, True, 1e-6),
            plateau(0.5, 2, 1e-4, True, 1e-6),
            plateau(0.1, 1, 1e-2, False, 1e-3),
            plateau(0.5, 3, 0.0, True, 0.2),
        ],
    }
    path = pathlib.Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(reference, indent=1) + "\n")


if __name__ == "__main__":
    main()
