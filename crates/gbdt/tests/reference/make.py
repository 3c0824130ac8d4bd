"""Writes what LightGBM grows on small data, as reference for the path that sums in f64.

`python make.py` beside this file, with lightgbm 4.7.0 and numpy 2.4.6, one thread, no sampling,
writes four files, one a data set: `five_bins.json`, `continuous.json`, `missing.json` and
`categories.json`. Each holds

- `versions`;
- `features`: the columns; small integers as a string of digits, or numbers that stand for the
  nearest `f32`, null for NaN;
- `targets`: the labels by name, as numbers that stand for the nearest `f32`, and `weight`;
- `cases`: the settings by LightGBM's names (`target` and `weighted` say what was fitted, `forced` is
  the file of forced splits), the trees
  (the first ten) as the model file holds them, and the raw predictions of all trees for the first
  rows; values of leaves and predictions with ten digits. No other case grows the trees of `plain`.

Settings that hold in all cases: `SHARED`. Where hessians are not constant LightGBM estimates the rows
of a histogram's bin from its hessian; such cases limit leaves by their hessian alone, so that exact
counts give the same trees.
"""

import json
import tempfile
from pathlib import Path

import lightgbm
import numpy as np

HERE = Path(__file__).resolve().parent
ROWS, SHOWN_ROWS, SHOWN_TREES = 2_000, 100, 10
SHARED = {
    "objective": "regression", "learning_rate": 0.1, "num_leaves": 15, "min_data_in_leaf": 20,
    "num_iterations": 10, "num_threads": 1, "deterministic": True, "force_col_wise": True,
    "enable_bundle": False, "verbosity": -1, "seed": 1,
}
# Limits that do not ask for counts.
BY_HESSIAN = {"min_data_in_leaf": 1, "min_sum_hessian_in_leaf": 5.0}


def five_bins(rng) -> tuple[list, dict]:
    factor = rng.standard_normal(ROWS)
    cuts = [-0.84, -0.25, 0.25, 0.84]
    columns = [np.searchsorted(cuts, 0.4 * factor + 0.9 * rng.standard_normal(ROWS)) for _ in range(12)]
    x = [column - 2.0 for column in columns]
    hidden = 0.5 * x[0] + 0.4 * np.abs(x[1]) + 0.3 * x[2] * x[3] + 0.3 * (x[4] > 0) - 0.2 * x[5]
    return columns, targets(rng, hidden)


def continuous(rng) -> tuple[list, dict]:
    columns = [
        rng.standard_normal(ROWS), rng.exponential(size=ROWS), rng.standard_t(3, ROWS),
        rng.uniform(-1, 1, ROWS), rng.integers(0, 40, ROWS) / 8, rng.standard_normal(ROWS),
        np.where(rng.uniform(size=ROWS) < 0.4, 0.0, rng.standard_normal(ROWS)),
        rng.lognormal(size=ROWS),
    ]
    columns = [np.round(column, 4).astype(np.float32) for column in columns]
    x = columns
    hidden = np.sin(2 * x[0]) + 0.5 * x[1] * x[3] + 0.2 * np.abs(x[2]) + 0.3 * (x[4] > 2) + 0.4 * x[6]
    return columns, targets(rng, hidden)


def missing(rng) -> tuple[list, dict]:
    columns, found = continuous(rng)
    for at, share in ((0, 0.1), (1, 0.3), (3, 0.05), (6, 0.2)):
        gone = rng.uniform(size=ROWS) < share
        columns[at] = np.where(gone, np.float32("nan"), columns[at])
        # What is missing says something too.
        for name in ("regression", "positive"):
            found[name] = np.round(found[name] + (0.3 if at == 1 else 0.0) * gone, 3)
    return columns, found


def categories(rng) -> tuple[list, dict]:
    """Two columns of categories (30 with a long tail, and 4) and four of numbers."""
    long_tail = np.minimum(rng.geometric(0.1, ROWS) - 1, 29)
    few = rng.integers(0, 4, ROWS)
    numbers = [np.round(rng.standard_normal(ROWS), 3) for _ in range(4)]
    effect = rng.standard_normal(30)
    hidden = effect[long_tail] + 0.5 * (few == 2) + 0.6 * numbers[0] + 0.4 * numbers[1] * (few > 1)
    columns = [long_tail, few, *numbers]
    return [np.asarray(column, np.float32) for column in columns], targets(rng, hidden)


def targets(rng, hidden: np.ndarray) -> dict:
    noise = rng.standard_normal(ROWS)
    hidden = hidden - hidden.mean()
    return {
        "regression": np.round(hidden + noise, 3),
        "positive": np.round(np.exp(0.4 * hidden) * rng.gamma(2, size=ROWS), 3),
        "binary": (rng.uniform(size=ROWS) < 1 / (1 + np.exp(-1.5 * hidden))).astype(float),
        "classes": np.searchsorted([-0.7, 0.6], hidden + noise).astype(float),
        "weight": np.round(rng.uniform(0.2, 2.0, ROWS), 2),
    }


BINARY = {"objective": "binary", "target": "binary", **BY_HESSIAN}
# Estimated counts of narrow bins add up to more rows than there are where hessians differ much, and
# LightGBM then breaks off its search; bins this wide hold enough rows.
WIDE_BINS = {**BY_HESSIAN, "max_bin": 15}
SIGNS = [1, -1, 0, 0, 1, -1, 0, 0, 0, 0, 0, 0]
FORCED = {"feature": 3, "threshold": 1.5, "left": {"feature": 0, "threshold": 2.5},
          "right": {"feature": 5, "threshold": 0.5, "left": {"feature": 3, "threshold": 3.5}}}
FIVE_BINS = {
    "plain": {"num_iterations": 20},
    "many_leaves": {"num_leaves": 63, "min_data_in_leaf": 5},
    "shallow": {"max_depth": 3},
    "lambda_l1": {"lambda_l1": 20.0},
    "lambda_l2": {"lambda_l2": 30.0},
    "min_gain_to_split": {"min_gain_to_split": 40.0},
    "min_sum_hessian_in_leaf": {"min_sum_hessian_in_leaf": 120.0},
    "max_delta_step": {"max_delta_step": 0.3},
    "path_smooth": {"path_smooth": 25.0},
    "path_smooth_and_l2": {"path_smooth": 10.0, "lambda_l2": 5.0, "lambda_l1": 2.0},
    "monotone_basic": {"monotone_constraints": SIGNS},
    "monotone_intermediate": {
        "monotone_constraints": SIGNS, "monotone_constraints_method": "intermediate",
    },
    "monotone_penalty": {"monotone_constraints": SIGNS, "monotone_penalty": 1.5},
    "interaction_constraints": {"interaction_constraints": [[0, 1, 2], [2, 3, 4, 5]]},
    "forced": {"forced": FORCED},
    "feature_contri": {"feature_contri": [0.2, 1, 0.5, 1, 1, 1, 1, 1, 1, 1, 1, 1]},
    "weighted": {"weighted": True, **BY_HESSIAN},
    "no_average": {"boost_from_average": False},
    "binary": BINARY,
    "binary_l2": {**BINARY, "lambda_l2": 5.0},
    "multiclass": {"objective": "multiclass", "num_class": 3, "target": "classes", "num_leaves": 7,
                   "num_iterations": 4, **BY_HESSIAN},
}
CONTINUOUS = {
    "plain": {"num_iterations": 20},
    "many_leaves": {"num_leaves": 63, "min_data_in_leaf": 5},
    "few_bins": {"max_bin": 15},
    "min_data_in_bin": {"min_data_in_bin": 30},
    "zero_as_missing": {"zero_as_missing": True},
    "path_smooth": {"path_smooth": 25.0},
    "monotone_basic": {"monotone_constraints": [1, 1, 0, -1, 0, 0, 1, 0]},
    "regression_l1": {"objective": "regression_l1"},
    "huber": {"objective": "huber", "alpha": 0.9},
    "quantile": {"objective": "quantile", "alpha": 0.3},
    "poisson": {"objective": "poisson", "target": "positive", **WIDE_BINS},
    "tweedie": {"objective": "tweedie", "target": "positive", **WIDE_BINS},
    "binary": BINARY,
    "linear": {"linear_tree": True, "linear_lambda": 0.1, "num_leaves": 7},
}
MISSING = {
    "plain": {"num_iterations": 20},
    "many_leaves": {"num_leaves": 63, "min_data_in_leaf": 5},
    "use_missing_false": {"use_missing": False},
    "zero_as_missing": {"zero_as_missing": True},
    "few_bins": {"max_bin": 15},
    "binary": BINARY,
    "linear": {"linear_tree": True, "linear_lambda": 0.1, "num_leaves": 7},
}
FEW_GROUPS = {"min_data_per_group": 20, "cat_smooth": 5.0}
CATEGORIES = {
    "plain": {},
    "small_groups": FEW_GROUPS,
    "one_hot": {"max_cat_to_onehot": 40},
    "cat_l2": {**FEW_GROUPS, "cat_l2": 50.0},
    "max_cat_threshold": {**FEW_GROUPS, "max_cat_threshold": 3},
    "path_smooth": {**FEW_GROUPS, "path_smooth": 10.0},
}
# Of this script, not of LightGBM.
OWN = ("target", "weighted", "forced")
LISTS = ("leaf_value", "leaf_count", "left_child", "right_child", "split_feature", "threshold",
         "decision_type", "split_gain", "cat_boundaries", "cat_threshold", "leaf_const",
         "num_features", "leaf_features", "leaf_coeff")


def trees(text: str) -> list[dict]:
    """The trees of a model file, lists as lists of numbers."""
    found = []
    for block in text.split("end of trees")[0].split("\nTree=")[1:]:
        lines = dict(line.split("=", 1) for line in block.splitlines()[1:] if "=" in line)
        tree = {name: [number(word) for word in lines[name].split()]
                for name in LISTS if lines.get(name)}
        tree["leaf_value"] = ten_digits(tree["leaf_value"])
        found.append(tree)
    return found


def ten_digits(values) -> list[float]:
    return [float(f"{value:.10g}") for value in values]


def number(word: str):
    return float(word) if any(mark in word for mark in ".en") else int(word)


def fit(columns: list, labels: dict, given: dict, categorical: list) -> dict:
    settings = {name: value for name, value in given.items() if name not in OWN}
    x = np.column_stack(columns).astype(np.float32)
    y = labels[given.get("target", "regression")].astype(np.float32)
    weight = labels["weight"].astype(np.float32) if given.get("weighted") else None
    parameters = SHARED | settings
    with tempfile.TemporaryDirectory() as folder:
        if "forced" in given:
            path = Path(folder) / "forced.json"
            path.write_text(json.dumps(given["forced"]))
            parameters["forcedsplits_filename"] = str(path)
        data = lightgbm.Dataset(x, y, weight=weight, params=parameters,
                                categorical_feature=categorical)
        model = lightgbm.train(parameters, data)
    grown = trees(model.model_to_string())
    return {
        "settings": {name: value for name, value in (SHARED | given).items()
                     if name not in ("num_threads", "force_col_wise", "enable_bundle", "verbosity",
                                     "deterministic", "seed")},
        "trees": grown[: SHOWN_TREES if given.get("num_class") is None else len(grown)],
        "raw": ten_digits(model.predict(x[:SHOWN_ROWS], raw_score=True).ravel()),
    }


def column(values: np.ndarray):
    if values.dtype.kind in "iu":
        return "".join(str(value) for value in values)
    return [None if np.isnan(value) else shortest(value) for value in values]


def shortest(value) -> float:
    """The fewest digits that give the same `f32`."""
    return float(str(np.float32(value)))


def write(name: str, made: tuple[list, dict], cases: dict, categorical: list) -> None:
    columns, labels = made
    found = {case: fit(columns, labels, given, categorical) for case, given in cases.items()}
    needed = {given.get("target", "regression") for given in cases.values()}
    needed |= {"weight"} if any(given.get("weighted") for given in cases.values()) else set()
    plain = found["plain"]["trees"]
    for case, one in found.items():
        if case != "plain" and one["trees"] == plain:
            raise SystemExit(f"{name}: {case} changes nothing")
    file = {
        "versions": {"lightgbm": lightgbm.__version__, "numpy": np.__version__},
        "categorical": categorical,
        "features": [column(values) for values in columns],
        "targets": {target: [shortest(value) for value in labels[target]] for target in sorted(needed)},
        "cases": found,
    }
    # One line a case: small, and a change shows which.
    text = json.dumps(file, separators=(",", ":")).replace('},"', '},\n"').replace('],"', '],\n"')
    (HERE / f"{name}.json").write_text(text + "\n")


def main() -> None:
    write("five_bins", five_bins(np.random.default_rng(1)), FIVE_BINS, [])
    write("continuous", continuous(np.random.default_rng(2)), CONTINUOUS, [])
    write("missing", missing(np.random.default_rng(3)), MISSING, [])
    write("categories", categories(np.random.default_rng(4)), CATEGORIES, [0, 1])


if __name__ == "__main__":
    main()
