//! Plain twins in `f64`: loops over the list of edges as the formulas say, nothing sorted, nothing saved.

use fattail_fused::graph::{Edges, Gatv2};

/// The values of a GATv2 aggregation.
#[derive(Debug, Clone)]
pub(super) struct Attended {
    pub(super) left: Vec<f64>,
    pub(super) right: Vec<f64>,
    pub(super) edge: Option<Vec<f64>>,
    pub(super) attention: Vec<f64>,
}

pub(super) fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

fn leaky(z: f64, slope: f64) -> f64 {
    if z > 0.0 { z } else { slope * z }
}

/// z of an edge, for one column of one head of one sample.
fn z(
    layer: &Gatv2,
    edges: &Edges,
    values: &Attended,
    (sample, edge, column): (usize, usize, usize),
) -> f64 {
    let row = layer.heads * layer.width;
    let node = |end: u32| (sample * edges.nodes + end as usize) * row + column;
    let own = values.edge.as_ref().map_or(0.0, |term| term[edge * row + column]);
    values.left[node(edges.sources[edge])] + values.right[node(edges.targets[edge])] + own
}

/// alpha, [batch, edges, heads] in the order of the list.
pub(super) fn weights(layer: &Gatv2, edges: &Edges, values: &Attended) -> Vec<f64> {
    let slope = f64::from(layer.negative_slope);
    let mut all = vec![0.0; layer.batch * edges.len() * layer.heads];
    for sample in 0..layer.batch {
        for head in 0..layer.heads {
            let scores: Vec<f64> = (0..edges.len())
                .map(|edge| {
                    let columns = head * layer.width..(head + 1) * layer.width;
                    columns
                        .map(|c| {
                            values.attention[c]
                                * leaky(z(layer, edges, values, (sample, edge, c)), slope)
                        })
                        .sum()
                })
                .collect();
            for edge in 0..edges.len() {
                let rivals =
                    (0..edges.len()).filter(|&other| edges.targets[other] == edges.targets[edge]);
                let total: f64 = rivals.map(|other| (scores[other] - scores[edge]).exp()).sum();
                all[(sample * edges.len() + edge) * layer.heads + head] = 1.0 / total;
            }
        }
    }
    all
}

pub(super) fn attend(layer: &Gatv2, edges: &Edges, values: &Attended) -> Vec<f64> {
    let (row, weights) = (layer.heads * layer.width, weights(layer, edges, values));
    let mut out = vec![0.0; layer.batch * edges.nodes * row];
    for sample in 0..layer.batch {
        for edge in 0..edges.len() {
            let node = |end: u32| (sample * edges.nodes + end as usize) * row;
            for column in 0..row {
                let weight =
                    weights[(sample * edges.len() + edge) * layer.heads + column / layer.width];
                out[node(edges.targets[edge]) + column] +=
                    weight * values.left[node(edges.sources[edge]) + column];
            }
        }
    }
    out
}

/// The gradients of the sum of `gradient` times the output.
pub(super) fn attend_back(
    layer: &Gatv2,
    edges: &Edges,
    values: &Attended,
    gradient: &[f64],
) -> Attended {
    let (row, alpha) = (layer.heads * layer.width, weights(layer, edges, values));
    let slope = f64::from(layer.negative_slope);
    let mut out = Attended {
        left: vec![0.0; values.left.len()],
        right: vec![0.0; values.right.len()],
        edge: values.edge.as_ref().map(|term| vec![0.0; term.len()]),
        attention: vec![0.0; row],
    };
    let at = |sample: usize, edge: usize, head: usize| {
        (sample * edges.len() + edge) * layer.heads + head
    };
    for sample in 0..layer.batch {
        let node = |end: u32| (sample * edges.nodes + end as usize) * row;
        let product = |edge: usize, head: usize| -> f64 {
            let (source, target) = (node(edges.sources[edge]), node(edges.targets[edge]));
            (head * layer.width..(head + 1) * layer.width)
                .map(|c| gradient[target + c] * values.left[source + c])
                .sum()
        };
        for edge in 0..edges.len() {
            let (source, target) = (node(edges.sources[edge]), node(edges.targets[edge]));
            for head in 0..layer.heads {
                let rivals =
                    (0..edges.len()).filter(|&other| edges.targets[other] == edges.targets[edge]);
                let mean: f64 =
                    rivals.map(|other| alpha[at(sample, other, head)] * product(other, head)).sum();
                let weight = alpha[at(sample, edge, head)];
                let score_slope = weight * (product(edge, head) - mean);
                for column in head * layer.width..(head + 1) * layer.width {
                    let z = z(layer, edges, values, (sample, edge, column));
                    let z_slope =
                        score_slope * values.attention[column] * if z > 0.0 { 1.0 } else { slope };
                    out.left[source + column] += weight * gradient[target + column] + z_slope;
                    out.right[target + column] += z_slope;
                    out.attention[column] += score_slope * leaky(z, slope);
                    if let Some(term) = &mut out.edge {
                        term[edge * row + column] += z_slope;
                    }
                }
            }
        }
    }
    out
}

pub(super) fn gather(batch: usize, edges: &Edges, epsilon: f64, input: &[f64]) -> Vec<f64> {
    let width = input.len() / (batch * edges.nodes);
    let mut out: Vec<f64> = input.iter().map(|x| (1.0 + epsilon) * x).collect();
    for sample in 0..batch {
        for (&source, &target) in edges.sources.iter().zip(&edges.targets) {
            let node = |end: u32| (sample * edges.nodes + end as usize) * width;
            for column in 0..width {
                out[node(target) + column] += input[node(source) + column];
            }
        }
    }
    out
}

/// The gradients of the sum of `gradient` times the output: of the input and of epsilon.
pub(super) fn gather_back(
    batch: usize,
    edges: &Edges,
    epsilon: f64,
    input: &[f64],
    gradient: &[f64],
) -> (Vec<f64>, f64) {
    let turned = Edges {
        nodes: edges.nodes,
        sources: edges.targets.clone(),
        targets: edges.sources.clone(),
    };
    let slope = input.iter().zip(gradient).map(|(x, g)| x * g).sum();
    (gather(batch, &turned, epsilon, gradient), slope)
}
