//! The disturbances: what is changed for each check, and which predictions must stay.

use std::sync::atomic::AtomicU64;

use fattail_stats::Counter;

use super::{Bench, Check, Difference, Finding, Trial, cut::Cut, leak::Leak};
use crate::{Result, Side, disturb};

/// Trials, or why there are none.
type Trials<'a> = Result<Vec<Trial<'a>>, String>;

impl Bench<'_> {
    /// The trials of a check.
    pub(crate) fn trials(&self, check: Check) -> Result<Trials<'_>> {
        let cuts = self.cuts();
        if cuts.is_empty() {
            return Ok(Err("no fold has an era behind its first test era".into()));
        }
        match (check, self.settings.claim.side) {
            (Check::Prefix, Side::Both) => {
                return Ok(Err("training eras lie on both sides of test eras".into()));
            }
            (Check::FutureIds, _) if !self.panel.has_ids() => {
                return Ok(Err("the panel has no ids".into()));
            }
            _ => {}
        }
        let mut trials = Vec::new();
        for cut in cuts {
            match check {
                Check::Labels => trials.extend(self.labels(cut)?),
                Check::TestRows => trials.extend(self.test_rows(cut)?),
                Check::Order => trials.push(self.order(cut)?),
                Check::Streaming => trials.extend(self.streaming(cut)),
                Check::Repeat | Check::Threads => trials.push(self.again(cut)),
                _ => trials.push(self.future(check, cut)?),
            }
        }
        if trials.is_empty() {
            return Ok(Err("every fold has one test era".into()));
        }
        Ok(Ok(trials))
    }

    fn counter(&self, cut: Cut) -> Counter {
        Counter::new(self.settings.seed).stream(2 + cut.fold as u64)
    }

    /// Later eras are changed.
    fn future(&self, check: Check, cut: Cut) -> Result<Trial<'_>> {
        let (unseen, counter) = (self.unseen(cut), self.counter(cut));
        let values = |kind| disturb::values(self.panel, &unseen, &unseen, kind, counter);
        let (panel, leak) = match check {
            Check::Prefix => {
                let eras: Vec<usize> = (0..=cut.era).collect();
                (self.panel.cut(&eras)?, Leak::Length)
            }
            Check::FutureRows => {
                let panel = disturb::fewer_rows(self.panel, &unseen, counter)?;
                (panel, Leak::Rows(Box::new(unseen)))
            }
            Check::FutureIds => {
                (disturb::new_ids(self.panel, &unseen)?, Leak::Ids(Box::new(unseen)))
            }
            Check::FutureMissing => {
                (values(disturb::Kind::Missing)?, Leak::Features(Box::new(unseen)))
            }
            _ => (values(disturb::Kind::Turned)?, Leak::Features(Box::new(unseen))),
        };
        let (folds, of) = self.folds_of(cut, |era| era <= cut.era);
        Ok(Trial { panel, folds, of, kept: Box::new(move |era| era <= cut.era), rows: None, leak })
    }

    /// Labels are changed that are not known at the first test era, and such as are not known at the cut.
    fn labels(&self, cut: Cut) -> Result<Vec<Trial<'_>>> {
        let fold = &self.folds[cut.fold];
        let (claim, eras) = (&self.settings.claim, self.panel.eras().len());
        let ends = match claim.side {
            Side::Past => vec![fold.test[0], cut.era],
            Side::Both => vec![fold.test[fold.test.len() - 1]],
        };
        let mut trials = Vec::new();
        for end in ends {
            let mut hidden = vec![false; eras];
            for (era, hidden) in hidden.iter_mut().enumerate() {
                *hidden = match claim.side {
                    Side::Past => !claim.allows(era, end)?,
                    Side::Both => {
                        fold.train.binary_search(&era).is_err() || {
                            let allowed = fold.test.iter().map(|&test| claim.allows(era, test));
                            !allowed.collect::<Result<Vec<_>>>()?.into_iter().all(|allowed| allowed)
                        }
                    }
                };
            }
            let none = |_: usize| false;
            let changed = |era: usize| hidden[era];
            let kind = disturb::Kind::Turned;
            let counter = self.counter(cut);
            let panel = disturb::values(self.panel, &none, &changed, kind, counter)?;
            let (folds, of) = self.folds_of(cut, |era| era <= end);
            let leak = Leak::Targets(Box::new(move |era| hidden[era]));
            let kept = Box::new(move |era| era <= end);
            trials.push(Trial { panel, folds, of, kept, rows: None, leak });
        }
        trials.dedup_by(|a, b| a.folds == b.folds);
        Ok(trials)
    }

    /// The later half of the fold's test eras is changed, and predicted with the first half.
    fn test_rows(&self, cut: Cut) -> Result<Option<Trial<'_>>> {
        let test = &self.folds[cut.fold].test;
        let (early, late) = test.split_at(test.len().div_ceil(2));
        if late.is_empty() {
            return Ok(None);
        }
        let changed = |era: usize| late.binary_search(&era).is_ok();
        let (kind, counter) = (disturb::Kind::Turned, self.counter(cut));
        let panel = disturb::values(self.panel, &changed, &changed, kind, counter)?;
        let (folds, of) = self.folds_of(cut, |_| true);
        let last = early[early.len() - 1];
        let kept = Box::new(move |era| era <= last);
        let leak = Leak::Features(Box::new(changed));
        Ok(Some(Trial { panel, folds, of, kept, rows: None, leak }))
    }

    /// Rows of the fold's test eras change places.
    fn order(&self, cut: Cut) -> Result<Trial<'_>> {
        let test = &self.folds[cut.fold].test;
        let moved = |era: usize| test.binary_search(&era).is_ok();
        let (panel, rows) = disturb::reordered(self.panel, &moved, self.counter(cut))?;
        let (folds, of) = self.folds_of(cut, |_| true);
        let (kept, leak) = (Box::new(|_| true), Leak::Place);
        Ok(Trial { panel, folds, of, kept, rows: Some(rows), leak })
    }

    /// The first test era is predicted alone, and those up to the cut without the rest. What adapts decides at the
    /// first test era of its fold, so that era stays.
    fn streaming(&self, cut: Cut) -> Vec<Trial<'_>> {
        let test = &self.folds[cut.fold].test;
        let mut lasts = vec![test[0], cut.era];
        lasts.dedup();
        lasts.retain(|last| test.last() != Some(last));
        let until = |last: usize| {
            let (folds, of) = self.folds_of(cut, |era| era <= last);
            let kept: Box<dyn Fn(usize) -> bool> = Box::new(move |era| era <= last);
            let (panel, leak) = (self.panel.clone(), Leak::TestEras);
            Trial { panel, folds, of, kept, rows: None, leak }
        };
        lasts.into_iter().map(until).collect()
    }

    /// The same again.
    fn again(&self, cut: Cut) -> Trial<'_> {
        let (folds, of) = self.folds_of(cut, |_| true);
        let leak = Leak::Calls(AtomicU64::new(0));
        Trial { panel: self.panel.clone(), folds, of, kept: Box::new(|_| true), rows: None, leak }
    }

    /// The cuts' folds in several threads at once, and what differs most; or the first error.
    pub(crate) fn threads(&self) -> Result<Result<Difference, String>> {
        let trials: Vec<Trial<'_>> = self.cuts().into_iter().map(|cut| self.again(cut)).collect();
        let runs: Vec<_> = std::thread::scope(|scope| {
            let started: Vec<_> = (0..self.settings.threads)
                .map(|number| {
                    // Forwards in one, backwards in the next.
                    let mut order: Vec<&Trial<'_>> = trials.iter().collect();
                    if number % 2 == 1 {
                        order.reverse();
                    }
                    let jobs: Vec<_> = order.iter().map(|t| (&t.panel, &t.folds)).collect();
                    let job = move || -> Vec<_> {
                        jobs.into_iter().map(|(panel, folds)| self.run(panel, folds)).collect()
                    };
                    (order, scope.spawn(job))
                })
                .collect();
            started.into_iter().map(|(order, thread)| (order, thread.join())).collect()
        });
        let mut worst = Difference::default();
        for (order, found) in runs {
            let Ok(found) = found else { return Ok(Err("it panics in a thread".into())) };
            for (trial, run) in order.into_iter().zip(found) {
                match run {
                    Ok(run) => worst = worst.max(self.difference(trial, &run, false)),
                    Err(error) => return Ok(Err(error.to_string())),
                }
            }
        }
        Ok(Ok(worst))
    }

    /// Other training labels must change something.
    pub(crate) fn alive(&self) -> Result<Finding> {
        let Some(&cut) = self.cuts().last() else {
            return Ok(Finding::skipped(
                Check::Alive,
                "no fold has an era behind its first test era",
            ));
        };
        let train = &self.folds[cut.fold].train;
        let (none, taught) = (|_: usize| false, |era: usize| train.binary_search(&era).is_ok());
        let (kind, counter) = (disturb::Kind::Turned, self.counter(cut));
        let panel = disturb::values(self.panel, &none, &taught, kind, counter)?;
        let trial = Trial { panel, ..self.again(cut) };
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
        finding.state = if changed { super::State::Passed } else { super::State::Failed };
        Ok(finding)
    }
}
