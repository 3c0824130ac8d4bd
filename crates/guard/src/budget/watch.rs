//! A watch over the memory that is used: levels, the peak, pressure.
//!
//! The level follows the largest share `u / L` of all limits: calm, high from one share on, critical
//! from another. A [`Monitor`] is asked; a [`Watcher`] asks it from a thread and calls back when the level
//! changes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{Bound, Limit, Machine, Pressure, Source};
use crate::{Error, Result};

/// Settings of a watch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Watch {
    /// The limit of the process.
    pub limit: Limit,
    /// Time from one look to the next.
    pub interval: Duration,
    /// The share of a limit from which use is high.
    pub high: f64,
    /// The share of a limit from which use is critical.
    pub critical: f64,
}

impl Default for Watch {
    fn default() -> Self {
        let (high, critical) = (0.8, 0.95);
        Self { limit: Limit::Share(1.0), interval: Duration::from_millis(250), high, critical }
    }
}

/// How near a limit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Below both shares.
    Calm,
    /// Work should shrink.
    High,
    /// Work should stop.
    Critical,
}

/// One look.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sample {
    /// The level.
    pub level: Level,
    /// The largest share of a limit that is used.
    pub share: f64,
    /// Bytes used of that limit.
    pub used: u64,
    /// That limit.
    pub limit: u64,
    /// Who sets it.
    pub source: Source,
    /// Bytes of the process in memory, 0 where it is not known.
    pub resident: u64,
    /// The most bytes of the process in memory that the system or a look has seen.
    pub peak: u64,
    /// How long tasks waited for memory, where the system tells and it can be read: the level does not
    /// hang on it.
    pub pressure: Option<Pressure>,
}

/// Looks at the memory when it is asked.
///
/// ```
/// use fattail_guard::{Machine, Monitor, Watch};
///
/// let monitor = Monitor::new(Watch::default(), Machine::here())?;
/// if let Ok(sample) = monitor.sample() {
///     assert!(sample.peak >= sample.resident);
/// }
/// # Ok::<(), fattail_guard::Error>(())
/// ```
#[derive(Debug)]
pub struct Monitor {
    watch: Watch,
    machine: Machine,
    peak: AtomicU64,
}

/// A thread that looks, until it is dropped.
#[derive(Debug)]
pub struct Watcher {
    monitor: Arc<Monitor>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Monitor {
    /// A monitor of a machine.
    ///
    /// # Errors
    /// [`Error::Setting`] for shares that do not rise within `(0, 1]`, or no interval.
    pub fn new(watch: Watch, machine: Machine) -> Result<Self> {
        let Watch { high, critical, interval, .. } = watch;
        if !(high > 0.0 && high <= critical && critical <= 1.0) {
            return Err(Error::setting(
                "high",
                high,
                "above 0, at most `critical`, which is at most 1",
            ));
        }
        if interval.is_zero() {
            return Err(Error::setting("interval", "0", "more than no time"));
        }
        Ok(Self { watch, machine, peak: AtomicU64::new(0) })
    }

    /// Looks now.
    ///
    /// # Errors
    /// [`Error::NoLimit`] when no limit is known, and what [`Machine::bounds`] answers.
    pub fn sample(&self) -> Result<Sample> {
        let bounds = self.watch.limit.bounds(&self.machine)?;
        let share = |bound: &Bound| bound.used as f64 / bound.limit.max(1) as f64;
        let nearest = bounds.iter().max_by(|a, b| share(a).total_cmp(&share(b)));
        let nearest = nearest.ok_or(Error::NoLimit)?;
        let usage = self.machine.usage()?;
        let resident = usage.resident.unwrap_or(0);
        let seen = resident.max(usage.peak.unwrap_or(0));
        let peak = self.peak.fetch_max(seen, Ordering::Relaxed).max(seen);
        let share = share(nearest);
        let level = match share {
            share if share >= self.watch.critical => Level::Critical,
            share if share >= self.watch.high => Level::High,
            _ => Level::Calm,
        };
        Ok(Sample {
            level,
            share,
            used: nearest.used,
            limit: nearest.limit,
            source: nearest.source.clone(),
            resident,
            peak,
            pressure: self.machine.pressure().ok().flatten(),
        })
    }

    /// The most bytes of the process in memory that the system or a look has seen.
    #[must_use]
    pub fn peak(&self) -> u64 {
        self.peak.load(Ordering::Relaxed)
    }

    /// Starts a thread that looks at every interval, the first time at once, and calls back when the
    /// level changes, with the first level, and with the first of errors in a row.
    ///
    /// # Errors
    /// [`Error::Thread`] when the thread cannot be started.
    pub fn watch(self, mut told: impl FnMut(Result<Sample>) + Send + 'static) -> Result<Watcher> {
        let monitor = Arc::new(self);
        let looking = Arc::clone(&monitor);
        let (stop, stopped) = channel::<()>();
        let look = move || {
            let mut last = None;
            loop {
                let sample = looking.sample();
                let level = sample.as_ref().ok().map(|sample| sample.level);
                if last != Some(level) {
                    last = Some(level);
                    told(sample);
                }
                match stopped.recv_timeout(looking.watch.interval) {
                    Err(RecvTimeoutError::Timeout) => {}
                    Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        };
        let thread = thread::Builder::new().name("memory-watch".into()).spawn(look);
        let thread = Some(thread.map_err(Error::Thread)?);
        Ok(Watcher { monitor, stop: Some(stop), thread })
    }
}

impl Watcher {
    /// The monitor that the thread asks.
    #[must_use]
    pub fn monitor(&self) -> &Monitor {
        &self.monitor
    }

    /// Whether the thread still looks. It ends before it is dropped when the callback panics.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != thread::current().id()
        {
            // A callback that panicked has ended the watch; its message is out already.
            let _ = thread.join();
        }
    }
}
