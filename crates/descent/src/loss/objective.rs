//! A loss chosen by its name, as settings hold it.

use fattail_core::Result;
use serde::{Deserialize, Serialize};

use super::{Absolute, Huber, LogCosh, Loss, Pearson, Quantile, Squared, Truth, Tukey};

macro_rules! objective {
    ($($name:ident),*) => {
        /// One of the losses, for the settings of a learner.
        ///
        /// ```
        /// use fattail_descent::{Huber, Loss, Objective};
        /// let loss = Objective::from(Huber { delta: 0.1 });
        /// let text = serde_json::to_string(&loss)?;
        /// assert_eq!(text, r#"{"loss":"huber","delta":0.1}"#);
        /// assert_eq!(serde_json::from_str::<Objective>(&text)?, loss);
        /// # Ok::<(), serde_json::Error>(())
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "loss", rename_all = "snake_case")]
        pub enum Objective {
            $(#[doc = concat!("[`", stringify!($name), "`].")] $name($name),)*
        }

        $(impl From<$name> for Objective {
            fn from(loss: $name) -> Self {
                Self::$name(loss)
            }
        })*

        impl Objective {
            fn loss(&self) -> &dyn Loss {
                match self {
                    $(Self::$name(loss) => loss,)*
                }
            }
        }
    };
}

objective!(Squared, Absolute, Huber, Quantile, LogCosh, Tukey, Pearson);

impl Default for Objective {
    fn default() -> Self {
        Self::Squared(Squared)
    }
}

impl Loss for Objective {
    fn check(&self) -> Result<()> {
        self.loss().check()
    }

    fn start(&self, truth: &Truth<'_>) -> f64 {
        self.loss().start(truth)
    }

    fn value(&self, truth: &Truth<'_>, prediction: &[f64]) -> f64 {
        self.loss().value(truth, prediction)
    }

    fn slopes(
        &self,
        truth: &Truth<'_>,
        prediction: &[f64],
        gradient: &mut [f64],
        curvature: &mut [f64],
    ) {
        self.loss().slopes(truth, prediction, gradient, curvature);
    }
}
