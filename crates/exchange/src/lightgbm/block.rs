//! The block of one tree, read.
//!
//! `decision_type` holds bits: 1 categorical, 2 missing goes left, 12 what is missing (0 nothing, 4 zero, 8
//! NaN). A child below zero is the leaf `-1 - child`. The threshold of a categorical node is the number of
//! its set; set `i` is the words `cat_boundaries[i]..cat_boundaries[i + 1]` of `cat_threshold`.

use fattail_trees::{Child, LinearLeaf, Missing, Node, Rule, Tree};

use super::fields::{Field, Fields, Line, lines};
use crate::Result;

/// LightGBM reads no more.
const LINES: usize = 22;

/// The text of one tree.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block<'a> {
    /// The line `Tree=...`.
    pub(super) head: Line<'a>,
    /// All of the block, its head too.
    pub(super) text: &'a str,
}

impl Block<'_> {
    /// Whether the block can have the size that `tree_sizes` gives: line ends that became `\r\n` and empty
    /// lines at the end do not count.
    pub(super) fn matches(&self, size: usize) -> bool {
        let plain = |text: &str| text.len() - text.matches('\r').count();
        self.text.len() == size || (plain(self.text.trim_end())..=plain(self.text)).contains(&size)
    }

    /// Reads the tree of `output`, whose model has `features`.
    pub(super) fn read(&self, features: usize, output: usize) -> Result<Tree> {
        let fields = Fields::gather(self.head, lines(self.text, self.head.number).skip(1), LINES)?;
        let count = fields.need("num_leaves")?;
        let leaves: usize = count.number()?;
        if leaves == 0 {
            return Err(count.error("0, allowed is at least 1"));
        }
        let values = fields.need("leaf_value")?.list(leaves)?;
        Ok(Tree {
            nodes: nodes(&fields, leaves, features)?,
            values,
            weights: of_leaves(&fields, "leaf_weight", leaves)?,
            counts: of_leaves(&fields, "leaf_count", leaves)?,
            linear: linear(&fields, leaves, features)?,
            width: 1,
            output,
            shrinkage: fields.find("shrinkage").map_or(Ok(1.0), |field| field.number())?,
        })
    }
}

/// A tree of one leaf may leave these lists empty.
fn of_leaves<T>(fields: &Fields, key: &str, leaves: usize) -> Result<Vec<T>>
where
    T: std::str::FromStr + Clone + Default,
{
    match fields.find(key) {
        Some(field) if leaves == 1 && field.value.is_empty() => Ok(vec![T::default()]),
        _ => fields.list_or_zeros(key, leaves),
    }
}

fn nodes(fields: &Fields, leaves: usize, features: usize) -> Result<Vec<Node>> {
    let sets = fields.need("num_cat")?;
    let count = leaves - 1;
    if count == 0 {
        return Ok(Vec::new());
    }
    let asked = fields.need("split_feature")?;
    let feature = checked_features(asked, count, features)?;
    let (left, right) = children(fields, count)?;
    let mut rules = Rules::read(fields, count, sets.number()?)?;
    let gain: Vec<f64> = fields.list_or_zeros("split_gain", count)?;
    let value: Vec<f64> = fields.list_or_zeros("internal_value", count)?;
    let weight: Vec<f64> = fields.list_or_zeros("internal_weight", count)?;
    let counts: Vec<u64> = fields.list_or_zeros("internal_count", count)?;
    let node = |at: usize| {
        Ok(Node {
            feature: feature[at],
            rule: rules.rule(at)?,
            left: left[at],
            right: right[at],
            gain: gain[at],
            value: value[at],
            weight: weight[at],
            count: counts[at],
        })
    };
    (0..count).map(node).collect()
}

fn checked_features(field: Field, count: usize, features: usize) -> Result<Vec<u32>> {
    let list: Vec<u32> = field.list(count)?;
    match list.iter().find(|&&feature| feature as usize >= features) {
        Some(feature) => Err(field.error(format!("feature {feature} of {features}"))),
        None => Ok(list),
    }
}

/// Both children of each node; each node but the root and each leaf is a child once, below its parent.
fn children(fields: &Fields, count: usize) -> Result<(Vec<Child>, Vec<Child>)> {
    let mut free = (vec![true; count], vec![true; count + 1]);
    let mut side = |key| {
        let field = fields.need(key)?;
        let list: Vec<i32> = field.list(count)?;
        let child = |(at, &link): (usize, &i32)| {
            let slot = match usize::try_from(link) {
                Ok(node) if node <= at => None,
                Ok(node) => free.0.get_mut(node),
                Err(_) => free.1.get_mut(!link as usize),
            };
            if !slot.is_some_and(std::mem::take) {
                return Err(
                    field.error(format!("node {at} points to {link}, which cannot be its child"))
                );
            }
            Ok(if link < 0 { Child::Leaf(!link as u32) } else { Child::Node(link as u32) })
        };
        list.iter().enumerate().map(child).collect::<Result<Vec<_>>>()
    };
    Ok((side("left_child")?, side("right_child")?))
}

/// What the rules of a tree are made of.
struct Rules<'a> {
    threshold: (Field<'a>, Vec<f64>),
    kind: Vec<u8>,
    /// Each set until its node takes it.
    sets: Vec<Option<Box<[u32]>>>,
}

impl<'a> Rules<'a> {
    fn read(fields: &Fields<'a>, count: usize, sets: usize) -> Result<Self> {
        let threshold = fields.need("threshold")?;
        let kind: Vec<u8> = fields.list_or_zeros("decision_type", count)?;
        if let Some(field) = fields.find("decision_type")
            && let Some(kind) = kind.iter().find(|&&kind| kind > 11)
        {
            return Err(field.error(format!("{kind}, allowed is 0 to 11")));
        }
        Ok(Self {
            threshold: (threshold, threshold.list(count)?),
            kind,
            sets: read_sets(fields, sets)?,
        })
    }

    fn rule(&mut self, at: usize) -> Result<Rule> {
        let (field, threshold) = (self.threshold.0, self.threshold.1[at]);
        let kind = self.kind[at];
        let missing = [Missing::None, Missing::Zero, Missing::Nan][(kind >> 2) as usize];
        if kind & 1 == 0 {
            if threshold.is_nan() {
                return Err(field.error(format!("that of node {at} is NaN")));
            }
            return Ok(Rule::Numeric { threshold, missing, default_left: kind & 2 != 0 });
        }
        // A set of many nodes would let a small file ask for much memory.
        let known = threshold >= 0.0 && threshold.trunc() == threshold;
        let set = self.sets.get_mut(threshold as usize).filter(|_| known).and_then(Option::take);
        let left = set.ok_or_else(|| {
            field.error(format!(
                "node {at} asks for set {threshold}, which is another node's or none"
            ))
        })?;
        // LightGBM sends NaN right whatever the bit says.
        Ok(Rule::Categorical { left, missing, default_left: false })
    }
}

fn read_sets(fields: &Fields, count: usize) -> Result<Vec<Option<Box<[u32]>>>> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let bounds = fields.need("cat_boundaries")?;
    let Some(length) = count.checked_add(1) else { return Err(bounds.error("too many sets")) };
    let ends: Vec<usize> = bounds.list(length)?;
    let rising = ends[0] == 0 && ends.is_sorted();
    let words: Vec<u32> = fields.need("cat_threshold")?.list(ends[count])?;
    if !rising {
        return Err(bounds.error("the bounds do not rise from 0"));
    }
    Ok(ends.windows(2).map(|pair| Some(words[pair[0]..pair[1]].into())).collect())
}

fn linear(fields: &Fields, leaves: usize, features: usize) -> Result<Vec<LinearLeaf>> {
    match fields.find("is_linear") {
        Some(field) if field.number::<u8>()? > 1 => return Err(field.error("allowed are 0 and 1")),
        Some(field) if field.number::<u8>()? == 1 => {}
        _ => return Ok(Vec::new()),
    }
    let constants: Vec<f64> = fields.list_or_zeros("leaf_const", leaves)?;
    let lengths: Vec<usize> = fields.list_or_zeros("num_features", leaves)?;
    let total = lengths.iter().try_fold(0, |sum: usize, &length| sum.checked_add(length));
    let total = match total {
        Some(0) => return Ok(constants.into_iter().map(plain).collect()),
        Some(total) => total,
        None => return Err(fields.need("num_features")?.error("the sum is too large")),
    };
    let asked = checked_features(fields.need("leaf_features")?, total, features)?;
    let coefficients: Vec<f64> = fields.need("leaf_coeff")?.list(total)?;
    let mut terms = asked.into_iter().zip(coefficients);
    let line =
        |(constant, length)| LinearLeaf { constant, terms: terms.by_ref().take(length).collect() };
    Ok(constants.into_iter().zip(lengths).map(line).collect())
}

fn plain(constant: f64) -> LinearLeaf {
    LinearLeaf { constant, terms: Vec::new() }
}
