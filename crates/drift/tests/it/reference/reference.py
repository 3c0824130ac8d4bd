"""Writes the reference values of the tests: scipy.json and river.json.

pip install scipy==1.17.1 numpy==2.4.6 river==0.26.1 && python reference.py

The index of population stability and its floor of half a row are no peer's; they are written out here
in numpy.
"""

import json

import numpy as np
import river
import scipy
from river import drift
from river._river_rust.drift import AdaptiveWindowing
from scipy import special, stats
from scipy.spatial.distance import jensenshannon

rng = np.random.default_rng(20240501)


def samples():
    for n, m, shift, digits in [(40, 55, 0.0, 17), (150, 120, 0.4, 17), (12, 9, 1.0, 17), (200, 300, 0.2, 1)]:
        x, y = rng.standard_normal(n), shift + 1.2 * rng.standard_normal(m)
        x, y = x.round(digits), y.round(digits)
        tied = digits < 5
        limit = stats.ks_2samp(x, y, method="asymp").statistic
        yield {
            "reference": x.tolist(),
            "current": y.tolist(),
            "ks": limit,
            "ks_exact_p": None if tied else stats.ks_2samp(x, y, method="exact").pvalue,
            "ks_limit_p": special.kolmogorov(limit * np.sqrt(n * m / (n + m))),
            "wasserstein": stats.wasserstein_distance(x, y),
            "wasserstein_scaled": stats.wasserstein_distance(x, y) / np.std(x),
        }


def tables():
    for n, m, p, q in [
        (300, 200, [0.2] * 5, [0.15, 0.25, 0.2, 0.2, 0.2]),
        (60, 90, [0.05, 0.2, 0.5, 0.2, 0.05], [0.05, 0.2, 0.5, 0.2, 0.05]),
        (20, 2000, [0.5, 0.3, 0.2, 0.0], [0.4, 0.3, 0.2, 0.1]),
    ]:
        a, b = rng.multinomial(n, p), rng.multinomial(m, q)
        chi = stats.chi2_contingency(np.array([a, b]), correction=False)
        fa, fb = np.maximum(a, 0.5) / n, np.maximum(b, 0.5) / m
        values = np.arange(len(a))
        yield {
            "reference": a.tolist(),
            "current": b.tolist(),
            "chi_squared": chi.statistic,
            "chi_squared_p": chi.pvalue,
            "jensen_shannon": jensenshannon(a / n, b / m),
            "psi": float(np.sum((fa - fb) * np.log(fa / fb))),
            "wasserstein": stats.wasserstein_distance(values, values, a, b),
        }


def areas():
    for n, m in [(30, 20), (7, 90)]:
        x, y = rng.integers(0, 9, n), rng.integers(1, 10, m)
        u = stats.mannwhitneyu(y, x).statistic
        yield {"reference": x.tolist(), "current": y.tolist(), "auc": u / (n * m)}


with open("scipy.json", "w") as out:
    json.dump(
        {
            "versions": {"scipy": scipy.__version__, "numpy": np.__version__},
            "samples": list(samples()),
            "tables": list(tables()),
            "areas": list(areas()),
        },
        out,
        indent=1,
    )
    out.write("\n")

level = np.concatenate([np.full(200, 0.55), np.full(150, 0.35), np.full(250, 0.60)])
series = np.clip(level + 0.08 * rng.standard_normal(level.size), 0, 1)


def windowing(delta, clock, buckets, least, grace):
    window = AdaptiveWindowing(delta, clock, buckets, least, grace)
    found = {"alarms": [], "width": [], "mean": [], "variance": []}
    for at, value in enumerate(series):
        if window.update(value):
            found["alarms"].append(at)
        found["width"].append(int(window.get_width()))
        found["mean"].append(window.get_total() / window.get_width())
        found["variance"].append(window.get_variance() / window.get_width())
    return found


def alarms(detector):
    found = []
    for at, value in enumerate(series):
        detector.update(value)
        if detector.drift_detected:
            found.append(at)
    return found


adwin = [(0.002, 32, 5, 5, 10), (0.05, 1, 5, 5, 10), (0.3, 4, 3, 8, 30)]
hinkley = [(30, 0.005, 0.8, 0.9999), (10, 0.01, 0.5, 1.0), (30, 0.02, 1.5, 0.99)]
with open("river.json", "w") as out:
    json.dump(
        {
            "versions": {"river": river.__version__, "numpy": np.__version__},
            "series": series.tolist(),
            "adwin": [
                {
                    "settings": settings,
                    "kept": windowing(*settings),
                    "restarted": alarms(
                        drift.ADWIN(
                            delta=settings[0],
                            clock=settings[1],
                            max_buckets=settings[2],
                            min_window_length=settings[3],
                            grace_period=settings[4],
                        )
                    ),
                }
                for settings in adwin
            ],
            "page_hinkley": [
                {"settings": settings, "alarms": alarms(drift.PageHinkley(*settings))}
                for settings in hinkley
            ],
        },
        out,
    )
    out.write("\n")
