//! Schedules made of schedules.

use fattail_core::{Error, Result};
use serde::{Deserialize, Serialize};

use super::{Constant, Cosine, Exponential, Linear, OneCycle, Polynomial, Schedule, Staircase};

/// One schedule after another. Each part counts its own steps from 0; the last one goes on for ever.
///
/// ```
/// use fattail_descent::{Cosine, Linear, Schedule, Sequence};
/// let rate = Sequence {
///     parts: vec![
///         Linear { from: 0.0, to: 1.0, steps: 1000 }.into(),
///         Cosine { high: 1.0, low: 0.0, period: 9000, growth: 1 }.into(),
///     ],
///     milestones: vec![1000],
/// };
/// assert_eq!((rate.rate(500), rate.rate(1000)), (0.5, 1.0));
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Sequence {
    /// The parts, in order.
    pub parts: Vec<Rate>,
    /// The step at which each part but the first takes over.
    pub milestones: Vec<u64>,
}

impl Schedule for Sequence {
    fn check(&self) -> Result<()> {
        self.parts.iter().try_for_each(Schedule::check)?;
        let increasing = self.milestones.windows(2).all(|pair| pair[0] < pair[1]);
        if self.parts.len() == self.milestones.len() + 1 && increasing {
            return Ok(());
        }
        let allowed = "increasing, one fewer than there are parts";
        Err(Error::setting("milestones", format!("{:?}", self.milestones), allowed))
    }

    /// Without parts the rate is NaN.
    fn rate(&self, step: u64) -> f64 {
        let passed = self.milestones.partition_point(|&milestone| milestone <= step);
        let since = passed.checked_sub(1).map_or(0, |last| self.milestones[last]);
        self.parts.get(passed).map_or(f64::NAN, |part| part.rate(step - since))
    }
}

/// The product of schedules, such as a warm-up to 1 times a decay.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Product {
    /// The factors.
    pub parts: Vec<Rate>,
}

impl Schedule for Product {
    fn check(&self) -> Result<()> {
        if self.parts.is_empty() {
            return Err(Error::empty("the list of factors"));
        }
        self.parts.iter().try_for_each(Schedule::check)
    }

    fn rate(&self, step: u64) -> f64 {
        self.parts.iter().map(|part| part.rate(step)).product()
    }
}

macro_rules! rates {
    ($($name:ident),*) => {
        /// One of the schedules, for the settings of a learner.
        ///
        /// ```
        /// use fattail_descent::{Constant, Rate};
        /// let rate = Rate::from(Constant { rate: 0.1 });
        /// let text = serde_json::to_string(&rate)?;
        /// assert_eq!(text, r#"{"schedule":"constant","rate":0.1}"#);
        /// assert_eq!(serde_json::from_str::<Rate>(&text)?, rate);
        /// # Ok::<(), serde_json::Error>(())
        /// ```
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "schedule", rename_all = "snake_case")]
        pub enum Rate {
            $(#[doc = concat!("[`", stringify!($name), "`].")] $name($name),)*
        }

        $(impl From<$name> for Rate {
            fn from(schedule: $name) -> Self {
                Self::$name(schedule)
            }
        })*

        impl Rate {
            fn schedule(&self) -> &dyn Schedule {
                match self {
                    $(Self::$name(schedule) => schedule,)*
                }
            }
        }
    };
}

rates!(Constant, Linear, Polynomial, Exponential, Staircase, Cosine, OneCycle, Sequence, Product);

impl Schedule for Rate {
    fn check(&self) -> Result<()> {
        self.schedule().check()
    }

    fn rate(&self, step: u64) -> f64 {
        self.schedule().rate(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_and_its_checks() {
        let warm = Linear { from: 0.0, to: 1.0, steps: 4 };
        let product = Product { parts: vec![warm.into(), Constant { rate: 2.0 }.into()] };
        assert_eq!((product.rate(2), product.rate(9)), (1.0, 2.0));
        assert!(Product::default().check().is_err());
        let bad = Sequence { parts: vec![warm.into()], milestones: vec![1] };
        assert!(bad.check().unwrap_err().to_string().contains("one fewer"));
        assert!(Sequence::default().rate(0).is_nan());
    }
}
