//! The score ledger: every decision at an era sees only scores that were known by then.
//!
//! The score of era e is known from era `e + gap` on, gap being that of the rule for the horizon: with 20 days
//! of label and 2 + 2 of lag in eras of 5 days, the score of era e is there on day `5 e + 24`, before the
//! predictions of era `e + 5`. Eras are positions. The splits use the same number more widely: they leave `gap`
//! whole eras between training and test, so the last label that a model at era s has learnt from is that of
//! era `s - gap - 1`, while a decision at s may use the score of `s - gap`. A rule whose gap is shorter than
//! that of [`EmbargoRule::RealTime`] forgets the lags and is refused.
//!
//! Scores are read through [`Known`] alone, which a ledger makes for an era and writes down: who asked, for
//! which era, and the latest era that was visible. The leak certificate reads that list.
//!
//! One ledger holds one score an era for each of its models. A score that is NaN or infinite is recorded as
//! not defined and left out of every mean; a mean of nothing is NaN. Eras are recorded once, in order; an era
//! may be left out.
//!
//! Cost: a binary search a view, and one pass over what is known a mean.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, same_length};
use crate::{EmbargoRule, Horizon};

/// Scores by era and model, and who has read them.
///
/// ```
/// use fattail_evaluate::{EmbargoRule, Horizon, Ledger};
/// let mut ledger = Ledger::new(["trees", "ridge"], EmbargoRule::RealTime, &Horizon::NUMERAI_20)?;
/// for era in 0..10 {
///     ledger.record(era, &[0.01 * era as f64, 0.02])?;
/// }
/// // At era 7 the scores of the eras 0, 1 and 2 are known.
/// let known = ledger.known_at(7, "weights of the blend");
/// let eras: Vec<usize> = known.scores(0).map(|(era, _)| era).collect();
/// assert_eq!(eras, [0, 1, 2]);
/// assert!((known.mean(0) - 0.01).abs() < 1e-15 && known.best(1) == Some((0, 0.02)));
/// let read = &ledger.reads()[0];
/// assert_eq!((read.era, read.latest, &read.purpose[..]), (7, Some(2), "weights of the blend"));
/// # Ok::<(), fattail_evaluate::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Ledger {
    rule: EmbargoRule,
    horizon: Horizon,
    /// What the rule makes of the horizon.
    gap: usize,
    models: Vec<String>,
    eras: Vec<usize>,
    /// Era by era, one score a model.
    scores: Vec<f64>,
    reads: Vec<Read>,
}

/// One look at the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Read {
    /// The era at which something was decided.
    pub era: usize,
    /// The latest era whose scores were visible.
    pub latest: Option<usize>,
    /// What for.
    pub purpose: String,
}

impl Ledger {
    /// An empty ledger of the scores of some models, in this order.
    ///
    /// # Errors
    /// When an era has no days or the label has none, and when the rule leaves less than the time until a
    /// score is known.
    pub fn new(
        models: impl IntoIterator<Item = impl Into<String>>,
        rule: EmbargoRule,
        horizon: &Horizon,
    ) -> Result<Self> {
        let (gap, known) = (rule.gap(horizon)?, EmbargoRule::RealTime.gap(horizon)?);
        if gap < known {
            return Err(Error::LedgerGap { gap, known });
        }
        let models = models.into_iter().map(Into::into).collect();
        Ok(Self {
            rule,
            horizon: *horizon,
            gap,
            models,
            eras: Vec::new(),
            scores: Vec::new(),
            reads: Vec::new(),
        })
    }

    /// Eras until a score is known.
    #[must_use]
    pub fn gap(&self) -> usize {
        self.gap
    }

    /// The models, in the order of their scores.
    #[must_use]
    pub fn models(&self) -> &[String] {
        &self.models
    }

    /// Writes the scores of an era down, one a model. Since when they are known follows from the era alone, so
    /// a backtest may record an era as soon as it has predicted it.
    ///
    /// # Errors
    /// When there is not one score a model, or the era does not come after the last one.
    pub fn record(&mut self, era: usize, scores: &[f64]) -> Result<()> {
        same_length("scores", scores.len(), self.models.len())?;
        if let Some(&last) = self.eras.last().filter(|&&last| last >= era) {
            return Err(Error::LedgerOrder { era, last });
        }
        self.eras.push(era);
        self.scores.extend_from_slice(scores);
        Ok(())
    }

    /// What is known at an era, for a purpose that is written down.
    pub fn known_at(&mut self, era: usize, purpose: impl Into<String>) -> Known<'_> {
        let count = self.eras.partition_point(|&past| past.saturating_add(self.gap) <= era);
        let latest = self.eras[..count].last().copied();
        self.reads.push(Read { era, latest, purpose: purpose.into() });
        let width = self.models.len();
        Known { width, eras: &self.eras[..count], scores: &self.scores[..count * width] }
    }

    /// Who has read what, in order.
    #[must_use]
    pub fn reads(&self) -> &[Read] {
        &self.reads
    }
}

/// The scores that are known at an era. Models are named by their places in [`Ledger::models`]; a place that
/// is not there has no scores.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    width: usize,
    eras: &'a [usize],
    scores: &'a [f64],
}

impl<'a> Known<'a> {
    /// The latest era that is known.
    #[must_use]
    pub fn latest(&self) -> Option<usize> {
        self.eras.last().copied()
    }

    /// The known eras, each with one score a model; NaN where it is not defined.
    pub fn eras(self) -> impl DoubleEndedIterator<Item = (usize, &'a [f64])> {
        let row = move |at: usize| &self.scores[at * self.width..(at + 1) * self.width];
        self.eras.iter().enumerate().map(move |(at, &era)| (era, row(at)))
    }

    /// The known scores of a model that are defined.
    pub fn scores(self, model: usize) -> impl DoubleEndedIterator<Item = (usize, f64)> + 'a {
        let scores = self.eras().filter_map(move |(era, row)| Some((era, *row.get(model)?)));
        scores.filter(|(_, score)| score.is_finite())
    }

    /// The mean of a model's scores.
    #[must_use]
    pub fn mean(self, model: usize) -> f64 {
        weighted(self.scores(model).map(|(_, score)| (1.0, score)))
    }

    /// The mean of a model's last `count` scores, or of all where there are fewer.
    #[must_use]
    pub fn last_mean(self, model: usize, count: usize) -> f64 {
        weighted(self.scores(model).rev().take(count).map(|(_, score)| (1.0, score)))
    }

    /// The mean of a model's scores, each weighing `2^(-age / half_life)` at an age counted in eras from the
    /// model's last score: counted from a later era, all weights shrink alike.
    ///
    /// # Errors
    /// When the half-life is not a positive number.
    pub fn decayed_mean(self, model: usize, half_life: f64) -> Result<f64> {
        if !(half_life > 0.0 && half_life.is_finite()) {
            let allowed = "a positive number";
            return Err(Error::Number { name: "half_life", given: half_life, allowed });
        }
        let last = self.scores(model).next_back().map_or(0, |(era, _)| era);
        let weight = |era: usize| (-((last - era) as f64) / half_life).exp2();
        Ok(weighted(self.scores(model).map(|(era, score)| (weight(era), score))))
    }

    /// The best score of a model so far and its era, the earliest of equals.
    #[must_use]
    pub fn best(self, model: usize) -> Option<(usize, f64)> {
        self.scores(model).reduce(|best, next| if next.1 > best.1 { next } else { best })
    }

    /// A number of each model, such as [`Known::mean`] for [`Known::leader`] or weights.
    #[must_use]
    pub fn each(self, number: impl Fn(Self, usize) -> f64) -> Vec<f64> {
        (0..self.width).map(|model| number(self, model)).collect()
    }

    /// The model with the largest number that is not NaN, the first of equals.
    #[must_use]
    pub fn leader(self, number: impl Fn(Self, usize) -> f64) -> Option<usize> {
        let numbers = self.each(number).into_iter().enumerate();
        let known = numbers.filter(|(_, value)| !value.is_nan());
        let best = known.reduce(|best, next| if next.1 > best.1 { next } else { best });
        best.map(|(model, _)| model)
    }
}

/// The weighted mean; NaN of nothing.
fn weighted(scores: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (weight, sum) = scores
        .fold((0.0, 0.0), |(weight, sum), (factor, score)| (weight + factor, sum + factor * score));
    if weight > 0.0 { sum / weight } else { f64::NAN }
}

/// A ledger as it is written: the gap follows from rule and horizon.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    rule: EmbargoRule,
    horizon: Horizon,
    models: Vec<String>,
    /// A score that is not defined is null.
    eras: Vec<(usize, Vec<Option<f64>>)>,
    reads: Vec<Read>,
}

impl From<Ledger> for Stored {
    fn from(ledger: Ledger) -> Self {
        let Ledger { rule, horizon, models, eras, scores, reads, .. } = ledger;
        let known = Known { width: models.len(), eras: &eras, scores: &scores };
        let defined = |row: &[f64]| row.iter().map(|s| s.is_finite().then_some(*s)).collect();
        let eras = known.eras().map(|(era, row)| (era, defined(row))).collect();
        Self { rule, horizon, models, eras, reads }
    }
}

impl TryFrom<Stored> for Ledger {
    type Error = Error;

    fn try_from(stored: Stored) -> Result<Self> {
        let Stored { rule, horizon, models, eras, reads } = stored;
        let mut ledger = Self::new(models, rule, &horizon)?;
        for (era, scores) in eras {
            let scores: Vec<f64> = scores.into_iter().map(|s| s.unwrap_or(f64::NAN)).collect();
            ledger.record(era, &scores)?;
        }
        for (read, Read { era, latest, .. }) in reads.iter().enumerate() {
            let Some(latest) = *latest else { continue };
            let known = latest.saturating_add(ledger.gap) <= *era;
            if !known || ledger.eras.binary_search(&latest).is_err() {
                return Err(Error::LedgerRead { read, era: *era, latest, gap: ledger.gap });
            }
        }
        ledger.reads = reads;
        Ok(ledger)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(scores: &[f64]) -> Ledger {
        let mut ledger = Ledger::new(["one"], EmbargoRule::RealTime, &Horizon::NUMERAI_20).unwrap();
        for (era, &score) in scores.iter().enumerate() {
            ledger.record(era, &[score]).unwrap();
        }
        ledger
    }

    #[test]
    fn a_score_is_known_on_the_day_that_numerai_says() {
        for (horizon, gap) in [(Horizon::NUMERAI_20, 5), (Horizon::NUMERAI_60, 13)] {
            let mut ledger = Ledger::new(["one"], EmbargoRule::RealTime, &horizon).unwrap();
            assert_eq!(ledger.gap(), gap);
            ledger.record(0, &[1.0]).unwrap();
            let mut seen = |era| ledger.known_at(era, "test").latest();
            assert_eq!((seen(gap - 1), seen(gap)), (None, Some(0)));
            // Days of the market: prediction, lag, label, lag.
            let known = horizon.lag_days + horizon.days + horizon.data_lag_days;
            let day = |era: usize| era as u32 * horizon.era_days;
            assert!(day(gap - 1) < known && known <= day(gap));
        }
        let error = Ledger::new(["one"], EmbargoRule::LabelDisjoint, &Horizon::NUMERAI_20);
        let text = "a gap of 4 eras is too short for a ledger: scores are known after 5 eras";
        assert_eq!(error.unwrap_err().to_string(), text);
        let wide = Ledger::new(["one"], EmbargoRule::NumeraiBenchmark, &Horizon::NUMERAI_20);
        assert_eq!(wide.unwrap().gap(), 8);
    }

    #[test]
    fn means_of_what_is_known_by_hand() {
        let mut ledger = ledger(&[1.0, f64::NAN, 4.0, 3.0, 4.0, -1000.0, f64::INFINITY]);
        let known = ledger.known_at(9, "test");
        assert_eq!((known.mean(0), known.last_mean(0, 2), known.last_mean(0, 9)), (3.0, 3.5, 3.0));
        assert_eq!(known.best(0), Some((2, 4.0)));
        // Ages 4, 2, 1 and 0, halved each two eras: weights 1/4, 1/2, 1/√2 and 1.
        let weights = [0.25, 0.5, 0.5_f64.sqrt(), 1.0];
        let sum = 0.25 + 2.0 + 3.0 * weights[2] + 4.0;
        let expected = sum / weights.iter().sum::<f64>();
        assert!((known.decayed_mean(0, 2.0).unwrap() - expected).abs() < 1e-15);
        assert!(known.decayed_mean(0, 0.0).is_err() && known.decayed_mean(0, f64::NAN).is_err());
        assert!(known.mean(1).is_nan() && known.best(1).is_none());
        let nothing = ledger.known_at(4, "too early");
        assert!(nothing.mean(0).is_nan() && nothing.decayed_mean(0, 1.0).unwrap().is_nan());
        assert_eq!((nothing.latest(), nothing.eras().count()), (None, 0));
    }

    #[test]
    fn several_models_have_a_leader() {
        let models = ["nothing", "low", "high", "late"];
        let mut ledger = Ledger::new(models, EmbargoRule::RealTime, &Horizon::NUMERAI_20).unwrap();
        ledger.record(0, &[f64::NAN, 0.1, 0.2, 0.2]).unwrap();
        ledger.record(2, &[f64::NAN, 0.3, 0.4, 9.0]).unwrap();
        assert_eq!(ledger.known_at(6, "leader").leader(Known::mean), Some(2));
        assert_eq!(ledger.known_at(7, "leader").leader(Known::mean), Some(3));
        assert_eq!(ledger.known_at(7, "leader").leader(|_, _| f64::NAN), None);
        let means = ledger.known_at(7, "weights").each(|known, model| known.last_mean(model, 1));
        assert_eq!((means[0].is_nan(), &means[1..]), (true, &[0.3, 0.4, 9.0][..]));
        let rows: Vec<usize> = ledger.known_at(7, "rows").eras().map(|(era, _)| era).collect();
        assert_eq!(rows, [0, 2]);
        let latest: Vec<_> = ledger.reads().iter().map(|read| read.latest).collect();
        assert_eq!(latest, [Some(0), Some(2), Some(2), Some(2), Some(2)]);
    }

    #[test]
    fn eras_are_recorded_once_in_order() {
        let mut ledger = ledger(&[1.0, 2.0]);
        let error = ledger.record(1, &[2.0]).unwrap_err().to_string();
        assert_eq!(
            error,
            "scores of era 1 come after those of era 1: eras are recorded once, in order"
        );
        assert!(ledger.record(0, &[2.0]).is_err());
        assert!(ledger.record(9, &[2.0, 3.0]).is_err());
        assert!(ledger.record(9, &[2.0]).is_ok());
    }

    #[test]
    fn a_ledger_survives_json_and_a_forged_one_does_not() {
        let mut kept = ledger(&[0.5, f64::NAN]);
        kept.known_at(5, "weights");
        let text = serde_json::to_string(&kept).unwrap();
        assert!(text.contains(r#""eras":[[0,[0.5]],[1,[null]]]"#), "{text}");
        let back: Ledger = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&back).unwrap(), text);
        let refusal = |from: &str, to: &str| {
            assert!(text.contains(from), "{text}");
            let forged = text.replace(from, to);
            serde_json::from_str::<Ledger>(&forged).unwrap_err().to_string()
        };
        assert!(refusal("[1,[", "[0,[").contains("era 0 come after those of era 0"));
        // A gap of its own, a rule that forgets the lags, a horizon without days.
        assert!(refusal(r#"{"rule":"#, r#"{"gap":0,"rule":"#).contains("unknown field `gap`"));
        let short = refusal("real_time", "label_disjoint");
        assert!(short.contains("a gap of 4 eras is too short for a ledger"), "{short}");
        assert!(refusal(r#""days":20"#, r#""days":0"#).contains("'days' is 0"));
        // A read of what was not known yet, and of an era that is not there.
        let early = refusal(r#"{"era":5,"latest":0"#, r#"{"era":4,"latest":0"#);
        let told = "read 0 at era 4 saw scores of era 0, which are known after 5 eras if recorded";
        assert!(early.contains(told), "{early}");
        assert!(refusal(r#""latest":0"#, r#""latest":1"#).contains("saw scores of era 1"));
        let nowhere = refusal(r#"{"era":5,"latest":0"#, r#"{"era":99,"latest":70"#);
        assert!(nowhere.contains("saw scores of era 70"), "{nowhere}");
    }

    #[test]
    fn a_short_half_life_leaves_the_last_score() {
        // The last known era has no score: its age of one would weigh 2^-1000 and nothing.
        let mut ledger = ledger(&[1.0, 2.0, f64::NAN, f64::NAN]);
        let known = ledger.known_at(9, "test");
        assert_eq!(known.decayed_mean(0, 0.001), Ok(2.0));
        assert!((known.decayed_mean(0, 1.0).unwrap() - 5.0 / 3.0).abs() < 1e-15);
    }
}
