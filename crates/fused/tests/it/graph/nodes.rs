//! Embedding and mean of nodes: laws by hand, adjoints, threads and bad input.

use fattail_fused::graph::{NodeEmbedding, NodeEmbeddingGradients, NodeMean};
use proptest::prelude::*;

use super::{numbers, same_bits};

fn product(left: &[f32], right: &[f32]) -> f64 {
    left.iter().zip(right).map(|(&l, &r)| f64::from(l) * f64::from(r)).sum()
}

/// The states, and the gradients of values, weight and bias.
fn embedded(embedding: NodeEmbedding, seed: u64) -> [Vec<f32>; 8] {
    let NodeEmbedding { batch, nodes, width } = embedding;
    let (values, weight) = (numbers(seed, batch * nodes), numbers(seed + 1, nodes * width));
    let (bias, g) = (numbers(seed + 2, nodes * width), numbers(seed + 3, batch * nodes * width));
    let mut out = vec![f32::NAN; g.len()];
    embedding.forward(&values, &weight, &bias, &mut out).unwrap();
    let (mut of_values, mut of_weight, mut of_bias) =
        (vec![f32::NAN; values.len()], vec![f32::NAN; weight.len()], vec![f32::NAN; bias.len()]);
    let gradients = NodeEmbeddingGradients {
        values: Some(&mut of_values),
        weight: &mut of_weight,
        bias: &mut of_bias,
    };
    embedding.backward(&values, &weight, &g, gradients).unwrap();
    [values, weight, bias, g, out, of_values, of_weight, of_bias]
}

proptest! {
    /// Linear in values and in weight and bias: each gradient is the adjoint.
    #[test]
    fn gradients_are_adjoints(
        batch in 1_usize..5, nodes in 1_usize..20, width in 1_usize..20, seed in 0_u64..1 << 40,
    ) {
        let embedding = NodeEmbedding { batch, nodes, width };
        let [values, weight, bias, g, out, of_values, of_weight, of_bias] = embedded(embedding, seed);
        for (row, out) in out.chunks(width).enumerate() {
            for (unit, out) in out.iter().enumerate() {
                let at = row % nodes * width + unit;
                prop_assert_eq!(*out, values[row] * weight[at] + bias[at]);
            }
        }
        let whole = product(&out, &g);
        prop_assert!((whole - product(&weight, &of_weight) - product(&bias, &of_bias)).abs() < 1e-4);
        prop_assert!((whole - product(&values, &of_values) - product(&bias, &of_bias)).abs() < 1e-4);
    }

    #[test]
    fn the_mean_is_the_mean_and_its_gradient_the_adjoint(
        batch in 1_usize..5, nodes in 1_usize..20, width in 1_usize..20, seed in 0_u64..1 << 40,
    ) {
        let mean = NodeMean { batch, nodes, width };
        let (states, g) = (numbers(seed, batch * nodes * width), numbers(seed + 1, batch * width));
        let (mut out, mut slopes) = (vec![f32::NAN; g.len()], vec![f32::NAN; states.len()]);
        mean.forward(&states, &mut out).unwrap();
        mean.backward(&g, &mut slopes).unwrap();
        let sum = (0..nodes).map(|node| f64::from(states[node * width])).sum::<f64>();
        prop_assert!((f64::from(out[0]) - sum / nodes as f64).abs() < 1e-6);
        prop_assert!((product(&out, &g) - product(&states, &slopes)).abs() < 1e-5);
    }
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    let embedding = NodeEmbedding { batch: 40, nodes: 21, width: 17 };
    same_bits(|| embedded(embedding, 3).concat());
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let embedding = NodeEmbedding { batch: 1, nodes: 2, width: 2 };
    let mut out = [0.0; 4];
    let mut told = |embedding: NodeEmbedding, values: usize, weight: usize, bias: usize| {
        let zeros = [0.0; 9];
        let done = embedding.forward(&zeros[..values], &zeros[..weight], &zeros[..bias], &mut out);
        done.err().map(|error| error.to_string()).unwrap_or_default()
    };
    assert_eq!(told(embedding, 2, 4, 4), "");
    assert!(told(NodeEmbedding { nodes: 0, ..embedding }, 2, 4, 4).starts_with("nodes is 0"));
    assert!(told(embedding, 3, 4, 4).starts_with("values has 3 values"));
    assert!(told(embedding, 2, 5, 4).starts_with("weight has 5 values"));
    assert!(told(embedding, 2, 4, 3).starts_with("bias has 3 values"));
    let huge = NodeEmbedding { batch: usize::MAX, ..embedding };
    assert!(told(huge, 2, 4, 4).starts_with("the product of the shape"));
    let mean = NodeMean { batch: 1, nodes: 2, width: 2 };
    assert!(mean.forward(&[0.0; 4], &mut [0.0; 3]).is_err());
    assert!(mean.backward(&[0.0; 2], &mut [0.0; 5]).is_err());
    assert!(NodeMean { width: 0, ..mean }.forward(&[], &mut []).is_err());
}
