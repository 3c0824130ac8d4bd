//! Laws of schedules.

use fattail_descent::Schedule;

use crate::{Law, Verdict};

/// Steps that the suite visits: the first ones, and some far away.
const NEAR: u64 = 5000;
const FAR: [u64; 4] = [100_000, 1 << 32, 1 << 53, u64::MAX];

/// Checks a schedule: that its settings are in range, that its rates are finite and not negative at
/// near and far steps, and that a rate depends on the step alone.
///
/// # Errors
/// The first law that does not hold, with the values that show it.
///
/// ```
/// use fattail_descent::OneCycle;
/// use fattail_testing::check_schedule;
///
/// check_schedule(&OneCycle::default())?;
/// # Ok::<(), fattail_testing::Violation>(())
/// ```
pub fn check_schedule(schedule: &(impl Schedule + ?Sized)) -> Verdict {
    Law::Works.answer("the settings", schedule.check())?;
    let rates: Vec<(u64, f64)> =
        (0..NEAR).chain(FAR).map(|step| (step, schedule.rate(step))).collect();
    for &(step, rate) in &rates {
        Law::Rate.expect(rate.is_finite() && rate >= 0.0, || {
            format!("{schedule:?} has rate {rate} at step {step}")
        })?;
    }
    for &(step, rate) in rates.iter().rev() {
        let again = schedule.rate(step);
        Law::Deterministic.expect(again.to_bits() == rate.to_bits(), || {
            format!("{schedule:?} has rate {rate} at step {step}, then {again}")
        })?;
    }
    Ok(())
}
