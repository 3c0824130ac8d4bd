//! What can be told without running: which labels folds train on, and which scores decisions read.

use fattail_evaluate::{Fold, Read};

use super::{Bench, Check, Finding, Skip};
use crate::{Claim, Result};

impl Bench<'_> {
    /// Training labels are allowed, and no era is trained on and tested.
    pub(crate) fn folds_allowed(&self) -> Result<Finding> {
        let claim = &self.settings.claim;
        let label = |era: usize| self.panel.eras().label(era);
        let (mut broken, mut note) = (0, String::from("every training era is allowed"));
        let mut caught = true;
        for (number, fold) in self.folds.iter().enumerate() {
            if let Some((train, test)) = claim.broken_by(fold)? {
                if broken == 0 {
                    let eras = (label(train), label(test));
                    note = format!(
                        "fold {number}: the label of training era {} is not allowed for test era {}",
                        eras.0, eras.1
                    );
                }
                broken += 1;
            }
            // The earliest era that is not allowed for the first test era, trained on; at the latest that era.
            let mut near = 0;
            while near < fold.test[0] && claim.allows(near, fold.test[0])? {
                near += 1;
            }
            let planted = Fold { train: vec![near], test: fold.test.clone() };
            caught &= claim.broken_by(&planted)?.is_some();
        }
        Ok(Finding::of(Check::Folds, f64::from(broken), 0.0, Some(caught), note))
    }

    /// Decisions read scores that were known.
    pub(crate) fn ledger(&self) -> Result<Finding> {
        let (claim, reads) = (&self.settings.claim, &self.base.reads);
        if reads.is_empty() {
            return Ok(Finding::skipped(Check::Ledger, Skip::NoReads));
        }
        let early = early(claim, reads)?;
        let note = match early.first() {
            None => format!("{} reads of scores, all known by then", reads.len()),
            Some(read) => format!(
                "'{}' at era {} reads the score of era {}",
                read.purpose,
                self.label(read.era),
                self.label(read.latest.unwrap_or_default())
            ),
        };
        // The procedure's own reads, each of the first score that it could not know.
        let mut planted = reads.clone();
        for read in &mut planted {
            read.latest = Some(claim.scores_known_below(read.era)?);
        }
        let caught = self::early(claim, &planted)?.len() == planted.len();
        Ok(Finding::of(Check::Ledger, early.len() as f64, 0.0, Some(caught), note))
    }

    fn label(&self, era: usize) -> &str {
        if era < self.panel.eras().len() {
            self.panel.eras().label(era)
        } else {
            "(behind the panel)"
        }
    }
}

/// The reads that came too early.
fn early<'a>(claim: &Claim, reads: &'a [Read]) -> Result<Vec<&'a Read>> {
    let mut found = Vec::new();
    for read in reads {
        let first_unknown = claim.scores_known_below(read.era)?;
        if read.latest.is_some_and(|latest| latest >= first_unknown) {
            found.push(read);
        }
    }
    Ok(found)
}
