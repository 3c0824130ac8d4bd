//! What holds whatever the data.

use fattail_core::{Fit, Panel, Predict, silent};
use fattail_gbdt::{
    Beside, Boosting, Dart, EarlyStop, EraSettings, Error, Gbdt, GbdtModel, Growth, Limits,
    Objective, Precision, Rows, Sampling,
};
use proptest::prelude::*;

use crate::data::{self, Draws, name};

fn settings() -> Gbdt {
    let limits = Limits { min_data_in_leaf: 5, ..Limits::default() };
    Gbdt { rounds: 10, limits, ..Gbdt::default() }
}

fn bytes(model: &GbdtModel) -> String {
    serde_json::to_string(&model.forest).unwrap()
}

/// Rows of a panel: eras, columns and targets in eighths, so that sums of targets are exact.
#[derive(Debug, Clone)]
struct Table {
    eras: Vec<String>,
    columns: Vec<Vec<u8>>,
    target: Vec<f32>,
}

impl Table {
    fn new(seed: u64, eras: usize, rows: usize) -> Self {
        let mut draws = Draws::new(seed);
        let total = eras * rows;
        let column = |draws: &mut Draws| (0..total).map(|_| (draws.unit() * 6.0) as u8).collect();
        let columns: Vec<Vec<u8>> = (0..5).map(|_| column(&mut draws)).collect();
        let target = (0..total).map(|row| {
            let hidden = f64::from(columns[0][row]) - 0.5 * f64::from(columns[1][row]);
            ((hidden + 2.0 * draws.normal()) * 8.0).round() as f32 / 8.0
        });
        let eras = (0..total).map(|row| format!("{:03}", row / rows)).collect();
        Self { eras, target: target.collect(), columns }
    }

    /// The rows at these positions.
    fn at(&self, rows: &[usize]) -> Self {
        Self {
            eras: rows.iter().map(|&row| self.eras[row].clone()).collect(),
            columns: self
                .columns
                .iter()
                .map(|c| rows.iter().map(|&row| c[row]).collect())
                .collect(),
            target: rows.iter().map(|&row| self.target[row]).collect(),
        }
    }

    fn panel(&self, weights: Option<Vec<f32>>) -> Panel {
        let mut panel = Panel::builder().eras(&self.eras).unwrap().target("y", self.target.clone());
        for (at, column) in self.columns.iter().enumerate() {
            panel = panel.feature(name(at).as_str(), column.clone());
        }
        let panel = match weights {
            Some(weights) => panel.weights(weights),
            None => panel,
        };
        panel.build().unwrap()
    }
}

/// The largest difference of two lists of predictions.
fn apart(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

fn squared_error(panel: &Panel, model: &impl Predict) -> f64 {
    let (found, target) = (model.predict(panel).unwrap(), panel.target().unwrap().to_f32());
    found.iter().zip(target).map(|(a, b)| f64::from(a - b).powi(2)).sum()
}

/// What the settings need at least, told by the refusal of one byte.
fn needed(settings: &Gbdt, panel: &Panel) -> u64 {
    let settings = Gbdt { max_memory: Some(1), ..settings.clone() };
    let fattail_core::Error::Other(error) = settings.fit(panel).unwrap_err() else { panic!() };
    match error.downcast_ref::<Error>() {
        Some(Error::Memory { needed, allowed: 1, parts }) if parts.contains("histograms") => {
            *needed
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_tiny_pool_of_histograms_gives_the_same_bytes() {
    let panel = data::bins(5, 20, 150, 10, 1.0);
    let limits = Limits { min_data_in_leaf: 3, ..Limits::default() };
    for growth in [Growth::LeafWise, Growth::DepthWise, Growth::Oblivious] {
        let settings = Gbdt { growth, leaves: 64, limits, rounds: 5, ..settings() };
        let needed = needed(&settings, &panel);
        let bound = |bytes| Gbdt { max_memory: Some(bytes), ..settings.clone() };
        assert!(bound(needed - 1).fit(&panel).is_err());
        let tiny = bound(needed).fit(&panel).unwrap();
        assert!(tiny.forest.trees[0].leaves() > 16);
        assert!(bytes(&tiny) == bytes(&settings.fit(&panel).unwrap()), "{growth:?}");
    }
}

#[test]
fn memory_grows_with_what_needs_it() {
    let panel = data::bins(5, 20, 50, 10, 1.0);
    let plain = needed(&settings(), &panel);
    let more = |settings: Gbdt| assert!(needed(&settings, &panel) > plain, "{settings:?}");
    more(Gbdt { precision: Precision::Double, ..settings() });
    more(Gbdt { objective: Objective::Quantile { alphas: vec![0.1, 0.9] }, ..settings() });
    more(Gbdt { growth: Growth::Oblivious, depth: Some(5), leaves: 32, ..settings() });
    more(Gbdt { boosting: Boosting::Dart(Dart::default()), ..settings() });
    more(Gbdt { rounds: 100, ..settings() });
    let eras = EraSettings { adaptive: Some(1.0), ..EraSettings::default() };
    more(Gbdt { eras, ..settings() });
    let sampling = Sampling { columns_by_tree: 0.3, ..Sampling::default() };
    assert!(needed(&Gbdt { sampling, ..settings() }, &panel) < plain);
}

#[test]
fn integers_and_f64_predict_nearly_the_same() {
    let (train, test) = (data::bins(6, 20, 100, 8, 1.0), data::bins(7, 5, 100, 8, 1.0));
    for objective in [Objective::Regression, Objective::Huber { alpha: 0.9 }] {
        let settings = Gbdt { objective, ..settings() };
        let integer = settings.fit(&train).unwrap().predict(&test).unwrap();
        let settings = Gbdt { precision: Precision::Double, ..settings };
        let double = settings.fit(&train).unwrap().predict(&test).unwrap();
        // Gradients are rounded to 2^-30 or so of the largest.
        assert!(apart(&integer, &double) < 1e-5, "{}", apart(&integer, &double));
    }
}

#[test]
fn going_on_is_training_on() {
    let (train, test) = (data::bins(8, 20, 100, 8, 1.0), data::bins(9, 5, 100, 8, 1.0));
    let rows = Rows::Bag { fraction: 0.5, every: 3 };
    let sampled = Sampling { rows, columns_by_tree: 0.6, ..Sampling::default() };
    let forest = Boosting::RandomForest;
    for settings in [
        settings(),
        Gbdt { sampling: sampled, ..settings() },
        Gbdt { sampling: sampled, boosting: forest, ..settings() },
    ] {
        let whole = settings.fit(&train).unwrap();
        let first = Gbdt { rounds: 4, ..settings.clone() }.fit(&train).unwrap();
        let rest = Gbdt { rounds: 6, ..settings.clone() };
        let beside = Beside { forest: Some(&first.forest), ..Beside::default() };
        let both = rest.fit_with(&train, beside, &silent).unwrap();
        assert_eq!(both.forest.trees[..4], first.forest.trees);
        let (a, b) = (whole.predict(&test).unwrap(), both.predict(&test).unwrap());
        // Scores are summed in another order.
        assert!(apart(&a, &b) < 1e-5, "{settings:?}: {}", apart(&a, &b));
    }
}

#[test]
fn a_validation_panel_is_as_good_as_held_out_eras() {
    let panel = data::bins(10, 30, 40, 6, 4.0);
    let cut = |eras: std::ops::Range<usize>| panel.cut(&eras.collect::<Vec<_>>()).unwrap();
    let stop = EarlyStop { rounds: 5, holdout: 0.2, ..EarlyStop::default() };
    let settings = Gbdt { rounds: 40, stop: Some(stop), ..settings() };
    let (train, valid) = (cut(0..24), cut(24..30));
    let beside = Beside { valid: Some(&valid), ..Beside::default() };
    let given = settings.fit_with(&train, beside, &silent).unwrap();
    assert!(given.rounds > given.forest.iterations(), "it stops early");
    let held = settings.fit(&panel).unwrap();
    assert_eq!((&given.forest, &given.history), (&held.forest, &held.history));
    let none = Some(EarlyStop { rounds: 0, ..EarlyStop::default() });
    let whole = Gbdt { stop: none, ..settings.clone() }.fit(&panel).unwrap();
    assert_eq!(whole.forest, Gbdt { stop: None, ..settings.clone() }.fit(&panel).unwrap().forest);
    // Without early stopping all rounds stay, and the metric is told all the same.
    for stop in [None, Some(EarlyStop { rounds: 0, ..EarlyStop::default() })] {
        let watched = Gbdt { stop, ..settings.clone() }.fit_with(&train, beside, &silent).unwrap();
        assert_eq!((watched.forest.iterations(), watched.history.len()), (40, 40));
        assert_eq!(watched.history[..given.rounds], given.history);
        assert_eq!(watched.forest.trees[..given.forest.trees.len()], given.forest.trees);
    }
}

#[test]
fn early_stopping_keeps_the_best_round() {
    let panel = data::bins(10, 30, 40, 6, 4.0);
    let largest = |history: &[f64]| {
        history
            .iter()
            .enumerate()
            .fold(0, |best, (at, x)| if *x > history[best] { at } else { best })
    };
    for metric in ["era_pearson", "era_spearman_sharpe", "numerai_corr", "r2"] {
        let stop =
            EarlyStop { rounds: 4, gap: 1, metric: Some(metric.into()), ..EarlyStop::default() };
        let settings = Gbdt { rounds: 200, stop: Some(stop), learning_rate: 0.3, ..settings() };
        let model = settings.fit(&panel).unwrap();
        let best = largest(&model.history);
        assert_eq!(model.metric, metric);
        assert_eq!(model.forest.iterations(), best + 1);
        assert_eq!((model.history.len(), model.rounds), (best + 5, best + 5));
    }
}

#[test]
fn every_leaf_of_a_random_forest_of_medians_is_the_median_of_its_rows() {
    let table = Table::new(11, 6, 50);
    let panel = table.panel(None);
    let sampling = Sampling { columns_by_tree: 0.5, ..Sampling::default() };
    let (boosting, objective) = (Boosting::RandomForest, Objective::RegressionL1);
    let model = Gbdt { sampling, boosting, objective, ..settings() }.fit(&panel).unwrap();
    assert!(model.forest.average);
    for tree in &model.forest.trees {
        assert!(tree.leaves() > 2);
        let mut members = vec![Vec::new(); tree.leaves()];
        for (row, &y) in table.target.iter().enumerate() {
            let values: Vec<f64> = table.columns.iter().map(|c| f64::from(c[row])).collect();
            members[tree.find(&values)].push(f64::from(y));
        }
        for (members, &value) in members.iter_mut().zip(&tree.values) {
            members.sort_by(f64::total_cmp);
            let (low, high) = (members[(members.len() - 1) / 2], members[members.len() / 2]);
            // A percentile in between, of values rounded to f32.
            assert!(value >= low - 1e-5 && value <= high + 0.126, "{value} of {members:?}");
        }
    }
    let row: Vec<f64> = table.columns.iter().map(|column| f64::from(column[0])).collect();
    let each = model.forest.trees.iter().map(|tree| tree.values[tree.find(&row)]);
    let mean = each.sum::<f64>() / model.forest.trees.len() as f64;
    assert!((model.forest.raw_row(&row).unwrap()[0] - mean).abs() < 1e-12);
}

#[test]
fn classes_that_are_never_seen_keep_their_start() {
    let table = Table::new(12, 4, 50);
    let target: Vec<f32> = table.target.iter().map(|&y| f32::from(u8::from(y > 1.0))).collect();
    let panel = Table { target, ..table }.panel(None);
    let settings = Gbdt { objective: Objective::Multiclass { classes: 3 }, ..settings() };
    let model = settings.fit(&panel).unwrap();
    let third = model.forest.trees.iter().filter(|tree| tree.output == 2);
    assert_eq!(third.clone().count(), 10);
    assert!(third.clone().all(|tree| tree.nodes.is_empty()));
    assert!(third.skip(1).all(|tree| tree.values == [0.0]));
}

#[test]
fn the_objectives_own_metric_has_its_settings() {
    let panel = data::bins(13, 20, 40, 6, 2.0);
    let of = |metric: Option<&str>| {
        let stop = EarlyStop { metric: metric.map(Into::into), ..EarlyStop::default() };
        let objective = Objective::Quantile { alphas: vec![0.05, 0.7] };
        Gbdt { objective, stop: Some(stop), ..settings() }.fit(&panel).unwrap()
    };
    let own = of(None);
    assert_eq!((own.metric.as_str(), own.history.len(), own.forest.outputs), ("quantile", 10, 2));
    assert_eq!(own, of(Some("quantile")));
    assert_ne!(own.history, of(Some("l1")).history);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// A small step down the gradient never raises the loss.
    #[test]
    fn the_training_loss_falls(seed in 0u64..1000, growth in 0usize..3) {
        let panel = Table::new(seed, 4, 60).panel(None);
        let growth = [Growth::LeafWise, Growth::DepthWise, Growth::Oblivious][growth];
        let settings = Gbdt { growth, learning_rate: 0.05, depth: Some(4), ..settings() };
        let model = settings.fit(&panel).unwrap();
        let losses = (1..=model.forest.iterations())
            .map(|rounds| squared_error(&panel, &model.forest.truncated(rounds)));
        let losses: Vec<f64> = losses.collect();
        // Predictions are rounded to f32.
        prop_assert!(losses.windows(2).all(|pair| pair[1] <= pair[0] * (1.0 + 1e-6)), "{losses:?}");
    }

    /// A row of weight 2 is a row that stands there twice.
    #[test]
    fn weight_two_is_twice_the_row(seed in 0u64..1000) {
        let table = Table::new(seed, 4, 60);
        let mut draws = Draws::new(seed + 1);
        let weights: Vec<f32> = table.target.iter().map(|_| 1.0 + (draws.unit() * 2.0).floor() as f32).collect();
        let twice = weights.iter().enumerate().flat_map(|(row, &w)| std::iter::repeat_n(row, w as usize));
        let twice = table.at(&twice.collect::<Vec<_>>()).panel(None);
        // Rows are counted, not weighed: only the hessian may limit leaves.
        let limits = Limits { min_data_in_leaf: 1, min_sum_hessian_in_leaf: 8.0, ..Limits::default() };
        let settings = Gbdt { limits, rounds: 4, leaves: 8, ..settings() };
        let weighted = settings.fit(&table.panel(Some(weights))).unwrap().forest;
        let doubled = settings.fit(&twice).unwrap().forest;
        for (a, b) in weighted.trees.iter().zip(&doubled.trees) {
            let asked = |tree: &fattail_trees::Tree| -> Vec<_> {
                tree.nodes.iter().map(|node| (node.feature, node.rule.clone(), node.left, node.right)).collect()
            };
            prop_assert_eq!(asked(a), asked(b));
            // Gradients are rounded to integers of another scale.
            prop_assert!(a.values.iter().zip(&b.values).all(|(a, b)| (a - b).abs() < 1e-5));
        }
    }

    /// The order of rows within eras does not matter, to the byte.
    #[test]
    fn rows_may_change_places_within_eras(seed in 0u64..1000, kind in 0usize..3) {
        let (eras, rows) = (5, 40);
        let table = Table::new(seed, eras, rows);
        let mut order: Vec<usize> = (0..eras * rows).collect();
        let mut draws = Draws::new(seed + 2);
        for era in order.chunks_mut(rows) {
            for at in (1..rows).rev() {
                era.swap(at, (draws.unit() * (at + 1) as f64) as usize);
            }
        }
        let eras = EraSettings { adaptive: Some(1.0), ..EraSettings::default() };
        let whole = Sampling { rows: Rows::Eras { fraction: 0.5, every: 1 }, ..Sampling::default() };
        let settings = match kind {
            0 => settings(),
            1 => Gbdt { eras, ..settings() },
            _ => Gbdt { sampling: whole, ..settings() },
        };
        let straight = settings.fit(&table.panel(None)).unwrap();
        let shuffled = settings.fit(&table.at(&order).panel(None)).unwrap();
        prop_assert!(bytes(&straight) == bytes(&shuffled));
    }
}
