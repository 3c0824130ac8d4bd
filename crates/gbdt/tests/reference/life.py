"""Writes what LightGBM does over the life of a model, on the data of `five_bins.json` beside this file.

`python life.py` with lightgbm 4.7.0 and numpy 2.4.6, one thread, writes `life.json`. Rows are 20 eras
of 100. All cases share `SHARED`; each holds its settings by LightGBM's names, `target`, and

- `raw`: raw predictions of the first rows, by the trees up to the best round;
- early stopping: the last 4 eras are held out; `metric` after each round and the `best` round from 1;
- dart: all earlier trees are dropped in every round, so that nothing is random;
- random forest: `raw` is divided by the trees; GOSS takes all rows in the first 1 / learning_rate
  rounds, so that nothing is random;
- going on: `first` rounds, then the others upon them;
- refit: trained on the first 10 eras and refitted to the last 10 with `decay`, under other penalties where
  `refitted` has some.

Numbers have ten digits.
"""

import json
from pathlib import Path

import lightgbm
import numpy as np

HERE = Path(__file__).resolve().parent
SHOWN_ROWS = 60
SHARED = {"learning_rate": 0.1, "num_leaves": 7, "min_data_in_leaf": 1, "min_sum_hessian_in_leaf": 5.0}
QUIET = {"num_threads": 1, "deterministic": True, "force_col_wise": True, "enable_bundle": False,
         "verbosity": -1}
ALL = {"boosting": "dart", "drop_rate": 1.0, "skip_drop": 0.0, "uniform_drop": True, "max_drop": -1,
       "num_iterations": 6}
BINARY = {"objective": "binary", "target": "binary"}
CLASSES = {"objective": "multiclass", "num_class": 3, "target": "classes"}
FOREST = {"boosting": "rf", "data_sample_strategy": "goss", "num_iterations": 3}
STOP = {"learning_rate": 0.5, "num_iterations": 60, "early_stopping_round": 5}
CASES = {
    "dart": ALL,
    "dart_xgboost": {**ALL, "xgboost_dart_mode": True},
    "dart_binary": {**ALL, **BINARY},
    "forest": FOREST,
    "forest_l1": {**FOREST, "objective": "regression_l1"},
    "forest_binary": {**FOREST, **BINARY},
    "stop_l2": STOP,
    "stop_l1": {**STOP, "metric": "l1"},
    "stop_delta": {**STOP, "early_stopping_min_delta": 0.02},
    "stop_binary": {**STOP, **BINARY},
    "stop_auc": {**STOP, **BINARY, "metric": "auc"},
    "stop_classes": {**STOP, **CLASSES},
    "stop_l1_objective": {**STOP, "objective": "regression_l1"},
    "go_on": {"num_iterations": 12, "first": 5},
    "go_on_binary": {"num_iterations": 12, "first": 5, **BINARY},
    "go_on_classes": {"num_iterations": 6, "first": 3, **CLASSES},
    "refit": {"num_iterations": 10, "decay": 0.9},
    "refit_l2": {"num_iterations": 10, "decay": 0.3, "refitted": {"lambda_l1": 3.0, "lambda_l2": 10.0}},
    "refit_binary": {"num_iterations": 10, "decay": 0.5, **BINARY},
    "refit_classes": {"num_iterations": 5, "decay": 0.5, **CLASSES},
}


def ten_digits(values) -> list[float]:
    return [float(f"{value:.10g}") for value in values]


def parameters(case: dict) -> dict:
    own = ("target", "first", "decay", "refitted", "num_iterations", "early_stopping_round", "early_stopping_min_delta")
    return {"objective": "regression"} | SHARED | QUIET | {k: v for k, v in case.items() if k not in own}


def run(case: dict, x: np.ndarray, y: np.ndarray) -> dict:
    settings, rounds = parameters(case), case["num_iterations"]
    data = lambda rows: lightgbm.Dataset(x[rows], y[rows], params=settings, free_raw_data=False)
    every = slice(None)
    if "early_stopping_round" in case:
        train, seen = data(slice(0, 1600)), {}
        stop = lightgbm.early_stopping(case["early_stopping_round"], verbose=False,
                                       min_delta=case.get("early_stopping_min_delta", 0.0))
        held = lightgbm.Dataset(x[1600:], y[1600:], reference=train)
        model = lightgbm.train(settings, train, rounds, valid_sets=[held], valid_names=["held"],
                               callbacks=[stop, lightgbm.record_evaluation(seen)])
        (values,) = seen["held"].values()
        told = {"metric": ten_digits(values), "best": model.best_iteration}
    elif "first" in case:
        model = lightgbm.train(settings, data(every), case["first"])
        model = lightgbm.train(settings, data(every), rounds - case["first"], init_model=model)
        told = {}
    elif "decay" in case:
        model = lightgbm.train(settings, data(slice(0, 1000)), rounds)
        model.params.update(case.get("refitted", {}))
        model = model.refit(x[1000:], y[1000:], decay_rate=case["decay"])
        told = {}
    else:
        model, told = lightgbm.train(settings, data(every), rounds), {}
    divisor = rounds if case.get("boosting") == "rf" else 1
    told["raw"] = ten_digits(model.predict(x[:SHOWN_ROWS], raw_score=True).ravel() / divisor)
    return {"settings": {"objective": "regression"} | SHARED | case, **told}


def main() -> None:
    shared = json.loads((HERE / "five_bins.json").read_text())
    x = np.column_stack([[int(digit) for digit in column] for column in shared["features"]])
    labels = {name: np.asarray(values, np.float32) for name, values in shared["targets"].items()}
    cases = {name: run(case, x.astype(np.float32), labels[case.get("target", "regression")])
             for name, case in CASES.items()}
    versions = {"lightgbm": lightgbm.__version__, "numpy": np.__version__}
    text = json.dumps({"versions": versions, "cases": cases}, separators=(",", ":"))
    (HERE / "life.json").write_text(text.replace('},"', '},\n"') + "\n")


if __name__ == "__main__":
    main()
