"""Reference values of linear models. Python 3, numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1,
statsmodels 0.15.0.

Penalties: the room's penalty is scikit-learn's alpha over the sum of the weights (Ridge,
HuberRegressor), and its alpha itself (ElasticNet). Features are used as they are; the standardised
forms divide by the weighted standard deviation first and multiply back.
"""
import json
import pathlib

import numpy as np
import statsmodels.api as sm
from scipy.optimize import root
from scipy.stats import t as student
from sklearn.linear_model import ElasticNet, HuberRegressor, Ridge
from sklearn.linear_model._huber import _huber_loss_and_gradient

rng = np.random.default_rng(11)
eras, rows, width = 12, 15, 4
n = eras * rows
era = np.repeat(np.arange(eras), rows)
x = rng.integers(0, 5, (n, width)).astype(float)
x[:, 3] = (x[:, 0] + rng.integers(0, 3, n)).astype(float)
y = 0.3 * x[:, 0] - 0.2 * x[:, 1] + rng.standard_t(2, n) + 0.3 * rng.normal(size=eras)[era]
y = y.astype(np.float32).astype(float)
w = rng.uniform(0.5, 2.0, n).astype(np.float32).astype(float)
W = w.sum()
mean = np.average(x, axis=0, weights=w)
sd = np.sqrt(np.average((x - mean) ** 2, axis=0, weights=w))


def line(model, scale=None):
    slopes = model.coef_ if scale is None else model.coef_ / scale
    shift = 0.0 if scale is None else -float(mean @ slopes)
    return {"intercept": float(model.intercept_) + shift, "slopes": slopes.tolist()}


def fitted(model, scaled):
    z = (x - mean) / sd if scaled else x
    return line(model.fit(z, y, sample_weight=w), sd if scaled else None)


def huber(scaled):
    """sklearn's walk stops early; its own objective is walked on to where the gradient is rounding."""
    alpha = 0.01 * W
    z = (x - mean) / sd if scaled else x
    model = HuberRegressor(epsilon=1.35, alpha=alpha, tol=1e-12, max_iter=100_000)
    model.fit(z, y, sample_weight=w)
    start = np.concatenate([model.coef_, [model.intercept_, model.scale_]])
    gradient = lambda p: _huber_loss_and_gradient(p, z, y, 1.35, alpha, sample_weight=w)[1]
    end = root(gradient, start, tol=1e-14)
    assert np.abs(gradient(end.x)).max() < 1e-9 and np.abs(end.x - start).max() < 1e-4
    model.coef_, model.intercept_ = end.x[:width], end.x[width]
    return line(model, sd if scaled else None) | {"scale": float(end.x[-1])}


def sandwich(line, delta, penalty):
    """Clustered standard errors of a penalised M-estimate in plain numpy; penalty next to the sum."""
    z = sm.add_constant(x)
    r = y - z @ np.concatenate([[line["intercept"]], line["slopes"]])
    bread = z.T @ (z * (w * (np.abs(r) <= delta))[:, None]) + np.diag(np.append(0, penalty * sd**2))
    scores = z * (w * np.clip(r, -delta, delta))[:, None]
    meat = sum(np.outer(u, u) for u in (scores[era == e].sum(axis=0) for e in range(eras)))
    small = eras / (eras - 1) * (n - 1) / (n - width - 1)
    half = np.linalg.inv(bread)
    return np.sqrt(small * np.diag(half @ meat @ half)).tolist()


def refit(model):
    """The standardised elastic net's active features under its quadratic penalty alone, and the
    clustered errors of that, in plain numpy; null for features that are not active."""
    active = np.flatnonzero(model.fit((x - mean) / sd, y, sample_weight=w).coef_)
    l2 = model.alpha * (1 - model.l1_ratio) * W
    z, d = sm.add_constant(x[:, active]), np.append(0, l2 * sd[active] ** 2)
    bread = z.T @ (z * w[:, None]) + np.diag(d)
    line = np.linalg.solve(bread, z.T @ (w * y))
    scores = z * (w * (y - z @ line))[:, None]
    meat = sum(np.outer(u, u) for u in (scores[era == e].sum(axis=0) for e in range(eras)))
    small = eras / (eras - 1) * (n - 1) / (n - len(active) - 1)
    errors = np.sqrt(small * np.diag(np.linalg.inv(bread) @ meat @ np.linalg.inv(bread)))
    spread = lambda values: [float(values[0])] + [
        float(values[1 + list(active).index(j)]) if j in active else None for j in range(width)]
    return {"middle": spread(line), "errors": spread(errors)}


ols = sm.WLS(y, sm.add_constant(x), weights=w)
cluster = ols.fit(cov_type="cluster", cov_kwds={"groups": era})
lagged = ols.fit(cov_type="hac-groupsum",
                 cov_kwds={"time": era, "maxlags": 2, "use_correction": "cluster"})
out = {
    "era": era.tolist(),
    "x": x.T.astype(int).tolist(),
    "y": y.tolist(),
    "w": w.tolist(),
    "ridge": fitted(Ridge(alpha=0.1 * W, solver="cholesky"), False),
    "ridge_scaled": fitted(Ridge(alpha=0.1 * W, solver="cholesky"), True),
    "ridge_no_intercept": fitted(Ridge(alpha=0.1 * W, solver="cholesky", fit_intercept=False), False),
    "elastic": fitted(ElasticNet(alpha=0.1, l1_ratio=0.6, tol=1e-14, max_iter=1_000_000), False),
    "elastic_scaled": fitted(ElasticNet(alpha=0.1, l1_ratio=0.6, tol=1e-14, max_iter=1_000_000), True),
    "elastic_refit": refit(ElasticNet(alpha=0.3, l1_ratio=0.6, tol=1e-14, max_iter=1_000_000)),
    "lasso_refit": refit(ElasticNet(alpha=0.2, l1_ratio=1.0, tol=1e-14, max_iter=1_000_000)),
    "huber": huber(False),
    "huber_scaled": huber(True),
    "errors": cluster.bse.tolist(),
    "errors_lag_2": lagged.bse.tolist(),
    "ridge_scaled_errors": sandwich(fitted(Ridge(alpha=0.1 * W, solver="cholesky"), True), np.inf, 0.1 * W),
    "huber_scaled_errors": sandwich(
        huber(True), 1.35 * huber(True)["scale"], 0.01 * huber(True)["scale"] * W),
    "reach": float(student.ppf(0.975, eras - 1)),
}
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(out, indent=1))
