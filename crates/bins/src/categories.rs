//! Categories by falling frequency.
//!
//! Bin 0 stands for NaN, the negative and the rare. The others are the categories by falling count,
//! ties by rising category, until 99 % of the rows that have one are covered and the limit of bins is
//! reached; from the third category on one with too few rows ends the list.
//! Cost: `m log m` for `m` categories. Reference: LightGBM 4.7, `src/io/bin.cpp`.

use fattail_trees::Missing;

use crate::{Binning, Kind, Mapper, find::Distinct, mapper::category};

/// How often each category stands in the sample, and what has none.
#[derive(Debug, Default)]
struct Counted {
    list: Vec<(i32, usize)>,
    absent: usize,
}

impl Counted {
    fn new(distinct: &Distinct, nans: usize) -> Self {
        let mut counted = Self { list: Vec::new(), absent: nans };
        for (&value, &count) in distinct.values.iter().zip(&distinct.counts) {
            match (category(value), counted.list.last_mut()) {
                (None, _) => counted.absent += count,
                (Some(category), Some(last)) if last.0 == category => last.1 += count,
                (Some(category), _) => counted.list.push((category, count)),
            }
        }
        counted.list.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        counted
    }

    fn total(&self) -> usize {
        self.list.iter().map(|&(_, count)| count).sum()
    }

    /// How many categories have a bin of their own.
    fn kept(&self, max_bins: usize, min_data: usize) -> usize {
        let max_bins = max_bins.min(self.list.len() + usize::from(self.absent > 0));
        // In this precision, as LightGBM rounds it.
        let share = self.total() as f32 * 0.99_f32;
        let enough = (f64::from(share) + 0.5) as usize;
        let mut covered = 0;
        for (at, &(_, count)) in self.list.iter().enumerate() {
            let full = covered >= enough && at + 1 >= max_bins;
            let rare = at > 1 && count < min_data;
            if full || rare || at + 1 >= Binning::MAX_BINS {
                return at;
            }
            covered += count;
        }
        self.list.len()
    }
}

/// The bins of a column of categories.
pub(crate) fn categorical(
    distinct: &Distinct,
    nans: usize,
    max_bins: usize,
    min_data: usize,
) -> Mapper {
    let counted = Counted::new(distinct, nans);
    let ends = [distinct.values[0], distinct.values[distinct.values.len() - 1]];
    let kept = counted.kept(max_bins, min_data);
    let rest: usize = counted.list[kept..].iter().map(|&(_, count)| count).sum();
    let occupied = usize::from(rest + counted.absent > 0)
        + counted.list[..kept].iter().filter(|&&(_, count)| count > 0).count();
    if occupied < 2 {
        return Mapper::constant(true, ends);
    }
    let complete = kept == counted.list.len() && counted.absent == 0;
    let missing = if complete { Missing::None } else { Missing::Nan };
    let categories = std::iter::once(-1).chain(counted.list[..kept].iter().map(|&(c, _)| c));
    let kind = Kind::Categorical { categories: categories.collect() };
    let mut mapper = Mapper { kind, missing, bins: kept + 1, ..Mapper::constant(true, ends) };
    mapper.zero_bin = mapper.code(0.0);
    mapper
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bins(pairs: &[(f64, usize)], zeros: usize, nans: usize) -> Mapper {
        categorical(&Distinct::with_zeros(pairs.iter().copied(), zeros), nans, 255, 3)
    }

    #[test]
    fn by_falling_count() {
        let mapper = bins(&[(1.0, 5), (4.0, 9), (7.0, 5)], 0, 0);
        assert_eq!(mapper.kind, Kind::Categorical { categories: vec![-1, 4, 1, 7] });
        assert_eq!((mapper.missing, mapper.bins, mapper.zero_bin), (Missing::None, 4, 0));
    }

    #[test]
    fn the_rare_and_the_negative_have_no_bin() {
        let mapper = bins(&[(-1.0, 4), (1.0, 50), (4.0, 2), (7.0, 2)], 60, 1);
        assert_eq!(mapper.kind, Kind::Categorical { categories: vec![-1, 0, 1] });
        assert_eq!((mapper.missing, mapper.zero_bin), (Missing::Nan, 1));
    }

    #[test]
    fn one_category_is_constant() {
        assert_eq!(bins(&[(3.0, 9)], 0, 0).bins, 1);
        assert_eq!(bins(&[], 0, 9).bins, 1);
        assert_eq!(bins(&[(3.0, 9)], 0, 1).bins, 2);
    }
}
