//! Admission: work asks with an estimate and is let in while the sum stays within the budget.
//!
//! With the capacity `C` and the permits `p_1..p_k` that are held, `b` bytes are admitted when
//! `Σ p_i + b <= C` and, under a live budget, the machine's room is at least `b` now. Those who wait are
//! served in the order in which they came, and nobody overtakes them.
//!
//! Cost: a lock; a live budget reads a dozen small files as well.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::Serialize;

use super::{Bound, Budget, Limit, Machine, Source};

/// Why memory is refused, with the figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{asked} bytes are refused, {why}: the budget is {capacity} bytes by {source_of_limit}, {held} are held{}", now(.room))]
pub struct Refusal {
    /// Why.
    pub why: Why,
    /// Bytes asked for.
    pub asked: u64,
    /// Bytes of the whole budget.
    pub capacity: u64,
    /// Bytes that others hold.
    pub held: u64,
    /// Bytes that the machine can give now, where it was asked.
    pub room: Option<u64>,
    /// The limit that leaves the least room.
    pub source_of_limit: Source,
}

/// Why memory is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Why {
    /// It is more than the whole budget.
    #[error("which never fit")]
    Never,
    /// It fits once others give back, or have been served.
    #[error("which do not fit beside others")]
    Busy,
    /// Others did not give back in time.
    #[error("which others did not give back in time")]
    Late,
    /// The machine has less left than the budget, because something else took it.
    #[error("which the machine does not have now")]
    Full,
    /// The machine does not say what it has left.
    #[error("because the machine cannot be read")]
    Unknown,
}

/// Leave to take so many bytes, given back when it is dropped.
#[derive(Debug)]
#[must_use = "the bytes are given back when the permit is dropped"]
pub struct Permit {
    budget: Budget,
    bytes: u64,
}

/// What clones of a budget share.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) capacity: u64,
    pub(crate) source: Source,
    pub(crate) bounds: Vec<Bound>,
    live: Option<(Machine, Limit)>,
    state: Mutex<State>,
    given_back: Condvar,
}

#[derive(Debug, Default)]
struct State {
    held: u64,
    most: u64,
    queue: VecDeque<u64>,
    next: u64,
}

fn now(room: &Option<u64>) -> String {
    room.map(|room| format!(", {room} are left on the machine")).unwrap_or_default()
}

impl Inner {
    pub(crate) fn new(
        capacity: u64,
        source: Source,
        bounds: Vec<Bound>,
        live: Option<(Machine, Limit)>,
    ) -> Self {
        let (state, given_back) = (Mutex::default(), Condvar::new());
        Self { capacity, source, bounds, live, state, given_back }
    }

    /// The state; whoever died with the lock left plain numbers behind.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fits(&self, state: &State, bytes: u64) -> bool {
        state.held.checked_add(bytes).is_some_and(|sum| sum <= self.capacity)
    }

    fn refusal(&self, why: Why, asked: u64, held: u64, room: Option<u64>) -> Refusal {
        let (capacity, source_of_limit) = (self.capacity, self.source.clone());
        Refusal { why, asked, capacity, held, room, source_of_limit }
    }

    /// What the machine has left now, if it is to be asked.
    fn room(&self, asked: u64) -> Result<Option<u64>, Refusal> {
        let Some((machine, limit)) = &self.live else { return Ok(None) };
        let unknown = || self.refusal(Why::Unknown, asked, self.state().held, None);
        let bounds = limit.bounds(machine).map_err(|_| unknown())?;
        bounds.iter().map(Bound::room).min().ok_or_else(unknown).map(Some)
    }
}

impl Budget {
    /// Bytes that permits hold now.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.inner.state().held
    }

    /// The most bytes that permits have held.
    #[must_use]
    pub fn most_held(&self) -> u64 {
        self.inner.state().most
    }

    /// Bytes that would be admitted now.
    ///
    /// # Errors
    /// When the machine does not say what it has left.
    pub fn free(&self) -> Result<u64, Refusal> {
        let room = self.inner.room(0)?.unwrap_or(u64::MAX);
        Ok((self.inner.capacity - self.held()).min(room))
    }

    /// Leave to take `bytes`, or a refusal at once.
    ///
    /// # Errors
    /// When they do not fit into the budget, or not beside what others hold or wait for, or the machine
    /// has less left.
    pub fn admit(&self, bytes: u64) -> Result<Permit, Refusal> {
        let room = self.live_room(bytes)?;
        let mut state = self.inner.state();
        if !state.queue.is_empty() || !self.inner.fits(&state, bytes) {
            return Err(self.inner.refusal(Why::Busy, bytes, state.held, room));
        }
        Ok(self.take(&mut state, bytes))
    }

    /// Leave to take `bytes`, waiting for others to give back.
    ///
    /// # Errors
    /// As [`Budget::admit`], at once when waiting cannot help: they do not fit into the whole budget, or
    /// the machine has less left. [`Why::Late`] after `patience`.
    pub fn admit_within(&self, bytes: u64, patience: Duration) -> Result<Permit, Refusal> {
        let room = self.live_room(bytes)?;
        let mut state = self.inner.state();
        let ticket = state.next;
        state.next += 1;
        state.queue.push_back(ticket);
        let (mut state, _) = self
            .inner
            .given_back
            .wait_timeout_while(state, patience, |state| {
                state.queue.front() != Some(&ticket) || !self.inner.fits(state, bytes)
            })
            .unwrap_or_else(PoisonError::into_inner);
        let served = state.queue.front() == Some(&ticket) && self.inner.fits(&state, bytes);
        state.queue.retain(|waiting| *waiting != ticket);
        let permit = served.then(|| self.take(&mut state, bytes));
        let held = state.held;
        drop(state);
        // Whoever is next may fit, too.
        self.inner.given_back.notify_all();
        let Some(permit) = permit else {
            return Err(self.inner.refusal(Why::Late, bytes, held, room));
        };
        // The machine may have changed meanwhile; a permit that is refused gives back.
        self.live_room(bytes).map(|_| permit)
    }

    /// Refuses what waiting does not help, and tells what the machine has left.
    fn live_room(&self, bytes: u64) -> Result<Option<u64>, Refusal> {
        if bytes > self.inner.capacity {
            return Err(self.inner.refusal(Why::Never, bytes, self.held(), None));
        }
        match self.inner.room(bytes)? {
            Some(room) if room < bytes => {
                Err(self.inner.refusal(Why::Full, bytes, self.held(), Some(room)))
            }
            room => Ok(room),
        }
    }

    /// The refusal of work that cannot be cut small enough.
    pub(crate) fn too_large(&self, bytes: u64, free: u64) -> Refusal {
        let why = if bytes > self.inner.capacity { Why::Never } else { Why::Busy };
        self.inner.refusal(why, bytes, self.held(), Some(free))
    }

    fn take(&self, state: &mut State, bytes: u64) -> Permit {
        state.held += bytes;
        state.most = state.most.max(state.held);
        Permit { budget: self.clone(), bytes }
    }
}

impl Permit {
    /// Bytes that it holds.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Gives back all but `bytes`; more than it holds changes nothing.
    pub fn shrink_to(&mut self, bytes: u64) {
        let given = self.bytes.saturating_sub(bytes);
        self.bytes -= given;
        self.give_back(given);
    }

    fn give_back(&self, bytes: u64) {
        self.budget.inner.state().held -= bytes;
        self.budget.inner.given_back.notify_all();
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.give_back(self.bytes);
    }
}
