//! What can be told without running: which labels folds train on, and which scores decisions read.

use fattail_evaluate::{Fold, Read};

use super::{Bench, Check, Finding};
use crate::{Claim, Result};

impl Bench<'_> {
    /// Training labels are allowed, and no era is trained on and tested.
    pub(crate) fn folds_allowed(&self) -> Result<Finding> {
        let claim = &self.settings.claim;
        let label = |era: usize| self.panel.eras().label(era);
        let (mut broken, mut note) = (0, String::from("every training era is allowed"));
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
        }
        // The era before the first test era, trained on.
        let planted = self.folds.iter().find_map(|fold| {
            let near = fold.test.first()?.checked_sub(1)?;
            Some(Fold { train: vec![near], test: fold.test.clone() })
        });
        let caught = match planted {
            Some(fold) => Some(claim.broken_by(&fold)?.is_some()),
            None => None,
        };
        Ok(Finding::of(Check::Folds, f64::from(broken), 0.0, caught, note))
    }

    /// Decisions read scores that were known.
    pub(crate) fn ledger(&self) -> Result<Finding> {
        let claim = &self.settings.claim;
        let reads = &self.base.reads;
        let early = early(claim, reads)?;
        let note = match early.first() {
            _ if reads.is_empty() => "no score was read".to_owned(),
            None => format!("{} reads of scores, all known by then", reads.len()),
            Some(read) => format!(
                "'{}' at era {} reads the score of era {}",
                read.purpose,
                self.label(read.era),
                self.label(read.latest.unwrap_or_default())
            ),
        };
        let era = self.panel.eras().len() - 1;
        let latest = Some(claim.scores_known_below(era)?);
        let planted = Read { era, latest, purpose: "planted".into() };
        let caught = self::early(claim, &[planted])?.len() == 1;
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
