//! Trees that are dropped while the next one is fitted.
//!
//! With chance `1 - skip_drop` a round drops each earlier tree i with chance
//! `p_i = rate w_i / mean(w)`, w being the factors of the trees and
//! `rate = min(drop_rate, max_drop / (mean(w) sum(w)))`; with `uniform`, `p_i = min(drop_rate,
//! max_drop / trees)`. With k trees dropped and learning rate l, the new tree is multiplied by `new`
//! and those that were dropped by `old`:
//!
//! | | new | old |
//! |---|---|---|
//! | as DART has it | `l / (k + 1)` | `k / (k + 1)` |
//! | as XGBoost has it | `l / (k + l)`, `l` where k is 0 | `k / (k + l)` |
//!
//! The constant that boosting begins with is part of the first tree and is dropped with it. Trees of a
//! model that is continued are never dropped. Cost: two walks a row and dropped tree.
//! Reference: Vinayak & Gilad-Bachrach (2015), DART; LightGBM 4.7, `dart.hpp`, whose sum of weights in
//! XGBoost's mode shrinks faster than the weights do, while here it is their sum.

use fattail_bins::Binned;
use fattail_stats::{Counter, unit};
use fattail_trees::Tree;

use super::sample::Stream;
use crate::{Boosting, Dart, Gbdt, grow::Grown};

/// The trees of a round.
#[derive(Debug)]
struct Round {
    trees: Vec<Grown>,
    /// What their leaves are multiplied by.
    factor: f64,
    /// What they add to every row, one an output.
    bias: Vec<f64>,
}

/// Trees that may be dropped.
#[derive(Debug)]
pub(super) struct Drops {
    dart: Dart,
    learning_rate: f64,
    random: Counter,
    rounds: Vec<Round>,
    dropped: Vec<usize>,
}

impl Drops {
    /// None where trees stay.
    pub(super) fn new(settings: &Gbdt) -> Option<Self> {
        let Boosting::Dart(dart) = settings.boosting else { return None };
        let random = Stream::Drop.by(settings);
        let learning_rate = settings.learning_rate;
        Some(Self { dart, learning_rate, random, rounds: Vec::new(), dropped: Vec::new() })
    }

    /// Takes trees out of the scores; answers what the next one is multiplied by.
    pub(super) fn begin(&mut self, round: usize, binned: &Binned, score: &mut [f64]) -> f64 {
        self.dropped = self.choose(round);
        for &at in &self.dropped {
            self.rounds[at].add_to(binned, -1.0, score);
        }
        let (k, l) = (self.dropped.len() as f64, self.learning_rate);
        match self.dart.xgboost_mode {
            false => l / (1.0 + k),
            true if self.dropped.is_empty() => l,
            true => l / (l + k),
        }
    }

    /// Puts the dropped trees back, smaller, and keeps the new ones. `trees` are those of all rounds.
    pub(super) fn end(
        &mut self,
        (grown, factor, bias): (Vec<Grown>, f64, Vec<f64>),
        binned: &Binned,
        score: &mut [f64],
        trees: &mut [Tree],
    ) {
        let k = self.dropped.len() as f64;
        let old = k / (k + if self.dart.xgboost_mode { self.learning_rate } else { 1.0 });
        let a_round = grown.len();
        for at in std::mem::take(&mut self.dropped) {
            let round = &mut self.rounds[at];
            round.factor *= old;
            round.bias.iter_mut().for_each(|bias| *bias *= old);
            round.add_to(binned, 1.0, score);
            trees[at * a_round..(at + 1) * a_round].iter_mut().for_each(|tree| tree.scale(old));
        }
        self.rounds.push(Round { trees: grown, factor, bias });
    }

    /// The rounds whose trees are dropped.
    fn choose(&self, round: usize) -> Vec<usize> {
        let mut generator = self.random.draw(round as u32);
        if unit(&mut generator) < self.dart.skip_drop {
            return Vec::new();
        }
        let most = self.dart.max_drop.unwrap_or(usize::MAX);
        let mut chosen = Vec::new();
        for (at, chance) in self.chances().into_iter().enumerate() {
            if chosen.len() < most && unit(&mut generator) < chance {
                chosen.push(at);
            }
        }
        chosen
    }

    fn chances(&self) -> Vec<f64> {
        let count = self.rounds.len() as f64;
        let most = self.dart.max_drop.map_or(f64::INFINITY, |most| most as f64);
        if self.dart.uniform {
            return vec![self.dart.drop_rate.min(most / count); self.rounds.len()];
        }
        let sum: f64 = self.rounds.iter().map(|round| round.factor).sum();
        let mean = sum / count;
        let rate = self.dart.drop_rate.min(most / (mean * sum));
        self.rounds.iter().map(|round| rate * round.factor / mean).collect()
    }
}

impl Round {
    fn add_to(&self, binned: &Binned, sign: f64, score: &mut [f64]) {
        let outputs = self.trees.iter().zip(&self.bias).zip(score.chunks_mut(binned.rows));
        for ((tree, bias), score) in outputs {
            tree.add_to(binned, sign * self.factor, score);
            score.iter_mut().for_each(|score| *score += sign * bias);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drops(dart: Dart, factors: &[f64]) -> Drops {
        let settings =
            Gbdt { boosting: Boosting::Dart(dart), learning_rate: 0.5, ..Gbdt::default() };
        let round =
            |&factor: &f64| Round { trees: vec![Grown::constant(1.0)], factor, bias: vec![0.0] };
        Drops { rounds: factors.iter().map(round).collect(), ..Drops::new(&settings).unwrap() }
    }

    fn binned(rows: usize) -> Binned {
        Binned { columns: Vec::new(), rows }
    }

    /// Drops all three trees, adds a fourth that is 1 everywhere; the factors and the score after it.
    fn after_a_round(xgboost_mode: bool) -> (Vec<f64>, f64) {
        let dart =
            Dart { drop_rate: 1.0, max_drop: None, skip_drop: 0.0, uniform: true, xgboost_mode };
        let factors = [0.5, 0.25, 0.25];
        let mut drops = drops(dart, &factors);
        let mut score = vec![1.0; 2];
        let factor = drops.begin(0, &binned(2), &mut score);
        assert_eq!(score, [0.0; 2], "all trees are out");
        let mut trees: Vec<Tree> = factors.iter().map(|&f| Tree::constant(vec![f], 0)).collect();
        trees.push(Tree::constant(vec![factor], 0));
        score.iter_mut().for_each(|score| *score += factor);
        let grown = (vec![Grown::constant(1.0)], factor, vec![0.0]);
        drops.end(grown, &binned(2), &mut score, &mut trees);
        let factors: Vec<f64> = drops.rounds.iter().map(|round| round.factor).collect();
        let values: Vec<f64> = trees.iter().map(|tree| tree.values[0]).collect();
        assert_eq!(factors, values);
        (factors, score[0])
    }

    #[test]
    fn normalisation_by_hand() {
        // k = 3, l = 1/2: the new tree gets 1/8, the others 3/4 of what they had.
        assert_eq!(after_a_round(false), (vec![0.375, 0.1875, 0.1875, 0.125], 0.875));
        // XGBoost: (1/2) / (7/2) = 1/7, and 3 / (7/2) = 6/7.
        let (factors, score) = after_a_round(true);
        for (found, expected) in factors.iter().zip([3.0 / 7.0, 1.5 / 7.0, 1.5 / 7.0, 1.0 / 7.0]) {
            assert!((found - expected).abs() < 1e-15);
        }
        assert!((score - 1.0).abs() < 1e-15);
    }

    #[test]
    fn scores_stay_the_sum_of_the_trees() {
        for (xgboost_mode, uniform) in [(false, false), (false, true), (true, false), (true, true)]
        {
            let dart =
                Dart { drop_rate: 0.4, max_drop: Some(5), skip_drop: 0.2, xgboost_mode, uniform };
            let mut drops = drops(dart, &[]);
            let (mut score, mut trees, mut most) = (vec![0.0; 4], Vec::<Tree>::new(), 0);
            for round in 0..60 {
                let factor = drops.begin(round, &binned(2), &mut score);
                most = most.max(drops.dropped.len());
                let values = [round as f64 - 20.0, 3.0];
                let bias = if round == 0 { vec![7.0, -1.0] } else { vec![0.0; 2] };
                for (output, value) in values.into_iter().enumerate() {
                    let change = value * factor + bias[output];
                    trees.push(Tree::constant(vec![change], output));
                    score[2 * output..][..2].iter_mut().for_each(|score| *score += change);
                }
                let grown = values.map(Grown::constant).into();
                drops.end((grown, factor, bias), &binned(2), &mut score, &mut trees);
                for output in 0..2 {
                    let of_output = trees.iter().filter(|tree| tree.output == output);
                    let sum: f64 = of_output.map(|tree| tree.values[0]).sum();
                    let close = |score: &f64| (score - sum).abs() < 1e-12 * sum.abs().max(1.0);
                    assert!(score[2 * output..][..2].iter().all(close), "round {round}");
                }
            }
            assert!(most > 2, "{most} dropped at most");
        }
    }

    #[test]
    fn heavy_trees_are_dropped_more_often() {
        let dart = Dart { drop_rate: 0.2, skip_drop: 0.0, ..Dart::default() };
        let drops = drops(dart, &[0.1, 0.3]);
        // Twice the mean weight, twice the chance: 0.2 * 0.1 / 0.2 and 0.2 * 0.3 / 0.2.
        let chances = drops.chances();
        assert!((chances[0] - 0.1).abs() < 1e-15 && (chances[1] - 0.3).abs() < 1e-15);
        let mut counts = [0usize; 2];
        (0..10_000)
            .for_each(|round| drops.choose(round).into_iter().for_each(|at| counts[at] += 1));
        // Binomial: three standard deviations are 90 and 138.
        assert!(counts[0].abs_diff(1000) < 90 && counts[1].abs_diff(3000) < 138, "{counts:?}");
    }

    #[test]
    fn limits_hold() {
        let all = Dart { drop_rate: 1.0, skip_drop: 0.0, uniform: true, ..Dart::default() };
        let some = drops(Dart { max_drop: Some(2), ..all }, &[0.1; 10]);
        assert!((some.chances()[0] - 0.2).abs() < 1e-15);
        assert!((0..1000).all(|round| some.choose(round).len() <= 2));
        let none = drops(Dart { skip_drop: 1.0, ..all }, &[0.1; 10]);
        assert!((0..100).all(|round| none.choose(round).is_empty()));
        let half = drops(Dart { skip_drop: 0.5, ..all }, &[0.1; 10]);
        let skipped = (0..10_000).filter(|&round| half.choose(round).is_empty()).count();
        assert!(skipped.abs_diff(5000) < 150, "{skipped}");
    }
}
