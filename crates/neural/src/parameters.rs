//! How many tensors and weights a network has, from its shape alone.
//!
//! Products and sums are checked, so that a shape from a file or from settings is refused before anything
//! is allocated for it. Cost: one sum a kind of layer, for perceptrons one a hidden layer.

use fattail_core::Error as CoreError;
use fattail_mlp as mlp;
use fattail_training::Named;

use crate::{
    Architecture, Error, Result,
    layers::EncoderShape,
    nets::{FeatureShape, GraphKind, GraphShape, RecurrentShape, SequenceShape, Tokens, VaeShape},
};

/// The most weights of a network: 1 GiB in `f32`.
const MOST: usize = 1 << 28;

/// A network with at most this many weights or tensors, or with twice as many as there are, is built before
/// it is compared, so that the error names the first tensor that is missing.
const SMALL: Size = Size { tensors: 64, values: 1 << 16 };

/// Tensors, and values in all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Size {
    /// Tensors.
    pub(crate) tensors: usize,
    /// Values.
    pub(crate) values: usize,
}

impl Size {
    /// The size of weights.
    fn of(weights: &[Named]) -> Self {
        let values = weights.iter().map(|tensor| tensor.values.len()).sum();
        Self { tensors: weights.len(), values }
    }

    fn plus(self, other: Self) -> Option<Self> {
        let tensors = self.tensors.checked_add(other.tensors)?;
        Some(Self { tensors, values: self.values.checked_add(other.values)? })
    }

    fn times(self, count: usize) -> Option<Self> {
        let tensors = self.tensors.checked_mul(count)?;
        Some(Self { tensors, values: self.values.checked_mul(count)? })
    }
}

impl Architecture {
    /// The number of weights.
    ///
    /// ```
    /// use fattail_mlp::{Head, Network};
    /// use fattail_neural::Architecture;
    /// let shape = Network {
    ///     inputs: 5, hidden: vec![16, 8], input_norm: true, norm: true, residual: true,
    ///     dropout: 0.1, head: Head::Sigmoid,
    /// };
    /// assert_eq!(Architecture::Mlp(shape).parameters()?, 299);
    /// # Ok::<(), fattail_neural::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there are more than 268,435,456.
    pub fn parameters(&self) -> Result<usize> {
        Ok(self.size()?.values)
    }

    /// The number of tensors and of weights.
    pub(crate) fn size(&self) -> Result<Size> {
        let size = match self {
            Self::Mlp(shape) => perceptron(shape),
            Self::Features(shape) => features(shape),
            Self::Sequence(shape) => sequence(shape),
            Self::Recurrent(shape) => recurrent(shape),
            Self::Graph(shape) => graph(shape),
            Self::Vae(shape) => autoencoder(shape),
        };
        match size {
            Some(size) if size.values <= MOST => Ok(size),
            size => {
                let found =
                    size.map_or("beyond counting".to_owned(), |size| size.values.to_string());
                Err(CoreError::setting("parameters", found, "at most 268435456").into())
            }
        }
    }

    /// Refuses weights that are by far too few, before a network of a file's shape is built.
    pub(crate) fn expect_enough(&self, weights: &[Named]) -> Result<()> {
        let (own, found) = (self.size()?, Size::of(weights));
        let far = |own: usize, found: usize, small: usize| own > small.max(2 * found);
        if far(own.values, found.values, SMALL.values)
            || far(own.tensors, found.tensors, SMALL.tensors)
        {
            return Err(Error::TooFewWeights {
                found: found.values,
                tensors: found.tensors,
                expected: own.values,
                expected_tensors: own.tensors,
            });
        }
        Ok(())
    }
}

fn sum(parts: impl IntoIterator<Item = Option<Size>>) -> Option<Size> {
    parts.into_iter().try_fold(Size::default(), |sum, part| sum.plus(part?))
}

fn vector(width: usize) -> Option<Size> {
    Some(Size { tensors: 1, values: width })
}

fn matrix(rows: usize, columns: usize) -> Option<Size> {
    vector(rows.checked_mul(columns)?)
}

fn dense(inputs: usize, outputs: usize) -> Option<Size> {
    sum([matrix(outputs, inputs), vector(outputs)])
}

fn norm(width: usize) -> Option<Size> {
    vector(width)?.times(2)
}

fn perceptron(shape: &mlp::Network) -> Option<Size> {
    let mut size = if shape.input_norm { norm(shape.inputs)? } else { Size::default() };
    let mut inputs = shape.inputs;
    for &width in &shape.hidden {
        let norm = if shape.norm { norm(width) } else { Some(Size::default()) };
        size = sum([Some(size), dense(inputs, width), norm])?;
        inputs = width;
    }
    sum([Some(size), dense(inputs, 1)])
}

/// The layers and the norm behind them.
fn encoder(layers: usize, shape: &EncoderShape) -> Option<Size> {
    let EncoderShape { width, hidden, .. } = *shape;
    let layer = sum([
        dense(width, width.checked_mul(3)?),
        dense(width, width),
        dense(width, hidden),
        dense(hidden, width),
        norm(width),
        norm(width),
    ]);
    sum([layer?.times(layers), norm(width)])
}

fn features(shape: &FeatureShape) -> Option<Size> {
    let width = shape.encoder.width;
    let table = match shape.tokens {
        Tokens::Numbers => matrix(shape.inputs, width),
        Tokens::Bins { bins } => matrix(shape.inputs.checked_mul(bins)?, width),
        Tokens::Patches { features } => matrix(width, features),
    };
    let bias = matrix(shape.count(), width);
    sum([table, bias, vector(width), encoder(shape.layers, &shape.encoder), dense(width, 1)])
}

fn sequence(shape: &SequenceShape) -> Option<Size> {
    let width = shape.encoder.width;
    sum([dense(shape.inputs, width), encoder(shape.layers, &shape.encoder), dense(width, 1)])
}

fn recurrent(shape: &RecurrentShape) -> Option<Size> {
    let gates = shape.cell.gates().checked_mul(shape.hidden)?;
    let layer = |inputs| sum([dense(inputs, gates), dense(shape.hidden, gates)]);
    let rest = layer(shape.hidden)?.times(shape.layers.saturating_sub(1));
    sum([layer(shape.inputs), rest, dense(shape.hidden, 1)])
}

fn graph(shape: &GraphShape) -> Option<Size> {
    let GraphShape { inputs, width, .. } = *shape;
    let layer = match shape.kind {
        // Both sides, the attention, the weights of the edges' one feature, the bias.
        GraphKind::Gatv2 => {
            sum([dense(width, width)?.times(2), vector(width), vector(width), vector(width)])
        }
        GraphKind::Gin => {
            let hidden = width.checked_mul(2)?;
            sum([vector(1), dense(width, hidden), dense(hidden, width)])
        }
    };
    let nodes = if shape.on_assets() { 1 } else { inputs };
    let layers = sum([norm(width), layer])?.times(shape.layers);
    sum([matrix(width, inputs), matrix(nodes, width), layers, norm(width), dense(width, 1)])
}

fn autoencoder(shape: &VaeShape) -> Option<Size> {
    let VaeShape { inputs, hidden, latent, .. } = *shape;
    sum([
        norm(inputs),
        dense(inputs, hidden),
        dense(hidden, latent)?.times(2),
        dense(latent, hidden),
        dense(hidden, inputs),
    ])
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use fattail_fused::graph::Edges;
    use fattail_mlp::Head;

    use super::*;
    use crate::{
        layers::Cell,
        nets::{Nodes, Weighted},
    };

    fn shape() -> EncoderShape {
        EncoderShape {
            width: 8,
            heads: 2,
            hidden: 12,
            norm_first: true,
            causal: false,
            gelu: true,
            rotary: None,
            dropout: 0.0,
            recompute: false,
        }
    }

    fn network(hidden: Vec<usize>, norm: bool) -> Architecture {
        Architecture::Mlp(mlp::Network {
            inputs: 5,
            hidden,
            input_norm: norm,
            norm,
            residual: true,
            dropout: 0.0,
            head: Head::Identity,
        })
    }

    fn transformer(tokens: Tokens, layers: usize, encoder: EncoderShape) -> Architecture {
        Architecture::Features(FeatureShape { inputs: 5, tokens, layers, encoder, sigmoid: false })
    }

    fn windows(cell: Cell, layers: usize, hidden: usize) -> Architecture {
        let shape = RecurrentShape {
            inputs: 3,
            window: 4,
            cell,
            layers,
            hidden,
            dropout: 0.0,
            sigmoid: false,
        };
        Architecture::Recurrent(shape)
    }

    fn graphs(kind: GraphKind, assets: bool, nodes: usize) -> Architecture {
        let edges = Edges { nodes, sources: vec![0, 1], targets: vec![1, 2] };
        let graph = Weighted { edges, weights: vec![1.0, -0.5] };
        let ids = ["x", "y", "z"].map(str::to_owned).to_vec();
        let nodes = match assets {
            true => Nodes::Assets { graph, ids, asset: Vec::new() },
            false => Nodes::Features { graph },
        };
        let (layers, heads, width) = (2, 2, 6);
        let shape = GraphShape {
            inputs: 3,
            nodes,
            kind,
            layers,
            heads,
            width,
            dropout: 0.0,
            sigmoid: false,
        };
        Architecture::Graph(shape)
    }

    fn vae(latent: usize) -> Architecture {
        Architecture::Vae(VaeShape { inputs: 6, hidden: 10, latent, beta: 1.0, free_bits: 0.0 })
    }

    #[test]
    fn the_count_is_that_of_the_network() {
        let sequence = |layers| {
            let encoder = EncoderShape { rotary: Some(100.0), ..shape() };
            Architecture::Sequence(SequenceShape {
                inputs: 3,
                window: 4,
                layers,
                encoder,
                sigmoid: true,
            })
        };
        let all = [
            network(vec![], false),
            network(vec![16, 8], true),
            network(vec![4, 4, 4], false),
            transformer(Tokens::Numbers, 1, shape()),
            transformer(Tokens::Bins { bins: 5 }, 2, shape()),
            transformer(Tokens::Patches { features: 2 }, 3, shape()),
            sequence(2),
            windows(Cell::Lstm, 1, 7),
            windows(Cell::Gru, 3, 7),
            graphs(GraphKind::Gatv2, false, 3),
            graphs(GraphKind::Gin, false, 3),
            graphs(GraphKind::Gatv2, true, 3),
            graphs(GraphKind::Gin, true, 3),
            vae(3),
        ];
        for architecture in all {
            let start = architecture.start(1).unwrap();
            assert_eq!(architecture.size().unwrap(), Size::of(&start), "{architecture:?}");
        }
    }

    #[test]
    fn sizes_beyond_all_bounds_are_refused_before_anything_is_allocated() {
        let huge = 1 << 60;
        let wide = EncoderShape { width: huge, ..shape() };
        let all = [
            network(vec![huge, huge], true),
            transformer(Tokens::Numbers, huge, shape()),
            transformer(Tokens::Numbers, 1, wide),
            transformer(Tokens::Numbers, 1, EncoderShape { width: 1 << 20, ..shape() }),
            transformer(Tokens::Bins { bins: huge }, 1, shape()),
            transformer(Tokens::Patches { features: huge }, 1, shape()),
            windows(Cell::Gru, 1, huge),
            windows(Cell::Lstm, huge, 3),
            vae(huge),
        ];
        for architecture in all {
            let told = architecture.start(1).unwrap_err().to_string();
            assert!(told.contains("parameters") && told.contains("268435456"), "{told}");
        }
        for assets in [false, true] {
            let told = graphs(GraphKind::Gin, assets, huge).start(1).unwrap_err().to_string();
            assert!(told.contains("'nodes'"), "{told}");
        }
    }

    #[test]
    fn few_weights_are_refused_with_both_counts() {
        let large = transformer(Tokens::Numbers, 1000, shape());
        let told = large.expect_enough(&vae(3).start(1).unwrap()).unwrap_err().to_string();
        assert!(told.contains("in 12007 tensors") && told.contains("in 12 "), "{told}");
    }
}
