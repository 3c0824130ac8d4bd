//! The networks that are measured, and samples for them; `benches/peers/neural/steps.py` has the same.

use std::error::Error;

use fattail::{
    fused::graph::Edges,
    mlp::{Head, Network},
    neural::{
        Architecture, Kernel, Regime,
        layers::{Cell, EncoderShape},
        nets::{
            FeatureShape, GraphKind, GraphShape, Nodes, RecurrentShape, SequenceShape, Tokens,
            VaeShape, Weighted,
        },
    },
    training::{Batch, Engine},
};
use fattail_benches::normal;

/// A network and the batch that it is timed on.
pub(crate) struct Named {
    pub(crate) architecture: Architecture,
    pub(crate) batch: usize,
    kernel: Kernel,
    checkpointing: bool,
}

impl Named {
    pub(crate) fn engine(&self) -> Result<Box<dyn Engine>, Box<dyn Error>> {
        let regime = Regime { checkpointing: self.checkpointing, ..Regime::default() };
        let weights = self.architecture.start(1)?;
        Ok(regime.engine(&self.architecture, self.kernel, &weights)?)
    }
}

fn encoder(width: usize, heads: usize, hidden: usize, causal: bool) -> EncoderShape {
    EncoderShape {
        width,
        heads,
        hidden,
        norm_first: true,
        causal,
        gelu: true,
        rotary: None,
        dropout: 0.1,
        recompute: false,
    }
}

fn mlp(inputs: usize, hidden: &[usize]) -> Architecture {
    Architecture::Mlp(Network {
        inputs,
        hidden: hidden.to_vec(),
        input_norm: true,
        norm: true,
        residual: true,
        dropout: 0.1,
        head: Head::Sigmoid,
    })
}

/// 42 nodes, 8 neighbours each: what a node of a ring sees of its squares.
fn ring(nodes: usize, neighbours: usize) -> Weighted {
    let (mut sources, mut targets) = (Vec::new(), Vec::new());
    for node in 0..nodes {
        for step in 1..=neighbours {
            sources.push(((node + step * step) % nodes) as u32);
            targets.push(node as u32);
        }
    }
    let weights = vec![0.5; sources.len()];
    Weighted { edges: Edges { nodes, sources, targets }, weights }
}

fn graph(kind: GraphKind) -> Architecture {
    Architecture::Graph(GraphShape {
        inputs: 42,
        nodes: Nodes::Features { graph: ring(42, 8) },
        kind,
        layers: 2,
        heads: 4,
        width: 64,
        dropout: 0.0,
        sigmoid: false,
    })
}

fn sequence(recompute: bool) -> Architecture {
    let encoder = EncoderShape { recompute, ..encoder(64, 4, 256, false) };
    let sigmoid = false;
    Architecture::Sequence(SequenceShape { inputs: 16, window: 32, layers: 2, encoder, sigmoid })
}

fn features(tokens: Tokens) -> Architecture {
    let encoder = encoder(32, 4, 64, false);
    Architecture::Features(FeatureShape { inputs: 42, tokens, layers: 2, encoder, sigmoid: false })
}

fn recurrent(cell: Cell) -> Architecture {
    Architecture::Recurrent(RecurrentShape {
        inputs: 16,
        window: 32,
        cell,
        layers: 2,
        hidden: 64,
        dropout: 0.1,
        sigmoid: false,
    })
}

/// The network of that name.
pub(crate) fn of(name: &str) -> Result<Named, Box<dyn Error>> {
    let vae = VaeShape { inputs: 310, hidden: 256, latent: 32, beta: 0.5, free_bits: 0.05 };
    let (architecture, batch) = match name {
        "mlp16" => (mlp(5, &[16, 8]), 16),
        "mlp4096" | "mlp" => (mlp(5, &[16, 8]), 4096),
        "wide" => (mlp(310, &[512, 256]), 1024),
        "transformer" => (sequence(false), 256),
        "recomputed" => (sequence(true), 256),
        "numbers" => (features(Tokens::Numbers), 256),
        "bins" => (features(Tokens::Bins { bins: 5 }), 256),
        "patches" => (features(Tokens::Patches { features: 6 }), 256),
        "lstm" => (recurrent(Cell::Lstm), 256),
        "gru" => (recurrent(Cell::Gru), 256),
        "vae" => (Architecture::Vae(vae), 1024),
        "gatv2" => (graph(GraphKind::Gatv2), 256),
        "gin" => (graph(GraphKind::Gin), 256),
        _ => return Err(format!("there is no network named '{name}'").into()),
    };
    let kernel = if name == "wide" { Kernel::Tensors } else { Kernel::Auto };
    Ok(Named { architecture, batch, kernel, checkpointing: name == "recomputed" })
}

/// Samples.
pub(crate) struct Data {
    features: Vec<f32>,
    target: Vec<f32>,
    rows: Vec<u32>,
    width: usize,
}

impl Data {
    /// Normal features, and bins where the network asks for them.
    pub(crate) fn new(architecture: &Architecture, samples: usize) -> Self {
        let width = architecture.inputs() * architecture.window();
        let mut features = normal(1, samples * width);
        if let Architecture::Features(FeatureShape { tokens: Tokens::Bins { .. }, .. }) =
            architecture
        {
            features.iter_mut().for_each(|value| *value = (2.0 + *value).clamp(0.0, 4.0).floor());
        }
        let target =
            features.chunks(width).map(|row| (0.5 + 0.1 * row[0]).clamp(0.0, 1.0)).collect();
        Self { features, target, rows: (0..samples as u32).collect(), width }
    }

    pub(crate) fn batch(&self, key: u64) -> Batch<'_> {
        Batch {
            features: &self.features,
            width: self.width,
            target: &self.target,
            weight: None,
            rows: &self.rows,
            eras: &self.rows,
            key,
        }
    }
}
