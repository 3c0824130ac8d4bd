//! Which network: what a model's file names, and what makes the network again.

use burn::{
    module::{Lora, Module as _},
    tensor::{Device, Tensor},
};
use fattail_core::{Error as CoreError, Panel};
use fattail_mlp as mlp;
use fattail_training::{Desk, Engine, Named};
use serde::{Deserialize, Serialize};

use crate::{
    Regime, Result, device,
    engine::{Recipe, SmallEngine, TensorEngine, adapt, collect, load, row_loss},
    layers::Start,
    nets::{
        FeatureNetwork, FeatureShape, GraphNetwork, GraphShape, MlpNetwork, Nodes,
        RecurrentNetwork, RecurrentShape, SequenceNetwork, SequenceShape, VaeNetwork, VaeShape,
    },
    network::{Input, Network},
};

/// A network's kind and shape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "network")]
pub enum Architecture {
    /// A multilayer perceptron.
    Mlp(mlp::Network),
    /// A transformer over features.
    Features(FeatureShape),
    /// A transformer over windows of rows.
    Sequence(SequenceShape),
    /// LSTM or GRU over windows of rows.
    Recurrent(RecurrentShape),
    /// A network on a graph.
    Graph(GraphShape),
    /// A variational autoencoder.
    Vae(VaeShape),
}

/// Runs `$body` with `$make` a function from a device to the network of `$architecture`, started from a
/// seed, or blank where its weights are read afterwards.
macro_rules! with_network {
    ($architecture:expr, $seed:expr, $make:ident => $body:expr) => {{
        let seed: Option<u64> = $seed;
        match $architecture.clone() {
            Architecture::Mlp(shape) => {
                let $make =
                    move |device: &Device| MlpNetwork::new(&shape, &mut Start::of(seed, device));
                $body
            }
            Architecture::Features(shape) => {
                let $make =
                    move |device: &Device| FeatureNetwork::new(shape, &mut Start::of(seed, device));
                $body
            }
            Architecture::Sequence(shape) => {
                let $make = move |device: &Device| {
                    SequenceNetwork::new(shape, &mut Start::of(seed, device))
                };
                $body
            }
            Architecture::Recurrent(shape) => {
                let $make = move |device: &Device| {
                    RecurrentNetwork::new(shape, &mut Start::of(seed, device))
                };
                $body
            }
            Architecture::Graph(shape) => {
                shape.check()?;
                let $make = move |device: &Device| {
                    GraphNetwork::new(shape.clone(), &mut Start::of(seed, device))
                        .expect("the graph was checked")
                };
                $body
            }
            Architecture::Vae(shape) => {
                let $make =
                    move |device: &Device| VaeNetwork::new(shape, &mut Start::of(seed, device));
                $body
            }
        }
    }};
}

impl Architecture {
    /// Answers whether the shape can be built: settings in range, at most 268,435,456 parameters. Allocates
    /// nothing that grows with a setting.
    ///
    /// # Errors
    /// Names the setting, its value and what is allowed.
    pub fn check(&self) -> Result<()> {
        self.size()?;
        match self {
            Self::Mlp(shape) => Ok(shape.check()?),
            Self::Features(shape) => {
                positive("inputs", shape.inputs)?;
                positive("layers", shape.layers)?;
                shape.tokens.check()?;
                shape.encoder.check()
            }
            Self::Sequence(shape) => {
                positive("inputs", shape.inputs)?;
                positive("window", shape.window)?;
                positive("layers", shape.layers)?;
                shape.encoder.check()
            }
            Self::Recurrent(shape) => {
                positive("inputs", shape.inputs)?;
                positive("window", shape.window)?;
                positive("layers", shape.layers)?;
                positive("hidden", shape.hidden)?;
                rate("dropout", shape.dropout)
            }
            Self::Graph(shape) => {
                expect_assets(shape)?;
                shape.check()
            }
            Self::Vae(shape) => {
                positive("inputs", shape.inputs)?;
                positive("hidden", shape.hidden)?;
                positive("latent", shape.latent)?;
                not_negative("beta", shape.beta)?;
                not_negative("free_bits", shape.free_bits)
            }
        }
    }

    /// Features of a row.
    #[must_use]
    pub fn inputs(&self) -> usize {
        match self {
            Self::Mlp(shape) => shape.inputs,
            Self::Features(shape) => shape.inputs,
            Self::Sequence(shape) => shape.inputs,
            Self::Recurrent(shape) => shape.inputs,
            Self::Graph(shape) => shape.inputs,
            Self::Vae(shape) => shape.inputs,
        }
    }

    /// Rows of a sample.
    #[must_use]
    pub fn window(&self) -> usize {
        match self {
            Self::Sequence(shape) => shape.window,
            Self::Recurrent(shape) => shape.window,
            _ => 1,
        }
    }

    /// Whether predictions lie in 0..1.
    #[must_use]
    pub(crate) fn is_sigmoid(&self) -> bool {
        match self {
            Self::Mlp(shape) => shape.head == mlp::Head::Sigmoid,
            Self::Features(shape) => shape.sigmoid,
            Self::Sequence(shape) => shape.sigmoid,
            Self::Recurrent(shape) => shape.sigmoid,
            Self::Graph(shape) => shape.sigmoid,
            Self::Vae(_) => false,
        }
    }

    /// Whether samples of an era have to stay together.
    #[must_use]
    pub fn whole_eras(&self) -> bool {
        matches!(self, Self::Graph(shape) if shape.on_assets())
    }

    /// The same network for the rows of a panel.
    pub(crate) fn on(&self, panel: &Panel) -> Self {
        match self {
            Self::Graph(shape) => Self::Graph(shape.on(panel)),
            other => other.clone(),
        }
    }

    /// The starting weights.
    ///
    /// # Errors
    /// When the shape cannot be built.
    pub fn start(&self, seed: u64) -> Result<Vec<Named>> {
        self.check()?;
        let device = device::cpu()?;
        with_network!(self, Some(seed), make => collect(&make(&device)))
    }

    /// The engine that trains it, its weights all 0: the fused kernel when `fused`.
    pub(crate) fn engine(
        &self,
        device: &Device,
        recipe: Recipe,
        fused: bool,
    ) -> Result<Box<dyn Engine>> {
        self.check()?;
        let (loss, identity) = (row_loss(&recipe.objective), self.identity());
        if let (Self::Mlp(shape), Some(loss), true) = (self, loss, fused) {
            return Ok(Box::new(SmallEngine::new(shape.clone(), loss, &recipe, &identity)?));
        }
        with_network!(self, None, make => {
            let build = Box::new(move |device: &Device| Ok(make(device)));
            Ok(Box::new(TensorEngine::new(device, recipe, identity, build)?))
        })
    }

    /// Its shape as text.
    fn identity(&self) -> String {
        // Plain numbers and names always can be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Weights after low-rank adapters of theirs were trained and merged, how that went, and why it went
    /// on the CPU although another device was asked for.
    pub(crate) fn adapted(
        &self,
        weights: &[Named],
        regime: &Regime,
        lora: Lora,
        recent: &Panel,
        desk: Desk<'_>,
    ) -> Result<(Vec<Named>, fattail_training::Run, Option<String>)> {
        self.check()?;
        let device::Chosen { device, warning, .. } = device::choose(&regime.device)?;
        let (seed, recipe) = (regime.training.seed, regime.recipe(self));
        let of = Named::fingerprint(weights);
        let identity =
            format!("{} adapters of {} {} on {of:016x}", self.identity(), lora.rank, lora.alpha);
        let weights = weights.to_vec();
        with_network!(self, None, make => {
            // The adapters are a part of what is built again when the device is left.
            let build = Box::new(move |device: &Device| {
                Ok(adapt(load(make(device), &weights)?, lora.clone(), seed))
            });
            let mut engine = TensorEngine::new(&device, recipe, identity, build)?;
            regime.expect_room(self, &engine, recent)?;
            let samples = regime.reachable(self, recent)?;
            let training = regime.training(self)?;
            let run = training.run(&mut engine, &samples, &recipe.objective, desk)?;
            Ok((collect(&engine.into_network().materialize())?, run, warning))
        })
    }

    /// The network with these weights, for predictions.
    pub(crate) fn network(&self, weights: &[Named], device: &Device) -> Result<Box<dyn Run>> {
        self.expect_enough(weights)?;
        self.check()?;
        with_network!(self, None, make => Ok(Box::new(load(make(device), weights)?)))
    }

    /// These weights in the network's own order and shapes.
    pub(crate) fn fitted(&self, weights: &[Named]) -> Result<Vec<Named>> {
        self.expect_enough(weights)?;
        self.check()?;
        let device = device::cpu()?;
        with_network!(self, None, make => collect(&load(make(&device), weights)?))
    }
}

/// A network that runs forward, of whatever kind.
pub(crate) trait Run: Send + Sync {
    /// One prediction a sample.
    fn run(&self, input: &Input<'_>) -> Tensor<1>;
}

impl<N: Network + Sync> Run for N {
    fn run(&self, input: &Input<'_>) -> Tensor<1> {
        self.forward(input, crate::layers::Noise::OFF)
    }
}

/// Refuses a graph of assets with other nodes than assets, before loops are made for its nodes.
fn expect_assets(shape: &GraphShape) -> Result<()> {
    match &shape.nodes {
        Nodes::Assets { graph, ids, .. } if graph.edges.nodes != ids.len() => {
            let nodes = graph.edges.nodes;
            Err(CoreError::setting("nodes", nodes, "the number of ids").into())
        }
        _ => Ok(()),
    }
}

/// Refuses 0.
pub(crate) fn positive(name: &'static str, value: usize) -> Result<()> {
    if value > 0 { Ok(()) } else { Err(CoreError::setting(name, value, "at least 1").into()) }
}

/// Refuses a share outside of 0..1.
pub(crate) fn rate(name: &'static str, value: f64) -> Result<()> {
    if (0.0..1.0).contains(&value) {
        return Ok(());
    }
    Err(CoreError::setting(name, value, "at least 0 and below 1").into())
}

/// Refuses what is negative or not finite.
pub(crate) fn not_negative(name: &'static str, value: f64) -> Result<()> {
    if value >= 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(CoreError::setting(name, value, "finite and not negative").into())
}
