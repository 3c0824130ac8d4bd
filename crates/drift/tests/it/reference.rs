//! Against scipy and river; `reference/reference.py` writes the values. Within 1e-9: both sides sum
//! in 64 bits, over at most a few hundred terms.

use fattail_drift::{
    Adwin, Binning, Method, Null, PageHinkley, Tally, auc, chi_squared, jensen_shannon,
    kolmogorov_smirnov, psi, wasserstein,
};
use serde_json::Value;

fn read(name: &str) -> Value {
    let path = format!("{}/tests/it/reference/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn counts(value: &Value) -> Vec<u64> {
    value.as_array().unwrap().iter().map(|number| number.as_u64().unwrap()).collect()
}

#[track_caller]
fn near(found: f64, expected: &Value) {
    let expected = expected.as_f64().unwrap();
    assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{found} {expected}");
}

#[test]
fn distances_of_numbers() {
    for case in read("scipy.json")["samples"].as_array().unwrap() {
        let (x, y) = (numbers(&case["reference"]), numbers(&case["current"]));
        let tally = Tally::of_values(&x, &y).unwrap();
        let exact = kolmogorov_smirnov(&tally, &Null::default()).unwrap();
        assert_eq!(exact.method, Method::Exact);
        near(exact.statistic, &case["ks"]);
        let limit = kolmogorov_smirnov(&tally, &Null::Asymptotic).unwrap();
        near(limit.p, &case["ks_limit_p"]);
        if case["ks_exact_p"].is_null() {
            // Ties: the exact p-value rejects at least as often as the limit.
            assert!(exact.p <= limit.p, "{exact:?} {limit:?}");
        } else {
            near(exact.p, &case["ks_exact_p"]);
        }
        let found = wasserstein(&tally, &Null::Auto { draws: 9, seed: 0 }).unwrap();
        near(found.raw, &case["wasserstein"]);
        near(found.scaled, &case["wasserstein_scaled"]);
    }
}

#[test]
fn distances_of_tables() {
    for case in read("scipy.json")["tables"].as_array().unwrap() {
        let tally = Tally::of_counts(&counts(&case["reference"]), &counts(&case["current"]));
        let (tally, binning, null) = (tally.unwrap(), Binning::default(), Null::Asymptotic);
        let chi = chi_squared(&tally, &binning, &null).unwrap();
        near(chi.statistic, &case["chi_squared"]);
        near(chi.p, &case["chi_squared_p"]);
        near(jensen_shannon(&tally, &binning, &null).unwrap().statistic, &case["jensen_shannon"]);
        near(psi(&tally, &binning, &null).unwrap().statistic, &case["psi"]);
        let found = wasserstein(&tally, &Null::Auto { draws: 9, seed: 0 }).unwrap();
        near(found.raw, &case["wasserstein"]);
    }
}

#[test]
fn areas() {
    let scipy = read("scipy.json");
    for case in scipy["areas"].as_array().unwrap() {
        let area = auc(&numbers(&case["reference"]), &numbers(&case["current"])).unwrap();
        near(area, &case["auc"]);
    }
}

#[test]
fn adwin_is_rivers() {
    let river = read("river.json");
    let series = numbers(&river["series"]);
    for case in river["adwin"].as_array().unwrap() {
        let [delta, clock, buckets, least, grace] = numbers(&case["settings"])[..] else {
            panic!("five settings");
        };
        let kept = Adwin {
            delta,
            clock: clock as u64,
            buckets: buckets as usize,
            least: least as u64,
            grace: grace as u64,
            range: [0.0, 1.0],
            ..Adwin::default()
        };
        let mut detector = kept.detector().unwrap();
        let expected = &case["kept"];
        let mut alarms = Vec::new();
        for (at, &score) in series.iter().enumerate() {
            alarms.extend(detector.update(score).map(|alarm| alarm.at));
            assert_eq!(Some(detector.width()), expected["width"][at].as_u64(), "at {at}");
            near(detector.mean(), &expected["mean"][at]);
            near(detector.variance(), &expected["variance"][at]);
        }
        assert_eq!(alarms, counts(&expected["alarms"]));
        let restarted = Adwin { restart: true, ..kept }.alarms(&series).unwrap();
        let restarted: Vec<u64> = restarted.iter().map(|alarm| alarm.at).collect();
        assert_eq!(restarted, counts(&case["restarted"]));
    }
}

#[test]
fn page_hinkley_is_rivers() {
    let river = read("river.json");
    let series = numbers(&river["series"]);
    for case in river["page_hinkley"].as_array().unwrap() {
        let [least, delta, threshold, alpha] = numbers(&case["settings"])[..] else {
            panic!("four settings");
        };
        let min_scores = least as u64;
        let test = PageHinkley { delta, threshold, alpha, min_scores, ..PageHinkley::default() };
        let found: Vec<u64> = test.alarms(&series).unwrap().iter().map(|alarm| alarm.at).collect();
        assert_eq!(found, counts(&case["alarms"]));
    }
}
