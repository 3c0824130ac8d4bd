"""Reference values of losses and schedules. Python 3, numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1.

Huber: scipy.special.huber; quantile: sklearn.metrics.mean_pinball_loss (alpha = tau); log-cosh and
Tukey: their formulas in numpy; start of Huber and log-cosh: scipy.optimize.minimize_scalar.
One cycle: the formula of torch.optim.lr_scheduler.OneCycleLR (two phases, cosine), written out.
"""
import json
import math
import pathlib

import numpy as np
from scipy.optimize import brentq
from scipy.special import huber
from sklearn.metrics import mean_pinball_loss

rng = np.random.default_rng(7)
n = 40
target = rng.standard_t(2, n).astype(np.float32).astype(float)
prediction = rng.normal(size=n)
weights = rng.uniform(0.1, 2.0, n).astype(np.float32).astype(float)
r = prediction - target


def tukey(r, c):
    return c * c / 6 * (1 - np.maximum(1 - (r / c) ** 2, 0) ** 3)


def mean(x):
    return float(np.average(x, weights=weights))


def root(slope):
    f = lambda c: float(np.sum(weights * slope(c - target)))
    return brentq(f, target.min(), target.max(), xtol=1e-15, rtol=1e-15)


def one_cycle(step, peak, steps, warm, div, final_div):
    first = peak / div
    ends = [float(warm * steps) - 1, steps - 1]
    rates = [(first, peak), (peak, first / final_div)]
    start = 0
    for i, (end, (a, b)) in enumerate(zip(ends, rates)):
        if step <= end or i == 1:
            pct = (step - start) / (end - start)
            return b + (a - b) / 2.0 * (math.cos(math.pi * pct) + 1)
        start = end


out = {
    "target": target.tolist(),
    "prediction": prediction.tolist(),
    "weights": weights.tolist(),
    "values": {
        "squared": mean(r * r / 2),
        "absolute": mean(np.abs(r)),
        "huber": mean(huber(0.7, r)),
        "quantile": float(mean_pinball_loss(target, prediction, sample_weight=weights, alpha=0.3)),
        "log_cosh": mean(np.log(np.cosh(r))),
        "tukey": mean(tukey(r, 2.0)),
    },
    "starts": {
        "squared": mean(target),
        "huber": root(lambda r: np.clip(r, -0.7, 0.7)),
        "log_cosh": root(np.tanh),
    },
    "pearson": float(1 - np.cov(prediction, target, aweights=weights)[0, 1]
                     / np.sqrt(np.cov(prediction, aweights=weights) * np.cov(target, aweights=weights))),
    "one_cycle": [one_cycle(s, 0.01, 57, 0.3, 25.0, 1e4) for s in range(57)],
}
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(out, indent=1))
