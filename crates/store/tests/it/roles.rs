//! A column has one role: what is to be predicted is never a feature.

use fattail_core::{Panel, silent};
use fattail_store::{Error, Features, ReadOptions, Targets, read};

const FILE: &str = "era,id,feature_a,target_20,target_60,target_note,w,meta\n\
                    1,a,0,0.25,0.5,x,1,0.5\n\
                    2,b,1,0.75,0.5,y,2,0.25\n";

fn asked(options: ReadOptions) -> Result<Panel, Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.csv");
    std::fs::write(&path, FILE).unwrap();
    read(&path, &options, &silent)
}

fn features(panel: &Panel) -> Vec<&str> {
    panel.schema().features().iter().map(|name| &**name).collect()
}

#[test]
fn targets_that_are_not_read_are_no_features() {
    let one = || Targets::Named(vec!["target_20".into()]);
    let rest = || ReadOptions { extras: vec!["meta".into()], ..ReadOptions::default() };
    let panel = asked(ReadOptions { features: Features::All, targets: one(), ..rest() }).unwrap();
    assert_eq!(features(&panel), ["feature_a", "w"]);
    let short = Features::Prefix("t".into());
    let error = asked(ReadOptions { features: short, targets: one(), ..rest() }).unwrap_err();
    assert!(error.to_string().ends_with("has no feature: no column begins with 't'"), "{error}");
    let weight = Some("w".into());
    let all = ReadOptions { features: Features::All, targets: one(), weight, ..rest() };
    assert_eq!(features(&asked(all).unwrap()), ["feature_a"]);
}

#[test]
fn a_prefix_leaves_out_what_has_another_role() {
    let targets = Targets::Named(vec!["target_20".into()]);
    let options = ReadOptions {
        features: Features::Prefix("target_".into()),
        targets,
        extras: vec!["target_60".into()],
        ..ReadOptions::default()
    };
    let error = asked(options.clone()).unwrap_err().to_string();
    assert!(error.contains("column 'target_note': found 'x'"), "{error}");
    let features_ = Features::Prefix("target_2".into());
    let error = asked(ReadOptions { features: features_, ..options }).unwrap_err().to_string();
    assert!(error.ends_with("has no feature: no column begins with 'target_2'"), "{error}");
}

#[test]
fn a_name_in_two_roles_is_refused() {
    let named = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let as_feature = |name| ReadOptions {
        features: Features::Named(named(&["feature_a", name])),
        targets: Targets::Named(named(&["target_20"])),
        extras: named(&["meta"]),
        weight: Some("w".into()),
        ..ReadOptions::default()
    };
    let roles = [
        ("target_20", "target"),
        ("meta", "extra column"),
        ("w", "weight"),
        ("id", "id"),
        ("era", "era"),
    ];
    for (name, role) in roles {
        let error = asked(as_feature(name)).unwrap_err();
        let says = format!("f.csv', column '{name}' is asked for as feature and as {role}");
        assert!(error.to_string().ends_with(&says), "{error}");
        assert!(matches!(error, Error::TwoRoles { .. }));
    }
    let main = ReadOptions { main_target: Some("meta".into()), ..as_feature("target_60") };
    let error = asked(main).unwrap_err().to_string();
    assert!(error.ends_with("'meta' is asked for as target and as extra column"), "{error}");
    let panel = asked(as_feature("target_60")).unwrap();
    assert_eq!(features(&panel), ["feature_a", "target_60"]);
}
