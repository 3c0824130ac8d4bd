//! The boosting loop.
//!
//! ```text
//! score = start
//! each round: g, h = slopes(score); tree = grow(g, h); score += learning_rate * tree
//! ```
//!
//! Reference: Friedman (2001), greedy function approximation, algorithm 1.

use fattail_bins::Mappers;
use fattail_core::{Observer, Progress, Result};
use fattail_objective::Bound;
use fattail_trees::{Forest, Tree};

use super::{
    GbdtModel, gradients,
    holdout::Holdout,
    order::Order,
    ordered::Supports,
    sample::{self, Slopes, Stream, choose, share},
};
use crate::{
    Boosting, Gbdt, Precision, Rows,
    boost::data::Data,
    era,
    grow::{Allowed, Grower, Grown, Sample},
    histogram::{Cell, Pack, Reduce, Scale},
    linear,
};

/// Bits of a gradient below which histograms get wider cells.
const COARSE: u32 = 18;

/// What a training run looks at.
pub(super) struct Training<'a> {
    pub(super) settings: &'a Gbdt,
    pub(super) data: &'a Data,
    pub(super) objective: &'a dyn Bound,
    pub(super) allowed: &'a Allowed,
    pub(super) reduce: &'a dyn Reduce,
    pub(super) observer: Observer<'a>,
}

/// What changes from round to round.
pub(super) struct State<'a, C> {
    pub(super) score: Vec<f64>,
    pub(super) g: Vec<f32>,
    pub(super) h: Vec<f32>,
    pub(super) cells: Vec<C>,
    trees: Vec<Tree>,
    /// All columns, packed once; none when trees see different ones.
    pub(super) pack: Option<Pack<'a>>,
    /// Where the folds of eras that judge splits start.
    folds: Option<Vec<u32>>,
    /// The models that ordered boosting takes gradients from.
    supports: Option<Supports>,
}

impl<'a> Training<'a> {
    /// Trains with cells that are wide enough.
    pub(super) fn run(&self, holdout: Option<Holdout<'_>>) -> Result<Outcome> {
        let counts = self.objective.constant_hessian() && !self.reweights();
        let bits = usize::BITS - self.data.rows().leading_zeros();
        match self.settings.precision {
            Precision::Double => self.run_with::<[f64; 3]>(holdout),
            Precision::Integer if counts && <[u64; 1]>::fineness(bits).0 >= COARSE => {
                self.run_with::<[u64; 1]>(holdout)
            }
            Precision::Integer => self.run_with::<[u64; 2]>(holdout),
        }
    }

    /// Whether sampled rows stand for others.
    fn reweights(&self) -> bool {
        matches!(self.settings.sampling.rows, Rows::Goss { .. } | Rows::MinimalVariance { .. })
    }

    fn run_with<C: Cell>(&self, mut holdout: Option<Holdout<'_>>) -> Result<Outcome> {
        let start = self.start();
        let mut state = self.state::<C>(&start);
        let mut history = Vec::new();
        let mut rounds = 0;
        for round in 0..self.settings.rounds {
            rounds = round + 1;
            let grown = self.round(&mut state, round);
            (self.observer)(Progress {
                stage: "boosting",
                done: rounds as u64,
                total: self.settings.rounds as u64,
            });
            if let Some(holdout) = &mut holdout {
                holdout.add(&grown, self.shrinkage());
                history.push(holdout.score()?);
                if holdout.is_done(&history) {
                    break;
                }
            }
            if grown.iter().all(Grown::is_stump) && self.is_stuck() {
                break;
            }
        }
        let best = holdout.as_ref().map(|holdout| holdout.best(&history) + 1);
        let metric = holdout.map(|holdout| holdout.name()).unwrap_or_default();
        let mut trees = state.trees;
        trees.truncate(best.unwrap_or(rounds) * self.trees_a_round());
        fold_start(&mut trees, &start, self.settings.boosting == Boosting::RandomForest);
        Ok(Outcome { trees, history, metric, rounds })
    }

    /// Whether a round without a split means that there is none to come.
    fn is_stuck(&self) -> bool {
        let sampling = &self.settings.sampling;
        sampling.rows == Rows::All
            && sampling.columns_by_tree >= 1.0
            && sampling.columns_by_node >= 1.0
    }

    fn start(&self) -> Vec<f64> {
        if self.settings.from_average {
            self.objective.start()
        } else {
            vec![0.0; self.objective.outputs()]
        }
    }

    fn state<C: Cell>(&self, start: &[f64]) -> State<'a, C> {
        let rows = self.data.rows();
        let all = self.settings.sampling.columns_by_tree >= 1.0;
        let size = rows * start.len();
        State {
            score: start.iter().flat_map(|&start| std::iter::repeat_n(start, rows)).collect(),
            g: vec![0.0; size],
            h: vec![0.0; size],
            cells: vec![C::default(); if self.is_vector() { size } else { rows }],
            trees: Vec::new(),
            folds: era::folds(&self.settings.eras, &self.data.eras),
            supports: (self.settings.boosting == Boosting::Ordered)
                .then(|| Supports::new(Order::new(&self.data.eras, self.settings.seed), start)),
            pack: all.then(|| Pack::new(&self.data.binned.columns, &self.features(), rows)),
        }
    }

    /// The features that are not constant.
    fn features(&self) -> Vec<usize> {
        let columns = self.data.binned.columns.iter().enumerate();
        columns.filter(|(_, column)| column.mapper.bins > 1).map(|(at, _)| at).collect()
    }

    pub(super) fn shrinkage(&self) -> f64 {
        match self.settings.boosting {
            Boosting::RandomForest => 1.0,
            _ => self.settings.learning_rate,
        }
    }

    /// The trees of a round: one an output, or one in all.
    fn round<C: Cell>(&self, state: &mut State<'a, C>, round: usize) -> Vec<Grown> {
        let mut supports = state.supports.take();
        let all = match &mut supports {
            Some(supports) => self.honest_trees(state, supports, round),
            None => {
                self.objective.slopes(round, &state.score, &mut state.g, &mut state.h);
                self.trees(state, round)
            }
        };
        state.supports = supports;
        for (output, grown) in all.iter().enumerate() {
            self.advance(state, output, grown);
            state.trees.push(grown.to_tree(&self.data.binned, output, self.shrinkage()));
        }
        all
    }

    /// Grows the trees of a round from its gradients.
    pub(super) fn trees<C: Cell>(&self, state: &mut State<'a, C>, round: usize) -> Vec<Grown> {
        let rows = self.data.rows();
        let slopes = Slopes { g: &mut state.g, h: &mut state.h, rows };
        let sampled = sample::rows(self.settings, round, &self.data.known, &self.data.eras, slopes);
        let known = (self.data.known.len() < rows).then_some(&*self.data.known);
        let sample = match sampled.as_deref().or(known) {
            Some(rows) => Sample::Some(rows),
            None => Sample::All,
        };
        let count = self.trees_a_round();
        let tree = |output: usize| {
            let tree = round * count + output;
            if self.is_vector() {
                return self.vector_tree(state, tree, sample);
            }
            let mut grown = self.tree(state, tree, output, sample);
            self.draw_lines(state, (round, output), &mut grown);
            grown
        };
        (0..count).map(tree).collect()
    }

    /// Puts lines into the leaves of a tree that is not one of the first.
    fn draw_lines<C>(
        &self,
        state: &State<'a, C>,
        (round, output): (usize, usize),
        grown: &mut Grown,
    ) {
        let first = round == 0 && self.settings.boosting != Boosting::RandomForest;
        if let (Some(penalty), Some(raw), false) = (self.settings.linear, &self.data.raw, first) {
            let rows = self.data.rows();
            let own = output * rows..(output + 1) * rows;
            let slopes = (&state.g[own.clone()], &state.h[own]);
            grown.lines = linear::fit(grown, &self.data.binned, raw, slopes, penalty);
        }
    }

    /// Grows the tree of an output.
    fn tree<C: Cell>(
        &self,
        state: &mut State<'a, C>,
        tree: usize,
        output: usize,
        sample: Sample<'_>,
    ) -> Grown {
        let rows = self.data.rows();
        let own = output * rows..(output + 1) * rows;
        let (g, h) = (&state.g[own.clone()], &state.h[own]);
        let scale = gradients::scale::<C>(self.reduce, rows, g, h);
        gradients::encode(&scale, g, h, &mut state.cells);
        let drawn = state.pack.is_none().then(|| self.draw_columns(tree));
        let Some(pack) = drawn.as_ref().or(state.pack.as_ref()) else {
            unreachable!("columns are packed once or drawn for the tree")
        };
        let folds = state.folds.as_deref();
        let mut grown = self.grower(pack, (&state.cells, &scale), tree, folds).grow(sample);
        self.renew(&mut grown, output, &state.score);
        grown
    }

    pub(super) fn grower<'g, C>(
        &'g self,
        pack: &'g Pack<'g>,
        (cells, scale): (&'g [C], &'g Scale),
        tree: usize,
        folds: Option<&'g [u32]>,
    ) -> Grower<'g, C> {
        Grower {
            settings: self.settings,
            binned: &self.data.binned,
            pack,
            allowed: self.allowed,
            cells,
            scale,
            reduce: self.reduce,
            random: Stream::Tree(tree as u32).of(self.settings.seed),
            folds,
        }
    }

    pub(super) fn draw_columns(&self, tree: usize) -> Pack<'a> {
        let features = self.features();
        let count = share(features.len(), self.settings.sampling.columns_by_tree);
        let mut generator = Stream::Columns.of(self.settings.seed).draw(tree as u32);
        let chosen = choose(count, features.len(), &mut generator);
        let chosen: Vec<usize> = chosen.into_iter().map(|at| features[at]).collect();
        Pack::new(&self.data.binned.columns, &chosen, self.data.rows())
    }

    /// Gives leaves the values that the objective wants.
    pub(super) fn renew(&self, grown: &mut Grown, output: usize, score: &[f64]) {
        let at = if grown.width() > 1 { output } else { 0 };
        for leaf in &mut grown.leaves {
            let rows = &grown.rows[leaf.rows.clone()];
            if let Some(value) = self.objective.renew(output, rows, score) {
                leaf.values[at] = value;
            }
        }
    }

    /// Adds a tree to the scores.
    fn advance<C>(&self, state: &mut State<'a, C>, output: usize, grown: &Grown) {
        if self.settings.boosting == Boosting::RandomForest {
            return;
        }
        let (rows, shrinkage) = (self.data.rows(), self.shrinkage());
        let score = &mut state.score[output * rows..];
        // A row of the tree's sample is in its leaf already; the others, if any, teach nothing.
        if grown.rows.len() < self.data.known.len() || !grown.lines.is_empty() {
            return self.data.add(grown, shrinkage, score);
        }
        for (at, score) in score.chunks_mut(rows).take(grown.width()).enumerate() {
            for leaf in &grown.leaves {
                let value = leaf.values[at] * shrinkage;
                grown.rows[leaf.rows.clone()].iter().for_each(|&row| score[row as usize] += value);
            }
        }
    }
}

/// What a training run gives.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) trees: Vec<Tree>,
    pub(super) history: Vec<f64>,
    pub(super) metric: String,
    pub(super) rounds: usize,
}

/// Puts the start into the first tree of each output, of an averaged forest into every one.
fn fold_start(trees: &mut [Tree], start: &[f64], every: bool) {
    for (output, &start) in start.iter().enumerate() {
        let has = |tree: &&mut Tree| (tree.output..tree.output + tree.width).contains(&output);
        let own = trees.iter_mut().filter(has);
        own.take(if every { usize::MAX } else { 1 }).for_each(|tree| tree.shift(output, start));
    }
}

/// The forest of a run.
pub(super) fn forest(
    settings: &Gbdt,
    objective: &dyn Bound,
    mappers: &Mappers,
    outcome: Outcome,
    features: Vec<fattail_trees::Feature>,
) -> GbdtModel {
    let forest = Forest {
        features,
        outputs: objective.outputs(),
        trees: outcome.trees,
        start: Vec::new(),
        average: settings.boosting == Boosting::RandomForest,
        link: objective.link(),
        objective: objective.text(),
        parameters: Vec::new(),
    };
    GbdtModel {
        forest,
        mappers: mappers.clone(),
        history: outcome.history,
        metric: outcome.metric,
        rounds: outcome.rounds,
    }
}
