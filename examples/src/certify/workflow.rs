//! The pipeline of the command line: scaling, rank target, models that tune and stop by themselves, an ensemble whose
//! weights and a gate whose decisions read known scores alone.

use fattail::{
    Panel, Pipeline, Predict, Preparation, Result,
    certificate::{Procedure, Run, SealedFold},
    evaluate::{
        EmbargoRule, Fold, Horizon, Known, Ledger, Predictions, SpearmanCorr, score_predictions,
    },
    gbdt::Gbdt,
    linear::Ridge,
    prepare::{PerEraRank, Scaler},
};
use serde::{Deserialize, Serialize};

/// A whole weekly pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Workflow {
    /// How features are scaled; none leaves them as they are.
    pub scaler: Option<Scaler>,
    /// Whether the target becomes its rank within the era.
    pub rank_target: bool,
    /// What learns.
    pub learners: Vec<Learning>,
    /// How predictions are joined.
    pub blend: Blend,
    /// A fold is left out, all its predictions the same, where the mean of the known scores is not above this; needs
    /// folds that train on the past alone.
    pub gate: Option<f64>,
    /// How far targets look ahead, and so when scores are known.
    pub horizon: Horizon,
}

/// What learns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Learning {
    /// Ridge regression; several penalties are tuned on eras left out.
    Ridge(Ridge),
    /// Boosted trees; with `stop`, the last training eras tell when to stop.
    Gbdt(Box<Gbdt>),
}

/// How predictions of several models are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blend {
    /// Their mean.
    Equal,
    /// Weighted by the mean of the scores that are known when the fold begins, which needs folds that train on the
    /// past alone.
    #[default]
    Adaptive,
}

impl Workflow {
    /// Ridge regression with a tuned penalty and boosted trees that stop early, every gap that of the rule.
    ///
    /// # Errors
    /// When the horizon has no days.
    pub fn usual(horizon: Horizon) -> Result<Self> {
        let gap = EmbargoRule::RealTime.gap(&horizon)?;
        let penalties = vec![1e-3, 1e-2, 1e-1, 1.0];
        let ridge = Ridge { penalties, gap, ..Ridge::default() };
        let stop = fattail::gbdt::EarlyStop { rounds: 10, gap, ..Default::default() };
        let gbdt = Gbdt { leaves: 8, rounds: 60, stop: Some(stop), ..Gbdt::default() };
        Ok(Self {
            scaler: Some(Scaler::default()),
            rank_target: true,
            learners: vec![Learning::Ridge(ridge), Learning::Gbdt(Box::new(gbdt))],
            blend: Blend::Adaptive,
            gate: Some(-0.02),
            horizon,
        })
    }

    fn pipeline(&self, learning: &Learning) -> Pipeline {
        let mut steps = Preparation::default();
        if let Some(scaler) = self.scaler {
            steps = steps.then(scaler);
        }
        if self.rank_target {
            steps = steps.then(PerEraRank::default());
        }
        match learning {
            Learning::Ridge(ridge) => steps.learner(ridge.clone()),
            Learning::Gbdt(gbdt) => steps.learner((**gbdt).clone()),
        }
    }

    /// Refuses decisions by past scores where folds train on eras behind their test eras: the models that made
    /// those scores have learnt from the future, and scores tell what nobody knew.
    fn check(&self, folds: &[Fold]) -> Result<()> {
        if self.learners.is_empty() {
            return Err(fattail::Error::empty("the list of learners"));
        }
        let two_sided = folds.iter().any(|fold| fold.train.last() > fold.test.first());
        let allowed = "none where folds train on both sides of their test eras";
        if two_sided && self.learners.len() > 1 && self.blend == Blend::Adaptive {
            return Err(fattail::Error::setting("blend", "adaptive", allowed));
        }
        match self.gate {
            Some(gate) if two_sided => Err(fattail::Error::setting("gate", gate, allowed)),
            _ => Ok(()),
        }
    }

    /// The predictions of every model for a fold.
    fn predicted(&self, fold: &SealedFold<'_>) -> Result<Vec<Vec<f32>>> {
        let predict = |learning: &Learning| -> Result<Vec<f32>> {
            let model: Box<dyn Predict> =
                Box::new(fattail::Fit::fit(&self.pipeline(learning), fold.train())?);
            fold.predict(&model)
        };
        self.learners.iter().map(predict).collect()
    }
}

impl Default for Workflow {
    fn default() -> Self {
        let learners = vec![Learning::Ridge(Ridge::default())];
        Self {
            scaler: None,
            rank_target: false,
            learners,
            blend: Blend::Adaptive,
            gate: None,
            horizon: Horizon::NUMERAI_20,
        }
    }
}

impl Procedure for Workflow {
    fn run(&self, panel: &Panel, folds: &[Fold]) -> Result<Run> {
        self.check(folds)?;
        // The scores of every model and, last, of the ensemble.
        let models = self.learners.len();
        let names = (0..models).map(|model| format!("model {model}")).chain(["ensemble".into()]);
        let mut ledger = Ledger::new(names, EmbargoRule::RealTime, &self.horizon)?;
        let mut predictions = Vec::new();
        for (number, fold) in folds.iter().enumerate() {
            let predicted = self.predicted(&SealedFold::new(panel, number, fold)?)?;
            let at = fold.test[0];
            let weights = match self.blend {
                Blend::Equal => vec![1.0; models],
                Blend::Adaptive => weights(ledger.known_at(at, "weights of the ensemble"), models),
            };
            let blend = blend(panel, fold, &predicted, &weights);
            let open = match self.gate {
                None => true,
                Some(least) => {
                    let mean = ledger.known_at(at, "gate").mean(models);
                    mean.is_nan() || mean > least
                }
            };
            record(&mut ledger, panel, fold, predicted.iter().chain([&blend]))?;
            predictions.push(if open { blend } else { vec![0.0; blend.len()] });
        }
        Ok(Run { predictions, reads: ledger.reads().to_vec() })
    }
}

/// Weights by known scores; equal ones as long as none is known.
fn weights(known: Known<'_>, models: usize) -> Vec<f64> {
    let weight = |model| {
        let mean = known.mean(model);
        if mean.is_nan() { 1.0 } else { mean.max(0.0) + 1e-3 }
    };
    (0..models).map(weight).collect()
}

/// Writes the scores of a fold's test eras down.
fn record<'a>(
    ledger: &mut Ledger,
    panel: &Panel,
    fold: &Fold,
    predicted: impl Iterator<Item = &'a Vec<f32>>,
) -> Result<()> {
    let scores = |values: &Vec<f32>| -> Result<Vec<f64>> {
        let predictions = Predictions { eras: fold.test.clone(), values: values.clone() };
        Ok(score_predictions(panel, &predictions, &[&SpearmanCorr])?[0].values())
    };
    let models: Vec<Vec<f64>> = predicted.map(scores).collect::<Result<_>>()?;
    for (at, &era) in fold.test.iter().enumerate() {
        let scores: Vec<f64> = models.iter().map(|scores| scores[at]).collect();
        ledger.record(era, &scores)?;
    }
    Ok(())
}

/// The weighted mean of predictions, each in units of its spread in the era. A spread of the whole test block would
/// know its later eras: the certificate found that in the first form of this function.
fn blend(panel: &Panel, fold: &Fold, predicted: &[Vec<f32>], weights: &[f64]) -> Vec<f32> {
    let total: f64 = weights.iter().sum();
    let mut sums = vec![0.0_f64; predicted[0].len()];
    let mut start = 0;
    for &era in &fold.test {
        let rows = start..start + panel.eras().range(era).len();
        start = rows.end;
        for (values, weight) in predicted.iter().zip(weights) {
            let wide: Vec<f64> = values[rows.clone()].iter().map(|&value| value.into()).collect();
            let (mean, spread) = (fattail::stats::mean(&wide), fattail::stats::std(&wide, 0));
            let scale = if spread > 0.0 { weight / total / spread } else { 0.0 };
            let sums = sums[rows.clone()].iter_mut().zip(&wide);
            sums.for_each(|(sum, value)| *sum += scale * (value - mean));
        }
    }
    sums.into_iter().map(|sum| sum as f32).collect()
}
