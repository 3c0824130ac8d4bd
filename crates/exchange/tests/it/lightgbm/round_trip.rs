//! Laws of writing and reading.

use fattail_exchange::lightgbm;
use fattail_trees::Forest;
use proptest::collection::vec;
use proptest::prelude::*;

use super::forests::{forest, strange, value};

/// The text of a forest: unlike `==` it tells -0 from 0.
fn bits(forest: &Forest) -> String {
    format!("{forest:?}")
}

proptest! {
    #[test]
    fn a_forest_comes_back_in_every_bit(forest in forest()) {
        forest.check().unwrap();
        let text = lightgbm::write(&forest).unwrap();
        prop_assert_eq!(bits(&lightgbm::read(&text).unwrap()), bits(&forest));
    }

    #[test]
    fn writing_twice_changes_nothing(forest in strange()) {
        let text = lightgbm::write(&forest).unwrap();
        prop_assert_eq!(lightgbm::write(&lightgbm::read(&text).unwrap()).unwrap(), text);
    }

    /// The start is added to the leaves before the sum instead of after it: that is rounded, relative to the
    /// largest number of the sum.
    #[test]
    fn several_outputs_and_a_start_predict_the_same(
        (forest, row) in strange().prop_flat_map(|forest| {
            let width = forest.features.len();
            (Just(forest), vec(value(), width))
        }),
    ) {
        let read = lightgbm::read(lightgbm::write(&forest).unwrap()).unwrap();
        prop_assert_eq!(read.iterations(), forest.iterations());
        let numbers = forest.trees.iter().flat_map(|tree| &tree.values).chain(&forest.start);
        let terms = forest.trees.iter().flat_map(|tree| &tree.linear).flat_map(|line| &line.terms);
        let largest = numbers.map(|x| x.abs()).fold(1.0, f64::max)
            + terms.map(|term| term.1.abs() * 200.0).fold(0.0, f64::max)
            + forest.trees.iter().flat_map(|tree| &tree.linear).map(|line| line.constant.abs()).fold(0.0, f64::max);
        for (ours, theirs) in forest.raw_row(&row).unwrap().iter().zip(read.raw_row(&row).unwrap()) {
            let same = *ours == theirs || ours.is_nan() && theirs.is_nan();
            prop_assert!(same || (ours - theirs).abs() <= 1e-14 * largest, "{} {}", ours, theirs);
        }
    }
}
