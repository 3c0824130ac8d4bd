//! Size and power in seeded worlds: how often a test at 5 % rejects where there is nothing to find, and
//! where there is something.
//!
//! Some worlds run with the suite, and sizes must lie within three standard errors of so many worlds. The
//! tables of `docs/math/luck.md` come from 2,000
//! worlds with 199 draws each: `cargo test --release -p fattail-luck -- --ignored --nocapture tables`.

mod draw;
mod interval;
mod sharpe;
mod superior;

use rayon::prelude::*;

/// Nominal size of every test here.
pub(crate) const SIZE: f64 = 0.05;

/// How many worlds, and how many draws where a test resamples.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    pub(crate) worlds: u32,
    pub(crate) draws: u32,
}

const FULL: Effort = Effort { worlds: 2000, draws: 199 };
const BRIEF: Effort = Effort { worlds: 800, draws: 99 };

/// How often a test rejected where nothing is to be found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) name: &'static str,
    pub(crate) rate: f64,
    /// Whether it is known to reject too rarely.
    pub(crate) conservative: bool,
}

impl Effort {
    /// The share of worlds in which each of several things happens.
    pub(crate) fn rates<const N: usize>(
        self,
        happens: impl Fn(u32) -> [bool; N] + Sync + Send,
    ) -> [f64; N] {
        let all: Vec<[bool; N]> = (0..self.worlds).into_par_iter().map(happens).collect();
        let count = |at: usize| all.iter().filter(|one| one[at]).count() as f64;
        std::array::from_fn(|at| count(at) / f64::from(self.worlds))
    }

    /// The share of worlds in which something happens.
    pub(crate) fn rate(self, happens: impl Fn(u32) -> bool + Sync + Send) -> f64 {
        self.rates(|world| [happens(world)])[0]
    }

    /// The mean of a number over worlds.
    pub(crate) fn mean(self, number: impl Fn(u32) -> f64 + Sync + Send) -> f64 {
        let all: Vec<f64> = (0..self.worlds).into_par_iter().map(number).collect();
        all.iter().sum::<f64>() / f64::from(self.worlds)
    }

    /// Half the width of the binomial interval around the nominal size.
    fn error(self) -> f64 {
        1.96 * (SIZE * (1.0 - SIZE) / f64::from(self.worlds)).sqrt()
    }
}

/// Prints a row of a table: sizes outside the binomial interval are marked.
pub(crate) fn print_sizes(effort: Effort, name: &str, rates: &[f64]) {
    let cells: Vec<String> = rates
        .iter()
        .map(|rate| match rate - SIZE {
            gap if gap > effort.error() => format!("{rate:.4} high"),
            gap if gap < -effort.error() => format!("{rate:.4} low"),
            _ => format!("{rate:.4}"),
        })
        .collect();
    println!("| {name} | {} |", cells.join(" | "));
}

pub(crate) fn print_power(name: &str, rates: &[f64]) {
    let cells: Vec<String> = rates.iter().map(|rate| format!("{rate:.3}")).collect();
    println!("| {name} | {} |", cells.join(" | "));
}

#[test]
#[ignore = "2,000 worlds: minutes"]
fn tables_of_sharpe_ratios() {
    sharpe::tables(FULL);
}

#[test]
#[ignore = "2,000 worlds: minutes"]
fn tables_of_superior_models() {
    superior::tables(FULL);
}

#[test]
#[ignore = "2,000 worlds: minutes"]
fn tables_of_intervals() {
    interval::tables(FULL);
}

/// Sizes of the default forms are 5 %, but for the error of so many worlds; of those that are known to be
/// conservative, at most.
#[test]
fn default_forms_hold_their_size() {
    let error = 3.0 * (SIZE * (1.0 - SIZE) / f64::from(BRIEF.worlds)).sqrt();
    let sizes = [sharpe::brief(BRIEF), superior::brief(BRIEF), interval::brief(BRIEF)].concat();
    let lines = sizes.iter().map(|size| format!("{}: {}", size.name, size.rate));
    let found = lines.collect::<Vec<_>>().join("\n");
    println!("{found}");
    for Size { name, rate, conservative } in sizes {
        assert!(rate <= SIZE + error, "{name}: {rate}\n{found}");
        assert!(conservative || rate >= SIZE - error, "{name}: {rate}\n{found}");
    }
}

/// What is there is found.
#[test]
fn default_forms_have_power() {
    let effort = Effort { worlds: 60, ..BRIEF };
    for (name, rate) in superior::power(effort, 0.3) {
        assert!(rate > 0.7, "{name}: {rate}");
    }
    assert!(interval::power(effort, 0.3) > 0.7);
}
