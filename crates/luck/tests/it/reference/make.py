"""Reference values of the tests, from other programs.

    python make.py discovery > discovery.json
    python make.py superior > superior.json

`pbo.json` (of `pbo_input_240x40.csv`: columns 0-19 with skill in column 3, 20-39 noise) comes from pypbo
at commit ddbc631 with mean over standard deviation (ddof 1) and threshold 0. `sharpe.json` comes from
pypbo (2012, 2014: `psr`, `dsr`, `expected_max`, `minTRL`, `minBTL`) and from `functions.py` beside "How to
use the Sharpe ratio" (2025: SR = .036 / .079, T = 24, skewness -2.448, kurtosis 10.164, and K = 10 with
Var[SR_k] = .1 where there are trials).
"""

import json
import sys

import numpy as np


def discovery():
    import scipy
    import statsmodels
    from scipy.stats import false_discovery_control
    from statsmodels.stats.multitest import multipletests

    rng = np.random.default_rng(7)
    p = np.concatenate([rng.uniform(size=30), rng.uniform(size=10) * 1e-3, [0.5, 0.5, 0.0, 1.0]])
    rng.shuffle(p)
    return {
        "versions": {"scipy": scipy.__version__, "statsmodels": statsmodels.__version__},
        "p": p.tolist(),
        "holm": multipletests(p, method="holm")[1].tolist(),
        "benjamini_hochberg": false_discovery_control(p, method="bh").tolist(),
        "benjamini_yekutieli": false_discovery_control(p, method="by").tolist(),
    }


def superior():
    """Statistics and p-values written down formula by formula in numpy, with resampling counts of their
    own: p-values agree within their Monte Carlo error, statistics exactly."""
    rng = np.random.default_rng(11)
    n, models, block, draws = 200, 6, 5.0, 20000
    shocks = rng.standard_normal((n + 1, models + 1))
    scores = shocks[1:] + 0.4 * shocks[:-1]
    scores[:, 0] += 0.45
    scores[:, 1] -= 0.6
    scores[:, 2] *= 4.0
    d = scores[:, :models] - scores[:, models:]
    mean, centred = d.mean(0), d - d.mean(0)
    lags = np.arange(1, n)
    keep = 1 - 1 / block
    kappa = (1 - lags / n) * keep**lags + (lags / n) * keep ** (n - lags)
    gamma = np.array([(centred[k:] * centred[: n - k]).sum(0) / n for k in range(n)])
    omega = np.sqrt(gamma[0] + 2 * (kappa[:, None] * gamma[1:]).sum(0))
    statistic = max(0.0, (np.sqrt(n) * mean / omega).max())
    near = -omega * np.sqrt(2 * np.log(np.log(n)) / n)
    forms = {
        "lower": np.maximum(mean, 0),
        "consistent": np.where(mean >= near, mean, 0),
        "upper": mean,
    }
    stars = np.empty((draws, models))
    for i in range(draws):
        fresh = rng.uniform(size=n) < 1 / block
        fresh[0] = True
        starts = rng.integers(n, size=n)
        last = np.maximum.accumulate(np.where(fresh, np.arange(n), 0))
        stars[i] = d[(starts[last] + np.arange(n) - last) % n].mean(0)
    p = {
        name: float((np.maximum(np.sqrt(n) * (stars - g) / omega, 0).max(1) >= statistic).mean())
        for name, g in forms.items()
    }
    check = float(
        ((np.sqrt(n) * (stars - mean)).max(1) >= (np.sqrt(n) * mean).max()).mean()
    )
    return {
        "versions": {"numpy": np.__version__},
        "block": block,
        "scores": scores.T.tolist(),
        "statistic": float(statistic),
        "omega": omega.tolist(),
        "p": p,
        "reality_check": check,
        "reality_check_statistic": float((np.sqrt(n) * mean).max()),
        "model_set": model_set(scores[:, :models].mean(0), stars - mean),
    }


def model_set(mean, centred):
    """p-values of T_max, from the same draws: what the benchmark adds is the same for all models of a draw
    and falls out of their differences."""
    alive, p, floor = list(range(len(mean))), {}, 0.0
    while len(alive) > 1:
        apart = centred[:, alive] - centred[:, alive].mean(1, keepdims=True)
        spread = np.sqrt((apart**2).mean(0))
        t = (mean[alive].mean() - mean[alive]) / spread
        floor = max(floor, float(((-apart / spread).max(1) >= t.max()).mean()))
        worst = alive[int(t.argmax())]
        p[worst] = floor
        alive.remove(worst)
    p[alive[0]] = 1.0
    return [p[k] for k in range(len(mean))]


if __name__ == "__main__":
    print(json.dumps({"discovery": discovery, "superior": superior}[sys.argv[1]]()))
