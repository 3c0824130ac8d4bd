//! Admission: work asks with an estimate and is let in while the sum stays within the budget.
//!
//! With the capacity `C` and the permits `p_1..p_k` that are held, `b` bytes are admitted when
//! `Σ p_i + b <= C` and, under a live budget, when every limit `L` of which `u` is used now leaves room for
//! them beside the reserve `R` and beside what was promised and is not touched yet:
//!
//! `b + max(0, Σ p_i - (u - u_0)) <= L - u - R`
//!
//! where `u_0` was used of the limit when nothing was held. Of a limit that others share, no more counts as
//! touched than this process has grown by. All of it is looked at under one lock, so that two who ask at
//! once do not get the same bytes.
//!
//! Those who wait are served in the order in which they came, and nobody overtakes them. Under a live
//! budget the machine is asked again whenever one gives back, and at least every [`TICK`]. Memory that
//! others took is waited for as well: they may give it back.
//!
//! Limits: the machine does not say whose bytes have grown. Growth of this process without a permit counts as
//! touched, up to `Σ p_i`, so that as many promised bytes no longer count and may be admitted a second time;
//! the reserve is for it. A heap that the allocator keeps after a permit was given back counts twice: as used,
//! and in the next permit, which would take the same pages again; then work that fits is refused.
//!
//! Cost: a lock; a live budget reads a dozen small files as well.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde::Serialize;

use super::{Bound, Budget, Limit, Machine, Source};

/// How long one who waits trusts what the machine said.
const TICK: Duration = Duration::from_millis(20);

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
    /// Bytes that the machine can give now, beside the reserve and what was promised, where it was asked.
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
    reserve: u64,
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
    /// What the machine said when nothing was held.
    base: Option<Seen>,
}

/// What the machine says at one time.
#[derive(Debug, Clone)]
struct Seen {
    bounds: Vec<Bound>,
    resident: Option<u64>,
}

fn now(room: &Option<u64>) -> String {
    room.map(|room| format!(", {room} are left on the machine")).unwrap_or_default()
}

impl Inner {
    pub(crate) fn new(
        capacity: u64,
        source: Source,
        bounds: Vec<Bound>,
        reserve: u64,
        live: Option<(Machine, Limit)>,
    ) -> Self {
        let (state, given_back) = (Mutex::default(), Condvar::new());
        Self { capacity, source, bounds, reserve, live, state, given_back }
    }

    /// The state; whoever died with the lock left plain numbers behind.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refusal(&self, why: Why, asked: u64, held: u64, room: Option<u64>) -> Refusal {
        let (capacity, source_of_limit) = (self.capacity, self.source.clone());
        Refusal { why, asked, capacity, held, room, source_of_limit }
    }

    /// What the machine can give now, if it is to be asked.
    fn room(&self, state: &mut State, asked: u64) -> Result<Option<u64>, Refusal> {
        let Some((machine, limit)) = &self.live else { return Ok(None) };
        let unknown = || self.refusal(Why::Unknown, asked, state.held, None);
        let bounds = limit.bounds(machine).map_err(|_| unknown())?;
        let resident = machine.processes_use().map_err(|_| unknown())?.resident;
        let now = Seen { bounds, resident };
        if state.held == 0 {
            state.base = Some(now.clone());
        }
        let base = state.base.as_ref().unwrap_or(&now);
        let room = |bound: &Bound| {
            let room = bound.room().saturating_sub(self.reserve);
            let touched = now.touched(bound, base).min(state.held);
            room.saturating_sub(state.held - touched)
        };
        now.bounds.iter().map(room).min().map(Some).ok_or_else(unknown)
    }

    /// Refuses what does not fit now.
    fn check(&self, state: &mut State, bytes: u64) -> Result<(), Refusal> {
        if bytes > self.capacity {
            return Err(self.refusal(Why::Never, bytes, state.held, None));
        }
        let room = self.room(state, bytes)?;
        let refused = |why| self.refusal(why, bytes, state.held, room);
        match room {
            Some(room) if room < bytes => Err(refused(Why::Full)),
            _ if state.held.saturating_add(bytes) > self.capacity => Err(refused(Why::Busy)),
            _ => Ok(()),
        }
    }
}

impl Seen {
    /// How much of a limit has been taken since nothing was held.
    fn touched(&self, bound: &Bound, base: &Self) -> u64 {
        let before = base.bounds.iter().find(|known| known.source == bound.source);
        let grown = before.map_or(0, |before| bound.used.saturating_sub(before.used));
        match (&bound.source, self.resident, base.resident) {
            (Source::Group(_) | Source::Physical, Some(now), Some(before)) => {
                grown.min(now.saturating_sub(before))
            }
            _ => grown,
        }
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
        let mut state = self.inner.state();
        let room = self.inner.room(&mut state, 0)?.unwrap_or(u64::MAX);
        Ok((self.inner.capacity - state.held).min(room))
    }

    /// Leave to take `bytes`, or a refusal at once.
    ///
    /// # Errors
    /// When they do not fit into the budget, or not beside what others hold or wait for, or the machine
    /// has less left.
    pub fn admit(&self, bytes: u64) -> Result<Permit, Refusal> {
        let mut state = self.inner.state();
        self.inner.check(&mut state, bytes)?;
        if !state.queue.is_empty() {
            return Err(self.inner.refusal(Why::Busy, bytes, state.held, None));
        }
        Ok(self.take(&mut state, bytes))
    }

    /// Leave to take `bytes`, waiting for others to give back and for the machine to have room.
    ///
    /// # Errors
    /// At once when waiting cannot help: they do not fit into the whole budget, or the machine does not say
    /// what it has left. [`Why::Late`] after `patience`.
    pub fn admit_within(&self, bytes: u64, patience: Duration) -> Result<Permit, Refusal> {
        let mut state = self.inner.state();
        match self.inner.check(&mut state, bytes) {
            Err(refusal) if matches!(refusal.why, Why::Never | Why::Unknown) => {
                return Err(refusal);
            }
            _ => {}
        }
        let ticket = state.next;
        state.next += 1;
        state.queue.push_back(ticket);
        let (mut state, answer) = self.wait(state, ticket, bytes, patience);
        state.queue.retain(|waiting| *waiting != ticket);
        let answer = answer.map(|()| self.take(&mut state, bytes));
        drop(state);
        // Whoever is next may fit, too.
        self.inner.given_back.notify_all();
        answer
    }

    /// Waits until the ticket's turn has come and its bytes fit.
    #[allow(clippy::disallowed_methods, reason = "this room reads time; patience is measured")]
    fn wait<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        ticket: u64,
        bytes: u64,
        patience: Duration,
    ) -> (MutexGuard<'a, State>, Result<(), Refusal>) {
        let start = Instant::now();
        loop {
            let mut room = None;
            let first = state.queue.front() == Some(&ticket);
            if first {
                match self.inner.check(&mut state, bytes) {
                    Ok(()) => return (state, Ok(())),
                    Err(refusal) if refusal.why == Why::Unknown => {
                        return (state, Err(refusal));
                    }
                    Err(refusal) => room = refusal.room,
                }
            }
            let left = patience.saturating_sub(start.elapsed());
            if left.is_zero() {
                let late = self.inner.refusal(Why::Late, bytes, state.held, room);
                return (state, Err(late));
            }
            let asks = first && self.inner.live.is_some();
            let nap = if asks { left.min(TICK) } else { left };
            let woken = self.inner.given_back.wait_timeout(state, nap);
            (state, _) = woken.unwrap_or_else(PoisonError::into_inner);
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
