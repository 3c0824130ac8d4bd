//! Attacks on everything that reads a file: bytes flipped, cut off and put in, numbers grown beyond all
//! bounds. Nothing panics, and what is read holds no more values than its file can.

use std::panic::{AssertUnwindSafe, catch_unwind};

use fattail_core::{Panel, Predict};
use fattail_fused::graph::Edges;
use fattail_mlp::{Head, Network};
use fattail_neural::{
    Architecture, Error, NeuralModel, QuantisedModel,
    layers::{Cell, EncoderShape},
    nets::{
        FeatureShape, GraphKind, GraphShape, Nodes, RecurrentShape, SequenceShape, Tokens,
        VaeShape, Weighted,
    },
    weights::{Named, from_pytorch, from_safetensors},
};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use crate::references::folder;

const ENCODER: EncoderShape = EncoderShape {
    width: 8,
    heads: 2,
    hidden: 12,
    norm_first: true,
    causal: true,
    gelu: false,
    rotary: Some(100.0),
    dropout: 0.0,
    recompute: false,
};

/// A model of every kind, untrained, of three features.
fn models() -> Vec<NeuralModel> {
    let (inputs, window, layers, sigmoid, dropout) = (3, 2, 2, false, 0.0);
    let encoder = ENCODER;
    let tokens = Tokens::Bins { bins: 4 };
    let edges = Edges { nodes: 3, sources: vec![0, 1], targets: vec![1, 2] };
    let graph = Weighted { edges, weights: vec![1.0, -0.5] };
    let (width, heads, cell, hidden) = (8, 2, Cell::Lstm, 6);
    let features = Nodes::Features { graph: graph.clone() };
    let ids = ["x", "y", "z"].map(str::to_owned).to_vec();
    let assets = Nodes::Assets { graph, ids, asset: Vec::new() };
    let on =
        |nodes, kind| GraphShape { inputs, nodes, kind, layers, heads, width, dropout, sigmoid };
    let perceptron = Network {
        inputs,
        hidden: vec![7],
        input_norm: true,
        norm: true,
        residual: true,
        dropout,
        head: Head::Sigmoid,
    };
    let all = [
        Architecture::Mlp(perceptron),
        Architecture::Features(FeatureShape { inputs, tokens, layers, encoder, sigmoid }),
        Architecture::Sequence(SequenceShape { inputs, window, layers, encoder, sigmoid }),
        Architecture::Recurrent(RecurrentShape {
            inputs,
            window,
            cell,
            layers,
            hidden,
            dropout,
            sigmoid,
        }),
        Architecture::Graph(on(features, GraphKind::Gatv2)),
        Architecture::Graph(on(assets, GraphKind::Gin)),
        Architecture::Vae(VaeShape { inputs, hidden, latent: 2, beta: 1.0, free_bits: 0.0 }),
    ];
    let names = ["a", "b", "c"].map(str::to_owned).to_vec();
    let model = |architecture: Architecture| {
        let weights = architecture.start(7).unwrap();
        NeuralModel::with_weights(architecture, names.clone(), weights).unwrap()
    };
    all.into_iter().map(model).collect()
}

/// Three assets over four eras.
fn panel() -> Panel {
    let eras: Vec<String> = (0..12).map(|row| format!("{}", row / 3)).collect();
    let ids: fattail_core::Ids = ["x", "y", "z"].into_iter().cycle().take(12).collect();
    let column = |factor: f32| (0..12).map(|row| factor * (row % 5) as f32).collect::<Vec<f32>>();
    let panel = Panel::builder().eras(&eras).unwrap().ids(ids);
    let panel = panel.feature("a", column(0.5)).feature("b", column(-1.0));
    panel.feature("c", column(0.25)).build().unwrap()
}

/// The header of a safetensors file.
fn header(bytes: &[u8]) -> String {
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    String::from_utf8(bytes[8..8 + length].to_vec()).unwrap()
}

/// The file with another header.
fn with_header(bytes: &[u8], new: &str) -> Vec<u8> {
    let rest = &bytes[8 + header(bytes).len()..];
    [&(new.len() as u64).to_le_bytes(), new.as_bytes(), rest].concat()
}

/// A seeded attacker.
struct Attack(u64);

impl Attack {
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end.max(1)
    }

    /// One to three changes, most of them where a file says how long things are.
    fn on(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..=self.below(3) {
            let end = if self.below(4) > 0 { bytes.len().min(900) } else { bytes.len() };
            let at = self.below(end);
            match self.below(4) {
                0 => bytes.truncate(at),
                1 => {
                    let count = 1 + self.below(9);
                    let new: Vec<u8> = (0..count).map(|_| self.below(256) as u8).collect();
                    bytes.splice(at..at, new);
                }
                2 if at < bytes.len() => bytes[at] = [0, 1, 0x7F, 0x80, 0xFF][self.below(5)],
                _ if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                _ => {}
            }
        }
        bytes
    }

    /// A number of the header becomes another one.
    fn on_numbers(&mut self, bytes: &[u8]) -> Vec<u8> {
        let old = header(bytes);
        let starts: Vec<usize> = old
            .match_indices(|c: char| c.is_ascii_digit())
            .map(|(at, _)| at)
            .filter(|&at| at == 0 || !old.as_bytes()[at - 1].is_ascii_digit())
            .collect();
        let from = starts[self.below(starts.len())];
        let digits = old[from..].bytes().take_while(u8::is_ascii_digit).count();
        let new =
            ["0", "1", "3", "4294967295", "1152921504606846976", "18446744073709551615", "-1"];
        let new = new[self.below(new.len())];
        with_header(bytes, &[&old[..from], new, &old[from + digits..]].concat())
    }
}

/// Attacks a file so many times; `read` reads what is left of it.
fn attack(what: &str, bytes: &[u8], times: u64, is_safetensors: bool, read: impl Fn(&[u8])) {
    for number in 0..times {
        let mut attack = Attack(number.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ bytes.len() as u64);
        let noisy = match is_safetensors && number % 2 == 0 {
            true => attack.on_numbers(bytes),
            false => attack.on(bytes),
        };
        let done = catch_unwind(AssertUnwindSafe(|| read(&noisy)));
        assert!(done.is_ok(), "{what}: attack {number} panics");
    }
}

fn values(weights: &[Named]) -> usize {
    weights.iter().map(|tensor| tensor.values.len()).sum()
}

#[test]
fn models_survive_attacks_on_their_files() {
    let panel = panel();
    for model in models() {
        let what = format!("{:?}", model.architecture);
        attack(&what, &model.to_bytes().unwrap(), 300, true, |bytes| {
            if let Ok(model) = NeuralModel::from_bytes(bytes) {
                assert!(4 * model.parameters() <= bytes.len());
                // Whatever it says by now, it says it in numbers or with an error.
                if let Ok(found) = model.predict(&panel) {
                    assert!(found.iter().all(|value| !value.is_nan()));
                }
            }
        });
        attack(&what, &model.quantised().unwrap().to_bytes().unwrap(), 200, true, |bytes| {
            if let Ok(model) = QuantisedModel::from_bytes(bytes) {
                assert!(model.bytes() <= bytes.len());
                let _ = model.predict(&panel);
            }
        });
    }
}

#[test]
fn weights_survive_attacks_on_their_files() {
    let bytes = std::fs::read(folder().join("gin.safetensors")).unwrap();
    attack("safetensors", &bytes, 1000, true, |bytes| {
        if let Ok(weights) = from_safetensors(bytes) {
            assert!(4 * values(&weights) <= 2 * bytes.len());
        }
    });
    let folder_of_own = tempfile::tempdir().unwrap();
    let count = std::cell::Cell::new(0);
    for file in ["mlp.pt", "gin.pt", "file_within.pt", "file_legacy.pt", "file_repeats.pt"] {
        let bytes = std::fs::read(folder().join(file)).unwrap();
        attack(file, &bytes, 300, false, |bytes| {
            // A new file each: writing over one waits for the disk.
            count.set(count.get() + 1);
            let path = folder_of_own.path().join(format!("{}.pt", count.get()));
            std::fs::write(&path, bytes).unwrap();
            let found = from_pytorch(&path, None);
            std::fs::remove_file(path).unwrap();
            if let Ok(weights) = found {
                assert!(4 * values(&weights) <= 32 * bytes.len());
            }
        });
    }
}

#[test]
fn shapes_larger_than_their_files_are_refused() {
    let mut refused = 0;
    for model in models() {
        let bytes = model.to_bytes().unwrap();
        let text = header(&bytes);
        for key in ["layers", "width", "hidden", "latent", "bins", "inputs", "nodes"] {
            // A setting stands in text within text.
            let key = format!("{key}\\\":");
            let Some(at) = text.find(&key).map(|at| at + key.len()) else {
                continue;
            };
            let digits = text[at..].bytes().take_while(u8::is_ascii_digit).count();
            for huge in ["1048576", "1152921504606846976"] {
                if digits > 0 {
                    let new = [&text[..at], huge, &text[at + digits..]].concat();
                    let found = NeuralModel::from_bytes(&with_header(&bytes, &new));
                    let told = found.expect_err(&key).to_string();
                    let known = ["parameters", "inputs", "features", "nodes", "heads"];
                    assert!(known.iter().any(|word| told.contains(word)), "{key} {huge}: {told}");
                    refused += 1;
                }
            }
        }
    }
    assert!(refused >= 30, "{refused}");
    // A window asks for no weights: such a model reads, and no row has its history.
    let windows = models().into_iter().filter(|model| model.architecture.window() > 1);
    for model in windows {
        let bytes = model.to_bytes().unwrap();
        let text = header(&bytes).replace("window\\\":2", "window\\\":1152921504606846976");
        let model = NeuralModel::from_bytes(&with_header(&bytes, &text)).unwrap();
        assert!(model.architecture.window() > 1 << 50);
        let found = model.predict(&panel());
        assert!(found.is_err() || found.is_ok_and(|all| all == [0.0; 12]));
    }
}

#[test]
fn weights_far_too_few_are_told_before_the_network_is_built() {
    let model = models().swap_remove(1);
    let Architecture::Features(shape) = model.architecture else { panic!("a transformer") };
    let wide = FeatureShape { encoder: EncoderShape { width: 2000, ..ENCODER }, ..shape };
    let wide = Architecture::Features(wide);
    let expected = wide.parameters().unwrap();
    let found = NeuralModel::with_weights(wide, model.features, model.weights);
    assert!(matches!(found, Err(Error::TooFewWeights { expected: e, .. }) if e == expected));
}

#[test]
fn matrices_without_columns_and_scales_that_do_not_fit_are_refused() {
    let bytes = models()[0].quantised().unwrap().to_bytes().unwrap();
    let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let broken = |name: &str, kind: Dtype, shape: Vec<usize>, data: &[u8]| {
        let views = file.iter().map(|(own, view)| match own == name {
            true => (own.to_owned(), TensorView::new(kind, shape.clone(), data).unwrap()),
            false => (own.to_owned(), view),
        });
        let text = metadata.metadata().clone();
        let bytes = safetensors::serialize(views.collect::<Vec<_>>(), text).unwrap();
        QuantisedModel::from_bytes(&bytes).unwrap_err().to_string()
    };
    let weight = "layers.0.linear.weight";
    assert!(broken(weight, Dtype::I8, vec![7, 0], &[]).contains("[7, 0], which is empty"));
    assert!(broken(weight, Dtype::I8, vec![21], &[0; 21]).contains("not that of a matrix"));
    let scales = "layers.0.linear.weight.scales";
    assert!(broken(scales, Dtype::F32, vec![6], &[0; 24]).contains("do not fit"));
    assert!(broken(scales, Dtype::I32, vec![7], &[0; 28]).contains("scales"));
    assert!(broken(scales, Dtype::F32, vec![7], &[0xFF; 28]).contains("NaN"));
}
