//! Twelve leaks are caught, and their twins pass; the certificate of the usual pipeline; what a configuration may say.

use fattail::{
    certificate::{Certifier, Check, Claim, Procedure, Verdict},
    evaluate::Horizon,
    silent,
};
use fattail_examples::certify::{Blend, Config, SplitChoice, asset_panel, try_all};

#[test]
fn every_leak_is_caught_by_its_checks_and_every_twin_passes() {
    for seed in [0, 1] {
        let all = try_all(&Certifier { seed, ..Certifier::default() }, seed, &silent).unwrap();
        assert_eq!(all.len(), 12);
        for tried in all {
            assert!(
                tried.is_right(),
                "seed {seed}: {tried}, expected {:?}\n{}\n{}",
                tried.expected,
                tried.leaking,
                tried.twin
            );
        }
    }
}

#[test]
fn the_usual_pipeline_is_certified() {
    let panel = asset_panel(0).unwrap();
    let config = Config::usual(Horizon::NUMERAI_20).unwrap();
    let folds = config.folds(panel.eras()).unwrap();
    let made = config.certifier().certify(&config.workflow, &panel, &folds, &silent).unwrap();
    assert_eq!(made.verdict, Verdict::Passed, "{made}");
    // Its weights and its gate report what they read.
    let ledger = made.checks.iter().find(|finding| finding.check == Check::Ledger).unwrap();
    assert_eq!((ledger.skip, ledger.plant_caught), (None, Some(true)), "{ledger:?}");
}

#[test]
fn decisions_by_past_scores_need_folds_that_have_a_past() {
    let panel = asset_panel(0).unwrap();
    let mut config = Config::usual(Horizon::NUMERAI_20).unwrap();
    config.split = SplitChoice::PurgedKFold { folds: 4, embargo_days: 0 };
    let folds = config.folds(panel.eras()).unwrap();
    let refused = |config: &Config| config.workflow.run(&panel, &folds).unwrap_err().to_string();
    assert!(refused(&config).contains("'blend' is adaptive"), "{}", refused(&config));
    config.workflow.blend = Blend::Equal;
    assert!(refused(&config).contains("'gate' is -0.02"), "{}", refused(&config));
    config.workflow.gate = None;
    config.workflow.learners.truncate(1);
    assert!(config.workflow.run(&panel, &folds).is_ok());
}

#[test]
fn a_horizon_that_is_too_short_is_refused() {
    let config = Config::usual(Horizon::NUMERAI_20).unwrap();
    assert!(config.expect_horizon(Horizon::NUMERAI_20).is_ok());
    let told = config.expect_horizon(Horizon::NUMERAI_60).unwrap_err().to_string();
    assert!(told.starts_with("the horizon of the workflow: 'days' is 20"), "{told}");
    // The claim of a file is held to it as well.
    let mut config = Config::usual(Horizon::NUMERAI_60).unwrap();
    config.certifier = Some(Certifier { cuts: 1, ..Certifier::default() });
    let told = config.expect_horizon(Horizon::NUMERAI_60).unwrap_err().to_string();
    assert!(told.starts_with("the horizon of the certifier: 'days' is 20"), "{told}");
    let claim = Claim { horizon: Horizon::NUMERAI_60, ..Claim::default() };
    config.certifier = Some(Certifier { claim, cuts: 1, ..Certifier::default() });
    assert!(config.expect_horizon(Horizon::NUMERAI_60).is_ok());
    let text = serde_json::to_string(&config).unwrap();
    let read: Config = serde_json::from_str(&text).unwrap();
    assert_eq!((read.certifier().cuts, &read), (1, &config));
}
