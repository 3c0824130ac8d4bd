//! GIN against its twin, the twin against finite differences, and the same bits on any number of threads.

use fattail_fused::graph::{Gin, GinGradients, Graph};
use proptest::prelude::*;

use super::plain::{gather, gather_back, wide};
use super::{distance, graphs, numbers, regular, same_bits};

/// A sum of at most 25 numbers below 2 in 32-bit floats: 25 roundings of 25 x 6e-8, and some room.
const TOLERANCE: f64 = 2e-5;

fn run(layer: Gin, graph: &Graph, epsilon: f32, seed: u64) -> [Vec<f32>; 4] {
    let count = layer.batch * graph.nodes() * layer.width;
    let (input, gradient) = (numbers(seed, count), numbers(seed + 1, count));
    let (mut out, mut slope, mut epsilon_slope) =
        (vec![f32::NAN; count], vec![f32::NAN; count], f32::NAN);
    layer.forward(graph, epsilon, &input, &mut out).unwrap();
    let gradients = GinGradients { input: &mut slope, epsilon: &mut epsilon_slope };
    layer.backward(graph, epsilon, &input, &gradient, gradients).unwrap();
    slope.push(epsilon_slope);
    [input, gradient, out, slope]
}

fn compare(layer: Gin, graph: &Graph, epsilon: f32, seed: u64) {
    let [input, gradient, out, slope] = run(layer, graph, epsilon, seed);
    let (input, gradient) = (wide(&input), wide(&gradient));
    assert!(
        distance(&out, &gather(layer.batch, graph.edges(), epsilon.into(), &input)) < TOLERANCE
    );
    let (mut plain, of_epsilon) =
        gather_back(layer.batch, graph.edges(), epsilon.into(), &input, &gradient);
    plain.push(of_epsilon);
    assert!(distance(&slope, &plain) < TOLERANCE);
}

proptest! {
    #[test]
    fn equals_its_twin(
        graph in graphs(12, 25), batch in 1_usize..4, width in 1_usize..40, epsilon in -1.0_f32..1.0, seed in 0_u64..1 << 40,
    ) {
        compare(Gin { batch, width }, &graph, epsilon, seed);
    }

    #[test]
    fn the_twin_equals_finite_differences(graph in graphs(4, 8), seed in 0_u64..1 << 40) {
        let [input, gradient, ..] = run(Gin { batch: 2, width: 2 }, &graph, 0.3, seed).map(|values| wide(&values));
        let loss = |epsilon: f64, input: &[f64]| -> f64 {
            gather(2, graph.edges(), epsilon, input).iter().zip(&gradient).map(|(out, g)| out * g).sum()
        };
        let (slope, epsilon_slope) = gather_back(2, graph.edges(), 0.3, &input, &gradient);
        let step = 1e-3; // the function is linear in each
        let found = (loss(0.3 + step, &input) - loss(0.3 - step, &input)) / (2.0 * step);
        prop_assert!((found - epsilon_slope).abs() < 1e-9);
        for at in 0..input.len() {
            let moved = |step: f64| {
                let mut moved = input.clone();
                moved[at] += step;
                loss(0.3, &moved)
            };
            prop_assert!(((moved(step) - moved(-step)) / (2.0 * step) - slope[at]).abs() < 1e-9);
        }
    }
}

#[test]
fn many_samples_and_many_nodes_equal_the_twin() {
    compare(Gin { batch: 40, width: 21 }, &regular(9, 3), 0.1, 1);
    compare(Gin { batch: 2, width: 33 }, &regular(100, 3), -0.1, 2);
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    for (batch, nodes) in [(37, 11), (1, 150)] {
        let graph = regular(nodes, 4);
        same_bits(|| run(Gin { batch, width: 19 }, &graph, 0.1, 3).concat());
    }
}
