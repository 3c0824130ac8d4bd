//! Time and memory of a piece of work, as the peers' side measures them.

use std::{error::Error, fs, time::Instant};

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
    #[expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
    let start = Instant::now();
    let result = work();
    let seconds = start.elapsed().as_secs_f64();
    let peak = status("VmHWM:")?;
    let extra = peak.saturating_sub(before).saturating_sub(output(&result) as u64);
    Ok((result, Cost { seconds, peak, extra }))
}

/// A field of the process's status, in bytes.
fn status(field: &str) -> Result<u64, Box<dyn Error>> {
    let all = fs::read_to_string("/proc/self/status")?;
    let line = all.lines().find_map(|line| line.strip_prefix(field));
    let kilobytes = line.and_then(|line| line.split_whitespace().next());
    let kilobytes = kilobytes.ok_or_else(|| format!("no {field} in /proc/self/status"))?;
    Ok(kilobytes.parse::<u64>()? * 1024)
}
