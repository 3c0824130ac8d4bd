//! Categories as numbers: ordered target statistics.
//!
//! With the mean m of the target over all training rows and the prior's weight a, a training row of
//! category c gets
//!
//! ```text
//! (sum of the targets of earlier rows of c + a m) / (number of earlier rows of c + a)
//! ```
//!
//! Earlier are the rows of earlier eras, so that no row of an era learns from another of it, or, where
//! there is one era, the rows before it in a random order. Weights multiply sums and numbers. NaN,
//! negative and unseen categories get m.
//!
//! A model predicts with the statistic over all training rows: `statistic <= threshold` is then a set
//! of categories, and that is what the model's nodes ask about. Rules send unseen categories right, so
//! where m lies on the left the children change places.
//! Cost: rows x log(categories) a column. Reference: Prokhorenkova et al. (2018), CatBoost, section 3.

use std::collections::BTreeMap;

use fattail_bins::{Binning, Kind, Mapper};
use fattail_core::{Panel, Result};
use fattail_trees::{Missing, Node, Rule};

use super::{GbdtModel, order::Order};
use crate::{CategoricalMethod, Error, Gbdt, grow::bits};

/// The largest category: sets of categories are sets of bits.
const MOST: i32 = (1 << 20) - 1;

/// The target of training rows and what it weighs; 0 where it is unknown.
struct Known {
    target: Vec<f64>,
    weight: Vec<f64>,
    mean: f64,
}

/// The statistics of a feature.
#[derive(Debug, Clone)]
struct Encoded {
    feature: usize,
    /// Sums of weights and the statistic of each category, over all training rows.
    categories: BTreeMap<i32, (f64, f32)>,
}

/// Categorical features as numbers.
#[derive(Debug, Clone)]
pub(super) struct Encoder {
    columns: Vec<Encoded>,
    /// The statistic of what is unseen.
    unseen: f32,
}

impl Encoder {
    /// Learns the statistics of the categorical features of a training panel with more categories
    /// than are tried one by one; answers the panel with the ordered statistics in their place.
    pub(super) fn learn(panel: &Panel, settings: &Gbdt, prior: f64) -> Result<(Self, Panel)> {
        let known = Known::new(panel, settings)?;
        let ends = panel.eras().ranges().map(|range| range.end);
        let eras: Vec<usize> = std::iter::once(0).chain(ends).collect();
        let order = Order::new(&eras, settings.seed);
        let mut encoder = Self { columns: Vec::new(), unseen: known.mean as f32 };
        let mut replaced = Vec::new();
        for name in &settings.bins.categorical {
            let feature = panel.schema().feature_position(name)?;
            let codes = codes(panel, feature)?;
            let (column, values) = statistics((feature, &codes), &known, &order, prior);
            // One bin is kept for what is unseen.
            if column.categories.len() + 1 > settings.categorical.max_to_onehot {
                encoder.columns.push(column);
                replaced.push((feature, values));
            }
        }
        let panel = panel.replace_features(replaced)?;
        Ok((encoder, panel))
    }

    /// A panel with the statistics over all training rows in place of categories.
    pub(super) fn apply(&self, panel: &Panel) -> Result<Panel> {
        let encode = |column: &Encoded| {
            let value = |x: f32| {
                let known = category(x).and_then(|category| column.categories.get(&category));
                known.map_or(self.unseen, |known| known.1)
            };
            let values = panel.feature(column.feature).to_f32().into_iter().map(value);
            (column.feature, values.collect::<Vec<f32>>())
        };
        panel.replace_features(self.columns.iter().map(encode))
    }

    /// The settings for panels of statistics.
    pub(super) fn settings(&self, settings: &Gbdt, panel: &Panel) -> Gbdt {
        let encoded = |name: &String| {
            self.columns.iter().any(|column| *panel.schema().features()[column.feature] == **name)
        };
        let mut settings = settings.clone();
        settings.bins.categorical.retain(|name| !encoded(name));
        settings.categorical.method = CategoricalMethod::Partition;
        settings
    }

    /// A model of statistics as one of categories.
    pub(super) fn restore(&self, mut model: GbdtModel) -> GbdtModel {
        for column in &self.columns {
            let mapper = column.mapper();
            model.forest.features[column.feature].info = mapper.info();
            model.mappers.mappers[column.feature] = mapper;
        }
        let nodes = model.forest.trees.iter_mut().flat_map(|tree| &mut tree.nodes);
        for node in nodes {
            let feature = node.feature as usize;
            if let Some(column) = self.columns.iter().find(|column| column.feature == feature) {
                self.ask_for_categories(node, column);
            }
        }
        model
    }

    fn ask_for_categories(&self, node: &mut Node, column: &Encoded) {
        let unseen_left = node.rule.goes_left(self.unseen.into());
        if unseen_left {
            std::mem::swap(&mut node.left, &mut node.right);
        }
        let set = column.categories.iter();
        let set = set.filter(|(_, known)| node.rule.goes_left(known.1.into()) != unseen_left);
        let left = bits(set.map(|(&category, _)| category));
        node.rule = Rule::Categorical { left, missing: Missing::None, default_left: false };
    }
}

impl Encoded {
    /// The categories as bins, by falling weight.
    fn mapper(&self) -> Mapper {
        let mut list: Vec<(i32, f64)> =
            self.categories.iter().map(|(&category, known)| (category, known.0)).collect();
        list.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        list.truncate(Binning::MAX_BINS - 1);
        let categories: Vec<i32> =
            std::iter::once(-1).chain(list.into_iter().map(|(category, _)| category)).collect();
        let ends = self.categories.keys().next().zip(self.categories.keys().next_back());
        let (min, max) = ends.map_or((0.0, 0.0), |(&min, &max)| (min.into(), max.into()));
        Mapper {
            missing: Missing::None,
            bins: categories.len(),
            zero_bin: categories.iter().position(|&category| category == 0).unwrap_or(0),
            kind: Kind::Categorical { categories },
            min,
            max,
        }
    }
}

impl Known {
    fn new(panel: &Panel, settings: &Gbdt) -> Result<Self> {
        let column = match settings.targets.first() {
            Some(name) => panel.target_named(name)?,
            None => panel.target()?,
        };
        let mut target = column.to_f64();
        let mut weight =
            panel.weights().map_or(vec![1.0; panel.rows()], |weights| weights.to_f64());
        for (target, weight) in target.iter_mut().zip(&mut weight) {
            if !(target.is_finite() && *weight > 0.0) {
                (*target, *weight) = (0.0, 0.0);
            }
        }
        let sum: f64 = target.iter().zip(&weight).map(|(target, weight)| target * weight).sum();
        let total: f64 = weight.iter().sum();
        if total <= 0.0 {
            return Err(Error::NothingKnown { rows: panel.rows() }.into());
        }
        Ok(Self { target, weight, mean: sum / total })
    }
}

/// The category of a value, if it is one.
fn category(x: f32) -> Option<i32> {
    (x > -1.0 && x < 2_147_483_648.0).then_some(x as i32)
}

/// The category of each row.
fn codes(panel: &Panel, feature: usize) -> Result<Vec<Option<i32>>> {
    let codes: Vec<Option<i32>> =
        panel.feature(feature).to_f32().into_iter().map(category).collect();
    match codes.iter().flatten().find(|&&category| category > MOST) {
        Some(&category) => {
            let feature = panel.schema().features()[feature].to_string();
            Err(Error::Category { feature, category, most: MOST }.into())
        }
        None => Ok(codes),
    }
}

/// The statistics of a feature's categories over all rows, and of each row over earlier ones.
fn statistics(
    (feature, codes): (usize, &[Option<i32>]),
    known: &Known,
    order: &Order,
    prior: f64,
) -> (Encoded, Vec<f32>) {
    let places: BTreeMap<i32, usize> =
        codes.iter().flatten().map(|&category| (category, 0)).collect();
    let places: BTreeMap<i32, usize> =
        places.into_keys().enumerate().map(|(place, category)| (category, place)).collect();
    let place: Vec<Option<usize>> =
        codes.iter().map(|code| code.map(|category| places[&category])).collect();
    let mut sums = vec![(0.0, 0.0); places.len()];
    let value = |(sum, count): (f64, f64)| ((sum + prior * known.mean) / (count + prior)) as f32;
    let mut values = vec![known.mean as f32; codes.len()];
    let mut start = 0;
    for &end in &order.ends {
        let unit = order.rows[start..end].iter().map(|&row| row as usize);
        for (row, place) in unit.filter_map(|row| place[row].map(|place| (row, place))).clone() {
            values[row] = value(sums[place]);
        }
        let unit = order.rows[start..end].iter().map(|&row| row as usize);
        for (row, place) in unit.filter_map(|row| place[row].map(|place| (row, place))) {
            sums[place].0 += known.target[row] * known.weight[row];
            sums[place].1 += known.weight[row];
        }
        start = end;
    }
    let all =
        places.iter().map(|(&category, &place)| (category, (sums[place].1, value(sums[place]))));
    (Encoded { feature, categories: all.collect() }, values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(target: &[f64]) -> Known {
        let mean = target.iter().sum::<f64>() / target.len() as f64;
        Known { target: target.to_vec(), weight: vec![1.0; target.len()], mean }
    }

    #[test]
    fn statistics_by_hand() {
        // Two eras of three rows, mean 3, prior of weight 1.
        let known = known(&[1.0, 3.0, 5.0, 2.0, 3.0, 4.0]);
        let codes = [Some(4), Some(4), Some(9), Some(4), None, Some(7)];
        let order = Order::new(&[0, 3, 6], 0);
        let (encoded, values) = statistics((0, &codes), &known, &order, 1.0);
        // In the second era category 4 has (1 + 3 + 3) / (2 + 1), and 7 is new.
        assert_eq!(values, [3.0, 3.0, 3.0, 7.0 / 3.0, 3.0, 3.0]);
        let all: Vec<(i32, f32)> =
            encoded.categories.iter().map(|(&c, known)| (c, known.1)).collect();
        assert_eq!(all, [(4, 9.0 / 4.0), (7, 3.5), (9, 4.0)]);
    }

    #[test]
    fn a_threshold_becomes_a_set_with_the_unseen_on_its_side() {
        let categories = [(1, (1.0, 0.5)), (2, (1.0, 1.0)), (33, (1.0, 2.0))].into();
        let encoder = Encoder { columns: vec![Encoded { feature: 0, categories }], unseen: 1.5 };
        let (mapper, column) = (encoder.columns[0].mapper(), &encoder.columns[0]);
        assert_eq!(mapper.kind, Kind::Categorical { categories: vec![-1, 1, 2, 33] });
        for threshold in [0.7, 1.2, 1.7] {
            let numeric = Rule::Numeric { threshold, missing: Missing::None, default_left: false };
            let (left, right) = (fattail_trees::Child::Leaf(0), fattail_trees::Child::Leaf(1));
            let (rule, gain, value, weight) = (numeric.clone(), 0.0, 0.0, 0.0);
            let mut node = Node { feature: 0, rule, left, right, gain, value, weight, count: 0 };
            encoder.ask_for_categories(&mut node, column);
            let cases =
                [(1.0, 0.5), (2.0, 1.0), (33.0, 2.0), (5.0, 1.5), (-1.0, 1.5), (f64::NAN, 1.5)];
            for (category, statistic) in cases {
                let side = if node.rule.goes_left(category) { node.left } else { node.right };
                let expected = if numeric.goes_left(statistic) { left } else { right };
                assert_eq!(side, expected, "category {category} at {threshold}");
            }
        }
    }
}
