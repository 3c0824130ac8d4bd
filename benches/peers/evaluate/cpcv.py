"""Combinatorial purged cross-validation of a ridge: skfolio's splits, scikit-learn's fits and predictions.

    python cpcv.py [--eras 400] [--rows 500] [--features 50] [--groups 10] [--tests 3] [--purge 4]
                   [--embargo 1] [--penalty 0.01] [--threads 2] [--rounds 3] [--split eras] [--out FILE]

Each split is fitted once and predicts each of its test groups, as skfolio's `cross_val_predict` does. The
splits are made over eras and spread over their rows; `--split rows` makes them over rows with purge and
embargo times the rows of an era, which gives the same folds and takes skfolio longer. scikit-learn's alpha is
the penalty times the rows of training. The time is that of splits, fits and predictions; making the data is
left out. Prints the seconds of each round, the medians of clock and processor, and the sum of the squared
predictions. `--out` writes the data
as 32-bit floats, features column by column and then the target, for another system to read.
"""

import argparse
import json
import os
import sys
import time
from statistics import median


def settings() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    for name, default in (("eras", 400), ("rows", 500), ("features", 50), ("groups", 10), ("tests", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    for name, default in (("purge", 4), ("embargo", 1), ("threads", 2), ("rounds", 3), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--penalty", type=float, default=0.01)
    parser.add_argument("--split", choices=("eras", "rows"), default="eras")
    parser.add_argument("--out")
    return parser.parse_args()


def data(args: argparse.Namespace):
    import numpy as np

    random = np.random.default_rng(args.seed)
    shape = (args.eras * args.rows, args.features)
    features = random.standard_normal(shape, dtype=np.float32)
    slopes = random.standard_normal(args.features, dtype=np.float32) * np.float32(0.02)
    target = features @ slopes + random.standard_normal(shape[0], dtype=np.float32)
    return features, target


def splits(args: argparse.Namespace):
    """Training rows and test blocks of rows."""
    import numpy as np
    from skfolio.model_selection import CombinatorialPurgedCV

    scale = args.rows if args.split == "rows" else 1
    cv = CombinatorialPurgedCV(
        args.groups, args.tests, purged_size=args.purge * scale, embargo_size=args.embargo * scale
    )
    for train, tests in cv.split(np.zeros((args.eras * scale, 1))):
        if args.split == "rows":
            yield train, [slice(test[0], test[-1] + 1) for test in tests]
        else:
            rows = (train[:, None] * args.rows + np.arange(args.rows)).ravel()
            yield rows, [slice(test[0] * args.rows, (test[-1] + 1) * args.rows) for test in tests]


def backtest(args: argparse.Namespace, features, target) -> list:
    from sklearn.linear_model import Ridge

    predictions = []
    for train, tests in splits(args):
        model = Ridge(alpha=args.penalty * len(train)).fit(features[train], target[train])
        predictions.append([model.predict(features[test]) for test in tests])
    return predictions


def main() -> None:
    args = settings()
    for pool in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[pool] = str(args.threads)
    features, target = data(args)
    if args.out:
        with open(args.out, "wb") as file:
            file.write(features.T.tobytes() + target.tobytes())
    seconds, processor = [], []
    for _ in range(args.rounds):
        start, used = time.perf_counter(), time.process_time()
        predictions = backtest(args, features, target)
        seconds.append(time.perf_counter() - start)
        processor.append(time.process_time() - used)
    total = sum(float((part.astype("f8") ** 2).sum()) for parts in predictions for part in parts)
    found = {"splits": len(predictions), "squares": total, "seconds_of_rounds": seconds,
             "seconds": median(seconds), "processor_seconds": median(processor)}  # fmt: skip
    json.dump(vars(args) | found, sys.stdout)
    print()


main()
