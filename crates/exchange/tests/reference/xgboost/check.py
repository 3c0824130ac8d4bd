"""Asks XGBoost about the models that fattail wrote: python check.py FOLDER.

FOLDER is what `cargo test -p fattail-exchange -- --ignored peers` filled. Prints the largest difference
of predictions, relative to 1 + size, of JSON and UBJSON. Asked with xgboost 3.2.0.
"""

import json
import pathlib
import sys

import numpy as np
import xgboost as xgb

worst = 0.0
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.cases")):
    case = json.loads(path.read_text())
    x = np.array([[np.nan if v is None else v for v in row] for row in case["x"]], np.float32)
    expected = np.array(case["prediction"], float)
    for end in ("json", "ubj"):
        model = path.with_suffix("." + end)
        if not model.exists():
            print(f"{path.stem:24} {end:5} not written")
            continue
        booster = xgb.Booster(model_file=model)
        names, types = booster.feature_names, booster.feature_types
        data = xgb.DMatrix(x, feature_names=names, feature_types=types, enable_categorical=True)
        given = booster.predict(data, strict_shape=True).reshape(len(x), -1)
        asked = expected
        if path.stem in ("softmax", "plan_labels"):
            asked = expected.argmax(axis=1)[:, None]
        if path.stem == "hinge":
            asked = (expected > 0).astype(float)
        difference = np.max(np.abs(given - asked) / (1 + np.abs(asked)))
        worst = max(worst, difference)
        print(f"{path.stem:24} {end:5} {len(x):5} rows, difference {difference:.1e}")
print(f"largest difference {worst:.1e}")
sys.exit(bool(worst > 2e-6))
