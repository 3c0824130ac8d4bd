//! Time and memory of a piece of work, as the peers' side measures them.

use std::{error::Error, fs};

use fattail_benches::{seconds, status};

/// What a piece of work took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    seconds: f64,
    peak: u64,
    extra: u64,
}

impl Cost {
    /// One line for the comparison.
    pub(crate) fn json(self) -> serde_json::Value {
        serde_json::json!({ "seconds": self.seconds, "peak": self.peak, "extra": self.extra })
    }
}

/// Does `work`; `output` says how many bytes its result holds.
pub(crate) fn measured<T>(
    work: impl FnOnce() -> T,
    output: impl FnOnce(&T) -> usize,
) -> Result<(T, Cost), Box<dyn Error>> {
    // The kernel starts the peak afresh when 5 is written here.
    fs::write("/proc/self/clear_refs", "5")?;
    let before = status("VmRSS:")?;
    let (result, seconds) = seconds(work);
    let peak = status("VmHWM:")?;
    let extra = peak.saturating_sub(before).saturating_sub(output(&result) as u64);
    Ok((result, Cost { seconds, peak, extra }))
}
