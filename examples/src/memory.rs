//! Sizes of memory on a command line, and what the machine leaves.

use fattail::{
    guard::{Budget, BudgetSettings, Error, Machine},
    parse_bytes,
};

use crate::Outcome;

/// The largest size that is read: beyond it a number is a slip.
const MOST: u64 = 1 << 50;

/// Reads a number of bytes such as `800m`, `4g` (powers of 1,024) or `4GB` (powers of 1,000), by [`parse_bytes`].
///
/// ```
/// use fattail_examples::size;
/// assert_eq!(size("800m"), Ok(800 << 20));
/// assert_eq!(size("1.5 GiB"), Ok(3 << 29));
/// assert_eq!(size("4GB"), Ok(4_000_000_000));
/// assert!(size("much").is_err() && size("0").is_err() && size("4000000g").is_err());
/// ```
///
/// # Errors
/// Says what is allowed when it is no such number, 0, or more than any machine has.
pub fn size(text: &str) -> Result<u64, String> {
    let bytes = parse_bytes(text).filter(|bytes| (1..=MOST).contains(bytes));
    bytes.ok_or_else(|| {
        "allowed is a number of bytes above 0, such as 800m, 4g (powers of 1,024) or 4GB".to_owned()
    })
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
