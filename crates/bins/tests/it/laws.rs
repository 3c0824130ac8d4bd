//! Laws: the fast paths equal the plain one, codes and thresholds agree, sharing copies nothing.

use fattail_bins::{Binning, Codes, Kind, Mappers};
use fattail_core::{ColumnData, Panel};
use proptest::prelude::*;

use crate::panels::{binned, codes, single};

fn number() -> impl Strategy<Value = f32> {
    prop_oneof![
        8 => -4.0_f32..4.0,
        4 => (-6_i8..6).prop_map(f32::from),
        2 => any::<u32>().prop_map(f32::from_bits),
        1 => Just(f32::NAN),
        1 => prop_oneof![Just(0.0_f32), Just(-0.0), Just(1e-35), Just(-1e-35), Just(1e-36)],
        1 => prop_oneof![Just(f32::INFINITY), Just(f32::NEG_INFINITY), Just(f32::MAX)],
    ]
}

fn numbers() -> impl Strategy<Value = Vec<f32>> {
    prop::collection::vec(number(), 1..300)
}

fn settings() -> impl Strategy<Value = Binning> {
    let limits = prop_oneof![2_usize..9, 9_usize..300, Just(1000), Just(65_536)];
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    (limits, 1_usize..5, 1_usize..400, flags).prop_map(|(max_bins, min, sample, flags)| Binning {
        max_bins,
        min_data_in_bin: min,
        sample,
        use_missing: flags.0,
        zero_as_missing: flags.1 && flags.2,
        ..Binning::default()
    })
}

fn labels(rows: usize) -> Vec<String> {
    (0..rows).map(|row| format!("{:03}", row / 20)).collect()
}

proptest! {
    #[test]
    fn fast_codes_are_the_plain_ones(train in numbers(), other in numbers(), binning in settings()) {
        let (mappers, _) = binned(&single(train), &binning);
        let codes = codes(&mappers.apply(&single(other.clone())).unwrap(), 0);
        let plain: Vec<usize> =
            other.iter().map(|&x| mappers.mappers[0].code(x.into())).collect();
        prop_assert_eq!(codes, plain);
    }

    #[test]
    fn fast_categories_are_the_plain_ones(
        train in prop::collection::vec(prop_oneof![-3_i32..40, Just(1 << 20)], 1..300),
        other in numbers(),
        binning in settings(),
    ) {
        let binning = Binning { categorical: vec!["x".into()], ..binning };
        let train: Vec<f32> = train.iter().map(|&c| c as f32).collect();
        let (mappers, own) = binned(&single(train.clone()), &binning);
        let plain = |x: &[f32]| -> Vec<usize> {
            x.iter().map(|&x| mappers.mappers[0].code(x.into())).collect()
        };
        prop_assert_eq!(codes(&own, 0), plain(&train));
        let codes = codes(&mappers.apply(&single(other.clone())).unwrap(), 0);
        prop_assert_eq!(codes, plain(&other));
    }

    #[test]
    fn small_integers_are_coded_like_the_plain_way(
        train in prop::collection::vec(prop_oneof![8 => 0_u8..6, 1 => any::<u8>()], 1..300),
        other in prop::collection::vec(any::<u8>(), 1..50),
        categorical in any::<bool>(),
        binning in settings(),
    ) {
        let categorical = if categorical { vec!["x".to_owned()] } else { vec![] };
        let binning = Binning { categorical, ..binning };
        let mappers = Mappers::learn(&single(train.clone()), &binning).unwrap();
        for values in [train, other] {
            let plain: Vec<usize> =
                values.iter().map(|&v| mappers.mappers[0].code(v.into())).collect();
            prop_assert_eq!(codes(&mappers.apply(&single(values)).unwrap(), 0), plain);
        }
    }

    #[test]
    fn codes_rise_and_thresholds_enclose(train in numbers(), binning in settings(), x in number(), y in number()) {
        let (mappers, _) = binned(&single(train), &binning);
        let mapper = &mappers.mappers[0];
        prop_assert!(mapper.bins >= 1 && mapper.bins <= binning.max_bins);
        let (x, y) = (f64::from(x), f64::from(y));
        if x <= y {
            prop_assert!(mapper.code(x) <= mapper.code(y));
        }
        let Kind::Numeric { upper } = &mapper.kind else { panic!("not numbers") };
        if x.is_nan() {
            return Ok(());
        }
        let code = mapper.code(x);
        prop_assert!(upper[code] >= x && (code == 0 || upper[code - 1] < x));
        if x.is_finite() {
            prop_assert!(mapper.threshold(code) >= x && (code == 0 || mapper.threshold(code - 1) < x));
        }
    }

    #[test]
    fn settings_and_json_change_nothing(train in numbers(), binning in settings()) {
        let (mappers, _) = binned(&single(train), &binning);
        let text = serde_json::to_string(&mappers).unwrap();
        prop_assert_eq!(serde_json::from_str::<Mappers>(&text).unwrap(), mappers);
        let text = serde_json::to_string(&binning).unwrap();
        prop_assert_eq!(serde_json::from_str::<Binning>(&text).unwrap(), binning);
    }

    /// A cut panel is binned like one that was built from the same rows.
    #[test]
    fn eras_left_out_are_as_if_never_there(
        bytes in prop::collection::vec(0_u8..7, 60..200),
        numbers in prop::collection::vec(number(), 200),
        gap in 0_usize..3,
        binning in settings(),
    ) {
        let labels = labels(bytes.len());
        let numbers = numbers[..bytes.len()].to_vec();
        let panel = |rows: &dyn Fn(usize) -> bool| {
            let kept: Vec<usize> = (0..bytes.len()).filter(|&row| rows(row)).collect();
            let labels: Vec<&String> = kept.iter().map(|&row| &labels[row]).collect();
            Panel::builder().eras(&labels).unwrap()
                .feature("b", kept.iter().map(|&row| bytes[row]).collect::<Vec<u8>>())
                .feature("n", kept.iter().map(|&row| numbers[row]).collect::<Vec<f32>>())
                .build().unwrap()
        };
        let whole = panel(&|_| true);
        let kept: Vec<usize> = (0..whole.eras().len()).filter(|&era| era != gap).collect();
        let cut = whole.cut(&kept).unwrap();
        let built = panel(&|row| row / 20 != gap);
        let (cut, built) = (binned(&cut, &binning), binned(&built, &binning));
        prop_assert_eq!(&cut.0, &built.0);
        for column in 0..2 {
            prop_assert_eq!(codes(&cut.1, column), codes(&built.1, column));
        }
    }
}

#[test]
fn small_integers_are_shared_and_not_copied() {
    let bytes: Vec<u8> = (0..100_u8).map(|at| at % 5).collect();
    let values = fattail_core::Shared::from(bytes);
    let labels = labels(100);
    let panel = Panel::builder()
        .eras(&labels)
        .unwrap()
        .feature("x", ColumnData::U8(values.clone()))
        .build()
        .unwrap();
    let shared = |panel: &Panel| {
        let (mappers, binned) = binned(panel, &Binning::default());
        let Codes::U8 { values: codes, start } = &binned.columns[0].codes else {
            panic!("more than 256 bins")
        };
        (codes.as_ptr() == values.as_ptr(), *start, mappers.added_bytes(panel).unwrap())
    };
    assert_eq!(shared(&panel), (true, 0, 0));
    assert_eq!(shared(&panel.cut(&[1, 2, 3]).unwrap()), (true, 20, 0));
    assert_eq!(shared(&panel.cut(&[1, 3]).unwrap()), (false, 0, 40));
}

#[test]
fn a_value_unseen_in_training_goes_where_its_thresholds_say() {
    let train: Vec<u8> = [0, 2, 4].repeat(9);
    let (mappers, _) = binned(&single(train), &Binning::default());
    let binned = mappers.apply(&single(vec![0_u8, 1, 2, 3, 4, 9])).unwrap();
    assert_eq!(codes(&binned, 0), [0, 2, 2, 2, 4, 4]);
}

#[test]
fn bytes_count_the_codes() {
    let wide: Vec<f32> = (0..4000).map(|x| x as f32).collect();
    let narrow: Vec<u8> = (0..4000).map(|x| (x % 5) as u8).collect();
    let panel = Panel::builder().feature("w", wide).feature("n", narrow).build().unwrap();
    let binning = Binning { max_bins: 1000, ..Binning::default() };
    let mappers = Mappers::learn(&panel, &binning).unwrap();
    assert_eq!(mappers.bytes(10), 30);
    assert_eq!(mappers.added_bytes(&panel).unwrap(), 8000);
}
