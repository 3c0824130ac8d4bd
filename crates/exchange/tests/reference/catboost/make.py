"""Makes CatBoost's models of every kind and their predictions, for the tests of `catboost`.

Run in this folder: python make.py
Made with Python 3.11, numpy 2.4.6, catboost 1.2.10, one thread.

NAME.json is CatBoost's own file, of whose `model_info` only the loss function and the given parameters
are kept. cases.json holds per name the inputs (null is NaN), the raw scores, and the predictions.
"""

import json
import pathlib

import catboost
import numpy as np

HERE = pathlib.Path(__file__).parent
ROWS = 40
RNG = np.random.default_rng(5)
X = RNG.normal(size=(ROWS, 3)).astype(np.float32)
FULL = X.copy()
X[RNG.random(X.shape) < 0.12] = np.nan
SIGNAL = FULL[:, 0] - 0.5 * FULL[:, 1] ** 2 + 0.3 * RNG.normal(size=ROWS)
POSITIVE = np.round(np.exp(SIGNAL))
BINARY = (SIGNAL > np.median(SIGNAL)).astype(int)
CLASSES = np.digitize(SIGNAL, np.quantile(SIGNAL, [0.4, 0.7]))
TARGETS = np.stack([SIGNAL, -SIGNAL, SIGNAL**2], axis=1)
CATEGORIES = RNG.integers(0, 12, (ROWS, 2)) * [1, 3]
CATEGORY_SIGNAL = SIGNAL + CATEGORIES[:, 0] % 3 - (CATEGORIES[:, 1] > 15)
CASES = {}


def strip(path):
    model = json.loads(path.read_text())
    parameters = model["model_info"]["params"]
    kept = {key: parameters[key] for key in ("loss_function", "flat_params")}
    model["model_info"] = {"params": kept}
    path.write_text(json.dumps(model) + "\n")


def floats(rows):
    return [[None if np.isnan(v) else float(str(np.float32(v))) for v in row] for row in rows]


def keep(name, model, inputs, pool, kind):
    raw = model.predict(pool, prediction_type="RawFormulaVal", thread_count=1)
    prediction = model.predict(pool, prediction_type=kind, thread_count=1)
    count = len(inputs)
    prediction = np.reshape(prediction, (count, -1)).astype(float)
    if kind == "Probability" and np.ndim(raw) == 1:
        prediction = prediction[:, 1:]
    CASES[name] = {
        "x": inputs,
        "raw": np.reshape(raw, (count, -1)).tolist(),
        "prediction": prediction.tolist(),
    }
    path = HERE / f"{name}.json"
    model.save_model(path, format="json")
    strip(path)


def fit(pool, **settings):
    usual = {"iterations": 3, "depth": 2, "thread_count": 1, "verbose": 0, "allow_writing_files": False}
    return catboost.CatBoost({**usual, **settings}).fit(pool)


def train(name, label, x=X, kind="RawFormulaVal", change=None, **settings):
    names = settings.pop("names", None)
    model = fit(catboost.Pool(x, label, feature_names=names), **settings)
    if change:
        change(model)
    extra = np.array([[np.nan] * 3, [0.0] * 3, [-3.4e38, 9.0, 1.0]], np.float32)
    cuts = [(f, np.float32(b)) for f, bs in model._get_borders().items() for b in bs][:12]
    around = [np.where(np.arange(3) == f, v, FULL[0]) for f, b in cuts for v in (b, np.nextafter(b, np.float32(np.inf)))]
    asked = np.vstack([x, extra, np.array(around, np.float32).reshape(-1, 3)])
    keep(name, model, floats(asked), catboost.Pool(asked, feature_names=names), kind)


train("rmse", SIGNAL, names=["a", "b b", "ü"], depth=3)
train("nan_max", SIGNAL, nan_mode="Max")
train("nan_absent", SIGNAL, x=FULL)
train("scaled", SIGNAL, change=lambda model: model.set_scale_and_bias(-1.5, 0.25))
train("logloss", BINARY, loss_function="Logloss", kind="Probability")
train("cross_entropy", 0.1 + 0.8 * BINARY, loss_function="CrossEntropy", kind="Probability")
train("multiclass", CLASSES, loss_function="MultiClass", kind="Probability")
train("one_vs_all", CLASSES, loss_function="MultiClassOneVsAll", kind="Probability")
train("multi_logloss", np.stack([BINARY, 1 - BINARY], axis=1), loss_function="MultiLogloss", kind="Probability")
train("poisson", POSITIVE, loss_function="Poisson", kind="Exponent")
train("tweedie", POSITIVE, loss_function="Tweedie:variance_power=1.5", kind="Exponent")
train("several_targets", TARGETS, loss_function="MultiRMSE")
train("quantiles", SIGNAL, loss_function="MultiQuantile:alpha=0.2,0.5,0.8")
train("depthwise", SIGNAL, grow_policy="Depthwise", depth=3)
train("lossguide", SIGNAL, grow_policy="Lossguide", max_leaves=6, depth=5)
train("lossguide_classes", CLASSES, grow_policy="Lossguide", max_leaves=5, loss_function="MultiClass", kind="Probability")
train("constant", np.full(ROWS, 2.5), x=FULL, allow_const_label=True)
train("constant_depthwise", np.full(ROWS, 2.5), allow_const_label=True, grow_policy="Depthwise")


def mixed(categories):
    return [[float(a), *map(int, c)] for a, c in zip(FULL[:, 0], categories)]


UNSEEN = np.column_stack([np.arange(50), np.arange(50)[::-1]])
ASKED = mixed(CATEGORIES) + [[0.1, int(a), int(b)] for a, b in UNSEEN]


def categorical(name, label, kind="RawFormulaVal", **settings):
    pool = catboost.Pool(mixed(CATEGORIES), label, cat_features=[1, 2])
    usual = {"max_ctr_complexity": 1, "iterations": 6, "depth": 3}
    model = fit(pool, **{**usual, **settings})
    keep(name, model, floats(ASKED), catboost.Pool(ASKED, cat_features=[1, 2]), kind)


CTR = "{}:CtrBorderCount=15:Prior=0.5/1"
categorical("one_hot", CATEGORY_SIGNAL, one_hot_max_size=100)
categorical("one_hot_lossguide", CATEGORY_SIGNAL, one_hot_max_size=100, grow_policy="Lossguide")
categorical("ctr_usual", CATEGORY_SIGNAL, one_hot_max_size=1)
categorical("ctr_classes", CLASSES, one_hot_max_size=1, loss_function="MultiClass", kind="Probability")
for ctr in ("Borders", "Buckets", "BinarizedTargetMeanValue", "Counter"):
    categorical(f"ctr_{ctr.lower()}", CATEGORY_SIGNAL, one_hot_max_size=1, simple_ctr=[CTR.format(ctr)])

# Refused: categories that are words, and combinations of categories.
words = catboost.Pool([[float(a), "ab"[int(c[0]) % 2]] for a, c in zip(FULL[:, 0], CATEGORIES)], CATEGORIES[:, 0] % 2, cat_features=[1])
for name, model in {
    "words": fit(words, one_hot_max_size=10),
    "combination": fit(
        catboost.Pool(mixed(CATEGORIES % 2), (CATEGORIES.sum(axis=1) % 2), cat_features=[1, 2]),
        one_hot_max_size=1,
        max_ctr_complexity=2,
        iterations=10,
        depth=3,
    ),
}.items():
    model.save_model(HERE / f"{name}.json", format="json")
    strip(HERE / f"{name}.json")

(HERE / "cases.json").write_text(json.dumps(CASES).replace("]], ", "]],\n") + "\n")
