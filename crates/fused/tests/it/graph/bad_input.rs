//! What is refused, with its name.

use fattail_fused::Error;
use fattail_fused::graph::{
    Edges, Gatv2, Gatv2Gradients, Gatv2Inputs, Gin, GinGradients, Graph, SelfLoops,
};

use super::{edges, regular};

const LAYER: Gatv2 = Gatv2 { batch: 1, heads: 2, width: 3, negative_slope: 0.2 };

fn expect_setting(result: Result<(), Error>, wanted: &str) {
    match result {
        Err(Error::Setting { name, .. }) => assert_eq!(name, wanted),
        other => panic!("{wanted}: {other:?}"),
    }
}

fn expect_length(result: Result<(), Error>, wanted: &str) {
    match result {
        Err(Error::Length { what, .. }) => assert_eq!(what, wanted),
        other => panic!("{wanted}: {other:?}"),
    }
}

#[test]
fn graphs_that_are_none() {
    expect_setting(Graph::new(edges(0, &[])).map(drop), "nodes");
    expect_setting(Graph::new(edges(usize::MAX, &[])).map(drop), "nodes");
    expect_setting(Graph::new(edges(2, &[(2, 0)])).map(drop), "the source of an edge");
    expect_setting(Graph::new(edges(2, &[(0, u32::MAX)])).map(drop), "the target of an edge");
    expect_setting(SelfLoops::new(&edges(2, &[(0, 2)])).map(drop), "the target of an edge");
    let uneven = Edges { nodes: 2, sources: vec![0], targets: vec![] };
    expect_length(Graph::new(uneven).map(drop), "targets");
}

/// A file that says what no graph is does not become one.
#[test]
fn a_stored_graph_is_checked() {
    let graph = regular(4, 2);
    let text = serde_json::to_string(&graph).unwrap();
    assert_eq!(serde_json::from_str::<Graph>(&text).unwrap(), graph);
    let hostile = r#"{"nodes":2,"sources":[0],"targets":[7]}"#;
    let message = serde_json::from_str::<Graph>(hostile).unwrap_err().to_string();
    assert!(message.contains("the target of an edge is 7"), "{message}");
    assert!(
        serde_json::from_str::<Graph>(r#"{"nodes":1000000000000000,"sources":[],"targets":[]}"#)
            .is_err()
    );
}

#[test]
fn settings_out_of_range() {
    let graph = regular(4, 1);
    let (values, mut out, mut weights) = ([0.0; 24], [0.0; 24], [0.0; 16]);
    let inputs = Gatv2Inputs { left: &values, right: &values, edge: None, attention: &[0.0; 6] };
    let mut forward = |layer: Gatv2| layer.forward(&graph, &inputs, &mut out, &mut weights);
    expect_setting(forward(Gatv2 { batch: 0, ..LAYER }), "batch");
    expect_setting(forward(Gatv2 { heads: 0, ..LAYER }), "heads");
    expect_setting(forward(Gatv2 { width: 0, ..LAYER }), "width");
    expect_setting(forward(Gatv2 { negative_slope: f32::NAN, ..LAYER }), "negative_slope");
    expect_setting(forward(Gatv2 { batch: usize::MAX, ..LAYER }), "the product of the shape");
    assert!(forward(LAYER).is_ok());
    let gin = |batch, width| Gin { batch, width }.workspace_bytes(&graph).map(drop);
    expect_setting(gin(0, 1), "batch");
    expect_setting(gin(1, 0), "width");
    expect_setting(gin(usize::MAX, 2), "the product of the shape");
}

#[test]
fn lengths_that_do_not_fit() {
    let graph = regular(4, 1); // 8 edges
    let values = [0.0; 25];
    let long = [0.0; 48];
    let forward = |[left, right, edge, attention, out, weights]: [usize; 6]| {
        let inputs = Gatv2Inputs {
            left: &values[..left],
            right: &values[..right],
            edge: Some(&long[..edge]),
            attention: &values[..attention],
        };
        LAYER.forward(&graph, &inputs, &mut [0.0; 25][..out], &mut [0.0; 17][..weights])
    };
    assert!(forward([24, 24, 48, 6, 24, 16]).is_ok());
    expect_length(forward([23, 24, 48, 6, 24, 16]), "left");
    expect_length(forward([24, 25, 48, 6, 24, 16]), "right");
    expect_length(forward([24, 24, 47, 6, 24, 16]), "edge");
    expect_length(forward([24, 24, 48, 5, 24, 16]), "attention");
    expect_length(forward([24, 24, 48, 6, 25, 16]), "out");
    expect_length(forward([24, 24, 48, 6, 24, 17]), "weights");
}

#[test]
fn gradients_that_do_not_fit() {
    let graph = regular(4, 1);
    let (values, term) = ([0.0; 24], [0.0; 48]);
    let backward = |[weights, gradient, left, right, attention]: [usize; 5],
                    edge: Option<&[f32]>,
                    wanted: usize| {
        let inputs = Gatv2Inputs { left: &values, right: &values, edge, attention: &values[..6] };
        let mut d_edge = vec![0.0; wanted];
        let gradients = Gatv2Gradients {
            left: &mut [0.0; 25][..left],
            right: &mut [0.0; 25][..right],
            edge: (wanted > 0).then_some(&mut d_edge[..]),
            attention: &mut [0.0; 7][..attention],
        };
        LAYER.backward(&graph, &inputs, &[0.5; 17][..weights], &[0.0; 25][..gradient], gradients)
    };
    let right = [16, 24, 24, 24, 6];
    assert!(backward(right, Some(&term), 48).is_ok());
    assert!(backward(right, Some(&term), 0).is_ok());
    expect_length(backward(right, Some(&term), 47), "the gradient of edge");
    expect_setting(backward(right, None, 48), "the gradient of edge");
    let names = [
        "weights",
        "gradient",
        "the gradient of left",
        "the gradient of right",
        "the gradient of attention",
    ];
    for (at, name) in names.into_iter().enumerate() {
        let mut wrong = right;
        wrong[at] += 1;
        expect_length(backward(wrong, Some(&term), 48), name);
    }
}

#[test]
fn lengths_of_gin_and_self_loops() {
    let graph = regular(4, 1);
    let layer = Gin { batch: 2, width: 3 };
    expect_length(layer.forward(&graph, 0.0, &[0.0; 23], &mut [0.0; 24]), "input");
    expect_length(layer.forward(&graph, 0.0, &[0.0; 24], &mut [0.0; 25]), "out");
    let backward = |input: usize, gradient: usize, slope: usize| {
        let mut epsilon = 0.0;
        let gradients = GinGradients { input: &mut [0.0; 25][..slope], epsilon: &mut epsilon };
        layer.backward(&graph, 0.0, &[0.0; 25][..input], &[0.0; 25][..gradient], gradients)
    };
    assert!(backward(24, 24, 24).is_ok());
    expect_length(backward(25, 24, 24), "input");
    expect_length(backward(24, 25, 24), "gradient");
    expect_length(backward(24, 24, 25), "the gradient of input");
    let loops = SelfLoops::new(graph.edges()).unwrap();
    expect_length(loops.fill(&[0.0; 15], 2).map(drop), "edge features");
    expect_length(loops.fill_gradient(&[0.0; 15], 2).map(drop), "edge gradient");
}
