//! From a value to its bin and from a bin to the threshold of a split.
//!
//! The bin of a number `x` is the first whose largest value is no smaller than `x`. NaN has the last
//! bin where the column knows missing values and counts as 0 elsewhere; of a category NaN, what is
//! negative and what is unseen have bin 0, and fractions are cut off.
//! Cost: a binary search, or a walk over the categories; columns take a faster path.
//! Reference: LightGBM 4.7, `include/LightGBM/bin.h`.

use fattail_trees::{Info, Missing};
use serde::{Deserialize, Serialize};

use crate::{Binning, find::LARGEST, infinite};

/// What the bins of a column stand for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    /// Ranges of numbers.
    Numeric {
        /// The largest value of each bin but the one for missing values; the last is infinite. Equal
        /// neighbours are bins that no value has.
        #[serde(with = "infinite::list")]
        upper: Vec<f64>,
    },
    /// Categories by falling frequency, bin 0 being NaN, the rare and the unseen.
    Categorical {
        /// The category of each bin; the first is -1.
        categories: Vec<i32>,
    },
}

/// The bins of one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mapper {
    /// What the bins stand for.
    pub kind: Kind,
    /// What is missing.
    pub missing: Missing,
    /// The number of bins, the one for missing values (the last) included. A column with one bin is
    /// constant and no split asks about it.
    pub bins: usize,
    /// The bin of zero.
    pub zero_bin: usize,
    /// The smallest value seen.
    #[serde(with = "infinite")]
    pub min: f64,
    /// The largest value seen.
    #[serde(with = "infinite")]
    pub max: f64,
}

impl Mapper {
    /// The bin of missing values: the last for NaN, that of zero where zero is missing.
    #[must_use]
    pub fn missing_bin(&self) -> Option<usize> {
        match (self.missing, &self.kind) {
            (_, Kind::Categorical { .. }) | (Missing::None, _) => None,
            (Missing::Nan, _) => Some(self.bins - 1),
            (Missing::Zero, _) => Some(self.zero_bin),
        }
    }

    /// The bin of a value.
    #[must_use]
    pub fn code(&self, x: f64) -> usize {
        match &self.kind {
            Kind::Numeric { upper } => {
                if x.is_nan() && self.missing == Missing::Nan {
                    return self.bins - 1;
                }
                let x = if x.is_nan() { 0.0 } else { x };
                upper.partition_point(|&bound| bound < x).min(upper.len().saturating_sub(1))
            }
            Kind::Categorical { categories } => {
                let category = category(x);
                categories.iter().position(|&c| Some(c) == category).unwrap_or(0)
            }
        }
    }

    /// The threshold of a split that sends bins up to `bin` left. Like LightGBM's it is at most 1e300,
    /// unless an infinite value was seen.
    ///
    /// # Panics
    /// When there is no such bin of numbers.
    #[must_use]
    pub fn threshold(&self, bin: usize) -> f64 {
        match &self.kind {
            Kind::Numeric { upper } if self.max == f64::INFINITY => upper[bin],
            Kind::Numeric { upper } => upper[bin].min(LARGEST),
            Kind::Categorical { .. } => panic!("categories have no threshold"),
        }
    }

    /// What a model tells about the feature.
    #[must_use]
    pub fn info(&self) -> Info {
        match &self.kind {
            _ if self.bins <= 1 => Info::Unused,
            Kind::Numeric { .. } => Info::Range { min: self.min, max: self.max },
            Kind::Categorical { categories } => Info::Categories { list: categories.clone() },
        }
    }

    /// The bytes of a code.
    #[must_use]
    pub fn width(&self) -> usize {
        if self.bins <= 256 { 1 } else { 2 }
    }

    /// Bins of numbers between the bounds.
    pub(crate) fn numeric(upper: Vec<f64>, missing: Missing, [min, max]: [f64; 2]) -> Self {
        let bins = upper.len() + usize::from(missing == Missing::Nan);
        let mut mapper =
            Self { kind: Kind::Numeric { upper }, missing, bins, zero_bin: 0, min, max };
        mapper.zero_bin = mapper.code(0.0);
        mapper
    }

    /// The one bin of a constant column.
    pub(crate) fn constant(categorical: bool, [min, max]: [f64; 2]) -> Self {
        let kind = if categorical {
            Kind::Categorical { categories: vec![-1] }
        } else {
            Kind::Numeric { upper: vec![f64::INFINITY] }
        };
        Self { kind, missing: Missing::None, bins: 1, zero_bin: 0, min, max }
    }

    /// What is wrong with bins that came from outside.
    pub(crate) fn flaw(&self) -> Option<&'static str> {
        let flaws = match &self.kind {
            Kind::Numeric { upper } => [
                (upper.last() != Some(&f64::INFINITY), "the last bound is not infinite"),
                (!upper.is_sorted(), "the bounds fall"),
                (
                    self.bins != upper.len() + usize::from(self.missing == Missing::Nan),
                    "there are not as many bins as bounds",
                ),
            ],
            Kind::Categorical { categories } => [
                (categories.first() != Some(&-1), "the first category is not -1"),
                (categories.iter().skip(1).any(|&c| c < 0), "a category is negative"),
                (self.bins != categories.len(), "there are not as many bins as categories"),
            ],
        };
        let sizes = [
            (self.bins > Binning::MAX_BINS, "there are more than 65,536 bins"),
            (self.zero_bin >= self.bins, "the bin of zero does not exist"),
        ];
        flaws.into_iter().chain(sizes).find(|(wrong, _)| *wrong).map(|(_, reason)| reason)
    }
}

/// The category of a value, if it is one.
pub(crate) fn category(x: f64) -> Option<i32> {
    (x > -1.0 && x < 2_147_483_648.0).then_some(x as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(missing: Missing) -> Mapper {
        let upper = vec![-0.5, 0.5, 1.5, f64::INFINITY];
        Mapper::numeric(upper, missing, [-1.0, 2.0])
    }

    #[test]
    fn codes_by_hand() {
        let mapper = numbers(Missing::Nan);
        let codes = [-9.0, -0.5, 0.0, 0.6, 1.5, 99.0, f64::NAN].map(|x| mapper.code(x));
        assert_eq!(codes, [0, 0, 1, 2, 2, 3, 4]);
        assert_eq!((mapper.bins, mapper.zero_bin, mapper.missing_bin()), (5, 1, Some(4)));
        assert_eq!(numbers(Missing::None).code(f64::NAN), 1);
        assert_eq!(numbers(Missing::Zero).missing_bin(), Some(1));
    }

    #[test]
    fn thresholds_stay_within_what_models_hold() {
        let mapper = numbers(Missing::Nan);
        assert_eq!([mapper.threshold(1), mapper.threshold(3)], [0.5, 1e300]);
        assert_eq!(Mapper { max: f64::INFINITY, ..mapper }.threshold(3), f64::INFINITY);
    }

    #[test]
    fn categories_by_hand() {
        let kind = Kind::Categorical { categories: vec![-1, 7, 0] };
        let mapper = Mapper { kind, bins: 3, ..Mapper::constant(true, [0.0, 7.0]) };
        let codes = [7.0, 7.9, 0.0, -0.5, -1.0, 3.0, f64::NAN, 3e9].map(|x| mapper.code(x));
        assert_eq!(codes, [1, 1, 2, 2, 0, 0, 0, 0]);
        assert_eq!(mapper.info(), Info::Categories { list: vec![-1, 7, 0] });
        assert_eq!(mapper.missing_bin(), None);
    }

    #[test]
    fn infinite_bounds_survive_json() {
        let mapper = Mapper { min: f64::NEG_INFINITY, ..numbers(Missing::Nan) };
        let text = serde_json::to_string(&mapper).unwrap();
        assert!(text.contains("[-0.5,0.5,1.5,\"inf\"]"), "{text}");
        assert_eq!(serde_json::from_str::<Mapper>(&text).unwrap(), mapper);
    }

    #[test]
    fn flaws_are_told() {
        assert_eq!(numbers(Missing::Nan).flaw(), None);
        let wrong = Mapper { bins: 9, ..numbers(Missing::Nan) };
        assert_eq!(wrong.flaw(), Some("there are not as many bins as bounds"));
        let empty = Kind::Numeric { upper: vec![] };
        assert!(Mapper { kind: empty, ..numbers(Missing::Nan) }.flaw().is_some());
    }
}
