"""Writes what XGBoost's `multi_output_tree` predicts on small data, as reference for trees of several
outputs.

`python vector.py` beside this file, with xgboost and numpy as `versions` in `vector.json` has them, one
thread, no sampling. `features` are columns of small integers as strings of digits, `targets` numbers
that stand for the nearest `f32`, `predictions` those of all rows, row by row.
"""

import json
from pathlib import Path

import numpy as np
import xgboost

HERE = Path(__file__).resolve().parent
ROWS = 240
SETTINGS = {
    "objective": "reg:squarederror", "multi_strategy": "multi_output_tree", "tree_method": "hist",
    "max_depth": 3, "eta": 0.3, "lambda": 1.0, "min_child_weight": 0.0, "base_score": 0.0,
    "nthread": 1,
}


def main() -> None:
    rng = np.random.default_rng(5)
    x = rng.integers(0, 6, (ROWS, 5))
    noise = rng.standard_normal((ROWS, 3))
    y = np.column_stack([x[:, 0] - x[:, 1] * (x[:, 2] > 2), 0.7 * x[:, 3], x[:, 0] > 3]) + 0.4 * noise
    y = np.round(y, 3).astype(np.float32)
    data = xgboost.DMatrix(x.astype(np.float32), y)
    predictions = xgboost.train(SETTINGS, data, num_boost_round=4).predict(data)
    file = {
        "versions": {"xgboost": xgboost.__version__, "numpy": np.__version__},
        "features": ["".join(str(value) for value in column) for column in x.T],
        "targets": [[float(str(value)) for value in column] for column in y.T],
        "predictions": [float(str(value)) for value in predictions.ravel()],
    }
    (HERE / "vector.json").write_text(json.dumps(file, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
