//! Laws: what is written is read back, whatever the panel and whichever format.

use fattail_core::{Ids, Panel, silent};
use fattail_store::{EraChoice, Missing, ReadOptions, open_ipc, read, write_ipc, write_parquet};
use proptest::prelude::*;

use super::assert_same;

type Row = (u8, i16, Option<f32>);

prop_compose! {
    pub(crate) fn panels()(eras in prop::collection::vec(prop::collection::vec(any::<Row>(), 1..40), 1..9))
        -> Panel
    {
        let labels: Vec<String> = (1..).zip(&eras)
            .flat_map(|(era, rows)| rows.iter().map(move |_| format!("era{era}"))).collect();
        let rows: Vec<Row> = eras.into_iter().flatten().collect();
        let ids: Ids = (0..rows.len()).map(|row| format!("n{row:x}")).collect();
        // One value that is no bin: a file of integers alone would come back as bins.
        let mut integers: Vec<f32> = rows.iter().map(|row| f32::from(row.1)).collect();
        integers[0] = -0.5;
        let numbers: Vec<f32> = rows.iter()
            .map(|row| row.2.filter(|v| v.is_finite()).unwrap_or(f32::NAN)).collect();
        Panel::builder()
            .eras(&labels).unwrap()
            .ids(ids)
            .feature("feature_bins", rows.iter().map(|row| row.0).collect::<Vec<u8>>())
            .feature("feature_integers", integers)
            .feature("feature_numbers", numbers.clone())
            .target("target", numbers)
            .build().unwrap()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn written_is_read(panel in panels(), first in 0usize..9, every in 1usize..4) {
        let folder = tempfile::tempdir().unwrap();
        let (parquet, ipc) = (folder.path().join("p.parquet"), folder.path().join("p.arrow"));
        write_parquet(&panel, &parquet).unwrap();
        write_ipc(&panel, &ipc).unwrap();
        let all = ReadOptions { missing: Missing::Keep, ..ReadOptions::default() };
        assert_same(&panel, &read(&parquet, &all, &silent).unwrap());
        assert_same(&panel, &read(&ipc, &all, &silent).unwrap());
        assert_same(&panel, &open_ipc(&ipc).unwrap());

        // A choice of eras while reading is a cut after reading.
        let first = first.min(panel.eras().len() - 1);
        let kept: Vec<usize> = (first..panel.eras().len()).step_by(every).collect();
        let label = panel.eras().label(first).to_owned();
        let eras = EraChoice { first: Some(label), last: None, every };
        let some = ReadOptions { eras, ..all };
        for path in [&parquet, &ipc] {
            assert_same(&panel.cut(&kept).unwrap(), &read(path, &some, &silent).unwrap());
        }
    }
}
