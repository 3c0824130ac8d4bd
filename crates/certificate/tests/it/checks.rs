//! Each check finds the fault that it is there for, and nothing in a procedure without one.

use std::sync::atomic::{AtomicU32, Ordering};

use fattail_certificate::{
    Certificate, Certifier, Check, Claim, Error, Refit, Sealed, Side, State, Verdict,
};
use fattail_core::{Panel, silent};
use fattail_evaluate::{Blocked, EmbargoRule, Fold, PurgedKFold, Read, Split};

use crate::support::{Covariance, Fault, Faulty, certified, found, market, of, plus};

#[test]
fn an_honest_procedure_passes_and_every_plant_is_seen() {
    let (panel, folds) = market();
    let procedure = Sealed(Refit(Covariance));
    let made = Certifier::default().certify(&procedure, &panel, &folds, &silent).unwrap();
    assert_eq!((made.verdict, found(&made)), (Verdict::Passed, vec![]), "{made}");
    assert_eq!(made.checks.len(), Check::ALL.len());
    for finding in &made.checks {
        let read = finding.check != Check::Ledger;
        assert_eq!(finding.state == State::Skipped, !read, "{finding:?}");
        let planted = read && finding.check != Check::Alive;
        assert_eq!(finding.plant_caught, planted.then_some(true), "{finding:?}");
    }
    assert!(made.missing().next().is_none() && made.cuts.len() == 2);
    assert_eq!((&*made.data.target, &*made.version), ("target", env!("CARGO_PKG_VERSION")));
    assert!(made.is_on(&panel) && !made.is_on(&panel.with_target("target_long").unwrap()));
    assert!(made.has_folds(&folds) && !made.has_folds(&folds[1..]));
    // 4 + (8 + 3 draws + 2 threads · rounds) · cuts, as the head of the crate says.
    assert_eq!(made.cost.runs, 4 + (8 + 3 * 2 + 2 * 4) * 2, "{:?}", made.cost);
    assert!(made.is_of(&procedure) && !made.is_of(&Refit(Covariance)));
    let again = Certifier::default().certify(&procedure, &panel, &folds, &silent).unwrap();
    assert_eq!(made.to_json().unwrap(), again.to_json().unwrap());
    let read = Certificate::from_json(&made.to_json().unwrap()).unwrap();
    assert_eq!(read.to_json().unwrap(), made.to_json().unwrap());
}

#[test]
fn training_on_both_sides_passes_where_it_is_claimed() {
    let (panel, _) = market();
    let split = PurgedKFold { folds: 4, ..PurgedKFold::default() };
    let folds = split.folds(panel.eras()).unwrap();
    let procedure = Sealed(Refit(Covariance));
    let certify = |side| {
        let claim = Claim { side, rule: EmbargoRule::LabelDisjoint, ..Claim::default() };
        let certifier = Certifier { claim, ..Certifier::default() };
        certifier.certify(&procedure, &panel, &folds, &silent).unwrap()
    };
    let both = certify(Side::Both);
    assert_eq!(both.verdict, Verdict::Passed, "{both}");
    assert_eq!(of(&both, Check::Prefix).state, State::Skipped);
    let past = certify(Side::Past);
    assert_eq!(past.verdict, Verdict::Failed);
    assert!(found(&past).contains(&Check::Folds) && found(&past).contains(&Check::Labels));
    // A gap that is too small for the claim.
    let near = Blocked { folds: 4, rule: EmbargoRule::LabelDisjoint, ..Blocked::default() };
    let folds = near.folds(panel.eras()).unwrap();
    let claim = Claim { side: Side::Both, rule: EmbargoRule::NumeraiBenchmark, ..Claim::default() };
    let certifier = Certifier { claim, ..Certifier::default() };
    let made = certifier.certify(&procedure, &panel, &folds, &silent).unwrap();
    assert!(found(&made).contains(&Check::Folds) && found(&made).contains(&Check::Labels));
}

#[test]
fn faults_of_each_kind_are_named() {
    let cases: [(&str, Fault, &[Check]); 7] = [
        (
            "the last era's features",
            |panel, _, values| {
                let last = panel.era(panel.eras().len() - 1);
                Ok(plus(values, last.feature(0).iter().sum::<f32>() / last.rows() as f32))
            },
            &[Check::FutureValues],
        ),
        (
            "how many rows there are",
            |panel, _, values| Ok(plus(values, panel.rows() as f32)),
            &[Check::Prefix, Check::FutureRows],
        ),
        (
            "the last id",
            |panel, _, values| {
                let id = panel.id(panel.rows() - 1).unwrap_or_default();
                Ok(plus(values, id.bytes().map(f32::from).sum()))
            },
            &[Check::Prefix, Check::FutureIds],
        ),
        (
            "the label of the era before",
            |panel, fold, values| {
                let before = panel.era(fold.test[0] - 1);
                Ok(plus(
                    values,
                    before.target()?.iter().zip(1..).map(|(y, at)| y * at as f32).sum(),
                ))
            },
            &[Check::Labels],
        ),
        (
            "the test block's own mean",
            |panel, fold, values| {
                let test = panel.cut(&fold.test)?;
                let (x, y) = (test.feature(0).to_f32(), test.feature(1).to_f32());
                let test: Vec<f32> = x.iter().zip(y).map(|(x, y)| x * y).collect();
                Ok(plus(values, test.iter().sum::<f32>() / test.len() as f32 * 9.0))
            },
            &[Check::FutureValues, Check::TestRows],
        ),
        (
            "the place of a row",
            |panel, fold, values| {
                let places = fold.test.iter().flat_map(|&era| 0..panel.eras().range(era).len());
                Ok(values.iter().zip(places).map(|(value, at)| value + at as f32).collect())
            },
            &[Check::Order],
        ),
        (
            "how many test eras there are",
            |_, fold, values| Ok(plus(values, fold.test.len() as f32)),
            &[Check::Streaming],
        ),
    ];
    for (name, fault, expected) in cases {
        let made = certified(fault);
        assert_eq!(made.verdict, Verdict::Failed, "{name}: {made}");
        let found = found(&made);
        assert!(expected.iter().all(|check| found.contains(check)), "{name}: {found:?}");
    }
}

#[test]
fn targets_in_the_predictions_fail_the_canary() {
    let made = certified(|panel, fold, values| {
        let target = panel.cut(&fold.test)?.target()?.to_f32();
        Ok(values.iter().zip(target).map(|(value, y)| value + 1e3 * y).collect())
    });
    let canary = of(&made, Check::Shuffled);
    assert!(canary.state == State::Failed && canary.figure > 10.0, "{canary:?}");
}

#[test]
fn scores_read_too_early_are_named() {
    let (panel, folds) = market();
    let read = |era, latest| Read { era, latest: Some(latest), purpose: "weights".into() };
    let certify = |reads| {
        let procedure = Faulty { name: "reader", fault: |_, _, values| Ok(values), reads };
        Certifier::default().certify(&procedure, &panel, &folds, &silent).unwrap()
    };
    // A score of era e exists from e + 5 on.
    let known = certify(vec![read(20, 15), read(20, 3)]);
    assert_eq!(known.verdict, Verdict::Passed, "{known}");
    let early = certify(vec![read(20, 15), read(20, 16)]);
    assert_eq!((early.verdict, found(&early)), (Verdict::Failed, vec![Check::Ledger]));
    assert!(
        of(&early, Check::Ledger)
            .note
            .contains("'weights' at era 0021 reads the score of era 0017")
    );
}

#[test]
fn what_cannot_be_compared_is_void() {
    // Nothing is learnt.
    let made = certified(|panel, fold, _| Ok(panel.cut(&fold.test)?.feature(0).to_f32()));
    assert_eq!((made.verdict, of(&made, Check::Alive).state), (Verdict::Void, State::Failed));
    assert!(found(&made).is_empty() && !made.to_string().contains("LEAK"), "{made}");
    assert!(made.statement.starts_with("Nothing is shown"), "{}", made.statement);
    // Every run differs from the last.
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let made =
        certified(|_, _, values| Ok(plus(values, CALLS.fetch_add(1, Ordering::Relaxed) as f32)));
    assert_eq!((made.verdict, made.checks.len()), (Verdict::Void, 1));
}

#[test]
fn a_procedure_that_stumbles_over_the_future_has_looked_at_it() {
    let made = certified(|panel, _, values| {
        for at in 0..panel.width() {
            if panel.era(panel.eras().len() - 1).feature(at).iter().all(|value| value == 2.0) {
                return Err(fattail_core::Error::empty("the last era"));
            }
        }
        Ok(values)
    });
    assert_eq!(found(&made), [Check::FutureMissing], "{made}");
}

#[test]
fn what_was_asked_wrongly_is_an_error() {
    let (panel, folds) = market();
    let procedure = Sealed(Refit(Covariance));
    let certify = |certifier: Certifier, panel: &Panel, folds: &[Fold]| {
        certifier.certify(&procedure, panel, folds, &silent).unwrap_err().to_string()
    };
    let usual = Certifier::default;
    let error = certify(Certifier { cuts: 0, ..usual() }, &panel, &folds);
    assert_eq!(error, "setting 'cuts' is 0, allowed is at least 1");
    let error = certify(Certifier { tolerance: f64::NAN, ..usual() }, &panel, &folds);
    assert!(error.starts_with("setting 'tolerance' is NaN"), "{error}");
    let wrong = [Fold { train: vec![0, 1], test: vec![40] }];
    let error = certify(usual(), &panel, &wrong);
    assert_eq!(error, "fold 0 has an era that the panel does not have");
    assert!(certify(usual(), &panel, &[]).contains("folds"));
    assert!(certify(usual(), &panel.without_targets(), &folds).contains("target"));
    let short = |_: &Panel, _: &Fold, mut values: Vec<f32>| {
        values.pop();
        Ok(values)
    };
    let procedure = Faulty { name: "short", fault: short, reads: Vec::new() };
    let error = usual().certify(&procedure, &panel, &folds, &silent).unwrap_err();
    assert!(matches!(error, Error::Shape { what: "predictions", given: 249, expected: 250 }));
    let unknown = Claim { known: vec!["metamodel".into()], ..Claim::default() };
    let error = certify(Certifier { claim: unknown, ..usual() }, &panel, &folds);
    assert!(error.contains("metamodel"), "{error}");
    assert!(certify(Certifier { threads: 65, ..usual() }, &panel, &folds).contains("2 to 64"));
}
