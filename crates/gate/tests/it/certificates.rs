//! A certificate counts for its own procedure, data, folds, claim and scores alone.

use fattail_certificate::{Certificate, Claim, Procedure, Refit, Run, Sealed, Side, Verdict};
use fattail_core::{Fit, Panel, Predict, Result};
use fattail_evaluate::{EmbargoRule, EraScore, Fold, Horizon, Scores};
use fattail_gate::{Evidence, Gate};
use fattail_testing::Market;

use crate::sample::{CERTIFICATE, DATA, Mean, certified, certify, folds, scores};

/// Whether the rule lets it through, and what it says.
fn notes(evidence: Evidence<'_>) -> (bool, String) {
    let decision = Gate { certificate: true, ..Gate::open() }.judge(&evidence).unwrap();
    let notes: Vec<&str> = decision.judged().iter().map(|judged| &*judged.note).collect();
    (decision.is_admitted(), notes.join("; "))
}

fn refused(evidence: Evidence<'_>, expected: &[&str]) {
    let (passed, told) = notes(evidence);
    assert!(!passed, "{told}");
    for word in expected {
        assert!(told.contains(word), "'{word}' is not in '{told}'");
    }
}

#[test]
fn each_difference_blocks_with_its_own_note() {
    let (corr, own) = (scores("corr", 0.03), Sealed(Refit(Mean)));
    let evidence = certified(&corr, &CERTIFICATE, &own);
    let (passed, told) = notes(evidence);
    assert!(passed && told.starts_with("the leak certificate is passed"), "{told}");

    refused(Evidence { certificate: None, ..evidence }, &["there is no leak certificate"]);
    refused(Evidence { procedure: Some(&Mean), ..evidence }, &["of another procedure"]);
    refused(Evidence { procedure: None, ..evidence }, &["not known which procedure"]);
    let horizon = Horizon::NUMERAI_60;
    refused(
        Evidence { horizon, ..evidence },
        &["labels of another horizon", "another horizon than the scores"],
    );
    let rule = Claim { rule: EmbargoRule::LabelDisjoint, ..Claim::default() };
    refused(Evidence { claim: Some(&rule), ..evidence }, &["asked is LabelDisjoint"]);
    let side = Claim { side: Side::Both, ..Claim::default() };
    refused(Evidence { claim: Some(&side), ..evidence }, &["on the side Past, asked is Both"]);
    refused(Evidence { claim: None, ..evidence }, &["not known what the leak certificate must"]);
    refused(Evidence { panel: None, ..evidence }, &["not known on which data"]);
    refused(Evidence { folds: None, ..evidence }, &["not known in which folds"]);
    let changed = Certificate { folds: 9, ..CERTIFICATE.clone() };
    refused(Evidence { certificate: Some(&changed), ..evidence }, &["was changed"]);
}

#[test]
fn scores_and_folds_of_other_data_do_not_count() {
    let (corr, own) = (scores("corr", 0.03), Sealed(Refit(Mean)));
    let evidence = certified(&corr, &CERTIFICATE, &own);
    // Scores that nobody made on this data: 104 eras of names of their own.
    let invented = |at: usize| EraScore { era: format!("x{at}"), value: 0.05, reason: None };
    let invented = Scores { metric: "corr".into(), eras: (0..104).map(invented).collect() };
    refused(
        Evidence { scores: &invented, ..evidence },
        &["104 scored eras are no test eras", "104 test eras of the folds are not among"],
    );
    // The worst eras left out.
    let best = Scores { eras: corr.eras[..90].to_vec(), ..corr.clone() };
    refused(Evidence { scores: &best, ..evidence }, &["14 test eras of the folds are not among"]);
    let fewer = &DATA.1[..1];
    refused(Evidence { folds: Some(fewer), ..evidence }, &["for other folds than the scores"]);
    let outside = [DATA.1[0].clone(), Fold { train: vec![0], test: vec![999] }];
    refused(Evidence { folds: Some(&outside), ..evidence }, &["tests era number 999"]);
    // A week more of data, and a market with other features.
    let longer = Market { eras: 157, rows: 20, seed: 1, ..Market::default() }.panel().unwrap();
    let of_longer = folds(&longer);
    let of_longer = Evidence { panel: Some(&longer), folds: Some(&of_longer), ..evidence };
    refused(of_longer, &["for other data", "of eras 0001 to 0156"]);
    let fewer = Market { eras: 156, rows: 20, features: 32, ..Market::default() }.panel().unwrap();
    refused(Evidence { panel: Some(&fewer), ..evidence }, &["for other data"]);
}

/// Knows the answers of its test rows.
#[derive(Debug)]
struct Cheat;

impl Procedure for Cheat {
    fn run(&self, panel: &Panel, folds: &[Fold]) -> Result<Run> {
        let model = Mean.fit(&panel.cut(&folds[0].train)?)?;
        let answers = |fold: &Fold| {
            let test = panel.cut(&fold.test)?;
            let honest = model.predict(&test)?;
            Ok(honest.iter().zip(test.target()?.to_f32()).map(|(a, b)| a + b).collect())
        };
        let predictions = folds.iter().map(answers).collect::<Result<_>>()?;
        Ok(Run { predictions, reads: Vec::new() })
    }
}

/// Learns nothing.
#[derive(Debug)]
struct Deaf;

impl Fit for Deaf {
    type Fitted = Deaf;
    fn fit(&self, _: &Panel) -> Result<Deaf> {
        Ok(Deaf)
    }
}

impl Predict for Deaf {
    fn predict(&self, panel: &Panel) -> Result<Vec<f32>> {
        Ok(panel.feature(0).to_f32())
    }
}

#[test]
fn certificates_that_failed_or_say_nothing_block() {
    let corr = scores("corr", 0.03);
    let failed = certify(&Cheat, &DATA.0, &DATA.1);
    assert_eq!(failed.verdict, Verdict::Failed, "{failed}");
    refused(certified(&corr, &failed, &Cheat), &["the leak certificate is failed; broken: "]);
    let deaf = Sealed(Refit(Deaf));
    let void = certify(&deaf, &DATA.0, &DATA.1);
    assert_eq!(void.verdict, Verdict::Void, "{void}");
    refused(certified(&corr, &void, &deaf), &["the leak certificate is void"]);
}
