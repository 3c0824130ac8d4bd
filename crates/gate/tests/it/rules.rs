//! Each rule blocks on its own, on the figure that is to block it, and where nothing is known.

use fattail_certificate::{Certificate, Certifier, Claim, Refit, Sealed};
use fattail_core::{Fit, Panel, Predict, Result, silent};
use fattail_evaluate::{EraScore, Expanding, Horizon, Scores, Split};
use fattail_gate::{Agreement, Decision, Error, Evidence, Gate, Rule};
use fattail_luck::Trials;
use fattail_testing::Market;

/// Scores of 104 eras around a mean, with a deviation of 0.02.
fn scores(metric: &str, mean: f64) -> Scores {
    let value = |at: usize| mean + 0.02 * std::f64::consts::SQRT_2 * (at as f64 * 2.4).sin();
    let era = |at: usize| EraScore { era: format!("{at:04}"), value: value(at), reason: None };
    Scores { metric: metric.into(), eras: (0..104).map(era).collect() }
}

fn level(metric: &str, level: f64) -> Scores {
    let mut scores = scores(metric, 0.0);
    scores.eras.iter_mut().for_each(|era| era.value = level);
    scores
}

fn blocking(decision: &Decision) -> Vec<Rule> {
    decision.blocking().map(|judged| judged.rule).collect()
}

#[derive(Debug)]
struct Mean;
struct Slope(f32);

impl Fit for Mean {
    type Fitted = Slope;
    fn fit(&self, train: &Panel) -> Result<Slope> {
        let (x, y) = (train.feature(0).to_f32(), train.target()?.to_f32());
        Ok(Slope(x.iter().zip(y).map(|(x, y)| (x - 2.0) * (y - 0.5)).sum()))
    }
}

impl Predict for Slope {
    fn predict(&self, panel: &Panel) -> Result<Vec<f32>> {
        Ok(panel.feature(0).to_f32().iter().map(|x| x * self.0).collect())
    }
}

fn certificate(horizon: Horizon) -> Certificate {
    let panel = Market { eras: 60, rows: 20, ..Market::default() }.panel().unwrap();
    let folds = Expanding { folds: 2, horizon, ..Expanding::default() }.folds(panel.eras());
    let claim = Claim { horizon, ..Claim::default() };
    let certifier = Certifier { claim, ..Certifier::default() };
    certifier.certify(&Sealed(Refit(Mean)), &panel, &folds.unwrap(), &silent).unwrap()
}

#[test]
fn a_submission_with_all_evidence_passes_and_without_it_every_rule_says_why() {
    let (corr, spearman) = (scores("corr", 0.03), scores("spearman", 0.028));
    let (exposure, benchmark) = (level("max_exposure", 0.2), level("benchmark", 0.6));
    let trials = Trials::from_sharpes(&[0.1, 0.3, 0.5, 1.5]);
    let certificate = certificate(Horizon::NUMERAI_20);
    let procedure = Sealed(Refit(Mean));
    let evidence = Evidence {
        second: Some(&spearman),
        exposure: Some(&exposure),
        benchmark: Some(&benchmark),
        trials: Some(&trials),
        certificate: Some(&certificate),
        procedure: Some(&procedure),
        ..Evidence::of(&corr, Horizon::NUMERAI_20)
    };
    let decision = Gate::default().judge(&evidence).unwrap();
    assert!(decision.is_admitted(), "{decision}");
    assert_eq!(decision.judged.len(), Rule::ALL.len());

    let alone = Gate::default().judge(&Evidence::of(&corr, Horizon::NUMERAI_20)).unwrap();
    let silent =
        [Rule::Exposure, Rule::Benchmark, Rule::DeflatedSharpe, Rule::Certificate, Rule::Agreement];
    assert_eq!(blocking(&alone), silent);
    let json = serde_json::to_string(&alone).unwrap();
    let read: Decision = serde_json::from_str(&json).unwrap();
    assert_eq!(read.to_string(), alone.to_string());
}

#[test]
fn figures_block() {
    let good = scores("corr", 0.03);
    let judge = |gate: Gate, scores: &Scores| {
        blocking(&gate.judge(&Evidence::of(scores, Horizon::NUMERAI_20)).unwrap())
    };
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
    let all = judge(gate, &undefined);
    assert_eq!(all.len(), Rule::ALL.len() - 1);
}

#[test]
fn evidence_blocks() {
    let corr = scores("corr", 0.03);
    let horizon = Horizon::NUMERAI_20;
    let judge = |gate: Gate, evidence: Evidence<'_>| blocking(&gate.judge(&evidence).unwrap());
    let open = Gate::open();
    let (exposed, copied) = (level("max_exposure", 0.5), level("benchmark", 0.99));
    let evidence = Evidence {
        exposure: Some(&exposed),
        benchmark: Some(&copied),
        ..Evidence::of(&corr, horizon)
    };
    let gate = Gate { exposure: Some(0.4), benchmark: Some(0.95), ..open };
    assert_eq!(judge(gate, evidence), [Rule::Exposure, Rule::Benchmark]);
    // A Sharpe ratio of 0.15 is much for two trials and little for the best of 5,000.
    let corr_of_many = scores("corr", 0.003);
    let many = Trials { count: 5_000, effective: 5_000.0, variance: 0.4 };
    let few = Trials { count: 2, effective: 2.0, variance: 0.01 };
    for (trials, expected) in [(many, &[Rule::DeflatedSharpe][..]), (few, &[])] {
        let gate = Gate { deflated_sharpe: Some(0.95), ..open };
        let evidence = Evidence { trials: Some(&trials), ..Evidence::of(&corr_of_many, horizon) };
        assert_eq!(judge(gate, evidence), expected);
    }
    // Two correlations that disagree in sign, in single eras, in their order.
    let gate = Gate { agreement: Some(Agreement::default()), ..open };
    let mut turned = scores("spearman", 0.03);
    turned.eras.iter_mut().for_each(|era| era.value = 0.06 - era.value);
    for second in [scores("spearman", -0.03), turned] {
        let evidence = Evidence { second: Some(&second), ..Evidence::of(&corr, horizon) };
        assert_eq!(judge(gate, evidence), [Rule::Agreement]);
    }
    let shorter = Scores { eras: corr.eras[1..].to_vec(), ..corr.clone() };
    let evidence = Evidence { second: Some(&shorter), ..Evidence::of(&corr, horizon) };
    let error = gate.judge(&evidence).unwrap_err();
    assert!(matches!(error, Error::Eras { name: "second", given: 103, expected: 104 }));
}

#[test]
fn certificates_of_others_do_not_count() {
    let corr = scores("corr", 0.03);
    let gate = Gate { certificate: true, ..Gate::open() };
    let made = certificate(Horizon::NUMERAI_20);
    let (own, other) = (Sealed(Refit(Mean)), Refit(Mean));
    let horizon = Horizon::NUMERAI_20;
    let note = |evidence: Evidence<'_>| {
        let decision = gate.judge(&evidence).unwrap();
        let judged = decision.judged.last().unwrap().clone();
        (judged.passed, judged.note)
    };
    let evidence = Evidence {
        certificate: Some(&made),
        procedure: Some(&own),
        ..Evidence::of(&corr, horizon)
    };
    assert_eq!(note(evidence), (true, "the leak certificate is passed".into()));
    let (passed, why) = note(Evidence { procedure: Some(&other), ..evidence });
    assert!(!passed && why.contains("another procedure"), "{why}");
    let (passed, why) = note(Evidence { procedure: None, ..evidence });
    assert!(!passed && why.contains("not known which procedure"), "{why}");
    let (passed, why) = note(Evidence { horizon: Horizon::NUMERAI_60, ..evidence });
    assert!(!passed && why.contains("another horizon"), "{why}");
    let changed = Certificate { folds: 9, ..made.clone() };
    let (passed, why) = note(Evidence { certificate: Some(&changed), ..evidence });
    assert!(!passed && why.contains("was changed"), "{why}");
}

#[test]
fn overrides_are_by_rule_by_name_and_on_record() {
    let bad = scores("corr", -0.03);
    let gate = Gate { mean: Some(0.0), sharpe: Some(0.0), ..Gate::open() };
    let decision = gate.judge(&Evidence::of(&bad, Horizon::NUMERAI_20)).unwrap();
    assert_eq!(blocking(&decision), [Rule::Mean, Rule::Sharpe]);
    let overridden = |rule, by, reason| decision.clone().overridden(rule, by, reason, 7);
    assert!(matches!(overridden(Rule::Mean, " ", "x"), Err(Error::Anonymous { .. })));
    assert!(matches!(overridden(Rule::Mean, "me", ""), Err(Error::Anonymous { .. })));
    let error = overridden(Rule::Drawdown, "me", "x").unwrap_err().to_string();
    assert!(error.contains("blocking: mean, sharpe"), "{error}");
    let one = overridden(Rule::Mean, "me", "a test stake").unwrap();
    assert_eq!(blocking(&one), [Rule::Sharpe]);
    assert!(one.clone().overridden(Rule::Mean, "me", "again", 8).is_err());
    let both = one.overridden(Rule::Sharpe, "me", "a test stake", 8).unwrap();
    assert!(both.is_admitted() && both.to_string().contains("(by me: a test stake)"));
    assert_eq!(Rule::ALL.map(|rule| Rule::named(rule.name())), Rule::ALL.map(Some));
}

#[test]
fn thresholds_out_of_range_are_named() {
    let corr = scores("corr", 0.03);
    let wrong = [
        Gate { mean: Some(f64::NAN), ..Gate::open() },
        Gate { drawdown: Some(-1.0), ..Gate::open() },
        Gate { exposure: Some(1.5), ..Gate::open() },
        Gate { deflated_sharpe: Some(95.0), ..Gate::open() },
        Gate { agreement: Some(Agreement { signs: 2.0, order: 0.5 }), ..Gate::open() },
    ];
    for gate in wrong {
        let error = gate.judge(&Evidence::of(&corr, Horizon::NUMERAI_20)).unwrap_err();
        assert!(matches!(error, Error::Threshold { .. }), "{error}");
    }
}
