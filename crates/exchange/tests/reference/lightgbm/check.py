"""Loads files that fattail wrote into LightGBM and compares predictions.

First: cargo test -p fattail-exchange -- --ignored write_files_for_lightgbm
Then:  python check.py target/tmp/lightgbm
With LightGBM 4.7.0, of 439 models and 16,464 numbers the largest difference is 1.5e-16: the raw scores of
random forests, which fattail divides and the test multiplies back.
"""

import json
import logging
import pathlib
import sys

import lightgbm as lgb
import numpy as np

TOLERANCE = 1e-12
quiet = logging.getLogger("quiet")
quiet.setLevel(logging.ERROR)
lgb.register_logger(quiet)


def distance(ours, theirs):
    ours, theirs = np.array([float(v) for v in ours]), theirs.ravel()
    same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    with np.errstate(invalid="ignore", over="ignore"):
        relative = np.abs(ours - theirs) / np.maximum(1, np.abs(theirs))
    return float(np.max(np.where(same, 0, relative), initial=0))


def main(folder):
    worst = {"raw": 0.0, "prediction": 0.0}
    cases = json.loads((folder / "cases.json").read_text())
    numbers = 0
    for case in cases:
        booster = lgb.Booster(model_file=folder / f"{case['name']}.txt")
        rows = np.array([[float(v) for v in row] for row in case["rows"]], np.float64)
        for key in worst:
            theirs = booster.predict(rows, raw_score=key == "raw", num_threads=1)
            far = distance(case[key], theirs)
            numbers += theirs.size
            worst[key] = max(worst[key], far)
            if not far <= TOLERANCE:
                print(f"{case['name']}: {key} differs by {far}")
    print(f"{len(cases)} models, {numbers} numbers, LightGBM {lgb.__version__}, largest difference: {worst}")
    return max(worst.values()) <= TOLERANCE


sys.exit(0 if main(pathlib.Path(sys.argv[1])) else 1)
