//! Each rule blocks on its own, on the figure that is to block it, and where nothing is known.

use fattail_certificate::{Refit, Sealed};
use fattail_evaluate::{Horizon, Scores, Summary};
use fattail_gate::{Agreement, Error, Evidence, Gate, Rule, Undefined};
use fattail_luck::{SharpeSample, Trials};

use crate::sample::{CERTIFICATE, Mean, blocking, certified, ending, level, scores};

const HORIZON: Horizon = Horizon::NUMERAI_20;

fn judge(gate: Gate, evidence: Evidence<'_>) -> Vec<Rule> {
    blocking(&gate.judge(&evidence).unwrap())
}

#[test]
fn a_submission_with_all_evidence_passes_and_without_it_every_rule_says_why() {
    let (corr, spearman) = (scores("corr", 0.03), scores("spearman", 0.028));
    let (exposure, benchmark) = (level("max_exposure", 0.2), level("benchmark", 0.6));
    let trials = Trials::from_sharpes(&[0.1, 0.3, 0.5, 1.5]);
    let procedure = Sealed(Refit(Mean));
    let evidence = Evidence {
        second: Some(&spearman),
        exposure: Some(&exposure),
        benchmark: Some(&benchmark),
        trials: Some(&trials),
        ..certified(&corr, &CERTIFICATE, &procedure)
    };
    let decision = Gate::default().judge(&evidence).unwrap();
    assert!(decision.is_admitted(), "{decision}");
    // Four series are defined, and two correlations agree in three ways.
    assert_eq!(decision.judged().len(), Rule::ALL.len() + 3 + 2);
    assert!(decision.not_asked().is_empty());

    let alone = Gate::default().judge(&Evidence::of(&corr, HORIZON)).unwrap();
    let silent =
        [Rule::Exposure, Rule::Benchmark, Rule::DeflatedSharpe, Rule::Certificate, Rule::Agreement];
    assert_eq!(blocking(&alone), silent);
}

#[test]
fn figures_block() {
    let good = scores("corr", 0.03);
    let judge = |gate: Gate, scores: &Scores| judge(gate, Evidence::of(scores, HORIZON));
    let open = Gate::open();
    let rules: [(Rule, Gate, Scores); 5] = [
        (Rule::Eras, Gate { eras: 105, ..open }, good.clone()),
        (Rule::Mean, Gate { mean: Some(0.01), ..open }, scores("corr", 0.009)),
        (Rule::SureMean, Gate { sure_mean: Some(0.0), ..open }, scores("corr", 0.0001)),
        (Rule::Sharpe, Gate { sharpe: Some(1.0), ..open }, scores("corr", 0.015)),
        (Rule::Drawdown, Gate { drawdown: Some(0.1), ..open }, scores("corr", -0.01)),
    ];
    for (rule, gate, bad) in rules {
        assert_eq!(judge(gate, &bad), [rule]);
        let admitted = Gate { eras: gate.eras.min(104), ..gate };
        assert_eq!(judge(admitted, &good), [], "{rule:?}");
    }
    // What is not defined blocks.
    let undefined = level("corr", f64::NAN);
    let gate = Gate { certificate: false, ..Gate::default() };
    let mut all = judge(gate, &undefined);
    all.dedup();
    assert_eq!(all.len(), Rule::ALL.len() - 1);
    assert_eq!(judge(gate, &Scores { eras: Vec::new(), ..undefined }).len(), all.len());
}

#[test]
fn a_threshold_that_is_met_exactly_is_on_the_side_that_its_bound_says() {
    let corr = scores("corr", 0.03);
    let values = corr.values();
    let summary = Summary::with_horizon(&values, &HORIZON);
    let (exposure, second) = (level("max_exposure", 0.25), scores("spearman", 0.03));
    let trials = Trials { count: 3, effective: 3.0, variance: 0.01 };
    let deflated = SharpeSample::of(&values).unwrap().overlapping(4).deflated(&trials);
    let evidence = Evidence {
        exposure: Some(&exposure),
        benchmark: Some(&exposure),
        second: Some(&second),
        trials: Some(&trials),
        ..Evidence::of(&corr, HORIZON)
    };
    let open = Gate::open();
    let above = Gate {
        mean: Some(summary.mean),
        sure_mean: Some(summary.interval[0]),
        sharpe: Some(summary.sharpe),
        ..open
    };
    assert_eq!(judge(above, evidence), [Rule::Mean, Rule::SureMean, Rule::Sharpe]);
    let met = Gate {
        eras: 104,
        drawdown: Some(summary.drawdown),
        exposure: Some(0.25),
        benchmark: Some(0.25),
        deflated_sharpe: Some(deflated),
        agreement: Some(Agreement { signs: 0.0, order: 1.0 }),
        ..open
    };
    assert_eq!(judge(met, evidence), []);
}

#[test]
fn series_with_holes_block() {
    let judge_scores = |gate, scores: &Scores| judge(gate, Evidence::of(scores, HORIZON));
    let gate = Gate { mean: Some(0.0), ..Gate::open() };
    let corr = scores("corr", 0.03);
    // Three good eras say nothing of a hundred others.
    assert_eq!(judge_scores(gate, &ending(corr.clone(), 101, f64::NAN)), [Rule::Defined]);
    // 5 of 104 eras are below a twentieth, 6 are above.
    assert_eq!(judge_scores(gate, &ending(corr.clone(), 5, f64::NAN)), []);
    assert_eq!(judge_scores(gate, &ending(corr.clone(), 6, f64::NAN)), [Rule::Defined]);
    let exact = Undefined { scores: 6.0 / 104.0, ..Undefined::default() };
    let exact = Gate { undefined: exact, ..gate };
    assert_eq!(judge_scores(exact, &ending(corr.clone(), 6, f64::NAN)), []);
    for infinite in [f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(judge_scores(gate, &ending(corr.clone(), 1, infinite)), [Rule::Defined]);
    }

    // Of exposure and benchmark one hole is too many, unless somebody sets more.
    let gate = Gate { exposure: Some(0.4), benchmark: Some(0.95), ..Gate::open() };
    let evidence = |exposure: &Scores, benchmark: &Scores, gate: Gate| {
        let evidence = Evidence::of(&corr, HORIZON);
        judge(gate, Evidence { exposure: Some(exposure), benchmark: Some(benchmark), ..evidence })
    };
    let whole = level("max_exposure", 0.3);
    let hole = ending(whole.clone(), 1, f64::NAN);
    assert_eq!(evidence(&whole, &whole, gate), []);
    assert_eq!(evidence(&hole, &whole, gate), [Rule::Defined]);
    assert_eq!(evidence(&whole, &hole, gate), [Rule::Defined]);
    let lenient = Undefined { exposure: 0.5, benchmark: 0.5, ..Undefined::default() };
    let lenient = Gate { undefined: lenient, ..gate };
    assert_eq!(evidence(&hole, &hole, lenient), []);
    // Below every threshold, and no figure.
    let endless = ending(whole.clone(), 1, f64::NEG_INFINITY);
    assert_eq!(evidence(&endless, &whole, lenient), [Rule::Defined, Rule::Exposure]);
    // The second correlation has holes of its own.
    let second = ending(scores("spearman", 0.03), 50, f64::NAN);
    let gate = Gate { agreement: Some(Agreement::default()), ..Gate::open() };
    let evidence = Evidence { second: Some(&second), ..Evidence::of(&corr, HORIZON) };
    assert_eq!(judge(gate, evidence), [Rule::Defined]);
}

#[test]
fn evidence_blocks() {
    let corr = scores("corr", 0.03);
    let open = Gate::open();
    let (exposed, copied) = (level("max_exposure", 0.5), level("benchmark", 0.99));
    let evidence = Evidence {
        exposure: Some(&exposed),
        benchmark: Some(&copied),
        ..Evidence::of(&corr, HORIZON)
    };
    let gate = Gate { exposure: Some(0.4), benchmark: Some(0.95), ..open };
    assert_eq!(judge(gate, evidence), [Rule::Exposure, Rule::Benchmark]);
    // A Sharpe ratio of 0.45 in 26 labels is much for two trials and little for the best of 5,000.
    let corr_of_many = scores("corr", 0.009);
    let gate = Gate { deflated_sharpe: Some(0.95), ..open };
    let trials = |count, effective| {
        let trials = Trials { count, effective, variance: 0.01 };
        judge(gate, Evidence { trials: Some(&trials), ..Evidence::of(&corr_of_many, HORIZON) })
    };
    assert_eq!(trials(5_000, 5_000.0), [Rule::DeflatedSharpe]);
    assert_eq!(trials(2, 2.0), []);
    // A number of trials that cannot be is none.
    for (count, effective) in [(2, f64::NAN), (2, 0.5), (2, 3.0), (0, 0.0), (0, 1.0)] {
        assert_eq!(trials(count, effective), [Rule::DeflatedSharpe], "{effective} of {count}");
    }
    // Rounding is no fault.
    assert_eq!(trials(2, 2.0 + 1e-9), []);
    assert_eq!(trials(2, 1.0 - 1e-9), []);
    let shorter = Scores { eras: corr.eras[1..].to_vec(), metric: "spearman".into() };
    let evidence = Evidence { second: Some(&shorter), ..Evidence::of(&corr, HORIZON) };
    let error = gate.judge(&evidence).unwrap_err();
    assert!(matches!(error, Error::Eras { name: "second", given: 103, expected: 104 }));
}

#[test]
fn agreement_tells_which_of_its_conditions_failed() {
    let corr = scores("corr", 0.03);
    let gate = Gate { agreement: Some(Agreement::default()), ..Gate::open() };
    let failed = |second: &Scores| {
        let evidence = Evidence { second: Some(second), ..Evidence::of(&corr, HORIZON) };
        let decision = gate.judge(&evidence).unwrap();
        let notes = decision.blocking().map(|judged| judged.note.clone());
        notes.collect::<Vec<_>>()
    };
    assert_eq!(failed(&scores("spearman", 0.02)), [""; 0]);
    // The other way round in every way.
    let mut turned = corr.clone();
    turned.metric = "spearman".into();
    turned.eras.iter_mut().for_each(|era| era.value = -era.value);
    let notes = failed(&turned);
    assert_eq!(notes.len(), 3);
    assert!(notes[0].contains("mean corr is +0.03") && notes[0].contains("must have one sign"));
    assert!(notes[1].contains("differ in sign is 1.0000, must be at most 0.2500"), "{notes:?}");
    assert!(notes[2].contains("is -1.0000, must be at least 0.5000"), "{notes:?}");
    // Good eras are bad ones by the other: the order alone.
    let mut mirrored = turned;
    mirrored.eras.iter_mut().for_each(|era| era.value += 0.1);
    let notes = failed(&mirrored);
    assert!(notes.len() == 1 && notes[0].contains("rank correlation of the eras"), "{notes:?}");
    let evidence = Evidence { second: Some(&corr), ..Evidence::of(&corr, HORIZON) };
    let error = gate.judge(&evidence).unwrap_err();
    assert!(matches!(&error, Error::SameMetric { metric } if metric == "corr"), "{error}");
}

#[test]
fn thresholds_out_of_range_are_named_before_anything_is_judged() {
    let wrong = [
        Gate { mean: Some(f64::NAN), ..Gate::open() },
        Gate { drawdown: Some(-1.0), ..Gate::open() },
        Gate { exposure: Some(1.5), ..Gate::open() },
        Gate { deflated_sharpe: Some(95.0), ..Gate::open() },
        Gate { agreement: Some(Agreement { signs: 2.0, order: 0.5 }), ..Gate::open() },
        Gate { undefined: Undefined { scores: f64::NAN, ..Default::default() }, ..Gate::open() },
        Gate { undefined: Undefined { benchmark: 2.0, ..Default::default() }, ..Gate::open() },
    ];
    for gate in wrong {
        let error = gate.check().unwrap_err();
        assert!(matches!(error, Error::Threshold { .. }), "{error}");
        let error = gate.judge(&Evidence::of(&scores("corr", 0.03), HORIZON)).unwrap_err();
        assert!(matches!(error, Error::Threshold { .. }), "{error}");
    }
    assert!(Gate::default().check().is_ok() && Gate::open().check().is_ok());
}
