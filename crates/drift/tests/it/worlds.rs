//! Size and power over seeded worlds. The suite runs 2,000 of the cheap ones and 200 of the others, and
//! holds the alarms to what one in a thousand binomials leaves on each side;
//! `cargo test --release -p fattail-drift -- --ignored --nocapture thousand` runs 2,000 and prints the
//! tables of `docs/math/drift.md`.

mod rows;
mod scores;
mod units;

use std::ops::Range;

use rayon::prelude::*;
use statrs::function::beta::checked_beta_reg;

/// A test in a world: handed the number of the world and the effect, answers the p-value; detectors
/// answer 0 for an alarm and 1 for none.
type World = fn(u32, f64) -> f64;

/// What the size is to be.
#[derive(Clone, Copy, PartialEq)]
enum Size {
    /// The stated 5 %.
    Exact,
    /// No more than that.
    Conservative,
    /// Wrong, and shown for that: at least this.
    Broken(f64),
}

struct Case {
    name: &'static str,
    world: World,
    size: Size,
    /// Five effects, rising.
    effects: [f64; 5],
}

const LEVEL: f64 = 0.05;
const SEED: u64 = 2024;

fn cases() -> Vec<Case> {
    rows::CASES.iter().chain(units::CASES).chain(scores::CASES).map(copied).collect()
}

fn copied(case: &Case) -> Case {
    Case { ..*case }
}

/// The worlds in which the test says drift.
fn alarms(case: &Case, worlds: Range<u32>, effect: f64) -> u32 {
    let rings = |&world: &u32| (case.world)(world, effect) <= LEVEL + 1e-12;
    worlds.into_par_iter().filter(rings).count() as u32
}

/// Their share.
fn share(case: &Case, worlds: Range<u32>, effect: f64) -> f64 {
    let count = f64::from(worlds.end - worlds.start);
    f64::from(alarms(case, worlds, effect)) / count
}

/// A world of these takes less than a millisecond.
const CHEAP: [&str; 5] = ["PSI", "chi-squared", "Jensen-Shannon", "KS", "CUSUM"];

/// The fewest and the most alarms of a test that holds its level: fewer come with a chance of at most
/// one in a thousand, and so do more. `P(X <= k) = I_{1-p}(n - k, k + 1)`.
fn limits(worlds: u32) -> [u32; 2] {
    let at_most = |k: u32| {
        let (left, right) = (f64::from(worlds - k), f64::from(k) + 1.0);
        checked_beta_reg(left, right, 1.0 - LEVEL).unwrap()
    };
    let least = |chance: f64| (0..worlds).find(|&k| at_most(k) > chance).unwrap();
    [least(0.001), least(0.999)]
}

#[test]
fn sizes_are_the_stated_ones() {
    assert_eq!(limits(200), [2, 21]);
    for case in cases() {
        let worlds = if CHEAP.iter().any(|name| case.name.starts_with(name)) { 2000 } else { 200 };
        let [fewest, most] = limits(worlds);
        let found = alarms(&case, 0..worlds, 0.0);
        let told = format!("{}: {found} of {worlds}", case.name);
        match case.size {
            Size::Exact => assert!((fewest..=most).contains(&found), "{told}"),
            Size::Conservative => assert!(found <= most, "{told}"),
            Size::Broken(least) => assert!(f64::from(found) > least * f64::from(worlds), "{told}"),
        }
        let power = share(&case, 0..30, case.effects[4]);
        assert!(power > 0.5, "{}: power {power}", case.name);
    }
}

#[test]
#[ignore = "2,000 worlds: minutes"]
fn two_thousand_worlds() {
    let worlds = 2000;
    let error = 1.96 * (LEVEL * (1.0 - LEVEL) / f64::from(worlds)).sqrt();
    let (mut size, mut power) = (String::new(), String::new());
    for case in cases() {
        let found = share(&case, 0..worlds, 0.0);
        let verdict = match case.size {
            Size::Exact if (found - LEVEL).abs() <= error => "as stated".to_owned(),
            Size::Conservative if found <= LEVEL + error => "at most".to_owned(),
            Size::Broken(_) => "**not a test**".to_owned(),
            // One in twenty exact tests lies outside by chance: a second look, at other worlds.
            _ => {
                let again = share(&case, worlds..5 * worlds, 0.0);
                format!("outside; {:.2} % of 8,000 other worlds", 100.0 * again)
            }
        };
        size += &format!("| {} | {:.2} % | {verdict} |\n", case.name, 100.0 * found);
        power += &format!("| {} |", case.name);
        for effect in case.effects {
            power += &format!(" {effect}: {:.0} % |", 100.0 * share(&case, 0..worlds / 4, effect));
        }
        power.push('\n');
        println!("{} done: {found}", case.name);
    }
    println!("\n| test | size | |\n|---|---|---|\n{size}");
    println!("| test | power | | | | |\n|---|---|---|---|---|---|\n{power}");
    scores::print_run_lengths(worlds);
}
