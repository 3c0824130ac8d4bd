//! Overrides and waivers stand by name on the record, and only what admits gives leave.

use fattail_evaluate::Horizon;
use fattail_gate::{Decision, Error, Evidence, Gate, Rule};

use crate::sample::{blocking, scores};

fn judged(gate: Gate, mean: f64) -> Decision {
    gate.judge(&Evidence::of(&scores("corr", mean), Horizon::NUMERAI_20)).unwrap()
}

#[test]
fn overrides_are_by_rule_by_name_and_on_record() {
    let gate = Gate { mean: Some(0.0), sharpe: Some(0.0), ..Gate::open() };
    let decision = judged(gate, -0.03);
    assert_eq!(blocking(&decision), [Rule::Mean, Rule::Sharpe]);
    assert!(decision.admitted().is_none());
    let overridden = |rule, by, reason| decision.clone().overridden(rule, by, reason, 7);
    assert!(matches!(overridden(Rule::Mean, " ", "x"), Err(Error::Anonymous { .. })));
    assert!(matches!(overridden(Rule::Mean, "me", ""), Err(Error::Anonymous { .. })));
    // A rule that passed, one that is overridden already, and one that was never asked are told apart.
    let error = overridden(Rule::Defined, "me", "x").unwrap_err();
    assert!(matches!(error, Error::NotBlocking { rule: Rule::Defined, .. }));
    assert!(error.to_string().contains("blocking: mean, sharpe"), "{error}");
    let error = overridden(Rule::Drawdown, "me", "x").unwrap_err();
    assert!(matches!(error, Error::NotAsked { rule: Rule::Drawdown, .. }));
    assert!(error.to_string().contains("asked: defined, mean, sharpe"), "{error}");
    let one = overridden(Rule::Mean, "me", "a test stake").unwrap();
    assert_eq!(blocking(&one), [Rule::Sharpe]);
    let again = one.clone().overridden(Rule::Mean, "me", "again", 8);
    assert!(matches!(again, Err(Error::NotBlocking { .. })));
    let both = one.overridden(Rule::Sharpe, "me", "a test stake", 8).unwrap();
    assert!(both.admitted().is_some_and(|leave| leave.decision() == &both));
    let told = both.to_string();
    assert!(told.contains("(by me: a test stake)"), "{told}");
    assert!(told.starts_with("submission gate: open by override of mean, sharpe\n"), "{told}");
    let json: serde_json::Value = serde_json::to_value(&both).unwrap();
    assert_eq!(json["overrides"][0]["rule"], "mean");
    assert_eq!(json["not_asked"][0], "eras");
    assert_eq!(json["judged"].as_array().unwrap().len(), 3);
    assert_eq!(Rule::ALL.map(|rule| Rule::named(rule.name())), Rule::ALL.map(Some));
}

#[test]
fn a_gate_that_asks_for_nothing_admits_nothing_until_all_is_waived() {
    let open = judged(Gate::open(), 0.03);
    assert!(open.judged().is_empty() && open.not_asked() == Rule::ALL);
    assert!(open.admitted().is_none(), "nothing was asked, so nothing passed");
    let told = open.to_string();
    assert!(told.starts_with("submission gate: BLOCKED") && told.contains("no rule was asked"));
    let waived = |decision: &Decision, rules: &[Rule], by: &str| {
        decision.clone().waived(rules, by, "a toy market", 7)
    };
    assert!(matches!(waived(&open, &Rule::ALL, ""), Err(Error::Anonymous { .. })));
    assert!(matches!(waived(&open, &[], "me"), Err(Error::Anonymous { .. })));
    let some = waived(&open, &Rule::ALL[..10], "me").unwrap();
    assert!(some.admitted().is_none());
    let twice = waived(&some, &[Rule::Mean], "me").unwrap_err();
    assert!(
        twice.to_string().contains("'mean' cannot be waived, allowed are agreement"),
        "{twice}"
    );
    let all = waived(&some, &[Rule::Agreement], "you").unwrap();
    assert!(all.admitted().is_some() && all.waivers().len() == 2);
    assert!(all.to_string().contains("waived: agreement (by you: a toy market)"), "{all}");
    // What is asked can only be overridden; a repeated rule is no second waiver.
    let bad = judged(Gate { mean: Some(0.0), ..Gate::open() }, -0.03);
    let error = waived(&bad, &[Rule::Mean], "me").unwrap_err();
    assert!(matches!(error, Error::NotWaivable { rule: Rule::Mean, .. }));
    assert!(waived(&bad, &[Rule::Eras, Rule::Eras], "me").is_err());
    let waived = waived(&bad, bad.not_asked(), "me").unwrap();
    assert!(waived.admitted().is_none(), "a waiver opens nothing that blocks");
}

#[test]
fn what_json_leaves_out_is_asked() {
    let gate: Gate = serde_json::from_str(r#"{"mean": 0.01}"#).unwrap();
    assert_eq!((gate.asked().len(), gate.not_asked().len()), (Rule::ALL.len(), 0));
    let open = serde_json::to_string(&Gate::open()).unwrap();
    assert_eq!(serde_json::from_str::<Gate>(&open).unwrap().asked(), []);
    let eras = Gate { eras: 1, ..Gate::open() };
    assert_eq!(eras.asked(), [Rule::Eras]);
    let decision = judged(Gate { mean: Some(0.0), ..Gate::open() }, 0.03);
    assert_eq!(decision.gate().asked(), [Rule::Defined, Rule::Mean]);
    assert!(decision.to_string().contains("not asked: eras, sure_mean, sharpe"), "{decision}");
}
