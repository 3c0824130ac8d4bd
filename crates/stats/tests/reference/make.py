"""Writes the JSON files beside it, which the tests of fattail-stats compare with.

Run: python make.py
Made with numpy 2.4.6, scipy 1.17.1, pandas 3.1.1, statsmodels 0.15.0 (stored in each file).
`block_length.json` is not made here: its series is a recorded series of era scores and its two
numbers come from arch 8.0.0, arch.bootstrap.optimal_block_length. So do those of `sp500.json`, of the
logarithmic returns of the daily closes that it holds and of their sizes.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import scipy
import statsmodels
import statsmodels.api as sm
from scipy import stats
from scipy.fft import dct
from scipy.special import ndtri

HERE = Path(__file__).parent
VERSIONS = {
    "numpy": np.__version__,
    "scipy": scipy.__version__,
    "pandas": pd.__version__,
    "statsmodels": statsmodels.__version__,
}


def clean(value):
    """NaN becomes null, arrays become lists."""
    if isinstance(value, dict):
        return {key: clean(v) for key, v in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [clean(v) for v in value]
    if isinstance(value, pd.Series):
        return clean(value.to_numpy())
    value = float(value)
    return None if np.isnan(value) else value


def write(name, content):
    body = {"versions": VERSIONS, **clean(content)}
    (HERE / f"{name}.json").write_text(json.dumps(body) + "\n")


def samples(rng):
    """Continuous, tied, single-precision, fat-tailed, and long tied samples."""
    return {
        "normal": rng.normal(size=101),
        "tied": rng.integers(0, 5, size=97).astype(float),
        "single": rng.random(80).astype(np.float32).astype(float),
        "fat": rng.standard_t(1.5, size=200),
        "long_tied": rng.integers(0, 40, size=700) / 8.0,
    }


def ranks(rng):
    out = {}
    for name, x in samples(rng).items():
        x = x.copy()
        x[::17] = np.nan
        s = pd.Series(x)
        out[name] = {
            "x": x,
            "average": s.rank(method="average"),
            "broken": s.rank(method="first"),
            "gauss": ndtri((s.rank(method="average") - 0.5) / s.count()),
        }
    write("rank", out)


def gauss():
    p = np.concatenate(
        [
            10.0 ** -np.arange(1.0, 301.0, 13.0),
            np.linspace(0.001, 0.999, 333),
            1 - 10.0 ** -np.arange(1.0, 9.0),
            [0.075, 0.0749999, 0.0750001, 0.925, 0.5],
        ]
    )
    x = np.linspace(-8, 8, 81)
    write(
        "gauss",
        {"p": p, "quantile": ndtri(p), "x": x, "cdf": stats.norm.cdf(x), "density": stats.norm.pdf(x)},
    )


def correlations(rng):
    out = {}
    for name, x in samples(rng).items():
        y = 0.4 * x + rng.normal(size=len(x))
        if "tied" in name:
            y = np.round(y)
        w = rng.random(len(x))
        c = np.cov(x, y, aweights=w)
        out[name] = {
            "x": x,
            "y": y,
            "w": w,
            "pearson": stats.pearsonr(x, y)[0],
            "spearman": stats.spearmanr(x, y)[0],
            "kendall": stats.kendalltau(x, y)[0],
            "weighted": c[0, 1] / np.sqrt(c[0, 0] * c[1, 1]),
            "covariance": np.cov(x, y, ddof=1)[0, 1],
        }
    write("correlate", out)


def location_and_moments(rng):
    out = {}
    q = np.array([0.0, 0.01, 0.05, 0.25, 1 / 3, 0.5, 0.75, 0.9, 0.999, 1.0])
    for name, x in samples(rng).items():
        w = np.asarray(stats.mstats.winsorize(x, limits=(0.05, 0.1)))
        out[name] = {
            "x": x,
            "q": q,
            "quantiles": np.quantile(x, q),
            "median": np.median(x),
            "mad": stats.median_abs_deviation(x),
            "mad_normal": stats.median_abs_deviation(x, scale="normal"),
            "iqr": stats.iqr(x),
            "winsorised": w,
            "winsorised_mean": w.mean(),
            "winsorised_std": w.std(ddof=1),
            "trimmed_mean": stats.trim_mean(x, 0.07),
            "mean": x.mean(),
            "variance": x.var(ddof=1),
            "skewness": stats.skew(x),
            "kurtosis": stats.kurtosis(x, fisher=False),
        }
    write("sample", out)


def weighted(rng):
    """Descriptive statistics of statsmodels under weights that are not whole (no share of the weight
    is hit exactly) and whole (many are); ranks and Spearman of the rows repeated, which is what a
    whole weight means."""
    out = {}
    q = np.array([0.0, 0.01, 0.05, 0.25, 1 / 3, 0.5, 0.75, 0.9, 0.999, 1.0])
    for name, x in samples(rng).items():
        y = 0.4 * x + rng.normal(size=len(x))
        if "tied" in name:
            y = np.round(y)
        case = {"x": x, "y": y, "q": q}
        whole = rng.integers(1, 5, size=len(x)).astype(float)
        for kind, w in {"real": rng.random(len(x)), "whole": whole}.items():
            d = sm.stats.DescrStatsW(x, weights=w, ddof=1)
            case[kind] = {
                "w": w,
                "mean": d.mean,
                "variance": d.var_ddof(1),
                "variance0": d.var_ddof(0),
                "std": d.std_ddof(1),
                "quantiles": d.quantile(q, return_pandas=False),
            }
        times = whole.astype(int)
        first = np.cumsum(times) - times
        case["rank"] = pd.Series(np.repeat(x, times)).rank(method="average").to_numpy()[first]
        case["spearman"] = stats.spearmanr(np.repeat(x, times), np.repeat(y, times))[0]
        out[name] = case
    write("weighted", out)


def projections(rng):
    def case(z, y, rcond):
        c = np.linalg.lstsq(z, y, rcond=rcond)[0]
        return {
            "columns": z.T,
            "y": y,
            "rcond": rcond,
            "coefficients": c,
            "residual": y - z @ c,
            "half": y - 0.5 * (z @ c),
        }

    n = 40
    z = rng.normal(size=(n, 5))
    y = rng.normal(size=n)
    bins = rng.integers(0, 5, size=(n, 4)).astype(float)
    ones = np.ones((n, 1))
    near = np.hstack([z, z[:, :1] + 1e-4 * rng.normal(size=(n, 1))])
    dropped = np.hstack([z, z[:, :1] + 1e-8 * rng.normal(size=(n, 1))])
    write(
        "project",
        {
            "plain": case(z, y, 1e-6),
            "bins": case(np.hstack([bins, ones]), y, 1e-6),
            "repeated": case(np.hstack([z, z[:, :2], 2 * ones, ones]), y, 1e-6),
            "nearly_repeated": case(near, y, 1e-6),
            "below_rcond": case(dropped, y, 1e-6),
            "large_rcond": case(z * [1, 1, 1, 1, 1e-3], y, 1e-2),
            "wide": case(rng.normal(size=(6, 9)), y[:6], 1e-6),
        },
    )


def series(rng):
    x = np.zeros(150)
    for t in range(1, len(x)):
        x[t] = 0.3 + 0.6 * x[t - 1] + rng.normal()
    lags = [0, 1, 4, 12]
    hac = [
        sm.OLS(x, np.ones(len(x))).fit(
            cov_type="HAC", cov_kwds={"maxlags": lag, "use_correction": False}
        )
        for lag in lags
    ]
    waves = dct(x - x.mean(), norm="ortho")
    write(
        "series",
        {
            "x": x,
            "lags": lags,
            "lag_correlation": [pd.Series(x).autocorr(lag) for lag in lags],
            "autocorrelation": sm.tsa.acf(x, nlags=12, fft=False)[lags],
            "t": [fit.tvalues[0] for fit in hac],
            "variance": [fit.cov_params()[0, 0] * len(x) for fit in hac],
            "cosines": [np.mean(waves[1 : count + 1] ** 2) for count in range(1, 13)],
        },
    )


rng = np.random.default_rng(20240229)
ranks(rng)
gauss()
correlations(rng)
location_and_moments(rng)
projections(rng)
series(rng)
weighted(rng)
