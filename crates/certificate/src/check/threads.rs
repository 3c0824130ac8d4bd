//! Runs in several threads at once.
//!
//! Every thread runs the folds of all cuts, one cut after another, each beginning with another cut, all started
//! together: soon they are at different folds. And again, as often as is asked for. What must be seen is a buffer
//! that all runs share: each run writes its number into it, waits for the others, and adds a hundredth of the spread
//! where it finds another number. It goes through the same threads, so threads that do not overlap make the
//! certificate void.

use std::{
    sync::{
        Barrier,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use super::{Bench, Check, Difference, Finding, Trial, compare::PLANTED, trials::ALL};
use crate::{Result, Run};

/// How often a planted run lets other threads go first before it reads its buffer.
const PATIENCE: usize = 1 << 13;

/// The planted buffer.
#[derive(Default)]
struct Buffer {
    runs: AtomicU64,
    last: AtomicU64,
}

impl Bench<'_> {
    pub(super) fn threads(&self) -> Finding {
        let check = Check::Threads;
        let mut jobs: Vec<Trial<'_>> = Vec::new();
        for cut in self.cuts() {
            let job = Trial { first: &self.base.predictions, ..self.again(cut, ALL) };
            if !jobs.iter().any(|known| known.of == job.of) {
                jobs.push(job);
            }
        }
        if jobs.is_empty() {
            return self.no_cut(check);
        }
        let run = |trial: &Trial<'_>| self.run(&trial.panel, &trial.folds);
        let mut worst = Difference::default();
        let mut caught = false;
        for _ in 0..self.settings.rounds {
            match self.at_once(&jobs, &run) {
                Ok(found) => worst = worst.max(found),
                Err(error) => return self.broken(check, &error),
            }
            let buffer = Buffer::default();
            let planted = |trial: &Trial<'_>| Ok(self.mixed(trial, &buffer));
            caught |= self
                .at_once(&jobs, &planted)
                .is_ok_and(|found| found.spreads > self.settings.tolerance);
        }
        self.finding(check, worst.spreads, Some(caught), worst.place)
    }

    /// Runs all jobs in every thread, and tells what differs most; or the first error.
    fn at_once(
        &self,
        jobs: &[Trial<'_>],
        run: &(dyn Fn(&Trial<'_>) -> Result<Run> + Sync),
    ) -> Result<Difference, String> {
        let start = Barrier::new(self.settings.threads);
        let runs: Vec<_> = thread::scope(|scope| {
            let started: Vec<_> = (0..self.settings.threads)
                .map(|number| {
                    let start = &start;
                    let own = (0..jobs.len()).map(move |at| &jobs[(number + at) % jobs.len()]);
                    scope.spawn(move || {
                        start.wait();
                        own.map(|job| (job, run(job))).collect::<Vec<_>>()
                    })
                })
                .collect();
            started.into_iter().map(thread::ScopedJoinHandle::join).collect()
        });
        let mut worst = Difference::default();
        for found in runs {
            for (job, run) in found.map_err(|_| "it panics in a thread")? {
                let run = run.map_err(|error| error.to_string())?;
                worst = worst.max(self.difference(job, &run, false));
            }
        }
        Ok(worst)
    }

    /// The predictions as they are, or with what another thread has left in the buffer.
    fn mixed(&self, trial: &Trial<'_>, buffer: &Buffer) -> Run {
        let own = 1 + buffer.runs.fetch_add(1, Ordering::SeqCst);
        buffer.last.store(own, Ordering::SeqCst);
        let alone = || buffer.last.load(Ordering::SeqCst) == own;
        for _ in (0..PATIENCE).take_while(|_| alone()) {
            thread::yield_now();
        }
        let leak = |of: usize| if alone() { 0.0 } else { PLANTED * self.spreads[of] };
        let predictions = trial.of.iter().map(|&of| {
            let leak = leak(of);
            trial.first[of].iter().map(|&value| (f64::from(value) + leak) as f32).collect()
        });
        Run { predictions: predictions.collect(), reads: Vec::new() }
    }
}
