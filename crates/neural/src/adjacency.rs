//! Graphs from the correlations of training eras.
//!
//! ```text
//! C_ij = S_ij / sqrt(S_ii S_jj),   S = sum over eras of x~' x~,   x~ centred within its era
//! partial  r_ij = -P_ij / sqrt(P_ii P_jj),   P = ((1 - shrinkage) C + shrinkage I)^-1
//! ```
//!
//! Centring within eras leaves what moves together inside an era; what drifts together over eras does not
//! join features. For assets x is the target's series of an asset, missing eras left out pairwise. Rows whose
//! target is unknown or whose weight is not positive count nothing, as in the losses. Edges go
//! from a neighbour to the node that looks at it and carry the correlation. A constant series correlates
//! with nothing; ties go to the lower position. Cost: rows x width^2 multiplications; one matrix of nodes x
//! nodes in `f64`, three for partial correlations. Reference: Ledoit & Wolf (2004) for shrinkage to the
//! identity; Lauritzen (1996), section 5.1 for partial correlations.

use std::collections::HashMap;

use faer::{Mat, Par, linalg::matmul::matmul, prelude::Solve as _};
use fattail_core::{ColumnView, Error as CoreError, Panel};
use fattail_fused::graph::Edges;
use serde::{Deserialize, Serialize};

use crate::{
    Error, Result,
    architecture::{positive, rate},
    nets::Weighted,
};

/// Which pairs are joined.
///
/// ```
/// use fattail_core::Panel;
/// use fattail_neural::Adjacency;
/// # let draw = |seed: u32| -> Vec<f32> {
/// #     let mut state = seed;
/// #     let mut next = || { state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223); state };
/// #     (0..2000).map(|_| (next() >> 8) as f32 / 16_777_216.0 - 0.5).collect()
/// # };
/// # let plus = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(x, y)| x + 0.5 * y).collect::<Vec<f32>>();
/// // `a` drives `b`, and `b` drives `c`.
/// let a = draw(1);
/// let b = plus(&a, &draw(2));
/// let c = plus(&b, &draw(3));
/// let panel = Panel::builder().feature("a", a).feature("b", b).feature("c", c).build()?;
/// // All three go together, `a` and `c` the least.
/// let all = Adjacency::Threshold { above: 0.5 }.of_features(&panel)?;
/// assert_eq!(all.edges.len(), 6);
/// let nearest = Adjacency::Nearest { neighbours: 1 }.of_features(&panel)?;
/// assert_eq!((nearest.edges.sources[0], nearest.edges.targets[0]), (1, 0));
/// // With `b` held fixed nothing is left between `a` and `c`.
/// let partial = Adjacency::Partial { neighbours: 2, shrinkage: 0.01 }.of_features(&panel)?;
/// let ends = partial.edges.sources.iter().zip(&partial.edges.targets);
/// let (at, _) = ends.enumerate().find(|(_, ends)| *ends == (&2, &0)).expect("two neighbours each");
/// assert!(partial.weights[at].abs() < 0.1);
/// # Ok::<(), fattail_neural::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "join")]
pub enum Adjacency {
    /// Those whose correlation is larger in size.
    Threshold {
        /// Than this.
        above: f64,
    },
    /// Each node with those it correlates with most, in size.
    Nearest {
        /// How many.
        neighbours: usize,
    },
    /// Each node with those it correlates with most when all others are held fixed.
    Partial {
        /// How many.
        neighbours: usize,
        /// The share of the identity in what is inverted, above 0.
        shrinkage: f64,
    },
}

impl Default for Adjacency {
    fn default() -> Self {
        Self::Nearest { neighbours: 8 }
    }
}

/// Eras that two assets must share to be joined.
const SHARED_ERAS: usize = 8;

/// Rows of nodes that products and factors pack at a time, at most.
const PACKED: u64 = 256;
/// Bytes of scratch, whatever the size.
const BLOCKS: u64 = 1 << 20;

impl Adjacency {
    /// Answers whether the settings are in range.
    ///
    /// # Errors
    /// Names the setting, its value and what is allowed.
    pub fn check(&self) -> Result<()> {
        match *self {
            Self::Threshold { above } => rate("above", above),
            Self::Nearest { neighbours } => positive("neighbours", neighbours),
            Self::Partial { neighbours, shrinkage } => {
                positive("neighbours", neighbours)?;
                if shrinkage > 0.0 && shrinkage <= 1.0 {
                    return Ok(());
                }
                Err(CoreError::setting("shrinkage", shrinkage, "above 0 and at most 1").into())
            }
        }
    }

    /// The graph of a panel's features.
    ///
    /// # Errors
    /// When a setting is out of range or a feature is not finite.
    pub fn of_features(&self, train: &Panel) -> Result<Weighted> {
        self.check()?;
        train.expect_finite()?;
        self.join(features(train)?)
    }

    /// The graph of a panel's assets, which its ids name, and the ids in the order of the nodes.
    ///
    /// # Errors
    /// When a setting is out of range, or the panel has no ids or no target.
    pub fn of_assets(&self, train: &Panel) -> Result<(Weighted, Vec<String>)> {
        self.check()?;
        let ids = ids(train)?;
        let graph = self.join(assets(train, &ids)?)?;
        Ok((graph, ids))
    }

    /// The most bytes that making a graph takes: `series` is the rows of the longest era for features, the
    /// number of eras for assets.
    #[must_use]
    pub fn bytes(&self, nodes: usize, series: usize) -> u64 {
        let (nodes, series) = (nodes as u64, series as u64);
        let matrices: u64 = if matches!(self, Self::Partial { .. }) { 3 } else { 1 };
        // An edge is two ends and a weight, in vectors that grow by doubling.
        let edges = match *self {
            Self::Threshold { .. } => nodes,
            Self::Nearest { neighbours } | Self::Partial { neighbours, .. } => {
                nodes.min(neighbours as u64)
            }
        };
        let squares = nodes.saturating_mul(nodes).saturating_mul(matrices);
        // Centred values; an era's column, target, weight and known rows.
        let rest = nodes
            .saturating_mul(series.saturating_add(PACKED))
            .saturating_add(series.saturating_mul(4));
        let edges = edges.saturating_mul(nodes).saturating_mul(24);
        squares.saturating_add(rest).saturating_mul(8).saturating_add(edges).saturating_add(BLOCKS)
    }

    fn join(&self, correlation: Mat<f64>) -> Result<Weighted> {
        Ok(match *self {
            Self::Threshold { above } => threshold(&correlation, above),
            Self::Nearest { neighbours } => nearest(&correlation, neighbours),
            Self::Partial { neighbours, shrinkage } => {
                nearest(&partial(correlation, shrinkage)?, neighbours)
            }
        })
    }
}

/// Scales a matrix of products in place, to correlations times `factor`; what has no variance correlates with
/// nothing.
fn scale(products: &mut Mat<f64>, factor: f64) {
    let size = products.nrows();
    let spreads: Vec<f64> = (0..size).map(|i| products[(i, i)]).collect();
    for (j, of_j) in spreads.iter().enumerate() {
        for (i, of_i) in spreads.iter().enumerate() {
            let spread = (of_i * of_j).sqrt();
            let value = products[(i, j)];
            products[(i, j)] = if spread > 0.0 { factor * value / spread } else { 0.0 };
        }
    }
}

/// The rows of an era that learners read, counted within it: those whose target, where there are targets, is
/// finite, and whose weight, where there are weights, is positive and finite.
fn known(panel: &Panel, era: usize) -> Result<Vec<usize>> {
    let rows = panel.eras().range(era).len();
    let read = |column: ColumnView<'_>| {
        let mut values = vec![0.0; rows];
        column.era(era).write_f64(&mut values);
        values
    };
    let mut known: Vec<usize> = (0..rows).collect();
    if panel.has_target() {
        let targets = read(panel.target()?);
        known.retain(|&row| targets[row].is_finite());
    }
    if let Some(weights) = panel.weights() {
        let weights = read(weights);
        known.retain(|&row| weights[row] > 0.0 && weights[row].is_finite());
    }
    Ok(known)
}

fn features(panel: &Panel) -> Result<Mat<f64>> {
    let width = panel.width();
    let mut products = Mat::<f64>::zeros(width, width);
    for era in 0..panel.eras().len() {
        let known = known(panel, era)?;
        let mut block = Mat::<f64>::zeros(known.len(), width);
        let mut values = vec![0.0; panel.eras().range(era).len()];
        for feature in 0..width {
            panel.feature(feature).era(era).write_f64(&mut values);
            let mean = known.iter().map(|&row| values[row]).sum::<f64>() / known.len() as f64;
            for (place, &row) in known.iter().enumerate() {
                block[(place, feature)] = values[row] - mean;
            }
        }
        let add = faer::Accum::Add;
        matmul(products.as_mut(), add, block.transpose(), block.as_ref(), 1.0, Par::Seq);
    }
    scale(&mut products, 1.0);
    Ok(products)
}

/// The assets of a panel in the order of the nodes.
pub(crate) fn ids(panel: &Panel) -> Result<Vec<String>> {
    if !panel.has_ids() {
        let (operation, what) = ("a graph of assets", "ids");
        return Err(Error::Core(CoreError::Missing {
            operation: operation.into(),
            what: what.into(),
        }));
    }
    let mut ids: Vec<String> = Vec::new();
    for (era, rows) in panel.eras().ranges().enumerate() {
        let known = known(panel, era)?;
        ids.extend(known.iter().filter_map(|row| panel.id(rows.start + row).map(str::to_owned)));
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// The node of each row; `u32::MAX` for an asset that the graph does not have.
pub(crate) fn nodes(panel: &Panel, ids: &[String]) -> Vec<u32> {
    let place: HashMap<&str, u32> = ids.iter().map(String::as_str).zip(0..).collect();
    let node = |row| panel.id(row).and_then(|id| place.get(id).copied());
    (0..panel.rows()).map(|row| node(row).unwrap_or(u32::MAX)).collect()
}

fn assets(panel: &Panel, ids: &[String]) -> Result<Mat<f64>> {
    let eras = panel.eras().len();
    let nodes = nodes(panel, ids);
    let mut series = vec![f64::NAN; ids.len() * eras];
    let mut targets = Vec::new();
    for (era, rows) in panel.eras().ranges().enumerate() {
        targets.resize(rows.len(), 0.0);
        panel.target()?.era(era).write_f64(&mut targets);
        for row in known(panel, era)? {
            let place = nodes[rows.start + row] as usize * eras + era;
            if let Some(value) = series.get_mut(place) {
                *value = targets[row];
            }
        }
    }
    let of = |node: usize| &series[node * eras..(node + 1) * eras];
    Ok(Mat::from_fn(ids.len(), ids.len(), |i, j| if i == j { 1.0 } else { pair(of(i), of(j)) }))
}

/// The correlation of two series where both are known.
fn pair(a: &[f64], b: &[f64]) -> f64 {
    let known = || a.iter().zip(b).filter(|(a, b)| a.is_finite() && b.is_finite());
    let count = known().count();
    if count < SHARED_ERAS {
        return 0.0;
    }
    let (sum_a, sum_b) = known().fold((0.0, 0.0), |(x, y), (a, b)| (x + a, y + b));
    let (mean_a, mean_b) = (sum_a / count as f64, sum_b / count as f64);
    let (mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0);
    for (a, b) in known() {
        let (a, b) = (a - mean_a, b - mean_b);
        (aa, bb, ab) = (aa + a * a, bb + b * b, ab + a * b);
    }
    let spread = (aa * bb).sqrt();
    if spread > 0.0 { ab / spread } else { 0.0 }
}

fn partial(mut correlation: Mat<f64>, shrinkage: f64) -> Result<Mat<f64>> {
    let size = correlation.nrows();
    for j in 0..size {
        for i in 0..size {
            // A constant feature gets a diagonal of 1, so that what is inverted is positive definite.
            let value = (1.0 - shrinkage) * correlation[(i, j)];
            correlation[(i, j)] = if i == j { 1.0 } else { value };
        }
    }
    let factor = correlation.llt(faer::Side::Lower).map_err(|_| {
        Error::Core(CoreError::setting(
            "shrinkage",
            shrinkage,
            "large enough to invert the correlations",
        ))
    })?;
    drop(correlation);
    let mut inverse = Mat::<f64>::identity(size, size);
    factor.solve_in_place(&mut inverse);
    scale(&mut inverse, -1.0);
    Ok(inverse)
}

fn threshold(correlation: &Mat<f64>, above: f64) -> Weighted {
    let size = correlation.nrows();
    let keep = |node: usize| {
        (0..size).filter(move |&other| other != node && correlation[(other, node)].abs() > above)
    };
    collect(correlation, keep)
}

fn nearest(correlation: &Mat<f64>, neighbours: usize) -> Weighted {
    let size = correlation.nrows();
    let keep = |node: usize| {
        let strength = |other: usize| correlation[(other, node)].abs();
        let mut others: Vec<usize> =
            (0..size).filter(|&other| other != node && strength(other) > 0.0).collect();
        others.sort_by(|&a, &b| strength(b).total_cmp(&strength(a)).then(a.cmp(&b)));
        others.truncate(neighbours);
        others.into_iter()
    };
    collect(correlation, keep)
}

fn collect<I: Iterator<Item = usize>>(
    correlation: &Mat<f64>,
    keep: impl Fn(usize) -> I,
) -> Weighted {
    let mut edges = Edges { nodes: correlation.nrows(), sources: Vec::new(), targets: Vec::new() };
    let mut weights = Vec::new();
    for node in 0..correlation.nrows() {
        for other in keep(node) {
            edges.sources.push(other as u32);
            edges.targets.push(node as u32);
            weights.push(correlation[(other, node)] as f32);
        }
    }
    Weighted { edges, weights }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A drives B, B drives C; D is on its own; E is constant.
    fn chain() -> Panel {
        let noise = |seed: u32| {
            let mut state = seed;
            move || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / 16_777_216.0 - 0.5
            }
        };
        let rows = 4000;
        let [a, mut b, mut c, d] = [1, 2, 3, 4].map(|seed| {
            let mut draw = noise(seed);
            (0..rows).map(|_| draw()).collect::<Vec<f32>>()
        });
        for row in 0..rows {
            b[row] = a[row] + 0.5 * b[row];
            c[row] = b[row] + 0.5 * c[row];
        }
        let eras: Vec<String> = (0..rows).map(|row| format!("{}", 1 + row / 1000)).collect();
        let start = Panel::builder().eras(&eras).unwrap();
        let columns = [("a", a), ("b", b), ("c", c), ("d", d), ("e", vec![1.0; rows])];
        let all =
            columns.into_iter().fold(start, |panel, (name, values)| panel.feature(name, values));
        all.build().unwrap()
    }

    #[test]
    fn rows_that_teach_nothing_join_nothing() {
        let target = vec![0.5f32, f32::NAN, 0.1, 0.2];
        let start = Panel::builder().target("t", target).weights(vec![1.0f32, 1.0, 0.0, 2.0]);
        // Rows 0 and 3 alone are known.
        let start = start.feature("a", vec![1.0f32, 90.0, -90.0, 3.0]);
        let panel = start.feature("b", vec![5.0f32, -90.0, 90.0, 9.0]).build().unwrap();
        let graph = Adjacency::Nearest { neighbours: 1 }.of_features(&panel).unwrap();
        assert_eq!(graph.weights, [1.0, 1.0]);
        let nothing = panel.with_target_values(vec![f32::NAN; 4]).unwrap();
        let graph = Adjacency::Nearest { neighbours: 1 }.of_features(&nothing).unwrap();
        assert!(graph.edges.is_empty());
    }

    #[test]
    fn bytes_by_hand() {
        let packed = (1 << 20) + 8 * 10 * 256;
        let threshold = Adjacency::Threshold { above: 0.5 };
        // A matrix, 50 rows of 10 values and four columns, and an edge for each pair.
        let expected = 8 * (100 + 500 + 200) + 24 * 100 + packed;
        assert_eq!(threshold.bytes(10, 50), expected);
        let partial = Adjacency::Partial { neighbours: 3, shrinkage: 0.1 };
        assert_eq!(partial.bytes(10, 50), 8 * (300 + 500 + 200) + 24 * 30 + packed);
        assert_eq!(threshold.bytes(usize::MAX, usize::MAX), u64::MAX);
    }

    fn pairs(graph: &Weighted) -> Vec<(u32, u32)> {
        graph.edges.sources.iter().copied().zip(graph.edges.targets.iter().copied()).collect()
    }

    #[test]
    fn a_chain_is_told_from_a_triangle_by_partial_correlation() {
        let panel = chain();
        let plain = Adjacency::Threshold { above: 0.5 }.of_features(&panel).unwrap();
        assert_eq!(pairs(&plain), [(1, 0), (2, 0), (0, 1), (2, 1), (0, 2), (1, 2)]);
        // Held fixed, b leaves nothing between a and c.
        let partial = Adjacency::Partial { neighbours: 1, shrinkage: 0.01 };
        let partial = partial.of_features(&panel).unwrap();
        assert!(pairs(&partial).contains(&(1, 0)) && pairs(&partial).contains(&(1, 2)));
        assert!(!pairs(&partial).contains(&(0, 2)) && !pairs(&partial).contains(&(2, 0)));
        // The constant feature has no neighbours.
        let nearest = Adjacency::Nearest { neighbours: 2 }.of_features(&panel).unwrap();
        assert!(pairs(&nearest).iter().all(|&(from, to)| from != 4 && to != 4));
        assert!(Adjacency::Partial { neighbours: 1, shrinkage: 0.0 }.of_features(&panel).is_err());
    }

    #[test]
    fn assets_need_ids_and_enough_eras_together() {
        assert!(Adjacency::default().of_assets(&chain()).is_err());
        let (mut eras, mut ids, mut target) = (Vec::new(), Vec::new(), Vec::new());
        for era in 0..12 {
            for (id, sign) in [("x", 1.0f32), ("y", -1.0), ("z", 0.0)] {
                if id == "z" && era > 3 {
                    continue;
                }
                eras.push(format!("{era}"));
                ids.push(id);
                target.push(sign * (era % 3) as f32);
            }
        }
        let panel = Panel::builder()
            .eras(&eras)
            .unwrap()
            .ids(ids.into_iter().collect::<fattail_core::Ids>())
            .feature("f", target.clone());
        let panel = panel.target("t", target).build().unwrap();
        let (graph, names) = Adjacency::default().of_assets(&panel).unwrap();
        assert_eq!(names, ["x", "y", "z"]);
        assert_eq!(pairs(&graph), [(1, 0), (0, 1)]);
        assert!((graph.weights[0] + 1.0).abs() < 1e-6);
    }
}
