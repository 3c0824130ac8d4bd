//! Outputs and gradients of PyTorch and PyTorch Geometric, which `tests/reference/make_references.py`
//! makes: forward within 1e-5, gradients within 1e-4.

use std::{collections::BTreeMap, path::PathBuf};

use burn::{
    module::{Module, ModuleVisitor, Param},
    tensor::{Device, Gradients, Tensor, TensorData, activation::sigmoid},
};
use fattail_core::{Panel, Predict};
use fattail_fused::graph::Edges;
use fattail_mlp::{Head, Network as Shape};
use fattail_neural::{
    Architecture, Error, NeuralModel, device,
    layers::{
        Cell, EncoderLayer, EncoderShape, Gatv2Layer, Gatv2Shape, GinLayer, Noise, RecurrentLayer,
        Start, attention,
    },
    nets::{FeatureNetwork, FeatureShape, MlpNetwork, Tokens, VaeNetwork, VaeShape},
    network::Input,
    weights::{Named, from_pytorch, from_safetensors, load, renamed, without},
};
use serde_json::Value;

pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/reference")
}

/// A case: its settings and its tensors.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) settings: Value,
    state: Option<String>,
    tensors: BTreeMap<String, Named>,
}

pub(crate) fn cases() -> Vec<Case> {
    let text = std::fs::read_to_string(folder().join("cases.json")).unwrap();
    let all: Value = serde_json::from_str(&text).unwrap();
    let case = |case: &Value| {
        let bytes = std::fs::read(folder().join(case["file"].as_str().unwrap())).unwrap();
        let tensors = from_safetensors(&bytes).unwrap();
        Case {
            name: case["name"].as_str().unwrap().to_owned(),
            settings: case["settings"].clone(),
            state: case["state"].as_str().map(str::to_owned),
            tensors: tensors.into_iter().map(|tensor| (tensor.name.clone(), tensor)).collect(),
        }
    };
    all["cases"].as_array().unwrap().iter().map(case).collect()
}

pub(crate) fn of(prefix: &str) -> Vec<Case> {
    let found: Vec<Case> =
        cases().into_iter().filter(|case| case.name.starts_with(prefix)).collect();
    assert!(!found.is_empty(), "no case is named {prefix}");
    found
}

fn training_device() -> Device {
    device::cpu().unwrap().autodiff()
}

impl Case {
    fn number(&self, name: &str) -> usize {
        self.settings[name].as_u64().unwrap_or_else(|| panic!("{}: no {name}", self.name)) as usize
    }

    fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    fn flag(&self, name: &str) -> bool {
        self.settings[name].as_bool().unwrap_or(false)
    }

    pub(crate) fn tensor<const D: usize>(&self, name: &str, device: &Device) -> Tensor<D> {
        let named = &self.tensors[name];
        let shape = if named.shape.is_empty() { vec![1] } else { named.shape.clone() };
        Tensor::from_data(TensorData::new(named.values.clone(), shape), device)
    }

    /// The parameters, under the names of the state dictionary.
    pub(crate) fn parameters(&self) -> Vec<Named> {
        let prefix = "parameter.";
        let own = self.tensors.values().filter(|tensor| tensor.name.starts_with(prefix));
        renamed(own.cloned().collect(), &[(prefix, "")])
    }

    /// The parameters as the user's own file gives them.
    fn state(&self) -> Option<Vec<Named>> {
        let file = folder().join(self.state.as_ref()?);
        Some(from_pytorch(file, None).unwrap())
    }

    fn near<const D: usize>(&self, what: &str, found: Tensor<D>, name: &str, tolerance: f32) {
        let expected = &self.tensors[name];
        let found: Vec<f32> = found.into_data().iter::<f32>().collect();
        assert_eq!(found.len(), expected.values.len(), "{}: {what}", self.name);
        for (at, (found, expected)) in found.iter().zip(&expected.values).enumerate() {
            let far = (found - expected).abs();
            let own = &self.name;
            assert!(far <= tolerance, "{own}: {what} at {at}: {found} is not {expected}");
        }
    }

    fn output<const D: usize>(&self, found: Tensor<D>) {
        self.near("output", found, "output.y", 1e-5);
    }

    /// Compares the gradients of all parameters of a module; `rules` say which name of ours is which
    /// of theirs.
    fn gradients<M: Module>(&self, module: &M, gradients: &Gradients, rules: &[(&str, &str)]) {
        let mut visitor = Slopes { gradients, path: Vec::new(), found: Vec::new() };
        module.visit(&mut visitor);
        let found = renamed(visitor.found, rules);
        let mut compared = 0;
        for tensor in found {
            let name = format!("gradient.parameter.{}", tensor.name);
            if !self.has(&name) {
                continue;
            }
            compared += 1;
            let shape = [tensor.values.len()];
            let values = TensorData::new(tensor.values, shape);
            let values = Tensor::<1>::from_data(values, &device::cpu().unwrap());
            self.near(&name, values, &name, 1e-4);
        }
        let all = self.tensors.keys().filter(|name| name.starts_with("gradient.parameter."));
        assert_eq!(compared, all.count(), "{}: some gradients were not compared", self.name);
    }
}

/// Gradients by name.
struct Slopes<'a> {
    gradients: &'a Gradients,
    path: Vec<String>,
    found: Vec<Named>,
}

impl ModuleVisitor for Slopes<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(slope) = param.val().grad(self.gradients) {
            let shape = slope.dims().to_vec();
            let values = slope.into_data().iter::<f32>().collect();
            self.found.push(Named { name: self.path.join("."), shape, values });
        }
    }
}

fn inputs<'a>(values: Tensor<2>) -> Input<'a> {
    Input { values, rows: &[], eras: &[] }
}

/// Both the parameters of the case and those of the user's file, which are the same.
fn sources(case: &Case) -> Vec<Vec<Named>> {
    std::iter::once(case.parameters()).chain(case.state()).collect()
}

/// The shape of a case, and the names that a user's file has for ours.
fn perceptron(case: &Case) -> (Shape, &'static [(&'static str, &'static str)]) {
    let sequential = case.flag("sequential");
    let hidden = case.settings["hidden"].as_array().unwrap().iter();
    let shape = Shape {
        inputs: case.number("inputs"),
        hidden: hidden.map(|width| width.as_u64().unwrap() as usize).collect(),
        input_norm: !sequential,
        norm: !sequential,
        residual: case.flag("residual_where_equal"),
        dropout: 0.0,
        head: if sequential { Head::Identity } else { Head::Sigmoid },
    };
    // The user's `Sequential` numbers its parts: linear, ReLU, linear, ReLU, linear.
    let numbered: &[(&str, &str)] =
        &[("0.", "layers.0.linear."), ("2.", "layers.1.linear."), ("4.", "head.")];
    (shape, if sequential { numbered } else { &[] })
}

#[test]
fn perceptrons() {
    for case in of("mlp") {
        let (shape, rules) = perceptron(&case);
        let back: Vec<(&str, &str)> = rules.iter().map(|(a, b)| (*b, *a)).collect();
        for weights in sources(&case) {
            let device = training_device();
            let network = MlpNetwork::new(&shape, &mut Start::new(0, &device));
            let network = load(network, &renamed(weights, rules)).unwrap();
            let x = case.tensor::<2>("input.x", &device).require_grad();
            let y = network.on(&inputs(x.clone())).unwrap();
            case.output(y.clone());
            let weight = case.tensor::<2>("weight.y", &device).squeeze_dim::<1>(1);
            let gradients = (y * weight).sum().backward();
            case.near("input", x.grad(&gradients).unwrap(), "gradient.input.x", 1e-4);
            case.gradients(&network, &gradients, &back);
        }
    }
}

#[test]
fn attentions() {
    for case in of("attention") {
        let device = training_device();
        let read = |name: &str| case.tensor::<4>(name, &device).require_grad();
        let [q, k, v] = ["input.q", "input.k", "input.v"].map(read);
        let base = case.settings["rotary_base"].as_f64().map(|base| base as f32);
        let y = attention(q.clone(), k.clone(), v.clone(), case.flag("causal"), base).unwrap();
        case.output(y.clone());
        let gradients = (y * case.tensor("weight.y", &device)).sum().backward();
        for (tensor, name) in [(q, "q"), (k, "k"), (v, "v")] {
            let slope = tensor.grad(&gradients).unwrap();
            case.near(name, slope, &format!("gradient.input.{name}"), 1e-4);
        }
    }
}

#[test]
fn encoder_layers() {
    for case in of("encoder") {
        for recompute in [false, true] {
            let shape = EncoderShape {
                width: case.number("d_model"),
                heads: case.number("nhead"),
                hidden: case.number("dim_feedforward"),
                norm_first: case.flag("norm_first"),
                causal: case.flag("causal"),
                gelu: case.settings["activation"] == "gelu",
                rotary: None,
                dropout: 0.0,
                recompute,
            };
            for weights in sources(&case) {
                let device = training_device();
                let layer = EncoderLayer::new(shape, &mut Start::new(0, &device));
                let layer = load(layer, &weights).unwrap();
                let x = case.tensor::<3>("input.x", &device).require_grad();
                let y = layer.on(x.clone(), Noise::OFF, 0).unwrap();
                case.output(y.clone());
                let gradients = (y * case.tensor("weight.y", &device)).sum().backward();
                case.near("input", x.grad(&gradients).unwrap(), "gradient.input.x", 1e-4);
                case.gradients(&layer, &gradients, &[]);
            }
        }
    }
}

fn feature_shape(case: &Case) -> FeatureShape {
    let bins = case.number("bins");
    FeatureShape {
        inputs: case.number("features"),
        tokens: if bins > 0 { Tokens::Bins { bins } } else { Tokens::Numbers },
        layers: case.number("layers"),
        encoder: EncoderShape {
            width: case.number("width"),
            heads: case.number("heads"),
            hidden: case.number("hidden"),
            norm_first: true,
            causal: false,
            gelu: true,
            rotary: None,
            dropout: 0.0,
            recompute: false,
        },
        sigmoid: false,
    }
}

#[test]
fn feature_transformers() {
    for case in of("feature_transformer") {
        for weights in sources(&case) {
            let device = training_device();
            let network = FeatureNetwork::new(feature_shape(&case), &mut Start::new(0, &device));
            let network = load(network, &weights).unwrap();
            let x = case.tensor::<2>("input.x", &device).require_grad();
            let y = network.on(&inputs(x.clone())).unwrap();
            case.output(y.clone());
            let weight = case.tensor::<2>("weight.y", &device).squeeze_dim::<1>(1);
            let gradients = (y * weight).sum().backward();
            case.gradients(&network, &gradients, &[]);
            // Bins have no gradient.
            if let Some(slope) = x.grad(&gradients).filter(|_| case.has("gradient.input.x")) {
                case.near("input", slope, "gradient.input.x", 1e-4);
            }
        }
    }
}

/// A user's file is a model at once: names of ours or renamed, shapes as PyTorch has them.
#[test]
fn state_dictionaries_are_models() {
    for case in cases() {
        let (architecture, rules) = if case.name.starts_with("mlp") {
            let (shape, rules) = perceptron(&case);
            (Architecture::Mlp(shape), rules)
        } else if case.name.starts_with("feature_transformer") {
            (Architecture::Features(feature_shape(&case)), [].as_slice())
        } else {
            continue;
        };
        let names: Vec<String> = (0..architecture.inputs()).map(|at| format!("x{at}")).collect();
        let x = &case.tensors["input.x"].values;
        let column =
            |at: usize| x.iter().skip(at).step_by(names.len()).copied().collect::<Vec<_>>();
        let panel = names
            .iter()
            .enumerate()
            .fold(Panel::builder(), |panel, (at, name)| panel.feature(name.as_str(), column(at)));
        let panel = panel.build().unwrap();
        let weights = renamed(case.state().unwrap(), rules);
        let model = NeuralModel::with_weights(architecture, names, weights).unwrap();
        let read = NeuralModel::from_bytes(&model.to_bytes().unwrap()).unwrap();
        for model in [model, read] {
            let found = model.predict(&panel).unwrap();
            let shape = [found.len()];
            case.output(Tensor::<1>::from_data(TensorData::new(found, shape), &training_device()));
        }
    }
}

#[test]
fn files_are_read_within_or_refused() {
    let read = |file: &str, within| from_pytorch(folder().join(file), within);
    let within = renamed(read("file_within.pt", Some("model")).unwrap(), &[("state_dict.", "")]);
    for weights in [within, read("file_legacy.pt", None).unwrap()] {
        let names: Vec<&str> = weights.iter().map(|tensor| tensor.name.as_str()).collect();
        assert_eq!(names, ["brain", "double", "half", "tied", "weight"]);
        for tensor in &weights {
            let expected = if tensor.name == "tied" { 3..6 } else { 0..6 };
            let expected: Vec<f32> = expected.map(|at| at as f32 / 4.0).collect();
            assert_eq!(tensor.values, expected, "{}", tensor.name);
        }
    }
    for (file, within, words) in [
        ("file_within.pt", Some("modle"), "modle"),
        ("file_within.pt", Some("epoch"), "epoch"),
        ("file_empty.pt", None, "no tensor"),
        ("file_none.pt", None, "file_none.pt"),
        ("cases.json", None, "not a PyTorch"),
        ("mlp.safetensors", None, "not a PyTorch"),
    ] {
        let told = read(file, within).unwrap_err().to_string();
        assert!(told.contains(words), "{told}");
    }
    // A view of 4 GiB in a file of two kilobytes; one tensor under a hundred names.
    let repeats = read("file_repeats.pt", None);
    let most = 1 << 32;
    assert!(matches!(repeats, Err(Error::TooLarge { bytes, .. }) if bytes == most), "{repeats:?}");
    let shared = read("file_shared.pt", None);
    assert!(matches!(shared, Err(Error::TooLarge { .. })), "{shared:?}");
}

/// A stack of recurrent layers under PyTorch's names.
#[derive(Module, Debug)]
struct Stack {
    layers: Vec<RecurrentLayer>,
}

/// The step that many from the end.
fn last(steps: &Tensor<3>, back: usize) -> Tensor<2> {
    steps.clone().narrow(1, steps.dims()[1] - back, 1).squeeze_dim(1)
}

/// What an LSTM carries after the last step: `h = o tanh(c)`, so `c = artanh(h / o)`, with the output
/// gate o, the last quarter of the rows, from the step's input and the state before it.
fn carried(layer: &RecurrentLayer, inputs: Tensor<3>, states: Tensor<3>) -> Tensor<2> {
    let width = states.dims()[2];
    let own = |matrix: Tensor<2>| {
        let rows = matrix.dims()[0];
        matrix.narrow(0, rows - width, width).transpose()
    };
    let bias = |bias: Tensor<1>| {
        let rows = bias.dims()[0];
        bias.narrow(0, rows - width, width).unsqueeze::<2>()
    };
    let output = last(&inputs, 1).matmul(own(layer.weight_ih.val()))
        + last(&states, 2).matmul(own(layer.weight_hh.val()))
        + bias(layer.bias_ih.val())
        + bias(layer.bias_hh.val());
    let share = last(&states, 1) / sigmoid(output);
    (share.clone().add_scalar(1.0) / share.neg().add_scalar(1.0)).log().mul_scalar(0.5)
}

#[test]
fn recurrent_cells() {
    for (name, cell) in [("lstm", Cell::Lstm), ("gru", Cell::Gru)] {
        for case in of(name) {
            let device = training_device();
            let (inputs, width) = (case.number("inputs"), case.number("width"));
            let mut start = Start::new(0, &device);
            let layer = |at| {
                RecurrentLayer::new(cell, if at == 0 { inputs } else { width }, width, &mut start)
            };
            let stack = Stack { layers: (0..case.number("layers")).map(layer).collect() };
            // `cell.weight_ih_l1` is `layers.1.weight_ih` here.
            let ours = |name: &str| {
                let (name, layer) = name.trim_start_matches("cell.").rsplit_once("_l").unwrap();
                format!("layers.{layer}.{name}")
            };
            let mut weights = case.parameters();
            let theirs: Vec<String> = weights.iter().map(|tensor| tensor.name.clone()).collect();
            weights.iter_mut().for_each(|tensor| tensor.name = ours(&tensor.name));
            let stack = load(stack, &weights).unwrap();
            let x = case.tensor::<3>("input.x", &device).require_grad();
            let (mut y, mut hidden, mut memory) = (x.clone(), Vec::new(), Vec::new());
            for layer in &stack.layers {
                let states = layer.on(y.clone()).unwrap();
                if cell == Cell::Lstm {
                    memory.push(carried(layer, y, states.clone()).unsqueeze::<3>());
                }
                hidden.push(last(&states, 1).unsqueeze::<3>());
                y = states;
            }
            case.output(y.clone());
            case.near("hidden", Tensor::cat(hidden, 0), "output.hidden", 1e-5);
            if !memory.is_empty() {
                case.near("memory", Tensor::cat(memory, 0), "output.memory", 1e-5);
            }
            let gradients = (y * case.tensor("weight.y", &device)).sum().backward();
            case.near("input", x.grad(&gradients).unwrap(), "gradient.input.x", 1e-4);
            let names: Vec<(String, String)> =
                theirs.into_iter().map(|name| (ours(&name), name)).collect();
            let rules: Vec<(&str, &str)> = names.iter().map(|(a, b)| (&**a, &**b)).collect();
            case.gradients(&stack, &gradients, &rules);
        }
    }
}

#[test]
fn autoencoders() {
    for case in of("vae") {
        let device = training_device();
        let shape = VaeShape {
            inputs: case.number("inputs"),
            hidden: case.number("hidden"),
            latent: case.number("latent"),
            beta: case.settings["beta"].as_f64().unwrap(),
            free_bits: case.settings["free_bits"].as_f64().unwrap(),
        };
        let rules =
            [("decoder.0.", "decoder."), ("decoder.2.", "output."), ("encoder.0.", "encoder.")];
        let mut weights = renamed(case.parameters(), &rules);
        for (name, value) in [("centre", 0.0), ("spread", 1.0)] {
            let (shape, values) = (vec![shape.inputs], vec![value; shape.inputs]);
            weights.push(Named { name: name.to_owned(), shape, values });
        }
        let with = |beta: f64, free_bits: f64| {
            let shape = VaeShape { beta, free_bits, ..shape };
            load(VaeNetwork::new(shape, &mut Start::new(0, &device)), &weights).unwrap()
        };
        let network = with(shape.beta, shape.free_bits);
        let x = case.tensor::<2>("input.x", &device).require_grad();
        let noise = case.tensor::<2>("input.noise", &device);
        let [mu, logvar] = network.encode(x.clone()).unwrap();
        case.near("mu", mu.clone(), "output.mu", 1e-5);
        case.near("logvar", logvar.clone(), "output.logvar", 1e-5);
        let latent = mu + logvar.mul_scalar(0.5).exp() * noise.clone();
        case.near("decoded", network.decode(latent).unwrap(), "output.decoded", 1e-5);
        let loss = network.loss_with(x.clone(), Some(noise.clone())).unwrap();
        case.near("loss", loss.clone(), "output.loss", 1e-5);
        // The parts: no weight on the divergence leaves the reconstruction, a floor of 0 all of both.
        let part = |beta, free_bits| {
            with(beta, free_bits).loss_with(x.clone(), Some(noise.clone())).unwrap()
        };
        let reconstruction = part(0.0, 0.0);
        case.near("reconstruction", reconstruction.clone(), "output.reconstruction", 1e-5);
        let divergence = (part(1.0, 0.0) - reconstruction).into_data();
        let divergence = divergence.iter::<f32>().next().unwrap();
        let expected: f32 = case.tensors["output.kl"].values.iter().sum();
        assert!((divergence - expected).abs() < 2e-5, "kl: {divergence} is not {expected}");
        let gradients = (loss * case.tensor::<1>("weight.loss", &device)).sum().backward();
        case.near("input", x.grad(&gradients).unwrap(), "gradient.input.x", 1e-4);
        let back = rules.map(|(theirs, ours)| (ours, theirs));
        case.gradients(&network, &gradients, &back);
    }
}

fn edges(case: &Case) -> Edges {
    let side = |at: usize| -> Vec<u32> {
        let ends = case.settings["edges"][at].as_array().unwrap();
        ends.iter().map(|node| node.as_u64().unwrap() as u32).collect()
    };
    Edges { nodes: case.number("nodes"), sources: side(0), targets: side(1) }
}

#[test]
fn graph_attentions() {
    for case in of("gatv2") {
        let shape = Gatv2Shape {
            inputs: case.number("in_channels"),
            heads: case.number("heads"),
            width: case.number("out_channels"),
            edge_inputs: case.settings["edge_dim"].as_u64().unwrap_or(0) as usize,
            share: case.flag("share_weights"),
            concat: case.flag("concat"),
            residual: case.flag("residual"),
            negative_slope: case.settings["negative_slope"].as_f64().unwrap(),
        };
        for weights in sources(&case) {
            let device = training_device();
            let layer = Gatv2Layer::new(shape, &mut Start::new(0, &device));
            // With shared weights both sides stand in the dictionary, and are one here.
            let twice: &[&str] = if shape.share { &["lin_r."] } else { &[] };
            let weights = without(weights, twice);
            let layer = load(layer, &weights).unwrap();
            let x = case.tensor::<3>("input.x", &device).require_grad();
            let features = (shape.edge_inputs > 0)
                .then(|| case.tensor::<2>("input.edge_features", &device).require_grad());
            let y = layer
                .on(&edges(&case), case.flag("add_self_loops"), x.clone(), features.clone())
                .unwrap();
            case.output(y.clone());
            let gradients = (y * case.tensor("weight.y", &device)).sum().backward();
            case.near("input", x.grad(&gradients).unwrap(), "gradient.input.x", 1e-4);
            if let Some(features) = features {
                let slope = features.grad(&gradients).unwrap();
                case.near("edge features", slope, "gradient.input.edge_features", 1e-4);
            }
            case.gradients(&layer, &gradients, &[]);
        }
    }
}

#[test]
fn graph_sums() {
    for case in of("gin") {
        for weights in sources(&case) {
            let device = training_device();
            let rules = [("nn.0.", "first."), ("nn.2.", "second.")];
            let weights = renamed(weights, &rules);
            let x = case.tensor::<3>("input.x", &device).require_grad();
            let find = |name: &str| weights.iter().find(|tensor| tensor.name == name).unwrap();
            let (first, second) = (&find("first.weight").shape, &find("second.weight").shape);
            let layer = GinLayer::new(first[1], first[0], second[0], &mut Start::new(0, &device));
            let layer = load(layer, &weights).unwrap();
            let y = layer.on(&edges(&case), x.clone()).unwrap();
            case.output(y.clone());
            let gradients = (y * case.tensor("weight.y", &device)).sum().backward();
            case.near("input", x.grad(&gradients).unwrap(), "gradient.input.x", 1e-4);
            case.gradients(&layer, &gradients, &rules.map(|(theirs, ours)| (ours, theirs)));
        }
    }
}
