//! The options of the robust training run, and the learner that they describe.

use std::path::PathBuf;

use clap::Args;
use fattail::{
    Observer,
    loss::Huber,
    neural::{AdamW, Regime, RobustMlp},
    schedule::{Cosine, Linear, Sequence},
    stop::Stop,
    training::{Holdout, Portion, Training},
};
use fattail_testing::Bars;

use super::{Series, Split};
use crate::Outcome;

/// The bars of the embedded default: those of the robust-training report.
const BARS: usize = 1_142_809;
/// The signal planted in them.
const SIGNAL: f64 = 0.03;
/// Where the cosine ends, as a share of the largest rate.
const LAST_RATE: f64 = 0.01;

/// The options that say which bars to train on.
#[derive(Debug, Clone, Default, Args)]
pub struct BarArgs {
    /// Bars to read: CSV, Parquet or Arrow IPC with open, high, low, close and volume; without it
    /// minute bars are drawn
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// Bars to draw [default: 1142809]
    #[arg(long, value_name = "BARS")]
    pub bars: Option<usize>,
    /// How far the mean of a drawn bar follows the bars before, in units of its volatility; 0 plants
    /// nothing [default: 0.03]
    #[arg(long, value_name = "SIZE")]
    pub signal: Option<f64>,
}

impl BarArgs {
    /// Reads the bars, or draws them.
    ///
    /// # Errors
    /// When the file is not as asked for, or a setting is out of range.
    pub fn series(&self, seed: u64, observer: Observer<'_>) -> Outcome<Series> {
        match &self.data {
            Some(_) if self.bars.is_some() || self.signal.is_some() => {
                Err("--bars and --signal are for drawn bars, not for --data".into())
            }
            Some(path) => Series::read(path, observer),
            None => {
                let signal = self.signal.unwrap_or(SIGNAL);
                Series::draw(&Bars {
                    bars: self.bars.unwrap_or(BARS),
                    signal,
                    seed,
                    ..Bars::default()
                })
            }
        }
    }
}

/// The options that say what is predicted and where the bars are cut.
#[derive(Debug, Clone, Args)]
pub struct SplitArgs {
    /// Bars that the target looks ahead
    #[arg(long, value_name = "BARS", default_value_t = 5)]
    pub horizon: usize,
    /// The share of the bars, the oldest, that trains
    #[arg(long, value_name = "SHARE", default_value_t = 0.8)]
    pub train_share: f64,
    /// Bars left out between training, holdout and test; without it the horizon
    #[arg(long, value_name = "BARS")]
    pub gap: Option<usize>,
}

impl SplitArgs {
    /// Where the bars are cut.
    #[must_use]
    pub fn split(&self) -> Split {
        let gap = self.gap.unwrap_or(self.horizon);
        Split { train: self.train_share, horizon: self.horizon, gap }
    }
}

/// The options that say how it is trained.
#[derive(Debug, Clone, Args)]
pub struct RecipeArgs {
    /// Passes over the training bars
    #[arg(long, default_value_t = 3)]
    pub epochs: u64,
    /// Bars a step
    #[arg(long, value_name = "BARS", default_value_t = 16)]
    pub batch_size: usize,
    /// The largest learning rate
    #[arg(long, value_name = "RATE", default_value_t = 1e-4)]
    pub learning_rate: f64,
    /// The share of the steps in which the rate rises; then it falls as a cosine
    #[arg(long, value_name = "SHARE", default_value_t = 0.05)]
    pub warm_up: f64,
    /// Widths of the hidden layers, with commas between
    #[arg(long, value_name = "WIDTHS", value_delimiter = ',', default_value = "16,8")]
    pub hidden_dims: Vec<usize>,
    /// The share of hidden values dropped in training
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    pub dropout: f64,
    /// The share of the rate that weights lose in a step
    #[arg(long, value_name = "SHARE", default_value_t = 0.01)]
    pub weight_decay: f64,
    /// Where Huber's loss turns straight, in ranks from 0 to 1
    #[arg(long, value_name = "DELTA", default_value_t = 0.1)]
    pub huber_delta: f64,
    /// The largest norm of a gradient
    #[arg(long, value_name = "NORM", default_value_t = 1.0)]
    pub clip_norm: f64,
    /// The share of the training bars, the latest, by which the best epoch is chosen; 0 for none
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    pub holdout: f64,
    /// Epochs without a better one after which training ends; 0 for no end
    #[arg(long, value_name = "EPOCHS", default_value_t = 3)]
    pub patience: usize,
    /// Bytes that training may take at most, such as 800m or 4g, its samples counted; a run that would
    /// take more is refused before they are read
    #[arg(long, value_name = "SIZE", value_parser = crate::size)]
    pub max_memory: Option<u64>,
    /// Steps between checkpoints, beside those at the ends of epochs
    #[arg(long, value_name = "STEPS", default_value_t = 0)]
    pub checkpoint_every: u64,
}

impl RecipeArgs {
    /// The learner for so many training rows, each an era; `gap` rows lie before the holdout.
    ///
    /// ```
    /// use clap::Parser;
    /// use fattail_examples::robust::RecipeArgs;
    /// #[derive(Parser)]
    /// struct Options {
    ///     #[command(flatten)]
    ///     recipe: RecipeArgs,
    /// }
    /// let recipe = Options::parse_from(["robust"]).recipe;
    /// let learner = recipe.learner(914_247, 5, "cpu", 0)?;
    /// assert_eq!(learner.network(5).parameters(), 299);
    /// assert!(recipe.learner(914_247, 5, "abacus", 0).is_ok(), "devices are chosen elsewhere");
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// ```
    ///
    /// # Errors
    /// When an option is out of range.
    pub fn learner(&self, rows: usize, gap: usize, device: &str, seed: u64) -> Outcome<RobustMlp> {
        self.check()?;
        let share = Portion::Share(self.holdout);
        let holdout = (self.holdout > 0.0).then_some(Holdout { portion: share, gap });
        let fitted = match &holdout {
            Some(holdout) => holdout.cut(rows)?.0.len(),
            None => rows,
        };
        let patience = Stop::Patience { rounds: self.patience, min_delta: 0.0 };
        let training = Training {
            epochs: self.epochs,
            batch_size: self.batch_size,
            rate: self.rate(fitted).into(),
            clip_norm: Some(self.clip_norm),
            holdout,
            stop: if self.patience > 0 { vec![patience] } else { Vec::new() },
            checkpoint_every: self.checkpoint_every,
            memory: self.max_memory,
            seed,
            ..Training::default()
        };
        let regime = Regime {
            training,
            objective: Huber { delta: self.huber_delta }.into(),
            optimiser: AdamW { weight_decay: self.weight_decay, ..AdamW::default() },
            device: device.to_owned(),
            ..Regime::default()
        };
        regime.check()?;
        let learner = RobustMlp {
            hidden: self.hidden_dims.clone(),
            dropout: self.dropout,
            regime,
            ..RobustMlp::default()
        };
        learner.network(super::FEATURES.len()).check()?;
        Ok(learner)
    }

    fn check(&self) -> Outcome {
        let refuse = |name: &str, value: f64, allowed: &str| {
            Err(format!("--{name} is {value}, allowed is {allowed}").into())
        };
        if !(self.learning_rate > 0.0 && self.learning_rate.is_finite()) {
            return refuse("learning-rate", self.learning_rate, "above 0 and finite");
        }
        let shares = [("warm-up", self.warm_up), ("holdout", self.holdout)];
        match shares.into_iter().find(|(_, share)| !(0.0..1.0).contains(share)) {
            Some((name, share)) => refuse(name, share, "at least 0 and below 1"),
            None => Ok(()),
        }
    }

    /// Up to the largest rate and down again, step by step.
    fn rate(&self, fitted: usize) -> Sequence {
        let steps = fitted.div_ceil(self.batch_size.max(1)) as u64;
        let total = steps.saturating_mul(self.epochs).max(1);
        let warm = ((self.warm_up * total as f64) as u64).min(total - 1);
        let (high, period) = (self.learning_rate, total - warm);
        let down = Cosine { high, low: LAST_RATE * high, period, growth: 1 }.into();
        if warm == 0 {
            return Sequence { parts: vec![down], milestones: Vec::new() };
        }
        let up = Linear { from: 0.0, to: high, steps: warm }.into();
        Sequence { parts: vec![up, down], milestones: vec![warm] }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use fattail::schedule::Schedule;

    use super::*;

    #[derive(Parser)]
    struct Options {
        #[command(flatten)]
        recipe: RecipeArgs,
    }

    #[test]
    fn the_bars_that_are_drawn_by_default_have_a_kurtosis_above_400() {
        // A million draws of a seed: the same on every machine, a second at most.
        let series = BarArgs::default().series(0, &fattail::silent).unwrap();
        let kurtosis = series.kurtosis();
        assert!(series.len() == 1_142_809 && kurtosis > 400.0, "{kurtosis}");
    }

    #[test]
    fn the_rate_rises_and_falls_and_never_begins_again() {
        let recipe = Options::parse_from(["robust", "--epochs", "2", "--warm-up", "0.1"]).recipe;
        // 160 rows are 10 steps an epoch, 20 in all, 2 of them up.
        let rate = recipe.rate(160);
        let rates: Vec<f64> = (0..20).map(|step| rate.rate(step)).collect();
        assert_eq!((rates[0], rates[1], rates[2]), (0.0, 5e-5, 1e-4));
        assert!(rates[2..].windows(2).all(|pair| pair[0] > pair[1]), "{rates:?}");
        assert!(rates[19] < 3e-6, "{rates:?}");
    }

    #[test]
    fn options_out_of_range_are_named() {
        let told = |args: &[&str]| {
            let args = ["robust"].iter().chain(args);
            let recipe = Options::parse_from(args).recipe;
            recipe.learner(1000, 5, "cpu", 0).unwrap_err().to_string()
        };
        assert_eq!(told(&["--holdout", "1"]), "--holdout is 1, allowed is at least 0 and below 1");
        assert!(told(&["--learning-rate", "nan"]).contains("--learning-rate is NaN"));
        assert!(told(&["--batch-size", "0"]).contains("'batch_size' is 0"));
        assert!(told(&["--epochs", "0"]).contains("'epochs' is 0"));
        assert!(told(&["--huber-delta", "0"]).contains("delta"));
        assert!(told(&["--dropout", "1"]).contains("dropout"));
        assert!(told(&["--hidden-dims", "16,0"]).contains("hidden"));
        assert!(told(&["--clip-norm", "0"]).contains("clip_norm"));
    }
}
