//! Settings that cannot go together are refused, with the reason.

use fattail_core::silent;
use fattail_gbdt::{
    Binning, Boosting, Categorical, CategoricalMethod, Constraints, Criterion, Dart, EarlyStop,
    EraBoosting, EraSettings, Gbdt, Growth, Limits, Mappers, Objective, Precision, Reduce, Rows,
    Sampling,
};
use fattail_objective::Binary;

use crate::data;

/// Any worker of several.
struct Several;

impl Reduce for Several {
    fn sum(&self, _: &mut [u64]) {}
}

fn monotone() -> Constraints {
    Constraints { monotone: [("f0".to_string(), 1)].into(), ..Constraints::default() }
}

#[track_caller]
fn refused(settings: Gbdt, first: &str, second: &str) {
    let told = settings.check().unwrap_err().to_string();
    assert!(told.starts_with(&format!("{first} and {second} cannot go together")), "{told}");
}

#[test]
fn lines() {
    let linear = Gbdt { linear: Some(0.0), ..Gbdt::default() };
    linear.check().unwrap();
    let first = "linear leaves";
    for objective in
        [Objective::RegressionL1, Objective::Mape, Objective::Quantile { alphas: vec![0.5] }]
    {
        refused(Gbdt { objective, ..linear.clone() }, first, "an objective that renews leaves");
    }
    let bins = Binning { zero_as_missing: true, ..Binning::default() };
    refused(Gbdt { bins, ..linear.clone() }, first, "zero_as_missing");
    refused(Gbdt { multi_output: true, ..linear.clone() }, first, "trees of several outputs");
    refused(Gbdt { boosting: Boosting::Dart(Dart::default()), ..linear.clone() }, first, "dart");
    let range = Gbdt { linear: Some(-1.0), ..linear }.check().unwrap_err().to_string();
    assert!(range.contains("linear") && range.contains("-1"), "{range}");
}

#[test]
fn trees_of_several_outputs() {
    let several = Gbdt { multi_output: true, ..Gbdt::default() };
    several.check().unwrap();
    let first = "trees of several outputs";
    refused(Gbdt { growth: Growth::Oblivious, ..several.clone() }, first, "oblivious growth");
    let criterion = Criterion::TStatistic { least: 1.0 };
    let eras = EraSettings { criterion, ..EraSettings::default() };
    refused(Gbdt { eras, ..several.clone() }, first, "eras that judge splits");
    refused(Gbdt { constraints: monotone(), ..several.clone() }, first, "monotone constraints");
    refused(Gbdt { boosting: Boosting::Dart(Dart::default()), ..several }, first, "dart");
}

#[test]
fn ordered_boosting() {
    let ordered = Gbdt { boosting: Boosting::Ordered, ..Gbdt::default() };
    ordered.check().unwrap();
    let first = "ordered boosting";
    refused(Gbdt { linear: Some(0.0), ..ordered.clone() }, first, "linear leaves");
    refused(Gbdt { multi_output: true, ..ordered.clone() }, first, "trees of several outputs");
    refused(Gbdt { constraints: monotone(), ..ordered.clone() }, first, "monotone constraints");
    let limits = Limits { path_smooth: 1.0, ..Limits::default() };
    refused(Gbdt { limits, ..ordered.clone() }, first, "path_smooth");
    let objective = Objective::RegressionL1;
    refused(Gbdt { objective, ..ordered }, first, "an objective that renews leaves");
}

fn statistics(prior: f64) -> Gbdt {
    let method = CategoricalMethod::OrderedTarget { prior };
    let bins = Binning { categorical: vec!["f0".into()], ..Binning::default() };
    Gbdt { categorical: Categorical { method, ..Categorical::default() }, bins, ..Gbdt::default() }
}

#[test]
fn ordered_statistics() {
    statistics(1.0).check().unwrap();
    let first = "ordered target statistics";
    let objective = Objective::Multiclass { classes: 3 };
    refused(Gbdt { objective, ..statistics(1.0) }, first, "several classes");
    refused(Gbdt { linear: Some(0.0), ..statistics(1.0) }, first, "linear leaves");
    let range = statistics(0.0).check().unwrap_err().to_string();
    assert!(range.contains("prior") && range.contains("above 0"), "{range}");
}

#[test]
fn what_needs_all_rows_is_not_spread_over_workers() {
    let panel = data::bins(1, 4, 50, 3, 1.0);
    let base = || Gbdt { from_average: false, ..Gbdt::default() };
    let rows = Rows::Bag { fraction: 0.5, every: 1 };
    let sampling = Sampling { rows, ..Sampling::default() };
    let balanced = Binary { is_unbalance: true, ..Binary::default() };
    let judged = EraSettings { adaptive: Some(1.0), ..EraSettings::default() };
    let worst = EraSettings { boosting: Some(EraBoosting::default()), ..EraSettings::default() };
    for (settings, first) in [
        (Gbdt { linear: Some(0.0), ..base() }, "linear leaves"),
        (Gbdt { boosting: Boosting::Ordered, ..base() }, "ordered boosting"),
        (Gbdt { from_average: false, ..statistics(1.0) }, "ordered target statistics"),
        (Gbdt::default(), "a start from the average"),
        (Gbdt { objective: Objective::Mape, ..base() }, "an objective that renews leaves"),
        (Gbdt { objective: Objective::Binary(balanced), ..base() }, "classes of equal weight"),
        (Gbdt { stop: Some(EarlyStop::default()), ..base() }, "early stopping"),
        (Gbdt { sampling, ..base() }, "a sample of rows"),
        (Gbdt { eras: judged, ..base() }, "eras that judge splits"),
        (Gbdt { eras: worst, ..base() }, "era boosting"),
        (Gbdt { precision: Precision::Double, ..base() }, "sums that depend on their order"),
    ] {
        let mappers = Mappers::learn(&panel, &settings.bins).unwrap();
        let told = settings.fit_shard(&panel, &mappers, &Several, &silent).unwrap_err();
        assert!(
            told.to_string().starts_with(&format!("{first} and rows spread over workers")),
            "{told}"
        );
    }
}
