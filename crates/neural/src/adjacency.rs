//! Graphs from the correlations of training eras.
//!
//! ```text
//! C_ij = S_ij / sqrt(S_ii S_jj),   S = sum over eras of x~' x~,   x~ centred within its era
//! partial  r_ij = -P_ij / sqrt(P_ii P_jj),   P = ((1 - shrinkage) C + shrinkage I)^-1
//! ```
//!
//! Centring within eras leaves what moves together inside an era; what drifts together over eras does not
//! join features. For assets x is the target's series of an asset, missing eras left out pairwise. Edges go
//! from a neighbour to the node that looks at it and carry the correlation. A constant series correlates
//! with nothing; ties go to the lower position. Cost: rows x width^2 multiplications. Reference: Ledoit &
//! Wolf (2004) for shrinkage to the identity; Lauritzen (1996), section 5.1 for partial correlations.

use std::collections::HashMap;

use faer::{Mat, Par, linalg::matmul::matmul, prelude::Solve as _};
use fattail_core::{Error as CoreError, Panel};
use fattail_fused::graph::Edges;
use serde::{Deserialize, Serialize};

use crate::{
    Error, Result,
    architecture::{positive, rate},
    nets::Weighted,
};

/// Which pairs are joined.
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
        self.join(&features(train))
    }

    /// The graph of a panel's assets, which its ids name, and the ids in the order of the nodes.
    ///
    /// # Errors
    /// When a setting is out of range, or the panel has no ids or no target.
    pub fn of_assets(&self, train: &Panel) -> Result<(Weighted, Vec<String>)> {
        self.check()?;
        let ids = ids(train)?;
        let graph = self.join(&assets(train, &ids)?)?;
        Ok((graph, ids))
    }

    fn join(&self, correlation: &Mat<f64>) -> Result<Weighted> {
        Ok(match *self {
            Self::Threshold { above } => threshold(correlation, above),
            Self::Nearest { neighbours } => nearest(correlation, neighbours),
            Self::Partial { neighbours, shrinkage } => {
                nearest(&partial(correlation, shrinkage)?, neighbours)
            }
        })
    }
}

/// Scales a matrix of products to correlations; what has no variance correlates with nothing.
fn scaled(products: &Mat<f64>) -> Mat<f64> {
    let size = products.nrows();
    Mat::from_fn(size, size, |i, j| {
        let spread = (products[(i, i)] * products[(j, j)]).sqrt();
        if spread > 0.0 { products[(i, j)] / spread } else { 0.0 }
    })
}

fn features(panel: &Panel) -> Mat<f64> {
    let width = panel.width();
    let mut products = Mat::<f64>::zeros(width, width);
    for era in 0..panel.eras().len() {
        let rows = panel.eras().range(era).len();
        let mut block = Mat::<f64>::zeros(rows, width);
        let mut values = vec![0.0; rows];
        for feature in 0..width {
            panel.feature(feature).era(era).write_f64(&mut values);
            let mean = values.iter().sum::<f64>() / rows as f64;
            for (row, value) in values.iter().enumerate() {
                block[(row, feature)] = value - mean;
            }
        }
        let add = faer::Accum::Add;
        matmul(products.as_mut(), add, block.transpose(), block.as_ref(), 1.0, Par::Seq);
    }
    scaled(&products)
}

fn ids(panel: &Panel) -> Result<Vec<String>> {
    if !panel.has_ids() {
        let (operation, what) = ("a graph of assets", "ids");
        return Err(Error::Core(CoreError::Missing {
            operation: operation.into(),
            what: what.into(),
        }));
    }
    let mut ids: Vec<String> =
        (0..panel.rows()).filter_map(|row| panel.id(row).map(str::to_owned)).collect();
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
    let (eras, target) = (panel.eras().len(), panel.target()?.to_f32());
    let nodes = nodes(panel, ids);
    let mut series = vec![f64::NAN; ids.len() * eras];
    for (era, rows) in panel.eras().ranges().enumerate() {
        for row in rows {
            series[nodes[row] as usize * eras + era] = f64::from(target[row]);
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

fn partial(correlation: &Mat<f64>, shrinkage: f64) -> Result<Mat<f64>> {
    let size = correlation.nrows();
    // A constant feature gets a diagonal of 1, so that what is inverted is positive definite.
    let shrunk = Mat::from_fn(size, size, |i, j| {
        if i == j { 1.0 } else { (1.0 - shrinkage) * correlation[(i, j)] }
    });
    let factor = shrunk.llt(faer::Side::Lower).map_err(|_| {
        Error::Core(CoreError::setting(
            "shrinkage",
            shrinkage,
            "large enough to invert the correlations",
        ))
    })?;
    let inverse = factor.solve(Mat::<f64>::identity(size, size));
    let scaled = scaled(&inverse);
    Ok(Mat::from_fn(size, size, |i, j| -scaled[(i, j)]))
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
