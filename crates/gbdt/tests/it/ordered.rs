//! Ordered target statistics and ordered boosting prevent the leak that they are made for.

use std::collections::BTreeMap;

use fattail_core::{Fit, Panel, Predict};
use fattail_gbdt::{
    Binning, Boosting, Categorical, CategoricalMethod, Gbdt, GbdtModel, Growth, Limits,
};
use fattail_trees::Rule;

use crate::data::Draws;

/// `categories` of pure noise, one number with a signal, and noise twice its size.
fn noise(seed: u64, eras: usize, rows: usize, categories: f64) -> Panel {
    let mut draws = Draws::new(seed);
    let total = eras * rows;
    let labels: Vec<String> = (0..total).map(|row| format!("{:04}", row / rows)).collect();
    let category: Vec<f32> =
        (0..total).map(|_| (draws.unit() * categories).floor() as f32).collect();
    let x: Vec<f32> = (0..total).map(|_| draws.normal() as f32).collect();
    let y: Vec<f32> = x.iter().map(|x| x + 2.0 * draws.normal() as f32).collect();
    let panel = Panel::builder().eras(&labels).unwrap();
    panel.feature("category", category).feature("x", x).target("y", y).build().unwrap()
}

fn settings() -> Gbdt {
    let bins = Binning { categorical: vec!["category".into()], ..Binning::default() };
    let method = CategoricalMethod::OrderedTarget { prior: 1.0 };
    let categorical = Categorical { method, ..Categorical::default() };
    Gbdt { bins, categorical, rounds: 60, leaves: 8, ..Gbdt::default() }
}

/// The mean squared error.
fn error(panel: &Panel, model: &impl Predict) -> f64 {
    let target = panel.target().unwrap().to_f32();
    let squares = model
        .predict(panel)
        .unwrap()
        .into_iter()
        .zip(&target)
        .map(|(p, y)| f64::from(p - y).powi(2));
    squares.sum::<f64>() / target.len() as f64
}

/// What plain target statistics make of categories: means over all training rows, the row's own
/// target among them.
fn greedy(train: &Panel, panel: &Panel) -> Panel {
    let mut sums: BTreeMap<i64, (f64, f64)> = BTreeMap::new();
    let y = train.target().unwrap().to_f32();
    for (category, &y) in train.feature(0).to_f32().into_iter().zip(&y) {
        let sum = sums.entry(category as i64).or_default();
        *sum = (sum.0 + f64::from(y), sum.1 + 1.0);
    }
    let value = |category: f32| {
        sums.get(&(category as i64)).map_or(0.0, |sum| (sum.0 / (sum.1 + 1.0)) as f32)
    };
    let values: Vec<f32> = panel.feature(0).to_f32().into_iter().map(value).collect();
    panel.replace_features([(0, values)]).unwrap()
}

#[test]
fn a_noisy_category_of_many_values_does_not_leak() {
    for eras in [1, 20] {
        let (train, test) =
            (noise(1, eras, 2000 / eras, 400.0), noise(2, eras, 2000 / eras, 400.0));
        let plain =
            Gbdt { bins: Binning::default(), categorical: Categorical::default(), ..settings() };
        let model = plain.fit(&greedy(&train, &train)).unwrap();
        let leaked = error(&greedy(&train, &test), &model);
        let ordered = Gbdt { boosting: Boosting::Ordered, ..settings() };
        let statistics = error(&test, &settings().fit(&train).unwrap());
        let both = error(&test, &ordered.fit(&train).unwrap());
        println!(
            "{eras} eras: greedy {leaked:.3}, ordered statistics {statistics:.3}, and boosting {both:.3}"
        );
        // The noise alone is 4; the leak trusts the categories and pays for it.
        assert!(leaked > 4.6 && statistics < 4.4 && both < 4.4, "{leaked} {statistics} {both}");
    }
}

fn asked(model: &GbdtModel, feature: u32) -> usize {
    let nodes = model.forest.trees.iter().flat_map(|tree| &tree.nodes);
    nodes.filter(|node| node.feature == feature).count()
}

#[test]
fn what_a_category_says_is_found_and_asked_for_as_sets() {
    let mut draws = Draws::new(5);
    let effects: Vec<f64> = (0..60).map(|_| draws.normal()).collect();
    let mut part = |rows: usize| {
        let category: Vec<f32> = (0..rows).map(|_| (draws.unit() * 60.0).floor() as f32).collect();
        let y: Vec<f32> =
            category.iter().map(|&c| (effects[c as usize] + 0.5 * draws.normal()) as f32).collect();
        let x: Vec<f32> = (0..rows).map(|_| draws.normal() as f32).collect();
        Panel::builder()
            .feature("category", category)
            .feature("x", x)
            .target("y", y)
            .build()
            .unwrap()
    };
    let (train, test) = (part(3000), part(1000));
    for (growth, boosting) in [
        (Growth::LeafWise, Boosting::Gradient),
        (Growth::Oblivious, Boosting::Gradient),
        (Growth::LeafWise, Boosting::Ordered),
    ] {
        let model = Gbdt { growth, boosting, depth: Some(4), ..settings() }.fit(&train).unwrap();
        model.forest.check().unwrap();
        assert!(asked(&model, 0) > 0);
        let sets =
            model.forest.trees.iter().flat_map(|tree| &tree.nodes).filter(|node| node.feature == 0);
        sets.for_each(|node| assert!(matches!(node.rule, Rule::Categorical { .. })));
        // The noise is 0.25 of 1.25.
        assert!(error(&test, &model) < 0.45, "{growth:?} {boosting:?} {}", error(&test, &model));
        let unseen = Panel::builder()
            .feature("category", vec![-3.0, f32::NAN, 5e6])
            .feature("x", vec![0.0_f32; 3]);
        let unseen = unseen.build().unwrap();
        let predicted = model.predict(&unseen).unwrap();
        assert!(predicted.iter().all(|&p| p == predicted[0]), "{predicted:?}");
        assert_eq!(model.mappers.apply(&train).unwrap().columns[0].mapper.bins, 61);
    }
}

#[test]
fn the_prediction_is_that_on_the_statistics() {
    // With prior weight 1 and the mean of all targets, computed here again by hand.
    let train = noise(7, 10, 100, 40.0);
    let model = Gbdt { rounds: 20, ..settings() }.fit(&train).unwrap();
    let again = serde_json::to_string(&model).unwrap();
    assert_eq!(
        again,
        serde_json::to_string(&Gbdt { rounds: 20, ..settings() }.fit(&train).unwrap()).unwrap()
    );
    // Two categories of one statistic get one prediction.
    let y = train.target().unwrap().to_f64();
    let mean = y.iter().sum::<f64>() / y.len() as f64;
    let mut sums: BTreeMap<i32, (f64, f64)> = BTreeMap::new();
    for (category, y) in train.feature(0).to_f32().into_iter().zip(&y) {
        let sum = sums.entry(category as i32).or_default();
        *sum = (sum.0 + y, sum.1 + 1.0);
    }
    let mut statistics: Vec<(f64, i32)> =
        sums.iter().map(|(&c, sum)| ((sum.0 + mean) / (sum.1 + 1.0), c)).collect();
    statistics.sort_by(|a, b| a.0.total_cmp(&b.0));
    // Along the statistic, every node's set is a stretch from one end.
    for node in
        model.forest.trees.iter().flat_map(|tree| &tree.nodes).filter(|node| node.feature == 0)
    {
        let sides: Vec<bool> =
            statistics.iter().map(|&(_, c)| node.rule.goes_left(f64::from(c))).collect();
        assert!(sides.windows(2).filter(|pair| pair[0] != pair[1]).count() <= 1, "{sides:?}");
    }
}

#[test]
fn ordered_boosting_learns_and_is_the_same_for_any_number_of_threads() {
    let (train, test) = (noise(11, 16, 150, 3.0), noise(12, 16, 150, 3.0));
    let limits = Limits { min_data_in_leaf: 50, ..Limits::default() };
    let settings = Gbdt { boosting: Boosting::Ordered, limits, ..settings() };
    let fit = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| settings.fit(&train).unwrap())
    };
    let model = fit(1);
    assert!(error(&test, &model) < 4.6, "{}", error(&test, &model));
    assert!(fit(3) == model);
    // Three categories stay categories: one against the rest.
    assert_eq!(model.mappers.mappers[0].bins, 4);
}
