//! Runs in several threads at once, and in turns.
//!
//! Every thread runs the folds of all cuts, one cut after another, each beginning with another cut, all started
//! together: soon they are at different folds. And again, as often as is asked for.
//!
//! Each time twice. At will, as the machine has it: what two threads do to each other within a fit is found when it
//! happens to. In turns, one thread after the other by a seeded [`Schedule`], handed on where a
//! [`SealedFold`](crate::SealedFold) is asked for its training rows or for a prediction, and where a fit of
//! [`Backtested`](crate::Backtested) ends: what one fold leaves for another to find between those is found whatever the
//! machine.
//!
//! What must be seen, both times, is a buffer that all runs share: each run writes its number into it, waits for the
//! others, and adds a hundredth of the spread where it finds another number. It goes through the same threads, so
//! threads that do not overlap make the certificate void.

use std::{
    sync::{
        Arc, Barrier,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use super::{Bench, Check, Difference, Finding, Trial, compare::PLANTED, trials::ALL};
use crate::{
    Result, Run,
    turns::{Schedule, pause},
};

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
        let mut caught = [false; 2];
        for round in 0..self.settings.rounds {
            for (caught, in_turns) in caught.iter_mut().zip([false, true]) {
                let schedule = || in_turns.then(|| self.schedule(round));
                match self.at_once(&jobs, schedule(), &run) {
                    Ok(found) => worst = worst.max(found),
                    Err(error) => return self.broken(check, &error),
                }
                let buffer = Buffer::default();
                let planted = |trial: &Trial<'_>| Ok(self.mixed(trial, &buffer));
                *caught |= self
                    .at_once(&jobs, schedule(), &planted)
                    .is_ok_and(|found| found.spreads > self.settings.tolerance);
            }
        }
        self.finding(check, worst.spreads, Some(caught == [true; 2]), worst.place)
    }

    fn schedule(&self, round: usize) -> Arc<Schedule> {
        Schedule::new(self.settings.threads, self.settings.seed.wrapping_add(round as u64))
    }

    /// Runs all jobs in every thread, at will or in turns, and tells what differs most; or the first error.
    fn at_once(
        &self,
        jobs: &[Trial<'_>],
        schedule: Option<Arc<Schedule>>,
        run: &(dyn Fn(&Trial<'_>) -> Result<Run> + Sync),
    ) -> Result<Difference, String> {
        let start = Barrier::new(self.settings.threads);
        let one_by_one = |number: usize| {
            let own = (0..jobs.len()).map(|at| &jobs[(number + at) % jobs.len()]);
            let own = own.inspect(|_| pause());
            own.map(|job| (job, run(job))).collect::<Vec<_>>()
        };
        let work = |number: usize| match &schedule {
            Some(schedule) => schedule.join(number, || one_by_one(number)),
            None => {
                start.wait();
                one_by_one(number)
            }
        };
        let runs: Vec<_> = thread::scope(|scope| {
            let work = &work;
            let started: Vec<_> = (0..self.settings.threads)
                .map(|number| scope.spawn(move || work(number)))
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
            pause();
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
