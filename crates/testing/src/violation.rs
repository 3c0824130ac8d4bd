//! What a conformance suite answers when a law does not hold.

use std::fmt;

/// A law that does not hold, and the values that show it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("law broken: {law}: {detail}")]
pub struct Violation {
    /// The law.
    pub law: Law,
    /// What was done, what came out and what was expected.
    pub detail: String,
}

/// The answer of a suite, and of each of its laws.
pub type Verdict = Result<(), Violation>;

macro_rules! laws {
    ($($(#[doc = $doc:literal])+ $law:ident: $text:literal,)+) => {
        /// The laws that the suites check.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Law {
            $($(#[doc = $doc])+ $law,)+
        }

        impl fmt::Display for Law {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$law => $text,)+ })
            }
        }
    };
}

laws! {
    /// Good input is answered, not refused.
    Works: "good input is answered",
    /// Same settings and input give the same bits.
    Deterministic: "same settings and input give the same bits",
    /// The number of threads changes no bit.
    Threads: "the number of threads changes no bit",
    /// The order of rows inside an era teaches nothing.
    RowOrder: "the order of rows inside an era does not matter",
    /// Features that differ from those of the fit are refused.
    Columns: "features other than those of the fit are refused",
    /// A feature without variation is survived.
    ConstantFeature: "a constant feature is survived",
    /// Rows whose target is unknown teach nothing.
    UnknownTarget: "rows with an unknown target teach nothing",
    /// There is one finite number a row.
    Finite: "there is one finite number a row",
    /// What is answered for an era does not depend on other eras.
    EraAlone: "an era is predicted without the others",
    /// Targets of the panel at hand change nothing after the fit.
    TargetBlind: "targets change nothing after the fit",
    /// A strong signal is found.
    Learns: "a strong signal is found",
    /// A missing or infinite feature is refused.
    MissingFeature: "a missing or infinite feature is refused",
    /// A missing or infinite feature is answered, by learners to which it says something.
    MissingAnswered: "a missing or infinite feature is answered",
    /// A panel of few rows is refused or answered with finite numbers.
    FewRows: "few rows are refused or answered with finite numbers",
    /// A training panel without target is refused.
    NoTarget: "a training panel without target is refused",
    /// Fits of several cuts are fits of each cut alone.
    CutAlone: "fits of several cuts are fits of each cut alone",
    /// Rows, eras and ids stay as they are.
    RowsKept: "rows, eras and ids stay as they are",
    /// Later rows change nothing earlier.
    NoFuture: "later rows change nothing earlier",
    /// A score that is not defined is refused, or NaN.
    Undefined: "a constant prediction has no score",
    /// Predictions of another length are refused.
    Length: "a prediction of another length is refused",
    /// A nearer prediction scores higher.
    Nearer: "a prediction nearer to the target scores higher",
    /// Folds have training and test eras, increasing and inside the panel.
    FoldShape: "folds have training and test eras, increasing and inside the panel",
    /// Training and test eras keep their distance.
    Gap: "training and test eras keep their distance",
    /// No era is tested twice.
    TestedOnce: "no era is tested twice",
    /// Slopes are the derivatives of the value.
    Slopes: "slopes are the derivatives of the value",
    /// No constant costs less than the one that a loss starts from.
    Start: "no constant beats the start",
    /// A perfect prediction costs nothing.
    Perfect: "a perfect prediction costs nothing",
    /// Rates are finite and at least zero.
    Rate: "rates are finite and at least zero",
}

impl Law {
    /// The verdict that this law holds exactly when `holds`.
    pub(crate) fn expect(self, holds: bool, detail: impl FnOnce() -> String) -> Verdict {
        if holds { Ok(()) } else { Err(self.broken(detail())) }
    }

    pub(crate) fn broken(self, detail: impl Into<String>) -> Violation {
        Violation { law: self, detail: detail.into() }
    }

    /// The value, or the violation of this law that it was refused.
    pub(crate) fn answer<T, E: fmt::Display>(
        self,
        what: &str,
        result: Result<T, E>,
    ) -> Result<T, Violation> {
        result.map_err(|error| self.broken(format!("{what} is refused: {error}")))
    }

    /// Both have the same bits.
    pub(crate) fn same_bits(self, what: &str, a: &[f32], b: &[f32]) -> Verdict {
        self.compare(what, a, b, |x, y| x.to_bits() == y.to_bits() || (x.is_nan() && y.is_nan()))
    }

    /// Both differ by at most 1e-6 of the larger of 1 and the value.
    pub(crate) fn nearly(self, what: &str, a: &[f32], b: &[f32]) -> Verdict {
        self.compare(what, a, b, |x, y| (x - y).abs() <= 1e-6 * x.abs().max(1.0))
    }

    /// One finite number a row.
    pub(crate) fn finite(self, what: &str, values: &[f32], rows: usize) -> Verdict {
        self.expect(values.len() == rows, || {
            format!("{what}: {} numbers for {rows} rows", values.len())
        })?;
        let bad = values.iter().position(|value| !value.is_finite());
        self.expect(bad.is_none(), || {
            let row = bad.unwrap_or_default();
            format!("{what}: {} at row {row}", values[row])
        })
    }

    fn compare(
        self,
        what: &str,
        a: &[f32],
        b: &[f32],
        equal: impl Fn(f32, f32) -> bool,
    ) -> Verdict {
        self.expect(a.len() == b.len(), || {
            format!("{what}: {} numbers and {} numbers", a.len(), b.len())
        })?;
        match a.iter().zip(b).position(|(&x, &y)| !equal(x, y)) {
            Some(row) => {
                Err(self.broken(format!("{what}: {} and {} at row {row}", a[row], b[row])))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_law_and_values() {
        let violation = Law::RowOrder.nearly("rows reversed", &[1.0, 2.0], &[1.0, 2.5]);
        assert_eq!(
            violation.unwrap_err().to_string(),
            "law broken: the order of rows inside an era does not matter: \
             rows reversed: 2 and 2.5 at row 1"
        );
        assert!(Law::Finite.finite("x", &[1.0, f32::NAN], 2).unwrap_err().detail.contains("row 1"));
        assert!(Law::Deterministic.same_bits("x", &[0.0], &[-0.0]).is_err());
    }
}
