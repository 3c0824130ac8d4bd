//! What a panel shows, shares and refuses.

use fattail_core::{Eras, Ids, Panel, Result, Values};
use ndarray::array;
use proptest::prelude::*;

fn panel() -> Panel {
    Panel::builder()
        .eras(&["1", "1", "2", "3", "3", "3"])
        .unwrap()
        .ids(["a", "b", "a", "a", "b", "c"].into_iter().collect::<Ids>())
        .feature("bins", vec![0u8, 1, 2, 3, 4, 5])
        .feature("numbers", vec![0.0f32, 0.1, 0.2, 0.3, 0.4, 0.5])
        .target("main", vec![0.0f32, 1.0, 2.0, 3.0, 4.0, 5.0])
        .target("other", vec![9.0f32; 6])
        .extra("meta", vec![7.0f32; 6])
        .build()
        .unwrap()
}

fn message<T: std::fmt::Debug>(result: Result<T>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn a_cut_of_a_cut_reads_the_right_rows() {
    let cut = panel().cut(&[0, 2]).unwrap();
    assert_eq!(cut.feature(0).to_f32(), [0.0, 1.0, 3.0, 4.0, 5.0]);
    assert_eq!(cut.target().unwrap().to_f64(), [0.0, 1.0, 3.0, 4.0, 5.0]);
    assert_eq!((cut.id(2), cut.id(4), cut.id(5)), (Some("a"), Some("c"), None));
    let last = cut.cut(&[1]).unwrap();
    assert_eq!(last.era(0).label(), "3");
    assert_eq!(last.era(0).feature(1), Values::F32(&[0.3, 0.4, 0.5]));
    assert_eq!(last.era(0).ids().unwrap().collect::<Vec<_>>(), ["a", "b", "c"]);
}

#[test]
fn cuts_share_memory() {
    let whole = panel();
    let cut = whole.cut(&[2]).unwrap();
    let (Values::F32(a), Values::F32(b)) = (whole.era(2).feature(1), cut.era(0).feature(1)) else {
        panic!()
    };
    assert_eq!(a.as_ptr(), b.as_ptr());
}

#[test]
fn new_columns_stand_beside_cut_ones() {
    let cut = panel().cut(&[0, 2]).unwrap();
    let grown = cut.append_features([("new", vec![1.0f32, 2.0, 3.0, 4.0, 5.0])]).unwrap();
    assert_eq!(grown.era(1).feature(2).iter().collect::<Vec<_>>(), [3.0, 4.0, 5.0]);
    assert_eq!(grown.era(1).feature(0).iter().collect::<Vec<_>>(), [3.0, 4.0, 5.0]);
    let later = grown.cut(&[1]).unwrap();
    assert_eq!(later.feature(0).to_f32(), [3.0, 4.0, 5.0]);
    assert_eq!(later.feature(2).to_f32(), [3.0, 4.0, 5.0]);
    assert!(cut.feature(0).contiguous().is_none());
    assert!(grown.feature(2).contiguous().is_some());
}

#[test]
fn replaced_columns_stand_beside_shared_ones() {
    let cut = panel().cut(&[0, 2]).unwrap();
    let replaced = cut.replace_features([(1, vec![9u8; 5])]).unwrap();
    assert_eq!(replaced.feature(1).to_f32(), [9.0; 5]);
    let (Values::U8(a), Values::U8(b)) = (cut.era(1).feature(0), replaced.era(1).feature(0)) else {
        panic!("bins")
    };
    assert_eq!(a.as_ptr(), b.as_ptr());
    assert!(cut.replace_features([(2, vec![9u8; 5])]).is_err());
    assert!(cut.replace_features([(0, vec![9u8; 6])]).is_err());
}

#[test]
fn refusals_name_the_place() {
    let short = Panel::builder().feature("a", vec![1u8, 2]).feature("b", vec![1u8]).build();
    assert_eq!(message(short), "column 'b' has 1 rows, the panel has 2");
    let twice = Panel::builder().feature("a", vec![1u8]).feature("a", vec![1u8]).build();
    assert_eq!(message(twice), "feature 'a' is given twice");
    let ids = Panel::builder().ids(["x", "y", "x"].into_iter().collect::<Ids>()).build();
    assert_eq!(message(ids), "id 'x' stands twice in era '0', the second time at row 2");
    assert_eq!(message(Panel::builder().build()), "the panel is empty");
    let unknown = panel().feature_named("number").map(|_| ());
    assert_eq!(message(unknown), "unknown feature 'number', did you mean 'numbers'?");
    assert_eq!(message(panel().with_target("x").map(|_| ())), "unknown target 'x'");
    assert!(message(panel().cut(&[2, 0])).starts_with("era index 0 at position 1"));
    assert!(message(panel().cut(&[3])).starts_with("era index 3 at position 0"));
}

#[test]
fn no_column_has_two_roles() {
    let column = || vec![1.0f32];
    let as_both = Panel::builder().feature("a", column()).target("a", column()).build();
    assert_eq!(message(as_both), "column 'a' is given as feature and as target");
    let as_both = Panel::builder().feature("a", column()).extra("a", column()).build();
    assert_eq!(message(as_both), "column 'a' is given as feature and as extra column");
    let as_both = Panel::builder().target("a", column()).extra("a", column()).build();
    assert_eq!(message(as_both), "column 'a' is given as target and as extra column");
    for refused in [
        panel().append_features([("main", vec![1.0f32; 6])]),
        panel().with_features([("meta", vec![1.0f32; 6])]),
        panel().append_target("numbers", vec![1.0; 6]),
        panel().append_target("meta", vec![1.0; 6]),
        panel().with_extra("other", vec![1.0; 6]),
        panel().with_extra("bins", vec![1.0; 6]),
    ] {
        assert!(message(refused).contains("' is given as "));
    }
    // A name is free again once its column is gone.
    let blind = panel().without_targets();
    assert!(blind.append_features([("main", vec![1.0f32; 6])]).is_ok());
}

#[test]
fn finiteness_is_told_with_era_and_row() {
    let broken = panel().append_features([("x", vec![0.0, 0.0, 0.0, f32::NAN, 0.0, 0.0])]).unwrap();
    assert_eq!(message(broken.expect_finite()), "column 'x' holds NaN in era '3' at row 3");
    assert!(panel().expect_finite().is_ok());
}

#[test]
fn targets_are_chosen_replaced_and_removed() {
    assert_eq!(panel().with_target("other").unwrap().era(1).target().unwrap(), [9.0]);
    let replaced = panel().with_target_values(vec![0.5f32; 6]).unwrap();
    assert_eq!(replaced.target().unwrap().to_f32(), [0.5; 6]);
    assert_eq!(replaced.target_named("other").unwrap().to_f32(), [9.0; 6]);
    let blind = panel().without_targets();
    assert!(blind.target().is_err());
    assert_eq!(
        blind.append_target("new", vec![1.0; 6]).unwrap().target().unwrap().to_f32(),
        [1.0; 6]
    );
    assert!(panel().append_target("main", vec![1.0; 6]).is_err());
    assert_eq!(panel().era(0).extra("meta").unwrap(), [7.0, 7.0]);
}

#[test]
fn arrays_in_and_out() {
    let values = array![[1.0f32, 2.0], [3.0, 4.0], [5.0, 6.0]];
    let panel = Panel::builder().feature_array(&["a", "b"], values.view()).build().unwrap();
    assert_eq!(panel.to_array(), values);
    assert_eq!(panel.era(0).to_array(), values);
    assert_eq!(panel.feature(1).view().unwrap().to_vec(), [2.0, 4.0, 6.0]);
    let wrong = Panel::builder().feature_array(&["a"], values.view()).build();
    assert_eq!(message(wrong), "column 'feature names' has 1 rows, the panel has 2");
}

#[test]
fn finer_eras_of_a_cut_read_the_right_rows() {
    let eras = |runs: &[(&str, usize)]| {
        Eras::from_runs(runs.iter().map(|&(label, rows)| (label.into(), rows))).unwrap()
    };
    let whole = Panel::builder()
        .era_runs(eras(&[("1", 2), ("2", 1), ("3", 3)]))
        .feature("x", vec![0u8, 1, 2, 3, 4, 5])
        .weights(vec![0.0f32, 1.0, 2.0, 3.0, 4.0, 5.0])
        .build()
        .unwrap();
    let cut = whole.cut(&[0, 2]).unwrap();
    let finer = cut.with_eras(eras(&[("a1", 2), ("a2", 1), ("a3", 2)])).unwrap();
    assert_eq!(finer.feature(0).to_f32(), [0.0, 1.0, 3.0, 4.0, 5.0]);
    assert_eq!(finer.cut(&[2]).unwrap().weights().unwrap().to_f32(), [4.0, 5.0]);
    let across = message(cut.with_eras(eras(&[("a1", 1), ("a2", 4)])));
    assert_eq!(across, "era 'a2' reaches over the end of an era of the panel at row 2");
    assert_eq!(
        message(cut.with_eras(eras(&[("a1", 1)]))),
        "column 'eras' has 1 rows, the panel has 5"
    );
}

#[test]
fn the_words_cross_threads() {
    fn check<T: Send + Sync>() {}
    check::<Panel>();
    check::<fattail_core::Pipeline>();
    check::<fattail_core::FittedPipeline>();
    check::<fattail_core::Error>();
}

proptest! {
    #[test]
    fn cuts_compose(lengths in prop::collection::vec(1usize..4, 1..12), keep in prop::collection::vec(any::<bool>(), 12)) {
        let runs = lengths.iter().enumerate().map(|(e, &n)| (format!("{e}").into(), n));
        let eras = Eras::from_runs(runs).unwrap();
        let rows = eras.rows();
        let panel = Panel::builder().era_runs(eras).feature("row", (0..rows).map(|r| r as f32).collect::<Vec<_>>()).build().unwrap();
        let kept: Vec<usize> = (0..lengths.len()).filter(|&e| keep[e]).collect();
        prop_assume!(!kept.is_empty());
        let cut = panel.cut(&kept).unwrap();
        let expected: Vec<f32> = kept.iter().flat_map(|&e| panel.eras().range(e)).map(|r| r as f32).collect();
        prop_assert_eq!(cut.feature(0).to_f32(), expected);
        let last = cut.cut(&[kept.len() - 1]).unwrap();
        prop_assert_eq!(last.feature(0).to_f32(), panel.cut(&kept[kept.len() - 1..]).unwrap().feature(0).to_f32());
    }
}

#[test]
fn a_column_is_shared_with_its_start() {
    let panel = Panel::builder()
        .eras(&["1", "2", "2", "3"])
        .unwrap()
        .feature("x", vec![1u8, 2, 3, 4])
        .build()
        .unwrap();
    let cut = panel.cut(&[1, 2]).unwrap();
    let (data, start) = cut.feature(0).shared().unwrap();
    assert_eq!((data.len(), start), (4, 1));
    assert!(panel.cut(&[0, 2]).unwrap().feature(0).shared().is_none());
}

#[test]
fn the_first_value_that_is_not_finite_is_found_wherever_it_stands() {
    let rows = 300;
    for at in [0, 1, 126, 127, 128, 129, 255, 256, 299] {
        let mut values = vec![1.0f32; rows];
        values[at] = f32::NEG_INFINITY;
        values[rows - 1] = f32::NAN;
        let builder = Panel::builder().eras(&vec!["1"; rows]).unwrap();
        let panel = builder.feature("u", vec![0u8; rows]).feature("x", values).build().unwrap();
        let text = panel.expect_finite().unwrap_err().to_string();
        let value = if at == rows - 1 { "NaN" } else { "-inf" };
        assert_eq!(text, format!("column 'x' holds {value} in era '1' at row {at}"));
    }
}
