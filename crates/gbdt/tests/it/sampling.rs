//! What is drawn: classes by their shares, and each choice by its seed.

use fattail_core::{Fit, Panel};
use fattail_gbdt::{Gbdt, Objective, Rows, Sampling, parameters::Parameters};
use fattail_objective::Binary;

use crate::data;

fn fitted(text: &str, panel: &Panel) -> String {
    let base = "num_iterations=6 learning_rate=0.5 num_leaves=7 min_data_in_leaf=5";
    let pairs = text.split_whitespace().chain(base.split_whitespace());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap());
    let gbdt = Parameters::parse(pairs).unwrap().gbdt(panel.schema().features()).unwrap();
    serde_json::to_string(&gbdt.fit(panel).unwrap().forest).unwrap()
}

#[test]
fn each_choice_has_its_seed() {
    let panel = data::bins(3, 10, 60, 6, 1.0);
    for (name, sampled) in [
        ("bagging_seed", "bagging_fraction=0.5 bagging_freq=1"),
        ("bagging_seed", "bagging_fraction=0.5 bagging_freq=1 bagging_by_query=true"),
        ("bagging_seed", "data_sample_strategy=goss"),
        ("bagging_seed", "data_sample_strategy=mvs bagging_fraction=0.5"),
        ("feature_fraction_seed", "feature_fraction=0.5"),
        ("feature_fraction_seed", "feature_fraction_bynode=0.5"),
        ("feature_fraction_seed", "feature_fraction_bynode=0.5 extra_trees=true"),
        ("extra_seed", "extra_trees=true"),
        ("extra_seed", "feature_fraction_bynode=0.5 extra_trees=true"),
        ("drop_seed", "boosting=dart drop_rate=0.5 skip_drop=0"),
    ] {
        let of = |seed: u64, more: &str| fitted(&format!("{sampled} {name}={seed} {more}"), &panel);
        let one = of(11, "");
        assert!(one == of(11, ""), "{name} of {sampled}");
        assert!(one != of(12, ""), "{name} of {sampled}");
        // Without its own seed a choice goes by the general one.
        let general = |seed: u64| fitted(&format!("{sampled} seed={seed}"), &panel);
        assert!(general(11) != general(12) && general(11) != one, "{name} of {sampled}");
    }
}

#[test]
fn a_choice_with_its_own_seed_does_not_hear_the_general_one() {
    let panel = data::bins(3, 10, 60, 6, 1.0);
    let of = |text: &str| fitted(&format!("bagging_fraction=0.5 bagging_freq=1 {text}"), &panel);
    assert!(of("bagging_seed=11 seed=1") == of("bagging_seed=11 seed=2"));
    assert!(of("bagging_seed=11") == of("bagging_seed=11 drop_seed=1 extra_seed=1"));
}

#[test]
fn bags_of_ten_seeds_are_ten_bags() {
    let panel = data::bins(4, 10, 60, 6, 1.0);
    let of = |seed: u64| {
        fitted(&format!("bagging_fraction=0.5 bagging_freq=1 bagging_seed={seed}"), &panel)
    };
    let models: std::collections::BTreeSet<String> = (0..10).map(of).collect();
    assert_eq!(models.len(), 10);
}

/// Two classes, a quarter of the rows of the one.
fn classes() -> (Panel, [usize; 2]) {
    let panel = data::bins(5, 10, 100, 5, 0.5);
    let target = panel.target().unwrap().to_f32();
    let mut sorted = target.clone();
    sorted.sort_by(f32::total_cmp);
    let least = sorted[750];
    let class: Vec<f32> = target.iter().map(|&y| f32::from(u8::from(y >= least))).collect();
    let positive = class.iter().filter(|&&class| class > 0.0).count();
    (panel.with_target_values(class).unwrap(), [positive, 1000 - positive])
}

fn by_class(positive: f64, negative: f64, objective: Objective) -> Gbdt {
    let rows = Rows::BagByClass { positive, negative, every: 1 };
    let sampling = Sampling { rows, ..Sampling::default() };
    Gbdt { sampling, objective, rounds: 4, ..Gbdt::default() }
}

#[test]
fn trees_see_the_share_of_each_class() {
    let (panel, [positive, negative]) = classes();
    let part = |of: usize, share: f64| (of as f64 * share).round() as u64;
    for (above, others) in [(1.0, 0.3), (0.6, 1.0), (0.8, 0.4)] {
        let binary = Objective::Binary(Binary::default());
        let model = by_class(above, others, binary).fit(&panel).unwrap();
        for tree in &model.forest.trees {
            let rows: u64 = tree.counts.iter().sum();
            assert_eq!(rows, part(positive, above) + part(negative, others));
        }
    }
}

#[test]
fn classes_need_a_binary_objective_and_shares() {
    let (panel, _) = classes();
    let told = |settings: Gbdt| settings.fit(&panel).unwrap_err().to_string();
    let text = "rows drawn class by class and an objective that is not binary cannot go together: it has no two classes";
    assert_eq!(told(by_class(0.5, 0.5, Objective::Regression)), text);
    let binary = || Objective::Binary(Binary::default());
    assert!(told(by_class(0.0, 0.5, binary())).starts_with("setting 'positive' is 0"));
    assert!(told(by_class(0.5, 1.5, binary())).starts_with("setting 'negative' is 1.5"));
}
