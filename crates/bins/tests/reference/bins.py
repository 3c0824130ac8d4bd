"""Writes bins.json: bins that LightGBM 4.7.0 makes of random columns (numpy 2).

    python bins.py            writes the cases beside this script
    python bins.py FILE SEED COUNT   writes COUNT random cases from another seed, for a wider look
"""

import json
import struct
import sys
import tempfile
from pathlib import Path

import lightgbm
import numpy as np


def hashed(n):
    """Numbers that the test makes again: scattered by Knuth's multiplicative hash."""
    return ((np.arange(n, dtype=np.uint64) * 2654435761 % 2**32 >> 8) / 2**24).astype(np.float32)


def plain(value):
    """A number that JSON can hold."""
    return None if np.isnan(value) else str(value) if np.isinf(value) else float(value)


def read_mapper(data, bins):
    """The mapper in LightGBM's binary file: fields of 8 bytes, then the bounds."""
    for at in range(0, len(data) - 72 - 4 * bins, 4):
        number, missing, trivial = (struct.unpack_from("<q", data, at + 8 * k)[0] for k in range(3))
        kind = struct.unpack_from("<q", data, at + 32)[0]
        if number != bins or missing not in (0, 1, 2) or trivial != 0 or kind not in (0, 1):
            continue
        low, high = map(plain, struct.unpack_from("<2d", data, at + 40))
        zero_bin = struct.unpack_from("<q", data, at + 56)[0]
        if kind == 1:
            categories = list(struct.unpack_from(f"<{bins}i", data, at + 72))
            if categories[0] != -1:
                continue
            return dict(missing=missing, min=low, max=high, zero_bin=zero_bin, categories=categories)
        if at + 72 + 8 * bins > len(data):
            continue
        upper = list(struct.unpack_from(f"<{bins}d", data, at + 72))
        inner = upper[:-1] if missing == 2 else upper
        if inner[-1] != np.inf:
            continue
        finite = [float(np.clip(bound, -1e300, 1e300)) for bound in inner[:-1]]
        return dict(missing=missing, min=low, max=high, zero_bin=zero_bin, upper=finite)
    raise ValueError("no mapper found")


def bins_of(x, settings, categorical):
    parameters = dict(
        verbose=-1,
        num_threads=1,
        feature_pre_filter=False,
        max_bin=settings["max_bins"],
        min_data_in_bin=settings["min_data_in_bin"],
        bin_construct_sample_cnt=settings.get("sample", 200000),
        data_random_seed=settings.get("seed", 1),
        use_missing=settings.get("use_missing", True),
        zero_as_missing=settings.get("zero_as_missing", False),
    )
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        if settings.get("forced"):
            forced = [dict(feature=0, bin_upper_bound=settings["forced"])]
            (folder / "forced.json").write_text(json.dumps(forced))
            parameters["forcedbins_filename"] = str(folder / "forced.json")
        data = lightgbm.Dataset(
            x.reshape(-1, 1),
            label=np.zeros(len(x)),
            params=parameters,
            categorical_feature=[0] if categorical else [],
        ).construct()
        bins = data.feature_num_bin(0)
        if bins < 2:
            return None
        data.save_binary(str(folder / "data.bin"))
        data._dump_text(str(folder / "data.txt"))
        mapper = read_mapper((folder / "data.bin").read_bytes(), bins)
        text = (folder / "data.txt").read_text().split("forced_bins: ")[1].splitlines()[2:]
        codes = [int(line.strip(", ")) for line in text if line.strip(", ")]
    return dict(bins=bins, codes=codes, **mapper)


def column(rng):
    n = int(rng.choice([8, 40, 150, 400]))
    kind = rng.integers(0, 12)
    if kind == 0:
        return rng.normal(size=n)
    if kind == 1:
        return np.round(rng.normal(size=n), 1)
    if kind == 2:
        return rng.integers(0, rng.integers(2, 9), size=n).astype(float)
    if kind == 3:
        return rng.integers(-40, 200, size=n).astype(float)
    if kind == 4:
        return -np.abs(rng.standard_cauchy(size=n))
    if kind == 5:
        return np.where(rng.random(n) < 0.7, 0.0, rng.normal(size=n))
    if kind == 6:
        return np.where(rng.random(n) < 0.2, np.nan, np.round(rng.normal(size=n), 2))
    if kind == 7:
        return np.where(rng.random(n) < 0.5, 3.25, np.exp(rng.normal(size=n) * 5))
    if kind == 8:
        return rng.normal(size=n) * 1e-35
    if kind == 9:
        return 1000 + rng.integers(0, 900, size=n) * 2.0**-14
    if kind == 10:
        return rng.choice([-2.0, -1.0, 0.0, 1.0, np.nan, 7.0], size=n)
    return np.where(rng.random(n) < 0.05, rng.choice([np.inf, -np.inf], size=n), rng.normal(size=n))


def settings_of(rng):
    settings = dict(
        max_bins=int(rng.choice([2, 3, 4, 7, 16, 63, 255, 1000, 65535])),
        min_data_in_bin=int(rng.choice([1, 1, 2, 3, 3, 10])),
        use_missing=bool(rng.random() < 0.8),
        zero_as_missing=bool(rng.random() < 0.2),
    )
    if rng.random() < 0.25:
        forced = np.unique(np.round(rng.normal(size=rng.integers(1, 6)) * 2, 2))
        settings["forced"] = [float(bound) for bound in forced]
    return settings


def random_case(rng):
    x = column(rng).astype(np.float32)
    settings = settings_of(rng)
    categorical = bool(rng.random() < 0.2 and np.isfinite(x[~np.isnan(x)]).all())
    if categorical:
        settings.pop("forced", None)
    whole = ~np.isnan(x).any() and (x == np.round(x)).all() and x.min() >= 0 and x.max() < 256
    bins = bins_of(x, settings, categorical)
    if bins is None or len(set(bins["codes"])) < 2:
        return None
    values = [plain(value) for value in x]
    return dict(values=values, small=bool(whole), categorical=categorical, **settings, expected=bins)


def sampled_case(n, sample, seed, max_bins):
    settings = dict(max_bins=max_bins, min_data_in_bin=3, sample=sample, seed=seed)
    bins = bins_of(hashed(n), settings, False)
    bins["codes"] = bins["codes"][:100]
    return dict(hashed=n, small=False, categorical=False, **settings, expected=bins)


def main(path, seed, count):
    rng = np.random.default_rng(seed)
    cases = []
    while len(cases) < count:
        case = random_case(rng)
        if case is not None:
            cases.append(case)
    for n, sample, seed in [(30000, 20000, 1), (30000, 5000, 7), (30000, 100, 1), (30000, 1, 1),
                            (3000, 2999, 5), (50000, 500, 2**31 - 1), (30000, 30000, 1)]:
        if sample > 1:
            cases.append(sampled_case(n, sample, seed, 15))
    cases.append(sampled_case(250000, 200000, 1, 31))
    versions = dict(lightgbm=lightgbm.__version__, numpy=np.__version__)
    lines = ",\n".join(json.dumps(case) for case in cases)
    path.write_text('{"versions": %s, "cases": [\n%s\n]}\n' % (json.dumps(versions), lines))


if __name__ == "__main__":
    given = sys.argv[1:]
    path = Path(given[0]) if given else Path(__file__).with_name("bins.json")
    main(path, int(given[1]) if given else 47, int(given[2]) if given else 90)
