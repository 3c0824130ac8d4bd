//! The disturbances: what is changed for each check, and which predictions must stay.

use std::sync::atomic::AtomicU64;

use fattail_evaluate::Fold;
use fattail_stats::Counter;

use super::{Bench, Check, Difference, Finding, Skip, State, Trial, cut::Cut, leak::Leak};
use crate::{
    Result, Side,
    disturb::{self, Kind},
};

/// The last of all eras.
pub(super) const ALL: usize = usize::MAX;

/// A disturbance before it is made, so that one disturbed panel exists at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plan {
    cut: Cut,
    /// The last era whose predictions must stay.
    last: usize,
    /// The how manieth change of the values.
    draw: usize,
}

impl Bench<'_> {
    /// The disturbances of a check, or what is to be said where there are none.
    pub(super) fn plans(&self, check: Check) -> Result<Result<Vec<Plan>, Finding>> {
        let skipped = |skip| Ok(Err(Finding::skipped(check, skip)));
        match (check, self.settings.claim.side) {
            (Check::Prefix, Side::Both) => return skipped(Skip::TwoSided),
            (Check::FutureIds, _) if !self.panel.has_ids() => return skipped(Skip::NoIds),
            _ => {}
        }
        let cuts = self.cuts();
        if cuts.is_empty() {
            return Ok(Err(self.no_cut(check)));
        }
        let draws = match check {
            Check::FutureValues | Check::Labels => self.settings.draws,
            _ => 1,
        };
        let mut plans = Vec::new();
        for (cut, last) in self.kept(check, &cuts) {
            let new = (0..draws).map(|draw| Plan { cut, last, draw });
            plans.extend(new);
        }
        if !plans.is_empty() {
            return Ok(Ok(plans));
        }
        match check {
            Check::TestRows | Check::Streaming => skipped(Skip::OneTestEra),
            Check::Order => skipped(Skip::SmallEras),
            Check::FutureRows if cuts.iter().any(|&cut| self.unseen(cut).contains(&true)) => {
                skipped(Skip::SmallEras)
            }
            _ => Ok(Err(Finding::unknown(check, "nothing lies behind the cuts"))),
        }
    }

    pub(super) fn no_cut(&self, check: Check) -> Finding {
        Finding::unknown(check, "no fold has an era behind its first test era")
    }

    /// The cuts of a check, each with the last era whose predictions must stay.
    fn kept(&self, check: Check, cuts: &[Cut]) -> Vec<(Cut, usize)> {
        let test = |cut: Cut| &self.folds[cut.fold].test;
        let mut kept: Vec<(Cut, usize)> = match check {
            Check::Labels => match self.settings.claim.side {
                Side::Past => {
                    cuts.iter().flat_map(|&cut| [(cut, test(cut)[0]), (cut, cut.era)]).collect()
                }
                Side::Both => {
                    cuts.iter().map(|&cut| (cut, test(cut)[test(cut).len() - 1])).collect()
                }
            },
            Check::TestRows => {
                let several = self.cuts_where(cuts, |fold| fold.test.len() > 1);
                let half = |cut: Cut| test(cut)[test(cut).len().div_ceil(2) - 1];
                several.into_iter().map(|cut| (cut, half(cut))).collect()
            }
            Check::Order => {
                let wide = |fold: &Fold| fold.test.iter().any(|&era| self.rows(era) > 1);
                self.cuts_where(cuts, wide).into_iter().map(|cut| (cut, ALL)).collect()
            }
            Check::Streaming => {
                let several = self.cuts_where(cuts, |fold| fold.test.len() > 1);
                several.into_iter().flat_map(|cut| [(cut, test(cut)[0]), (cut, cut.era)]).collect()
            }
            Check::FutureRows => {
                let changes = |cut: &&Cut| {
                    let unseen = self.unseen(**cut);
                    (0..unseen.len()).any(|era| unseen[era] && self.rows(era) > 1)
                };
                cuts.iter().filter(changes).map(|&cut| (cut, cut.era)).collect()
            }
            _ => {
                let changes = |cut: &&Cut| self.unseen(**cut).contains(&true);
                cuts.iter().filter(changes).map(|&cut| (cut, cut.era)).collect()
            }
        };
        // Cuts of one fold share what does not depend on where in it they lie.
        let mut seen: Vec<(usize, usize)> = Vec::new();
        kept.retain(|&(cut, last)| {
            let new = !seen.contains(&(cut.fold, last));
            seen.push((cut.fold, last));
            new
        });
        if check == Check::Streaming {
            kept.retain(|&(cut, last)| test(cut).last() != Some(&last));
        }
        kept
    }

    /// The cuts whose fold is fit for a check; where there are none, one in the last fold that is.
    fn cuts_where(&self, cuts: &[Cut], fits: impl Fn(&Fold) -> bool) -> Vec<Cut> {
        let fit: Vec<Cut> =
            cuts.iter().copied().filter(|cut| fits(&self.folds[cut.fold])).collect();
        if !fit.is_empty() {
            return fit;
        }
        // Of folds on both sides only those of cuts were run alone.
        let other = match self.settings.claim.side {
            Side::Past => self.folds.iter().rposition(fits),
            Side::Both => None,
        };
        other.map(|fold| Cut { fold, era: self.folds[fold].test[0] }).into_iter().collect()
    }

    fn rows(&self, era: usize) -> usize {
        self.panel.eras().range(era).len()
    }

    pub(super) fn counter(&self, cut: Cut, draw: usize) -> Counter {
        Counter::new(self.settings.seed).stream(((draw as u64) << 48) | (2 + cut.era as u64))
    }

    /// Makes a disturbance.
    pub(super) fn trial(&self, check: Check, plan: Plan) -> Result<Trial<'_>> {
        match check {
            Check::Labels => self.labels(plan),
            Check::TestRows => self.test_rows(plan),
            Check::Order => self.order(plan),
            Check::Streaming => Ok(Trial {
                last: plan.last,
                leak: Leak::TestEras,
                ..self.again(plan.cut, plan.last)
            }),
            _ => self.future(check, plan),
        }
    }

    /// A panel with other features and labels in some eras.
    fn changed(
        &self,
        features: &[bool],
        labels: &[bool],
        kind: Kind,
        plan: Plan,
    ) -> Result<fattail_core::Panel> {
        let known = &self.settings.claim.known;
        let counter = self.counter(plan.cut, plan.draw);
        let eras = disturb::Eras { features, labels, known };
        Ok(disturb::values(self.panel, eras, kind, counter)?)
    }

    /// Later eras are changed.
    fn future(&self, check: Check, plan: Plan) -> Result<Trial<'_>> {
        let (unseen, counter) = (self.unseen(plan.cut), self.counter(plan.cut, plan.draw));
        let (panel, leak) = match check {
            Check::Prefix => {
                let eras: Vec<usize> = (0..=plan.cut.era).collect();
                (self.panel.cut(&eras)?, Leak::Length)
            }
            Check::FutureRows => {
                (disturb::fewer_rows(self.panel, &unseen, counter)?, Leak::Rows(unseen))
            }
            Check::FutureIds => (disturb::new_ids(self.panel, &unseen)?, Leak::Ids(unseen)),
            _ => {
                let kind = match check {
                    Check::FutureMissing => Kind::Missing,
                    _ => Kind::turned(plan.draw),
                };
                (self.changed(&unseen, &unseen, kind, plan)?, Leak::Features(unseen))
            }
        };
        Ok(Trial { panel, last: plan.last, leak, ..self.again(plan.cut, plan.last) })
    }

    /// Labels are changed that are not known at an era.
    fn labels(&self, plan: Plan) -> Result<Trial<'_>> {
        let fold = &self.folds[plan.cut.fold];
        let (claim, eras) = (&self.settings.claim, self.panel.eras().len());
        let mut hidden = vec![false; eras];
        for (era, hidden) in hidden.iter_mut().enumerate() {
            *hidden = match claim.side {
                Side::Past => !claim.allows(era, plan.last)?,
                Side::Both => {
                    let mut allowed = fold.train.binary_search(&era).is_ok();
                    for &test in &fold.test {
                        allowed = allowed && claim.allows(era, test)?;
                    }
                    !allowed
                }
            };
        }
        let none = vec![false; eras];
        let panel = self.changed(&none, &hidden, Kind::turned(plan.draw), plan)?;
        let leak = Leak::Targets(hidden);
        Ok(Trial { panel, last: plan.last, leak, ..self.again(plan.cut, plan.last) })
    }

    /// The later half of the fold's test eras is changed, and predicted with the first half.
    fn test_rows(&self, plan: Plan) -> Result<Trial<'_>> {
        let test = &self.folds[plan.cut.fold].test;
        let late = |era: usize| era > plan.last && test.binary_search(&era).is_ok();
        let late: Vec<bool> = (0..self.panel.eras().len()).map(late).collect();
        let panel = self.changed(&late, &late, Kind::turned(plan.draw), plan)?;
        let leak = Leak::Features(late);
        Ok(Trial { panel, last: plan.last, leak, ..self.again(plan.cut, ALL) })
    }

    /// Rows of the fold's test eras change places.
    fn order(&self, plan: Plan) -> Result<Trial<'_>> {
        let test = &self.folds[plan.cut.fold].test;
        let moved: Vec<bool> =
            (0..self.panel.eras().len()).map(|era| test.binary_search(&era).is_ok()).collect();
        let counter = self.counter(plan.cut, plan.draw);
        let (panel, rows) = disturb::reordered(self.panel, &moved, counter)?;
        Ok(Trial { panel, rows: Some(rows), leak: Leak::Place, ..self.again(plan.cut, ALL) })
    }

    /// The folds of a cut on the panel as it is, up to the test era `last`.
    pub(super) fn again(&self, cut: Cut, last: usize) -> Trial<'_> {
        let (folds, of) = self.folds_of(cut, last);
        let (panel, first) = (self.panel.clone(), self.first());
        Trial {
            panel,
            folds,
            of,
            first,
            last: ALL,
            rows: None,
            leak: Leak::Calls(AtomicU64::new(0)),
        }
    }

    /// All folds once more.
    pub(super) fn repeat(&self) -> Result<Finding> {
        let trial = Trial {
            panel: self.panel.clone(),
            folds: self.folds.to_vec(),
            of: (0..self.folds.len()).collect(),
            first: &self.base.predictions,
            last: ALL,
            rows: None,
            leak: Leak::Calls(AtomicU64::new(0)),
        };
        let run = match self.run(&trial.panel, &trial.folds) {
            Ok(run) => run,
            Err(error) => return Ok(self.broken(Check::Repeat, &error.to_string())),
        };
        let found = self.difference(&trial, &run, false);
        let caught = self.difference(&trial, &run, true).spreads > self.settings.tolerance;
        Ok(self.finding(Check::Repeat, found.spreads, Some(caught), found.place))
    }

    /// Other training labels must change something.
    pub(super) fn alive(&self) -> Result<Finding> {
        let Some(&cut) = self.cuts().last() else { return Ok(self.no_cut(Check::Alive)) };
        let train = &self.folds[cut.fold].train;
        let eras = self.panel.eras().len();
        let taught: Vec<bool> = (0..eras).map(|era| train.binary_search(&era).is_ok()).collect();
        let plan = Plan { cut, last: ALL, draw: 0 };
        let panel = self.changed(&vec![false; eras], &taught, Kind::turned(0), plan)?;
        let trial = Trial { panel, ..self.again(cut, ALL) };
        let found = match self.run(&trial.panel, &trial.folds) {
            Ok(run) => self.difference(&trial, &run, false),
            // It has looked.
            Err(error) => Difference { spreads: f64::INFINITY, place: error.to_string() },
        };
        let changed = found.spreads > self.settings.tolerance;
        let note = match changed {
            true => format!("they change by so much: {}", found.place),
            false => {
                "the predictions do not depend on the labels: there is nothing to certify".into()
            }
        };
        let mut finding = self.finding(Check::Alive, found.spreads, None, note);
        finding.state = if changed { State::Passed } else { State::Failed };
        Ok(finding)
    }
}
