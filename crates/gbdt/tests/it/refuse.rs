//! What is refused, and how it is told.

use std::collections::BTreeMap;

use fattail_core::{Error, Fit, Panel, Predict, silent};
use fattail_gbdt::{
    Beside, Boosting, Constraints, Dart, EarlyStop, Gbdt, GbdtModel, Growth, Limits, Objective,
    Rows, Sampling,
};
use fattail_trees::Forest;

use crate::data::{self, name};

fn panel() -> Panel {
    data::bins(1, 5, 20, 3, 1.0)
}

fn settings() -> Gbdt {
    Gbdt {
        rounds: 3,
        limits: Limits { min_data_in_leaf: 1, ..Limits::default() },
        ..Gbdt::default()
    }
}

#[track_caller]
fn refused(settings: &Gbdt, panel: &Panel, text: &str) {
    assert_eq!(settings.fit(panel).unwrap_err().to_string(), text);
}

fn with_target(target: Vec<f32>) -> Panel {
    panel().with_target_values(target).unwrap()
}

#[test]
fn targets() {
    let of = |value: f32| {
        let mut target = panel().target().unwrap().to_f32();
        target[7] = value;
        with_target(target)
    };
    let known = settings().fit(&of(f32::NAN)).unwrap();
    assert_eq!(known.forest.trees[0].counts.iter().sum::<u64>(), 99, "a NaN teaches nothing");
    let text = "label inf at row 7 is out of range for 'regression', allowed is finite, or NaN for unknown";
    refused(&settings(), &of(f32::INFINITY), text);
    let nothing = "none of 100 rows has a known target and a positive weight";
    refused(&settings(), &with_target(vec![f32::NAN; 100]), nothing);
    let constant = "every one of 100 known labels is 2: a constant target teaches nothing";
    refused(&settings(), &with_target(vec![2.0; 100]), constant);
    let missing = panel().without_targets();
    assert!(settings().fit(&missing).unwrap_err().to_string().contains("target"));
}

#[test]
fn labels_out_of_range() {
    let of = |objective: Objective| Gbdt { objective, ..settings() };
    let labels: Vec<f32> = (0..100).map(|row| (row % 4) as f32).collect();
    let three = of(Objective::Multiclass { classes: 3 });
    let text = "label 3 at row 3 is class number 4, declared are 3 classes";
    refused(&three, &with_target(labels.clone()), text);
    let poisson = of(Objective::from_name("poisson").unwrap());
    let negative: Vec<f32> = labels.iter().map(|label| label - 1.0).collect();
    let text = "label -1 at row 0 is out of range for 'poisson', allowed is zero or more";
    refused(&poisson, &with_target(negative), text);
    let cross = of(Objective::CrossEntropy);
    let text = "label 2 at row 2 is out of range for 'cross_entropy', allowed is between 0 and 1";
    refused(&cross, &with_target(labels), text);
}

#[test]
fn weights() {
    let of = |weights: Vec<f32>| panel().with_weights(weights).unwrap();
    let nothing = "none of 100 rows has a known target and a positive weight";
    refused(&settings(), &of(vec![0.0; 100]), nothing);
    let mut one = vec![1.0; 100];
    one[4] = -1.0;
    let text = "weight -1 at row 4 is out of range, allowed is finite and not negative";
    refused(&settings(), &of(one.clone()), text);
    one[4] = f32::NAN;
    let text = "weight NaN at row 4 is out of range, allowed is finite and not negative";
    refused(&settings(), &of(one), text);
}

fn go_on(settings: &Gbdt, forest: &Forest, panel: &Panel) -> Result<GbdtModel, Error> {
    settings.fit_with(panel, Beside { forest: Some(forest), valid: None }, &silent)
}

fn watched(panel: &Panel) -> Beside<'_> {
    Beside { valid: Some(panel), forest: None }
}

#[test]
fn panels_with_other_columns() {
    let model = settings().fit(&panel()).unwrap();
    let wider = data::bins(1, 5, 20, 4, 1.0);
    let other = panel().select(&[name(1), name(0), name(2)]).unwrap();
    for panel in [wider, other] {
        let text = "the panel's features differ from those of the fit";
        for told in [
            model.predict(&panel).unwrap_err(),
            go_on(&settings(), &model.forest, &panel).unwrap_err(),
            settings().refit(&model.forest, &panel, 0.5).unwrap_err(),
            settings().fit_with(&self::panel(), watched(&panel), &silent).unwrap_err(),
        ] {
            assert!(told.to_string().starts_with(text), "{told}");
        }
    }
}

#[test]
fn forests_that_do_not_suit() {
    let model = settings().fit(&panel()).unwrap();
    let labels = (0..100).map(|row| (row % 2) as f32).collect();
    let binary = Gbdt { objective: Objective::from_name("binary").unwrap(), ..settings() };
    let told = go_on(&binary, &model.forest, &with_target(labels)).unwrap_err().to_string();
    let text = "the forest and an objective with another link cannot go together: raw scores of the one mean nothing to the other";
    assert_eq!(told, text);
    let two = Gbdt { objective: Objective::Quantile { alphas: vec![0.2, 0.8] }, ..settings() };
    let told = go_on(&two, &model.forest, &panel()).unwrap_err().to_string();
    assert!(
        told.starts_with("the forest and an objective with another number of outputs"),
        "{told}"
    );
    assert!(two.refit(&model.forest, &panel(), 0.5).is_err());
    let sampling = Sampling { columns_by_tree: 0.5, ..Sampling::default() };
    let forest = Gbdt { boosting: Boosting::RandomForest, sampling, ..settings() };
    let told = go_on(&forest, &model.forest, &panel()).unwrap_err().to_string();
    assert!(told.starts_with("a random forest and trees that build on each other"), "{told}");
    let decay = settings().refit(&model.forest, &panel(), 1.5).unwrap_err().to_string();
    assert_eq!(decay, "setting 'decay' is 1.5, allowed is from 0 to 1");
}

#[test]
fn settings_out_of_range() {
    let dart = |dart: Dart| Gbdt { boosting: Boosting::Dart(dart), ..settings() };
    let stop = |stop: EarlyStop| Gbdt { stop: Some(stop), ..settings() };
    let rows =
        |rows: Rows| Gbdt { sampling: Sampling { rows, ..Sampling::default() }, ..settings() };
    for (settings, name) in [
        (Gbdt { rounds: 0, ..settings() }, "rounds"),
        (Gbdt { leaves: 1, ..settings() }, "leaves"),
        (Gbdt { learning_rate: f64::NAN, ..settings() }, "learning_rate"),
        (Gbdt { objective: Objective::Huber { alpha: 0.0 }, ..settings() }, "alpha"),
        (dart(Dart { drop_rate: 1.5, ..Dart::default() }), "drop_rate"),
        (dart(Dart { skip_drop: -0.1, ..Dart::default() }), "skip_drop"),
        (dart(Dart { max_drop: Some(0), ..Dart::default() }), "max_drop"),
        (stop(EarlyStop { min_delta: f64::INFINITY, ..EarlyStop::default() }), "min_delta"),
        (stop(EarlyStop { holdout: 1.0, ..EarlyStop::default() }), "holdout"),
        (rows(Rows::Bag { fraction: 0.0, every: 1 }), "fraction"),
        (rows(Rows::Bag { fraction: 0.5, every: 0 }), "every"),
        (rows(Rows::Eras { fraction: 1.1, every: 1 }), "fraction"),
        (rows(Rows::MinimalVariance { fraction: f64::NAN }), "fraction"),
        (rows(Rows::Goss { top: 0.6, other: 0.6 }), "top + other"),
    ] {
        let told = settings.fit(&panel()).unwrap_err().to_string();
        assert!(told.starts_with(&format!("setting '{name}' is ")), "{told}");
    }
}

#[test]
fn contradictions() {
    let together = |settings: Gbdt, text: &str| {
        let told = settings.fit(&panel()).unwrap_err().to_string();
        assert!(told.starts_with(text) && told.contains(" cannot go together: "), "{told}");
    };
    let stop = Some(EarlyStop::default());
    let dart = Boosting::Dart(Dart::default());
    together(Gbdt { boosting: dart, stop: stop.clone(), ..settings() }, "early stopping and dart");
    let sampling = Sampling { columns_by_tree: 0.5, ..Sampling::default() };
    let forest = Gbdt { boosting: Boosting::RandomForest, ..settings() };
    together(Gbdt { stop, sampling, ..forest.clone() }, "early stopping and a random forest");
    together(forest.clone(), "a random forest and no sampling of rows or columns");
    let sampling = Sampling { columns_by_tree: 0.5, ..Sampling::default() };
    for boosting in [Boosting::Dart(Dart::default()), Boosting::RandomForest] {
        let settings = Gbdt { boosting, sampling, ..settings() };
        let told = settings.fit_with(&panel(), watched(&panel()), &silent).unwrap_err().to_string();
        assert!(told.starts_with("early stopping and "), "{told}");
    }
    let monotone = BTreeMap::from([(name(0), 1)]);
    let constraints = Constraints { monotone, ..Constraints::default() };
    together(
        Gbdt { constraints, objective: Objective::RegressionL1, ..settings() },
        "monotone constraints and an objective that renews leaves",
    );
}

#[test]
fn eras_that_cannot_be_held_out() {
    let stop = EarlyStop { gap: 4, ..EarlyStop::default() };
    let text = "cannot stop early: of 5 eras, 1 are held out after a gap of 4, which leaves none to fit on";
    refused(&Gbdt { stop: Some(stop), ..settings() }, &panel(), text);
    let stop = EarlyStop { metric: Some("era_person".into()), ..EarlyStop::default() };
    let text = "unknown metric 'era_person', did you mean 'era_pearson'?";
    refused(&Gbdt { stop: Some(stop), ..settings() }, &panel(), text);
}

#[test]
fn memory_is_refused_before_it_is_taken() {
    for growth in [Growth::LeafWise, Growth::Oblivious] {
        let settings = Gbdt { max_memory: Some(1000), growth, depth: Some(3), ..settings() };
        let told = settings.fit(&panel()).unwrap_err().to_string();
        assert!(
            told.starts_with("training needs ") && told.contains("allowed are 1000: codes "),
            "{told}"
        );
    }
}
