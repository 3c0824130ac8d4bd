"""Scores of numerai_golden_input.csv by numerai-tools 0.7.2, to be compared with numerai_golden.json."""

import json
import sys

import numpy as np
import pandas as pd
from numerai_tools import scoring

COLUMNS = ["lgbm", "pred_ties"]


def scores(era: pd.DataFrame) -> dict:
    features = era[[c for c in era if c.startswith("feature_")]]
    predictions, target, meta = era[COLUMNS], era["target"], era["mm"]
    gauss = scoring.gaussian(scoring.tie_kept_rank(predictions))
    half = scoring.neutralize(gauss, features, 0.5)
    power = scoring.tie_kept_rank__gaussianize__pow_1_5(predictions)
    each = lambda f: {c: f(era[c]) for c in COLUMNS}
    corr = lambda **kw: scoring.numerai_corr(predictions, target, **kw).to_dict()
    mmc = lambda **kw: scoring.correlation_contribution(predictions, meta, target, **kw).to_dict()
    return {
        "n": len(era),
        "numerai_corr": corr(),
        "numerai_corr_nopow": corr(target_pow15=False),
        "numerai_corr_tb100": corr(top_bottom=100),
        "mmc": mmc(),
        "mmc_tb100": mmc(top_bottom=100),
        "fnc10": scoring.feature_neutral_corr(predictions, features, target).to_dict(),
        "neutral_correlation10": scoring.neutral_correlation(predictions, features, target).to_dict(),
        "neutral_contribution10": scoring.neutral_contribution(
            predictions, meta, features, target
        ).to_dict(),
        "spearman": each(lambda s: scoring.spearman_correlation(target, s)),
        "tie_broken_rank_corr": each(lambda s: scoring.tie_broken_rank_correlation(target, s)),
        "pearson": each(lambda s: scoring.pearson_correlation(target, s)),
        "max_feature_corr": each(lambda s: list(scoring.max_feature_correlation(s, features))),
        "neutralize_half_first3": half.values[:3].tolist(),
        "neutralize_half_l2": np.sqrt((half**2).sum()).to_dict(),
        "rgp15_first3": power.values[:3].tolist(),
        "rgp15_l2": np.sqrt((power**2).sum()).to_dict(),
    }


if __name__ == "__main__":
    data = pd.read_csv("numerai_golden_input.csv", dtype={"era": str}, index_col="id").sort_index()
    eras = {era: scores(rows.drop(columns="era")) for era, rows in data.groupby("era")}
    json.dump({"numerai_tools": "0.7.2", "columns": COLUMNS, "eras": eras}, sys.stdout, indent=1)
