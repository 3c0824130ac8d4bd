//! The shape of a network, its parameters by name, and where training begins.

use serde::{Deserialize, Serialize};

use super::random::Stream;
use crate::{Error, Result};

/// More parameters than this are refused: they are no network for this kernel.
const MOST_PARAMETERS: usize = 1 << 28;

/// What the last linear layer's output becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Head {
    /// Stays as it is.
    #[default]
    Identity,
    /// `1 / (1 + exp(-z))`: predictions between 0 and 1.
    Sigmoid,
}

/// A multilayer perceptron with one output; the formulas stand in the [module](super).
///
/// ```
/// use fattail_mlp::{Head, Network};
/// let network = Network {
///     inputs: 5,
///     hidden: vec![16, 8],
///     input_norm: true,
///     norm: true,
///     residual: false,
///     dropout: 0.1,
///     head: Head::Sigmoid,
/// };
/// assert!(network.check().is_ok());
/// assert_eq!(network.parameters(), 299);
/// assert_eq!(network.tensors()[2].name, "layers.0.linear.weight");
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Network {
    /// Features a row.
    pub inputs: usize,
    /// Widths of the hidden layers; none makes a linear model.
    pub hidden: Vec<usize>,
    /// Whether rows are normalised before the first layer.
    pub input_norm: bool,
    /// Whether hidden layers are normalised before they are rectified.
    pub norm: bool,
    /// Whether a hidden layer as wide as its input adds it.
    pub residual: bool,
    /// Share of hidden units that are dropped in training.
    pub dropout: f64,
    /// What the output becomes.
    pub head: Head,
}

/// One tensor's place in the vector of parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tensor {
    /// Name, as a PyTorch module of the same shape would have it.
    pub name: String,
    /// Rows and columns of a matrix (outputs, inputs), or the length of a vector.
    pub shape: Vec<usize>,
    /// Where it starts.
    pub offset: usize,
}

impl Network {
    /// Answers whether the settings are in range.
    ///
    /// # Errors
    /// Names the setting, its value and what is allowed.
    pub fn check(&self) -> Result<()> {
        let setting = |name, value: String, allowed| Err(Error::Setting { name, value, allowed });
        if self.inputs == 0 {
            return setting("inputs", "0".into(), "at least 1");
        }
        if let Some(layer) = self.hidden.iter().position(|&width| width == 0) {
            return setting("hidden", format!("0 at layer {layer}"), "widths of at least 1");
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return setting("dropout", self.dropout.to_string(), "from 0 to below 1");
        }
        match self.count() {
            Some(count) if count <= MOST_PARAMETERS => Ok(()),
            count => {
                let value = count.map_or_else(|| "more than an address".into(), |n| n.to_string());
                setting("parameters", value, "at most 268435456")
            }
        }
    }

    /// The number of parameters; `usize::MAX` where it overflows, which [`Network::check`] refuses.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.count().unwrap_or(usize::MAX)
    }

    fn count(&self) -> Option<usize> {
        let mut count = if self.input_norm { self.inputs.checked_mul(2)? } else { 0 };
        let mut inputs = self.inputs;
        let vectors = if self.norm { 3 } else { 1 };
        for &width in &self.hidden {
            count = count.checked_add(width.checked_mul(inputs.checked_add(vectors)?)?)?;
            inputs = width;
        }
        count.checked_add(inputs.checked_add(1)?)
    }

    /// Every tensor, in the order in which they lie in the vector of parameters.
    #[must_use]
    pub fn tensors(&self) -> Vec<Tensor> {
        let mut list = List::default();
        if self.input_norm {
            list.vector("input_norm.weight".into(), self.inputs);
            list.vector("input_norm.bias".into(), self.inputs);
        }
        let mut inputs = self.inputs;
        for (layer, &width) in self.hidden.iter().enumerate() {
            list.push(format!("layers.{layer}.linear.weight"), vec![width, inputs]);
            list.vector(format!("layers.{layer}.linear.bias"), width);
            if self.norm {
                list.vector(format!("layers.{layer}.norm.weight"), width);
                list.vector(format!("layers.{layer}.norm.bias"), width);
            }
            inputs = width;
        }
        list.push("head.weight".into(), vec![1, inputs]);
        list.vector("head.bias".into(), 1);
        list.tensors
    }

    /// Parameters to begin with: PyTorch's defaults, uniform within `1 / sqrt(inputs)` for linear
    /// layers, 1 and 0 for norms. The same seed gives the same bits on every machine.
    ///
    /// # Errors
    /// As [`Network::check`].
    pub fn initial(&self, seed: u64) -> Result<Vec<f32>> {
        self.check()?;
        let mut stream = Stream::new(seed);
        let mut values = Vec::with_capacity(self.parameters());
        let mut bound = 0.0;
        for tensor in self.tensors() {
            let count = tensor.shape.iter().product::<usize>();
            if let [_, inputs] = tensor.shape[..] {
                bound = 1.0 / (inputs as f64).sqrt();
            }
            if tensor.name.contains("norm.") {
                let value = if tensor.name.ends_with("weight") { 1.0 } else { 0.0 };
                values.resize(values.len() + count, value);
            } else {
                values.extend((0..count).map(|_| (bound * (2.0 * stream.unit() - 1.0)) as f32));
            }
        }
        Ok(values)
    }

    /// Whether hidden layer `layer` adds its input of `inputs` values.
    pub(super) fn adds_input(&self, layer: usize, inputs: usize) -> bool {
        self.residual && self.hidden[layer] == inputs
    }
}

#[derive(Default)]
struct List {
    tensors: Vec<Tensor>,
    end: usize,
}

impl List {
    fn vector(&mut self, name: String, len: usize) {
        self.push(name, vec![len]);
    }

    fn push(&mut self, name: String, shape: Vec<usize>) {
        let offset = self.end;
        self.end += shape.iter().product::<usize>();
        self.tensors.push(Tensor { name, shape, offset });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network() -> Network {
        Network {
            inputs: 5,
            hidden: vec![16, 8],
            input_norm: true,
            norm: true,
            residual: false,
            dropout: 0.1,
            head: Head::Sigmoid,
        }
    }

    #[test]
    fn the_robust_network_has_299_parameters() {
        let network = network();
        assert_eq!(network.parameters(), 10 + (96 + 32) + (136 + 16) + 9);
        assert_eq!(network.parameters(), 299);
        let tensors = network.tensors();
        let names: Vec<_> = tensors.iter().map(|tensor| tensor.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "input_norm.weight",
                "input_norm.bias",
                "layers.0.linear.weight",
                "layers.0.linear.bias",
                "layers.0.norm.weight",
                "layers.0.norm.bias",
                "layers.1.linear.weight",
                "layers.1.linear.bias",
                "layers.1.norm.weight",
                "layers.1.norm.bias",
                "head.weight",
                "head.bias",
            ]
        );
        assert_eq!(tensors[6].shape, [8, 16]);
        assert_eq!(tensors[11].offset, 298);
    }

    #[test]
    fn counts_agree_with_the_tensors() {
        for (input_norm, norm) in [(false, false), (true, false), (false, true), (true, true)] {
            for hidden in [vec![], vec![3], vec![7, 7, 2]] {
                let network = Network { input_norm, norm, hidden, ..network() };
                let last = network.tensors().pop().unwrap();
                assert_eq!(network.parameters(), last.offset + 1);
                assert_eq!(network.initial(1).unwrap().len(), network.parameters());
            }
        }
    }

    #[test]
    fn training_begins_where_pytorch_begins() {
        let network = Network { inputs: 100, hidden: vec![400], ..network() };
        let values = network.initial(7).unwrap();
        assert_eq!(values, network.initial(7).unwrap());
        assert_ne!(values, network.initial(8).unwrap());
        assert_eq!(values[..100], [1.0; 100]);
        assert_eq!(values[100..200], [0.0; 100]);
        let weights = &values[200..40_200];
        let square = weights.iter().map(|&w| f64::from(w).powi(2)).sum::<f64>() / 40_000.0;
        assert!((square - 0.01 / 3.0).abs() < 1e-4, "{square}");
        assert!(weights.iter().all(|w| w.abs() <= 0.1));
        assert!(weights.iter().any(|&w| w > 0.099) && weights.iter().any(|&w| w < -0.099));
    }

    #[test]
    fn settings_are_refused_with_their_value() {
        let message = |network: Network| network.check().unwrap_err().to_string();
        let zero = Network { inputs: 0, ..network() };
        assert_eq!(message(zero), "inputs is 0, allowed is at least 1");
        let hidden = Network { hidden: vec![4, 0], ..network() };
        assert_eq!(message(hidden), "hidden is 0 at layer 1, allowed is widths of at least 1");
        for dropout in [1.0, -0.1, f64::NAN] {
            let network = Network { dropout, ..network() };
            assert_eq!(
                message(network),
                format!("dropout is {dropout}, allowed is from 0 to below 1")
            );
        }
        for width in [usize::MAX, 1 << 20] {
            let network = Network { hidden: vec![width, width], ..network() };
            assert!(message(network).starts_with("parameters is "));
        }
    }
}
