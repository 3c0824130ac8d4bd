//! The metrics by name, each with the settings that parameters have for it.
//!
//! A setting goes behind the name (`ndcg@3`, `huber@1.5`), so that it is not lost where the objective has
//! no such setting; a metric of the objective's own kind takes the objective's.

use fattail_objective::{Evaluation, Objective};

use super::{draft::Draft, objective::is_no_metric};

/// Positions at which ranking metrics are taken without `eval_at`.
const PLACES: [usize; 1] = [5];

impl Draft {
    /// The metrics, ranking metrics at their positions; none where none is meant, or the objective's own.
    pub(super) fn metrics(&self) -> Vec<String> {
        let objective = self.objective.build();
        let is_ranking = matches!(objective.evaluation(), Evaluation::Ndcg { .. });
        if self.out.metrics.is_empty() && is_ranking && !self.eval_at.is_empty() {
            return self.at_places("ndcg");
        }
        let named = self.out.metrics.iter().filter(|metric| !is_no_metric(metric));
        named.flat_map(|metric| self.metric(metric, &objective)).collect()
    }

    fn metric(&self, name: &str, objective: &Objective) -> Vec<String> {
        let Ok(metric) = Evaluation::from_name(name) else { return vec![name.to_owned()] };
        match &metric {
            _ if name.contains('@') => vec![name.to_owned()],
            Evaluation::Ndcg { .. } | Evaluation::Map { .. } => self.at_places(name),
            Evaluation::MultiError { .. } => vec![format!("{name}@{}", self.multi_error_top)],
            _ if metric.name() == objective.evaluation().name() => vec![name.to_owned()],
            metric => vec![self.with_setting(name, metric)],
        }
    }

    fn at_places(&self, name: &str) -> Vec<String> {
        let places = if self.eval_at.is_empty() { &PLACES[..] } else { &self.eval_at };
        places.iter().map(|place| format!("{name}@{place}")).collect()
    }

    /// The name and, where it is not the usual one, the number that parameters set.
    fn with_setting(&self, name: &str, usual: &Evaluation) -> String {
        let given = match usual {
            Evaluation::Huber { .. }
            | Evaluation::Quantile { .. }
            | Evaluation::Expectile { .. } => self.objective.alphas.first().copied(),
            Evaluation::Fair { .. } => Some(self.objective.fair_c),
            Evaluation::PseudoHuber { .. } => Some(self.objective.delta),
            Evaluation::Tweedie { .. } => Some(self.objective.tweedie_power),
            _ => None,
        };
        let set = given.map(|number| format!("{name}@{number}"));
        let is_other = |set: &String| Evaluation::from_name(set).ok().as_ref() != Some(usual);
        set.filter(is_other).unwrap_or_else(|| name.to_owned())
    }
}
