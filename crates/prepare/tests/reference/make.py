"""Writes the JSON files beside it, which the tests of fattail-prepare compare with.

Run: python make.py
numpy 2.4.6, pandas 3.1.1, scikit-learn 1.9.1
"""

import json
import pathlib
import warnings

import numpy as np
import pandas as pd
import sklearn
from sklearn.preprocessing import QuantileTransformer, RobustScaler, StandardScaler

HERE = pathlib.Path(__file__).parent
VERSIONS = {"numpy": np.__version__, "pandas": pd.__version__, "sklearn": sklearn.__version__}


def plain(values):
    return [None if np.isnan(v) else float(v) for v in values]


def write(name, content):
    text = json.dumps({"versions": VERSIONS, **content})
    (HERE / name).write_text(text + "\n")


def scalers():
    rng = np.random.default_rng(1)
    tails = rng.standard_t(2, 300)
    holes = tails.copy()
    holes[::7] = np.nan
    columns = {
        "normal": rng.normal(size=300),
        "tails": tails,
        "holes": holes,
        "bins": rng.integers(0, 5, 300).astype(float),
        "prices": 1e9 + rng.normal(size=300),
        "constant": np.full(300, 0.1),
        "few": rng.normal(size=5),
    }
    cases = []
    for name, x in columns.items():
        probe = np.concatenate([x[:60], [-1e6, 1e6, 0.0, np.nan, 2.0], np.linspace(-3, 3, 20)])
        makers = {
            "standard": StandardScaler(),
            "robust": RobustScaler(),
            "robust_10_90": RobustScaler(quantile_range=(10.0, 90.0)),
            "robust_unit": RobustScaler(unit_variance=True),
        }
        for count in (5, 50, 1000):
            for output in ("uniform", "normal"):
                makers[f"quantile_{count}_{output}"] = QuantileTransformer(
                    n_quantiles=count, output_distribution=output, subsample=None
                )
        for method, maker in makers.items():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                out = maker.fit(x[:, None]).transform(probe[:, None])[:, 0]
            cases.append(
                {"column": name, "method": method, "probe": plain(probe), "out": plain(out)}
            )
    write("scalers.json", {"columns": {k: plain(v) for k, v in columns.items()}, "cases": cases})


def windows(x):
    cases = []
    for length, least, ddof in ((1, 1, 0), (3, None, 1), (5, 1, 1), (7, 3, 0), (20, 10, 1)):
        rolling = pd.Series(x).rolling(length, min_periods=least)
        out = {
            "count": pd.Series(x).notna().rolling(length, min_periods=0).sum(),
            "sum": rolling.sum(),
            "mean": rolling.mean(),
            "variance": rolling.var(ddof=ddof),
            "std": rolling.std(ddof=ddof),
            "min": rolling.min(),
            "max": rolling.max(),
        }
        out["range"] = out["max"] - out["min"]
        out["count"] = out["count"].where(out["count"] >= (length if least is None else least))
        cases.append(
            {
                "length": length,
                "least": least,
                "ddof": ddof,
                "out": {k: plain(v) for k, v in out.items()},
            }
        )
    return cases


def decays(x):
    cases = []
    for kind, value in (("alpha", 0.3), ("span", 5.0), ("halflife", 2.0), ("com", 1.5)):
        for adjust in (True, False):
            for ignore in (True, False):
                for least in (0, 1, 4):
                    ewm = pd.Series(x).ewm(
                        **{kind: value}, adjust=adjust, ignore_na=ignore, min_periods=least
                    )
                    cases.append(
                        {
                            "kind": kind,
                            "value": value,
                            "adjust": adjust,
                            "ignore": ignore,
                            "least": least,
                            "mean": plain(ewm.mean()),
                            "std": plain(ewm.std()),
                        }
                    )
    return cases


def series():
    rng = np.random.default_rng(2)
    walk = 100 + np.cumsum(rng.standard_t(3, 60))
    holes = walk.copy()
    holes[[0, 5, 6, 7, 30, 44, 45, 46, 47]] = np.nan
    holes = np.where(rng.random(60) < 0.1, np.nan, holes)
    volume = rng.integers(1, 50, 60).astype(float)
    frame = pd.DataFrame({"p": walk, "v": volume})
    traded = (frame.p * frame.v).rolling(6).sum() / frame.v.rolling(6).sum()
    write(
        "series.json",
        {
            "series": [
                {"x": plain(x), "windows": windows(x), "decays": decays(x)} for x in (walk, holes)
            ],
            "vwap": {"price": plain(walk), "volume": plain(volume), "length": 6, "out": plain(traded)},
            "momentum_3": plain(pd.Series(walk).pct_change(3)),
        },
    )


scalers()
series()
