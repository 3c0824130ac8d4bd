//! Positions count the columns of the file without the label, whatever becomes of them.

use super::{OTHERS, done, refused, shop};

/// Beside the label: id, era, a, b, c, d, two, three, weight.
const TRAIN: &str = "train --data @t.csv --label y --out @m.txt";

#[test]
fn columns_that_are_no_features_keep_their_places() {
    let shop = shop();
    let model = |words: &str| {
        done(&shop, &format!("{TRAIN} {OTHERS} {words}"));
        std::fs::read_to_string(shop.path("m.txt")).unwrap()
    };
    let signs = model("--monotone-constraints 0,0,1,0,0,-1,1,0,0");
    assert!(signs.contains("feature_names=a b c d\nmonotone_constraints=1 0 0 -1\n"), "{signs}");
    let named = model("--categorical-feature name:c");
    assert!(model("--categorical-feature 4,1") == named);
    assert!(model("--categorical-feature 2") != named);
    let alone = model("--interaction-constraints [5,0]");
    let asked = alone.lines().filter_map(|line| line.strip_prefix("split_feature="));
    assert!(asked.flat_map(|list| list.split(' ')).all(|feature| feature == "3"), "{alone}");

    shop.write("s.json", r#"{"feature": 5, "threshold": 0.0}"#);
    let forced = model("--forcedsplits-filename @s.json");
    let roots = forced.lines().filter_map(|line| line.strip_prefix("split_feature="));
    assert!(roots.clone().count() > 10 && roots.into_iter().all(|list| list.starts_with('3')));
    shop.write("s.json", r#"{"feature": 6, "threshold": 0.0}"#);
    let parts = ["s.json", "column 'two', which is no feature"];
    refused(&shop, &format!("{TRAIN} {OTHERS} --forcedsplits-filename @s.json"), &parts);

    shop.write(
        "b.json",
        r#"[{"feature": 5, "bin_upper_bound": [0.5]}, {"feature": 7, "bin_upper_bound": [1]}]"#,
    );
    let binned = model("--forcedbins-filename @b.json --max-bin 4");
    assert!(binned != model("--max-bin 4"));
}
