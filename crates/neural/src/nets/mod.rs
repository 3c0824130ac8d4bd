//! The networks: how layers are put together.

mod features;
mod graph;
mod mlp;
mod recurrent;
mod sequence;
mod vae;

pub use features::{FeatureNetwork, FeatureShape, Tokens};
pub use graph::{GraphKind, GraphNetwork, GraphShape, Nodes, Weighted};
pub use mlp::MlpNetwork;
pub use recurrent::{RecurrentNetwork, RecurrentShape};
pub use sequence::{SequenceNetwork, SequenceShape};
pub use vae::{VaeNetwork, VaeShape};

use burn::tensor::{Int, Tensor, TensorData, activation::sigmoid};
use fattail_mlp::SATURATED;
use fattail_training::Probe;

use crate::{
    Architecture, Error, Length, Result,
    layers::{Encoder, EncoderShape, Noise, expect_axis, expect_input},
    network::{Input, Memory, Network},
};

/// Runs a network where its shape can be built and the input is one of its own.
fn checked(
    network: &impl Network,
    architecture: &Architecture,
    input: &Input<'_>,
) -> Result<Tensor<1>> {
    architecture.check()?;
    let width = architecture.inputs() * architecture.window();
    expect_input("the values of an input", &input.values.dims(), width)?;
    if architecture.whole_eras() {
        let samples = Length::Exactly(input.values.dims()[0]);
        expect_axis("the rows of an input", &[input.rows.len()], 0, samples)?;
        expect_axis("the eras of an input", &[input.eras.len()], 0, samples)?;
    }
    Ok(network.forward(input, Noise::OFF))
}

macro_rules! runs {
    ($($network:ident $kind:ident),*) => {
        $(impl $network {
            /// One prediction a sample, without noise. The shape is checked each time; a graph's edges are
            /// counted for it.
            ///
            /// # Errors
            /// [`Error::Argument`] when values are not as wide as a sample, or rows and eras are not told
            /// for each sample where a network needs them; when the shape cannot be built.
            pub fn on(&self, input: &Input<'_>) -> Result<Tensor<1>> {
                let shape = ToOwned::to_owned(&self.shape);
                checked(self, &Architecture::$kind(shape), input)
            }
        })*
    };
}

runs!(
    MlpNetwork Mlp, FeatureNetwork Features, SequenceNetwork Sequence, RecurrentNetwork Recurrent,
    GraphNetwork Graph, VaeNetwork Vae
);

/// Rows or tokens that a probe looks at in layers of many tokens a sample, so that it takes little beside a
/// step.
const LOOKED_AT: usize = 8192;

/// Queries that composed attention takes at a time.
const QUERIES: usize = 256;

/// How many values of a comparison are true.
fn count(true_or_not: Tensor<1, Int>) -> Result<f64> {
    let read = true_or_not.sum().try_into_scalar::<i64>();
    Ok(read.map_err(|cause| Error::Device { reason: cause.to_string() })? as f64)
}

/// The share of units (columns) that are positive for no sample (row).
fn dead(layer: impl Into<String>, activations: Tensor<2>) -> Result<Probe> {
    let width = activations.dims()[1];
    let alive = activations.greater_scalar(0.0).any_dim(0).int().reshape([width]);
    let dead = 1.0 - count(alive)? / width.max(1) as f64;
    Ok(Probe { layer: layer.into(), dead, saturated: 0.0 })
}

/// The share of values `p` of a sigmoid whose slope `p (1 - p)` hardly learns.
fn saturated<const D: usize>(layer: impl Into<String>, values: Tensor<D>) -> Result<Probe> {
    let all = values.shape().num_elements();
    let slope = values.clone() * values.neg().add_scalar(1.0);
    let flat = slope.lower_scalar(f64::from(SATURATED)).int().reshape([all]);
    let saturated = count(flat)? / all.max(1) as f64;
    Ok(Probe { layer: layer.into(), dead: 0.0, saturated })
}

/// Samples evenly spread over a batch, such that they have few tokens in all.
fn few(input: &Input<'_>, tokens: usize) -> Tensor<2> {
    let values = input.values.clone();
    let (samples, most) = (values.dims()[0], (LOOKED_AT / tokens.max(1)).max(1));
    if samples <= most {
        return values;
    }
    let places: Vec<i32> = (0..samples as i32).step_by(samples.div_ceil(most)).collect();
    let places = TensorData::new(places.clone(), [places.len()]);
    let places = Tensor::<1, Int>::from_data(places, &values.device());
    values.select(0, places)
}

/// Runs `[samples, length, width]` through an encoder and looks at the units of its feed-forward parts.
fn look(encoder: &Encoder, start: Tensor<3>) -> Result<(Tensor<3>, Vec<Probe>)> {
    let (mut states, mut all) = (start, Vec::with_capacity(encoder.layers.len()));
    for (at, layer) in encoder.layers.iter().enumerate() {
        let units = layer.units(states.clone());
        let [samples, length, hidden] = units.dims();
        let units = units.reshape([samples * length, hidden]);
        all.push(dead(format!("encoder.layers.{at}"), units)?);
        states = layer.forward(states, Noise::OFF, at);
    }
    Ok((states, all))
}

/// A sigmoid head's output, when there is one.
fn activated(out: Tensor<1>, is_sigmoid: bool) -> Tensor<1> {
    if is_sigmoid { sigmoid(out) } else { out }
}

/// Adds what a prediction's sigmoid does, when there is one.
fn with_head(mut all: Vec<Probe>, out: Tensor<1>, is_sigmoid: bool) -> Result<Vec<Probe>> {
    if is_sigmoid {
        all.push(saturated("head", out)?);
    }
    Ok(all)
}

/// A layer as composed operations run it: nothing is computed again.
fn unfused(encoder: &EncoderShape) -> EncoderShape {
    EncoderShape { recompute: false, ..*encoder }
}

/// What attention in blocks of queries takes: a block's scores, exponentials and weights; with dropout the mask and
/// what it leaves; going back, their slopes.
fn blocks(encoder: &EncoderShape, samples: usize, length: usize) -> Memory {
    let block = samples * encoder.heads * length.min(QUERIES) * length;
    let drops = if encoder.dropout > 0.0 { 3 } else { 0 };
    Memory { kept: 0, scratch: Memory::values((6 + drops) * block) }
}

/// What GELU keeps in each layer beside its input, the quotient and the share, and what it takes going back.
fn gelus(encoder: &EncoderShape, layers: usize, samples: usize, length: usize) -> Memory {
    let units = if encoder.gelu { samples * length * encoder.hidden } else { 0 };
    Memory { kept: Memory::values(2 * layers * units), scratch: Memory::values(4 * units) }
}

#[cfg(all(test, feature = "flex"))]
#[expect(clippy::unwrap_used, reason = "helpers of tests")]
mod tests {
    use fattail_fused::graph::Edges as List;
    use fattail_mlp::{Head, Network as Perceptron};
    use fattail_training::{Batch, Named};

    use super::*;
    use crate::{
        device,
        engine::Recipe,
        layers::{Cell, Start},
    };

    const ROWS: usize = 40;
    const INPUTS: usize = 4;

    /// What the engine sees of a network whose tensors were changed.
    fn probes(architecture: &Architecture, fused: bool, change: impl Fn(&mut Named)) -> Vec<Probe> {
        let cpu = device::cpu().unwrap();
        let mut weights = architecture.start(11).unwrap();
        weights.iter_mut().for_each(change);
        let flat: Vec<f32> = weights.into_iter().flat_map(|tensor| tensor.values).collect();
        let mut engine = architecture.engine(&cpu, Recipe::default(), fused).unwrap();
        engine.set_weights(&flat).unwrap();
        let width = INPUTS * architecture.window();
        let features: Vec<f32> =
            (0..ROWS * width).map(|at| ((at * 7919) % 101) as f32 / 50.0 - 1.0).collect();
        let batch = Batch {
            features: &features,
            width,
            target: &[0.5; ROWS],
            weight: None,
            rows: &std::array::from_fn::<u32, ROWS, _>(|row| row as u32),
            eras: &std::array::from_fn::<u32, ROWS, _>(|row| row as u32 / 4),
            key: 0,
        };
        engine.probe(&batch).unwrap()
    }

    fn fill(name: &'static str, value: f32) -> impl Fn(&mut Named) {
        move |tensor| {
            if tensor.name == name {
                tensor.values.fill(value);
            }
        }
    }

    fn of(probes: &[Probe], layer: &str) -> (f64, f64) {
        let probe = probes.iter().find(|probe| probe.layer == layer);
        let probe = probe.unwrap_or_else(|| panic!("no {layer} in {probes:?}"));
        (probe.dead, probe.saturated)
    }

    fn perceptron(residual: bool) -> Architecture {
        Architecture::Mlp(Perceptron {
            inputs: INPUTS,
            hidden: vec![INPUTS, INPUTS],
            input_norm: false,
            norm: false,
            residual,
            dropout: 0.0,
            head: Head::Sigmoid,
        })
    }

    #[test]
    fn dead_units_of_a_perceptron_are_seen_through_a_residual() {
        for fused in [false, true] {
            let sound = probes(&perceptron(true), fused, |_| {});
            assert!(of(&sound, "layers.0").0 < 1.0 && of(&sound, "head").1 == 0.0, "{sound:?}");
            let dead = probes(&perceptron(true), fused, fill("layers.1.linear.bias", -100.0));
            assert_eq!(of(&dead, "layers.1"), (1.0, 0.0), "fused {fused}");
            assert!(of(&dead, "layers.0").0 < 1.0);
        }
    }

    #[test]
    fn both_engines_have_one_threshold_of_saturation() {
        // p (1 - p) is 0.0025 at 6, and 0.0005 at 7.6.
        for (bias, flat) in [(6.0, 0.0), (7.6, 1.0), (-7.6, 1.0)] {
            let found = [true, false].map(|fused| {
                let change = |tensor: &mut Named| {
                    fill("head.weight", 0.0)(tensor);
                    fill("head.bias", bias)(tensor);
                };
                of(&probes(&perceptron(false), fused, change), "head").1
            });
            assert_eq!(found, [flat; 2], "{bias}");
        }
    }

    fn encoder() -> EncoderShape {
        EncoderShape {
            width: 8,
            heads: 2,
            hidden: 6,
            norm_first: true,
            causal: false,
            gelu: true,
            rotary: None,
            dropout: 0.0,
            recompute: false,
        }
    }

    #[test]
    fn dead_units_of_transformers_are_seen() {
        let features = |norm_first, gelu| {
            let encoder = EncoderShape { norm_first, gelu, ..encoder() };
            let (inputs, tokens) = (INPUTS, Tokens::Numbers);
            Architecture::Features(FeatureShape {
                inputs,
                tokens,
                layers: 2,
                encoder,
                sigmoid: true,
            })
        };
        let sequence = SequenceShape {
            inputs: INPUTS,
            window: 3,
            layers: 2,
            encoder: encoder(),
            sigmoid: true,
        };
        let all = [
            features(true, true),
            features(false, true),
            features(true, false),
            Architecture::Sequence(sequence),
        ];
        for architecture in all {
            let sound = probes(&architecture, false, |_| {});
            let names: Vec<&str> = sound.iter().map(|probe| probe.layer.as_str()).collect();
            assert_eq!(names, ["encoder.layers.0", "encoder.layers.1", "head"]);
            assert!(sound.iter().all(|probe| probe.dead < 0.5 && probe.saturated == 0.0));
            let dead = fill("encoder.layers.1.linear1.bias", -100.0);
            let dead = probes(&architecture, false, dead);
            assert_eq!(of(&dead, "encoder.layers.1"), (1.0, 0.0));
            assert!(of(&dead, "encoder.layers.0").0 < 0.5);
        }
    }

    #[test]
    fn saturated_gates_are_seen() {
        for cell in [Cell::Lstm, Cell::Gru] {
            for window in [1, 3] {
                let architecture = Architecture::Recurrent(RecurrentShape {
                    inputs: INPUTS,
                    window,
                    cell,
                    layers: 2,
                    hidden: 5,
                    dropout: 0.0,
                    sigmoid: true,
                });
                let sound = probes(&architecture, false, |_| {});
                assert!(sound.iter().all(|probe| probe.saturated == 0.0), "{sound:?}");
                let flat = probes(&architecture, false, fill("layers.0.bias_hh", 50.0));
                assert_eq!(of(&flat, "layers.0"), (0.0, 1.0));
                assert_eq!(of(&flat, "layers.1"), (0.0, 0.0));
            }
        }
    }

    #[test]
    fn gates_are_those_of_the_cell() {
        // One unit, one step: the sum of the input gate is w x + b; its slope is computed here.
        let architecture = Architecture::Recurrent(RecurrentShape {
            inputs: INPUTS,
            window: 1,
            cell: Cell::Gru,
            layers: 1,
            hidden: 1,
            dropout: 0.0,
            sigmoid: false,
        });
        let change = |tensor: &mut Named| match tensor.name.as_str() {
            // Reset saturated, update not, and the new state, which is no gate, far away.
            "layers.0.bias_ih" => tensor.values.copy_from_slice(&[30.0, 0.0, 30.0]),
            _ => tensor.values.fill(0.0),
        };
        assert_eq!(of(&probes(&architecture, false, change), "layers.0"), (0.0, 0.5));
    }

    #[test]
    fn collapsed_latents_and_dead_units_of_an_autoencoder_are_seen() {
        let shape = VaeShape { inputs: INPUTS, hidden: 8, latent: 3, beta: 1.0, free_bits: 0.0 };
        let architecture = Architecture::Vae(shape);
        let sound = probes(&architecture, false, fill("mu.weight", 1.0));
        assert!(sound.iter().all(|probe| probe.dead < 0.9), "{sound:?}");
        assert_eq!(of(&sound, "mu").0, 0.0);
        let collapsed = probes(&architecture, false, fill("mu.weight", 0.0));
        assert_eq!(of(&collapsed, "mu").0, 1.0);
        let dead = probes(&architecture, false, fill("encoder.bias", -100.0));
        assert_eq!((of(&dead, "encoder").0, of(&dead, "mu").0), (1.0, 1.0));
        let dead = probes(&architecture, false, fill("decoder.bias", -100.0));
        assert_eq!(of(&dead, "decoder").0, 1.0);
    }

    #[test]
    fn dead_units_of_graph_networks_are_seen_before_the_states_are_added() {
        let edges = List { nodes: INPUTS, sources: vec![0, 1, 2, 3], targets: vec![1, 2, 3, 0] };
        let weights = vec![0.5; 4];
        let graph = Weighted { edges, weights };
        let kinds =
            [(GraphKind::Gatv2, "layers.1.gat.bias"), (GraphKind::Gin, "layers.1.gin.second.bias")];
        for (kind, bias) in kinds {
            let of_features = Nodes::Features { graph: graph.clone() };
            let ids = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
            let of_assets = Nodes::Assets {
                graph: graph.clone(),
                ids,
                asset: (0..ROWS as u32).map(|row| row % 4).collect(),
            };
            for nodes in [of_features, of_assets] {
                let architecture = Architecture::Graph(GraphShape {
                    inputs: INPUTS,
                    nodes,
                    kind,
                    layers: 2,
                    heads: 2,
                    width: 8,
                    dropout: 0.0,
                    sigmoid: true,
                });
                let sound = probes(&architecture, false, |_| {});
                let names: Vec<&str> = sound.iter().map(|probe| probe.layer.as_str()).collect();
                assert_eq!(names, ["layers.0", "layers.1", "head"]);
                assert!(sound.iter().all(|probe| probe.dead < 0.9 && probe.saturated == 0.0));
                let dead = probes(&architecture, false, fill(bias, -100.0));
                assert_eq!(of(&dead, "layers.1"), (1.0, 0.0), "{kind:?}");
                assert!(of(&dead, "layers.0").0 < 1.0);
            }
        }
    }

    #[test]
    fn inputs_of_another_shape_are_told_and_do_not_panic() {
        let cpu = device::cpu().unwrap();
        let mut start = Start::of(Some(1), &cpu);
        let ones = |dims: [usize; 2]| Tensor::<2>::ones(dims, &cpu);
        let input = |dims| Input { values: ones(dims), rows: &[], eras: &[] };
        let window = SequenceShape {
            inputs: INPUTS,
            window: 3,
            layers: 1,
            encoder: encoder(),
            sigmoid: true,
        };
        let sequence = SequenceNetwork::new(window, &mut start);
        assert_eq!(sequence.on(&input([2, 12])).unwrap().dims(), [2]);
        let odd = SequenceShape { encoder: EncoderShape { heads: 3, ..encoder() }, ..window };
        let vae = VaeShape { inputs: INPUTS, hidden: 8, latent: 3, beta: 1.0, free_bits: 0.0 };
        let vae = VaeNetwork::new(vae, &mut start);
        let edges = List { nodes: 1, sources: vec![], targets: vec![] };
        let graph = Weighted { edges, weights: vec![] };
        let nodes = Nodes::Assets { graph, ids: vec!["a".to_owned()], asset: vec![0] };
        let assets = GraphShape {
            inputs: INPUTS,
            nodes,
            kind: GraphKind::Gin,
            layers: 1,
            heads: 1,
            width: 2,
            dropout: 0.0,
            sigmoid: false,
        };
        let assets = GraphNetwork::new(assets, &mut start).unwrap();
        let all = [
            (sequence.on(&input([2, 4])), "allowed on axis 1 is 12"),
            (sequence.on(&input([0, 12])), "allowed on axis 0 is at least 1"),
            (SequenceNetwork::new(odd, &mut start).on(&input([2, 12])), "heads"),
            (vae.on(&input([2, 5])), "allowed on axis 1 is 4"),
            (assets.on(&input([1, INPUTS])), "the rows of an input"),
            (vae.loss_with(ones([2, 4]), Some(ones([2, 4]))), "allowed on axis 1 is 3"),
            (vae.decode(ones([2, 4])).map(|out| out.sum()), "allowed on axis 1 is 3"),
        ];
        for (found, words) in all {
            let told = found.unwrap_err().to_string();
            assert!(told.contains(words), "{told}");
        }
        assert!(vae.encode(ones([2, 3])).is_err());
    }

    #[test]
    fn long_samples_are_looked_at_a_few_at_a_time() {
        let device = device::cpu().unwrap();
        let values = Tensor::<1, Int>::arange(0..100, &device).float().reshape([100, 1]);
        let input = Input { values, rows: &[], eras: &[] };
        assert_eq!(few(&input, 80).dims(), [100, 1]);
        let taken: Vec<f32> = few(&input, 4096).into_data().iter::<f32>().collect();
        assert_eq!(taken, [0.0, 50.0]);
        assert_eq!(few(&input, usize::MAX).dims(), [1, 1]);
    }
}
