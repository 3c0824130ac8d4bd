//! What an alarm answers: drift, none, or that it could not have told.

use serde::{Deserialize, Serialize};

/// What an alarm answers. Two of the three are no drift, and only one of those is calm.
///
/// ```
/// use fattail_core::Panel;
/// use fattail_drift::{Found, Reason, Scan};
/// // 12 eras against 8, in blocks of four: three blocks and two, ten deals.
/// let eras: Vec<String> = (0..80).map(|row| format!("{:02}", row / 4)).collect();
/// let x: Vec<u8> = (0..80).map(|row| if row < 48 { row % 4 } else { 4 }).collect();
/// let panel = Panel::builder().eras(&eras)?.feature("x", x).build()?;
/// let (past, now): (Vec<usize>, Vec<usize>) = ((0..12).collect(), (12..20).collect());
/// let verdict = Scan::default().run(&panel, &past, &now)?.verdict;
/// let reason = Reason::OutOfReach { smallest_p: 0.1, level: 0.05 };
/// assert_eq!(verdict.found, Found::Undecidable(reason));
/// # Ok::<(), fattail_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// Drift, at the stated level.
    Drift,
    /// None, where it could have been found.
    None,
    /// Neither: nothing could have been found, or not everywhere.
    Undecidable(Reason),
}

/// Why an alarm cannot answer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// There is nothing to compare.
    NoFeatures,
    /// The least p-value that so many blocks and deals can give lies above the level: more eras, shorter
    /// blocks or more deals are needed.
    OutOfReach {
        /// That p-value.
        smallest_p: f64,
        /// The level.
        level: f64,
    },
    /// No drift among the features compared, but so many of the reference could not be: the panel lacks
    /// them, or holds them as another kind.
    NotCompared {
        /// How many.
        features: usize,
    },
}

impl Found {
    /// By one p-value.
    pub(crate) fn by(p: f64, smallest_p: f64, level: f64) -> Self {
        if p <= level {
            Self::Drift
        } else if smallest_p > level {
            Self::Undecidable(Reason::OutOfReach { smallest_p, level })
        } else {
            Self::None
        }
    }
}
