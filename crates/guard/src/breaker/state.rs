//! The state of a breaker and its moves: times go in, nothing is read.
//!
//! Times are whole milliseconds from 1970. An open breaker keeps when it opened and for how long, not only
//! until when: once the clock reads earlier than the opening, the opening is moved to the time it reads.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use fattail_stats::{Counter, unit};
use serde::{Deserialize, Serialize};

use super::BreakerSettings;
use crate::{Error, Result};

/// The longest wait that a setting may ask for.
pub(super) const LONGEST: Duration = Duration::from_secs(366 * 86_400);
/// Milliseconds from 1970 to the year 10000.
const LAST: u64 = 253_402_300_800_000;
/// Causes that are told apart; later ones count together.
const CAUSES: usize = 64;
/// Characters of a cause that are kept.
const CAUSE: usize = 200;
const OTHERS: &str = "other causes";

/// Why no attempt is allowed now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no attempt is allowed for {} ms: {failures} failures in a row, the last one: {reason}", wait.as_millis())]
pub struct Refused {
    /// From when on it is allowed.
    pub until: SystemTime,
    /// How long that is from now.
    pub wait: Duration,
    /// The cause of the last failure.
    pub reason: String,
    /// Failures in a row.
    pub failures: u32,
}

/// What a breaker counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Failures since the last success.
    pub failures: u32,
    /// The same by cause.
    pub causes: BTreeMap<String, u64>,
    /// The cause of the last failure.
    pub last_cause: Option<String>,
    /// Openings since the last success.
    pub openings: u32,
    /// Until when it refuses, if it is open; half open from then on.
    pub until: Option<SystemTime>,
    /// Attempts that succeeded, ever.
    pub successes: u64,
    /// Whether an attempt was under way when the state was last written.
    pub running: bool,
}

/// The state on disk.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    failures: u32,
    causes: BTreeMap<String, u64>,
    last_cause: Option<String>,
    openings: u32,
    /// Openings ever: the draw of the jitter.
    draws: u32,
    open: Option<Opened>,
    successes: u64,
    pub(super) running: Option<Running>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Opened {
    at: u64,
    wait: u64,
}

/// An attempt under way: who makes it and when it last was known to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Running {
    process: u32,
    /// The boot of the machine, where it has a name.
    boot: Option<String>,
    pub(super) since: u64,
}

/// A time in milliseconds from 1970.
pub(super) fn millis(time: SystemTime) -> Result<u64> {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Err(before) => Err(Error::Clock(-seconds(before.duration()).max(1))),
        Ok(since) => match u64::try_from(since.as_millis()) {
            Ok(millis) if millis < LAST => Ok(millis),
            _ => Err(Error::Clock(seconds(since))),
        },
    }
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

fn time(millis: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
}

impl Running {
    pub(super) fn here(since: u64) -> Self {
        Self { process: std::process::id(), boot: boot(), since }
    }

    /// The cause of a failure that nobody told.
    pub(super) fn unanswered(&self) -> String {
        let same_boot = self.boot == boot();
        if same_boot && self.process == std::process::id() {
            "no answer: the attempt was dropped".into()
        } else if same_boot {
            "no answer: the process was killed or left".into()
        } else {
            "no answer: the machine went down".into()
        }
    }
}

/// The name of the machine's boot.
fn boot() -> Option<String> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(text.trim().to_owned())
}

impl State {
    /// What no sequence of moves leads to.
    pub(super) fn check(&self) -> Result<(), String> {
        let counted: u64 = self.causes.values().copied().fold(0, u64::saturating_add);
        let longest = u64::try_from(LONGEST.as_millis()).unwrap_or(u64::MAX);
        let wrong = if counted != u64::from(self.failures) {
            "causes and failures do not agree"
        } else if self.last_cause.is_some() != (self.failures > 0) {
            "the last cause and failures do not agree"
        } else if self.open.is_some() != (self.openings > 0) || self.openings > self.failures {
            "openings and failures do not agree"
        } else if self.openings > self.draws {
            "openings and draws do not agree"
        } else if self.open.is_some_and(|open| open.at >= LAST || open.wait > longest)
            || self.running.as_ref().is_some_and(|running| running.since >= LAST)
        {
            "a time cannot be"
        } else {
            return Ok(());
        };
        Err(wrong.into())
    }

    /// Allows an attempt, or says from when on.
    pub(super) fn ask(&mut self, now: u64, settings: &BreakerSettings) -> Result<(), Refused> {
        let Some(open) = &mut self.open else { return Ok(()) };
        if now < open.at {
            open.at = now;
        }
        // Settings may have become shorter since.
        let cap = u64::try_from(settings.cap.as_millis()).unwrap_or(u64::MAX);
        let until = open.at + open.wait.min(cap);
        if now >= until {
            return Ok(());
        }
        Err(Refused {
            until: time(until),
            wait: Duration::from_millis(until - now),
            reason: self.last_cause.clone().unwrap_or_default(),
            failures: self.failures,
        })
    }

    /// Counts a failure, and opens when there are enough or the breaker was half open.
    pub(super) fn fail(&mut self, cause: &str, now: u64, settings: &BreakerSettings) {
        if self.failures == u32::MAX {
            return;
        }
        self.failures += 1;
        let cause: String = cause.chars().take(CAUSE).collect();
        let known = self.causes.contains_key(&cause) || self.causes.len() < CAUSES;
        *self.causes.entry(if known { cause.clone() } else { OTHERS.into() }).or_insert(0) += 1;
        self.last_cause = Some(cause);
        if self.open.is_some() || self.failures >= settings.threshold {
            self.openings += 1;
            self.draws = self.draws.saturating_add(1).max(self.openings);
            self.open = Some(Opened { at: now, wait: self.wait(settings) });
        }
    }

    fn wait(&self, settings: &BreakerSettings) -> u64 {
        let cap = settings.cap.as_secs_f64();
        let exponent = i32::try_from(self.openings - 1).unwrap_or(i32::MAX);
        let wait = (settings.base.as_secs_f64() * settings.factor.powi(exponent)).min(cap);
        let chance = unit(&mut Counter::new(settings.seed).draw(self.draws));
        (1e3 * wait * (1.0 - settings.jitter * chance)).ceil() as u64
    }

    /// Closed, with nothing counted.
    pub(super) fn succeeded(&self) -> Self {
        let successes = self.successes.saturating_add(1);
        Self { draws: self.draws, successes, ..Self::default() }
    }

    pub(super) fn status(&self) -> Status {
        Status {
            failures: self.failures,
            causes: self.causes.clone(),
            last_cause: self.last_cause.clone(),
            openings: self.openings,
            until: self.open.map(|open| time(open.at + open.wait)),
            successes: self.successes,
            running: self.running.is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> BreakerSettings {
        BreakerSettings { threshold: 2, jitter: 0.0, ..BreakerSettings::default() }
    }

    const START: u64 = 1_800_000_000_000;

    #[test]
    fn opens_doubles_and_closes() {
        let (mut state, settings) = (State::default(), settings());
        state.fail("a", START, &settings);
        assert!(state.ask(START, &settings).is_ok());
        state.fail("b", START, &settings);
        let refused = state.ask(START + 1, &settings).unwrap_err();
        assert_eq!(
            (refused.wait.as_millis(), &*refused.reason, refused.failures),
            (29_999, "b", 2)
        );
        assert!(state.ask(START + 30_000, &settings).is_ok());
        // Half open: one failure is enough.
        state.fail("a", START + 30_000, &settings);
        assert_eq!(state.ask(START + 30_000, &settings).unwrap_err().wait.as_secs(), 60);
        assert_eq!(state.status().causes, BTreeMap::from([("a".into(), 2), ("b".into(), 1)]));
        assert!(state.check().is_ok());
        let state = state.succeeded();
        assert_eq!((state.status().failures, state.status().successes), (0, 1));
        assert!(state.check().is_ok());
    }

    #[test]
    fn waits_stay_below_the_cap_and_jitter_takes_off() {
        let settings = BreakerSettings { jitter: 0.5, threshold: 1, ..settings() };
        let mut state = State::default();
        let mut waits = Vec::new();
        for _ in 0..2000 {
            state.fail("a", START, &settings);
            waits.push(state.ask(START, &settings).unwrap_err().wait.as_secs_f64());
        }
        assert!(waits[0] > 14.9 && waits[0] <= 30.0 && waits[1] > 29.9 && waits[1] <= 60.0);
        assert!(waits[20..].iter().all(|&wait| (1800.0..=3600.0).contains(&wait)));
        let mean = waits[20..].iter().sum::<f64>() / 1980.0;
        assert!((mean - 2700.0).abs() < 60.0, "{mean}");
        assert!(state.check().is_ok());
    }

    #[test]
    fn a_clock_that_goes_back_costs_one_wait_at_most() {
        let (mut state, settings) =
            (State::default(), BreakerSettings { threshold: 1, ..settings() });
        state.fail("a", START + 1_000_000_000, &settings);
        let refused = state.ask(START, &settings).unwrap_err();
        assert_eq!(refused.wait.as_secs(), 30);
        assert!(state.ask(START + 29_999, &settings).is_err());
        assert!(state.ask(START + 30_000, &settings).is_ok());
    }

    #[test]
    fn causes_are_bounded() {
        let (mut state, settings) = (State::default(), settings());
        (0..1000).for_each(|at| state.fail(&format!("{at}{}", "x".repeat(500)), START, &settings));
        let causes = state.status().causes;
        assert_eq!((causes.len(), causes[OTHERS]), (CAUSES + 1, 1000 - CAUSES as u64));
        assert!(causes.keys().all(|cause| cause.chars().count() <= CAUSE));
        assert!(state.check().is_ok());
    }

    #[test]
    fn times_that_cannot_be() {
        assert!(millis(SystemTime::UNIX_EPOCH - Duration::from_secs(1)).is_err());
        assert!(millis(SystemTime::UNIX_EPOCH + Duration::from_secs(LAST / 1000)).is_err());
        assert_eq!(millis(time(START)).unwrap(), START);
    }
}
