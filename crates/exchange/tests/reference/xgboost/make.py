"""Makes XGBoost's models of every kind and their predictions, for the tests of `xgboost`.

Run in this folder: python make.py
Made with Python 3.11, numpy 2.4.6, xgboost 3.2.0, one thread.

NAME.json and NAME.ubj are XGBoost's own files. cases.json holds per name the inputs (null is NaN), the
margins, the predictions, and the leaf of every row in every tree, by the number of XGBoost's node,
in the order round, parallel tree, output.
"""

import json
import pathlib

import numpy as np
import xgboost as xgb

HERE = pathlib.Path(__file__).parent
ROWS = 24
RNG = np.random.default_rng(7)


def plain_inputs():
    x = RNG.normal(size=(ROWS, 3)).astype(np.float32)
    x[RNG.random(x.shape) < 0.12] = np.nan
    return x


X = plain_inputs()
SIGNAL = np.nan_to_num(X[:, 0]) - 0.5 * np.nan_to_num(X[:, 1]) ** 2 + 0.3 * RNG.normal(size=ROWS)
POSITIVE = np.exp(SIGNAL)
BINARY = (SIGNAL > np.median(SIGNAL)).astype(float)
CLASSES = RNG.integers(0, 3, ROWS)
TARGETS = np.stack([SIGNAL, -SIGNAL, SIGNAL**2], axis=1)
CATEGORICAL = np.column_stack([X[:, 0], RNG.integers(0, 40, ROWS), RNG.integers(0, 4, ROWS)])
CATEGORICAL = CATEGORICAL.astype(np.float32)
CATEGORICAL[3, 1] = np.nan
CATEGORICAL[5, 2] = np.nan


def around(booster, x):
    """The inputs, and rows with values at the thresholds and beside them."""
    rows = list(x)
    for tree in json.loads(booster.save_raw("json"))["learner"]["gradient_booster"].get(
        "model", {}
    ).get("trees", [])[:2]:
        for at, child in enumerate(tree["left_children"]):
            if child >= 0 and not tree["split_type"][at]:
                for to in (None, -np.inf, np.inf):
                    row = x[at % len(x)].copy()
                    cut = np.float32(tree["split_conditions"][at])
                    row[tree["split_indices"][at]] = cut if to is None else np.nextafter(cut, np.float32(to))
                    rows.append(row)
    rows.append(np.full(x.shape[1], np.nan, np.float32))
    rows.append(np.zeros(x.shape[1], np.float32))
    rows.append(np.full(x.shape[1], -0.0, np.float32))
    return np.array(rows, np.float32)


CASES = {}


def short(value):
    """A number of single precision with no more digits than it needs."""
    return float(str(np.float32(value)))


def keep(name, booster, x, **matrix):
    matrix_of = xgb.DMatrix(x, **matrix)
    margin = booster.predict(matrix_of, output_margin=True, strict_shape=True)
    try:
        leaves = booster.predict(matrix_of, pred_leaf=True, strict_shape=True).transpose(0, 1, 3, 2)
    except xgb.core.XGBoostError:  # XGBoost 3.2 has the wrong shape for vector leaves.
        leaves = booster.predict(matrix_of, pred_leaf=True)
    prediction = booster.predict(matrix_of, strict_shape=True)
    CASES[name] = {
        "x": [[None if np.isnan(v) else short(v) for v in row] for row in x],
        "margin": [[short(v) for v in row] for row in margin.reshape(len(x), -1)],
        "prediction": [[short(v) for v in row] for row in prediction.reshape(len(x), -1)],
        "leaves": leaves.astype(int).reshape(len(x), -1).tolist(),
    }
    booster.save_model(HERE / f"{name}.json")
    booster.save_model(HERE / f"{name}.ubj")


def train(name, label, rounds=3, x=X, matrix=None, test=None, **settings):
    data = xgb.DMatrix(x, label=label, **(matrix or {}))
    settings = {"nthread": 1, "max_depth": 2, "seed": 3, **settings}
    booster = xgb.train(settings, data, rounds)
    keep(name, booster, around(booster, x) if test is None else test, **(matrix or {}))
    return booster


train("squared_error", SIGNAL, objective="reg:squarederror", matrix={"feature_names": ["a", "b b", "ü"]})
train("squared_log_error", POSITIVE, 1, objective="reg:squaredlogerror")
train("absolute_error", SIGNAL, 1, objective="reg:absoluteerror")
train("pseudo_huber", SIGNAL, 1, objective="reg:pseudohubererror")
train("quantiles", SIGNAL, objective="reg:quantileerror", quantile_alpha=[0.2, 0.5, 0.8])
train("logistic", BINARY, objective="binary:logistic", scale_pos_weight=2)
train("logistic_regression", BINARY, 1, objective="reg:logistic", base_score=0.999)
train("logit_raw", BINARY, 1, objective="binary:logitraw", base_score=0.3)
train("hinge", BINARY, 1, objective="binary:hinge")
train("poisson", np.round(POSITIVE), objective="count:poisson")
train("gamma", POSITIVE, 1, objective="reg:gamma")
train("tweedie", POSITIVE, 1, objective="reg:tweedie", tweedie_variance_power=1.3)
train("cox", POSITIVE, 1, objective="survival:cox")
train("softprob", CLASSES, objective="multi:softprob", num_class=3)
train("softmax", CLASSES, 1, objective="multi:softmax", num_class=3)
train("softprob_forest", CLASSES, 2, objective="multi:softprob", num_class=3, num_parallel_tree=2, subsample=0.6)
train("forest", SIGNAL, 1, objective="reg:squarederror", num_parallel_tree=4, subsample=0.6, eta=1)
train("dart", SIGNAL, 5, booster="dart", rate_drop=0.5, objective="reg:squarederror")
train("several_targets", TARGETS, objective="reg:squarederror")
train("several_labels", np.stack([BINARY, 1 - BINARY], axis=1), 2, objective="binary:logistic")
train("vector_leaves", TARGETS, objective="reg:squarederror", multi_strategy="multi_output_tree")
train("vector_classes", CLASSES, 2, objective="multi:softprob", num_class=3, multi_strategy="multi_output_tree")
train("pruned", SIGNAL, 2, objective="reg:squarederror", max_depth=4, gamma=0.6, tree_method="exact")
train("lossguide", SIGNAL, 2, objective="reg:squarederror", max_depth=0, max_leaves=6, grow_policy="lossguide")

ranked = xgb.DMatrix(X, label=BINARY, qid=np.arange(ROWS) // 8)
for objective in ("ndcg", "pairwise", "map"):
    booster = xgb.train({"objective": f"rank:{objective}", "nthread": 1, "max_depth": 2}, ranked, 1)
    keep(f"rank_{objective}", booster, X)

survival = xgb.DMatrix(X)
survival.set_float_info("label_lower_bound", POSITIVE)
survival.set_float_info("label_upper_bound", POSITIVE * 1.5)
booster = xgb.train({"objective": "survival:aft", "nthread": 1, "max_depth": 2}, survival, 1)
keep("aft", booster, X)

types = {"feature_types": ["float", "c", "c"], "enable_categorical": True}
category_label = SIGNAL + np.nan_to_num(CATEGORICAL[:, 1]) % 3
asked = np.vstack([CATEGORICAL, np.column_stack([np.zeros(48), np.arange(48), np.arange(48) % 7])]).astype(np.float32)
train("partition", category_label, x=CATEGORICAL, test=asked, matrix=types, max_cat_to_onehot=1)
train("one_hot", category_label, x=CATEGORICAL, test=asked, matrix=types, max_cat_to_onehot=100)

# A model with thresholds at the edges of single precision.
edges = json.loads((HERE / "squared_error.json").read_text())
edges["learner"]["feature_names"] = []
edges["learner"]["feature_types"] = []
cuts = iter([0.0, -0.0, 1e-45, -1e-45, 3.4028235e38, -3.4028235e38, 1.17549435e-38, 1.0, -1.0] * 3)
for tree in edges["learner"]["gradient_booster"]["model"]["trees"]:
    for at, child in enumerate(tree["left_children"]):
        if child >= 0:
            tree["split_conditions"][at] = next(cuts)
booster = xgb.Booster()
booster.load_model(bytearray(json.dumps(edges).encode()))
values = np.array([0.0, -0.0, 1e-45, -1e-45, 3e-45, 3.4028235e38, -3.4028235e38, 1.1754942e-38, 1.17549435e-38, 1.0, np.nan], np.float32)
grid = np.array([[a, b, c] for a in values for b in values[::3] for c in values[::4]], np.float32)
keep("edges", booster, grid)

linear = xgb.train({"booster": "gblinear", "nthread": 1}, xgb.DMatrix(np.nan_to_num(X), label=SIGNAL), 1)
linear.save_model(HERE / "linear.json")

(HERE / "cases.json").write_text(json.dumps(CASES).replace("]], ", "]],\n") + "\n")
