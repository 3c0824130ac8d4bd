//! Values of other programs: pypbo at commit ddbc631, and the functions that accompany "How to use the
//! Sharpe ratio" (López de Prado, Lipton and Zoonekynd 2025). `reference/make.py` says how each value
//! was made. Tolerance 1e-6 everywhere, and 1e-9 where both sides are closed forms.

use fattail_luck::{
    ConfidenceSet, Cscv, Equality, Hypotheses, MaximumMoments, Resampling, SharpeSample,
    Studentised, Superior, Trials, benjamini_hochberg, benjamini_yekutieli, expected_maximum, holm,
    minimum_backtest_length, minimum_backtest_length_bound, storey,
};
use serde_json::Value;

pub(crate) fn close(found: f64, expected: f64, tolerance: f64, what: &str) {
    assert!((found - expected).abs() <= tolerance, "{what}: {found}, expected {expected}");
}

fn load(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn number(of: &Value, key: &str) -> f64 {
    of[key].as_f64().unwrap_or_else(|| panic!("no number {key}"))
}

/// Forty strategies of 240 eras.
fn strategies() -> Vec<Vec<f64>> {
    let mut columns = vec![Vec::new(); 40];
    for line in include_str!("reference/pbo_input_240x40.csv").lines().skip(1) {
        for (column, cell) in columns.iter_mut().zip(line.split(',')) {
            column.push(cell.parse().unwrap());
        }
    }
    assert!(columns.iter().all(|column| column.len() == 240));
    columns
}

#[test]
fn overfitting_is_that_of_pypbo() {
    let golden = load(include_str!("reference/pbo.json"));
    let columns = strategies();
    let slices: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    for (world, part) in [("skill_col3", &slices[..20]), ("noise", &slices[20..])] {
        for blocks in [6, 8, 10] {
            let name = format!("{world}_S{blocks}");
            let expected = &golden["results"][&name];
            let found = Cscv { blocks, ..Cscv::default() }.run(part).unwrap();
            assert_eq!(found.combinations as u64, expected["n_combos"].as_u64().unwrap());
            close(found.pbo, number(expected, "pbo"), 1e-9, &name);
            close(found.loss_probability, number(expected, "prob_oos_loss"), 1e-9, &name);
            close(found.slope, number(expected, "slope"), 1e-9, &name);
            close(found.intercept, number(expected, "intercept"), 1e-9, &name);
            let first = expected["logits_first10"].as_array().unwrap();
            for (logit, expected) in found.logits.iter().zip(first) {
                close(*logit, expected.as_f64().unwrap(), 1e-9, &name);
            }
            close(found.logits.iter().sum(), number(expected, "logits_sum"), 1e-6, &name);
        }
    }
}

/// The fund of the paper's example: mean 3.6 %, deviation 7.9 % in 24 months.
fn fund(autocorrelation: f64) -> SharpeSample {
    SharpeSample {
        sharpe: 0.036 / 0.079,
        skewness: -2.448,
        kurtosis: 10.164,
        observations: 24,
        autocorrelation,
        span: 1,
    }
}

#[test]
fn sharpe_inference_of_2025() {
    let golden = load(include_str!("reference/sharpe.json"));
    for (rho, mark) in [(0.0, "0"), (0.2, "0.2")] {
        let fund = fund(rho);
        let is = |key: &str, found: f64| {
            let key = format!("2025 {key} rho={mark}");
            close(found, number(&golden, &key), 1e-9, &key);
        };
        is("sr_var sd", fund.standard_error());
        is("PSR SR0=0", fund.probabilistic_2025(0.0));
        is("PSR SR0=.1", fund.probabilistic_2025(0.1));
        is("minTRL SR0=0 a=.05", fund.minimum_track_record(0.0, 0.95));
        is("critical SR a=.1", fund.critical(0.0, 0.1));
        let asked = Hypotheses { without: 0.0, with: 0.5, skilled: 0.1, trials: 1.0 };
        is("power SR1=.5 a=.1", asked.power(&fund, 0.1));
        is("oFDR p1=.1 SR1=.5", asked.observed_false_discovery(&fund));
        let trials = Trials { count: 10, effective: 10.0, variance: 0.1 };
        close(
            trials.expected_maximum(),
            number(&golden, "2025 E[max] K=10 var=.1"),
            1e-9,
            "E[max]",
        );
        is("DSR K=10", fund.deflated_2025(&trials));
    }
    let ten = MaximumMoments::of(10.0);
    close(ten.mean, number(&golden, "moments_Mk mean K=10"), 1e-9, "mean");
    close(ten.variance, number(&golden, "moments_Mk var K=10"), 1e-9, "variance");
}

#[test]
fn sharpe_inference_of_2012_and_2014() {
    let golden = load(include_str!("reference/sharpe.json"));
    let is = |key: &str, found: f64| close(found, number(&golden, key), 1e-9, key);
    let yearly = SharpeSample { sharpe: 1.585 / 12_f64.sqrt(), ..fund(0.0) };
    is("psr_2012(sr=1.585/sqrt12,T=24,skew=-2.448,kurt=10.164)", yearly.probabilistic_2012(0.0));
    let chosen = SharpeSample {
        sharpe: 2.5 / 250_f64.sqrt(),
        skewness: -3.0,
        kurtosis: 10.0,
        observations: 1250,
        autocorrelation: 0.0,
        span: 1,
    };
    let trials = Trials { count: 100, effective: 100.0, variance: 0.5 / 250.0 };
    is(
        "dsr_2014(sr=2.5/sqrt250,var=.5/250,N=100,T=1250,skew=-3,kurt=10)",
        chosen.deflated_2014(&trials),
    );
    is("expected_max(100)", expected_maximum(100.0));
    let normal =
        SharpeSample { sharpe: 2.0 / 250_f64.sqrt(), skewness: 0.0, kurtosis: 3.0, ..chosen };
    let benchmark = 1.0 / 250_f64.sqrt();
    is("minTRL(2/sqrt250 vs 1/sqrt250,.95)", normal.minimum_track_record_2012(benchmark, 0.95));
    is("minBTL(N=45,SR=1)", minimum_backtest_length(45.0, 1.0));
    assert!((minimum_backtest_length_bound(45.0, 1.0) - 2.0 * 45_f64.ln()).abs() < 1e-12);
}

/// From the series to the probability: `make.py sample`, with scipy's `skew` and `kurtosis(fisher=False)` and
/// the versions that the file names. The series is skewed, fat-tailed and autocorrelated.
#[test]
fn a_sample_of_a_series_is_that_of_scipy() {
    let golden = load(include_str!("reference/sample.json"));
    let is = |key: &str, found: f64| close(found, number(&golden, key), 1e-12, key);
    let sample = SharpeSample::of(&numbers(&golden["series"])).unwrap();
    assert!(sample.skewness < -1.0 && sample.kurtosis > 4.5 && sample.autocorrelation > 0.3);
    is("sharpe", sample.sharpe);
    is("skewness", sample.skewness);
    is("kurtosis", sample.kurtosis);
    is("autocorrelation", sample.autocorrelation);
    is("probabilistic", sample.probabilistic(0.0));
    is("probabilistic_2025", sample.probabilistic_2025(0.1));
    is("probabilistic_2012", sample.probabilistic_2012(0.0));
    is("overlapping_4", sample.overlapping(4).probabilistic(0.0));
    let trials = Trials { count: 25, effective: 25.0, variance: f64::NAN };
    is("deflated_25", sample.deflated(&trials));
}

/// The paper's 0.581, and critical values by another search for the root.
#[test]
fn false_discoveries_are_those_of_the_paper() {
    let golden = load(include_str!("reference/sample.json"));
    let asked = |skilled: f64| Hypotheses { without: 0.0, with: 0.5, skilled, trials: 1.0 };
    let planned = asked(0.05).planned_false_discovery(&fund(0.0), 0.05);
    close(planned, 0.581, 5e-4, "planned, as printed");
    close(planned, number(&golden, "planned p=.05 a=.05"), 1e-9, "planned");
    for (q, key) in [(0.25, "critical q=.25 p=.1"), (0.1, "critical q=.1 p=.1")] {
        close(asked(0.1).critical_for(&fund(0.0), q), number(&golden, key), 1e-9, key);
    }
}

fn numbers(of: &Value) -> Vec<f64> {
    of.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

#[test]
fn adjusted_p_values_are_those_of_scipy_and_statsmodels() {
    let golden = load(include_str!("reference/discovery.json"));
    let p = numbers(&golden["p"]);
    for (name, found) in [
        ("holm", holm(&p)),
        ("benjamini_hochberg", benjamini_hochberg(&p)),
        ("benjamini_yekutieli", benjamini_yekutieli(&p)),
    ] {
        for (found, expected) in found.unwrap().iter().zip(numbers(&golden[name])) {
            close(*found, expected, 1e-12, name);
        }
    }
    for lambda in ["0.0", "0.3", "0.5", "0.8"] {
        let expected = &golden["storey"][lambda];
        let found = storey(&p, lambda.parse().unwrap()).unwrap();
        close(found.null_share, number(expected, "null_share"), 1e-12, lambda);
        for (found, expected) in found.q_values.iter().zip(numbers(&expected["q_values"])) {
            close(*found, expected, 1e-12, lambda);
        }
    }
}

/// Statistics are closed forms; p-values come from other draws, so that they agree within five standard
/// errors of the shares.
#[test]
fn superior_ability_is_that_of_the_formulas() {
    let golden = load(include_str!("reference/superior.json"));
    let columns: Vec<Vec<f64>> = golden["scores"].as_array().unwrap().iter().map(numbers).collect();
    let all: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let (models, benchmark) = (&all[..6], all[6]);
    let resampling = Resampling {
        block_length: Some(number(&golden, "block")),
        draws: 9999,
        ..Resampling::default()
    };
    let test = Superior { studentised: Studentised::Bootstrap, resampling, ..Superior::default() };
    let share = |found: f64, expected: f64, what: &str| {
        let error = (expected * (1.0 - expected) * (1.0 / 9999.0 + 1.0 / 20_000.0)).sqrt();
        close(found, expected, 5.0 * error + 2e-4, what);
    };
    let found = test.spa(models, benchmark).unwrap();
    close(found.statistic, number(&golden, "statistic"), 1e-9, "statistic");
    let p = &golden["p"];
    share(found.lower, number(p, "lower"), "lower");
    share(found.consistent, number(p, "consistent"), "consistent");
    share(found.upper, number(p, "upper"), "upper");
    let found = test.reality_check(models, benchmark).unwrap();
    close(found.statistic, number(&golden, "reality_check_statistic"), 1e-9, "reality check");
    share(found.p_value, number(&golden, "reality_check"), "reality check");
    let studentised = Studentised::Bootstrap;
    let set = ConfidenceSet { studentised, resampling, ..ConfidenceSet::default() };
    let set = set.of(models).unwrap();
    for (found, expected) in set.p_values.iter().zip(numbers(&golden["model_set"])) {
        share(*found, expected, "model set");
    }
}

/// arch 8.0.0 divides by the spread under the bootstrap, as Hansen, Lunde and Nason do. Its draws are others,
/// so that p-values agree within the error of shares and the order where models are plainly apart.
#[test]
fn model_sets_are_those_of_arch() {
    let golden = load(include_str!("reference/sets.json"));
    let world = load(include_str!("reference/superior.json"));
    let columns: Vec<Vec<f64>> = world["scores"].as_array().unwrap().iter().map(numbers).collect();
    let models: Vec<&[f64]> = columns[..6].iter().map(Vec::as_slice).collect();
    let resampling = Resampling { block_length: Some(5.0), draws: 9999, ..Resampling::default() };
    for (name, equality) in [("max", Equality::Max), ("R", Equality::Range)] {
        let set = ConfidenceSet {
            equality,
            studentised: Studentised::Bootstrap,
            resampling,
            ..ConfidenceSet::default()
        };
        let found = set.of(&models).unwrap();
        let order: Vec<usize> =
            numbers(&golden[name]["eliminated"]).iter().map(|v| *v as usize).collect();
        assert_eq!(found.eliminated, order, "{name}");
        for (&model, expected) in order.iter().zip(numbers(&golden[name]["p"])) {
            let error = (expected * (1.0 - expected) * (1.0 / 9999.0 + 1.0 / 20_000.0)).sqrt();
            close(found.p_values[model], expected, 5.0 * error + 2e-4, name);
        }
    }
}
