//! Attention and sums over the edges of a graph that all samples of a batch share.
//!
//! `score_e = a . leaky_relu(left[src] + right[dst] + edge_e)`, softmax over the edges into a node,
//! `out[dst] = sum alpha_e left[src]` (Brody, Alon & Yahav 2022, eq. 7), and
//! `out = (1 + epsilon) x + sum over neighbours` (Xu et al. 2019, eq. 4.1). On the CPU sums run in a
//! fixed order; on GPUs they are atomic, so their last bits vary.

use std::sync::Arc;

use burn::tensor::{IndexingUpdateOp, Int, Tensor, TensorData, activation::leaky_relu};
use fattail_fused::graph::{Graph, SelfLoops};

use super::fusable;

/// A graph shared by layers.
pub(crate) type Edges = Arc<Graph>;

/// Attention: `left` and `right` are `[batch, nodes, heads, width]`, `edge` is `[edges, heads, width]`,
/// `attention` is `[heads, width]`.
pub(crate) fn gatv2(
    graph: &Edges,
    slope: f64,
    [left, right]: [Tensor<4>; 2],
    edge: Option<Tensor<3>>,
    attention: Tensor<2>,
) -> Tensor<4> {
    #[cfg(feature = "flex")]
    if fusable(&left) && fusable(&right) && fusable(&attention) {
        return fused::gatv2(graph, slope, [left, right], edge, attention);
    }
    composed_gatv2(graph, slope, [left, right], edge, attention)
}

/// Sums: `input` is `[batch, nodes, width]`, `epsilon` one value.
pub(crate) fn gin(graph: &Edges, input: Tensor<3>, epsilon: Tensor<1>) -> Tensor<3> {
    #[cfg(feature = "flex")]
    if fusable(&input) && fusable(&epsilon) {
        return fused::gin(graph, input, epsilon);
    }
    composed_gin(graph, input, epsilon)
}

/// The features of a list with loops from those of the list before, `[edges, width]`: a loop has the mean of
/// what comes in.
pub(crate) fn fill(loops: &Arc<SelfLoops>, features: Tensor<2>) -> Tensor<2> {
    #[cfg(feature = "flex")]
    if fusable(&features) {
        return fused::fill(loops, features);
    }
    composed_fill(loops, features)
}

fn indices<const D: usize>(indices: &[u32], like: &Tensor<D>) -> Tensor<1, Int> {
    let indices: Vec<i32> = indices.iter().map(|&index| index as i32).collect();
    let length = indices.len();
    Tensor::from_data(TensorData::new(indices, [length]), &like.device())
}

fn ends<const D: usize>(graph: &Edges, like: &Tensor<D>) -> [Tensor<1, Int>; 2] {
    let edges = graph.edges();
    [&edges.sources, &edges.targets].map(|ends| indices(ends, like))
}

fn composed_fill(loops: &SelfLoops, features: Tensor<2>) -> Tensor<2> {
    let (nodes, [_, width]) = (loops.edges().nodes, features.dims());
    let zeros = Tensor::<2>::zeros([nodes, width], &features.device()).cast(features.dtype());
    let targets = &loops.edges().targets[..loops.kept().len()];
    if targets.is_empty() {
        return zeros;
    }
    let mut counts = vec![0.0f32; nodes];
    targets.iter().for_each(|&target| counts[target as usize] += 1.0);
    let counts: Vec<f32> = counts.into_iter().map(|count| count.max(1.0)).collect();
    let counts = Tensor::<2>::from_data(TensorData::new(counts, [nodes, 1]), &features.device());
    let kept = features.clone().select(0, indices(loops.kept(), &features));
    let into = indices(targets, &features);
    let sums = zeros.select_assign(0, into, kept.clone(), IndexingUpdateOp::Add);
    let means = sums / counts.cast(features.dtype());
    Tensor::cat(vec![kept, means], 0)
}

fn composed_gatv2(
    graph: &Edges,
    slope: f64,
    [left, right]: [Tensor<4>; 2],
    edge: Option<Tensor<3>>,
    attention: Tensor<2>,
) -> Tensor<4> {
    let [batch, nodes, heads, _] = left.dims();
    let [sources, targets] = ends(graph, &left);
    let edges = graph.edges().len();
    let from = left.clone().select(1, sources);
    let mut sum = from.clone() + right.select(1, targets.clone());
    if let Some(edge) = edge {
        sum = sum + edge.unsqueeze::<4>();
    }
    let bent = leaky_relu(sum, slope) * attention.unsqueeze::<4>();
    let scores: Tensor<3> = bent.sum_dim(3).squeeze_dim(3);
    // Each target's largest score, so that no exponential overflows; it cancels in the softmax.
    let index = targets.clone().reshape([1, edges, 1]).expand([batch, edges, heads]);
    let lowest = Tensor::<3>::full([batch, nodes, heads], -1e30, &scores.device());
    let lowest = lowest.cast(scores.dtype());
    let largest = lowest.scatter(1, index, scores.clone().detach(), IndexingUpdateOp::Max);
    let shifted = (scores - largest.select(1, targets.clone())).exp();
    let zeros = Tensor::<3>::zeros([batch, nodes, heads], &shifted.device()).cast(shifted.dtype());
    let total = zeros.select_assign(1, targets.clone(), shifted.clone(), IndexingUpdateOp::Add);
    let weights = shifted / total.select(1, targets.clone());
    let messages = from * weights.unsqueeze_dim::<4>(3);
    left.zeros_like().select_assign(1, targets, messages, IndexingUpdateOp::Add)
}

fn composed_gin(graph: &Edges, input: Tensor<3>, epsilon: Tensor<1>) -> Tensor<3> {
    let [sources, targets] = ends(graph, &input);
    let messages = input.clone().select(1, sources);
    let sum = input.zeros_like().select_assign(1, targets, messages, IndexingUpdateOp::Add);
    sum + input * epsilon.add_scalar(1.0).unsqueeze::<3>()
}

#[cfg(feature = "flex")]
mod fused {
    use std::sync::Arc;

    use burn::tensor::Tensor;
    use fattail_fused::graph::{Gatv2, Gatv2Gradients, Gatv2Inputs, Gin, GinGradients, SelfLoops};

    use super::Edges;
    use crate::ops::bridge::{Inputs, Operation, Pass, run};

    #[derive(Debug, Clone)]
    struct Attending {
        graph: Edges,
        layer: Gatv2,
        with_edges: bool,
    }

    pub(super) fn gatv2(
        graph: &Edges,
        slope: f64,
        [left, right]: [Tensor<4>; 2],
        edge: Option<Tensor<3>>,
        attention: Tensor<2>,
    ) -> Tensor<4> {
        let [batch, _, heads, width] = left.dims();
        let layer = Gatv2 { batch, heads, width, negative_slope: slope as f32 };
        let operation = Attending { graph: graph.clone(), layer, with_edges: edge.is_some() };
        let [left, right] = [left, right].map(Tensor::into_dispatch);
        let attention = attention.into_dispatch();
        let inputs = match edge {
            Some(edge) => Inputs::Four(left, right, attention, edge.into_dispatch()),
            None => Inputs::Three(left, right, attention),
        };
        run(inputs, operation)
    }

    impl Attending {
        fn look<'a>(&self, inputs: &[&'a [f32]]) -> Gatv2Inputs<'a> {
            Gatv2Inputs {
                left: inputs[0],
                right: inputs[1],
                attention: inputs[2],
                edge: self.with_edges.then(|| inputs[3]),
            }
        }
    }

    impl Operation for Attending {
        type Saved = Vec<f32>;

        fn shape(&self) -> Vec<usize> {
            vec![self.layer.batch, self.graph.nodes(), self.layer.heads, self.layer.width]
        }

        fn forward(&self, inputs: &[&[f32]], _training: bool) -> (Vec<f32>, Vec<f32>) {
            let mut out = vec![0.0; inputs[0].len()];
            let edges = self.graph.edges().len();
            let mut weights = vec![0.0; self.layer.batch * edges * self.layer.heads];
            let inputs = self.look(inputs);
            let done = self.layer.forward(&self.graph, &inputs, &mut out, &mut weights);
            done.expect("shapes are checked");
            (out, weights)
        }

        fn backward(&self, pass: &Pass<'_, Vec<f32>>) -> Vec<Option<Vec<f32>>> {
            let mut all: Vec<Vec<f32>> =
                pass.inputs.iter().map(|input| vec![0.0; input.len()]).collect();
            let [left, right, attention, edge @ ..] = &mut all[..] else {
                unreachable!("an operation has three or four inputs");
            };
            let wanted = pass.wanted.get(3).copied().unwrap_or(false);
            let edge = edge.first_mut().filter(|_| wanted).map(Vec::as_mut_slice);
            let gradients = Gatv2Gradients { left, right, edge, attention };
            let inputs = self.look(pass.inputs);
            self.layer
                .backward(&self.graph, &inputs, pass.saved, pass.gradient, gradients)
                .expect("shapes are checked");
            all.into_iter().map(Some).collect()
        }
    }

    #[derive(Debug, Clone)]
    struct Summing {
        graph: Edges,
        layer: Gin,
    }

    pub(super) fn gin(graph: &Edges, input: Tensor<3>, epsilon: Tensor<1>) -> Tensor<3> {
        let [batch, _, width] = input.dims();
        let operation = Summing { graph: graph.clone(), layer: Gin { batch, width } };
        run(Inputs::Two(input.into_dispatch(), epsilon.into_dispatch()), operation)
    }

    impl Operation for Summing {
        type Saved = ();

        fn shape(&self) -> Vec<usize> {
            vec![self.layer.batch, self.graph.nodes(), self.layer.width]
        }

        fn forward(&self, inputs: &[&[f32]], _training: bool) -> (Vec<f32>, ()) {
            let mut out = vec![0.0; inputs[0].len()];
            let done = self.layer.forward(&self.graph, inputs[1][0], inputs[0], &mut out);
            done.expect("shapes are checked");
            (out, ())
        }

        fn backward(&self, pass: &Pass<'_, ()>) -> Vec<Option<Vec<f32>>> {
            let (mut input, mut epsilon) = (vec![0.0; pass.inputs[0].len()], 0.0);
            let out = GinGradients { input: &mut input, epsilon: &mut epsilon };
            self.layer
                .backward(&self.graph, pass.inputs[1][0], pass.inputs[0], pass.gradient, out)
                .expect("shapes are checked");
            vec![Some(input), Some(vec![epsilon])]
        }
    }

    #[derive(Debug, Clone)]
    struct Filling {
        loops: Arc<SelfLoops>,
        width: usize,
    }

    pub(super) fn fill(loops: &Arc<SelfLoops>, features: Tensor<2>) -> Tensor<2> {
        let operation = Filling { loops: loops.clone(), width: features.dims()[1] };
        run(Inputs::One(features.into_dispatch()), operation)
    }

    impl Operation for Filling {
        type Saved = ();

        fn shape(&self) -> Vec<usize> {
            vec![self.loops.edges().len(), self.width]
        }

        fn forward(&self, inputs: &[&[f32]], _training: bool) -> (Vec<f32>, ()) {
            (self.loops.fill(inputs[0], self.width).expect("shapes are checked"), ())
        }

        fn backward(&self, pass: &Pass<'_, ()>) -> Vec<Option<Vec<f32>>> {
            let found = self.loops.fill_gradient(pass.gradient, self.width);
            vec![Some(found.expect("shapes are checked"))]
        }
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use fattail_fused::graph::Edges as List;

    use super::*;
    use crate::ops::twins::{check, random};

    fn graph() -> Edges {
        let sources = vec![0, 1, 2, 3, 0, 4, 1, 1];
        let targets = vec![1, 2, 0, 0, 0, 1, 1, 3];
        Arc::new(Graph::new(List { nodes: 5, sources, targets }).expect("a graph"))
    }

    #[test]
    fn the_kernels_are_the_compositions() {
        let graph = graph();
        let wide = random([3, 5, 2, 4], 1).reshape([120]);
        let vector = random([8], 2);
        let edge = random([64], 3);
        let inputs = [wide.clone(), wide.mul_scalar(-0.7), vector, edge];
        let split = |x: &[Tensor<1>]| {
            let wide = |at: usize| x[at].clone().reshape([3, 5, 2, 4]);
            ([wide(0), wide(1)], x[3].clone().reshape([8, 2, 4]), x[2].clone().reshape([2, 4]))
        };
        check(
            &inputs,
            |x| {
                let (sides, edge, vector) = split(x);
                gatv2(&graph, 0.2, sides, Some(edge), vector)
            },
            |x| {
                let (sides, edge, vector) = split(x);
                composed_gatv2(&graph, 0.2, sides, Some(edge), vector)
            },
        );
        let inputs = [random([60], 4), random([1], 5)];
        let input = |x: &[Tensor<1>]| x[0].clone().reshape([3, 5, 4]);
        check(
            &inputs,
            |x| gin(&graph, input(x), x[1].clone()),
            |x| composed_gin(&graph, input(x), x[1].clone()),
        );
    }
    #[test]
    fn loops_are_filled_alike() {
        let loops = Arc::new(SelfLoops::new(graph().edges()).expect("a graph"));
        let features = |x: &[Tensor<1>]| x[0].clone().reshape([8, 3]);
        check(
            &[random([24], 6)],
            |x| fill(&loops, features(x)),
            |x| composed_fill(&loops, features(x)),
        );
        // Nothing but a loop: its features are dropped.
        let alone = List { nodes: 2, sources: vec![1], targets: vec![1] };
        let alone = Arc::new(SelfLoops::new(&alone).expect("a graph"));
        let [fused, composed] =
            [fill(&alone, random([1, 3], 7)), composed_fill(&alone, random([1, 3], 7))];
        assert_eq!(fused.into_data(), composed.into_data());
    }
}
