//! What is done about each symptom.

use fattail_core::{Error, Result};
use serde::{Deserialize, Serialize};

/// Something to do.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// Write it down and go on.
    Note,
    /// Leave the step out.
    Skip,
    /// Leave the step out and multiply the rate.
    LowerRate {
        /// By this.
        factor: f64,
    },
    /// Put the last good weights back and multiply the rate; go on with the next samples.
    Restore {
        /// By this.
        factor: f64,
    },
    /// Let half as many samples go together and add their gradients up; repeat the step.
    HalveBatch,
    /// Move to the CPU, put the last good weights back and repeat what came after them.
    Fallback,
    /// End the run.
    Stop,
}

/// An action for each symptom, and when patience ends.
///
/// A skip becomes a restore after `restore_after` steps in a row without progress; halving becomes a
/// fallback where there is nothing to halve; a fallback becomes a stop where there is no other
/// device; any action becomes a stop after `give_up_after` interventions.
///
/// ```
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/slope.rs")); }
/// # use doc::Slope;
/// use fattail_core::Panel;
/// use fattail_descent::Squared;
/// use fattail_training::{Action, Desk, Policies, Reading, Samples, Stopped, Training};
/// let panel = Panel::builder()
///     .feature("x", vec![1.0f32, 2.0, 3.0])
///     .target("y", vec![0.5f32, 1.0, 1.5])
///     .build()?;
/// let samples = Samples::known(&panel, &Reading::default())?;
/// // Not the default: no step is left out, the run ends at once.
/// let policies = Policies { non_finite_loss: Action::Stop, ..Policies::default() };
/// policies.check()?;
/// let training = Training { batch_size: 1, policies, ..Training::default() };
/// // An engine whose second batch is broken.
/// let mut engine = Slope { broken: 2, ..Slope::default() };
/// let run = training.run(&mut engine, &samples, &Squared, Desk::default())?;
/// assert!(matches!(run.stopped, Stopped::GaveUp(_)) && run.events.len() == 1);
/// // What cannot be done about a symptom is refused by name.
/// let odd = Policies { device_lost: Action::Note, ..policies };
/// assert!(odd.check().unwrap_err().to_string().starts_with("setting 'device_lost' is Note"));
/// # Ok::<(), fattail_training::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policies {
    /// The loss of a step, or of the holdout, is NaN or infinite.
    pub non_finite_loss: Action,
    /// The gradient is NaN or infinite.
    pub non_finite_gradient: Action,
    /// The gradient is far longer than those before.
    pub exploding: Action,
    /// Gradients have shrunk to almost nothing.
    pub vanishing: Action,
    /// Activations are saturated.
    pub saturated: Action,
    /// Units are dead.
    pub dead: Action,
    /// The training loss stands still.
    pub flat: Action,
    /// The loss is curved along few directions.
    pub deficient: Action,
    /// Memory ran out.
    pub out_of_memory: Action,
    /// The device does not answer.
    pub device_lost: Action,
    /// Steps between two copies of good weights.
    pub snapshot_every: u64,
    /// Steps in a row without progress after which earlier weights are put back.
    pub restore_after: u64,
    /// Interventions after which the run ends.
    pub give_up_after: u64,
}

/// What a skip becomes when skipping does not help.
pub(crate) const LAST_GOOD: Action = Action::Restore { factor: 0.5 };

impl Default for Policies {
    fn default() -> Self {
        Self {
            non_finite_loss: Action::Skip,
            non_finite_gradient: Action::Skip,
            exploding: Action::Skip,
            vanishing: Action::Note,
            saturated: Action::Note,
            dead: Action::Note,
            flat: Action::Stop,
            deficient: Action::Note,
            out_of_memory: Action::HalveBatch,
            device_lost: Action::Fallback,
            snapshot_every: 1000,
            restore_after: 5,
            give_up_after: 50,
        }
    }
}

/// Which actions a symptom can have.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Step,
    Exploding,
    Look,
    Memory,
    Device,
}

impl Policies {
    /// Answers whether each symptom has an action that can be done about it.
    ///
    /// # Errors
    /// Names the policy, the action and what is allowed.
    pub fn check(&self) -> Result<()> {
        let all = [
            ("non_finite_loss", self.non_finite_loss, Kind::Step),
            ("non_finite_gradient", self.non_finite_gradient, Kind::Step),
            ("exploding", self.exploding, Kind::Exploding),
            ("vanishing", self.vanishing, Kind::Look),
            ("saturated", self.saturated, Kind::Look),
            ("dead", self.dead, Kind::Look),
            ("flat", self.flat, Kind::Look),
            ("deficient", self.deficient, Kind::Look),
            ("out_of_memory", self.out_of_memory, Kind::Memory),
            ("device_lost", self.device_lost, Kind::Device),
        ];
        all.into_iter().try_for_each(|(name, action, kind)| allowed(name, action, kind))?;
        let counts =
            [("snapshot_every", self.snapshot_every), ("restore_after", self.restore_after)];
        match counts.into_iter().find(|&(_, count)| count == 0) {
            Some((name, count)) => Err(Error::setting(name, count, "at least 1")),
            None => Ok(()),
        }
    }
}

fn allowed(name: &'static str, action: Action, kind: Kind) -> Result<()> {
    if let Action::LowerRate { factor } | Action::Restore { factor } = action
        && !(factor > 0.0 && factor <= 1.0)
    {
        return Err(Error::setting(name, format!("{action:?}"), "a factor above 0, at most 1"));
    }
    let step = matches!(
        action,
        Action::Skip | Action::LowerRate { .. } | Action::Restore { .. } | Action::Stop
    );
    let noted = action == Action::Note;
    let (fits, words) = match kind {
        Kind::Step => (step, "skip, lower_rate, restore or stop"),
        Kind::Exploding => (step || noted, "note, skip, lower_rate, restore or stop"),
        Kind::Look => {
            (step && action != Action::Skip || noted, "note, lower_rate, restore or stop")
        }
        Kind::Memory => (
            matches!(action, Action::HalveBatch | Action::Fallback | Action::Stop),
            "halve_batch, fallback or stop",
        ),
        Kind::Device => (matches!(action, Action::Fallback | Action::Stop), "fallback or stop"),
    };
    if fits { Ok(()) } else { Err(Error::setting(name, format!("{action:?}"), words)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_that_make_no_sense_are_refused_by_name() {
        assert!(Policies::default().check().is_ok());
        let odd = Policies { device_lost: Action::Skip, ..Policies::default() };
        let error = odd.check().unwrap_err().to_string();
        assert_eq!(error, "setting 'device_lost' is Skip, allowed is fallback or stop");
        let odd = Policies { exploding: Action::Restore { factor: 2.0 }, ..Policies::default() };
        assert!(odd.check().unwrap_err().to_string().contains("at most 1"));
        assert!(Policies { snapshot_every: 0, ..Policies::default() }.check().is_err());
    }
}
