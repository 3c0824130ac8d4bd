//! What do both passes of a graph layer cost, whole and without the products, with and without an edge term?
//!
//! The size is that of `peers/neural/steps.py`: 256 samples on one graph of 42 nodes with 8 neighbours and a loop each,
//! 64 columns as 4 heads of 16.

use criterion::{Criterion, criterion_group, criterion_main};
use fattail::fused::graph::{Edges, Gatv2, Gatv2Gradients, Gatv2Inputs, Gin, GinGradients, Graph};
use fattail::fused::linear::{Activation, Linear, LinearGradients};
use fattail_benches::normal;

const BATCH: usize = 256;
const NODES: usize = 42;
const NEIGHBOURS: usize = 8;
const COLUMNS: usize = 64;
const ATTENTION: Gatv2 = Gatv2 { batch: BATCH, heads: 4, width: 16, negative_slope: 0.2 };
const PRODUCT: Linear = Linear {
    rows: BATCH * NODES,
    inputs: COLUMNS,
    outputs: COLUMNS,
    activation: Activation::Identity,
};

fn graph() -> Graph {
    let targets = (0..NODES as u32).flat_map(|node| [node; NEIGHBOURS + 1]).collect();
    let source = |node: usize, step: usize| ((node + step * step) % NODES) as u32;
    let sources =
        (0..NODES).flat_map(|node| (0..=NEIGHBOURS).map(move |step| source(node, step))).collect();
    Graph::new(Edges { nodes: NODES, sources, targets }).expect("the ends are nodes")
}

/// A layer's memory, taken once.
struct Layer {
    graph: Graph,
    x: Vec<f32>,
    /// The matrices of sources and targets.
    matrices: [Vec<f32>; 2],
    bias: Vec<f32>,
    edge: Option<Vec<f32>>,
    gradient: Vec<f32>,
    /// The products, and their gradients.
    products: [Vec<f32>; 2],
    slopes: [Vec<f32>; 2],
    out: Vec<f32>,
    weights: Vec<f32>,
}

impl Layer {
    fn new(with_edges: bool) -> Self {
        let (graph, count) = (graph(), BATCH * NODES * COLUMNS);
        let edges = graph.edges().len();
        let zeros = || [vec![0.0; count], vec![0.0; count]];
        Self {
            x: normal(1, count),
            matrices: [normal(2, COLUMNS * COLUMNS), normal(3, COLUMNS * COLUMNS)],
            bias: normal(4, COLUMNS),
            edge: with_edges.then(|| normal(5, edges * COLUMNS)),
            gradient: normal(6, count),
            products: zeros(),
            slopes: zeros(),
            out: vec![0.0; count],
            weights: vec![0.0; BATCH * edges * ATTENTION.heads],
            graph,
        }
    }

    fn multiply(&mut self) {
        for (matrix, product) in self.matrices.iter().zip(&mut self.products) {
            PRODUCT
                .forward(&self.x, matrix, &self.bias, product, &mut [])
                .expect("the shapes match");
        }
    }

    fn attend(&mut self) {
        let [left, right] = &self.products;
        let inputs = Gatv2Inputs { left, right, edge: self.edge.as_deref(), attention: &self.bias };
        ATTENTION
            .forward(&self.graph, &inputs, &mut self.out, &mut self.weights)
            .expect("the shapes match");
        let mut edge = self.edge.as_ref().map(|edge| vec![0.0; edge.len()]);
        let [left, right] = &mut self.slopes;
        let gradients = Gatv2Gradients {
            left,
            right,
            edge: edge.as_deref_mut(),
            attention: &mut [0.0; COLUMNS],
        };
        let gradient = &self.gradient;
        ATTENTION
            .backward(&self.graph, &inputs, &self.weights, gradient, gradients)
            .expect("the shapes match");
    }

    fn multiply_back(&self) -> [Vec<f32>; 2] {
        let [left, right] = &self.slopes;
        let [sources, targets] = &self.matrices;
        [(left, sources), (right, targets)].map(|(slope, matrix)| {
            let (mut input, mut weight) = (vec![0.0; self.x.len()], vec![0.0; matrix.len()]);
            let gradients = LinearGradients {
                input: Some(&mut input),
                weight: &mut weight,
                bias: &mut [0.0; COLUMNS],
            };
            PRODUCT.backward(&self.x, matrix, &[], slope, gradients).expect("the shapes match");
            input
        })
    }

    fn whole(&mut self) -> Vec<f32> {
        self.multiply();
        self.attend();
        let [mut sum, right] = self.multiply_back();
        sum.iter_mut().zip(right).for_each(|(sum, right)| *sum += right);
        sum
    }
}

fn gatv2(criterion: &mut Criterion) {
    for (name, with_edges) in [("plain", false), ("edge_term", true)] {
        let mut layer = Layer::new(with_edges);
        let mut group = criterion.benchmark_group(format!("graph/gatv2_256x42_{name}"));
        group.sample_size(20);
        group.bench_function("layer", |b| b.iter(|| layer.whole()));
        group.bench_function("attention_alone", |b| b.iter(|| layer.attend()));
        group.finish();
    }
}

fn gin(criterion: &mut Criterion) {
    let (layer, graph) = (Gin { batch: BATCH, width: COLUMNS }, graph());
    let count = BATCH * NODES * COLUMNS;
    let (x, gradient) = (normal(1, count), normal(2, count));
    let (mut out, mut input, mut epsilon) = (vec![0.0; count], vec![0.0; count], 0.0);
    criterion.bench_function("graph/gin_256x42", |b| {
        b.iter(|| {
            layer.forward(&graph, 0.1, &x, &mut out).expect("the shapes match");
            let gradients = GinGradients { input: &mut input, epsilon: &mut epsilon };
            layer.backward(&graph, 0.1, &x, &gradient, gradients).expect("the shapes match");
        });
    });
}

criterion_group!(benches, gatv2, gin);
criterion_main!(benches);
