//! GATv2 against its twin, the twin against finite differences, and the same bits on any number of threads.
//!
//! Inputs are in [-1, 1]: values and gradients are of the order of 1 to 100 and lose a few units of 6e-8 a sum, so
//! 2e-5 relative to max(1, value) is some thirty times what rounding takes.

use fattail_fused::graph::{Gatv2, Gatv2Gradients, Gatv2Inputs, Graph};
use proptest::prelude::*;

use super::plain::{Attended, attend, attend_back, weights, wide};
use super::{distance, edges, graphs, numbers, regular, same_bits};

const TOLERANCE: f64 = 2e-5;

/// One of the inputs.
type Part = fn(&mut Attended) -> &mut Vec<f64>;

/// Inputs, outputs and gradients in `f32`.
struct Run {
    plain: Attended,
    gradient: Vec<f32>,
    out: Vec<f32>,
    weights: Vec<f32>,
    left: Vec<f32>,
    right: Vec<f32>,
    edge: Option<Vec<f32>>,
    attention: Vec<f32>,
}

fn run(layer: &Gatv2, graph: &Graph, with_edges: bool, seed: u64) -> Run {
    let row = layer.heads * layer.width;
    let (nodes, count) = (layer.batch * graph.nodes() * row, graph.edges().len());
    let (left, right) = (numbers(seed, nodes), numbers(seed + 1, nodes));
    let (term, attention) = (numbers(seed + 2, count * row), numbers(seed + 3, row));
    let edge = with_edges.then_some(&term[..]);
    let inputs = Gatv2Inputs { left: &left, right: &right, edge, attention: &attention };
    let gradient = numbers(seed + 4, nodes);
    // Filled with NaN: everything must be overwritten.
    let nan = |count: usize| vec![f32::NAN; count];
    let (mut out, mut weights) = (nan(nodes), nan(layer.batch * count * layer.heads));
    layer.forward(graph, &inputs, &mut out, &mut weights).unwrap();
    let (mut d_left, mut d_right, mut d_attention) = (nan(nodes), nan(nodes), nan(row));
    let mut d_edge = with_edges.then(|| nan(count * row));
    let gradients = Gatv2Gradients {
        left: &mut d_left,
        right: &mut d_right,
        edge: d_edge.as_deref_mut(),
        attention: &mut d_attention,
    };
    layer.backward(graph, &inputs, &weights, &gradient, gradients).unwrap();
    let plain = Attended {
        left: wide(&left),
        right: wide(&right),
        edge: edge.map(wide),
        attention: wide(&attention),
    };
    Run {
        plain,
        gradient,
        out,
        weights,
        left: d_left,
        right: d_right,
        edge: d_edge,
        attention: d_attention,
    }
}

fn compare(layer: &Gatv2, graph: &Graph, with_edges: bool, seed: u64) {
    let found = run(layer, graph, with_edges, seed);
    let list = graph.edges();
    assert!(distance(&found.out, &attend(layer, list, &found.plain)) < TOLERANCE);
    let plain_weights = weights(layer, list, &found.plain);
    for sample in 0..layer.batch {
        for (slot, &edge) in graph.slots().iter().enumerate() {
            let at = |place: usize| (sample * list.len() + place) * layer.heads;
            let (slot, edge) = (at(slot), at(edge as usize));
            let own = &found.weights[slot..slot + layer.heads];
            assert!(distance(own, &plain_weights[edge..edge + layer.heads]) < TOLERANCE);
        }
    }
    let plain = attend_back(layer, list, &found.plain, &wide(&found.gradient));
    assert!(distance(&found.left, &plain.left) < TOLERANCE);
    assert!(distance(&found.right, &plain.right) < TOLERANCE);
    assert!(distance(&found.attention, &plain.attention) < TOLERANCE);
    assert_eq!(found.edge.is_some(), plain.edge.is_some());
    if let (Some(found), Some(plain)) = (&found.edge, &plain.edge) {
        assert!(distance(found, plain) < TOLERANCE);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn equals_its_twin(
        graph in graphs(9, 24), batch in 1_usize..4, heads in 1_usize..4, width in 1_usize..30,
        slope in 0.0_f32..1.0, with_edges: bool, seed in 0_u64..1 << 40,
    ) {
        compare(&Gatv2 { batch, heads, width, negative_slope: slope }, &graph, with_edges, seed);
    }

    #[test]
    fn the_twin_equals_finite_differences(
        graph in graphs(4, 8), heads in 1_usize..3, width in 1_usize..3, seed in 0_u64..1 << 40,
    ) {
        let layer = Gatv2 { batch: 2, heads, width, negative_slope: 0.2 };
        let Run { plain: values, gradient, .. } = run(&layer, &graph, true, seed);
        let gradient = wide(&gradient);
        let slopes = attend_back(&layer, graph.edges(), &values, &gradient);
        let loss = |values: &Attended| -> f64 {
            attend(&layer, graph.edges(), values).iter().zip(&gradient).map(|(out, g)| out * g).sum()
        };
        let parts: [(Part, Vec<f64>); 4] = [
            (|values| &mut values.left, slopes.left),
            (|values| &mut values.right, slopes.right),
            (|values| values.edge.as_mut().unwrap(), slopes.edge.unwrap()),
            (|values| &mut values.attention, slopes.attention),
        ];
        for (part, slopes) in parts {
            for (at, slope) in slopes.into_iter().enumerate() {
                let moved = |step: f64| {
                    let mut moved = values.clone();
                    part(&mut moved)[at] += step;
                    loss(&moved)
                };
                // A kink of the rectifier within the step moves the difference; the smaller step leaves it out.
                let miss = [1e-5, 1e-6, 1e-7].map(|step| ((moved(step) - moved(-step)) / (2.0 * step) - slope).abs());
                prop_assert!(miss.iter().any(|&miss| miss < 1e-6), "{miss:?}");
            }
        }
    }
}

#[test]
fn many_samples_and_many_nodes_equal_the_twin() {
    compare(&Gatv2 { batch: 19, heads: 2, width: 8, negative_slope: 0.2 }, &regular(7, 3), true, 1);
    compare(
        &Gatv2 { batch: 16, heads: 1, width: 5, negative_slope: 0.2 },
        &regular(7, 3),
        false,
        2,
    );
    compare(
        &Gatv2 { batch: 2, heads: 2, width: 16, negative_slope: 0.2 },
        &regular(75, 4),
        true,
        3,
    );
}

/// An edge term too large for a copy a run of samples goes the other way, and gives the same rows.
#[test]
fn a_large_edge_term_equals_its_samples_alone() {
    let graph = regular(600, 3);
    let layer = Gatv2 { batch: 16, heads: 4, width: 112, negative_slope: 0.2 };
    let row = layer.heads * layer.width;
    assert!(graph.edges().len() * row > 1 << 20);
    let whole = run(&layer, &graph, true, 5);
    let nodes = graph.nodes() * row;
    let alone = Gatv2 { batch: 1, ..layer };
    let (left, right) = (numbers(5, 16 * nodes), numbers(6, 16 * nodes));
    let (term, attention) = (numbers(7, graph.edges().len() * row), numbers(8, row));
    let own = 9 * nodes..10 * nodes;
    let inputs = Gatv2Inputs {
        left: &left[own.clone()],
        right: &right[own.clone()],
        edge: Some(&term),
        attention: &attention,
    };
    let (mut out, mut weights) = (vec![0.0; nodes], vec![0.0; graph.edges().len() * 4]);
    alone.forward(&graph, &inputs, &mut out, &mut weights).unwrap();
    assert_eq!(out, whole.out[own.clone()]);
    let (mut d_left, mut d_right, mut d_attention) =
        (vec![0.0; nodes], vec![0.0; nodes], vec![0.0; row]);
    let gradients = Gatv2Gradients {
        left: &mut d_left,
        right: &mut d_right,
        edge: None,
        attention: &mut d_attention,
    };
    alone.backward(&graph, &inputs, &weights, &whole.gradient[own.clone()], gradients).unwrap();
    assert_eq!(d_left, whole.left[own.clone()]);
    assert_eq!(d_right, whole.right[own]);
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    for (batch, nodes) in [(37, 11), (1, 150), (3, 70)] {
        let (layer, graph) =
            (Gatv2 { batch, heads: 3, width: 13, negative_slope: 0.2 }, regular(nodes, 5));
        same_bits(|| {
            let run = run(&layer, &graph, true, 7);
            [run.out, run.weights, run.left, run.right, run.edge.unwrap(), run.attention].concat()
        });
    }
}

/// Two incoming edges with scores 0 and ln 3: weights 1/4 and 3/4.
#[test]
fn by_hand() {
    let graph = Graph::new(edges(3, &[(0, 2), (1, 2)])).unwrap();
    let layer = Gatv2 { batch: 1, heads: 1, width: 1, negative_slope: 0.5 };
    let (left, right, attention) = ([0.0, 3_f32.ln(), 0.0], [0.0; 3], [1.0]);
    let inputs = Gatv2Inputs { left: &left, right: &right, edge: None, attention: &attention };
    let (mut out, mut weights) = ([9.0; 3], [9.0; 2]);
    layer.forward(&graph, &inputs, &mut out, &mut weights).unwrap();
    assert!((weights[0] - 0.25).abs() < 1e-6 && (weights[1] - 0.75).abs() < 1e-6);
    assert_eq!(out[..2], [0.0, 0.0]);
    assert!((out[2] - 0.75 * 3_f32.ln()).abs() < 1e-6);
}

/// Scores of thousands neither overflow nor vanish.
#[test]
fn large_scores_stay_finite() {
    let graph = Graph::new(edges(3, &[(0, 2), (1, 2), (0, 0)])).unwrap();
    let layer = Gatv2 { batch: 1, heads: 1, width: 1, negative_slope: 0.2 };
    for attention in [[1e3], [-1e3]] {
        let inputs = Gatv2Inputs {
            left: &[5.0, 7.0, 0.0],
            right: &[0.0; 3],
            edge: None,
            attention: &attention,
        };
        let (mut out, mut weights) = ([0.0; 3], [0.0; 3]);
        layer.forward(&graph, &inputs, &mut out, &mut weights).unwrap();
        assert_eq!(out[0], 5.0);
        assert_eq!(out[2], if attention[0] > 0.0 { 7.0 } else { 5.0 });
    }
}

#[test]
fn nan_stays_with_its_targets() {
    let graph = Graph::new(edges(4, &[(0, 1), (2, 1), (2, 3)])).unwrap();
    let layer = Gatv2 { batch: 2, heads: 2, width: 1, negative_slope: 0.2 };
    for poison in [f32::NAN, f32::INFINITY] {
        let mut left = numbers(3, 16);
        left[0] = poison; // sample 0, node 0, head 0
        let inputs =
            Gatv2Inputs { left: &left, right: &[0.0; 16], edge: None, attention: &[1.0, 1.0] };
        let (mut out, mut weights) = ([0.0; 16], [0.0; 12]);
        layer.forward(&graph, &inputs, &mut out, &mut weights).unwrap();
        let poisoned: Vec<usize> = (0..16).filter(|&at| out[at].is_nan()).collect();
        assert_eq!(poisoned, [2]); // sample 0, node 1, head 0
    }
}
