//! Trials that are variants of each other, put together.
//!
//! Clusters are joined pair by pair, the two with the largest mean correlation between their trials
//! first (average linkage), until that falls below a limit. Unlike a search for the number of clusters,
//! this says one cluster where all trials are the same and `N` where none are alike.
//!
//! Pairs that are equally near are joined in the order of their positions. NaN is refused.
//!
//! Cost: `T N²` for the correlations; `N²` memory and, with the nearest neighbour of each cluster kept,
//! mostly `N²` time.
//!
//! Reference: Sokal and Michener (1958), A statistical method for evaluating systematic relationships,
//! University of Kansas Science Bulletin 38; López de Prado and Lewis (2019), Detection of false
//! investment strategies using unsupervised learning methods, Quantitative Finance 19(9).

use fattail_stats::gram;

use super::standardised;
use crate::error::{self, Error, Result};

/// Which trials belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clusters {
    /// Number of clusters.
    pub count: usize,
    /// The cluster of each trial, from 0, numbered in the order of their first trials.
    pub labels: Vec<usize>,
}

/// Puts trials (columns of era scores) together whose mean correlation is at least
/// `least_correlation`, for which 0.5 is a usual choice.
///
/// ```
/// let (up, near, other) = ([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 5.0], [2.0, -1.0, 2.0, -2.0]);
/// let found = fattail_luck::cluster(&[&up, &other, &near], 0.5)?;
/// assert_eq!((found.count, &found.labels[..]), (2, &[0, 1, 0][..]));
/// # Ok::<(), fattail_luck::Error>(())
/// ```
///
/// # Errors
/// Columns of different length or below 4 rows, values that are not finite, constant columns, and a
/// `least_correlation` outside `[-1, 1]`.
pub fn cluster(scores: &[&[f64]], least_correlation: f64) -> Result<Clusters> {
    joined(&checked(scores, least_correlation)?, least_correlation)
}

/// Standardised columns of checked input.
pub(super) fn checked(scores: &[&[f64]], least_correlation: f64) -> Result<Vec<Vec<f64>>> {
    if !(-1.0..=1.0).contains(&least_correlation) {
        let (name, given) = ("least_correlation", least_correlation);
        return Err(Error::Range { name, given, allowed: "-1 to 1" });
    }
    error::columns("scores", scores, 4)?;
    standardised(scores)
}

/// The clusters of standardised columns.
pub(super) fn joined(standard: &[Vec<f64>], least_correlation: f64) -> Result<Clusters> {
    let slices: Vec<&[f64]> = standard.iter().map(Vec::as_slice).collect();
    let mut correlation = gram(&slices)?;
    let degrees = (slices[0].len() - 1) as f64;
    correlation.iter_mut().for_each(|value| *value /= degrees);
    let mut linkage = Linkage::new(correlation, slices.len());
    while linkage.join(least_correlation) {}
    Ok(linkage.labels())
}

/// Clusters that are being joined: `parent` leads to the cluster a trial went into.
struct Linkage {
    correlation: Vec<f64>,
    parent: Vec<usize>,
    size: Vec<f64>,
    alive: Vec<usize>,
    /// The nearest later cluster of each, `usize::MAX` for none.
    nearest: Vec<usize>,
}

impl Linkage {
    fn new(correlation: Vec<f64>, count: usize) -> Self {
        let alive: Vec<usize> = (0..count).collect();
        let (parent, size) = (alive.clone(), vec![1.0; count]);
        let mut linkage = Self { correlation, parent, size, alive, nearest: vec![0; count] };
        (0..count).for_each(|cluster| linkage.look(cluster));
        linkage
    }

    fn between(&self, a: usize, b: usize) -> f64 {
        self.correlation[a * self.parent.len() + b]
    }

    /// Finds the nearest later cluster of one.
    fn look(&mut self, cluster: usize) {
        let later = self.alive.iter().copied().filter(|&other| other > cluster);
        let nearer = |best: usize, other: usize| {
            let better =
                best == usize::MAX || self.between(cluster, other) > self.between(cluster, best);
            if better { other } else { best }
        };
        self.nearest[cluster] = later.fold(usize::MAX, nearer);
    }

    /// Joins the nearest two, if they are near enough.
    fn join(&mut self, least: f64) -> bool {
        let reach = |cluster: usize| match self.nearest[cluster] {
            usize::MAX => f64::NEG_INFINITY,
            other => self.between(cluster, other),
        };
        let start = (usize::MAX, f64::NEG_INFINITY);
        let (into, best) = self.alive.iter().fold(start, |(at, best), &cluster| {
            let value = reach(cluster);
            if value > best { (cluster, value) } else { (at, best) }
        });
        if into == usize::MAX || best < least {
            return false;
        }
        let gone = self.nearest[into];
        self.merge(into, gone);
        true
    }

    fn merge(&mut self, into: usize, gone: usize) {
        let n = self.parent.len();
        self.alive.retain(|&cluster| cluster != gone);
        let (a, b) = (self.size[into], self.size[gone]);
        for &other in &self.alive {
            let mean = (a * self.between(into, other) + b * self.between(gone, other)) / (a + b);
            self.correlation[into * n + other] = mean;
            self.correlation[other * n + into] = mean;
        }
        self.parent[gone] = into;
        self.size[into] += self.size[gone];
        for cluster in self.alive.clone() {
            let near = self.nearest[cluster];
            // Others keep theirs: a mean of two correlations is not above both.
            if cluster == into || near == into || near == gone {
                self.look(cluster);
            }
        }
    }

    fn labels(&self) -> Clusters {
        let root = |mut trial: usize| {
            while self.parent[trial] != trial {
                trial = self.parent[trial];
            }
            trial
        };
        // A cluster keeps the place of its first trial, and `alive` stays in order.
        let place = |root: usize| self.alive.partition_point(|&cluster| cluster < root);
        let labels = (0..self.parent.len()).map(|trial| place(root(trial))).collect();
        Clusters { count: self.alive.len(), labels }
    }
}
