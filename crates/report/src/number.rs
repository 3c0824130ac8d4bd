//! Numbers as people read them.
//!
//! A value that is not finite is a dash: a reader never meets `NaN`.

/// What stands where there is no number.
pub(crate) const NONE: &str = "–";

/// A score or a difference: sign and four decimals.
pub(crate) fn signed(value: f64) -> String {
    fixed(value, |v| format!("{v:+.4}"))
}

/// A size without direction: four decimals.
pub(crate) fn plain(value: f64) -> String {
    fixed(value, |v| format!("{v:.4}"))
}

/// A ratio such as Sharpe: sign and two decimals.
pub(crate) fn ratio(value: f64) -> String {
    fixed(value, |v| format!("{v:+.2}"))
}

/// A statistic of Student's t with its degrees of freedom.
pub(crate) fn student(value: f64, degrees: usize) -> String {
    fixed(value, |v| format!("{v:+.2} ({degrees} df)"))
}

/// A share of one as per cent.
pub(crate) fn percent(value: f64) -> String {
    fixed(value, |v| format!("{:.1} %", 100.0 * v))
}

/// A figure of any kind: four significant digits, no sign unless it is below zero.
pub(crate) fn figure(value: f64) -> String {
    fixed(value, |v| {
        let size = v.abs();
        if v == 0.0 {
            "0".to_owned()
        } else if !(1e-4..1e7).contains(&size) {
            format!("{v:.3e}")
        } else if size >= 1000.0 {
            let text = grouped(&format!("{:.0}", size));
            if v < 0.0 { format!("-{text}") } else { text }
        } else {
            let digits = (3.0 - size.log10().floor()).clamp(0.0, 7.0) as usize;
            let text = format!("{v:.digits$}");
            if digits == 0 {
                text
            } else {
                text.trim_end_matches('0').trim_end_matches('.').to_owned()
            }
        }
    })
}

/// A number of eras.
pub(crate) fn whole(value: f64) -> String {
    fixed(value, |v| grouped(&format!("{v:.0}")))
}

/// A count, thousands apart.
pub(crate) fn count(value: u64) -> String {
    grouped(&value.to_string())
}

/// From one value to another.
pub(crate) fn interval([low, high]: [f64; 2]) -> String {
    if low.is_finite() && high.is_finite() {
        format!("{} to {}", signed(low), signed(high))
    } else {
        NONE.to_owned()
    }
}

/// Bytes in the largest unit that keeps three digits.
pub(crate) fn bytes(value: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut size = value as f64;
    let mut unit = 0;
    while size >= 999.5 && unit + 1 < UNITS.len() {
        size /= 1000.0;
        unit += 1;
    }
    let digits = if unit == 0 || size >= 99.95 { 0 } else { 1 };
    format!("{size:.digits$} {}", UNITS[unit])
}

/// An axis label with as many decimals as the step asks for.
pub(crate) fn tick(value: f64, step: f64) -> String {
    let mut digits = 0;
    while digits < 9
        && (step * 10f64.powi(digits) - (step * 10f64.powi(digits)).round()).abs() > 1e-6
    {
        digits += 1;
    }
    let near_zero = if value.abs() < step / 2.0 { 0.0 } else { value };
    format!("{near_zero:.*}", usize::try_from(digits).unwrap_or(0))
}

fn fixed(value: f64, write: impl Fn(f64) -> String) -> String {
    if value.is_finite() { write(value) } else { NONE.to_owned() }
}

fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well_and_nan_is_a_dash() {
        assert_eq!(signed(0.012_34), "+0.0123");
        assert_eq!(ratio(-1.005), "-1.00");
        assert_eq!(percent(0.5), "50.0 %");
        assert_eq!(whole(1011.0), "1\u{202f}011");
        assert_eq!(count(457_360), "457\u{202f}360");
        assert_eq!(interval([-0.1, 0.2]), "-0.1000 to +0.2000");
        assert_eq!(interval([f64::NAN, 0.2]), NONE);
        assert_eq!(plain(f64::INFINITY), NONE);
    }

    #[test]
    fn figures_of_any_kind_keep_four_digits() {
        let told: Vec<String> =
            [0.0, 0.005, -0.012_345, 1.0, 12.5, 123.456, 6720.0, -1e4, 1e-9, 2e8]
                .map(figure)
                .into();
        let expected = [
            "0",
            "0.005",
            "-0.01235",
            "1",
            "12.5",
            "123.5",
            "6\u{202f}720",
            "-10\u{202f}000",
            "1.000e-9",
            "2.000e8",
        ];
        assert_eq!(told, expected);
        assert_eq!(figure(f64::NAN), NONE);
    }

    #[test]
    fn bytes_take_the_fitting_unit() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(20_000), "20.0 kB");
        assert_eq!(bytes(21_495_920), "21.5 MB");
        assert_eq!(bytes(u64::MAX), "18446744 TB");
    }

    #[test]
    fn ticks_show_the_step_and_no_negative_zero() {
        assert_eq!(tick(0.025, 0.025), "0.025");
        assert_eq!(tick(-0.0, 0.5), "0.0");
        assert_eq!(tick(-40.0, 20.0), "-40");
    }
}
