//! The seams to the decoders of other houses, which may panic on broken bytes.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::{Error, Result};

/// Does the work and turns a panic in it into the error that `refuse` makes of what was said. What
/// the work was filling is thrown away with the error, so nothing half-done is seen.
pub(crate) fn guard<T>(
    work: impl FnOnce() -> Result<T>,
    refuse: impl FnOnce(String) -> Error,
) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(refuse(format!("its decoder gave up: {}", said.unwrap_or("without a reason"))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Place;

    #[test]
    fn a_panic_is_an_error_that_repeats_it() {
        let refuse = |said| Error::format("f".as_ref(), Place::Row(3), "Parquet", said);
        assert_eq!(guard(|| Ok(1), refuse).unwrap(), 1);
        let told = |work: fn() -> Result<()>| guard(work, refuse).unwrap_err().to_string();
        let says = "'f', row 3 is not readable as Parquet: its decoder gave up: ";
        assert_eq!(told(|| panic!("index {}", 7)), format!("{says}index 7"));
        assert_eq!(told(|| panic!("too long")), format!("{says}too long"));
        assert_eq!(told(|| std::panic::panic_any(7)), format!("{says}without a reason"));
    }
}
