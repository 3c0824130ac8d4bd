//! Whether a leak certificate is that of this submission: its procedure, data, folds and claim, and its scores.

use std::collections::HashSet;

use fattail_certificate::{Certificate, State, Verdict};
use fattail_core::Panel;
use fattail_evaluate::{Fold, Scores};

use crate::{Bound, Evidence, Judged, Rule};

/// A line for everything that is wrong; one line that passes where nothing is.
pub(crate) fn judged(evidence: &Evidence<'_>) -> Vec<Judged> {
    let blocks = |note| Judged::unknown(Rule::Certificate, Bound::AtLeast, f64::NAN, note);
    let Some(certificate) = evidence.certificate else {
        return vec![blocks("there is no leak certificate".to_owned())];
    };
    if let Err(error) = certificate.verify() {
        return vec![blocks(error.to_string())];
    }
    let mut wrong = of_procedure(certificate, evidence);
    wrong.extend(of_claim(certificate, evidence));
    wrong.extend(of_data(certificate, evidence));
    if certificate.verdict != Verdict::Passed {
        wrong.push(verdict(certificate));
    }
    if wrong.is_empty() {
        return vec![Judged { passed: true, ..blocks(verdict(certificate)) }];
    }
    wrong.into_iter().map(blocks).collect()
}

fn of_procedure(certificate: &Certificate, evidence: &Evidence<'_>) -> Vec<String> {
    let note = match evidence.procedure {
        None => "it is not known which procedure made the submission",
        Some(procedure) if !certificate.is_of(procedure) => {
            "the leak certificate is that of another procedure"
        }
        Some(_) => return Vec::new(),
    };
    vec![note.to_owned()]
}

fn of_claim(certificate: &Certificate, evidence: &Evidence<'_>) -> Vec<String> {
    let given = &certificate.certifier.claim;
    let mut wrong = Vec::new();
    if given.horizon != evidence.horizon {
        wrong.push("the leak certificate is for labels of another horizon".to_owned());
    }
    let Some(asked) = evidence.claim else {
        wrong.push("it is not known what the leak certificate must claim".to_owned());
        return wrong;
    };
    if asked.horizon != evidence.horizon {
        wrong.push(
            "the claim that is asked for is about another horizon than the scores".to_owned(),
        );
    }
    if given.rule != asked.rule {
        wrong.push(format!(
            "the leak certificate is for the rule {:?}, asked is {:?}",
            given.rule, asked.rule
        ));
    }
    if given.side != asked.side {
        wrong.push(format!(
            "the leak certificate is for training labels on the side {:?}, asked is {:?}",
            given.side, asked.side
        ));
    }
    if given.known.iter().any(|name| !asked.known.contains(name)) {
        wrong.push(format!(
            "the leak certificate takes {:?} as known with the features, asked are {:?}",
            given.known, asked.known
        ));
    }
    wrong
}

/// The panel, the folds on it, and whether the scores are those of the folds' test eras.
fn of_data(certificate: &Certificate, evidence: &Evidence<'_>) -> Vec<String> {
    let Some(panel) = evidence.panel else {
        return vec!["it is not known on which data the scores were made".to_owned()];
    };
    let mut wrong = of_panel(certificate, panel);
    let Some(folds) = evidence.folds else {
        wrong.push("it is not known in which folds the scores were made".to_owned());
        return wrong;
    };
    if !certificate.has_folds(folds) {
        wrong.push("the leak certificate is for other folds than the scores".to_owned());
    }
    wrong.extend(of_scores(panel, folds, evidence.scores));
    wrong
}

fn of_panel(certificate: &Certificate, panel: &Panel) -> Vec<String> {
    if certificate.is_on(panel) {
        return Vec::new();
    }
    let facts = &certificate.data;
    let target = panel.schema().target().unwrap_or_default();
    vec![format!(
        "the leak certificate is for other data: {} rows of eras {} to {} with target '{}', the scores are of {} rows \
         with target '{target}'",
        facts.rows,
        facts.first_era,
        facts.last_era,
        facts.target,
        panel.rows()
    )]
}

/// Scores of other eras are no scores of these folds, and eras left out may be the bad ones.
fn of_scores(panel: &Panel, folds: &[Fold], scores: &Scores) -> Vec<String> {
    let mut tested = HashSet::new();
    for &era in folds.iter().flat_map(|fold| &fold.test) {
        if era >= panel.eras().len() {
            return vec![format!("a fold tests era number {era}, which the data does not have")];
        }
        tested.insert(panel.eras().label(era));
    }
    let scored: HashSet<&str> = scores.eras.iter().map(|score| &*score.era).collect();
    let (foreign, left) = (scored.difference(&tested).count(), tested.difference(&scored).count());
    let mut wrong = Vec::new();
    if foreign > 0 {
        wrong.push(format!("{foreign} scored eras are no test eras of the folds"));
    }
    if left > 0 {
        wrong.push(format!("{left} test eras of the folds are not among the scores"));
    }
    wrong
}

/// The verdict with the checks that say why.
fn verdict(certificate: &Certificate) -> String {
    let mut note = format!("the leak certificate is {}", certificate.verdict.word());
    let broken: Vec<&str> = certificate.leaks().map(|found| found.check.sentence()).collect();
    let blind = certificate.checks.iter().filter(|found| found.plant_caught == Some(false));
    let blind: Vec<&str> = blind.map(|found| found.check.sentence()).collect();
    for (what, checks) in [("broken", broken), ("blind", blind)] {
        if !checks.is_empty() {
            note.push_str(&format!("; {what}: {}", checks.join("; ")));
        }
    }
    let skipped = certificate.checks.iter().filter(|found| found.state == State::Skipped).count();
    if skipped > 0 {
        note.push_str(&format!("; {skipped} of {} checks were skipped", certificate.checks.len()));
    }
    note
}
