//! Networks in the weekly job: their sizes, and what the command line changes.
//!
//! Sizes are for two cores. Where all targets lie in 0..1, as Numerai's do, the head is a sigmoid and
//! the loss the squared error: such targets have no tails, and what is wanted is their mean. Other
//! targets get Huber's loss with delta 0.1 and a head without bounds. The last fifth of the training
//! eras judges, the horizon's gap before it; the weights that are judged are an exponential average
//! of those of the steps.
//!
//! Features are centred and divided by their standard deviations in the training eras; a missing one
//! becomes its mean. Bins that a transformer has vectors for stay as they are. Up to 64 features each
//! have a token of their own; more share 32 tokens.
//!
//! The transformer and the graph network train on every n-th era, n the least of 1 to 4 with which the
//! rows are at most 40,000: targets over 20 days overlap in neighbouring weeks, so the eras between
//! tell little that is new, and cost as much. Reference: numerai/example-scripts, "hello numerai", where
//! every fourth era is taken.

use clap::Args;
use fattail::{
    Fit, Panel, Predict, Result,
    loss::{Huber, Objective, Squared},
    mlp::Head,
    neural::{Adjacency, FeatureTransformer, GraphNet, NeuralModel, Regime, RobustMlp, Vae},
    prepare::Method,
    schedule::Constant,
    stop::Stop,
    training::{Action, Average, Holdout, Policies, Portion, Run, Stopped, Training},
};
use serde::Serialize;

use crate::{Kind, Outcome, robust::Scaling};

/// Features that have a token each; more share [`TOKENS`].
const MOST_TOKENS: usize = 64;
/// Tokens of wider panels.
const TOKENS: usize = 32;
/// Rows that the slower networks train on at most, where leaving eras out suffices for it.
const ROWS: usize = 40_000;
/// Of so many eras one trains at least.
const MOST_STRIDE: usize = 4;
/// The share of the training eras that judges.
const JUDGES: f64 = 0.2;

/// The options of networks.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Networks")]
pub struct NetworkArgs {
    /// Appends so many latent values of an autoencoder to the features of every model
    #[arg(long, value_name = "N")]
    pub vae: Option<usize>,
    /// Passes over the training rows at most [default: 12 for mlp, 3 for transformer and gnn]
    #[arg(long, value_name = "N")]
    pub epochs: Option<u64>,
    /// Rows of a step [default: 256]
    #[arg(long, value_name = "N")]
    pub batch_size: Option<usize>,
    /// How far a step goes [default: 0.001 for mlp, 0.002 for transformer and gnn]
    #[arg(long, value_name = "RATE")]
    pub network_rate: Option<f64>,
    /// Passes without improvement on the last fifth of the training eras that are borne [default: 3]
    #[arg(long, value_name = "N")]
    pub patience: Option<usize>,
}

/// A network that learns, with its settings.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// A perceptron.
    Mlp(RobustMlp),
    /// A transformer over features.
    Transformer(FeatureTransformer),
    /// A graph of features.
    Gnn(GraphNet),
}

/// A trained network and the scales of what it reads.
#[derive(Debug, Clone)]
pub struct TrainedNetwork {
    /// Of how many eras one trained.
    pub stride: usize,
    /// The scales; none where it reads bins.
    pub scaling: Option<Scaling>,
    /// The network.
    pub model: NeuralModel,
}

impl NetworkArgs {
    /// Whether an option is given that only networks have.
    #[must_use]
    pub fn is_given(&self) -> bool {
        let counts = self.epochs.is_some() || self.batch_size.is_some() || self.patience.is_some();
        counts || self.network_rate.is_some()
    }

    /// The network of a kind for a panel; none for kinds that are no networks. `gap` eras are left out
    /// before those that judge.
    ///
    /// # Errors
    /// When a setting is out of range, or the panel has no target.
    pub fn network(
        &self,
        kind: Kind,
        panel: &Panel,
        gap: usize,
        seed: u64,
    ) -> Outcome<Option<Network>> {
        let bounded = bounded(panel)?;
        let (epochs, rate) = if kind == Kind::Mlp { (12, 1e-3) } else { (3, 2e-3) };
        let training = Training {
            epochs: self.epochs.unwrap_or(epochs),
            batch_size: self.batch_size.unwrap_or(256),
            rate: Constant { rate: self.network_rate.unwrap_or(rate) }.into(),
            holdout: Some(Holdout { portion: Portion::Share(JUDGES), gap }),
            stop: vec![Stop::Patience { rounds: self.patience.unwrap_or(3), min_delta: 0.0 }],
            average: Average::Ema { decay: 0.9, every: 10 },
            seed,
            // Market targets are hardly predictable: a loss that stands still is no fault.
            policies: Policies { flat: Action::Note, ..Policies::default() },
            ..Training::default()
        };
        let objective: Objective =
            if bounded { Squared.into() } else { Huber { delta: 0.1 }.into() };
        let regime = Regime { training, objective, ..Regime::default() };
        regime.check()?;
        let width = panel.width() + self.vae.unwrap_or(0);
        Ok(match kind {
            Kind::Mlp => Some(Network::Mlp(perceptron(bounded, regime))),
            Kind::Transformer => Some(Network::Transformer(transformer(width, bounded, regime))),
            Kind::Gnn => Some(Network::Gnn(graph(bounded, regime))),
            Kind::Ridge | Kind::Gbdt => None,
        })
    }

    /// The autoencoder, where one is asked for.
    ///
    /// # Errors
    /// When it is to have no latent values.
    pub fn latent(&self, seed: u64) -> Outcome<Option<Vae>> {
        let Some(latent) = self.vae else { return Ok(None) };
        if latent == 0 {
            return Err("--vae is 0, allowed is at least 1".into());
        }
        let policies = Policies { flat: Action::Note, ..Policies::default() };
        let training =
            Training { epochs: 3, batch_size: 512, seed, policies, ..Training::default() };
        let regime = Regime { training, ..Regime::default() };
        Ok(Some(Vae { latent, hidden: 32, keep: true, regime, ..Vae::default() }))
    }
}

fn perceptron(bounded: bool, regime: Regime) -> RobustMlp {
    RobustMlp {
        hidden: vec![64, 32],
        // Features come scaled; a row's level is a signal of its own.
        input_norm: false,
        head: if bounded { Head::Sigmoid } else { Head::Identity },
        regime,
        ..RobustMlp::default()
    }
}

fn transformer(width: usize, sigmoid: bool, regime: Regime) -> FeatureTransformer {
    let patch = if width <= MOST_TOKENS { 1 } else { width.div_ceil(TOKENS) };
    FeatureTransformer {
        width: 16,
        heads: 2,
        layers: 1,
        hidden: 32,
        patch,
        sigmoid,
        regime,
        ..FeatureTransformer::default()
    }
}

fn graph(sigmoid: bool, regime: Regime) -> GraphNet {
    GraphNet {
        adjacency: Adjacency::Nearest { neighbours: 4 },
        layers: 1,
        width: 8,
        sigmoid,
        regime,
        ..GraphNet::default()
    }
}

/// Whether all known targets lie in 0..1.
fn bounded(panel: &Panel) -> Outcome<bool> {
    let targets = panel.target()?.to_f32();
    Ok(targets.iter().filter(|target| !target.is_nan()).all(|target| (0.0..=1.0).contains(target)))
}

impl Network {
    /// How it is trained.
    #[must_use]
    pub fn regime(&self) -> &Regime {
        match self {
            Self::Mlp(mlp) => &mlp.regime,
            Self::Transformer(transformer) => &transformer.regime,
            Self::Gnn(graph) => &graph.regime,
        }
    }

    /// The same, to change it.
    pub(crate) fn regime_mut(&mut self) -> &mut Regime {
        match self {
            Self::Mlp(mlp) => &mut mlp.regime,
            Self::Transformer(transformer) => &mut transformer.regime,
            Self::Gnn(graph) => &mut graph.regime,
        }
    }

    /// The network's size and how it is trained, a line each.
    #[must_use]
    pub fn told(&self) -> Vec<String> {
        let size = match self {
            Self::Mlp(mlp) => format!("hidden layers {:?}, dropout {}", mlp.hidden, mlp.dropout),
            Self::Transformer(it) => format!(
                "layers {}, width {}, heads {}, features a token {}, dropout {}",
                it.layers, it.width, it.heads, it.patch, it.dropout
            ),
            Self::Gnn(it) => format!(
                "layers {}, width {}, heads {}, {:?} on features, dropout {}",
                it.layers, it.width, it.heads, it.adjacency, it.dropout
            ),
        };
        let Regime { training, objective, .. } = self.regime();
        let gap = training.holdout.map_or(0, |holdout| holdout.gap);
        let memory = training.memory.map(|bytes| format!("at most {bytes} bytes of memory"));
        let mut lines = vec![
            size,
            format!("loss {objective:?}, rate {:?}", training.rate),
            format!("at most {} epochs, batches of {}", training.epochs, training.batch_size),
            format!("the last {:.0} % of the eras judge, {gap} eras apart", 100.0 * JUDGES),
        ];
        lines.extend(memory);
        lines
    }

    fn fit_scaled(&self, train: &Panel, stride: usize) -> Result<NeuralModel> {
        let eras: Vec<usize> = (0..train.eras().len()).step_by(stride).collect();
        let train = train.cut(&eras)?;
        match self.clone() {
            Self::Mlp(mlp) => mlp.fit(&train),
            Self::Transformer(mut transformer) => {
                thin(&mut transformer.regime, stride);
                transformer.fit(&train)
            }
            Self::Gnn(mut graph) => {
                thin(&mut graph.regime, stride);
                graph.fit(&train)
            }
        }
    }
}

/// Of how many eras one trains.
fn stride(rows: usize) -> usize {
    rows.div_ceil(ROWS).clamp(1, MOST_STRIDE)
}

/// The gap before the holdout, counted in the eras that are left.
fn thin(regime: &mut Regime, stride: usize) {
    if let Some(holdout) = &mut regime.training.holdout {
        holdout.gap = holdout.gap.div_ceil(stride);
    }
}

/// Whether a transformer has vectors for all values of a panel's features.
fn reads_bins(transformer: &FeatureTransformer, panel: &Panel) -> bool {
    let fits = |feature: usize| {
        let column = panel.feature(feature);
        column.is_u8()
            && column
                .eras()
                .all(|values| values.iter().all(|value| value < transformer.most_bins as f32))
    };
    transformer.patch == 1 && (0..panel.width()).all(fits)
}

impl Fit for Network {
    type Fitted = TrainedNetwork;

    /// Fits on scaled features. A run that is given up is an error here: its last good weights may be those of the start.
    fn fit(&self, train: &Panel) -> Result<TrainedNetwork> {
        let bins = matches!(self, Self::Transformer(it) if reads_bins(it, train));
        let scaling = (!bins).then(|| Scaling::fit(train, &Method::Standard)).transpose();
        let scaling = scaling.map_err(fattail::Error::other)?;
        let scaled = scale(scaling.as_ref(), train)?;
        let stride = if matches!(self, Self::Mlp(_)) { 1 } else { stride(train.rows()) };
        let model = self.fit_scaled(&scaled, stride)?;
        expect_whole(&model).map_err(fattail::Error::other)?;
        Ok(TrainedNetwork { stride, scaling, model })
    }
}

/// Refuses a network whose run was given up, with the reason.
pub(crate) fn expect_whole(model: &NeuralModel) -> Result<(), String> {
    match model.run.as_ref().map(|run| &run.stopped) {
        Some(stopped @ Stopped::GaveUp(_)) => Err(stopped.to_string()),
        _ => Ok(()),
    }
}

/// How the run for the live era went, a line each.
pub(crate) fn course(run: &Run) -> Vec<String> {
    let best = run.best_epoch.map(|best| format!(", the best is {}", best + 1));
    let (epochs, best) = (run.history.len(), best.unwrap_or_default());
    let mut lines = vec![format!("epochs for the live era: {epochs}{best}; {}", run.stopped)];
    let first = run.events.first();
    lines.extend(
        first.map(|first| format!("{} symptoms in training, the first: {first}", run.events.len())),
    );
    lines
}

impl Predict for TrainedNetwork {
    fn predict(&self, panel: &Panel) -> Result<Vec<f32>> {
        self.model.predict(&scale(self.scaling.as_ref(), panel)?)
    }
}

fn scale(scaling: Option<&Scaling>, panel: &Panel) -> Result<Panel> {
    match scaling {
        Some(scaling) => scaling.apply(panel).map_err(fattail::Error::other),
        None => Ok(panel.clone()),
    }
}

impl TrainedNetwork {
    /// What the report tells of it.
    #[must_use]
    pub fn told(&self) -> Vec<String> {
        let mut lines = vec![format!("parameters: {}", self.model.parameters())];
        if self.stride > 1 {
            lines.push(format!("for the live era one of {} eras trained", self.stride));
        }
        lines.extend(self.model.run.iter().flat_map(course));
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panel(target: f32, width: usize, rows: usize) -> Panel {
        let bins: Vec<u8> = (0..rows).map(|row| (row % 5) as u8).collect();
        let targets: Vec<f32> = bins.iter().map(|&bin| target * f32::from(bin) / 4.0).collect();
        let eras: Vec<String> = (0..rows).map(|row| format!("{:04}", row / 10)).collect();
        let start = Panel::builder().eras(&eras).unwrap().target("t", targets);
        let named =
            |panel: fattail::PanelBuilder, at| panel.feature(format!("f{at}"), bins.clone());
        (0..width).fold(start, named).build().unwrap()
    }

    #[test]
    fn heads_and_losses_follow_the_targets() {
        let of = |target| {
            let args = NetworkArgs::default();
            args.network(Kind::Mlp, &panel(target, 2, 50), 4, 7).unwrap().unwrap()
        };
        let (Network::Mlp(ranks), Network::Mlp(returns)) = (of(1.0), of(1.5)) else { panic!() };
        assert_eq!((ranks.head, returns.head), (Head::Sigmoid, Head::Identity));
        assert_eq!(ranks.regime.objective, Squared.into());
        assert_eq!(returns.regime.objective, Huber { delta: 0.1 }.into());
        assert_eq!(ranks.regime.training.holdout.unwrap().gap, 4);
    }

    #[test]
    fn bins_stay_bins_unless_features_share_tokens() {
        let transformer = |width, vae| {
            let args = NetworkArgs { vae, ..NetworkArgs::default() };
            let panel = panel(1.0, width, 20);
            match args.network(Kind::Transformer, &panel, 4, 7).unwrap().unwrap() {
                Network::Transformer(it) => (it.patch, reads_bins(&it, &panel)),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(transformer(64, None), (1, true));
        assert_eq!(transformer(65, None), (3, false));
        assert_eq!(transformer(62, Some(4)), (3, false));
    }

    #[test]
    fn eras_are_left_out_only_where_rows_are_many() {
        assert_eq!([0, 40_000, 40_001, 100_000, 9_000_000].map(stride), [1, 1, 2, 3, 4]);
        let mut regime = Regime::default();
        regime.training.holdout = Some(Holdout { portion: Portion::Share(0.2), gap: 5 });
        thin(&mut regime, 4);
        assert_eq!(regime.training.holdout.unwrap().gap, 2);
    }
}
