//! The bins of one column, from its sampled values.
//!
//! Small integers keep their values as codes where the bins that LightGBM makes hold one value each:
//! then `upper` has an entry for every value up to the largest, absent ones repeating the entry below.
//! A column whose sampled values fall into one bin is constant.

use fattail_core::ColumnView;
use fattail_trees::Missing;

use crate::{
    Kind, Mapper,
    categories::categorical,
    find::Distinct,
    sample::{Sample, distinct_bytes},
    settings::Plan,
};

/// Learns the bins of a column.
pub(crate) fn learn(view: ColumnView<'_>, sample: &Sample, plan: &Plan<'_>) -> Mapper {
    if view.is_u8() { learn_bytes(view, sample, plan) } else { learn_numbers(view, sample, plan) }
}

fn learn_numbers(view: ColumnView<'_>, sample: &Sample, plan: &Plan<'_>) -> Mapper {
    let numbers = sample.numbers(view);
    let apart = plan.use_missing && !plan.zero_as_missing;
    let nans = if apart { numbers.nans } else { 0 };
    let distinct = numbers.distinct(numbers.zeros + numbers.nans - nans);
    if plan.categorical {
        categorical(&distinct, nans, plan.max_bins, plan.min_data)
    } else {
        numeric(&distinct, nans, plan)
    }
}

fn learn_bytes(view: ColumnView<'_>, sample: &Sample, plan: &Plan<'_>) -> Mapper {
    let plain = !plan.categorical && plan.forced.is_empty();
    let quick = plain.then(|| sample.frequent(view, plan.min_data)).flatten();
    let counts = quick.filter(|counts| top(counts) < plan.max_bins);
    let counts = counts.unwrap_or_else(|| sample.bytes(view));
    let distinct = distinct_bytes(&counts);
    if plan.categorical {
        return categorical(&distinct, 0, plan.max_bins, plan.min_data);
    }
    let mapper = numeric(&distinct, 0, plan);
    if plain && top(&counts) < plan.max_bins { as_they_are(mapper, &counts) } else { mapper }
}

/// The largest value counted.
fn top(counts: &[usize; 256]) -> usize {
    counts.iter().rposition(|&count| count > 0).unwrap_or(0)
}

fn numeric(distinct: &Distinct, nans: usize, plan: &Plan<'_>) -> Mapper {
    let missing = match (plan.use_missing, plan.zero_as_missing) {
        (false, _) => Missing::None,
        (true, true) => Missing::Zero,
        (true, false) if nans > 0 => Missing::Nan,
        (true, false) => Missing::None,
    };
    let max_bins = plan.max_bins - usize::from(missing == Missing::Nan);
    let upper = distinct.bounds(max_bins, plan.min_data, plan.forced);
    let few = missing == Missing::Zero && upper.len() == 2;
    let missing = if few { Missing::None } else { missing };
    let ends = [distinct.values[0], distinct.values[distinct.values.len() - 1]];
    let mapper = Mapper::numeric(upper, missing, ends);
    let seen = distinct.values.iter().zip(&distinct.counts).filter(|&(_, &count)| count > 0);
    let mut codes: Vec<usize> = seen.map(|(&value, _)| mapper.code(value)).collect();
    codes.dedup();
    if codes.len() + usize::from(nans > 0) < 2 { Mapper::constant(false, ends) } else { mapper }
}

/// The same bins with the values as codes, where each holds one value; else as it was.
fn as_they_are(mapper: Mapper, counts: &[usize; 256]) -> Mapper {
    let Kind::Numeric { upper } = &mapper.kind else { return mapper };
    let present: Vec<usize> = (0..256).filter(|&value| counts[value] > 0).collect();
    let codes: Vec<usize> = present.iter().map(|&value| mapper.code(value as f64)).collect();
    if mapper.bins < 2 || !codes.is_sorted_by(|a, b| a < b) {
        return mapper;
    }
    let mut raw = Vec::with_capacity(top(counts) + 1);
    for value in 0..=top(counts) {
        let own = counts[value] > 0 || value == 0;
        raw.push(if own { upper[mapper.code(value as f64)] } else { raw[value - 1] });
    }
    Mapper::numeric(raw, mapper.missing, [mapper.min, mapper.max])
}

#[cfg(test)]
mod tests {
    use fattail_core::Panel;
    use fattail_trees::Tree;

    use super::*;
    use crate::Binning;

    fn bins(values: impl Into<fattail_core::ColumnData>, binning: &Binning) -> Mapper {
        let panel = Panel::builder().feature("x", values).build().unwrap();
        let plan = &binning.plan(panel.schema()).unwrap()[0];
        learn(panel.feature(0), &Sample::new(&panel, binning), plan)
    }

    fn upper(mapper: &Mapper) -> &[f64] {
        let Kind::Numeric { upper } = &mapper.kind else { panic!("not numbers") };
        upper
    }

    #[test]
    fn absent_values_repeat_the_bound_below() {
        let values: Vec<u8> = [0, 2, 4].repeat(9);
        let mapper = bins(values.clone(), &Binning::default());
        let three = 3.0_f64.next_up();
        assert_eq!(upper(&mapper), [Tree::ZERO, Tree::ZERO, three, three, f64::INFINITY]);
        let numbers: Vec<f32> = values.iter().map(|&v| f32::from(v)).collect();
        let numbers = bins(numbers, &Binning::default());
        assert_eq!(upper(&numbers), [Tree::ZERO, three, f64::INFINITY]);
    }

    #[test]
    fn rare_small_integers_share_a_bin() {
        let values = [[0_u8; 9].as_slice(), &[1, 1], &[2; 9]].concat();
        let mapper = bins(values, &Binning::default());
        assert_eq!([0.0, 1.0, 2.0].map(|x| mapper.code(x)), [0, 1, 1]);
    }

    #[test]
    fn more_small_integers_than_bins_are_binned_like_numbers() {
        let values: Vec<u8> = (0..=255).collect::<Vec<u8>>().repeat(4);
        let mapper = bins(values.clone(), &Binning { max_bins: 16, ..Binning::default() });
        let numbers: Vec<f32> = values.iter().map(|&v| f32::from(v)).collect();
        assert_eq!(mapper, bins(numbers, &Binning { max_bins: 16, ..Binning::default() }));
        assert!(mapper.bins <= 16);
    }

    #[test]
    fn one_value_is_constant() {
        for values in [vec![5.0_f32; 9], vec![f32::NAN; 9], vec![0.0; 9]] {
            assert_eq!(bins(values, &Binning::default()).bins, 1);
        }
        assert_eq!(bins(vec![5_u8; 9], &Binning::default()).bins, 1);
        let known = bins(vec![5.0, 5.0, f32::NAN], &Binning::default());
        assert_eq!((known.bins, known.missing), (3, Missing::Nan));
    }

    #[test]
    fn zero_may_be_missing() {
        let binning = Binning { zero_as_missing: true, ..Binning::default() };
        let mapper = bins([0.0_f32, 1.0, 2.0, f32::NAN].repeat(5), &binning);
        assert_eq!((mapper.missing, mapper.missing_bin()), (Missing::Zero, Some(0)));
        let two = bins([0.0_f32, 1.0].repeat(5), &binning);
        assert_eq!((two.missing, two.bins), (Missing::None, 2));
    }
}
