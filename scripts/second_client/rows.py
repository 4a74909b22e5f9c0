"""From a row to integers, the clear models, and from scores to predictions."""

import math


def norm(kind, row):
    if kind == "max":
        return max(map(abs, row))
    total = 0.0
    for x in row:
        total += abs(x) if kind == "l1" else x * x
    return total if kind == "l1" else math.sqrt(total)


def function(name, x):
    if isinstance(name, dict):
        kind, fields = next(iter(name.items()))
        if kind == "power":
            return x ** fields["exponent"]
        power = fields["lambda"]
        if kind == "box_cox":
            return math.log(x) if power == 0 else (x**power - 1) / power
        if x >= 0:
            return math.log1p(x) if power == 0 else ((x + 1) ** power - 1) / power
        return -math.log1p(-x) if power == 2 else -((1 - x) ** (2 - power) - 1) / (2 - power)
    return {
        "exp": math.exp,
        "expm1": math.expm1,
        "log": math.log,
        "log1p": math.log1p,
        "sqrt": math.sqrt,
        "square": lambda x: x * x,
        "abs": abs,
        "tanh": math.tanh,
        "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
        "softplus": lambda x: max(x, 0) + math.log1p(math.exp(-abs(x))),
        "positive": lambda x: float(x > 0),
        "inverse": lambda x: 1 / x,
        "truncate": math.trunc,
    }[name](x)


def column(rule, x):
    kind, missing = rule["rule"], math.isnan(x)
    if kind == "impute":
        return rule["value"] if missing else x
    if kind == "missing":
        return float(missing)
    if kind == "one_of":
        return float(rule["missing"] if missing else x in rule["values"])
    if kind == "lookup":
        return dict(zip(rule["keys"], rule["values"])).get(x, rule["other"])
    if kind == "copy" or missing:
        return x
    if kind == "missing_within":
        return math.nan if rule["low"] <= x <= rule["high"] else x
    if kind == "at_least":
        return float(x >= rule["edge"])
    if kind == "bin":
        return float(sum(edge <= x for edge in rule["edges"]))
    if kind == "clip":
        return min(max(x, rule["low"]), rule["high"])
    if kind == "affine":
        return (x - rule["offset"]) * rule["scale"]
    if kind == "apply":
        return function(rule["function"], x)
    xs, ys = rule["xs"], rule["ys"]
    above = sum(point <= x for point in xs)
    if above in (0, len(xs)):
        return ys[0] if above == 0 else ys[-1]
    share = (x - xs[above - 1]) / (xs[above] - xs[above - 1])
    return ys[above - 1] + share * (ys[above] - ys[above - 1])


def softmax(row):
    powers = [math.exp(x - max(row)) for x in row]
    return [power / sum(powers) for power in powers]


def after(steps, row):
    """What steps make of a vector."""
    row = list(row)
    for step in steps:
        kind = step["step"]
        if kind == "scale":
            row = [(x - o) * s for x, o, s in zip(row, step["offsets"], step["scales"])]
        elif kind == "normalize":
            size = norm(step["norm"], row)
            row = [x / size for x in row] if size else row
        elif kind == "columns":
            row = [column(rule, row[rule["source"]]) for rule in step["columns"]]
        elif kind == "linear":
            row = [b + sum(w * x for w, x in zip(weights, row)) for weights, b in zip(step["weights"], step["biases"])]
        elif kind == "products":
            row = [math.prod(row[source] for source in term) for term in step["terms"]]
        elif kind == "function":
            row = [function(step["function"], x) for x in row]
        elif kind == "softmax":
            row = softmax(row)
        elif kind == "largest":
            row = [max(row)]
        elif kind == "which_largest":
            row = [float(row.index(max(row)))]
        elif kind == "choose":
            row = [row[b] if row[a] != 0 else row[c] for a, b, c in step["choices"]]
        elif kind == "parts":
            row = [x for part in step["parts"] for x in after(part["steps"], [row[s] for s in part["sources"]])]
        else:
            raise ValueError(f"the step {kind} is not written here")
    return row


def levels(rule):
    return len(rule["edges"]) + 1 if rule["rule"] == "edges" else rule["levels"]


def quantized(client, row):
    out = []
    for rule, x in zip(client["quantizer"], after(client.get("preprocessing", []), row)):
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
    if "head" in client:
        worth, offset = 1.0 if scale is None else scale, client.get("score_offset", 0.0)
        made = after(client["head"]["steps"], [score * worth + offset for score in scores])
        if not client["classes"]:
            return {"scores": scores, "value": made[0]}
        return {"scores": scores, "class": made.index(max(made)), "class_scores": made}
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
        x = softmax(x)
    return {"scores": scores, "class": chosen, "class_scores": x}
