//! The circuit breaker: a job that keeps failing is not started again at once.
//!
//! Closed, attempts are allowed. After `threshold` failures in a row it opens and refuses attempts for
//!
//! `w_k = min(cap, base · factor^(k-1)) · (1 - jitter · u_k)`
//!
//! where `k` counts openings since the last success and `u_k` is uniform on `[0, 1)`, draw `n` of the seed
//! with `n` all openings so far. The seed is the setting's, mixed with the CRC-32 of the state file's
//! absolute path, so that two jobs with the same settings do not wait alike. Then it is half open: one attempt is allowed, whose success closes it and
//! forgets what was counted, and whose failure opens it for `w_{k+1}`.
//!
//! The state is on disk, and so is that an attempt runs. An attempt that never answered, because it was
//! dropped or its process killed, counts as a failure when the next one asks, of the time when it was last
//! known to run: its start, or the last [`Attempt::beat`]. So a weekly job that was killed runs the week
//! after. Whoever has the breaker
//! open holds a lock that the system takes back from the dead, so what runs under a free lock is dead.
//!
//! The time is handed in. A clock that goes back never opens a breaker early, and never keeps one shut
//! longer than one full wait. A state that cannot be trusted is an error until it is reset.
//!
//! Cost: an attempt writes two small files, each brought to the disk before it is trusted.

mod file;
mod state;

pub use state::{Refused, Status};

use std::{
    fs::File,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

use self::state::{Running, State};
use crate::{Error, Result};

/// Settings of a breaker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BreakerSettings {
    /// Failures in a row that open it.
    pub threshold: u32,
    /// The first wait.
    pub base: Duration,
    /// What the wait grows by from opening to opening.
    pub factor: f64,
    /// The longest wait.
    pub cap: Duration,
    /// The share of a wait that chance may take off, so that jobs that failed together do not come back
    /// together.
    pub jitter: f64,
    /// Seed of the jitter, mixed with the path of the state file.
    pub seed: u64,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            threshold: 3,
            base: Duration::from_secs(30),
            factor: 2.0,
            cap: Duration::from_secs(3600),
            jitter: 0.2,
            seed: 0,
        }
    }
}

/// A circuit breaker whose state is on disk.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use fattail_guard::{Breaker, BreakerSettings, Error};
///
/// let folder = tempfile::tempdir()?;
/// let settings = BreakerSettings { threshold: 1, jitter: 0.0, ..BreakerSettings::default() };
/// let mut breaker = Breaker::open(folder.path().join("train.json"), settings)?;
///
/// let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
/// breaker.permit(now)?.failed("out of memory", now)?;
/// let Err(Error::Open(refused)) = breaker.permit(now) else { panic!("it is open") };
/// assert_eq!(refused.until, now + Duration::from_secs(30));
///
/// let later = now + Duration::from_secs(31);
/// breaker.permit(later)?.succeeded()?;
/// assert!(breaker.permit(later).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Breaker {
    path: PathBuf,
    settings: BreakerSettings,
    state: State,
    /// Held as long as the breaker is open.
    _lock: File,
}

/// Leave to try. Without an answer it counts as a failure.
#[derive(Debug)]
#[must_use = "an attempt without an answer counts as a failure"]
pub struct Attempt<'a> {
    breaker: &'a mut Breaker,
}

impl Breaker {
    /// Opens the breaker of a state file, which need not be there yet. A lock file stands beside it.
    ///
    /// # Errors
    /// [`Error::Locked`] while another holds it, [`Error::Corrupt`] for a state that cannot be trusted,
    /// [`Error::Setting`] for a setting out of range, [`Error::File`] when files cannot be used.
    pub fn open(path: impl Into<PathBuf>, settings: BreakerSettings) -> Result<Self> {
        settings.check()?;
        let path = path.into();
        let settings = BreakerSettings { seed: settings.seed ^ file::salt(&path), ..settings };
        let lock = file::lock(&path)?;
        let state = file::read(&path)?.unwrap_or_default();
        state.check().map_err(|reason| Error::Corrupt { path: path.clone(), reason })?;
        Ok(Self { path, settings, state, _lock: lock })
    }

    /// Puts a closed state in the place of one that is corrupt or no longer wanted. The old file is kept
    /// beside it, under the ending `.old`.
    ///
    /// # Errors
    /// [`Error::Locked`] while another holds it, [`Error::File`] when files cannot be used.
    pub fn reset(path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let _lock = file::lock(path)?;
        file::put_aside(path)?;
        file::write(path, &State::default())
    }

    /// Asks for leave to try.
    ///
    /// # Errors
    /// [`Error::Open`] with the time from which it is allowed again; [`Error::Clock`] for a time that
    /// cannot be; [`Error::File`] when the state cannot be written, for then nothing would be counted.
    pub fn permit(&mut self, now: SystemTime) -> Result<Attempt<'_>> {
        let time = state::millis(now)?;
        let mut next = self.state.clone();
        if let Some(run) = next.running.take() {
            next.fail(&run.unanswered(), run.since.min(time), &self.settings);
        }
        let answer = next.ask(time, &self.settings);
        if answer.is_ok() {
            next.running = Some(Running::here(time));
        }
        self.save(next)?;
        answer.map(|()| Attempt { breaker: self }).map_err(Error::Open)
    }

    /// What is counted.
    #[must_use]
    pub fn status(&self) -> Status {
        self.state.status()
    }

    /// The state changes in memory once it has on disk.
    fn save(&mut self, next: State) -> Result<()> {
        if next != self.state {
            file::write(&self.path, &next)?;
            self.state = next;
        }
        Ok(())
    }
}

impl Attempt<'_> {
    /// Tells that the attempt still runs. If it then never answers, it failed at this time.
    ///
    /// # Errors
    /// [`Error::Clock`] and [`Error::File`]; the attempt runs on as before.
    pub fn beat(&mut self, now: SystemTime) -> Result<()> {
        let since = state::millis(now)?;
        let mut next = self.breaker.state.clone();
        if let Some(run) = &mut next.running {
            run.since = since;
        }
        self.breaker.save(next)
    }

    /// Closes the breaker and forgets what was counted.
    ///
    /// # Errors
    /// [`Error::File`]; the attempt then counts as one without an answer.
    pub fn succeeded(self) -> Result<()> {
        let next = self.breaker.state.succeeded();
        self.breaker.save(next)
    }

    /// Counts a failure by its cause.
    ///
    /// # Errors
    /// [`Error::Clock`] and [`Error::File`]; the attempt then counts as one without an answer.
    pub fn failed(self, cause: &str, now: SystemTime) -> Result<()> {
        let time = state::millis(now)?;
        let mut next = self.breaker.state.clone();
        next.running = None;
        next.fail(cause, time, &self.breaker.settings);
        self.breaker.save(next)
    }
}

impl BreakerSettings {
    fn check(&self) -> Result<()> {
        if self.threshold == 0 {
            return Err(Error::setting("threshold", 0, "1 or more"));
        }
        if self.base.is_zero() || self.base > self.cap {
            let given = format!("{:?}", self.base);
            return Err(Error::setting("base", given, "above 0 and at most `cap`"));
        }
        if self.cap > state::LONGEST {
            return Err(Error::setting("cap", format!("{:?}", self.cap), "at most 366 days"));
        }
        if !(self.factor >= 1.0 && self.factor.is_finite()) {
            return Err(Error::setting("factor", self.factor, "1 or more"));
        }
        if !(0.0..=1.0).contains(&self.jitter) {
            return Err(Error::setting("jitter", self.jitter, "0 to 1"));
        }
        Ok(())
    }
}
