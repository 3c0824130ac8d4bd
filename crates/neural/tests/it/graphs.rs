//! Graphs: what they are made from, networks by hand, PyTorch Geometric's residual path, and bad input.

use burn::tensor::{Device, Tensor};
use fattail_core::{Ids, Panel, Predict};
use fattail_fused::graph::Edges;
use fattail_neural::{
    Adjacency, Architecture, Error, GraphNet, GraphOf, Learner, NeuralModel, Regime, device,
    layers::{Gatv2Layer, Gatv2Shape, GinLayer, Start},
    nets::{GraphKind, GraphShape, Nodes, Weighted},
    weights::{Named, load},
};
use fattail_training::{Holdout, Portion, Training};
use serde_json::Value;

use crate::references::folder;

fn edges(nodes: usize, pairs: &[(u32, u32)]) -> Edges {
    let (sources, targets) = pairs.iter().copied().unzip();
    Edges { nodes, sources, targets }
}

/// Two features, an edge from the first to the second, one GIN layer of width 3.
fn sums() -> Architecture {
    Architecture::Graph(GraphShape {
        inputs: 2,
        nodes: Nodes::Features {
            graph: Weighted { edges: edges(2, &[(0, 1)]), weights: vec![1.0] },
        },
        kind: GraphKind::Gin,
        layers: 1,
        heads: 1,
        width: 3,
        dropout: 0.0,
        sigmoid: false,
    })
}

#[test]
fn a_node_counts_one_and_epsilon_in_a_gin_network() {
    let architecture = sums();
    let mut weights = architecture.start(1).unwrap();
    for Named { name, values, .. } in &mut weights {
        values.fill(0.0);
        match name.as_str() {
            // Both nodes begin at (0, 0, 3 x).
            "embed_weight" => (values[2], values[5]) = (3.0, 3.0),
            "layers.0.norm.weight" | "norm.weight" => values.fill(1.0),
            "layers.0.gin.eps" => values[0] = 0.5,
            // Normed they are (-1, -1, 2) / sqrt 2: the first layer's first unit is sqrt 2 a node that counts.
            "layers.0.gin.first.weight" => values[2] = 0.5f32.sqrt(),
            // The second value of the output: row 1, unit 0 of 6.
            "layers.0.gin.second.weight" => values[6] = 1.0,
            "head.weight" => values[0] = 1.0,
            _ => {}
        }
    }
    let features = vec!["a".to_owned(), "b".to_owned()];
    let model = NeuralModel::with_weights(architecture, features, weights).unwrap();
    let panel = Panel::builder().feature("a", vec![1.0f32]).feature("b", vec![1.0f32]);
    let found = model.predict(&panel.build().unwrap()).unwrap();
    // Node a has 1.5 of itself, node b 1.5 of itself and 1 of a: (0, 1.5, 3) and (0, 2.5, 3), in the mean
    // (0, 2, 3), normed (-5, 1, 4) / sqrt 14. With a loop it would be (0, 3, 3) and -sqrt 2.
    let expected = -5.0 / 14.0f32.sqrt();
    assert!((found[0] - expected).abs() < 1e-4, "{} is not {expected}", found[0]);
}

#[test]
fn weights_of_edges_are_as_many_as_edges() {
    for kind in [GraphKind::Gin, GraphKind::Gatv2] {
        let Architecture::Graph(mut shape) = sums() else { panic!("a graph") };
        shape.kind = kind;
        let graph = Weighted { edges: edges(2, &[(0, 1)]), weights: vec![1.0, 2.0] };
        shape.nodes = Nodes::Features { graph };
        let told = Architecture::Graph(shape).start(1).unwrap_err().to_string();
        assert!(told.contains("2 values, the shape asks for 1"), "{told}");
    }
}

/// Numbers in -1 to 1.
fn draws(seed: u32) -> impl FnMut() -> f32 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    }
}

/// Twenty eras, the last four held out after a gap of two.
fn held_out(of: GraphOf) -> GraphNet {
    let holdout = Some(Holdout { portion: Portion::Eras(4), gap: 2 });
    let training = Training { holdout, ..Training::default() };
    let regime = Regime { training, ..Regime::default() };
    GraphNet { of, adjacency: Adjacency::Threshold { above: 0.5 }, regime, ..GraphNet::default() }
}

fn joined(learner: &GraphNet, panel: &Panel) -> usize {
    match learner.architecture(panel).unwrap() {
        Architecture::Graph(GraphShape {
            nodes: Nodes::Features { graph } | Nodes::Assets { graph, .. },
            ..
        }) => graph.edges.len(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn features_are_not_joined_by_what_they_do_in_the_holdout_or_the_gap() {
    let (mut x, mut y) = (draws(1), draws(2));
    let eras: Vec<String> = (0..1000).map(|row| format!("{}", row / 50)).collect();
    // Alike, and large, from the 15th era on: those of the gap and the holdout.
    let early = |row: usize| row / 50 < 14;
    let both: Vec<f32> = (0..1000).map(|row| if early(row) { x() } else { 9.0 * x() }).collect();
    let other = (0..1000).map(|row| if early(row) { y() } else { both[row] }).collect::<Vec<f32>>();
    let start = Panel::builder().eras(&eras).unwrap().target("t", vec![0.0f32; 1000]);
    let panel = start.feature("a", both).feature("b", other).build().unwrap();
    let learner = held_out(GraphOf::Features);
    assert_eq!(joined(&learner, &panel), 0);
    let mut open = learner.clone();
    open.regime.training.holdout = None;
    assert_eq!(joined(&open, &panel), 2);
    let mut greedy = learner;
    greedy.regime.training.holdout = Some(Holdout { portion: Portion::Eras(18), gap: 2 });
    let told = greedy.architecture(&panel).unwrap_err().to_string();
    assert!(told.contains("training part of 20 eras with a gap of 2 and 18 held out"), "{told}");
}

#[test]
fn assets_are_not_joined_by_their_targets_in_the_holdout_or_the_gap() {
    let (mut x, mut y) = (draws(3), draws(4));
    let (mut eras, mut ids, mut target) = (Vec::new(), Vec::new(), Vec::new());
    for era in 0..20 {
        let (first, second) = if era < 14 { (x(), y()) } else { (era as f32, era as f32) };
        for (id, value) in [("p", first), ("q", second)] {
            eras.push(format!("{era:02}"));
            ids.push(id);
            target.push(value);
        }
    }
    let start = Panel::builder().eras(&eras).unwrap().ids(ids.into_iter().collect::<Ids>());
    let panel = start.feature("f", target.clone()).target("t", target).build().unwrap();
    let learner = held_out(GraphOf::Assets);
    assert_eq!(joined(&learner, &panel), 0);
    let mut open = learner;
    open.regime.training.holdout = None;
    assert_eq!(joined(&open, &panel), 2);
}

#[test]
fn correlations_that_do_not_fit_are_refused_before_they_are_made() {
    let columns = (0..600).map(|at| (format!("f{at}"), vec![at as f32, 1.0]));
    let start = Panel::builder().target("t", vec![0.0f32, 1.0]);
    let panel = columns.fold(start, |panel, (name, values)| panel.feature(name, values));
    let panel = panel.build().unwrap();
    let mut learner = GraphNet::default();
    // A matrix of 600 x 600 is 2.9 MB.
    learner.regime.training.memory = Some(2 << 20);
    let error = learner.architecture(&panel).unwrap_err();
    assert!(matches!(error, Error::GraphMemory { nodes: 600, budget: 2_097_152, .. }), "{error}");
    let told = error.to_string();
    assert!(told.starts_with("the correlations of 600 nodes take"), "{told}");
    learner.regime.training.memory = Some(16 << 20);
    assert!(learner.architecture(&panel).is_ok());
}

fn attention(device: &Device, heads: usize, negative_slope: f64) -> Gatv2Layer {
    let shape = Gatv2Shape {
        inputs: 3,
        heads,
        width: 2,
        edge_inputs: 2,
        share: false,
        concat: true,
        residual: false,
        negative_slope,
    };
    Gatv2Layer::new(shape, &mut Start::new(1, device))
}

#[test]
fn layers_on_graphs_refuse_what_does_not_fit() {
    let device = device::cpu().unwrap();
    let layer = attention(&device, 2, 0.2);
    let list = edges(4, &[(0, 1), (1, 2), (2, 2)]);
    let input = |dims: [usize; 3]| Tensor::<3>::ones(dims, &device);
    let features = |dims: [usize; 2]| Some(Tensor::<2>::ones(dims, &device));
    for loops in [false, true] {
        let on = |dims, features| layer.on(&list, loops, input(dims), features);
        let out = on([2, 4, 3], features([3, 2])).unwrap();
        assert_eq!(out.dims(), [2, 4, 4]);
        let told = |dims, features: Option<Tensor<2>>| {
            let error = on(dims, features).unwrap_err();
            assert!(matches!(error, Error::Argument { .. }), "{error}");
            error.to_string()
        };
        assert!(told([2, 5, 3], features([3, 2])).contains("axis 1 is 4"));
        assert!(told([2, 4, 2], features([3, 2])).contains("axis 2 is 3"));
        assert!(told([0, 4, 3], features([3, 2])).contains("axis 0 is at least 1"));
        assert!(told([2, 4, 3], features([4, 2])).contains("features of a GATv2 layer"));
        assert!(told([2, 4, 3], features([3, 1])).contains("axis 1 is 2"));
        let far = edges(4, &[(0, 4)]);
        assert!(matches!(
            layer.on(&far, loops, input([2, 4, 3]), features([1, 2])),
            Err(Error::Kernel(_))
        ));
        // No edges at all, and features that are therefore none.
        let none = layer.on(&edges(4, &[]), loops, input([2, 4, 3]), None).unwrap();
        assert!(none.into_data().iter::<f32>().all(f32::is_finite));
        let bent = attention(&device, 2, f64::NAN);
        let told = bent.on(&list, loops, input([2, 4, 3]), features([3, 2])).unwrap_err();
        assert!(told.to_string().contains("negative_slope"), "{told}");
    }
    let layer = GinLayer::new(3, 5, 2, &mut Start::new(1, &device));
    assert_eq!(layer.on(&list, input([2, 4, 3])).unwrap().dims(), [2, 4, 2]);
    for dims in [[2, 5, 3], [2, 4, 2], [0, 4, 3]] {
        assert!(matches!(layer.on(&list, input(dims)), Err(Error::Argument { .. })), "{dims:?}");
    }
    assert!(matches!(layer.on(&edges(4, &[(4, 0)]), input([2, 4, 3])), Err(Error::Kernel(_))));
}

/// A matrix of loops by edges would take 4 GB here.
#[test]
fn loops_of_many_edges_are_filled_in_one_pass() {
    let device = device::cpu().unwrap();
    let pairs: Vec<(u32, u32)> = (0..30_000).map(|edge| (edge % 97, edge % 89)).collect();
    let layer = attention(&device, 1, 0.2);
    let features = Tensor::<2>::ones([30_000, 2], &device);
    let input = Tensor::<3>::ones([1, 97, 3], &device);
    let out = layer.on(&edges(97, &pairs), true, input, Some(features)).unwrap();
    assert_eq!(out.dims(), [1, 97, 2]);
}

fn values(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|value| value.as_f64().unwrap() as f32).collect()
}

fn near(what: &str, found: Vec<f32>, expected: &Value, tolerance: f32) {
    let expected = values(expected);
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= tolerance, "{what}: {found} is not {expected}");
    }
}

fn read<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

/// The layer of a case of `graphs.json` with its weights, under PyTorch Geometric's names.
fn residual(case: &Value, device: &Device) -> Gatv2Layer {
    let settings = &case["settings"];
    let number = |name: &str| settings[name].as_u64().unwrap() as usize;
    let flag = |name: &str| settings[name].as_bool().unwrap_or(false);
    let shape = Gatv2Shape {
        inputs: number("in_channels"),
        heads: number("heads"),
        width: number("out_channels"),
        edge_inputs: number("edge_dim"),
        share: flag("share_weights"),
        concat: flag("concat"),
        residual: flag("residual"),
        negative_slope: settings["negative_slope"].as_f64().unwrap(),
    };
    let state = case["state"].as_object().unwrap();
    // With shared sides both stand in the dictionary and are one here.
    let own = state.iter().filter(|(name, _)| !(shape.share && name.starts_with("lin_r.")));
    let weights = own.map(|(name, own)| {
        let dims = case["shapes"][name].as_array().unwrap().iter();
        let dims: Vec<usize> = dims.map(|length| length.as_u64().unwrap() as usize).collect();
        let shape = if name == "att" { dims[1..].to_vec() } else { dims };
        Named { name: name.clone(), shape, values: values(own) }
    });
    let layer = Gatv2Layer::new(shape, &mut Start::new(0, device));
    load(layer, &weights.collect::<Vec<Named>>()).unwrap()
}

#[test]
fn a_residual_path_is_pytorch_geometrics() {
    let text = std::fs::read_to_string(folder().join("graphs.json")).unwrap();
    let all: Value = serde_json::from_str(&text).unwrap();
    let ends = |at: usize| values(&all["edges"][at]).iter().map(|&end| end as u32).collect();
    let nodes = all["nodes"].as_u64().unwrap() as usize;
    let list = Edges { nodes, sources: ends(0), targets: ends(1) };
    for case in all["cases"].as_array().unwrap() {
        let device = device::cpu().unwrap().autodiff();
        let layer = residual(case, &device);
        let tensor = |name: &str| Tensor::<1>::from_floats(&values(&case[name])[..], &device);
        let x = tensor("x").reshape([2, nodes, 3]).detach().require_grad();
        let features = tensor("edge_features").reshape([list.len(), 2]).detach().require_grad();
        let loops = case["settings"]["add_self_loops"].as_bool().unwrap_or(true);
        let y = layer.on(&list, loops, x.clone(), Some(features.clone())).unwrap();
        let name = case["name"].as_str().unwrap();
        near(name, read(y.clone()), &case["y"], 1e-5);
        let weight = tensor("weight").reshape(y.dims());
        let gradients = (y * weight).sum().backward();
        let slope = |what: &str, found: Vec<f32>| {
            near(&format!("{name}: {what}"), found, &case["gradients"][what], 1e-4);
        };
        slope("att", read(layer.att.val().grad(&gradients).unwrap()));
        slope("bias", read(layer.bias.val().grad(&gradients).unwrap()));
        slope("lin_l.weight", read(layer.lin_l.weight.val().grad(&gradients).unwrap()));
        slope("lin_l.bias", read(layer.lin_l.bias.val().grad(&gradients).unwrap()));
        let products = [("lin_edge.weight", &layer.lin_edge), ("res.weight", &layer.res)];
        for (what, product) in products {
            let weight = product.as_ref().unwrap().weight.val();
            slope(what, read(weight.grad(&gradients).unwrap()));
        }
        if let Some(right) = &layer.lin_r {
            slope("lin_r.weight", read(right.weight.val().grad(&gradients).unwrap()));
        }
        near(name, read(x.grad(&gradients).unwrap()), &case["gradient_x"], 1e-4);
        let found = read(features.grad(&gradients).unwrap());
        near(name, found, &case["gradient_edge_features"], 1e-4);
    }
}
