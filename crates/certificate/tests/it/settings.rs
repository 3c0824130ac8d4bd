//! Cuts, draws, spreads and what is known with the features.

use fattail_certificate::{Certificate, Certifier, Check, Claim, Refit, Sealed, Verdict};
use fattail_core::silent;

use crate::support::{Covariance, Fault, Faulty, found, market, of, plus};

fn certify(certifier: &Certifier, fault: Fault) -> Certificate {
    let (panel, folds) = market();
    let procedure = Faulty { name: "faulty", fault, reads: Vec::new() };
    certifier.certify(&procedure, &panel, &folds, &silent).unwrap()
}

#[test]
fn more_cuts_than_folds_lie_inside_the_folds() {
    let (panel, folds) = market();
    let cuts = |cuts| {
        let certifier = Certifier { cuts, draws: 1, rounds: 1, ..Certifier::default() };
        let made = certifier.certify(&Sealed(Refit(Covariance)), &panel, &folds, &silent).unwrap();
        assert_eq!(made.verdict, Verdict::Passed, "{made}");
        made.cuts.iter().map(|cut| (cut.fold, cut.era.clone())).collect::<Vec<_>>()
    };
    assert_eq!(cuts(1).iter().map(|cut| cut.0).collect::<Vec<_>>(), [2]);
    let five = cuts(5);
    assert_eq!(five.iter().map(|cut| cut.0).collect::<Vec<_>>(), [0, 1, 1, 2, 2]);
    assert!(five.windows(2).all(|pair| pair[0].1 < pair[1].1), "{five:?}");
    // Each fold has nine test eras with another one behind.
    assert_eq!(cuts(1000).len(), 27);
}

#[test]
fn a_decision_is_changed_in_both_directions() {
    // What is decided is the same for all labels that are higher than they were.
    let fault: Fault = |panel, _, values| {
        let last = panel.era(panel.eras().len() - 1);
        let mean = last.target()?.iter().sum::<f32>() / last.rows() as f32;
        Ok(if mean < 0.4 { plus(values, 1.0) } else { values })
    };
    let with = |draws| found(&certify(&Certifier { draws, ..Certifier::default() }, fault));
    let last = [Check::FutureValues, Check::Labels];
    assert!(!with(1).iter().any(|check| last.contains(check)), "{:?}", with(1));
    assert!(last.iter().all(|check| with(2).contains(check)), "{:?}", with(2));
}

#[test]
fn a_fold_on_another_scale_hides_nothing() {
    // The first fold predicts in millions; a thousandth of a spread leaks into the last one.
    let made = certify(&Certifier::default(), |panel, fold, values| {
        if fold.train.len() < 10 {
            return Ok(values.iter().map(|value| value * 1e9).collect());
        }
        let wide: Vec<f64> = values.iter().map(|&value| value.into()).collect();
        let leak = fattail_stats::std(&wide, 0) as f32 * 1e-3;
        let last = panel.era(panel.eras().len() - 1);
        Ok(plus(values, leak * last.feature(0).iter().sum::<f32>()))
    });
    assert!(found(&made).contains(&Check::FutureValues), "{made}");
}

#[test]
fn roundings_of_numbers_far_from_zero_are_no_leak() {
    // Two roundings at 1000, which are a thousandth of a spread, depend on the rows of the panel.
    let made = certify(&Certifier::default(), |panel, _, values| {
        let rounding = if panel.rows() % 2 == 0 { 0.0 } else { 1000.0 * f32::EPSILON };
        Ok(values.iter().map(|value| 1000.0 + value / 20.0 + rounding).collect())
    });
    assert_eq!(made.verdict, Verdict::Passed, "{made}");
    assert!(of(&made, Check::FutureRows).limit == 1e-6);
}

#[test]
fn columns_that_are_known_with_the_features_may_be_used() {
    let fault: Fault = |panel, fold, values| {
        let meta = panel.cut(&fold.test)?.extra("meta_model")?.to_f32();
        Ok(values.iter().zip(meta).map(|(value, meta)| value - meta).collect())
    };
    let unsaid = certify(&Certifier::default(), fault);
    assert!(found(&unsaid).contains(&Check::Labels), "{unsaid}");
    let claim = Claim { known: vec!["meta_model".into()], ..Claim::default() };
    let said = certify(&Certifier { claim, ..Certifier::default() }, fault);
    assert_eq!(said.verdict, Verdict::Passed, "{said}");
    // Later ones are as little to be seen as later features.
    let claim = Claim { known: vec!["meta_model".into()], ..Claim::default() };
    let later = certify(&Certifier { claim, ..Certifier::default() }, |panel, _, values| {
        Ok(plus(values, panel.extra("meta_model")?.to_f32().iter().sum()))
    });
    assert!(found(&later).contains(&Check::FutureValues), "{later}");
}
