"""Trains tiny models with every objective and kind of tree of LightGBM, and stores what they predict.

Made with LightGBM 4.7.0, NumPy 2.4.6, pandas 3.1.1 (Python 3.11). Run: python make.py
It writes one NAME.txt a model, and cases.json: the rows, and for each model its raw scores and predictions.
Every value of the rows is an f32. In JSON, what is not finite stands as a string.
"""

import json
import pathlib

import lightgbm as lgb
import numpy as np
import pandas as pd

HERE = pathlib.Path(__file__).parent
CATEGORIES = [4, 5]
rng = np.random.default_rng(7)


def make_rows(count):
    x = np.empty((count, 6), np.float32)
    x[:, 0] = rng.normal(size=count)
    x[rng.random(count) < 0.15, 0] = np.nan
    x[:, 1] = rng.integers(0, 5, count)
    x[:, 2] = np.where(rng.random(count) < 0.4, 0, rng.standard_t(2, count))
    x[:, 3] = rng.random(count)
    x[:, 4] = rng.integers(0, 3, count)
    x[:, 5] = rng.choice([0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233], count)
    x[rng.random(count) < 0.05, 5] = np.nan
    return x


def odd_rows():
    odd = [np.nan, 0.0, -0.0, 1e-36, -1e-36, 1e-34, -1e-34, np.inf, -np.inf, -1, -0.5, 3.7, 7, 64, 999, 3e9, 1e20, -3e9]
    rows = np.repeat(np.array([[0.25, 2, 0.5, 0.5, 1, 5]], np.float32), len(odd), axis=0)
    for column in range(6):
        rows[:, column] = np.roll(np.array(odd, np.float32), 5 * column)
    same = np.array([[v] * 6 for v in [np.nan, 0.0, -2.0]], np.float32)
    return np.vstack([rows, same])


TRAIN = make_rows(400)
ROWS = np.vstack([make_rows(24), odd_rows()])
SCORE = (
    np.nan_to_num(TRAIN[:, 0], nan=-1.0)
    + 0.4 * TRAIN[:, 1]
    - 0.7 * np.clip(TRAIN[:, 2], -2, 2)
    + np.isin(TRAIN[:, 5], [1, 5, 34, 233]) * 1.5
    + (TRAIN[:, 4] == 1) * 0.8
    + 0.3 * rng.normal(size=400)
)
POSITIVE = np.exp(0.4 * SCORE)
BINARY = (SCORE > np.median(SCORE)).astype(float)
SHARE = 1 / (1 + np.exp(-SCORE))
CLASSES = np.digitize(SCORE, np.quantile(SCORE, [0.33, 0.66])).astype(float)
GRADES = np.clip(np.digitize(SCORE, [-1, 0, 1, 2]), 0, 4).astype(float)

BASE = dict(
    verbosity=-1, num_threads=1, seed=3, deterministic=True, force_col_wise=True,
    num_leaves=6, learning_rate=0.3, min_data_in_leaf=10, min_data_per_group=5, cat_smooth=2, cat_l2=1,
)

cases = []


def store(name, booster, **keywords):
    text = booster.model_to_string(**keywords)
    (HERE / f"{name}.txt").write_bytes(text.encode())
    loaded = lgb.Booster(model_str=text)
    rows = ROWS.astype(np.float64)
    cases.append(
        dict(
            name=name,
            raw=[plain(v) for v in loaded.predict(rows, raw_score=True, num_threads=1).ravel()],
            prediction=[plain(v) for v in loaded.predict(rows, num_threads=1).ravel()],
        )
    )


def train(label, rounds=3, group=None, categories=CATEGORIES, data=TRAIN, weight=None, init_model=None, **parameters):
    parameters = {**BASE, **parameters}
    data = lgb.Dataset(
        data, label, group=group, weight=weight, categorical_feature=categories, params=parameters, free_raw_data=False
    )
    return lgb.train(parameters, data, rounds, init_model=init_model)


def custom(score, data):
    return score - data.get_label(), np.ones_like(score)


def main():
    for name in ["regression", "regression_l1", "huber", "fair", "quantile", "mape"]:
        store(name, train(SCORE, objective=name))
    for name in ["poisson", "gamma", "tweedie"]:
        store(name, train(POSITIVE, objective=name))
    store("regression_sqrt", train(SCORE, objective="regression", reg_sqrt=True))
    store("binary", train(BINARY, objective="binary"))
    store("binary_sigmoid", train(BINARY, objective="binary", sigmoid=0.7, is_unbalance=True))
    store("multiclass", train(CLASSES, 2, objective="multiclass", num_class=3))
    store("multiclassova", train(CLASSES, 2, objective="multiclassova", num_class=3, sigmoid=1.3))
    store("cross_entropy", train(SHARE, objective="cross_entropy"))
    store("cross_entropy_lambda", train(SHARE, objective="cross_entropy_lambda", weight=rng.random(400) + 0.5))
    store("lambdarank", train(GRADES, objective="lambdarank", group=[20] * 20))
    store("rank_xendcg", train(GRADES, objective="rank_xendcg", group=[20] * 20))
    store("custom", train(SCORE, objective=custom))
    store("custom_classes", train(CLASSES, 1, objective=lambda s, d: (s - 0.2, np.ones_like(s)), num_class=3))

    store("missing_zero", train(SCORE, zero_as_missing=True, categories=[]))
    store("missing_none", train(SCORE, use_missing=False))
    store("missing_free", train(SCORE, categories=[], data=np.nan_to_num(TRAIN)))
    store("categories_one_hot", train(SCORE, max_cat_to_onehot=64))
    store("categories_many", train(SCORE, max_cat_to_onehot=1, num_leaves=10))
    store("linear", train(SCORE, linear_tree=True, linear_lambda=0.1))
    store("linear_missing", train(SCORE, linear_tree=True, categories=[], use_missing=False))
    store("dart", train(SCORE, 5, boosting="dart", drop_rate=0.5))
    forest = dict(boosting="rf", bagging_freq=1, bagging_fraction=0.6, feature_fraction=0.8)
    store("forest", train(SCORE, **forest))
    store("forest_binary", train(BINARY, objective="binary", **forest))
    store("goss", train(SCORE, 5, data_sample_strategy="goss"))
    store("monotone", train(SCORE, categories=[], monotone_constraints=[1, 0, -1, 0, 0, 0]))
    store("constant", train(np.full(400, 1.5), 2))
    store("stump", train(SCORE, 2, max_depth=1))
    store("gain", train(SCORE, 2), importance_type="gain")

    parameters = {**BASE, "early_stopping_round": 1, "metric": "l2"}
    data = lgb.Dataset(TRAIN[:300], SCORE[:300])
    held = lgb.Dataset(TRAIN[300:], rng.permutation(SCORE[300:]), reference=data)
    store("stopped_early", lgb.train(parameters, data, 5, valid_sets=[held]))
    store("continued", train(SCORE, 2, init_model=train(SCORE, 2)))
    refitted = train(SCORE, 2, categories=[]).refit(TRAIN, -SCORE, decay_rate=0.5)
    store("refitted", refitted)

    frame = pd.DataFrame(TRAIN[:, :4], columns=["a b", "c=d", "e", "größe"])
    frame["colour"] = pd.Categorical(np.array(["red", "green", "blue"])[TRAIN[:, 4].astype(int)])
    frame["shop"] = TRAIN[:, 5]
    pandas = lgb.train(BASE, lgb.Dataset(frame, SCORE), 2)
    store("pandas", pandas)

    rows = [[plain(v) for v in row] for row in ROWS]
    lines = ",\n".join(json.dumps(case) for case in cases)
    text = f'{{"rows": {json.dumps(rows)},\n"cases": [\n{lines}\n]}}\n'
    (HERE / "cases.json").write_text(text)


def plain(value):
    return float(value) if np.isfinite(value) else str(value)


main()
