"""Reference values of the tests, from other programs.

    python make.py discovery > discovery.json
    python make.py superior > superior.json
    python make.py sample > sample.json
    python make.py sets > sets.json       (arch, on the scores of superior.json)

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
        "storey": {str(at): storey(p, at) for at in [0.0, 0.3, 0.5, 0.8]},
    }


def storey(p, at):
    """The definition: the share of true nulls, and for each p-value the smallest false discovery rate of a
    threshold at or above it."""
    share = min(1.0, ((p > at).sum() + 1) / ((1 - at) * len(p)))
    rate = {t: share * len(p) * t / (p <= t).sum() for t in p}
    q = [min(1.0, min(r for t, r in rate.items() if t >= value)) for value in p]
    return {"null_share": float(share), "q_values": [float(value) for value in q]}


def sample():
    """A skewed and fat series that moves slowly, and what is said of its Sharpe ratio; the rates of false
    discoveries of the paper's fund."""
    import scipy
    from scipy.optimize import brentq
    from scipy.stats import kurtosis, norm, skew

    rng = np.random.default_rng(2)
    shocks = rng.standard_normal(48) - 1.5 * (rng.exponential(size=48) - 1) + 0.5
    for i in range(1, len(shocks)):
        shocks[i] += 0.4 * shocks[i - 1]
    x = np.round(shocks, 2)
    n, s = len(x), x.mean() / x.std(ddof=1)
    g3, g4 = skew(x), kurtosis(x, fisher=False)
    c = x - x.mean()
    rho = (c[1:] * c[:-1]).sum() / (c * c).sum()
    a, b = 1 + 2 * rho / (1 - rho), 1 + rho / (1 - rho) + rho**2 / (1 - rho**2)
    d = 1 + 2 * rho**2 / (1 - rho**2)
    h = 4
    squares = 1 + 2 * sum((1 - k / h) ** 2 for k in range(1, h))
    v = lambda at: (a - b * g3 * at + d * (g4 - 1) / 4 * at**2) / n
    v4 = lambda at: (h - h * g3 * at + (h * (g4 - 3) + 2 * squares) / 4 * at**2) / n * (n - 1) / (n - h)
    v12 = (1 - g3 * s + (g4 - 1) / 4 * s**2) / (n - 1)
    fund = lambda at: np.sqrt((1 + 2.448 * at + (10.164 - 1) / 4 * at**2) / 24)
    share = lambda at, p: 1 / (
        1 + norm.sf((at - 0.5) / fund(0.5)) / norm.sf(at / fund(0)) * p / (1 - p)
    )
    return {
        "versions": {"numpy": np.__version__, "scipy": scipy.__version__},
        "series": x.tolist(),
        "sharpe": float(s),
        "skewness": float(g3),
        "kurtosis": float(g4),
        "autocorrelation": float(rho),
        "probabilistic": float(norm.cdf(s / np.sqrt(v(s)))),
        "probabilistic_2025": float(norm.cdf((s - 0.1) / np.sqrt(v(0.1)))),
        "probabilistic_2012": float(norm.cdf(s / np.sqrt(v12))),
        "overlapping_4": float(norm.cdf(s / np.sqrt(v4(s)))),
        "deflated_25": float(norm.cdf(s / np.sqrt(max(v(0), v(s)))) ** 25),
        "planned p=.05 a=.05": float(share(norm.ppf(0.95) * fund(0), 0.05)),
        "critical q=.25 p=.1": float(brentq(lambda at: share(at, 0.1) - 0.25, -5, 3, xtol=1e-14)),
        "critical q=.1 p=.1": float(brentq(lambda at: share(at, 0.1) - 0.1, -5, 3, xtol=1e-14)),
    }


def sets():
    """Model confidence sets of arch, which divides by the spread under the bootstrap."""
    import arch
    from arch.bootstrap import MCS

    with open("superior.json") as file:
        scores = np.array(json.load(file)["scores"])[:6].T
    found = {"versions": {"arch": arch.__version__}}
    for method in ["max", "R"]:
        test = MCS(-scores, 0.05, reps=20000, block_size=5, method=method, seed=3)
        test.compute()
        p = test.pvalues["Pvalue"]
        found[method] = {"eliminated": [int(k) for k in p.index], "p": [float(v) for v in p]}
    return found


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
    tables = {"discovery": discovery, "superior": superior, "sample": sample, "sets": sets}
    print(json.dumps(tables[sys.argv[1]]()))
