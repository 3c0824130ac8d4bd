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
use fattail_trees::{Feature, Forest, Tree};

use super::{
    GbdtModel,
    dart::Drops,
    eras::Eras,
    gradients,
    holdout::{History, Holdout},
    order::Order,
    ordered::Supports,
    sample::{self, Known, Slopes, Stream, choose, share},
    start::Start,
};
use crate::{
    Boosting, Error, Gbdt, Precision, Rows,
    boost::data::Data,
    era,
    grow::{Allowed, Grower, Grown, Room, Sample, Workspace},
    histogram::{Cell, Pack, Reduce, Scale},
    linear,
    split::EPSILON,
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
    pub(super) room: Room,
}

/// What changes from round to round.
pub(super) struct State<'a, C> {
    pub(super) score: Vec<f64>,
    /// What the trees of the round are multiplied by.
    pub(super) shrinkage: f64,
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
    /// The least that a split of an output's last tree won, where it had all its leaves.
    least_gains: Vec<f64>,
    workspace: Workspace<C>,
    /// Memory of the packed columns of trees that were.
    pub(super) words: Vec<Vec<u64>>,
}

impl<'a> Training<'a> {
    /// Trains with cells that are wide enough.
    pub(super) fn run(&self, start: Start, holdout: Option<Holdout<'_>>) -> Result<Outcome> {
        let (rows, counts) = self.agree()?;
        let bits = u64::BITS - rows.leading_zeros();
        match self.settings.precision {
            Precision::Double => self.run_with::<[f64; 3]>(start, holdout),
            Precision::Integer if counts && <[u64; 1]>::fineness(bits).0 >= COARSE => {
                self.run_with::<[u64; 1]>(start, holdout)
            }
            Precision::Integer => self.run_with::<[u64; 2]>(start, holdout),
        }
    }

    /// The rows of all workers, and whether all their hessians are 1.
    fn agree(&self) -> Result<(u64, bool)> {
        let counts = self.objective.constant_hessian() && !self.reweights();
        let mut all = vec![1, self.data.rows() as u64, u64::from(counts)];
        let outputs = 0..self.objective.outputs();
        all.extend(outputs.map(|output| u64::from(self.objective.trains(output))));
        self.reduce.sum(&mut all);
        let (workers, rows) = (all[0], all[1]);
        if all[3..].iter().any(|&train| train > 0 && train < workers) {
            let (first, second) =
                ("rows spread over workers", "a class that one of them has no row of");
            let reason = "it has no gradients for it";
            return Err(Error::Contradiction { first, second, reason }.into());
        }
        Ok((rows, all[2] == workers))
    }

    /// Whether sampled rows stand for others.
    fn reweights(&self) -> bool {
        matches!(self.settings.sampling.rows, Rows::Goss { .. } | Rows::MinimalVariance { .. })
    }

    fn run_with<C: Cell>(&self, start: Start, mut holdout: Option<Holdout<'_>>) -> Result<Outcome> {
        let (constant, first) = (start.constant.clone(), start.iterations);
        let mut state = self.state::<C>(start);
        let mut drops = Drops::new(self.settings);
        let mut eras = Eras::new(self.settings, self.data, self.objective)?;
        let mut rounds = 0;
        for round in 0..self.settings.rounds {
            rounds = round + 1;
            if let Some(drops) = &mut drops {
                let round = first + round;
                state.shrinkage = drops.begin(round, &self.data.binned, &mut state.score);
            }
            eras.choose(round, &state.score);
            let before = state.trees.len();
            let grown = self.round(&mut state, &eras, first + round);
            let is_stump = grown.iter().all(Grown::is_stump);
            let bias = self.bias(round, &constant);
            add_bias(&mut state.trees[before..], &bias);
            (self.observer)(Progress {
                stage: "boosting",
                done: rounds as u64,
                total: self.settings.rounds as u64,
            });
            if let Some(holdout) = &mut holdout {
                holdout.add(&grown, state.shrinkage);
                if holdout.is_done()? {
                    break;
                }
            }
            if let Some(drops) = &mut drops {
                let new = (grown, state.shrinkage, bias);
                drops.end(new, &self.data.binned, &mut state.score, &mut state.trees);
            }
            if is_stump && self.is_stuck() {
                break;
            }
        }
        let history = holdout.map(Holdout::history).unwrap_or_default();
        let mut trees = state.trees;
        let best = history.best.map_or(rounds, |best| best + 1);
        trees.truncate(best * self.trees_a_round());
        Ok(Outcome { trees, history, rounds })
    }

    /// What the trees of a round add to every row: the constant, in the first round or, where trees
    /// are averaged, in each.
    fn bias(&self, round: usize, constant: &[f64]) -> Vec<f64> {
        let holds = round == 0 || self.settings.boosting == Boosting::RandomForest;
        constant.iter().map(|&constant| if holds { constant } else { 0.0 }).collect()
    }

    /// Whether a round without a split means that there is none to come.
    fn is_stuck(&self) -> bool {
        let sampling = &self.settings.sampling;
        let same = sampling.columns_by_tree >= 1.0 && sampling.columns_by_node >= 1.0;
        same && sampling.rows == Rows::All
            && self.settings.eras.boosting.is_none()
            && !matches!(self.settings.boosting, Boosting::Dart(_))
    }

    fn state<C: Cell>(&self, start: Start) -> State<'a, C> {
        let rows = self.data.rows();
        let all = self.settings.sampling.columns_by_tree >= 1.0;
        let size = start.train.len();
        State {
            score: start.train,
            shrinkage: match self.settings.boosting {
                Boosting::RandomForest => 1.0,
                _ => self.settings.learning_rate,
            },
            g: vec![0.0; size],
            h: vec![0.0; size],
            cells: vec![C::default(); if self.is_vector() { size } else { rows }],
            trees: Vec::new(),
            folds: era::folds(&self.settings.eras, &self.data.eras),
            supports: (self.settings.boosting == Boosting::Ordered).then(|| {
                let order = Order::new(&self.data.eras, self.settings.seed);
                Supports::new(order, &start.constant)
            }),
            least_gains: vec![0.0; self.trees_a_round()],
            workspace: Workspace::default(),
            words: Vec::new(),
            pack: all.then(|| Pack::new(&self.data.binned.columns, &self.features(), rows)),
        }
    }

    /// The features that are not constant.
    fn features(&self) -> Vec<usize> {
        let columns = self.data.binned.columns.iter().enumerate();
        columns.filter(|(_, column)| column.mapper.bins > 1).map(|(at, _)| at).collect()
    }

    /// The trees of a round: one an output, or one in all.
    fn round<C: Cell>(
        &self,
        state: &mut State<'a, C>,
        eras: &Eras<'_>,
        round: usize,
    ) -> Vec<Grown> {
        let mut supports = state.supports.take();
        let mut all = match &mut supports {
            Some(supports) => self.honest_trees(state, supports, eras, round),
            None => {
                self.objective.slopes(round, &state.score, &mut state.g, &mut state.h);
                eras.neutralise(&mut state.g);
                self.trees(state, eras, round)
            }
        };
        state.supports = supports;
        for (output, grown) in all.iter_mut().enumerate() {
            self.advance(state, output, grown);
            state.trees.push(grown.to_tree(&self.data.binned, output, state.shrinkage));
            if !self.is_vector() {
                state.workspace.recycle(grown);
            }
        }
        all
    }

    /// Grows the trees of a round from its gradients.
    pub(super) fn trees<C: Cell>(
        &self,
        state: &mut State<'a, C>,
        eras: &Eras<'_>,
        round: usize,
    ) -> Vec<Grown> {
        let rows = self.data.rows();
        let slopes = Slopes { g: &mut state.g, h: &mut state.h, rows };
        let data = self.data;
        let known = Known { rows: eras.known(), eras: &data.eras, target: &data.target };
        let sampled = sample::rows(self.settings, round, known, slopes);
        let known = (eras.known().len() < rows).then_some(eras.known());
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
            if !self.objective.trains(output) {
                return Grown::constant(0.0);
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
        let drawn = state.pack.is_none().then(|| self.draw_columns(tree, &mut state.words));
        let Some(pack) = drawn.as_ref().or(state.pack.as_ref()) else {
            unreachable!("columns are packed once or drawn for the tree")
        };
        let folds = state.folds.as_deref();
        let grower = self.grower(pack, (&state.cells, &scale), tree, folds);
        let worth = state.least_gains[output];
        let mut grown = Grower { worth, ..grower }.grow(sample, &mut state.workspace);
        state.words.extend(drawn.into_iter().flat_map(Pack::into_words));
        state.least_gains[output] = grown.least_gain;
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
            random: Stream::Tree(tree as u32).by(self.settings),
            choices: Stream::Choice(tree as u32).by(self.settings),
            folds,
            room: self.room,
            worth: 0.0,
        }
    }

    pub(super) fn draw_columns(&self, tree: usize, spare: &mut Vec<Vec<u64>>) -> Pack<'a> {
        let features = self.features();
        let count = share(features.len(), self.settings.sampling.columns_by_tree);
        let mut generator = Stream::Columns.by(self.settings).draw(tree as u32);
        let chosen = choose(count, features.len(), &mut generator);
        let chosen: Vec<usize> = chosen.into_iter().map(|at| features[at]).collect();
        Pack::reusing(&self.data.binned.columns, &chosen, self.data.rows(), spare)
    }

    /// Gives leaves the values that the objective wants.
    pub(super) fn renew(&self, grown: &mut Grown, output: usize, score: &[f64]) {
        if !self.objective.renews() {
            return;
        }
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
        let (rows, shrinkage) = (self.data.rows(), state.shrinkage);
        let score = &mut state.score[output * rows..];
        // A row of the tree's sample is in its leaf already; the others, if any, teach nothing.
        if grown.rows.len() == self.data.known.len() && grown.lines.is_empty() {
            for (at, score) in score.chunks_mut(rows).take(grown.width()).enumerate() {
                grown.add_to_rows(at, shrinkage, score);
            }
        } else {
            self.data.add(grown, shrinkage, score);
        }
    }
}

/// What a training run gives.
#[derive(Debug)]
pub(super) struct Outcome {
    trees: Vec<Tree>,
    history: History,
    rounds: usize,
}

/// Adds a constant an output to trees. As in LightGBM one of nothing leaves a tree's shrinkage alone.
fn add_bias(trees: &mut [Tree], bias: &[f64]) {
    let some = bias.iter().enumerate().filter(|(_, bias)| bias.abs() > EPSILON);
    for (output, &bias) in some {
        trees.iter_mut().for_each(|tree| tree.shift(output, bias));
    }
}

/// The model of a run: its trees, after those of the forest that it went on from.
pub(super) fn model(
    settings: &Gbdt,
    objective: &dyn Bound,
    mappers: &Mappers,
    outcome: Outcome,
    (features, old): (Vec<Feature>, Option<&Forest>),
) -> Result<GbdtModel> {
    let mut trees = old.map_or(Vec::new(), |old| old.trees.clone());
    trees.extend(outcome.trees);
    let forest = Forest {
        features,
        outputs: objective.outputs(),
        trees,
        start: old.map_or(Vec::new(), |old| old.start.clone()),
        average: settings.boosting == Boosting::RandomForest,
        link: objective.link(),
        objective: objective.text(),
        parameters: Vec::new(),
    };
    if old.is_some() {
        forest.check()?;
    }
    Ok(GbdtModel {
        forest,
        mappers: mappers.clone(),
        history: outcome.history.values,
        metric: outcome.history.metric,
        rounds: outcome.rounds,
    })
}
