"""Makes explain.json: explanations of small models by LightGBM and XGBoost.

Made with Python 3.11, numpy 2, LightGBM 4.7.0, XGBoost 3.2.0. Run: python explain.py
Every case holds a forest as this crate serialises it, rows, and the peer's numbers.
"""

import json
import pathlib

import numpy as np


def lightgbm_forest(booster, outputs=1):
    """The forest of a LightGBM booster, read from its text form."""
    text = booster.model_to_string()
    head = dict(line.split("=", 1) for line in text.split("\n\n")[0].splitlines() if "=" in line)
    trees = []
    for block in text.split("end of trees")[0].split("Tree=")[1:]:
        lines = [line.split("=", 1) for line in block.splitlines() if "=" in line]
        trees.append(lightgbm_tree(dict(lines), len(trees) % outputs))
    return {
        "features": [feature(name) for name in head["feature_names"].split(" ")],
        "outputs": outputs,
        "trees": trees,
        "start": [],
        "average": "\naverage_output\n" in text,
        "link": {"link": "identity"},
        "objective": head.get("objective", ""),
        "parameters": [],
    }


def feature(name):
    return {"name": name, "info": {"info": "unused"}, "monotone": 0}


def lightgbm_tree(fields, output):
    numbers = lambda key, kind: [kind(x) for x in fields.get(key, "").split()]
    kinds = numbers("decision_type", int)
    left, right = numbers("left_child", int), numbers("right_child", int)
    columns = zip(
        numbers("split_feature", int),
        numbers("threshold", float),
        numbers("split_gain", float),
        numbers("internal_value", float),
        numbers("internal_weight", float),
        numbers("internal_count", int),
    )
    nodes = []
    for at, (asked, threshold, gain, value, weight, count) in enumerate(columns):
        nodes.append(
            {
                "feature": asked,
                "rule": lightgbm_rule(kinds[at], threshold, numbers, fields),
                "left": child(left[at]),
                "right": child(right[at]),
                # JSON has no infinity.
                "gain": float(np.clip(gain, 0, 1e300)),
                "value": value,
                "weight": weight,
                "count": count,
            }
        )
    values = numbers("leaf_value", float)
    return {
        "nodes": nodes,
        "values": values,
        "weights": numbers("leaf_weight", float) or [0.0] * len(values),
        "counts": numbers("leaf_count", int) or [0] * len(values),
        "linear": [],
        "width": 1,
        "output": output,
        "shrinkage": float(fields.get("shrinkage", 1)),
    }


def lightgbm_rule(kind, threshold, numbers, fields):
    missing = ["none", "zero", "nan"][kind >> 2 & 3]
    if not kind & 1:
        return {
            "rule": "numeric",
            "threshold": float(np.clip(threshold, -1e300, 1e300)),
            "missing": missing,
            "default_left": bool(kind & 2),
        }
    bounds, words = numbers("cat_boundaries", int), numbers("cat_threshold", int)
    at = int(threshold)
    left = words[bounds[at] : bounds[at + 1]]
    return {"rule": "categorical", "left": left, "missing": missing, "default_left": False}


def child(pointer):
    return {"node": pointer} if pointer >= 0 else {"leaf": ~pointer}


def xgboost_forest(booster, features, outputs=1):
    """The forest of an XGBoost booster: x < t becomes x <= the largest f32 below t."""
    model = json.loads(booster.save_raw("json"))["learner"]
    inner = model["gradient_booster"]["model"]
    trees = [xgboost_tree(t, k) for t, k in zip(inner["trees"], inner["tree_info"])]
    return {
        "features": [feature(f"f{at}") for at in range(features)],
        "outputs": outputs,
        "trees": trees,
        "start": json.loads(model["learner_model_param"]["base_score"]),
        "average": False,
        "link": {"link": "identity"},
        "objective": "",
        "parameters": [],
    }


def xgboost_tree(tree, output):
    left, right = tree["left_children"], tree["right_children"]
    order, queue = [], [0]
    while queue:
        order.append(queue.pop(0))
        if left[order[-1]] >= 0:
            queue += [left[order[-1]], right[order[-1]]]
    inner = {at: n for n, at in enumerate(a for a in order if left[a] >= 0)}
    leaves = {at: n for n, at in enumerate(a for a in order if left[a] < 0)}
    to = lambda at: {"node": inner[at]} if at in inner else {"leaf": leaves[at]}
    below = lambda t: float(np.nextafter(np.float32(t), np.float32(-np.inf)))
    nodes = [
        {
            "feature": tree["split_indices"][at],
            "rule": {
                "rule": "numeric",
                "threshold": below(tree["split_conditions"][at]),
                "missing": "nan",
                "default_left": bool(tree["default_left"][at]),
            },
            "left": to(left[at]),
            "right": to(right[at]),
            "gain": tree["loss_changes"][at],
            "value": tree["base_weights"][at],
            "weight": tree["sum_hessian"][at],
            "count": 0,
        }
        for at in inner
    ]
    return {
        "nodes": nodes,
        "values": [tree["split_conditions"][at] for at in leaves],
        "weights": [tree["sum_hessian"][at] for at in leaves],
        "counts": [0 for _ in leaves],
        "linear": [],
        "width": 1,
        "output": output,
        "shrinkage": 1.0,
    }


def rows_of(rng, rows, missing):
    x = rng.normal(size=(rows, 6)).round(2).astype(np.float32)
    x[:, 5] = rng.integers(0, 12, size=rows)
    if missing:
        x[rng.random(x.shape) < 0.1] = np.nan
        x[:, 1][rng.random(rows) < 0.3] = 0
    signal = np.nan_to_num(x)
    y = signal[:, 0] * signal[:, 1] + np.sin(signal[:, 2]) + 0.3 * (signal[:, 5] % 3)
    return x, y + 0.1 * rng.normal(size=rows)


def case(name, forest, x, **numbers):
    cells = [[None if np.isnan(v) else float(v) for v in row] for row in x]
    listed = {k: np.asarray(v, dtype=np.float64).ravel().tolist() for k, v in numbers.items()}
    return {"name": name, "forest": forest, "rows": cells, **listed}


def lightgbm_cases():
    import lightgbm as lgb

    settings = {
        "regression": {"objective": "regression", "num_leaves": 12},
        "missing zero": {"objective": "regression", "zero_as_missing": True, "num_leaves": 12},
        "categorical": {"objective": "regression", "num_leaves": 12, "min_data_per_group": 5},
        "deep": {"objective": "regression", "num_leaves": 60, "min_data_in_leaf": 2},
        "binary": {"objective": "binary", "num_leaves": 8},
        "multiclass": {"objective": "multiclass", "num_class": 3, "num_leaves": 6},
        "random forest": {
            "objective": "regression",
            "boosting": "rf",
            "bagging_freq": 1,
            "bagging_fraction": 0.6,
            "num_leaves": 10,
        },
    }
    for name, extra in settings.items():
        rng = np.random.default_rng(len(name))
        x, y = rows_of(rng, 500, missing=name != "regression")
        outputs = extra.get("num_class", 1)
        if outputs > 1:
            y = np.digitize(y, [-0.5, 0.5])
        elif name == "binary":
            y = (y > 0).astype(float)
        common = {"verbosity": -1, "num_threads": 1, "seed": 1, "min_data_in_leaf": 5}
        kinds = [5] if name == "categorical" else []
        train = lgb.Dataset(x.astype(np.float64), y, categorical_feature=kinds)
        booster = lgb.train({**common, **extra}, train, num_boost_round=3 if name == "deep" else 5)
        shown = x[:12]
        contributions = booster.predict(shown.astype(np.float64), pred_contrib=True)
        raw = booster.predict(shown.astype(np.float64), raw_score=extra.get("boosting") != "rf")
        if extra.get("boosting") == "rf":
            # LightGBM divides predictions by the trees, but not contributions.
            contributions /= booster.num_trees()
        forest = lightgbm_forest(booster, outputs)
        yield case("lightgbm " + name, forest, shown, shap=contributions, raw=raw)


def xgboost_cases():
    import xgboost as xgb

    rng = np.random.default_rng(5)
    x, y = rows_of(rng, 500, missing=True)
    settings = {"max_depth": 4, "eta": 0.3, "nthread": 1, "seed": 1, "base_score": 0.25}
    settings |= {"objective": "reg:squarederror"}
    booster = xgb.train(settings, xgb.DMatrix(x, y), num_boost_round=5)
    shown = xgb.DMatrix(x[:12])
    yield case(
        "xgboost regression",
        xgboost_forest(booster, 6),
        x[:12],
        shap=booster.predict(shown, pred_contribs=True),
        interactions=booster.predict(shown, pred_interactions=True),
        raw=booster.predict(shown, output_margin=True),
    )


if __name__ == "__main__":
    path = pathlib.Path(__file__).with_name("explain.json")
    cases = [*lightgbm_cases(), *xgboost_cases()]
    path.write_text(json.dumps(cases, separators=(",", ":"), allow_nan=False) + "\n")
