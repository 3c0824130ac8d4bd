//! Sizes of memory on a command line, and what the machine leaves.

use fattail::guard::{Budget, BudgetSettings, Error, Machine};

use crate::Outcome;

/// The largest size that is read: beyond it a number is a slip.
const MOST: f64 = 1e15;

/// Reads a number of bytes such as `800m` or `4g`. The units k, m, g and t are powers of 1024, in any
/// case of letters, and `b` or `ib` may follow.
///
/// ```
/// use fattail_examples::size;
/// assert_eq!(size("800m"), Ok(800 << 20));
/// assert_eq!(size("1.5 GiB"), Ok(3 << 29));
/// assert!(size("much").is_err() && size("0").is_err());
/// ```
///
/// # Errors
/// Says what is allowed when it is no such number, or 0.
pub fn size(text: &str) -> Result<u64, String> {
    let lower = text.trim().to_lowercase();
    let plain = lower.trim_end_matches('b').trim_end_matches('i');
    let (digits, shift) = match plain.as_bytes().last() {
        Some(b'k') => (&plain[..plain.len() - 1], 10),
        Some(b'm') => (&plain[..plain.len() - 1], 20),
        Some(b'g') => (&plain[..plain.len() - 1], 30),
        Some(b't') => (&plain[..plain.len() - 1], 40),
        _ => (plain, 0),
    };
    let number: Option<f64> = digits.trim().parse().ok();
    let bytes = number.map(|number| number * (1u64 << shift) as f64);
    match bytes.filter(|bytes| (1.0..=MOST).contains(bytes)) {
        Some(bytes) => Ok(bytes as u64),
        None => Err("allowed is a number of bytes above 0, such as 800m or 4g".to_owned()),
    }
}

/// The memory that this process may still take: what the limits of its control groups and the machine leave of
/// 80 %. Nothing where no limit is known.
///
/// # Errors
/// When the machine says something that cannot be read.
pub fn free_memory() -> Outcome<Option<u64>> {
    match Budget::open(&BudgetSettings::default(), &Machine::here()) {
        Ok(budget) => Ok(Some(budget.capacity())),
        Err(Error::NoLimit) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The largest power of two in it, so that a run does not depend on what else the machine does.
pub(crate) fn rounded(bytes: u64) -> u64 {
    1 << bytes.max(1).ilog2()
}
