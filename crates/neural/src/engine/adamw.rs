//! AdamW on a whole network: a step a parameter, with moments that can be read and put back.
//!
//! burn keeps moments under identities that a new process does not have, and puts them on a default
//! device; here they carry the parameters' names. Reference: Loshchilov & Hutter (2019).

use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId},
    optim::GradientsParams,
    tensor::{Device, Tensor},
};
use fattail_core::Error as CoreError;
use fattail_training::Named;
use serde::{Deserialize, Serialize};

use super::leaf::leaf;
use super::named::{FIRST, Path, SECOND, collect, find, read, tensor};
use crate::{Error, Result, ops};

/// Settings of AdamW; PyTorch's defaults.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AdamW {
    /// The memory of the first moment, in 0..1.
    pub beta1: f64,
    /// The memory of the second moment, in 0..1.
    pub beta2: f64,
    /// What keeps a step finite, positive.
    pub epsilon: f64,
    /// The share of the rate that weights lose in a step, not negative.
    pub weight_decay: f64,
}

impl Default for AdamW {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.01 }
    }
}

impl AdamW {
    /// Answers whether the settings are in range.
    ///
    /// # Errors
    /// Names the setting, its value and what is allowed.
    pub fn check(&self) -> fattail_core::Result<()> {
        let refuse = CoreError::setting;
        for (name, value) in [("beta1", self.beta1), ("beta2", self.beta2)] {
            if !(0.0..1.0).contains(&value) {
                return Err(refuse(name, value, "at least 0 and below 1"));
            }
        }
        if !(self.epsilon > 0.0 && self.epsilon.is_finite()) {
            return Err(refuse("epsilon", self.epsilon, "positive and finite"));
        }
        if !(self.weight_decay >= 0.0 && self.weight_decay.is_finite()) {
            return Err(refuse("weight_decay", self.weight_decay, "finite and not negative"));
        }
        Ok(())
    }
}

/// A step, after the norm is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    /// The learning rate.
    pub rate: f64,
    /// What gradients are multiplied by.
    pub scale: f64,
    /// What their entries are then cut to.
    pub limit: Option<f64>,
}

/// Both moments of all parameters.
#[derive(Default)]
pub(super) struct Moments {
    first: GradientsParams,
    second: GradientsParams,
    /// Steps taken.
    time: usize,
}

impl Moments {
    /// Moves a network.
    pub(super) fn step<N: Module>(
        &mut self,
        network: N,
        gradients: GradientsParams,
        settings: &AdamW,
        step: &Step,
    ) -> N {
        let step = fattail_fused::adamw::AdamW {
            rate: step.rate,
            scale: step.scale,
            limit: step.limit,
            beta1: settings.beta1 as f32,
            beta2: settings.beta2 as f32,
            epsilon: settings.epsilon as f32,
            weight_decay: settings.weight_decay as f32,
            time: i32::try_from(self.time).unwrap_or(i32::MAX).saturating_add(1),
        };
        let moved = network.map(&mut Mover { moments: self, gradients, step });
        self.time += 1;
        moved
    }

    /// Both moments of a parameter: 0 where it had no gradient so far, none before the first step.
    fn take<const D: usize>(
        &mut self,
        id: ParamId,
        gradient: &Tensor<D>,
    ) -> Option<[Tensor<D>; 2]> {
        let both = [&mut self.first, &mut self.second].map(|moments| moments.remove::<D>(id));
        let none = || (self.time > 0).then(|| gradient.zeros_like());
        let [first, second] = both.map(|moment| moment.or_else(none));
        Some([first?, second?])
    }

    /// The moments by name.
    pub(super) fn write<N: Module>(&self, network: &N) -> Result<Vec<Named>> {
        let mut visitor = Writer { moments: self, path: Path::default(), found: Ok(Vec::new()) };
        network.visit(&mut visitor);
        visitor.found
    }

    /// Moments that were written; none when there are none.
    ///
    /// # Errors
    /// When a parameter that moves has none, one is of another shape, not finite, or a negative second
    /// one, or a name is not known.
    pub(super) fn read<N: Module>(
        network: &N,
        named: &[Named],
        device: &Device,
        steps: u64,
    ) -> Result<Self> {
        let moments =
            Self { time: usize::try_from(steps).unwrap_or(usize::MAX), ..Self::default() };
        if named.is_empty() {
            return Ok(Self::default());
        }
        let device = device.clone().inner();
        let path = Path::default();
        let mut visitor = Reader { named, path, device, moments, used: 0, failed: None };
        network.visit(&mut visitor);
        if let Some(error) = visitor.failed {
            return Err(error);
        }
        if visitor.used < named.len() {
            return Err(unknown(network, named));
        }
        Ok(visitor.moments)
    }
}

struct Mover<'a> {
    moments: &'a mut Moments,
    gradients: GradientsParams,
    step: fattail_fused::adamw::AdamW,
}

impl ModuleMapper for Mover<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(gradient) = self.gradients.remove::<D>(param.id) else {
            return param;
        };
        let (id, tensor, mapper) = param.consume();
        let before = self.moments.take(id, &gradient);
        let (moved, after) = ops::adamw(&self.step, tensor.clone().inner(), gradient, before);
        if let Some([first, second]) = after {
            self.moments.first.register(id, first);
            self.moments.second.register(id, second);
        }
        Param::from_mapped_value(id, leaf(moved, &tensor, true), mapper)
    }
}

struct Writer<'a> {
    moments: &'a Moments,
    path: Path,
    found: Result<Vec<Named>>,
}

impl ModuleVisitor for Writer<'_> {
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
        let both = [(FIRST, &self.moments.first), (SECOND, &self.moments.second)];
        // A parameter that moves, but had no gradient so far, has moments of 0.
        let zeros = || moves(param, self.moments).then(|| param.val().inner().zeros_like());
        for (prefix, moments) in both {
            let Some(moment) = moments.get::<D>(param.id).or_else(zeros) else {
                continue;
            };
            match read(format!("{prefix}{}", self.path), moment) {
                Ok(named) => found.push(named),
                Err(error) => {
                    self.found = Err(error);
                    return;
                }
            }
        }
    }
}

/// Whether a parameter has moments, now that steps were taken.
fn moves<const D: usize>(param: &Param<Tensor<D>>, moments: &Moments) -> bool {
    moments.time > 0 && param.is_require_grad()
}

/// A moment that no parameter of the network has.
fn unknown<N: Module>(network: &N, named: &[Named]) -> Error {
    let known = collect(network).unwrap_or_default();
    let is_known = |name: &str| {
        let name = [FIRST, SECOND].into_iter().find_map(|prefix| name.strip_prefix(prefix));
        name.is_some_and(|name| known.iter().any(|own| own.name == name))
    };
    let name = named.iter().map(|tensor| &tensor.name).find(|name| !is_known(name));
    Error::UnknownTensor { name: name.cloned().unwrap_or_default() }
}

struct Reader<'a> {
    named: &'a [Named],
    path: Path,
    device: Device,
    moments: Moments,
    used: usize,
    failed: Option<Error>,
}

impl Reader<'_> {
    /// The moment of the parameter at hand; none of one that does not move.
    fn moment<const D: usize>(
        &self,
        prefix: &str,
        param: &Param<Tensor<D>>,
    ) -> Result<Option<Tensor<D>>> {
        let named = match find(self.named, &format!("{prefix}{}", self.path)) {
            Ok(named) => named,
            Err(_) if !moves(param, &self.moments) => return Ok(None),
            Err(missing) => return Err(missing),
        };
        let wrong = |value: &&f32| prefix == SECOND && **value < 0.0;
        if let Some(value) = named.values.iter().find(wrong) {
            let allowed = "0 or more, finite";
            return Err(CoreError::setting("a second moment", value, allowed).into());
        }
        tensor::<D>(named, &param.shape().to_vec(), &self.device).map(Some)
    }
}

impl ModuleVisitor for Reader<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.leave();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        for prefix in [FIRST, SECOND] {
            match self.moment(prefix, param) {
                Ok(None) => continue,
                Ok(Some(moment)) if prefix == FIRST => {
                    self.moments.first.register(param.id, moment);
                }
                Ok(Some(moment)) => self.moments.second.register(param.id, moment),
                Err(error) => {
                    self.failed.get_or_insert(error);
                }
            }
            self.used += 1;
        }
    }
}
