//! The one place where kernels on slices become operations of burn.
//!
//! burn's CPU backend takes any differentiable operation as an extension: a forward on its tensors
//! and a node of the graph with a backward of its own. [`Operation`] is that on slices; `run` lays the
//! inputs out row by row, calls the forward, and registers the backward when a gradient is asked for.
//! What the backward needs of the forward is the operation's `Saved`; inputs are kept by reference.
//! Only `f32` on the CPU comes here; callers compose the rest of burn's own operations.

#![cfg(feature = "flex")]

use std::fmt::Debug;

use burn::{
    backend::{
        Autodiff, Backend, Dispatch, ExtensionType, Flex,
        autodiff::{
            checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
            grads::Gradients,
            ops::{Backward, Ops, OpsKind},
        },
        backend_extension,
        tensor::FloatTensor,
    },
    tensor::{Tensor, TensorData},
};

/// A differentiable function of tensors, on slices. Shapes are the implementer's own.
pub(crate) trait Operation: Clone + Debug + Send + 'static {
    /// What the backward pass needs of the forward pass beside inputs and output.
    type Saved: Clone + Debug + Send + 'static;

    /// The shape of the output.
    fn shape(&self) -> Vec<usize>;

    /// The output, row-major, and what is kept for the backward pass; `training` says whether there
    /// will be one.
    fn forward(&self, inputs: &[&[f32]], training: bool) -> (Vec<f32>, Self::Saved);

    /// The gradient of each input for which `wanted` is set, given that of the output.
    fn backward(&self, pass: &Pass<'_, Self::Saved>) -> Vec<Option<Vec<f32>>>;
}

/// What a backward pass is given.
#[derive(Debug)]
pub(crate) struct Pass<'a, S> {
    /// The inputs of the forward pass.
    pub inputs: &'a [&'a [f32]],
    /// Its output.
    pub output: &'a [f32],
    /// What it kept.
    pub saved: &'a S,
    /// The gradient of the output.
    pub gradient: &'a [f32],
    /// Which gradients are asked for.
    pub wanted: &'a [bool],
}

/// Inputs of an operation, by their number.
#[derive(ExtensionType)]
pub(crate) enum Inputs<B: Backend> {
    One(FloatTensor<B>),
    Two(FloatTensor<B>, FloatTensor<B>),
    Three(FloatTensor<B>, FloatTensor<B>, FloatTensor<B>),
    Four(FloatTensor<B>, FloatTensor<B>, FloatTensor<B>, FloatTensor<B>),
    Five(FloatTensor<B>, FloatTensor<B>, FloatTensor<B>, FloatTensor<B>, FloatTensor<B>),
    Eight(
        FloatTensor<B>,
        FloatTensor<B>,
        FloatTensor<B>,
        FloatTensor<B>,
        FloatTensor<B>,
        FloatTensor<B>,
        FloatTensor<B>,
        FloatTensor<B>,
    ),
    Thirteen(
        FloatTensor<B>,
        FloatTensor<B>,
        FloatTensor<B>,
        FloatTensor<B>,
        FloatTensor<B>,
        FloatTensor<B>,
        FloatTensor<B>,
        FloatTensor<B>,
        FloatTensor<B>,
        FloatTensor<B>,
        FloatTensor<B>,
        FloatTensor<B>,
        FloatTensor<B>,
    ),
}

#[backend_extension(Flex, Autodiff)]
pub(crate) trait Fused: Backend {
    fn fused<O: Operation>(
        #[extension_type] inputs: Inputs<Self>,
        operation: O,
    ) -> FloatTensor<Self>;
}

type CpuTensor = FloatTensor<Flex>;

impl Fused for Flex {
    fn fused<O: Operation>(inputs: Inputs<Self>, operation: O) -> FloatTensor<Self> {
        match inputs {
            Inputs::One(a) => plain([a], &operation),
            Inputs::Two(a, b) => plain([a, b], &operation),
            Inputs::Three(a, b, c) => plain([a, b, c], &operation),
            Inputs::Four(a, b, c, d) => plain([a, b, c, d], &operation),
            Inputs::Five(a, b, c, d, e) => plain([a, b, c, d, e], &operation),
            Inputs::Eight(a, b, c, d, e, f, g, h) => plain([a, b, c, d, e, f, g, h], &operation),
            Inputs::Thirteen(a, b, c, d, e, f, g, h, i, j, k, l, m) => {
                plain([a, b, c, d, e, f, g, h, i, j, k, l, m], &operation)
            }
        }
    }
}

impl<C: CheckpointStrategy> Fused for Autodiff<Flex, C> {
    fn fused<O: Operation>(inputs: Inputs<Self>, operation: O) -> FloatTensor<Self> {
        match inputs {
            Inputs::One(a) => tracked::<O, C, 1>([a], operation),
            Inputs::Two(a, b) => tracked::<O, C, 2>([a, b], operation),
            Inputs::Three(a, b, c) => tracked::<O, C, 3>([a, b, c], operation),
            Inputs::Four(a, b, c, d) => tracked::<O, C, 4>([a, b, c, d], operation),
            Inputs::Five(a, b, c, d, e) => tracked::<O, C, 5>([a, b, c, d, e], operation),
            Inputs::Eight(a, b, c, d, e, f, g, h) => {
                tracked::<O, C, 8>([a, b, c, d, e, f, g, h], operation)
            }
            Inputs::Thirteen(a, b, c, d, e, f, g, h, i, j, k, l, m) => {
                tracked::<O, C, 13>([a, b, c, d, e, f, g, h, i, j, k, l, m], operation)
            }
        }
    }
}

fn lay_out<const N: usize>(inputs: [CpuTensor; N]) -> [CpuTensor; N] {
    inputs.map(|tensor| if tensor.is_contiguous() { tensor } else { tensor.to_contiguous() })
}

fn values(tensor: &CpuTensor) -> &[f32] {
    tensor.as_slice().expect("it was laid out in order")
}

fn tensor(values: Vec<f32>, shape: Vec<usize>) -> CpuTensor {
    CpuTensor::from_data(TensorData::new(values, shape))
}

fn plain<O: Operation, const N: usize>(inputs: [CpuTensor; N], operation: &O) -> CpuTensor {
    let inputs = lay_out(inputs);
    let (output, _) = operation.forward(&inputs.each_ref().map(values), false);
    tensor(output, operation.shape())
}

fn tracked<O: Operation, C: CheckpointStrategy, const N: usize>(
    inputs: [FloatTensor<Autodiff<Flex, C>>; N],
    operation: O,
) -> FloatTensor<Autodiff<Flex, C>> {
    let nodes = inputs.each_ref().map(|input| input.node());
    let shapes = inputs.each_ref().map(|input| input.primitive().layout().shape().clone());
    let inputs = lay_out(inputs.map(|input| input.into_primitive()));
    let shape = operation.shape();
    match Step(operation.clone()).prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => {
            let (output, saved) = operation.forward(&inputs.each_ref().map(values), true);
            let output = tensor(output, shape);
            let shapes = shapes.map(|shape| shape.to_vec());
            prepared.finish(State { inputs, shapes, output: output.clone(), saved }, output)
        }
        OpsKind::UnTracked(prepared) => {
            let (output, _) = operation.forward(&inputs.each_ref().map(values), false);
            prepared.finish(tensor(output, shape))
        }
    }
}

/// An operation as a node of the graph.
#[derive(Debug)]
struct Step<O>(O);

/// What waits for the backward pass.
#[derive(Debug, Clone)]
struct State<S, const N: usize> {
    inputs: [CpuTensor; N],
    shapes: [Vec<usize>; N],
    output: CpuTensor,
    saved: S,
}

impl<O: Operation, const N: usize> Backward<Flex, N> for Step<O> {
    type State = State<O::Saved, N>;

    fn backward(
        self,
        ops: Ops<Self::State, N>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [gradient] = lay_out([gradients.consume::<Flex>(&ops.node)]);
        let State { inputs, shapes, output, saved } = ops.state;
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let found = self.0.backward(&Pass {
            inputs: &inputs.each_ref().map(values),
            output: values(&output),
            saved: &saved,
            gradient: values(&gradient),
            wanted: &wanted,
        });
        for ((parent, values), shape) in ops.parents.into_iter().zip(found).zip(shapes) {
            if let (Some(parent), Some(values)) = (parent, values) {
                gradients.register::<Flex>(parent.id, tensor(values, shape));
            }
        }
    }
}

/// Runs an operation on the CPU.
pub(crate) fn run<O: Operation, const D: usize>(
    inputs: Inputs<Dispatch>,
    operation: O,
) -> Tensor<D> {
    Tensor::from_dispatch(<Dispatch as Fused>::fused(inputs, operation))
}
