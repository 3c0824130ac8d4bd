"""Splits and paths of skfolio's CombinatorialPurgedCV.

pip install skfolio==1.12.2 && python cpcv_skfolio.py > cpcv_skfolio_golden.json
"""

import json

import numpy as np
from skfolio.model_selection import CombinatorialPurgedCV

CASES = [
    (12, 3, 2, 0, 0),
    (12, 3, 2, 1, 0),
    (12, 3, 2, 0, 1),
    (60, 6, 2, 2, 1),
    (60, 6, 3, 3, 2),
    (101, 5, 2, 4, 0),
]


def case(n: int, folds: int, tests: int, purge: int, embargo: int) -> dict:
    cv = CombinatorialPurgedCV(folds, tests, purged_size=purge, embargo_size=embargo)
    splits = [
        {"train": train.tolist(), "test": [part.tolist() for part in test]}
        for train, test in cv.split(np.zeros((n, 1)))
    ]
    return {
        "n": n,
        "n_folds": folds,
        "n_test": tests,
        "purge": purge,
        "embargo": embargo,
        "n_splits": cv.n_splits,
        "n_paths": cv.n_test_paths,
        "path_ids": cv.get_path_ids().tolist(),
        "splits": splits,
    }


print(json.dumps([case(*settings) for settings in CASES]))
