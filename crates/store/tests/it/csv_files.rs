//! CSV and JSON in.

use fattail_core::silent;
use fattail_store::{EraChoice, Features, Filter, Missing, ReadOptions, read, read_feature_sets};

fn data(name: &str) -> String {
    format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Four rows and twelve features of Numerai's first public data set.
#[test]
fn a_real_file() {
    let panel = read(data("numerai_v1.csv"), &ReadOptions::default(), &silent).unwrap();
    assert_eq!((panel.rows(), panel.width(), panel.eras().len()), (4, 12, 1));
    assert_eq!(panel.id(0), Some("n000315175b67977"));
    assert_eq!(panel.feature(1).to_f32()[0], 0.5);
    assert!(!panel.feature(0).is_u8());
    assert_eq!(panel.target().unwrap().to_f32()[0], 0.5);
}

/// Three sets of Numerai's `features.json` of version 5.0, cut to five features each.
#[test]
fn real_feature_sets() {
    let sets = read_feature_sets(data("features.json")).unwrap();
    assert_eq!(sets.names().collect::<Vec<_>>(), ["intelligence", "medium", "small"]);
    let small = sets.get("small").unwrap();
    assert_eq!((small.len(), small[1].as_str()), (5, "feature_bicameral_showery_wallaba"));
    assert!(sets.get("smal").is_err());
}

#[test]
fn bins_numbers_filters_and_weights() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.csv");
    let text = "\u{feff}era,kind,a,b,name,w,target\n\
                1,x,300,300,q,9,0\n\
                1,v,4,0.5,\"r,s\",1,0.25\n\
                2,v,255,,t,2,\n\
                3,v,0,1e-3,u,0.5,1\n";
    std::fs::write(&path, text).unwrap();
    let options = ReadOptions {
        features: Features::All,
        id: None,
        weight: Some("w".into()),
        filter: Some(Filter { column: "kind".into(), value: "v".into() }),
        eras: EraChoice { last: Some("2".into()), ..EraChoice::default() },
        missing: Missing::Keep,
        ..ReadOptions::default()
    };
    let panel = read(&path, &options, &silent).unwrap();
    assert_eq!(panel.schema().features().iter().map(|f| &**f).collect::<Vec<_>>(), ["a", "b"]);
    assert!(panel.feature(0).is_u8());
    assert_eq!(panel.feature(0).to_f32(), [4.0, 255.0]);
    let b = panel.feature(1).to_f32();
    assert!(b[0] == 0.5 && b[1].is_nan());
    assert!(panel.target().unwrap().to_f32()[1].is_nan());
    assert_eq!(panel.weights().unwrap().to_f32(), [1.0, 2.0]);
}
