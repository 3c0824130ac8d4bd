//! Threads that take turns: a schedule that a seed draws.
//!
//! What threads share shows where another thread comes between a write and a read, and a machine at ease lets none
//! come between. Here one thread runs at a time, and hands on to one that is drawn wherever it calls [`pause`], as in
//! the probabilistic concurrency testing of Burckhardt, Kothari, Musuvathi and Nagarakatte (2010): the same seed finds
//! the same. A thread that waits for what another one holds cannot hand on, so patience ends: the others then run
//! beside it, in an order that is the machine's.

use std::{
    cell::RefCell,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use fattail_stats::{Counter, below};

/// How long nothing may happen before a waiting thread goes on.
const PATIENCE: Duration = Duration::from_millis(200);

thread_local! {
    /// The turn of this thread, where it takes turns.
    static OWN: RefCell<Option<Arc<Turn>>> = const { RefCell::new(None) };
}

/// Lets other threads of a [`Schedule`] go first; elsewhere it does nothing.
pub(crate) fn pause() {
    let own = OWN.with_borrow(Clone::clone);
    if let Some(own) = own {
        own.schedule.hand_on(own.number);
    }
}

/// Which thread runs.
#[derive(Debug)]
pub(crate) struct Schedule {
    now: Mutex<Now>,
    handed: Condvar,
    counter: Counter,
}

#[derive(Debug)]
struct Now {
    /// How many threads are to come, before the first may run.
    expected: usize,
    /// The threads that wait.
    waiting: Vec<usize>,
    running: Option<usize>,
    /// How often the turn was handed on.
    turns: u32,
}

#[derive(Debug)]
struct Turn {
    schedule: Arc<Schedule>,
    number: usize,
}

impl Schedule {
    /// A schedule of so many threads, which waits for all of them.
    pub(crate) fn new(threads: usize, seed: u64) -> Arc<Self> {
        let now = Now { expected: threads, waiting: Vec::new(), running: None, turns: 0 };
        let counter = Counter::new(seed).stream(1 << 41);
        Arc::new(Self { now: Mutex::new(now), handed: Condvar::new(), counter })
    }

    /// Takes part as thread `number` for as long as `work` takes.
    pub(crate) fn join<T>(self: &Arc<Self>, number: usize, work: impl FnOnce() -> T) -> T {
        /// Goes, whether the work ends or panics.
        struct Joined(Arc<Turn>);
        impl Drop for Joined {
            fn drop(&mut self) {
                OWN.set(None);
                self.0.schedule.leave(self.0.number);
            }
        }
        let joined = Joined(Arc::new(Turn { schedule: Arc::clone(self), number }));
        OWN.set(Some(Arc::clone(&joined.0)));
        self.enter(number);
        work()
    }

    fn open(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, number: usize) {
        let mut now = self.open();
        now.expected -= 1;
        now.waiting.push(number);
        if now.expected == 0 {
            // Threads come in an order of their own; the draw is not to depend on it.
            now.waiting.sort_unstable();
            self.draw(&mut now);
        }
        self.wait(now, number);
    }

    fn hand_on(&self, number: usize) {
        let mut now = self.open();
        let place = now.waiting.partition_point(|&other| other < number);
        now.waiting.insert(place, number);
        if now.running.is_none_or(|running| running == number) {
            self.draw(&mut now);
        }
        self.wait(now, number);
    }

    fn leave(&self, number: usize) {
        let mut now = self.open();
        if now.running == Some(number) {
            self.draw(&mut now);
        }
    }

    /// Draws who runs next among those that wait.
    fn draw(&self, now: &mut Now) {
        now.turns = now.turns.wrapping_add(1);
        now.running = match now.waiting.len() {
            0 => None,
            many => Some(now.waiting.remove(below(&mut self.counter.draw(now.turns), many))),
        };
        self.handed.notify_all();
    }

    /// Waits for the turn of a thread, or until patience ends.
    fn wait(&self, mut now: MutexGuard<'_, Now>, number: usize) {
        while now.running != Some(number) {
            let before = now.turns;
            let (open, waited) =
                self.handed.wait_timeout(now, PATIENCE).unwrap_or_else(PoisonError::into_inner);
            now = open;
            if waited.timed_out() && now.turns == before && now.expected == 0 {
                now.turns = now.turns.wrapping_add(1);
                now.waiting.retain(|&other| other != number);
                now.running = Some(number);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// Who did what, step by step: each of three threads takes four steps.
    fn steps(seed: u64) -> Vec<(usize, usize)> {
        let schedule = Schedule::new(3, seed);
        let steps = Mutex::new(Vec::new());
        let work = |number: usize| {
            for step in 0..4 {
                pause();
                steps.lock().unwrap().push((number, step));
            }
        };
        thread::scope(|scope| {
            let (schedule, work) = (&schedule, &work);
            for number in 0..3 {
                scope.spawn(move || schedule.join(number, || work(number)));
            }
        });
        steps.into_inner().unwrap()
    }

    #[test]
    fn a_seed_is_a_schedule() {
        let many: Vec<_> = (0..20).map(steps).collect();
        assert_eq!(many, (0..20).map(steps).collect::<Vec<_>>());
        for all in &many {
            assert_eq!(all.len(), 12);
            for number in 0..3 {
                let own = all.iter().filter(|(of, _)| *of == number);
                assert!(own.map(|(_, step)| *step).eq(0..4), "{all:?}");
            }
        }
        assert!(many.iter().any(|all| all != &many[0]));
    }

    #[test]
    fn who_waits_for_what_another_holds_is_waited_for_no_longer_than_patience() {
        let (schedule, held) = (Schedule::new(2, 0), Mutex::new(0));
        thread::scope(|scope| {
            for number in 0..2 {
                let (schedule, held) = (&schedule, &held);
                scope.spawn(move || {
                    schedule.join(number, || {
                        let mut held = held.lock().unwrap();
                        pause();
                        *held += 1;
                    });
                });
            }
        });
        assert_eq!(held.into_inner().unwrap(), 2);
    }

    #[test]
    fn a_thread_that_panics_leaves_its_turn() {
        let schedule = Schedule::new(2, 0);
        let ended = thread::scope(|scope| {
            let schedule = &schedule;
            let falls = scope.spawn(move || schedule.join(0, || panic!("as planned")));
            let goes_on = scope.spawn(move || schedule.join(1, || (0..10).for_each(|_| pause())));
            (falls.join().is_err(), goes_on.join().is_ok())
        });
        assert_eq!(ended, (true, true));
        // Outside of a schedule nothing waits.
        pause();
    }
}
