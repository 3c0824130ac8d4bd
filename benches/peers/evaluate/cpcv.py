"""Combinatorial purged cross-validation of a ridge: skfolio's splits, scikit-learn's fits and predictions.

    python cpcv.py FILE [--eras 400] [--features 50] [--groups 10] [--tests 3] [--purge 4] [--embargo 1]
                   [--penalty 0.01]

FILE holds 32-bit floats, feature after feature and then the target, eras of equal size. Each split is fitted once
and predicts each of its test groups, as skfolio's `cross_val_predict` does. The splits are made over eras and
spread over their rows. scikit-learn's alpha is the penalty times the rows of training. The time is that of
splits, fits and predictions. Prints the seconds and the sum of the squared predictions. Threads are those of the
environment.
"""

import argparse
import json
import resource
import time

import numpy as np
from skfolio.model_selection import CombinatorialPurgedCV
from sklearn.linear_model import Ridge


def settings() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file")
    numbers = (("eras", 400), ("features", 50), ("groups", 10), ("tests", 3), ("purge", 4), ("embargo", 1))
    for name, default in numbers:
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--penalty", type=float, default=0.01)
    return parser.parse_args()


def splits(args: argparse.Namespace, rows: int):
    """Training rows and test blocks of rows."""
    cv = CombinatorialPurgedCV(
        args.groups, args.tests, purged_size=args.purge, embargo_size=args.embargo
    )
    for train, tests in cv.split(np.zeros((args.eras, 1))):
        train = (train[:, None] * rows + np.arange(rows)).ravel()
        yield train, [slice(test[0] * rows, (test[-1] + 1) * rows) for test in tests]


def main() -> None:
    args = settings()
    columns = np.fromfile(args.file, "<f4").reshape(args.features + 1, -1)
    features, target = columns[:-1].T.copy(), columns[-1]
    predictions = []
    start = time.perf_counter()
    for train, tests in splits(args, len(target) // args.eras):
        model = Ridge(alpha=args.penalty * len(train)).fit(features[train], target[train])
        predictions.append([model.predict(features[test]) for test in tests])
    seconds = time.perf_counter() - start
    squares = sum(float((part.astype("f8") ** 2).sum()) for parts in predictions for part in parts)
    peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": seconds, "agree": squares, "work": len(predictions), "peak": peak}))


if __name__ == "__main__":
    main()
