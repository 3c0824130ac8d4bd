//! The objective, put together from its name and the numbers that several objectives share.

use fattail_objective::{Aft, Binary, Evaluation, Lambdarank, Noise, Objective};

use super::{ParameterError, ParameterResult, value::Value};

/// The parameters of all objectives.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ObjectiveDraft {
    /// The objective with default settings.
    pub(super) kind: Objective,
    pub(super) classes: usize,
    pub(super) binary: Binary,
    pub(super) sqrt: bool,
    /// Empty for the default; several for several quantiles or expectiles.
    pub(super) alphas: Vec<f64>,
    pub(super) fair_c: f64,
    pub(super) poisson_step: f64,
    pub(super) tweedie_power: f64,
    pub(super) lambdarank: Lambdarank,
    pub(super) seed: Option<u32>,
    pub(super) delta: f64,
    pub(super) aft: Aft,
}

impl Default for ObjectiveDraft {
    fn default() -> Self {
        Self {
            kind: Objective::default(),
            classes: 1,
            binary: Binary::default(),
            sqrt: false,
            alphas: Vec::new(),
            fair_c: 1.0,
            poisson_step: 0.7,
            tweedie_power: 1.5,
            lambdarank: Lambdarank::default(),
            seed: None,
            delta: 1.0,
            aft: Aft::default(),
        }
    }
}

/// The objective of a name, with default settings.
pub(super) fn objective(value: &Value<'_>) -> ParameterResult<Objective> {
    Objective::from_name(&value.word()).map_err(|error| choice(value, &error))
}

/// Names of metrics, each of which is known or stands for none.
pub(super) fn metrics(value: &Value<'_>) -> ParameterResult<Vec<String>> {
    let known = |part: &str| {
        let name = part.to_lowercase();
        if !is_no_metric(&name) {
            Evaluation::from_name(&name).map_err(|error| choice(value, &error))?;
        }
        Ok(name)
    };
    value.parts().map(known).collect()
}

/// Whether a name stands for no metric.
pub(super) fn is_no_metric(name: &str) -> bool {
    matches!(name, "none" | "null" | "na" | "custom")
}

fn choice(value: &Value<'_>, error: &fattail_core::Error) -> ParameterError {
    ParameterError::Choice { name: value.name, reason: error.to_string() }
}

impl ObjectiveDraft {
    pub(super) fn name(&self) -> &'static str {
        self.kind.name()
    }

    pub(super) fn is_multiclass(&self) -> bool {
        matches!(self.kind, Objective::Multiclass { .. } | Objective::MulticlassOva { .. })
    }

    /// Whether one objective stands for several numbers of alpha.
    pub(super) fn takes_several(&self) -> bool {
        matches!(self.kind, Objective::Quantile { .. } | Objective::Expectile { .. })
    }

    /// The objective with its settings.
    pub(super) fn build(&self) -> Objective {
        let alphas = if self.alphas.is_empty() { vec![0.9] } else { self.alphas.clone() };
        match &self.kind {
            Objective::Regression if self.sqrt => Objective::RegressionSqrt,
            Objective::Huber { .. } => Objective::Huber { alpha: alphas[0] },
            Objective::Fair { .. } => Objective::Fair { c: self.fair_c },
            Objective::PseudoHuber { .. } => Objective::PseudoHuber { delta: self.delta },
            Objective::Quantile { .. } => Objective::Quantile { alphas },
            Objective::Expectile { .. } => Objective::Expectile { alphas },
            Objective::Poisson { .. } => Objective::Poisson { max_delta_step: self.poisson_step },
            Objective::Tweedie { .. } => Objective::Tweedie { variance_power: self.tweedie_power },
            Objective::Binary(_) => Objective::Binary(self.binary),
            Objective::Multiclass { .. } => Objective::Multiclass { classes: self.classes },
            Objective::MulticlassOva { .. } => {
                Objective::MulticlassOva { classes: self.classes, binary: self.binary }
            }
            Objective::Lambdarank(_) => {
                let sigmoid = self.binary.sigmoid;
                Objective::Lambdarank(Lambdarank { sigmoid, ..self.lambdarank.clone() })
            }
            Objective::RankXendcg { seed, .. } => {
                let label_gain = self.lambdarank.label_gain.clone();
                Objective::RankXendcg { seed: self.seed.unwrap_or(*seed), label_gain }
            }
            Objective::Aft(_) => Objective::Aft(self.aft),
            kind => kind.clone(),
        }
    }
}

/// The name that LightGBM's parameters have for an objective.
pub(super) fn name_of(objective: &Objective) -> String {
    match objective {
        Objective::RegressionSqrt => "regression".into(),
        other => other.name().into(),
    }
}

/// The settings of the two-class loss that an objective has, or the default ones.
pub(super) fn binary(objective: &Objective) -> Binary {
    match objective {
        Objective::Binary(binary) | Objective::MulticlassOva { binary, .. } => *binary,
        Objective::Lambdarank(Lambdarank { sigmoid, .. }) => {
            Binary { sigmoid: *sigmoid, ..Binary::default() }
        }
        _ => Binary::default(),
    }
}

/// The settings of LambdaRank, or the default ones.
pub(super) fn lambdarank(objective: &Objective) -> Lambdarank {
    match objective {
        Objective::Lambdarank(settings) => settings.clone(),
        _ => Lambdarank::default(),
    }
}

/// The gains of labels; empty for the usual ones.
pub(super) fn label_gain(objective: &Objective) -> &[f64] {
    match objective {
        Objective::Lambdarank(Lambdarank { label_gain, .. })
        | Objective::RankXendcg { label_gain, .. } => label_gain,
        _ => &[],
    }
}

/// The number of classes; 1 for all objectives but those of several.
pub(super) fn classes(objective: &Objective) -> usize {
    match objective {
        Objective::Multiclass { classes } | Objective::MulticlassOva { classes, .. } => *classes,
        _ => 1,
    }
}

/// The numbers of alpha, or the default one.
pub(super) fn alphas(objective: &Objective) -> Vec<f64> {
    match objective {
        Objective::Huber { alpha } => vec![*alpha],
        Objective::Quantile { alphas } | Objective::Expectile { alphas } => alphas.clone(),
        _ => vec![0.9],
    }
}

/// The name of a noise.
pub(super) fn noise_name(noise: Noise) -> &'static str {
    match noise {
        Noise::Normal => "normal",
        Noise::Logistic => "logistic",
        Noise::Extreme => "extreme",
    }
}
