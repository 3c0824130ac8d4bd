//! What this process may take: limits read from the machine, work admitted against them, a watch.
//!
//! A limit `L` of which `u` is used leaves the room `s L - u`, with `s` the share that may be taken. The
//! budget is the least room of all limits: control groups from the process's own up to the root
//! (`memory.max`, `memory.high`, or `memory.limit_in_bytes` of the first version), the address space and
//! data size of the process, the physical memory, and a setting. Each has its own measure of use.
//!
//! Work asks before it allocates and holds a [`Permit`] as long as it holds the memory. Permits never
//! sum above the budget; what does not fit is refused with the figures, or cut into pieces that do.
//!
//! A permit is a promise of the code that holds it. Bytes that were admitted and are not touched yet do not
//! show on the machine; a live budget counts them beside what it shows. What it cannot tell apart is said in
//! `admission`.
//!
//! Linux tells all of it in files, which are read under a root that tests choose, and no crate is needed.
//! Elsewhere there are no such files: then a setting in bytes is the only limit, and without one the
//! budget is an error, because nothing could be promised.

mod admission;
mod group;
mod limit;
mod machine;
mod plan;
mod watch;

pub use admission::{Permit, Refusal, Why};
pub use limit::Limit;
pub use machine::{Bound, Machine, Pressure, Source, Usage};
pub use plan::{Job, Plan};
pub use watch::{Level, Monitor, Sample, Watch, Watcher};

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// How much of what the machine allows may be taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BudgetSettings {
    /// The limit of the process.
    pub limit: Limit,
    /// Bytes that are kept back for what nobody asks for, of every limit and at every time.
    pub reserve: u64,
    /// Whether every admission looks at the machine again, for memory that others took.
    pub live: bool,
}

impl Default for BudgetSettings {
    fn default() -> Self {
        Self { limit: Limit::default(), reserve: 32 << 20, live: true }
    }
}

/// The memory that work of this process may take, and what of it is taken. Clones share.
///
/// ```
/// use fattail_guard::{Budget, Why};
///
/// let budget = Budget::of(1000);
/// let permit = budget.admit(700)?;
/// assert_eq!(budget.admit(400).unwrap_err().why, Why::Busy);
/// drop(permit);
/// assert_eq!(budget.admit(1001).unwrap_err().why, Why::Never);
///
/// // 3,000 bytes in pieces, each with 100 bytes beside it.
/// let plan = budget.pieces(3000, 100)?;
/// assert_eq!((plan.pieces, plan.piece_bytes), (4, 850));
/// # Ok::<(), fattail_guard::Refusal>(())
/// ```
#[derive(Debug, Clone)]
pub struct Budget {
    pub(crate) inner: Arc<admission::Inner>,
}

impl Budget {
    /// The budget of this process: the least room that any limit leaves now.
    ///
    /// # Errors
    /// [`Error::NoLimit`] when no limit is known, [`Error::GroupUnseen`] when the process is in a control
    /// group that cannot be seen and the setting is no number of bytes, [`Error::UsageUnknown`] for a limit
    /// without a figure of use, [`Error::Setting`] for a limit out of range, [`Error::System`] and [`Error::File`] when the machine says something that cannot be read.
    pub fn open(settings: &BudgetSettings, machine: &Machine) -> Result<Self> {
        let bounds = settings.limit.bounds(machine)?;
        let tightest = bounds.iter().min_by_key(|bound| bound.room()).ok_or(Error::NoLimit)?;
        let capacity = tightest.room().saturating_sub(settings.reserve);
        let live = settings.live.then(|| (machine.clone(), settings.limit.clone()));
        let source = tightest.source.clone();
        Ok(Self {
            inner: Arc::new(admission::Inner::new(
                capacity,
                source,
                bounds,
                settings.reserve,
                live,
            )),
        })
    }

    /// A budget of so many bytes, whatever the machine has.
    #[must_use]
    pub fn of(bytes: u64) -> Self {
        let inner = admission::Inner::new(bytes, Source::Setting, Vec::new(), 0, None);
        Self { inner: Arc::new(inner) }
    }

    /// Bytes that may be taken in all.
    #[must_use]
    pub fn capacity(&self) -> u64 {
        self.inner.capacity
    }

    /// The limit that leaves the least room.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.inner.source
    }

    /// The limits as they were when the budget was opened.
    #[must_use]
    pub fn bounds(&self) -> &[Bound] {
        &self.inner.bounds
    }
}

/// The number of threads to work with: the setting, but no more than this process may run on, which
/// counts its affinity and the quotas of its control groups.
///
/// # Errors
/// [`Error::Setting`] for 0 threads.
pub fn threads(setting: Option<usize>) -> Result<usize> {
    let here = std::thread::available_parallelism().map_or(1, usize::from);
    match setting {
        Some(0) => Err(Error::setting("threads", 0, "1 or more")),
        Some(threads) => Ok(threads.min(here)),
        None => Ok(here),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_by_hand() {
        assert!(threads(None).unwrap() >= 1);
        assert_eq!(threads(Some(1)).unwrap(), 1);
        assert_eq!(threads(Some(usize::MAX)).unwrap(), threads(None).unwrap());
        assert!(threads(Some(0)).is_err());
    }
}
