"""Reference values of objectives and metrics. Python 3, lightgbm 4.7.0, xgboost 3.2.0,
scikit-learn 1.9.1, numpy.

Slopes: one tree on the row number as the only feature, without any regularisation, from given
scores. Its leaves tell the sums of gradients (value = -G / H, or the renewed value) and of hessians
(weight) of their rows. Starts: a tree that cannot split. Metrics: evaluated before anything is
learnt, at the given scores.
"""
import json
import pathlib

import lightgbm as lgb
import numpy as np
import sklearn.metrics as skm
import xgboost as xgb

assert lgb.__version__ == "4.7.0", lgb.__version__
assert xgb.__version__.startswith("3."), xgb.__version__
n = 36
rng = np.random.default_rng(4)
single = lambda values: np.asarray(values, dtype=np.float32).astype(float)
weights = single(rng.uniform(0.2, 2.5, n))
groups = [1, 10, 7, 18]
normal = rng.normal(0, 2, n)
targets = {
    "real": single(normal * 1.5 + rng.standard_t(2, n)),
    "count": single(rng.poisson(1.5, n)),
    "positive": single(rng.gamma(2.0, 1.5, n) + 0.01),
    "amount": single(np.where(rng.uniform(size=n) < 0.4, 0, rng.gamma(2.0, 1.5, n))),
    "binary": single(rng.uniform(size=n) < 0.3),
    "share": single(rng.uniform(size=n).round(3)),
    "class": single(rng.integers(0, 4, n)),
    "grade": single(rng.integers(0, 5, n)),
}
# Some equal scores, some far off.
scores = np.round(rng.normal(0, 1.2, n), 2)
scores[[3, 9, 20]] = scores[[4, 10, 21]]
scores[[0, 1]] = [6.5, -7.25]
wide = np.round(rng.normal(0, 1.0, (4, n)), 2)
x = np.arange(n, dtype=float)[:, None]
regression = ["l1", "l2", "rmse", "r2", "quantile", "mape", "huber", "fair"]
binary = ["binary_logloss", "binary_error", "auc", "average_precision"]
classes = ["multi_logloss", "multi_error", "auc_mu"]
order = ["ndcg", "map"]
cases = [
    ("regression", {}, "real", regression),
    ("regression", {"reg_sqrt": True}, "real", ["l2", "mape"]),
    ("regression_l1", {}, "real", ["l1"]),
    ("huber", {"alpha": 1.1}, "real", ["huber"]),
    ("fair", {"fair_c": 0.7}, "real", ["fair"]),
    ("quantile", {"alpha": 0.3}, "real", ["quantile"]),
    ("mape", {}, "real", ["mape"]),
    ("poisson", {"poisson_max_delta_step": 0.4}, "count", ["poisson", "l2"]),
    ("gamma", {}, "positive", ["gamma", "gamma_deviance", "l2"]),
    ("tweedie", {"tweedie_variance_power": 1.3}, "amount", ["tweedie", "poisson"]),
    ("binary", {}, "binary", binary),
    ("binary", {"sigmoid": 0.7, "scale_pos_weight": 2.5}, "binary", binary),
    ("binary", {"is_unbalance": True}, "binary", ["auc"]),
    ("multiclass", {"num_class": 4}, "class", classes),
    ("multiclass", {"num_class": 4, "multi_error_top_k": 2}, "class", ["multi_error"]),
    ("multiclassova", {"num_class": 4, "sigmoid": 1.5, "is_unbalance": True}, "class", classes),
    ("cross_entropy", {}, "share", ["cross_entropy", "kullback_leibler", "l2"]),
    ("cross_entropy_lambda", {}, "share", ["cross_entropy_lambda"]),
    ("lambdarank", {}, "grade", order),
    ("lambdarank", {"lambdarank_norm": False, "sigmoid": 2.0, "lambdarank_truncation_level": 3,
                    "label_gain": [0, 1, 1.5, 4, 9]}, "grade", order),
    ("rank_xendcg", {"objective_seed": 11}, "grade", order),
]


def dataset(target, weighted, raw, grouped):
    return lgb.Dataset(x, target, weight=weights if weighted else None, init_score=raw,
                       group=groups if grouped else None, free_raw_data=False,
                       params={"min_data_in_bin": 1, "max_bin": 1000})


def run(objective, settings, target, weighted, metrics):
    outputs = settings.get("num_class", 1)
    grouped = objective in ("lambdarank", "rank_xendcg")
    raw = wide.T[:, :outputs] if outputs > 1 else scores
    base = {"objective": objective, "num_threads": 1, "verbosity": -1, "deterministic": True,
            "boost_from_average": True, "learning_rate": 1.0, "min_data_in_bin": 1,
            "max_bin": 1000, "eval_at": [1, 3, 20], **settings}
    # A rate this small leaves the scores where they are for the second tree.
    rate = 1e-12
    free = {**base, "num_leaves": n, "min_data_in_leaf": 2, "min_sum_hessian_in_leaf": 0,
            "learning_rate": rate, "min_gain_to_split": 0}
    model = lgb.train(free, dataset(target, weighted, raw, grouped), num_boost_round=2)
    leaves = model.predict(x, pred_leaf=True).reshape(n, -1).astype(int)
    trees = []
    for place, info in enumerate(model.dump_model()["tree_info"]):
        found = {}
        def walk(node):
            if "leaf_index" in node:
                found[node["leaf_index"]] = (node["leaf_value"] / rate, node["leaf_weight"])
            elif "left_child" in node:
                walk(node["left_child"]), walk(node["right_child"])
        walk(info["tree_structure"])
        if len(found) > 1:
            trees.append({"iteration": place // outputs, "output": place % outputs,
                          "leaf": leaves[:, place].tolist(),
                          "value": [found[k][0] for k in sorted(found)],
                          "weight": [found[k][1] for k in sorted(found)]})
    stuck = {**base, "min_data_in_leaf": 10 * n, "metric": metrics}
    flat = lgb.train({**stuck, "metric": "None"}, dataset(target, weighted, None, grouped), 1)
    start = [info["tree_structure"]["leaf_value"] for info in flat.dump_model()["tree_info"]]
    record = {}
    train = dataset(target, weighted, raw, grouped)
    lgb.train(stuck, train, 1, valid_sets=[train], valid_names=["v"],
              callbacks=[lgb.record_evaluation(record)])
    values = {name: found[0] for name, found in record["v"].items()}
    text = flat.model_to_string().split("objective=")[1].split("\n")[0]
    return {"objective": objective, "settings": settings, "weighted": weighted, "text": text,
            "start": start, "trees": trees, "metrics": values}


def against_sklearn(case, target):
    """What scikit-learn has, it has alike."""
    weight = weights if case["weighted"] else None
    raw, found = scores, case["metrics"]
    mine = {}
    if case["objective"] == "regression" and not case["settings"]:
        mine = {"l1": skm.mean_absolute_error(target, raw, sample_weight=weight),
                "l2": skm.mean_squared_error(target, raw, sample_weight=weight),
                "r2": skm.r2_score(target, raw, sample_weight=weight)}
    if case["objective"] == "binary" and len(found) > 1:
        p = 1 / (1 + np.exp(-case["settings"].get("sigmoid", 1.0) * raw))
        mine = {"auc": skm.roc_auc_score(target, raw, sample_weight=weight),
                "average_precision": skm.average_precision_score(target, raw, sample_weight=weight),
                "binary_logloss": skm.log_loss(target, p, sample_weight=weight),
                "binary_error": 1 - skm.accuracy_score(target, p > 0.5, sample_weight=weight)}
    for name, value in mine.items():
        assert abs(found[name] - value) < 1e-6, (name, found[name], value)


def forest(objective, settings, info, metric, label=None):
    data = xgb.DMatrix(x, label=label)
    data.set_info(**info)
    data.set_info(base_margin=scores)
    params = {"objective": objective, "tree_method": "exact", "eta": 1.0, "lambda": 0.0,
              "max_depth": 40, "min_child_weight": 0.0, "nthread": 1, "base_score": 0.5, **settings}
    model = xgb.train(params, data, 1)
    tree = json.loads(model.save_raw("json"))["learner"]["gradient_booster"]["model"]["trees"][0]
    leaves = model.predict(data, pred_leaf=True).astype(int).reshape(-1).tolist()
    record = {}
    still = {**params, "eta": 1e-30, "eval_metric": metric}
    xgb.train(still, data, 1, evals=[(data, "v")], evals_result=record, verbose_eval=False)
    value = record["v"][metric][-1]
    return {"objective": objective, "settings": settings, "metric": value, "leaf": leaves,
            "value": {k: tree["split_conditions"][k] for k in set(leaves)},
            "weight": {k: tree["sum_hessian"][k] for k in set(leaves)}}


found = []
for objective, settings, kind, metrics in cases:
    for weighted in (False, True):
        case = run(objective, settings, targets[kind], weighted, metrics)
        against_sklearn(case, targets[kind])
        found.append({**case, "target": kind})

times = single(rng.gamma(2.0, 1.0, n) + 0.05)
lower, upper = times.copy(), times.copy()
upper[:8] = np.inf
lower[8:14] = 0
upper[14:20] = single(times[14:20] * 1.7)
signed = np.where(rng.uniform(size=n) < 0.4, -times, times)
survival = []
for noise in ("normal", "logistic", "extreme"):
    for sigma in (1.0, 0.6):
        settings = {"aft_loss_distribution": noise, "aft_loss_distribution_scale": sigma}
        info = {"label_lower_bound": lower, "label_upper_bound": upper}
        survival.append(forest("survival:aft", settings, info, "aft-nloglik"))
survival.append(forest("survival:cox", {}, {}, "cox-nloglik", label=signed))
survival.append(forest("reg:pseudohubererror", {"huber_slope": 0.7}, {}, "mphe", label=targets["real"]))

out = {"weights": weights, "groups": groups, "scores": scores, "wide": wide, **{
    "targets": {k: v.tolist() for k, v in targets.items()}}, "cases": found,
    "lower": lower, "upper": [None if np.isinf(v) else v for v in upper], "signed": signed,
    "survival": survival}
path = pathlib.Path(__file__).with_name("objective.json")
path.write_text(json.dumps(out, default=lambda v: v.tolist()) + "\n")
print(path, path.stat().st_size)
