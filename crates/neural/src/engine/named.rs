//! A network's parameters by name, out and in.
//!
//! Names are paths through the fields, such as `layers.0.linear.weight`, and do not change; the order is
//! that of the fields.

use std::fmt;

use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param},
    tensor::{Device, Tensor, TensorData},
};
use fattail_training::Named;

use super::leaf::leaf;
use crate::{Error, Result, weights::same_order};

/// What the names of first and second moments begin with, before those of their parameters.
pub(super) const FIRST: &str = "first.";
pub(super) const SECOND: &str = "second.";

/// Where a visitor stands.
#[derive(Debug, Default)]
pub(super) struct Path(Vec<String>);

impl Path {
    pub(super) fn enter(&mut self, name: &str) {
        self.0.push(name.to_owned());
    }

    pub(super) fn leave(&mut self) {
        self.0.pop();
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

/// The values of a tensor, under a name.
pub(super) fn read<const D: usize>(name: String, tensor: Tensor<D>) -> Result<Named> {
    let shape = tensor.dims().to_vec();
    let data =
        tensor.try_into_data().map_err(|cause| Error::Device { reason: cause.to_string() })?;
    Ok(Named { name, shape, values: data.iter::<f32>().collect() })
}

/// The tensor of that name.
pub(super) fn find<'a>(named: &'a [Named], name: &str) -> Result<&'a Named> {
    let missing = || Error::MissingTensor { name: name.to_owned() };
    named.iter().find(|tensor| tensor.name == name).ok_or_else(missing)
}

/// A tensor of the shape that the network has, from values in the same order.
pub(super) fn tensor<const D: usize>(
    named: &Named,
    shape: &[usize],
    device: &Device,
) -> Result<Tensor<D>> {
    let whole = named.values.len() == shape.iter().product::<usize>();
    if !same_order(&named.shape, shape) || !whole {
        let (name, found) = (named.name.clone(), named.shape.clone());
        return Err(Error::Shape { name, found, expected: shape.to_vec() });
    }
    if let Some(at) = named.values.iter().position(|value| !value.is_finite()) {
        return Err(Error::NotFinite { name: named.name.clone(), value: named.values[at], at });
    }
    let data = TensorData::new(named.values.clone(), shape.to_vec());
    Ok(Tensor::from_data(data, device))
}

/// All parameters of a network.
pub(crate) fn collect<N: Module>(network: &N) -> Result<Vec<Named>> {
    let mut visitor = Collector { path: Path::default(), found: Ok(Vec::new()) };
    network.visit(&mut visitor);
    visitor.found
}

struct Collector {
    path: Path,
    found: Result<Vec<Named>>,
}

impl ModuleVisitor for Collector {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.leave();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Ok(found) = &mut self.found else {
            return;
        };
        match read(self.path.to_string(), param.val().inner()) {
            Ok(named) => found.push(named),
            Err(error) => self.found = Err(error),
        }
    }
}

/// The number of parameters.
pub(super) fn parameters<N: Module>(network: &N) -> usize {
    struct Counter(usize);
    impl ModuleVisitor for Counter {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0 += param.shape().num_elements();
        }
    }
    let mut counter = Counter(0);
    network.visit(&mut counter);
    counter.0
}

/// Cuts a flat vector into a network's parameters.
pub(super) fn split<N: Module>(network: &N, weights: &[f32]) -> Result<Vec<Named>> {
    let expected = parameters(network);
    if weights.len() != expected {
        let (what, found) = ("weights", weights.len());
        return Err(fattail_fused::Error::Length { what, found, expected }.into());
    }
    let mut named = collect(network)?;
    let mut rest = weights;
    for tensor in &mut named {
        let (own, behind) = rest.split_at(tensor.values.len());
        tensor.values.copy_from_slice(own);
        rest = behind;
    }
    Ok(named)
}

/// A network with other values: every parameter by its name, none too many.
pub(crate) fn load<N: Module>(network: N, named: &[Named]) -> Result<N> {
    let mut mapper = Loader { named, path: Path::default(), used: 0, failed: None };
    let loaded = network.map(&mut mapper);
    if let Some(error) = mapper.failed {
        return Err(error);
    }
    if mapper.used < named.len() {
        let known = collect(&loaded)?;
        let unknown = named.iter().find(|tensor| known.iter().all(|own| own.name != tensor.name));
        let name = unknown.map(|tensor| tensor.name.clone()).unwrap_or_default();
        return Err(Error::UnknownTensor { name });
    }
    Ok(loaded)
}

struct Loader<'a> {
    named: &'a [Named],
    path: Path,
    used: usize,
    failed: Option<Error>,
}

impl ModuleMapper for Loader<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.leave();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let tracked = param.is_require_grad();
        let (id, old, mapper) = param.consume();
        let shape = old.dims().to_vec();
        let found = find(self.named, &self.path.to_string());
        let plain = if old.is_autodiff() { old.device().inner() } else { old.device() };
        let loaded = match found.and_then(|named| tensor::<D>(named, &shape, &plain)) {
            Ok(new) => {
                self.used += 1;
                leaf(new, &old, tracked)
            }
            Err(error) => {
                self.failed.get_or_insert(error);
                old
            }
        };
        Param::from_mapped_value(id, loaded, mapper)
    }
}
