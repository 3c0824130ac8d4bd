//! Every objective: it trains, it improves its metric, threads change no byte, LightGBM's text predicts
//! the same.

use fattail_core::{Fit, Panel};
use fattail_descent::RowLoss;
use fattail_exchange::lightgbm::{read, write};
use fattail_gbdt::{Gbdt, GbdtModel, Limits, Objective};
use fattail_objective::{Aft, Binary, Labels, Lambdarank, Noise};
use fattail_trees::Predictor;

use crate::data::{Draws, name};

const ERAS: usize = 24;
const ROWS: usize = 60;

/// The labels that an objective takes.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Real,
    Amount,
    Count,
    Sign,
    Class,
    Share,
    Grade,
    /// Times of events, negative where they are not awaited.
    Time,
    /// Lower and upper ends of times.
    Span,
}

/// Cauchy's loss, `ln(1 + r^2)`, as someone writes it who needs it.
#[derive(Debug)]
struct Cauchy;

impl RowLoss for Cauchy {
    fn at(&self, residual: f64) -> f64 {
        (residual * residual).ln_1p()
    }

    fn bend(&self, residual: f64) -> (f64, f64) {
        let spread = 1.0 + residual * residual;
        (2.0 * residual / spread, 2.0 / spread)
    }
}

fn all() -> Vec<(Objective, Kind)> {
    let aft = |noise| Objective::Aft(Aft { noise, sigma: 0.8 });
    let binary = Binary { sigmoid: 1.5, ..Binary::default() };
    let unbalanced = Binary { is_unbalance: true, ..Binary::default() };
    vec![
        (Objective::Regression, Kind::Real),
        (Objective::RegressionSqrt, Kind::Amount),
        (Objective::RegressionL1, Kind::Real),
        (Objective::Huber { alpha: 0.9 }, Kind::Real),
        (Objective::Fair { c: 1.0 }, Kind::Real),
        (Objective::PseudoHuber { delta: 1.0 }, Kind::Real),
        (Objective::LogCosh, Kind::Real),
        (Objective::Mape, Kind::Amount),
        (Objective::Quantile { alphas: vec![0.7] }, Kind::Real),
        (Objective::Quantile { alphas: vec![0.1, 0.5, 0.9] }, Kind::Real),
        (Objective::Expectile { alphas: vec![0.7] }, Kind::Real),
        (Objective::Expectile { alphas: vec![0.2, 0.8] }, Kind::Real),
        (Objective::Poisson { max_delta_step: 0.7 }, Kind::Count),
        (Objective::Gamma, Kind::Amount),
        (Objective::Tweedie { variance_power: 1.3 }, Kind::Count),
        (Objective::Binary(binary), Kind::Sign),
        (Objective::Binary(unbalanced), Kind::Sign),
        (Objective::Multiclass { classes: 3 }, Kind::Class),
        (Objective::MulticlassOva { classes: 3, binary }, Kind::Class),
        (Objective::CrossEntropy, Kind::Share),
        (Objective::CrossEntropyLambda, Kind::Share),
        (Objective::Lambdarank(Lambdarank::default()), Kind::Grade),
        (Objective::RankXendcg { seed: 5, label_gain: Vec::new() }, Kind::Grade),
        (Objective::Cox, Kind::Time),
        (aft(Noise::Normal), Kind::Span),
        (aft(Noise::Logistic), Kind::Span),
        (aft(Noise::Extreme), Kind::Span),
        (Objective::EraCorrelation, Kind::Real),
        (Objective::custom(Cauchy), Kind::Real),
    ]
}

/// The targets of a row of signal `x`, with a uniform number.
fn labels(kind: Kind, x: f64, u: f64) -> Vec<f64> {
    let time = (0.5 * x + u).exp();
    match kind {
        Kind::Real => vec![x + u],
        Kind::Amount => vec![time],
        Kind::Count => vec![(time * 2.0 * u).floor()],
        Kind::Sign => vec![f64::from(x + u > 0.8)],
        Kind::Class => vec![f64::from(x + u > -0.5) + f64::from(x + u > 1.5)],
        Kind::Share => vec![1.0 / (1.0 + (-x - u).exp())],
        Kind::Grade => vec![(x + u + 2.0).floor().clamp(0.0, 4.0)],
        Kind::Time => vec![if u < 0.2 { -time } else { time }],
        Kind::Span => vec![time, if u < 0.2 { f64::INFINITY } else { 1.2 * time }],
    }
}

/// Two features with a signal among four.
fn panel(kind: Kind) -> (Panel, Vec<String>) {
    let mut draws = Draws::new(17);
    let total = ERAS * ROWS;
    let eras: Vec<String> = (0..total).map(|row| format!("{:02}", row / ROWS)).collect();
    let columns: Vec<Vec<f32>> =
        (0..4).map(|_| (0..total).map(|_| draws.unit() as f32).collect()).collect();
    let signal = |row: usize| {
        let x = |at: usize| f64::from(columns[at][row]);
        2.0 * x(0) + (5.0 * x(1)).sin() - 1.0
    };
    let rows: Vec<Vec<f64>> =
        (0..total).map(|row| labels(kind, signal(row), draws.unit())).collect();
    let targets: Vec<String> = (0..rows[0].len()).map(|at| format!("y{at}")).collect();
    let mut builder = Panel::builder().eras(&eras).unwrap().main_target("y0");
    for (at, target) in targets.iter().enumerate() {
        let values: Vec<f32> = rows.iter().map(|row| row[at] as f32).collect();
        builder = builder.target(target.as_str(), values);
    }
    for (at, column) in columns.iter().enumerate() {
        builder = builder.feature(name(at), column.clone());
    }
    (builder.build().unwrap(), targets)
}

fn fitted(objective: &Objective, kind: Kind, threads: usize) -> (GbdtModel, Panel, Vec<String>) {
    let (panel, targets) = panel(kind);
    let settings = Gbdt {
        objective: objective.clone(),
        targets: targets.clone(),
        rounds: 8,
        leaves: 8,
        learning_rate: 0.2,
        limits: Limits { min_data_in_leaf: 10, ..Limits::default() },
        ..Gbdt::default()
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    (pool.install(|| settings.fit(&panel)).unwrap(), panel, targets)
}

/// The objective's own metric on the panel after some rounds.
fn metric(
    (model, panel, targets): &(GbdtModel, Panel, Vec<String>),
    objective: &Objective,
    rounds: usize,
) -> f64 {
    let raw = Predictor::new(&model.forest).unwrap().raw_range(panel, 0..rounds).unwrap();
    let outputs = model.forest.outputs;
    let column = |output: usize| raw.iter().skip(output).step_by(outputs).copied();
    let scores: Vec<f64> = (0..outputs).flat_map(column).collect();
    let targets: Vec<Vec<f32>> =
        targets.iter().map(|name| panel.target_named(name).unwrap().to_f32()).collect();
    let targets: Vec<&[f32]> = targets.iter().map(Vec::as_slice).collect();
    let eras: Vec<usize> = (0..=ERAS).map(|era| era * ROWS).collect();
    let labels = Labels { targets: &targets, weights: None, eras: &eras };
    objective.evaluation().value(&labels, &scores, model.forest.link).unwrap()
}

#[test]
fn rounds_improve_the_metric() {
    for (objective, kind) in all() {
        let fit = fitted(&objective, kind, 1);
        assert_eq!(fit.0.forest.iterations(), 8, "{objective:?}");
        let (first, last) = (metric(&fit, &objective, 1), metric(&fit, &objective, 8));
        let is_better =
            if objective.evaluation().larger_is_better() { last > first } else { last < first };
        assert!(is_better, "{objective:?}: {last} after {first}");
    }
}

#[test]
fn threads_change_no_byte() {
    for (objective, kind) in all() {
        let bytes =
            |threads| serde_json::to_string(&fitted(&objective, kind, threads).0.forest).unwrap();
        assert!(bytes(1) == bytes(3), "{objective:?}");
    }
}

#[test]
fn the_text_of_lightgbm_predicts_the_same() {
    for (objective, kind) in all() {
        let (model, panel, _) = fitted(&objective, kind, 1);
        let text = write(&model.forest).unwrap();
        let again = read(text.as_bytes()).unwrap();
        assert_eq!(again.link, model.forest.link, "{objective:?}");
        let predictions = |forest| Predictor::new(forest).unwrap().predict(&panel).unwrap();
        assert_eq!(predictions(&again), predictions(&model.forest), "{objective:?}");
    }
}
