//! What went wrong in a run, and what was done about it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::exact;

/// A sign that training is not well, with its numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "symptom", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Symptom {
    /// The loss is NaN or infinite.
    NonFiniteLoss {
        /// The loss.
        #[serde(with = "exact")]
        loss: f64,
    },
    /// The gradient is NaN or infinite.
    NonFiniteGradient {
        /// Its norm.
        #[serde(with = "exact")]
        norm: f64,
    },
    /// A gradient is far longer than those before it.
    ExplodingNorm {
        /// Its norm.
        #[serde(with = "exact")]
        norm: f64,
        /// The typical norm.
        #[serde(with = "exact")]
        typical: f64,
        /// The largest that was let through.
        #[serde(with = "exact")]
        limit: f64,
    },
    /// Gradients have shrunk to almost nothing.
    VanishingNorm {
        /// The typical norm now.
        #[serde(with = "exact")]
        typical: f64,
        /// The largest that was typical so far.
        #[serde(with = "exact")]
        peak: f64,
    },
    /// Activations lie in the flat part of a bounded function.
    Saturated {
        /// The layer.
        layer: String,
        /// The share of them.
        #[serde(with = "exact")]
        share: f64,
    },
    /// Units that answer to no sample.
    DeadUnits {
        /// The layer.
        layer: String,
        /// The share of them.
        #[serde(with = "exact")]
        share: f64,
    },
    /// The training loss stands still.
    FlatLoss {
        /// The epochs looked at.
        epochs: usize,
        /// How much their losses differ.
        #[serde(with = "exact")]
        spread: f64,
    },
    /// The loss is curved along few directions.
    RankDeficient {
        /// The eigenvalues that count.
        rank: usize,
        /// The eigenvalues that were sought.
        sought: usize,
        /// The largest one.
        #[serde(with = "exact")]
        largest: f64,
    },
    /// Memory ran out.
    OutOfMemory {
        /// The samples that went together.
        samples: usize,
        /// What the device said.
        reason: String,
    },
    /// The device does not answer.
    DeviceLost {
        /// What it said.
        reason: String,
    },
    /// A step would not fit its memory.
    OverBudget {
        /// The samples that were to go together.
        samples: usize,
        /// The bytes they take.
        needs: u64,
        /// The bytes allowed.
        budget: u64,
    },
}

/// What was done. In JSON it lies beside the symptom and the step, so that no name is one of theirs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "response", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Response {
    /// Nothing.
    Noted,
    /// The step was left out.
    Skipped,
    /// The step was left out and the rate lowered.
    LoweredRate {
        /// What the schedule's rate is multiplied by from now on.
        factor: f64,
    },
    /// Earlier weights were put back, and the rate lowered; training goes on with the next samples.
    Restored {
        /// The step that the weights are of.
        #[serde(rename = "good_step")]
        step: u64,
        /// What the schedule's rate is multiplied by from now on.
        factor: f64,
    },
    /// Fewer samples go together; a step has as many as before.
    HalvedBatch {
        /// The samples that go together.
        #[serde(rename = "together")]
        samples: usize,
    },
    /// Fewer samples are looked at from now on; training goes on as before.
    HalvedLook {
        /// How many at most; 0 when no look is taken any more.
        #[serde(rename = "together")]
        samples: usize,
    },
    /// Training moved to the CPU and repeats what was lost.
    FellBack {
        /// The step from which it repeats.
        #[serde(rename = "good_step")]
        step: u64,
    },
    /// Training ended.
    Stopped,
}

/// An intervention, or a symptom that was only noted.
///
/// ```
/// use fattail_training::{Event, Response, Symptom};
/// let event = Event {
///     epoch: 0,
///     step: 41,
///     symptom: Symptom::NonFiniteLoss { loss: f64::NAN },
///     response: Response::Skipped,
/// };
/// assert_eq!(event.to_string(), "epoch 0, step 41: the loss is NaN; the step is left out");
/// let text = serde_json::to_string(&event)?;
/// assert_eq!(serde_json::from_str::<Event>(&text)?.to_string(), event.to_string());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The epoch, the first being 0.
    pub epoch: u64,
    /// The step, the first being 0; epochs go on counting.
    pub step: u64,
    /// What was wrong.
    #[serde(flatten)]
    pub symptom: Symptom,
    /// What was done.
    #[serde(flatten)]
    pub response: Response,
}

impl Symptom {
    /// What is wrong and where, without numbers.
    pub(crate) fn place(&self) -> String {
        match self {
            Self::Saturated { layer, .. } => format!("saturated {layer}"),
            Self::DeadUnits { layer, .. } => format!("dead {layer}"),
            Self::VanishingNorm { .. } => "vanishing".to_owned(),
            other => other.to_string(),
        }
    }
}

impl fmt::Display for Symptom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NonFiniteLoss { loss } => write!(f, "the loss is {loss}"),
            Self::NonFiniteGradient { norm } => write!(f, "the gradient's norm is {norm}"),
            Self::ExplodingNorm { norm, typical, limit } => write!(
                f,
                "the gradient's norm is {norm:.3e}, typical is {typical:.3e}, allowed {limit:.3e}"
            ),
            Self::VanishingNorm { typical, peak } => {
                write!(f, "gradients vanish: their norm is {typical:.3e}, it was {peak:.3e}")
            }
            Self::Saturated { layer, share } => {
                write!(f, "{:.0} % of the activations of {layer} are saturated", share * 100.0)
            }
            Self::DeadUnits { layer, share } => {
                write!(f, "{:.0} % of the units of {layer} are dead", share * 100.0)
            }
            Self::FlatLoss { epochs, spread } => {
                write!(f, "the loss is flat: it moved by {spread:.3e} in {epochs} epochs")
            }
            Self::RankDeficient { rank, sought, largest } => write!(
                f,
                "of {sought} leading eigenvalues of the curvature {rank} count, the largest is \
                 {largest:.3e}"
            ),
            Self::OutOfMemory { samples, reason } => {
                write!(f, "out of memory with {samples} samples: {reason}")
            }
            Self::DeviceLost { reason } => write!(f, "the device is lost: {reason}"),
            Self::OverBudget { samples, needs, budget } => {
                write!(f, "{samples} samples would take {needs} bytes, allowed are {budget}")
            }
        }
    }
}

impl fmt::Display for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Noted => write!(f, "noted"),
            Self::Skipped => write!(f, "the step is left out"),
            Self::LoweredRate { factor } => write!(f, "the rate is multiplied by {factor}"),
            Self::Restored { step, factor } => {
                write!(f, "the weights of step {step} are back, the rate is multiplied by {factor}")
            }
            Self::HalvedBatch { samples } => {
                write!(f, "{samples} samples go together, and their gradients are added up")
            }
            Self::HalvedLook { samples: 0 } => write!(f, "no look is taken any more"),
            Self::HalvedLook { samples } => write!(f, "looks take {samples} samples at most"),
            Self::FellBack { step } => write!(f, "the CPU goes on from step {step}"),
            Self::Stopped => write!(f, "training ends"),
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "epoch {}, step {}: {}; {}", self.epoch, self.step, self.symptom, self.response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_wrong_and_what_was_done_are_told_apart() {
        let reason = "full".to_owned();
        let responses = [
            Response::Restored { step: 3, factor: 0.5 },
            Response::HalvedBatch { samples: 4 },
            Response::HalvedLook { samples: 4 },
            Response::FellBack { step: 3 },
        ];
        for response in responses {
            let symptom = Symptom::OutOfMemory { samples: 8, reason: reason.clone() };
            let event = Event { epoch: 1, step: 7, symptom, response };
            // By way of a value, as a checkpoint is read: there the last of two equal names counts.
            let value = serde_json::to_value(&event).unwrap();
            assert_eq!(serde_json::from_value::<Event>(value).unwrap(), event);
        }
    }

    #[test]
    fn numbers_that_are_none_come_back() {
        let nan = f64::NAN;
        let layer = || "hidden".to_owned();
        let all = [
            Symptom::NonFiniteLoss { loss: nan },
            Symptom::NonFiniteGradient { norm: f64::INFINITY },
            Symptom::ExplodingNorm { norm: nan, typical: nan, limit: f64::INFINITY },
            Symptom::VanishingNorm { typical: nan, peak: nan },
            Symptom::Saturated { layer: layer(), share: nan },
            Symptom::DeadUnits { layer: layer(), share: nan },
            Symptom::FlatLoss { epochs: 3, spread: nan },
            Symptom::RankDeficient { rank: 0, sought: 4, largest: nan },
        ];
        for symptom in all {
            let event = Event { epoch: 0, step: 1, symptom, response: Response::Noted };
            let text = serde_json::to_string(&event).unwrap();
            let back: Event = serde_json::from_str(&text).expect(&text);
            assert_eq!(format!("{back:?}"), format!("{event:?}"));
        }
    }
}
