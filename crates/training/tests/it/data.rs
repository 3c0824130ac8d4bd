//! Samples, windows, holdouts and orders: laws.

use fattail_core::{Ids, Panel};
use fattail_training::{Buffer, Holdout, Order, Plan, Portion, Reading, Samples};
use proptest::prelude::*;

/// Eras of some rows each, with ids drawn from few assets; the feature is the row.
fn assets(eras: &[Vec<u8>]) -> Panel {
    let (mut labels, mut ids, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for (era, assets) in eras.iter().enumerate() {
        for asset in assets {
            labels.push(era.to_string());
            ids.push(asset.to_string());
            values.push(values.len() as f32);
        }
    }
    let target: Vec<f32> = values.iter().map(|value| value / 2.0).collect();
    let ids: Ids = ids.iter().collect();
    let builder = Panel::builder().eras(&labels).unwrap().ids(ids);
    builder.feature("row", values).target("y", target).build().unwrap()
}

fn eras() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let era = proptest::sample::subsequence(vec![0u8, 1, 2, 3], 1..4);
    // An era of two rows: a panel with one row an era is a series, whatever its ids.
    proptest::collection::vec(era, 4..12).prop_map(|mut eras| {
        eras[0] = vec![0, 1];
        eras
    })
}

/// Every sample's window, as rows.
fn windows(samples: &Samples) -> Vec<(u32, Vec<u32>)> {
    let (mut plan, mut buffer) = (Plan::default(), Buffer::default());
    plan.arrange(samples, Order::Shuffled, 3, (1, 2));
    let mut found = Vec::new();
    for step in 0..plan.steps() {
        let batch = buffer.batch(samples, &plan, plan.step(step), 0).unwrap();
        for (row, window) in batch.rows.iter().zip(batch.features.chunks(batch.width)) {
            found.push((*row, window.iter().map(|&value| value as u32).collect()));
        }
        assert!(batch.rows.iter().zip(batch.target).all(|(&row, &y)| y == row as f32 / 2.0));
    }
    found.sort();
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn windows_hold_earlier_rows_of_the_same_id(
        eras in eras(), window in 1usize..4, start in 0usize..4, memory in 0u64..2
    ) {
        let panel = assets(&eras);
        let reading = Reading { window, memory: memory << 20 };
        let Ok(samples) = Samples::known(&panel, &reading) else { return Ok(()) };
        let part = samples.part(start..eras.len() - 1);
        for (samples, inside) in [(&samples, 0..eras.len()), (&part, start..eras.len() - 1)] {
            let rows: Vec<u32> = (0..panel.rows() as u32)
                .filter(|&row| inside.contains(&panel.eras().of_row(row as usize).unwrap()))
                .collect();
            // What the definition says, in the plainest way.
            let mut expected = Vec::new();
            for (at, &row) in rows.iter().enumerate() {
                let id = |row: u32| panel.id(row as usize).unwrap();
                let mut same: Vec<u32> =
                    rows[..=at].iter().copied().filter(|&earlier| id(earlier) == id(row)).collect();
                if same.len() >= window {
                    expected.push((row, same.split_off(same.len() - window)));
                }
            }
            prop_assert_eq!(windows(samples), expected);
        }
    }

    #[test]
    fn holdouts_are_late_and_the_gap_is_in_neither_part(
        eras in eras(), held in 1usize..4, gap in 0usize..3
    ) {
        let samples = Samples::known(&assets(&eras), &Reading::default()).unwrap();
        let holdout = Holdout { portion: Portion::Eras(held), gap };
        let Ok((train, judge)) = holdout.split(&samples) else {
            prop_assert!(held + gap >= eras.len());
            return Ok(());
        };
        let panel = assets(&eras);
        let era = |row: u32| panel.eras().of_row(row as usize).unwrap();
        prop_assert!(train.rows().all(|row| era(row) + gap + held < eras.len()));
        prop_assert!(judge.rows().all(|row| era(row) + held >= eras.len()));
        let rows: usize = eras[eras.len() - held - gap..eras.len() - held].iter().map(Vec::len).sum();
        prop_assert_eq!(train.len() + judge.len() + rows, samples.len());
    }

    #[test]
    fn every_order_shows_every_sample_once(eras in eras(), size in 1usize..9, seed: u64) {
        let samples = Samples::known(&assets(&eras), &Reading::default()).unwrap();
        for order in [Order::Shuffled, Order::Eras, Order::InOrder] {
            let (mut plan, mut buffer) = (Plan::default(), Buffer::default());
            plan.arrange(&samples, order, size, (seed, 3));
            let mut seen = Vec::new();
            for step in 0..plan.steps() {
                let batch = buffer.batch(&samples, &plan, plan.step(step), 0).unwrap();
                seen.extend_from_slice(batch.rows);
                if order == Order::Eras {
                    // Eras are whole: all rows of each era that is there.
                    for &era in batch.eras {
                        let count = batch.eras.iter().filter(|&&other| other == era).count();
                        prop_assert_eq!(count, eras[era as usize].len());
                    }
                } else {
                    prop_assert!(batch.rows.len() <= size);
                }
            }
            seen.sort_unstable();
            prop_assert!(seen.iter().copied().eq(samples.rows()));
        }
    }
}

#[test]
fn series_without_ids_or_with_one_row_an_era_are_windows_of_rows() {
    let values: Vec<f32> = (0..5).map(|row| row as f32).collect();
    let target: Vec<f32> = values.iter().map(|value| value / 2.0).collect();
    let bars = Panel::builder().eras(&["1", "2", "3", "4", "5"]).unwrap();
    // Time stamps as ids: none comes twice.
    let ids: Ids = ["a", "b", "c", "d", "e"].into_iter().collect();
    let bars = bars.ids(ids).feature("row", values.clone()).target("y", target.clone());
    let plain = Panel::builder().feature("row", values).target("y", target);
    let reading = Reading { window: 3, ..Reading::default() };
    for panel in [bars, plain] {
        let samples = Samples::known(&panel.build().unwrap(), &reading).unwrap();
        let expected = vec![(2, vec![0, 1, 2]), (3, vec![1, 2, 3]), (4, vec![2, 3, 4])];
        assert_eq!(windows(&samples), expected);
    }
}

#[test]
fn what_cannot_be_read_is_named() {
    let panel = Panel::builder()
        .eras(&["1", "2"])
        .unwrap()
        .feature("x", vec![0.0f32, f32::INFINITY])
        .target("y", vec![0.0f32; 2])
        .build()
        .unwrap();
    let error = Samples::known(&panel, &Reading::default()).unwrap_err().to_string();
    assert_eq!(error, "column 'x' holds inf in era '2' at row 1");
    let fine = assets(&[vec![0, 1], vec![2, 3]]);
    let error = Samples::known(&fine, &Reading { window: 2, ..Reading::default() }).unwrap_err();
    assert!(error.to_string().contains("a history as long as the window"), "{error}");
    assert!(Samples::known(&fine, &Reading { window: 0, ..Reading::default() }).is_err());
    let samples = Samples::all(&fine.without_targets(), &Reading::default()).unwrap();
    assert_eq!(samples.len(), 4);
    let placed = samples.place(&[1.0, 2.0, 3.0, 4.0], 4).unwrap();
    assert_eq!(placed, [1.0, 2.0, 3.0, 4.0]);
    assert!(samples.place(&[1.0], 4).is_err() && samples.place(&[1.0; 4], 3).is_err());
}
