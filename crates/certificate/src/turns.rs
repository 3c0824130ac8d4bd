//! Threads that take turns: a schedule that a seed draws.
//!
//! What threads share shows where another thread comes between a write and a read, and a machine at ease lets none
//! come between. Here one thread runs at a time, and wherever it calls [`pause`] it hands on to one drawn among all: a
//! random walk over the interleavings of what lies between pauses. The same seed takes the same walk.
//!
//! A thread that waits for what another one holds cannot hand on. Nobody can tell it from one that works, so
//! patience ends: then turns are given up, once and for all threads, which go on at will.

use std::{
    cell::RefCell,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use fattail_stats::{Counter, below};

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
    /// How long no turn may be handed on before turns are given up.
    patience: Duration,
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
    given_up: bool,
}

#[derive(Debug)]
struct Turn {
    schedule: Arc<Schedule>,
    number: usize,
}

impl Schedule {
    /// A schedule of so many threads, which waits for all of them.
    pub(crate) fn new(threads: usize, counter: Counter, patience: Duration) -> Arc<Self> {
        let now = Mutex::new(Now {
            expected: threads,
            waiting: Vec::new(),
            running: None,
            turns: 0,
            given_up: false,
        });
        Arc::new(Self { now, handed: Condvar::new(), counter, patience })
    }

    /// How often the turn was handed on; nothing where turns were given up.
    pub(crate) fn turns(&self) -> Option<u32> {
        let now = self.open();
        (!now.given_up).then_some(now.turns)
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
        if now.given_up {
            return;
        }
        let place = now.waiting.partition_point(|&other| other < number);
        now.waiting.insert(place, number);
        self.draw(&mut now);
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
        while now.running != Some(number) && !now.given_up {
            let before = now.turns;
            let waited = self.handed.wait_timeout(now, self.patience);
            let (open, waited) = waited.unwrap_or_else(PoisonError::into_inner);
            now = open;
            if waited.timed_out() && now.turns == before && now.expected == 0 {
                now.given_up = true;
                self.handed.notify_all();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// Longer than any machine stands still.
    const LONG: Duration = Duration::from_secs(600);

    /// Who did what, step by step: each of three threads takes four steps.
    fn steps(seed: u64) -> Vec<(usize, usize)> {
        let schedule = Schedule::new(3, Counter::new(seed), LONG);
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
        // The first turn, and one for each pause and each end.
        assert_eq!(schedule.turns(), Some(1 + 3 * 4 + 3));
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
    fn turns_are_given_up_where_a_thread_waits_for_what_another_holds() {
        let short = Duration::from_millis(20);
        let (schedule, held) = (Schedule::new(2, Counter::new(0), short), Mutex::new(0));
        thread::scope(|scope| {
            for number in 0..2 {
                let (schedule, held) = (&schedule, &held);
                scope.spawn(move || {
                    schedule.join(number, || {
                        let mut held = held.lock().unwrap();
                        (0..10).for_each(|_| pause());
                        *held += 1;
                    });
                });
            }
        });
        assert_eq!((held.into_inner().unwrap(), schedule.turns()), (2, None));
    }

    #[test]
    fn a_thread_that_panics_leaves_its_turn() {
        let schedule = Schedule::new(2, Counter::new(0), LONG);
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
