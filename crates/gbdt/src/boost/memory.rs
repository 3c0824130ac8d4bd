//! What training takes beside the panel, before anything of it is allocated.
//!
//! With n rows, b bins of all columns of a tree, K outputs, T trees of at most L leaves and cells of c
//! bytes: codes and packed codes; 40 n, 4 n a target and 4 n K for weights, positions and sampling; 4 n a feature
//! where leaves hold lines; 9 n and 4 n a component for gradients without what is linear; 2 n c for cells; 8 n K for
//! slopes and 8 n K for scores, of the rows held out as well; `T L` nodes; and histograms of b c bytes,
//! three at least. What is left of the limit goes to the histograms of more leaves. Reckoned upwards:
//! a tree may have fewer leaves and cells may be smaller.

use fattail_bins::Mappers;
use fattail_core::{Panel, Result};
use fattail_objective::Objective;

use super::sample::share;
use crate::{
    Boosting, Error, Gbdt, Growth, Precision,
    era::{self, Neutral},
    grow::Room,
    histogram::Pack,
};

/// Bytes of histograms where there is no other limit.
const HISTOGRAMS: u64 = 1 << 31;

/// Bytes of a node with its leaf in the model.
const NODE: u64 = 128;

/// Bytes of a node on bins.
const NODE_ON_BINS: u64 = 512;

/// Histograms that splitting a leaf takes: two children's and that of a leaf that waits.
const LEAST: u64 = 3;

/// What training takes.
#[derive(Debug)]
pub(super) struct Need {
    parts: Vec<(&'static str, u64)>,
    /// Bytes of a histogram.
    histogram: u64,
    /// Leaves of a tree at most.
    leaves: u64,
}

impl Need {
    /// What training on a panel takes.
    pub(super) fn new(
        settings: &Gbdt,
        mappers: &Mappers,
        train: &Panel,
        holdout: Option<&Panel>,
    ) -> Result<Self> {
        let rows = train.rows() as u64;
        let held = holdout.map_or(0, |panel| panel.rows() as u64);
        let mut codes = mappers.added_bytes(train)?;
        if let Some(holdout) = holdout {
            codes += mappers.added_bytes(holdout)?;
        }
        let widest = widest(settings, mappers);
        let cell = match settings.precision {
            Precision::Integer => 16,
            Precision::Double => 24,
        };
        let histogram = widest.iter().sum::<usize>() as u64 * cell;
        let targets = settings.targets.len().max(1) as u64;
        let (outputs, leaves) = (targets * outputs(&settings.objective), leaves(settings, rows));
        let bounds = bounds(train);
        let bases = settings.eras.neutralise;
        let bases = bases.map_or(0, |neutralise| Neutral::bytes(neutralise, mappers, &bounds));
        let at_once = match (era::folds(&settings.eras, &bounds), settings.growth) {
            (Some(folds), _) => folds.len() as u64,
            (None, Growth::Oblivious) => leaves,
            (None, _) => LEAST.min(leaves),
        };
        let node =
            if matches!(settings.boosting, Boosting::Dart(_)) { NODE + NODE_ON_BINS } else { NODE };
        let trees = settings.rounds as u64 * outputs;
        let parts = vec![
            ("codes", codes as u64),
            ("packed codes", Pack::bytes(widest.into_iter(), train.rows()) as u64),
            ("rows", (40 + 4 * targets + 4 * outputs) * rows + (8 + 4 * targets) * held),
            (
                "values of linear leaves",
                lines(settings, train) + holdout.map_or(0, |panel| lines(settings, panel)),
            ),
            ("gradients", (2 * cell + 8 * outputs) * rows),
            ("scores", 8 * outputs * (rows + held)),
            ("bases of neutralised gradients", bases),
            ("trees", trees.saturating_mul(leaves * node)),
            ("histograms", at_once * histogram),
        ];
        Ok(Self { parts, histogram, leaves })
    }

    fn bytes(&self) -> u64 {
        self.parts.iter().fold(0, |sum, part| sum.saturating_add(part.1))
    }

    /// How many leaves may keep their histograms, and how many leaves there may be.
    pub(super) fn room(&self, allowed: Option<u64>) -> Result<Room, Error> {
        let needed = self.bytes();
        let spare = match allowed {
            Some(allowed) if allowed < needed => {
                let part = |part: &(&str, u64)| format!("{} {}", part.0, part.1);
                let parts: Vec<String> = self.parts.iter().map(part).collect();
                return Err(Error::Memory { needed, allowed, parts: parts.join(", ") });
            }
            Some(allowed) => allowed - needed,
            None => HISTOGRAMS,
        };
        let more = spare / self.histogram.max(1);
        let histograms = more.saturating_add(1).min(self.leaves) as usize;
        Ok(Room { histograms, leaves: self.leaves as usize })
    }
}

/// The bins of the widest columns that a tree may see.
fn widest(settings: &Gbdt, mappers: &Mappers) -> Vec<usize> {
    let mut bins: Vec<usize> =
        mappers.mappers.iter().map(|mapper| mapper.bins).filter(|&bins| bins > 1).collect();
    bins.sort_unstable_by(|a, b| b.cmp(a));
    if settings.sampling.columns_by_tree < 1.0 {
        bins.truncate(share(bins.len(), settings.sampling.columns_by_tree));
    }
    bins
}

/// The most leaves that settings and rows allow.
fn leaves(settings: &Gbdt, rows: u64) -> u64 {
    let by_depth =
        settings.depth.map_or(u64::MAX, |depth| 1u64.checked_shl(depth as u32).unwrap_or(u64::MAX));
    let by_rows = match settings.growth {
        Growth::Oblivious => u64::MAX,
        _ => rows / settings.limits.min_data_in_leaf.max(1) as u64,
    };
    (settings.leaves as u64).min(by_depth).min(by_rows).max(1)
}

/// Bytes of the values that lines are drawn through, where they are not the panel's own.
fn lines(settings: &Gbdt, panel: &Panel) -> u64 {
    let copied = (0..panel.width()).filter(|&at| panel.feature(at).contiguous().is_none()).count();
    if settings.linear.is_some() { 4 * (copied * panel.rows()) as u64 } else { 0 }
}

fn outputs(objective: &Objective) -> u64 {
    match objective {
        Objective::Quantile { alphas } | Objective::Expectile { alphas } => alphas.len() as u64,
        Objective::Multiclass { classes } | Objective::MulticlassOva { classes, .. } => {
            *classes as u64
        }
        _ => 1,
    }
}

fn bounds(panel: &Panel) -> Vec<usize> {
    std::iter::once(0).chain(panel.eras().ranges().map(|range| range.end)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_keeps_more_histograms() {
        let parts = vec![("codes", 100), ("histograms", 30)];
        let need = Need { parts, histogram: 10, leaves: 8 };
        let kept = |allowed| need.room(allowed).unwrap().histograms;
        assert_eq!((kept(Some(130)), kept(Some(155))), (1, 3));
        assert_eq!((kept(Some(1000)), kept(None)), (8, 8));
        let text =
            "training needs 130 bytes beside the panel, allowed are 129: codes 100, histograms 30";
        assert_eq!(need.room(Some(129)).unwrap_err().to_string(), text);
    }
}
