//! Sums, norms and flat forms of the gradients of a network's parameters.

use burn::{
    module::{Module, ModuleVisitor, Param},
    optim::GradientsParams,
    tensor::{FloatDType, Tensor},
};
use fattail_training::Fault;

use super::faults;
use crate::ops;

/// Adds two sets of gradients.
pub(super) fn sum<N: Module>(
    network: &N,
    first: GradientsParams,
    second: GradientsParams,
) -> GradientsParams {
    let mut visitor = Sum { first, second, sum: GradientsParams::new() };
    network.visit(&mut visitor);
    visitor.sum
}

struct Sum {
    first: GradientsParams,
    second: GradientsParams,
    sum: GradientsParams,
}

impl ModuleVisitor for Sum {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let first = self.first.remove::<D>(param.id);
        let second = self.second.remove::<D>(param.id);
        let sum = match (first, second) {
            (Some(first), Some(second)) => first + second,
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => return,
        };
        self.sum.register(param.id, sum);
    }
}

/// Gradients in `f32`, times a factor.
pub(super) fn scaled<N: Module>(
    network: &N,
    gradients: GradientsParams,
    factor: f64,
) -> GradientsParams {
    let mut visitor = Scale { gradients, factor, scaled: GradientsParams::new() };
    network.visit(&mut visitor);
    visitor.scaled
}

struct Scale {
    gradients: GradientsParams,
    factor: f64,
    scaled: GradientsParams,
}

impl ModuleVisitor for Scale {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.remove::<D>(param.id) {
            let full = gradient.cast(FloatDType::F32).mul_scalar(self.factor);
            self.scaled.register(param.id, full);
        }
    }
}

/// The global norm: one reading of the device; on the CPU the same bits for any number of threads.
pub(super) fn norm<N: Module>(network: &N, gradients: &GradientsParams) -> Result<f64, Fault> {
    let mut visitor = Norm { gradients, host: 0.0, device: None };
    network.visit(&mut visitor);
    let device = visitor.device.map_or(Ok(0.0), faults::scalar)?;
    Ok((visitor.host + device).sqrt())
}

struct Norm<'a> {
    gradients: &'a GradientsParams,
    /// The sum of squares of what is on the CPU.
    host: f64,
    /// That of the rest.
    device: Option<Tensor<1>>,
}

impl ModuleVisitor for Norm<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(gradient) = self.gradients.get::<D>(param.id) else {
            return;
        };
        match ops::squares(&gradient) {
            Some(own) => self.host += own,
            None => {
                let own = gradient.square().sum();
                self.device = Some(match self.device.take() {
                    Some(sum) => sum + own,
                    None => own,
                });
            }
        }
    }
}

/// All gradients behind one another, 0 where a parameter has none.
pub(super) fn flat<N: Module>(network: &N, gradients: &GradientsParams) -> Result<Vec<f32>, Fault> {
    let mut visitor = Flat { gradients, found: Ok(Vec::new()) };
    network.visit(&mut visitor);
    visitor.found
}

struct Flat<'a> {
    gradients: &'a GradientsParams,
    found: Result<Vec<f32>, Fault>,
}

impl ModuleVisitor for Flat<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Ok(found) = &mut self.found else {
            return;
        };
        match self.gradients.get::<D>(param.id).map(Tensor::try_into_data) {
            None => found.resize(found.len() + param.shape().num_elements(), 0.0),
            Some(Ok(data)) => found.extend(data.iter::<f32>()),
            Some(Err(cause)) => self.found = Err(faults::execution(cause)),
        }
    }
}
