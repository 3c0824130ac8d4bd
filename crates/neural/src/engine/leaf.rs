//! New values for a parameter: a leaf of the graph, recomputing as the old one did.

use burn::tensor::Tensor;

/// `values`, which have no graph, as a leaf beside `old`.
pub(super) fn leaf<const D: usize>(values: Tensor<D>, old: &Tensor<D>, tracked: bool) -> Tensor<D> {
    if !old.is_autodiff() {
        return values;
    }
    let mut leaf = Tensor::from_inner(values);
    if let Some(strategy) = old.gradient_checkpointing_strategy() {
        leaf = leaf.with_gradient_checkpointing_strategy(strategy);
    }
    if tracked { leaf.require_grad() } else { leaf }
}
