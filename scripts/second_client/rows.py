"""From a row to integers, the clear models, and from scores to predictions."""

import math


def norm(kind, row):
    if kind == "max":
        return max(map(abs, row))
    total = 0.0
    for x in row:
        total += abs(x) if kind == "l1" else x * x
    return total if kind == "l1" else math.sqrt(total)


def prepared(steps, row):
    row = list(row)
    for step in steps:
        if step["step"] == "scale":
            row = [(x - o) * s for x, o, s in zip(row, step["offsets"], step["scales"])]
        else:
            size = norm(step["norm"], row)
            row = [x / size for x in row] if size else row
    return row


def levels(rule):
    return len(rule["edges"]) + 1 if rule["rule"] == "edges" else rule["levels"]


def quantized(client, row):
    out = []
    for rule, x in zip(client["quantizer"], prepared(client.get("preprocessing", []), row)):
        if rule["rule"] == "edges":
            out.append(sum(edge <= x for edge in rule["edges"]))
        else:
            exact = (x - rule["low"]) / rule["step"]
            whole = math.floor(abs(exact))
            rounded = math.copysign(whole + (abs(exact) - whole >= 0.5), exact)
            out.append(int(min(max(rounded, 0), rule["levels"] - 1)))
    return out


def leaf(nodes, q):
    at = nodes[0]
    while "split" in at:
        split = at["split"]
        at = nodes[split["high" if q[split["feature"]] >= split["threshold"] else "low"]]
    return at["leaf"]


def windows(shape):
    """For each output the inputs of its weights (`None`: padding) and the index of its weights and bias."""
    if shape["map"] == "dense":
        return [(range(shape["inputs"]), o) for o in range(shape["outputs"])]
    if shape["map"] == "sparse":
        return [(inputs, o) for o, inputs in enumerate(shape["rows"])]
    height, width, channels, (rows, columns) = shape["height"], shape["width"], shape["channels"], shape["kernel"]
    step, padding = shape["stride"], shape["padding"]

    def at(y, x, c):
        return (y * width + x) * channels + c if 0 <= y < height and 0 <= x < width else None

    out = []
    for y in range(-padding, height + padding - rows + 1, step):
        for x in range(-padding, width + padding - columns + 1, step):
            taps = [at(y + i, x + j, c) for i in range(rows) for j in range(columns) for c in range(channels)]
            out += [(taps, f) for f in range(shape["filters"])]
    return out


def sums(layer, inputs):
    """A layer's sums."""
    shape, out = layer["map"], []
    taken = 0
    for taps, unit in windows(shape):
        start = taken if shape["map"] == "sparse" else unit * len(taps)
        weights = shape["weights"][start : start + len(taps)]
        out.append(shape["biases"][unit] + sum(w * inputs[t] for w, t in zip(weights, taps) if t is not None))
        taken += len(taps)
    return out


def clear_scores(model, q):
    """What the model says in clear."""
    if model["model"] == "tree":
        return [int(c == leaf(model["nodes"], q)["class"]) for c in range(model["classes"])]
    if model["model"] == "forest":
        reached = [leaf(tree["nodes"], q)["values"] for tree in model["trees"]]
        return [bias + sum(values[s] for values in reached) for s, bias in enumerate(model["biases"])]
    if model["model"] == "linear":
        return [bias + sum(w * x for w, x in zip(row, q)) for row, bias in zip(model["weights"], model["biases"])]
    for layer in model["layers"]:
        q = sums(layer, q)
        if layer["activation"]:
            outputs, lists = layer["activation"]["outputs"], layer["activation"]["thresholds"]
            q = [outputs[sum(t <= z for t in lists[i % len(lists)])] for i, z in enumerate(q)]
    return q


def predictions(client, scores):
    """A class and a number a class, or the predicted number."""
    scale = client["score_scale"]
    if not client["classes"]:
        worth = 1.0 if scale is None else scale
        return {"scores": scores, "value": scores[0] * worth + client.get("score_offset", 0.0)}
    unit = client.get("score_unit", "logit")
    x = [score * (1.0 if scale is None else scale) for score in scores]
    if len(x) == 1:
        chosen = int(scores[0] > 0)
        x = {"logit": [0.0, x[0]], "share": [(1 - x[0]) / 2, (1 + x[0]) / 2], "margin": [-x[0], x[0]]}[unit]
    else:
        chosen = scores.index(max(scores))
    if scale is not None and unit == "logit":
        powers = [math.exp(value - max(x)) for value in x]
        x = [power / sum(powers) for power in powers]
    return {"scores": scores, "class": chosen, "class_scores": x}
