//! Whole layers around the kernels against PyTorch Geometric: `GATv2Conv` and `GINConv`.
//!
//! The products with the layers' matrices are plain loops in `f64` here, so that a difference is the kernel's. The
//! reference outputs and the tolerances stand with the networks' tests, which own them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fattail_fused::graph::{
    Edges, Gatv2, Gatv2Gradients, Gatv2Inputs, Gin, GinGradients, Graph, SelfLoops,
};
use serde_json::Value;

use super::distance;
use super::plain::wide;

type Tensors = BTreeMap<String, Vec<f32>>;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../neural/tests/reference")
}

/// The tensors of a safetensors file of 32-bit floats.
fn tensors(file: &str) -> Tensors {
    let bytes = std::fs::read(folder().join(file)).unwrap();
    let (length, rest) = bytes.split_at(8);
    let (head, values) = rest.split_at(u64::from_le_bytes(length.try_into().unwrap()) as usize);
    let head: BTreeMap<String, Value> = serde_json::from_slice(head).unwrap();
    let read = |entry: &Value| {
        let at = |place: usize| entry["data_offsets"][place].as_u64().unwrap() as usize;
        let words = values[at(0)..at(1)].chunks_exact(4);
        words.map(|word| f32::from_le_bytes(word.try_into().unwrap())).collect()
    };
    head.iter()
        .filter(|(name, _)| *name != "__metadata__")
        .map(|(name, entry)| (name.clone(), read(entry)))
        .collect()
}

fn cases(prefix: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(folder().join("cases.json")).unwrap();
    let all: Value = serde_json::from_str(&text).unwrap();
    let named = |case: &&Value| case["name"].as_str().unwrap().starts_with(prefix);
    all["cases"].as_array().unwrap().iter().filter(named).cloned().collect()
}

fn list(settings: &Value) -> Edges {
    let ends = |side: usize| serde_json::from_value(settings["edges"][side].clone()).unwrap();
    Edges {
        nodes: settings["nodes"].as_u64().unwrap() as usize,
        sources: ends(0),
        targets: ends(1),
    }
}

/// x [rows, inputs] times the transposed matrix [outputs, inputs], plus the bias.
fn linear(x: &[f32], matrix: &[f32], bias: Option<&Vec<f32>>, inputs: usize) -> Vec<f32> {
    let outputs = matrix.len() / inputs;
    let value = |row: &[f32], output: usize| {
        let products =
            row.iter().zip(&matrix[output * inputs..]).map(|(&x, &w)| f64::from(x) * f64::from(w));
        (products.sum::<f64>() + bias.map_or(0.0, |bias| f64::from(bias[output]))) as f32
    };
    x.chunks_exact(inputs)
        .flat_map(|row| (0..outputs).map(move |output| value(row, output)))
        .collect()
}

/// The gradients of `linear`'s input, matrix and bias.
fn linear_back(x: &[f32], matrix: &[f32], gradient: &[f32], inputs: usize) -> [Vec<f64>; 3] {
    let outputs = matrix.len() / inputs;
    let mut out = [vec![0.0; x.len()], vec![0.0; matrix.len()], vec![0.0; outputs]];
    for (row, gradient) in gradient.chunks_exact(outputs).enumerate() {
        for (output, &g) in gradient.iter().enumerate() {
            out[2][output] += f64::from(g);
            for input in 0..inputs {
                out[0][row * inputs + input] +=
                    f64::from(g) * f64::from(matrix[output * inputs + input]);
                out[1][output * inputs + input] +=
                    f64::from(g) * f64::from(x[row * inputs + input]);
            }
        }
    }
    out
}

struct Checked<'a> {
    name: &'a str,
    tensors: &'a Tensors,
    forward: f64,
    gradient: f64,
}

impl<'a> Checked<'a> {
    fn new(case: &'a Value, tensors: &'a Tensors) -> Self {
        let number = |name: &str| case[name].as_f64().unwrap();
        let name = case["name"].as_str().unwrap();
        Self { name, tensors, forward: number("forward"), gradient: number("gradient") }
    }

    fn expect(&self, tensor: &str, found: &[f64]) {
        let allowed = if tensor.starts_with("gradient") { self.gradient } else { self.forward };
        let miss = distance(&self.tensors[tensor], found);
        assert!(miss < allowed, "{}: {tensor} misses by {miss}", self.name);
    }
}

fn narrow(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&value| value as f32).collect()
}

fn plus(left: &[f64], right: &[f64]) -> Vec<f64> {
    left.iter().zip(right).map(|(l, r)| l + r).collect()
}

/// The head's means, or the columns of all heads.
fn join(layer: &Gatv2, out: &[f32], concat: bool) -> Vec<f64> {
    let (heads, width) = (layer.heads, layer.width);
    let mean = |row: &[f32], column: usize| -> f64 {
        (0..heads).map(|head| f64::from(row[head * width + column])).sum::<f64>() / heads as f64
    };
    if concat {
        return wide(out);
    }
    out.chunks_exact(heads * width)
        .flat_map(|row| (0..width).map(move |column| mean(row, column)))
        .collect()
}

/// The gradient before joining.
fn part(layer: &Gatv2, gradient: &[f32], concat: bool) -> Vec<f32> {
    if concat {
        return gradient.to_vec();
    }
    let share = |row: &[f32]| -> Vec<f32> { row.iter().map(|g| g / layer.heads as f32).collect() };
    gradient.chunks_exact(layer.width).flat_map(|row| share(row).repeat(layer.heads)).collect()
}

#[test]
fn gatv2_equals_pytorch_geometric() {
    let cases = cases("gatv2_");
    assert_eq!(cases.len(), 7);
    for case in &cases {
        gatv2(case);
    }
}

fn gatv2(case: &Value) {
    let (settings, tensors) = (&case["settings"], tensors(case["file"].as_str().unwrap()));
    let checked = Checked::new(case, &tensors);
    let [concat, shared, residual, looped] =
        ["concat", "share_weights", "residual", "add_self_loops"]
            .map(|name| settings[name].as_bool().unwrap());
    let list = list(settings);
    let loops = SelfLoops::new(&list).unwrap();
    let graph = Graph::new(if looped { loops.edges().clone() } else { list }).unwrap();
    let layer = Gatv2 { batch: 2, heads: 2, width: 4, negative_slope: 0.2 };
    let parameter = |name: &str| &tensors[&format!("parameter.{name}")];
    let x = &tensors["input.x"];
    let [left, right] = ["lin_l", "lin_r"].map(|name| {
        linear(x, parameter(&format!("{name}.weight")), Some(parameter(&format!("{name}.bias"))), 5)
    });
    let features = tensors
        .get("input.edge_features")
        .map(|raw| if looped { loops.fill(raw, 3).unwrap() } else { raw.clone() });
    let term =
        features.as_ref().map(|features| linear(features, parameter("lin_edge.weight"), None, 3));
    let inputs = Gatv2Inputs {
        left: &left,
        right: &right,
        edge: term.as_deref(),
        attention: parameter("att"),
    };
    let (mut out, mut weights) = (vec![0.0; left.len()], vec![0.0; 2 * graph.edges().len() * 2]);
    layer.forward(&graph, &inputs, &mut out, &mut weights).unwrap();
    let mut y = join(&layer, &out, concat);
    let columns = parameter("bias").len();
    y.iter_mut().enumerate().for_each(|(at, y)| *y += f64::from(parameter("bias")[at % columns]));
    if residual {
        y = plus(&y, &wide(&linear(x, parameter("res.weight"), None, 5)));
    }
    checked.expect("output.y", &y);

    let outer = &tensors["weight.y"];
    let gradient = part(&layer, outer, concat);
    let (mut d_left, mut d_right, mut d_attention) = (left.clone(), left.clone(), vec![0.0; 8]);
    let mut d_term = term.clone();
    let gradients = Gatv2Gradients {
        left: &mut d_left,
        right: &mut d_right,
        edge: d_term.as_deref_mut(),
        attention: &mut d_attention,
    };
    layer.backward(&graph, &inputs, &weights, &gradient, gradients).unwrap();
    checked.expect("gradient.parameter.att", &wide(&d_attention));
    let [x_left, w_left, b_left] = linear_back(x, parameter("lin_l.weight"), &d_left, 5);
    let [x_right, w_right, b_right] = linear_back(x, parameter("lin_r.weight"), &d_right, 5);
    let mut d_x = plus(&x_left, &x_right);
    if residual {
        let [x_residual, w_residual, _] = linear_back(x, parameter("res.weight"), outer, 5);
        d_x = plus(&d_x, &x_residual);
        checked.expect("gradient.parameter.res.weight", &w_residual);
    }
    checked.expect("gradient.input.x", &d_x);
    if shared {
        checked.expect("gradient.parameter.lin_l.weight", &plus(&w_left, &w_right));
        checked.expect("gradient.parameter.lin_l.bias", &plus(&b_left, &b_right));
    } else {
        checked.expect("gradient.parameter.lin_l.weight", &w_left);
        checked.expect("gradient.parameter.lin_l.bias", &b_left);
        checked.expect("gradient.parameter.lin_r.weight", &w_right);
        checked.expect("gradient.parameter.lin_r.bias", &b_right);
    }
    if let (Some(features), Some(d_term)) = (&features, &d_term) {
        let [d_features, d_matrix, _] =
            linear_back(features, parameter("lin_edge.weight"), d_term, 3);
        checked.expect("gradient.parameter.lin_edge.weight", &d_matrix);
        let raw = if looped {
            wide(&loops.fill_gradient(&narrow(&d_features), 3).unwrap())
        } else {
            d_features
        };
        checked.expect("gradient.input.edge_features", &raw);
    }
}

#[test]
fn gin_equals_pytorch_geometric() {
    let cases = cases("gin");
    assert_eq!(cases.len(), 1);
    let (case, tensors) = (&cases[0], tensors("gin.safetensors"));
    let checked = Checked::new(case, &tensors);
    let graph = Graph::new(list(&case["settings"])).unwrap();
    let parameter = |name: &str| &tensors[&format!("parameter.{name}")];
    let (layer, x, epsilon) =
        (Gin { batch: 2, width: 5 }, &tensors["input.x"], parameter("eps")[0]);
    let mut gathered = vec![0.0; x.len()];
    layer.forward(&graph, epsilon, x, &mut gathered).unwrap();
    let hidden = linear(&gathered, parameter("nn.0.weight"), Some(parameter("nn.0.bias")), 5);
    let active: Vec<f32> = hidden.iter().map(|value| value.max(0.0)).collect();
    let y = linear(&active, parameter("nn.2.weight"), Some(parameter("nn.2.bias")), 7);
    checked.expect("output.y", &wide(&y));

    let [d_active, second, second_bias] =
        linear_back(&active, parameter("nn.2.weight"), &tensors["weight.y"], 7);
    checked.expect("gradient.parameter.nn.2.weight", &second);
    checked.expect("gradient.parameter.nn.2.bias", &second_bias);
    let d_hidden: Vec<f64> = hidden
        .iter()
        .zip(d_active)
        .map(|(&value, slope)| if value > 0.0 { slope } else { 0.0 })
        .collect();
    let [d_gathered, first, first_bias] =
        linear_back(&gathered, parameter("nn.0.weight"), &narrow(&d_hidden), 5);
    checked.expect("gradient.parameter.nn.0.weight", &first);
    checked.expect("gradient.parameter.nn.0.bias", &first_bias);
    let (mut d_x, mut d_epsilon) = (vec![0.0; x.len()], 0.0);
    let gradients = GinGradients { input: &mut d_x, epsilon: &mut d_epsilon };
    layer.backward(&graph, epsilon, x, &narrow(&d_gathered), gradients).unwrap();
    checked.expect("gradient.input.x", &wide(&d_x));
    checked.expect("gradient.parameter.eps", &[f64::from(d_epsilon)]);
}
