"""Writes tearsheet.json: a small panel whose ids last, and its tear sheet by pandas, scipy and statsmodels.

    pip install numpy==2.4.6 pandas==3.1.1 scipy==1.17.1 statsmodels==0.15.0
    python tearsheet.py > tearsheet.json
"""

import json
import sys

import numpy as np
import pandas as pd
import scipy
import statsmodels
import statsmodels.api as sm
from scipy import stats
from scipy.fft import dct
from statsmodels.tsa.stattools import acf

ERAS, ROWS, POOL, QUANTILES, LAG, WINDOW, LAGS, SCORE_LAGS = 24, 20, 26, 5, 3, 12, 4, 10


def exact(values):
    """Rounds to multiples of 1/4096, which are exact in single precision."""
    return np.round(np.asarray(values) * 4096) / 4096


def sure(values):
    """Mean over the eras that have a value, its standard error from a few cosine transforms, and the half of its
    95 % interval by Student's t: Lazarus, Lewis, Stock and Watson (2018)."""
    kept = pd.Series(values, dtype=float).dropna().to_numpy()
    n, span = len(kept), LAG + 1
    if n < 3 * span:
        return {"mean": float(kept.mean()) if n else None, "standard_error": None, "half": None, "eras": n}
    count = min(int(0.4 * n ** (2 / 3)), n // (3 * span))
    error = np.sqrt(np.mean(dct(kept - kept.mean(), norm="ortho")[1:count + 1] ** 2) / n)
    half = stats.t.ppf(0.975, count) * error
    return {"mean": float(kept.mean()), "standard_error": float(error), "half": float(half), "eras": n}


def listed(values):
    return [None if not np.isfinite(v) else float(v) for v in values]


def panel():
    random = np.random.default_rng(20)
    frames, state = [], random.normal(size=POOL)
    for era in range(ERAS):
        state = 0.8 * state + 0.6 * random.normal(size=POOL)
        ids = random.permutation(POOL)[:ROWS]
        prediction = state[ids] + 0.05 * random.normal(size=ROWS)
        frames.append(pd.DataFrame({
            "era": era,
            "id": ids,
            "prediction": exact(prediction),
            "target_20": exact(0.3 * state[ids] + random.normal(size=ROWS)),
            "target_60": exact(0.2 * state[ids] + random.normal(size=ROWS)),
            "a": exact(0.5 * state[ids] + random.normal(size=ROWS)),
            "b": exact(-0.2 * state[ids] + random.normal(size=ROWS)),
            "c": exact(random.normal(size=ROWS)),
        }))
    return pd.concat(frames, ignore_index=True)


def quantiles(frame):
    cut = lambda x: pd.qcut(x, QUANTILES, labels=False)
    frame = frame.assign(quantile=frame.groupby("era")["prediction"].transform(cut))
    means = frame.pivot_table(index="era", columns="quantile", values="target_20", aggfunc="mean")
    centre = frame.groupby("era")["target_20"].mean()
    excess = means.sub(centre, axis=0)
    spread = means[QUANTILES - 1] - means[0]
    in_eras = [stats.spearmanr(range(QUANTILES), row).statistic for row in means.to_numpy()]
    turnover = {q: [] for q in range(QUANTILES)}
    for era in range(1, ERAS):
        for q in range(QUANTILES):
            at = lambda e: set(frame.loc[(frame.era == e) & (frame["quantile"] == q), "id"])
            turnover[q].append(len(at(era) - at(era - 1)) / len(at(era)))
    return {
        "means": [listed(means[q]) for q in range(QUANTILES)],
        "excess": [sure(excess[q]) for q in range(QUANTILES)],
        "cumulative_spread": listed(spread.cumsum()),
        "spread": sure(spread),
        "monotonicity": float(stats.spearmanr(range(QUANTILES), excess.mean()).statistic),
        "era_monotonicity": float(np.mean(in_eras)),
        "turnover": [sure(turnover[q]) for q in range(QUANTILES)],
    }


def followed(frame, column, lag):
    """Spearman's correlation of the predictions with a column of the same ids so many eras later."""
    values, shared = [], []
    for era in range(ERAS - lag):
        now, later = frame[frame.era == era], frame[frame.era == era + lag]
        both = now[["id", "prediction"]].merge(later[["id", column]].rename(columns={column: "later"}), on="id")
        values.append(stats.spearmanr(both["prediction"], both["later"]).statistic)
        shared.append(len(both) / ROWS)
    return sure(values) | {"lag": lag, "shared": float(np.mean(shared))}


def exposure(frame):
    names = ["a", "b", "c"]
    by_era = frame.groupby("era")[["prediction", *names]].apply(
        lambda rows: pd.Series({n: np.corrcoef(rows["prediction"], rows[n])[0, 1] for n in names}))
    order = by_era.abs().mean().sort_values(ascending=False)
    return {
        "largest": listed(by_era.abs().max(axis=1)),
        "mean": listed(by_era.abs().mean(axis=1)),
        "features": [{"name": n, "mean_size": float(order[n]), "by_era": listed(by_era[n])} for n in order.index],
    }


def information(frame, column):
    values = [stats.spearmanr(rows["prediction"], rows[column]).statistic for _, rows in frame.groupby("era")]
    return sure(values) | {"target": column, "ratio": float(np.mean(values) / np.std(values))}


def series():
    random = np.random.default_rng(7)
    noise = random.standard_t(4, size=123)
    return 0.01 + 0.01 * (noise[3:] + noise[2:-1] + noise[1:-2] + noise[:-3])


def of_series(scores):
    rolling = pd.Series(scores).rolling(WINDOW)
    total = np.cumsum(scores)
    windows = [sure(scores[end - WINDOW:end]) for end in range(WINDOW, len(scores) + 1)]
    edges = np.histogram_bin_edges(scores, bins="fd")
    plot = sm.ProbPlot(scores, a=0.5)
    plain, confidence = acf(scores, nlags=SCORE_LAGS, fft=False, alpha=0.05, bartlett_confint=False,
                            result_object=False)
    rho = lambda k: max(0.0, 1.0 - abs(k) / (LAG + 1))
    bartlett = [sum((rho(i + k) + rho(i - k) - 2 * rho(i) * rho(k)) ** 2 for i in range(1, 200))
                for k in range(1, SCORE_LAGS + 1)]
    return {
        "scores": listed(scores),
        "fall": listed(total - np.maximum.accumulate(total)),
        "rolling_mean": listed(rolling.mean()),
        "rolling_sharpe": listed(rolling.mean() / rolling.std(ddof=0)),
        "rolling_half": [w["half"] for w in windows],
        "edges": listed(edges),
        "counts": np.histogram(scores, bins=edges)[0].tolist(),
        "normal_quantiles": listed(plot.theoretical_quantiles),
        "standardised": listed((plot.sorted_data - scores.mean()) / scores.std()),
        "autocorrelation": listed(plain[1:]),
        "plain_band": float(confidence[1, 1] - plain[1]),
        "overlap_variance": bartlett,
    }


frame = panel()
columns = {name: frame[name].tolist() for name in frame.columns}
json.dump({
    "versions": {"python": sys.version.split()[0], "numpy": np.__version__, "pandas": pd.__version__,
                 "scipy": scipy.__version__, "statsmodels": statsmodels.__version__},
    "settings": {"quantiles": QUANTILES, "lag": LAG, "window": WINDOW, "lags": LAGS, "score_lags": SCORE_LAGS},
    "panel": columns,
    "quantiles": quantiles(frame),
    "information": [information(frame, "target_20"), information(frame, "target_60")],
    "decay": [followed(frame, "target_20", lag) for lag in range(LAGS + 1)],
    "rank_autocorrelation": [followed(frame, "prediction", lag) for lag in range(1, LAGS + 1)],
    "exposure": exposure(frame),
    "series": of_series(series()),
}, sys.stdout)
print()
