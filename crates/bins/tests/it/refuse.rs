//! What is refused, and how it is told.

use fattail_bins::{Binning, Kind, Mappers};
use fattail_core::Panel;

use crate::panels::single;

fn panel() -> Panel {
    single(vec![0.0_f32, 1.0, 2.0, 3.0])
}

fn refusal(binning: Binning) -> String {
    Mappers::learn(&panel(), &binning).unwrap_err().to_string()
}

#[test]
fn settings_out_of_range() {
    let plain = Binning::default;
    for wrong in [0, 1, 65_537] {
        let text = format!("setting 'max_bins' is {wrong}, allowed is 2 to 65,536");
        assert_eq!(refusal(Binning { max_bins: wrong, ..plain() }), text);
        let limits = [("x".to_owned(), wrong)].into();
        let text = format!("setting 'max_bins_by_feature' is {wrong}, allowed is 2 to 65,536");
        assert_eq!(refusal(Binning { max_bins_by_feature: limits, ..plain() }), text);
    }
    let text = "setting 'min_data_in_bin' is 0, allowed is 1 or more";
    assert_eq!(refusal(Binning { min_data_in_bin: 0, ..plain() }), text);
    let text = "setting 'sample' is 0, allowed is 1 or more";
    assert_eq!(refusal(Binning { sample: 0, ..plain() }), text);
}

#[test]
fn unknown_features() {
    let text = "unknown feature 'y', did you mean 'x'?";
    let plain = Binning::default;
    assert_eq!(refusal(Binning { categorical: vec!["y".into()], ..plain() }), text);
    let forced = [("y".to_owned(), vec![1.0])].into();
    assert_eq!(refusal(Binning { forced, ..plain() }), text);
    let limits = [("y".to_owned(), 9)].into();
    assert_eq!(refusal(Binning { max_bins_by_feature: limits, ..plain() }), text);
}

#[test]
fn forced_bounds_out_of_order() {
    for (forced, value, at) in
        [(vec![1.0, 1.0], "1", 1), (vec![2.0, 1.0], "1", 1), (vec![f64::NAN], "NaN", 0)]
    {
        let text = format!(
            "forced boundaries of 'x' must be finite and increase, found {value} at position {at}"
        );
        let forced = [("x".to_owned(), forced)].into();
        assert_eq!(refusal(Binning { forced, ..Binning::default() }), text);
    }
    let forced = [("x".to_owned(), vec![1.0])].into();
    let both = Binning { forced, categorical: vec!["x".into()], ..Binning::default() };
    let text = "setting 'forced' is x, allowed is features that are not categorical";
    assert_eq!(refusal(both), text);
}

#[test]
fn another_panel() {
    let mappers = Mappers::learn(&panel(), &Binning::default()).unwrap();
    let other = Panel::builder().feature("z", vec![1.0_f32]).build().unwrap();
    let text = mappers.apply(&other).unwrap_err().to_string();
    assert!(text.contains("expected 'x', found 'z' at position 0"), "{text}");
}

#[test]
fn bins_that_are_not_sound() {
    let mut mappers = Mappers::learn(&panel(), &Binning::default()).unwrap();
    mappers.mappers[0].kind = Kind::Numeric { upper: vec![2.0, 1.0, f64::INFINITY] };
    let text = mappers.apply(&panel()).unwrap_err().to_string();
    assert_eq!(text, "the bins of 'x' are not sound: the bounds fall");
    mappers.mappers.clear();
    let text = mappers.apply(&panel()).unwrap_err().to_string();
    assert_eq!(text, "there are bins for 0 features and names for 1");
}
