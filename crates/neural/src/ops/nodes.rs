//! What a graph network does to the states of nodes: from a row of features, through a GIN block, to one row.
//!
//! `embed` is `value weight + bias` a node, `mean` that of all nodes, and a block is
//! `x + mask relu(second(relu(first(sum of norm x over neighbours))))` (Xu et al. 2019, eq. 4.1, in a residual
//! block).

use burn::tensor::{Tensor, TensorData, activation::relu};

use super::{Activation, Edges, fusable, gin, layer_norm, linear};

/// The parameters of a GIN block.
#[derive(Debug, Clone)]
pub(crate) struct BlockWeights {
    pub norm_weight: Tensor<1>,
    pub norm_bias: Tensor<1>,
    pub epsilon: Tensor<1>,
    pub first_weight: Tensor<2>,
    pub first_bias: Tensor<1>,
    pub second_weight: Tensor<2>,
    pub second_bias: Tensor<1>,
}

/// PyTorch's.
const EPS: f64 = 1e-5;

/// `[samples, nodes]` to `[samples, nodes, width]`; weight and bias are `[nodes, width]`.
pub(crate) fn embed(values: Tensor<2>, weight: Tensor<2>, bias: Tensor<2>) -> Tensor<3> {
    #[cfg(feature = "flex")]
    if fusable(&values) && fusable(&weight) && fusable(&bias) && values.dims()[0] > 0 {
        return fused::embed(values, weight, bias);
    }
    composed_embed(values, weight, bias)
}

fn composed_embed(values: Tensor<2>, weight: Tensor<2>, bias: Tensor<2>) -> Tensor<3> {
    values.unsqueeze_dim::<3>(2) * weight.unsqueeze::<3>() + bias.unsqueeze::<3>()
}

/// `[samples, nodes, width]` to `[samples, width]`.
pub(crate) fn mean(states: Tensor<3>) -> Tensor<2> {
    #[cfg(feature = "flex")]
    if fusable(&states) && states.dims()[0] > 0 {
        return fused::mean(states);
    }
    composed_mean(states)
}

fn composed_mean(states: Tensor<3>) -> Tensor<2> {
    states.mean_dim(1).squeeze_dim(1)
}

/// `[samples, nodes, width]` to the same; the mask, a value each, is dropout's.
pub(crate) fn gin_block(
    graph: &Edges,
    states: Tensor<3>,
    weights: BlockWeights,
    mask: Option<Vec<f32>>,
) -> Tensor<3> {
    #[cfg(feature = "flex")]
    if fusable(&states) && fusable(&weights.first_weight) && states.dims()[0] > 0 {
        return fused::gin_block(graph, states, weights, mask);
    }
    composed_gin_block(graph, states, weights, mask)
}

fn composed_gin_block(
    graph: &Edges,
    states: Tensor<3>,
    weights: BlockWeights,
    mask: Option<Vec<f32>>,
) -> Tensor<3> {
    let normed = layer_norm(states.clone(), weights.norm_weight, weights.norm_bias, EPS);
    let sums = gin(graph, normed, weights.epsilon);
    let middle = linear(sums, weights.first_weight, weights.first_bias, Activation::Relu);
    let out = linear(middle, weights.second_weight, weights.second_bias, Activation::None);
    let mut branch = relu(out);
    if let Some(mask) = mask {
        let mask = TensorData::new(mask, states.dims());
        let mask = Tensor::<3>::from_data(mask, &states.device());
        branch = branch * mask.cast(states.dtype());
    }
    states + branch
}

#[cfg(feature = "flex")]
mod fused {
    use std::sync::Arc;

    use burn::tensor::Tensor;
    use fattail_fused::{
        encoder::Layer,
        graph::{
            GinBlock, GinBlockGradients, GinBlockInputs, GinParameters, NodeEmbedding,
            NodeEmbeddingGradients, NodeMean,
        },
    };

    use super::{BlockWeights, EPS, Edges};
    use crate::ops::bridge::{Inputs, Operation, Pass, run};

    #[derive(Debug, Clone)]
    struct Embedding(NodeEmbedding);

    pub(super) fn embed(values: Tensor<2>, weight: Tensor<2>, bias: Tensor<2>) -> Tensor<3> {
        let ([batch, nodes], [_, width]) = (values.dims(), weight.dims());
        let [values, weight, bias] = [values, weight, bias].map(Tensor::into_dispatch);
        run(Inputs::Three(values, weight, bias), Embedding(NodeEmbedding { batch, nodes, width }))
    }

    impl Operation for Embedding {
        type Saved = ();

        fn shape(&self) -> Vec<usize> {
            vec![self.0.batch, self.0.nodes, self.0.width]
        }

        fn forward(&self, inputs: &[&[f32]], _training: bool) -> (Vec<f32>, ()) {
            let mut out = vec![0.0; inputs[0].len() * self.0.width];
            let done = self.0.forward(inputs[0], inputs[1], inputs[2], &mut out);
            done.expect("shapes are checked");
            (out, ())
        }

        fn backward(&self, pass: &Pass<'_, ()>) -> Vec<Option<Vec<f32>>> {
            let zeros = |at: usize| vec![0.0; pass.inputs[at].len()];
            let mut values = pass.wanted[0].then(|| zeros(0));
            let (mut weight, mut bias) = (zeros(1), zeros(2));
            let gradients = NodeEmbeddingGradients {
                values: values.as_deref_mut(),
                weight: &mut weight,
                bias: &mut bias,
            };
            let done = self.0.backward(pass.inputs[0], pass.inputs[1], pass.gradient, gradients);
            done.expect("shapes are checked");
            vec![values, Some(weight), Some(bias)]
        }
    }

    #[derive(Debug, Clone)]
    struct Averaging(NodeMean);

    pub(super) fn mean(states: Tensor<3>) -> Tensor<2> {
        let [batch, nodes, width] = states.dims();
        run(Inputs::One(states.into_dispatch()), Averaging(NodeMean { batch, nodes, width }))
    }

    impl Operation for Averaging {
        type Saved = ();

        fn shape(&self) -> Vec<usize> {
            vec![self.0.batch, self.0.width]
        }

        fn forward(&self, inputs: &[&[f32]], _training: bool) -> (Vec<f32>, ()) {
            let mut out = vec![0.0; self.0.batch * self.0.width];
            self.0.forward(inputs[0], &mut out).expect("shapes are checked");
            (out, ())
        }

        fn backward(&self, pass: &Pass<'_, ()>) -> Vec<Option<Vec<f32>>> {
            let mut out = vec![0.0; pass.inputs[0].len()];
            self.0.backward(pass.gradient, &mut out).expect("shapes are checked");
            vec![Some(out)]
        }
    }

    #[derive(Debug, Clone)]
    struct Block {
        graph: Edges,
        block: GinBlock,
        mask: Option<Arc<[f32]>>,
    }

    pub(super) fn gin_block(
        graph: &Edges,
        states: Tensor<3>,
        weights: BlockWeights,
        mask: Option<Vec<f32>>,
    ) -> Tensor<3> {
        let ([batch, _, width], [hidden, _]) = (states.dims(), weights.first_weight.dims());
        let block = GinBlock { batch, width, hidden, norm_epsilon: EPS as f32 };
        let operation = Block { graph: graph.clone(), block, mask: mask.map(Into::into) };
        let inputs = Inputs::Eight(
            states.into_dispatch(),
            weights.norm_weight.into_dispatch(),
            weights.norm_bias.into_dispatch(),
            weights.epsilon.into_dispatch(),
            weights.first_weight.into_dispatch(),
            weights.first_bias.into_dispatch(),
            weights.second_weight.into_dispatch(),
            weights.second_bias.into_dispatch(),
        );
        run(inputs, operation)
    }

    impl Block {
        fn look<'a>(&'a self, inputs: &[&'a [f32]]) -> GinBlockInputs<'a> {
            let layer = |at: usize| Layer { weight: inputs[at], bias: inputs[at + 1] };
            GinBlockInputs {
                states: inputs[0],
                epsilon: inputs[3][0],
                parameters: GinParameters { norm: layer(1), first: layer(4), second: layer(6) },
                mask: self.mask.as_deref(),
            }
        }
    }

    impl Operation for Block {
        type Saved = Vec<u8>;

        fn shape(&self) -> Vec<usize> {
            vec![self.block.batch, self.graph.nodes(), self.block.width]
        }

        fn forward(&self, inputs: &[&[f32]], training: bool) -> (Vec<f32>, Vec<u8>) {
            let mut out = vec![0.0; inputs[0].len()];
            let mut saved = vec![0; if training { inputs[0].len() } else { 0 }];
            let done = self.block.forward(&self.graph, &self.look(inputs), &mut out, &mut saved);
            done.expect("shapes are checked");
            (out, saved)
        }

        fn backward(&self, pass: &Pass<'_, Vec<u8>>) -> Vec<Option<Vec<f32>>> {
            let mut all: Vec<Vec<f32>> =
                pass.inputs.iter().map(|input| vec![0.0; input.len()]).collect();
            let [states, norm_w, norm_b, epsilon, first_w, first_b, second_w, second_b] =
                &mut all[..]
            else {
                unreachable!("a block has eight inputs");
            };
            fn layer<'a>(weight: &'a mut [f32], bias: &'a mut [f32]) -> Layer<&'a mut [f32]> {
                Layer { weight, bias }
            }
            let gradients = GinBlockGradients {
                states,
                epsilon: &mut epsilon[0],
                parameters: GinParameters {
                    norm: layer(norm_w, norm_b),
                    first: layer(first_w, first_b),
                    second: layer(second_w, second_b),
                },
            };
            let inputs = self.look(pass.inputs);
            self.block
                .backward(&self.graph, &inputs, pass.saved, pass.gradient, gradients)
                .expect("shapes are checked");
            all.into_iter().map(Some).collect()
        }
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use std::sync::Arc;

    use fattail_fused::graph::{Edges as List, Graph};

    use super::*;
    use crate::ops::twins::{check, random};

    #[test]
    fn embedding_and_mean_are_the_compositions() {
        let parts = |x: &[Tensor<1>]| {
            let nodes = |at: usize| x[at].clone().reshape([5, 4]);
            (x[0].clone().reshape([7, 5]), nodes(1), nodes(2))
        };
        check(
            &[random([35], 1), random([20], 2), random([20], 3)],
            |x| {
                let (values, weight, bias) = parts(x);
                embed(values, weight, bias)
            },
            |x| {
                let (values, weight, bias) = parts(x);
                composed_embed(values, weight, bias)
            },
        );
        let states = |x: &[Tensor<1>]| x[0].clone().reshape([7, 5, 4]);
        check(&[random([140], 4)], |x| mean(states(x)), |x| composed_mean(states(x)));
    }

    #[test]
    fn the_block_is_the_composition() {
        let (sources, targets) = (vec![0, 1, 2, 3, 0, 4, 1], vec![1, 2, 0, 0, 0, 1, 3]);
        let graph = Arc::new(Graph::new(List { nodes: 5, sources, targets }).expect("a graph"));
        let lengths = [105, 3, 3, 1, 18, 6, 18, 3];
        let inputs: Vec<Tensor<1>> =
            lengths.iter().zip(1..).map(|(&length, seed)| random([length], seed)).collect();
        let states = |x: &[Tensor<1>]| x[0].clone().reshape([7, 5, 3]);
        let weights = |x: &[Tensor<1>]| BlockWeights {
            norm_weight: x[1].clone(),
            norm_bias: x[2].clone(),
            epsilon: x[3].clone(),
            first_weight: x[4].clone().reshape([6, 3]),
            first_bias: x[5].clone(),
            second_weight: x[6].clone().reshape([3, 6]),
            second_bias: x[7].clone(),
        };
        let drawn = fattail_mlp::mask(7, 0, 35, 3, 0.3).expect("a rate");
        for mask in [None, Some(drawn)] {
            check(
                &inputs,
                |x| gin_block(&graph, states(x), weights(x), mask.clone()),
                |x| composed_gin_block(&graph, states(x), weights(x), mask.clone()),
            );
        }
    }
}
