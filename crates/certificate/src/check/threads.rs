//! Runs in several threads at once, and in turns.
//!
//! Every thread runs the folds of all cuts, one cut after another, each beginning with another cut, all started
//! together: soon they are at different folds. And again, as often as is asked for.
//!
//! Each time twice. At will, as the machine has it: what two threads do to each other within a fit is found when it
//! happens to. In turns, one thread after the other by a seeded [`Schedule`], handed on where a
//! [`SealedFold`](crate::SealedFold) is asked for its training rows or for a prediction, and where a fit of
//! [`Backtested`](crate::Backtested) ends: what one fold leaves for another to find between those is found on any
//! machine. Turns end where a thread works or waits for longer than [`PATIENCE`] without handing on, and threads that
//! the procedure starts itself take none; the note says where no turn was taken.
//!
//! What must be seen, both times, is a buffer that all runs share: each run writes its number into it, waits for the
//! others, and adds a hundredth of the spread where it finds another number. It goes through the same threads, so
//! threads that do not overlap make the certificate void.

use std::{
    mem,
    sync::{
        Arc, Barrier,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use fattail_stats::Counter;

use super::{Bench, Check, Difference, Finding, Trial, compare::PLANTED, trials::ALL};
use crate::{
    Result, Run,
    turns::{Schedule, pause},
};

/// How long a thread may work before turns are given up.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often a planted run lets other threads go first before it reads its buffer.
const PAUSES: usize = 1 << 13;

/// The planted buffer.
#[derive(Default)]
struct Buffer {
    runs: AtomicU64,
    last: AtomicU64,
}

/// What was found by threads at will, or by those that take turns.
struct Way {
    name: &'static str,
    worst: Difference,
    caught: bool,
}

impl Way {
    fn of(name: &'static str) -> Self {
        Self { name, worst: Difference::default(), caught: false }
    }
}

/// What is to be said where no fold was interrupted by a turn; `own` turns are those of the threads themselves.
fn no_turns(turns: Option<u32>, own: usize) -> Option<&'static str> {
    match turns {
        None => Some("turns were given up: a thread worked or waited for long"),
        Some(turns) if turns as usize <= own => Some("no turn was taken within a fold"),
        Some(_) => None,
    }
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
        let mut ways = [Way::of("at will"), Way::of("in turns")];
        // What the threads themselves hand on: at their start, before each job and at their end.
        let own = 1 + self.settings.threads * (jobs.len() + 1);
        let mut note = None;
        for round in 0..self.settings.rounds {
            for (way, in_turns) in ways.iter_mut().zip([false, true]) {
                let schedule = in_turns.then(|| self.schedule(round));
                match self.at_once(&jobs, schedule.as_ref(), &run) {
                    Ok(found) => way.worst = mem::take(&mut way.worst).max(found),
                    Err(error) => return self.broken(check, &error),
                }
                note = note.or_else(|| no_turns(schedule?.turns(), own));
                let buffer = Buffer::default();
                let planted = |trial: &Trial<'_>| Ok(self.mixed(trial, &buffer));
                let schedule = in_turns.then(|| self.schedule(round));
                way.caught |= self
                    .at_once(&jobs, schedule.as_ref(), &planted)
                    .is_ok_and(|found| found.spreads > self.settings.tolerance);
            }
        }
        let caught = ways.iter().all(|way| way.caught);
        let worst = ways.iter().map(|way| way.worst.spreads).fold(0.0, f64::max);
        let found = ways.iter().filter(|way| way.worst.spreads > 0.0);
        let places = found.map(|way| format!("{}: {}", way.name, way.worst.place));
        let note: Vec<String> = places.chain(note.map(str::to_owned)).collect();
        self.finding(check, worst, Some(caught), note.join("; "))
    }

    fn schedule(&self, round: usize) -> Arc<Schedule> {
        let counter = Counter::new(self.settings.seed).stream((1 << 41) + round as u64);
        Schedule::new(self.settings.threads, counter, PATIENCE)
    }

    /// Runs all jobs in every thread, at will or in turns, and tells what differs most; or the first error.
    fn at_once(
        &self,
        jobs: &[Trial<'_>],
        schedule: Option<&Arc<Schedule>>,
        run: &(dyn Fn(&Trial<'_>) -> Result<Run> + Sync),
    ) -> Result<Difference, String> {
        let start = Barrier::new(self.settings.threads);
        let one_by_one = |number: usize| {
            let own = (0..jobs.len()).map(|at| &jobs[(number + at) % jobs.len()]);
            let own = own.inspect(|_| pause());
            own.map(|job| (job, run(job))).collect::<Vec<_>>()
        };
        let work = |number: usize| match schedule {
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
        for _ in (0..PAUSES).take_while(|_| alone()) {
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
