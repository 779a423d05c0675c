"""Losses, heads, U-Net and optimiser steps in PyTorch (float64), with their gradients, for tests/nn.

Needs PyTorch 2 (CPU) and NumPy; made with PyTorch 2.15. Reads losses_and_plateau.json (the inputs
of the losses that it holds) and writes networks_and_gradients.json, both beside itself:
    python3 networks_and_gradients.py

Inputs and parameters of the models are not stored: both sides compute them with `pattern`. Of a
parameter's or input's gradient in a model at most eight entries are stored; of a larger one its
norm and its products with two fixed patterns, which an exchanged axis or a misplaced entry changes.
"""

import json
import math
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

HERE = pathlib.Path(__file__).parent
KEPT = 8  # entries up to which a tensor is stored whole
FIRST_PROBE, SECOND_PROBE = 2001, 2002  # seeds of the two patterns that large ones are reduced with
FIRST_PARAMETER = 1  # seeds of a model's tensors, in order
FIRST_INPUT = 1001  # seeds of inputs and targets


def pattern(shape, seed, scale=1.0, offset=0.0):
    """Scattered multiples of 1/1024 in [-1, 1], times `scale` plus `offset`.

    A cubic polynomial modulo a prime: whole numbers, so that every program gets the same ones, and
    no order that an exchange of axes would keep. Rounded to float32, so that a program in single
    precision starts from the same numbers too.
    """
    prime = 2039
    i = (np.arange(math.prod(shape), dtype=np.int64) + 271 * seed) % prime
    whole = (i * i % prime * i + 31 * seed * i + 17 * seed) % prime - 1019
    values = np.float32(whole / 1024 * scale + offset)
    return torch.tensor(values.astype(np.float64)).reshape(tuple(shape))


def rounded(value, least=0.0):
    """Ten digits. Anything below `least` is a rounding error of something that is zero."""
    return 0.0 if abs(value) < least else float(f"{float(value):.10g}")


def summary(tensor, kept=KEPT, least=0.0):
    flat = tensor.detach().double().flatten()
    if flat.numel() <= kept:
        numbers = flat.tolist()
    else:
        numbers = [flat.norm().item()]
        for seed in (FIRST_PROBE, SECOND_PROBE):
            numbers.append((flat * pattern(flat.shape, seed)).sum().item())
    return [rounded(number, least) for number in numbers]


class Tensors:
    """Parameters and BatchNorm buffers of a model under the names of the tested program."""

    def __init__(self, variance=1.0):
        self.variance = variance  # about which running variances lie
        self.entries = []
        self.values = {}
        self.buffers = {}

    def _make(self, name, shape, scale, offset):
        seed = FIRST_PARAMETER + len(self.entries)
        entry = {"name": name, "shape": list(shape), "seed": seed, "scale": scale, "offset": offset}
        self.entries.append(entry)
        return pattern(shape, seed, scale, offset)

    def parameter(self, name, shape, scale=0.25, offset=0.0):
        """Weights get a scale that keeps activations near 1."""
        if name not in self.values:
            if len(shape) > 1:
                scale = round(2.4 / math.sqrt(math.prod(shape[1:])), 3)
            self.values[name] = self._make(name, shape, scale, offset).requires_grad_()
        return self.values[name]

    def buffer(self, name, shape, scale, offset):
        if name not in self.buffers:
            self.buffers[name] = self._make(name, shape, scale, offset)
        return self.buffers[name]


def convolution(t, name, x, out, kernel=3, stride=1):
    weight = t.parameter(f"{name}.weight", (out, x.shape[1], kernel, kernel, kernel))
    bias = t.parameter(f"{name}.bias", (out,))
    return F.conv3d(x, weight, bias, stride=stride, padding=kernel // 2)


def linear(t, name, x, out):
    return F.linear(
        x, t.parameter(f"{name}.weight", (out, x.shape[1])), t.parameter(f"{name}.bias", (out,))
    )


def batch_norm(t, name, x, statistics):
    """`statistics`: "train" (the batch's, and the running ones move) or "running"."""
    width = (x.shape[1],)
    weight = t.parameter(f"{name}.weight", width, scale=0.25, offset=1.0)
    bias = t.parameter(f"{name}.bias", width)
    mean = t.buffer(f"{name}.running_mean", width, scale=0.25, offset=0.0)
    variance = t.buffer(f"{name}.running_var", width, scale=t.variance / 2, offset=t.variance)
    training = statistics == "train"
    return F.batch_norm(x, mean, variance, weight, bias, training, momentum=0.1, eps=1e-5)


# The U-Net (methods.md, section 1).


def unit(t, name, x, out, statistics):
    x = convolution(t, f"{name}.conv", x, out)
    return F.relu(batch_norm(t, f"{name}.norm", x, statistics))


def encoder(t, prefix, x, base, statistics):
    features = []
    for level in range(4):
        if level > 0:
            x = F.max_pool3d(x, kernel_size=2, stride=2)
        x = unit(t, f"{prefix}level{level}a", x, base * 2**level, statistics)
        x = unit(t, f"{prefix}level{level}b", x, 2 * base * 2**level, statistics)
        features.append(x)
    return features


def decoder(t, prefix, features, base, nearest, statistics):
    x = features[3]
    for level in (2, 1, 0):
        name = f"{prefix}level{level}"
        if nearest:
            for axis in (2, 3, 4):
                x = x.repeat_interleave(2, dim=axis)
        else:
            channels = x.shape[1]
            weight = t.parameter(f"{name}up.weight", (channels, channels, 2, 2, 2))
            bias = t.parameter(f"{name}up.bias", (channels,))
            x = F.conv_transpose3d(x, weight, bias, stride=2)
        x = torch.cat([x, features[level]], dim=1)
        x = unit(t, f"{name}a", x, 2 * base * 2**level, statistics)
        x = unit(t, f"{name}b", x, 2 * base * 2**level, statistics)
    return x


def unet(t, x, base, nearest, statistics):
    features = encoder(t, "encoder.", x, base, statistics)
    x = decoder(t, "decoder.", features, base, nearest, statistics)
    return convolution(t, "head", x, 1, kernel=1)


def result(t, output, loss, inputs, statistics, kept=64):
    """Backward pass; what is stored of a model in one mode."""
    loss.backward()
    gradients = {name: value.grad for name, value in t.values.items()}
    largest = max(gradient.norm().item() for gradient in gradients.values())
    least = 1e-13 * largest
    stored = {
        "statistics": statistics,
        "output": summary(output, kept),
        "loss": rounded(loss.item()),
        "gradients": {name: summary(g, least=least) for name, g in gradients.items()},
        "input_gradients": [summary(x.grad, least=least) for x in inputs],
    }
    if statistics == "train":
        stored["buffers"] = {name: summary(value) for name, value in t.buffers.items()}
    return stored


def model(options, modes):
    """`modes` yields pairs of Tensors and results; the first declares the tensors of all."""
    made = list(modes)
    tensors = made[0][0].entries
    assert all(t.entries == tensors for t, _ in made)
    return {"options": options, "tensors": tensors, "modes": [stored for _, stored in made]}


def unet_model(nearest):
    base, shape = 2, (2, 1, 8, 16, 24)

    def mode(statistics):
        t = Tensors()
        x = pattern(shape, FIRST_INPUT).requires_grad_()
        target = pattern(shape, FIRST_INPUT + 1, 0.5, 0.5)
        logits = unet(t, x, base, nearest, statistics)
        return t, result(t, logits, F.mse_loss(torch.sigmoid(logits), target), [x], statistics)

    options = {"base_channels": base, "nearest": nearest, "shape": list(shape)}
    return model(options, map(mode, ("train", "running")))


# The heads (section 4).


def scale_model():
    shape, hidden, scales = (5, 4, 2, 3, 4), 6, 3
    labels = torch.tensor([2, 0, 1, 0, 2])
    t = Tensors()
    features = pattern(shape, FIRST_INPUT, 2.0).requires_grad_()
    x = F.adaptive_avg_pool3d(features, 1).flatten(1)
    logits = linear(t, "output", F.relu(linear(t, "hidden", x, hidden)), scales)
    stored = result(t, logits, F.cross_entropy(logits, labels), [features], "none")
    options = {"shape": list(shape), "hidden": hidden, "scales": scales, "labels": labels.tolist()}
    return model(options, [(t, stored)])


def modality_model(all_taps, norm):
    base, hidden, slope = 1, 5, 0.2
    shapes = [(4, 2 * base * 2**level, 8 >> level, 16 >> level, 24 >> level) for level in range(4)]
    is_ct = torch.tensor([1.0, 0.0, 0.0, 1.0], dtype=torch.float64)

    def mode(statistics):
        t = Tensors()
        taps = [pattern(s, FIRST_INPUT + i).requires_grad_() for i, s in enumerate(shapes)]
        x = None if all_taps else taps[3]
        for i in range(3):
            if all_taps:
                x = taps[0] if i == 0 else torch.cat([x, taps[i]], dim=1)
            x = convolution(t, f"conv{i + 1}", x, 2 * base * 2**i, stride=2 if all_taps else 1)
            if norm:
                x = batch_norm(t, f"norm{i + 1}", x, statistics)
            x = F.leaky_relu(x, slope)
        x = F.adaptive_avg_pool3d(x, 1).flatten(1)
        if all_taps:
            x = torch.cat([x, F.adaptive_avg_pool3d(taps[3], 1).flatten(1)], dim=1)
        x = F.leaky_relu(linear(t, "hidden", x, hidden), slope)
        logits = linear(t, "output", x, 1)[:, 0]
        loss = F.binary_cross_entropy_with_logits(logits, is_ct)
        return t, result(t, logits, loss, taps if all_taps else taps[3:], statistics)

    options = {
        "base_channels": base,
        "hidden": hidden,
        "all_taps": all_taps,
        "batch_norm": norm,
        "shapes": [list(s) for s in shapes],
        "is_ct": is_ct.tolist(),
    }
    return model(options, map(mode, ("train", "running") if norm else ("none",)))


# Classification head and contrastive prediction (section 6).


def proxy_head_model():
    shape, base, classes = (6, 7), 1, 5
    labels = torch.tensor([4, 0, 2, 2, 1, 3])

    def mode(statistics):  # dropout off
        t = Tensors()
        x = vectors = pattern(shape, FIRST_INPUT).requires_grad_()
        for position, width in ((0, 64 * base), (4, 32 * base)):
            x = F.relu(linear(t, f"layers.{position}", x, width))
            x = batch_norm(t, f"layers.{position + 2}", x, statistics)
        logits = linear(t, "layers.8", x, classes)
        stored = result(t, logits, F.cross_entropy(logits, labels), [vectors], statistics)
        stored["accuracy"] = (logits.argmax(1) == labels).double().mean().item()
        return t, stored

    options = {
        "shape": list(shape),
        "base_channels": base,
        "classes": classes,
        "labels": labels.tolist(),
    }
    return model(options, map(mode, ("train", "running")))


def info_nce(predictions, targets):
    """One column and step after the other. Returns loss, accuracy and the least lead of a winner."""
    columns, steps, code = predictions.shape
    losses, hits, leads = [], [], []
    for step in range(steps):
        for column in range(columns):
            logits = targets[:, step] @ predictions[column, step] / math.sqrt(code)
            losses.append(torch.logsumexp(logits, 0) - logits[column])
            best, second = logits.topk(2).values
            hits.append(int(logits.argmax()) == column)
            leads.append((best - second).item())
    return torch.stack(losses).mean(), float(np.mean(hits)), min(leads)


def paired(predictions, targets, negatives):
    """The binary form; the lead is the least distance of a score from the threshold."""
    losses, hits, leads = [], [], []
    for column, other in enumerate(negatives):
        for index, truth in ((column, 1.0), (other, 0.0)):
            score = (predictions[column] * targets[index]).mean()
            probability = torch.sigmoid(score)
            losses.append(-torch.log(probability if truth else 1 - probability))
            hits.append((score.item() > 0) == bool(truth))
            leads.append(abs(score.item()))
    return torch.stack(losses).mean(), float(np.mean(hits)), min(leads)


def contrastive_losses():
    shape = (7, 2, 6)  # columns, steps, code
    negatives = [3, 0, 5, 6, 1, 4, 2]
    stored = {"shape": list(shape), "negatives": negatives}
    for name, loss_of in (
        ("info_nce", info_nce),
        ("paired", lambda p, t: paired(p, t, negatives)),
    ):
        # Predictions lean towards their targets, so that some but not all columns are told.
        target = pattern(shape, FIRST_INPUT, 2.0).requires_grad_()
        noise = pattern(shape, FIRST_INPUT + 1, 2.0)
        prediction = (target.detach() + noise).requires_grad_()
        loss, accuracy, lead = loss_of(prediction, target)
        assert 0.2 < accuracy < 0.9 and lead > 1e-3
        loss.backward()
        stored[name] = {
            "loss": rounded(loss.item()),
            "accuracy": accuracy,
            "prediction_gradient": summary(prediction.grad, kept=1000),
            "target_gradient": summary(target.grad, kept=1000),
        }
    return stored


def contrastive_grid(side=4):
    """Of an array indexed [x, y, z] whose entries count with x fastest."""
    patches = np.arange(side**3).reshape(side, side, side).transpose(2, 1, 0)
    assert patches[1, 0, 0] == 1
    layer = np.pad(patches[0], 1, mode="reflect")  # the neighbours in y and z, mirrored
    contexts, targets = [], []
    for z in range(side):
        for y in range(side):
            around = layer[y : y + 3, z : z + 3]
            contexts.append([*around.flatten().tolist(), int(patches[1, y, z])])
            targets.append(patches[2:, y, z].tolist())
    return {"side": side, "contexts": contexts, "targets": targets}


def cpc_model(grid, binary):
    base, cubes, side = 2, 2, 8
    patches = len(grid["contexts"]) * grid["side"]
    columns = cubes * len(grid["contexts"])
    code, context = 32 * base, 8 * base
    negatives = [(5 * column + 7) % columns for column in range(columns)]
    assert all(other != column for column, other in enumerate(negatives))

    def mode(statistics):
        t = Tensors(variance=0.3)  # small, or what tells one patch from another would fade
        # Patches differ in their mean, which the pooled features keep.
        noise = pattern((cubes, patches, 1, side, side, side), FIRST_INPUT, 0.25)
        mean = pattern((cubes, patches, 1, 1, 1, 1), FIRST_INPUT + 1, 0.5, 0.5)
        x = (noise + mean).requires_grad_()
        features = encoder(t, "encoder.", x.flatten(0, 1), base, statistics)[3]
        codes = linear(t, "code", features.mean((2, 3, 4)), code).reshape(cubes, patches, code)
        gru = torch.nn.GRU(code, context, batch_first=True).double()
        replaced = {
            name: t.parameter(f"context.{name}", tuple(value.shape))
            for name, value in gru.named_parameters()
        }
        scenes = [[codes[n, column] for column in grid["contexts"]] for n in range(cubes)]
        scenes = torch.stack([scene for cube in scenes for scene in cube])
        _, last = torch.func.functional_call(gru, replaced, scenes)
        predictions = torch.stack(
            [linear(t, f"predict{step + 1}", last[0], code) for step in range(2)], dim=1
        )
        targets = [[codes[n, column] for column in grid["targets"]] for n in range(cubes)]
        targets = torch.stack([pair for cube in targets for pair in cube])
        if binary:
            loss, accuracy, lead = paired(predictions, targets, negatives)
        else:
            loss, accuracy, lead = info_nce(predictions, targets)
        assert lead > 1e-4
        stored = result(t, loss, loss, [x], statistics)
        stored["accuracy"] = accuracy
        return t, stored

    options = {
        "base_channels": base,
        "loss": "bce_repo" if binary else "infonce",
        "shape": [cubes, patches, 1, side, side, side],
        "negatives": negatives,
    }
    return model(options, map(mode, ("train", "running")))


# Gradients of the losses that losses_and_plateau.json holds (sections 4.3 and 7.2).


def floats(numbers, *shape):
    return torch.tensor(numbers, dtype=torch.float64).reshape(shape).requires_grad_()


def dice_loss(name, logits, labels, smooth):
    classes = logits.shape[1]
    if classes == 1:
        p = torch.cat([1 - torch.sigmoid(logits), torch.sigmoid(logits)], dim=1)
        entropy = F.binary_cross_entropy_with_logits(logits[:, 0], labels.double())
    else:
        p = torch.softmax(logits, dim=1)
        entropy = F.cross_entropy(logits, labels)
    truth = torch.stack([(labels == k).double() for k in range(p.shape[1])], dim=1)
    hit, false, missed = p * truth, p * (1 - truth), (1 - p) * truth

    def quotient(k, samples, s):
        tp, fp, fn = (part[samples, k].sum() for part in (hit, false, missed))
        return (2 * tp + s) / (2 * tp + fp + fn + s)

    foreground = range(1, p.shape[1])
    whole = range(p.shape[0])
    if name in ("genesis", "multi_foreground"):
        return 1 - sum(quotient(k, whole, smooth) for k in foreground) / len(foreground)
    if name == "taleb":
        return -sum(quotient(k, whole, 1e-5) for k in range(p.shape[1])) / p.shape[1]
    single = [quotient(k, [n], 1e-5) for n in whole for k in foreground]
    return entropy - sum(single) / len(single)


def dice_gradients(stored):
    made = []
    for entry in stored["dice"]:
        n, *sides = entry["shape"]
        labels = torch.tensor(entry["labels"]).reshape(entry["shape"])
        gradients = {}
        for name, value in entry["losses"].items():
            logits = floats(entry["logits"], n, entry["classes"], *sides)
            loss = dice_loss(name, logits, labels, stored["dice_smooth"])
            assert abs(loss.item() - value) < 1e-9
            loss.backward()
            gradients[name] = summary(logits.grad, kept=1000)
        made.append(gradients)
    return made


def small_gradients(small):
    stored = {}

    def keep(name, loss, leaf):
        (gradient,) = torch.autograd.grad(loss, leaf, retain_graph=True)
        stored[name] = {"loss": rounded(loss.item()), "gradient": summary(gradient, kept=1000)}

    restored = floats(small["restored"], 2, 1, 2, 2, 2)
    target = floats(small["target"], 2, 1, 2, 2, 2).detach()
    norms = torch.linalg.vector_norm((restored - target).flatten(1), dim=1)
    keep("mse_mean", F.mse_loss(restored, target), restored)
    keep("mse_sum", 2 * F.mse_loss(restored, target), restored)
    keep("l2norm_mean", norms.mean(), restored)
    keep("l2norm_sum", norms.sum(), restored)
    # A sample that is restored perfectly: the norm has no derivative there, and PyTorch takes 0.
    perfect = target.clone()
    perfect[0] = restored.detach()[0]
    norms = torch.linalg.vector_norm((restored - perfect).flatten(1), dim=1)
    keep("l2norm_perfect", norms.mean(), restored)

    logits = floats(small["scale_logits"], 4, 3)
    labels = torch.tensor(small["scale_labels"])
    weights = floats(small["scale_weights"], 3).detach()
    keep("scale_mean", F.cross_entropy(logits, labels), logits)
    keep("scale_sum", F.cross_entropy(logits, labels, reduction="sum"), logits)
    keep("scale_weighted_mean", F.cross_entropy(logits, labels, weights), logits)
    keep("scale_weighted_sum", F.cross_entropy(logits, labels, weights, reduction="sum"), logits)

    adversary = floats(small["modality_logits"], 4)
    is_ct = floats(small["is_ct"], 4).detach()
    each = F.binary_cross_entropy_with_logits(adversary, is_ct, reduction="none")
    keep("modality_batch_mean", each.mean(), adversary)
    keep("modality_sum", each.sum(), adversary)
    keep("modality_per_domain", each[is_ct > 0].mean() + each[is_ct == 0].mean(), adversary)
    alone = F.binary_cross_entropy_with_logits(adversary, torch.ones_like(adversary))
    keep("modality_ct_alone", alone, adversary)
    return stored


# Three steps of an optimiser on sum (a_ij y_j)^2 / 2 with y = x - c, per group.


def optimiser_steps(name, rates, momentum, weight_decay):
    sizes = [3, 2, 4]
    starts = [pattern((n,), FIRST_INPUT + g) for g, n in enumerate(sizes)]
    matrices = [pattern((n, n), FIRST_INPUT + 10 + g) for g, n in enumerate(sizes)]
    centres = [pattern((n,), FIRST_INPUT + 20 + g) for g, n in enumerate(sizes)]
    parameters = [torch.nn.Parameter(start.clone()) for start in starts]
    groups = [{"params": [p], "lr": rate} for p, rate in zip(parameters, rates)]
    if name == "sgd":
        optimiser = torch.optim.SGD(groups, momentum=momentum, weight_decay=weight_decay)
    else:
        optimiser = torch.optim.Adam(groups, weight_decay=weight_decay)
    steps = []
    for _ in range(3):
        optimiser.zero_grad()
        loss = sum(
            (a @ (x - c)).square().sum() / 2 for a, x, c in zip(matrices, parameters, centres)
        )
        loss.backward()
        optimiser.step()
        # All digits: a rate of 1e-3 moves the last ones only.
        steps.append([p.detach().tolist() for p in parameters])
    return {
        "name": name,
        "rates": rates,
        "momentum": momentum,
        "weight_decay": weight_decay,
        "sizes": sizes,
        "steps": steps,
    }


def main():
    torch.set_num_threads(1)
    losses = json.loads((HERE / "losses_and_plateau.json").read_text())
    grid = contrastive_grid()
    reference = {
        "dice_gradients": dice_gradients(losses),
        "small_losses": small_gradients(losses["small"]),
        "contrastive": contrastive_losses(),
        "contrastive_grid": grid,
        "scale": [scale_model()],
        "modality": [modality_model(taps, norm) for taps in (True, False) for norm in (True, False)],
        "proxy_head": [proxy_head_model()],
        "cpc": [cpc_model(grid, binary) for binary in (False, True)],
        "unet": [unet_model(nearest) for nearest in (False, True)],
        "optimisers": [
            optimiser_steps("sgd", [1.0, 0.1, 0.001], 0.9, 0.0),
            optimiser_steps("sgd", [0.1, 0.01, 0.001], 0.9, 0.01),
            optimiser_steps("adam", [0.001, 0.01, 0.1], 0.9, 0.0),
            optimiser_steps("adam", [0.001, 0.01, 0.1], 0.9, 0.01),
        ],
    }
    # One line per model or case.
    parts = []
    for key, value in reference.items():
        if isinstance(value, list):
            lines = ",\n  ".join(json.dumps(item) for item in value)
            parts.append(f' "{key}": [\n  {lines}\n ]')
        else:
            parts.append(f' "{key}": {json.dumps(value)}')
    path = pathlib.Path(__file__).with_suffix(".json")
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n")


if __name__ == "__main__":
    main()
