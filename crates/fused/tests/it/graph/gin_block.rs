//! The GIN block against plain loops, those against finite differences, and the same bits on any number of threads.

use fattail_fused::Error;
use fattail_fused::encoder::Layer;
use fattail_fused::graph::{GinBlock, GinBlockGradients, GinBlockInputs, GinParameters, Graph};
use proptest::prelude::*;

use super::plain::{gather, wide};
use super::{distance, graphs, numbers, regular, same_bits};

/// Two products of depth 40 and a norm in 32-bit floats, and gradients summed over rows.
const TOLERANCE: f64 = 2e-4;

const EPSILON: f32 = 0.3;

/// States, gradient and mask, then the parameters.
struct Case {
    states: Vec<f32>,
    gradient: Vec<f32>,
    mask: Option<Vec<f32>>,
    parameters: [Vec<f32>; 6],
}

impl Case {
    fn new(block: GinBlock, graph: &Graph, masked: bool, seed: u64) -> Self {
        let (width, hidden) = (block.width, block.hidden);
        let count = block.batch * graph.nodes() * width;
        let lengths = [width, width, width * hidden, hidden, hidden * width, width];
        let mask = numbers(seed + 8, count).into_iter().map(|x| if x < -0.5 { 0.0 } else { 1.25 });
        let mut parameters =
            [0, 1, 2, 3, 4, 5].map(|at| numbers(seed + 2 + at as u64, lengths[at]));
        parameters[0].iter_mut().for_each(|scale| *scale += 1.5);
        Self {
            states: numbers(seed, count),
            gradient: numbers(seed + 1, count),
            mask: masked.then(|| mask.collect()),
            parameters,
        }
    }

    fn inputs(&self) -> GinBlockInputs<'_> {
        let [a, b, c, d, e, f] = self.parameters.each_ref().map(Vec::as_slice);
        let layer = |weight, bias| Layer { weight, bias };
        GinBlockInputs {
            states: &self.states,
            epsilon: EPSILON,
            parameters: GinParameters {
                norm: layer(a, b),
                first: layer(c, d),
                second: layer(e, f),
            },
            mask: self.mask.as_deref(),
        }
    }

    /// The output; the gradients of states, epsilon and parameters.
    fn run(&self, block: GinBlock, graph: &Graph) -> Result<[Vec<f32>; 2], Error> {
        let count = self.states.len();
        let (mut out, mut plain, mut saved) =
            (vec![f32::NAN; count], vec![f32::NAN; count], vec![2; count]);
        block.forward(graph, &self.inputs(), &mut out, &mut saved)?;
        block.forward(graph, &self.inputs(), &mut plain, &mut [])?;
        assert_eq!(out, plain, "what is saved changes nothing");
        let (mut states, mut epsilon) = (vec![f32::NAN; count], f32::NAN);
        let mut slopes = self.parameters.each_ref().map(|own| vec![f32::NAN; own.len()]);
        let [a, b, c, d, e, f] = slopes.each_mut().map(Vec::as_mut_slice);
        let layer = |weight, bias| Layer { weight, bias };
        let gradients = GinBlockGradients {
            states: &mut states,
            epsilon: &mut epsilon,
            parameters: GinParameters {
                norm: layer(a, b),
                first: layer(c, d),
                second: layer(e, f),
            },
        };
        block.backward(graph, &self.inputs(), &saved, &self.gradient, gradients)?;
        states.push(epsilon);
        states.extend(slopes.concat());
        Ok([out, states])
    }
}

/// The output from all arguments one behind the other: states, epsilon, parameters.
fn plain(block: GinBlock, graph: &Graph, mask: Option<&[f32]>, all: &[f64]) -> Vec<f64> {
    let (width, hidden) = (block.width, block.hidden);
    let (states, rest) = all.split_at(block.batch * graph.nodes() * width);
    let (epsilon, mut rest) = (rest[0], &rest[1..]);
    let mut take = |length: usize| {
        let (own, after) = rest.split_at(length);
        rest = after;
        own
    };
    let [scale, shift] = [take(width), take(width)];
    let [w1, b1, w2, b2] = [take(width * hidden), take(hidden), take(width * hidden), take(width)];
    let normed = states.chunks(width).flat_map(|row| {
        let mean = row.iter().sum::<f64>() / width as f64;
        let spread = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / width as f64;
        let share = 1.0 / (spread + f64::from(block.norm_epsilon)).sqrt();
        (0..width).map(move |at| (row[at] - mean) * share * scale[at] + shift[at])
    });
    let normed = normed.collect::<Vec<f64>>();
    let layer = |rows: &[f64], inputs: usize, weight: &[f64], bias: &[f64]| -> Vec<f64> {
        let row = |row: &[f64]| -> Vec<f64> {
            let unit = |(weights, bias): (&[f64], &f64)| -> f64 {
                bias + row.iter().zip(weights).map(|(x, w)| x * w).sum::<f64>()
            };
            weight.chunks(inputs).zip(bias).map(unit).map(|z| z.max(0.0)).collect()
        };
        rows.chunks(inputs).flat_map(row).collect()
    };
    let sums = gather(block.batch, graph.edges(), epsilon, &normed);
    let branch = layer(&layer(&sums, width, w1, b1), hidden, w2, b2);
    let factor = |at: usize| mask.map_or(1.0, |mask| f64::from(mask[at]));
    states.iter().zip(branch).enumerate().map(|(at, (x, y))| x + factor(at) * y).collect()
}

fn compare(block: GinBlock, graph: &Graph, masked: bool, seed: u64) {
    let case = Case::new(block, graph, masked, seed);
    let [out, slopes] = case.run(block, graph).unwrap();
    let all = [wide(&case.states), vec![EPSILON.into()], wide(&case.parameters.concat())].concat();
    let of = |all: &[f64]| plain(block, graph, case.mask.as_deref(), all);
    assert!(distance(&out, &of(&all)) < TOLERANCE);
    let loss = |all: &[f64]| -> f64 {
        of(all).iter().zip(&case.gradient).map(|(out, &g)| out * f64::from(g)).sum()
    };
    // Every place of small cases, some of large ones.
    let stride = all.len().div_ceil(150);
    for at in (0..all.len()).step_by(stride) {
        let moved = |step: f64| {
            let mut moved = all.clone();
            moved[at] += step;
            loss(&moved)
        };
        let exact = (moved(1e-7) - moved(-1e-7)) / 2e-7;
        let found = f64::from(slopes[at]);
        assert!((found - exact).abs() < 1e-3 * exact.abs().max(1.0), "{at}: {found}, {exact}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn equals_plain_loops_and_their_differences(
        graph in graphs(5, 9), batch in 1_usize..4, width in 2_usize..6, hidden in 1_usize..7, masked: bool,
        seed in 0_u64..1 << 40,
    ) {
        compare(GinBlock { batch, width, hidden, norm_epsilon: 1e-5 }, &graph, masked, seed);
    }
}

#[test]
fn many_samples_and_many_nodes_equal_plain_loops() {
    compare(
        GinBlock { batch: 41, width: 21, hidden: 40, norm_epsilon: 1e-5 },
        &regular(9, 3),
        true,
        1,
    );
    compare(
        GinBlock { batch: 2, width: 33, hidden: 5, norm_epsilon: 1e-5 },
        &regular(150, 3),
        false,
        2,
    );
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    for (batch, nodes) in [(300, 11), (1, 700)] {
        let (graph, block) =
            (regular(nodes, 4), GinBlock { batch, width: 19, hidden: 24, norm_epsilon: 1e-5 });
        let case = Case::new(block, &graph, true, 3);
        same_bits(|| case.run(block, &graph).unwrap().concat());
    }
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let graph = regular(4, 1);
    let block = GinBlock { batch: 1, width: 3, hidden: 2, norm_epsilon: 1e-5 };
    let case = || Case::new(block, &graph, true, 5);
    let told = |block: GinBlock, case: Case| case.run(block, &graph).unwrap_err().to_string();
    assert!(told(GinBlock { batch: 0, ..block }, case()).starts_with("batch is 0"));
    assert!(told(GinBlock { hidden: 0, ..block }, case()).starts_with("hidden is 0"));
    assert!(told(GinBlock { norm_epsilon: -1.0, ..block }, case()).starts_with("epsilon is -1"));
    assert!(told(GinBlock { batch: 2, ..block }, case()).starts_with("states has 12 values"));
    let huge = GinBlock { batch: usize::MAX / 2, ..block };
    assert!(told(huge, case()).starts_with("the product of the shape"));
    assert!(huge.workspace_bytes(4, 1).is_err() && huge.saved_bytes(4).is_err());
    let mut short = case();
    short.parameters[4].pop();
    assert!(told(block, short).starts_with("the second layer's weight has 5 values"));
    let mut short = case();
    short.mask.as_mut().unwrap().pop();
    assert!(told(block, short).starts_with("mask has 11 values"));
    let mut short = case();
    short.gradient.pop();
    assert!(told(block, short).starts_with("gradient has 11 values"));
    let (case, mut out) = (case(), [0.0; 12]);
    assert!(block.forward(&graph, &case.inputs(), &mut out[..11], &mut []).is_err());
    assert!(block.forward(&graph, &case.inputs(), &mut out, &mut [0; 3]).is_err());
}
