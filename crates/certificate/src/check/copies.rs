//! Test rows that are copies of training rows.
//!
//! Rows are compared by a key, and rows of one key by all their targets together; rows whose main target is not
//! known are left out. A test row *agrees* where any training row of its fold has its key and its targets. By chance
//! two rows have the same targets with the probability `q = Σ p_v²`, so a test row with `k` training rows of its key
//! agrees with the probability `1 - (1 - q)^k`; with `m` such rows and `s` that agree, the figure is `-log₁₀` of the
//! binomial tail `P(S >= s)` by Chernoff's bound, the mean probability in place of each (Hoeffding 1956).
//!
//! | key | catches | used where |
//! |---|---|---|
//! | id and features | a file joined with its own past | rows have ids |
//! | features | the same under other ids | features tell rows apart |
//! | id | the same with features made anew | nine of ten ids stand once, so an id names a row |
//!
//! Features tell rows apart where copies of all test rows would be more than chance makes: rows of one era that
//! share all features tell how often rows do by chance, `c = (pairs that do + 1) / pairs`, and the number that agree
//! must be beyond a Poisson tail of mean `c · (pairs of training and test rows)` as well.
//!
//! Assets whose features and targets both stand still for longer than the gap look like copies of themselves.
//!
//! Cost: a pass over features, and three over training and test rows of each fold.

use std::collections::{HashMap, HashSet};

use fattail_core::Panel;
use fattail_evaluate::Fold;

use super::{Bench, Check, Finding, Skip};
use crate::{Result, disturb};

/// `-log₁₀` of the probability below which agreeing rows are no chance.
const LIMIT: f64 = 8.0;
/// The share of ids that stand once, above which an id names a row.
const ROW_IDS: f64 = 0.9;

/// What a row is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Row,
    Features,
    Id,
}

/// How often rows agree by chance.
struct Chance {
    /// In their targets.
    targets: f64,
    /// In all features, within an era.
    features: f64,
}

/// Test rows with a training row of their key, and those that agree with one.
struct Agreement {
    figure: f64,
    rows: u64,
    agree: u64,
}

impl Bench<'_> {
    pub(crate) fn copies(&self) -> Result<Finding> {
        let check = Check::Copies;
        let features = feature_keys(self.panel);
        let chance = Chance {
            targets: same_targets(&target_keys(self.panel)?),
            features: same_features(self.panel, &features),
        };
        let keys = self.usable_keys(&chance);
        if keys.is_empty() {
            return Ok(Finding::skipped(check, Skip::NotDistinct));
        }
        let planted = self.planted_copies()?;
        let renamed = match self.panel.has_ids() {
            true => disturb::new_ids(&planted, &vec![true; planted.eras().len()])?,
            false => planted.clone(),
        };
        let (mut worst, mut notes, mut caught) = (0.0_f64, Vec::new(), true);
        for key in keys {
            let found = agreement(self.panel, self.folds, key, &chance)?;
            worst = worst.max(found.figure);
            notes.push(format!("{}: {} of {}", key.name(), found.agree, found.rows));
            let copied = if key == Key::Features { &renamed } else { &planted };
            caught &= agreement(copied, self.folds, key, &chance)?.figure > LIMIT;
        }
        let note = format!("test rows that agree with a training row, by {}", notes.join(", by "));
        Ok(Finding::of(check, worst, LIMIT, Some(caught), note))
    }

    /// The keys by which copies of all test rows of a fold could be told from chance.
    fn usable_keys(&self, chance: &Chance) -> Vec<Key> {
        let rows = |eras: &[usize]| -> usize {
            eras.iter().map(|&era| self.panel.eras().range(era).len()).sum()
        };
        let most = self.folds.iter().map(|fold| rows(&fold.test)).max().unwrap_or_default();
        if tail(most as f64, most as f64, chance.targets) <= LIMIT {
            return Vec::new();
        }
        let pairs =
            self.folds.iter().map(|fold| rows(&fold.train) as f64 * rows(&fold.test) as f64);
        let expected = chance.features * pairs.sum::<f64>();
        let mut keys = Vec::new();
        if self.panel.has_ids() {
            keys.push(Key::Row);
            if names_rows(self.panel) {
                keys.push(Key::Id);
            }
        }
        if poisson(most as f64, expected) > LIMIT {
            keys.push(Key::Features);
        }
        keys
    }

    /// The panel with every test era of its largest fold made of one that the fold trains on.
    fn planted_copies(&self) -> Result<Panel> {
        let rows = |fold: &&Fold| -> usize {
            fold.test.iter().map(|&era| self.panel.eras().range(era).len()).sum()
        };
        let mut source: Vec<usize> = (0..self.panel.eras().len()).collect();
        if let Some(fold) = self.folds.iter().max_by_key(rows) {
            for (&to, &from) in fold.test.iter().zip(fold.train.iter().rev().cycle()) {
                source[to] = from;
            }
        }
        Ok(disturb::copied(self.panel, &source)?)
    }
}

impl Key {
    fn name(self) -> &'static str {
        match self {
            Self::Row => "id and features",
            Self::Features => "features",
            Self::Id => "id",
        }
    }

    /// The key of every row.
    fn of(self, panel: &Panel) -> Vec<u64> {
        let mut keys = match self {
            Self::Id => vec![SEED; panel.rows()],
            Self::Row | Self::Features => feature_keys(panel),
        };
        if self != Self::Features {
            for (row, key) in keys.iter_mut().enumerate() {
                let id = panel.id(row).unwrap_or_default();
                id.bytes().for_each(|byte| mix(key, u64::from(byte)));
            }
        }
        keys
    }
}

fn agreement(panel: &Panel, folds: &[Fold], key: Key, chance: &Chance) -> Result<Agreement> {
    let (keys, targets) = (key.of(panel), target_keys(panel)?);
    let (mut rows, mut agree, mut expected, mut pairs) = (0, 0, 0.0, 0.0);
    for fold in folds {
        let known = |eras: &[usize]| -> Vec<(u64, u64)> {
            let rows = eras.iter().flat_map(|&era| panel.eras().range(era));
            rows.filter_map(|row| Some((keys[row], targets[row]?))).collect()
        };
        let (train, test) = (known(&fold.train), known(&fold.test));
        pairs += train.len() as f64 * test.len() as f64;
        let mut count: HashMap<u64, i32> = HashMap::new();
        train.iter().for_each(|(key, _)| *count.entry(*key).or_default() += 1);
        let train: HashSet<(u64, u64)> = train.into_iter().collect();
        for row in test {
            if let Some(&count) = count.get(&row.0) {
                rows += 1;
                agree += u64::from(train.contains(&row));
                expected += 1.0 - (1.0 - chance.targets).powi(count);
            }
        }
    }
    let mut figure = tail(rows as f64, agree as f64, expected / rows.max(1) as f64);
    if key == Key::Features {
        figure = figure.min(poisson(agree as f64, chance.features * pairs));
    }
    Ok(Agreement { figure, rows, agree })
}

/// Where hashes begin (Fowler, Noll and Vo's, a word at a time).
const SEED: u64 = 0xcbf2_9ce4_8422_2325;

fn mix(key: &mut u64, word: u64) {
    *key = (*key ^ word).wrapping_mul(0x0100_0000_01b3);
    *key ^= *key >> 29;
}

/// A hash of the features of each row.
fn feature_keys(panel: &Panel) -> Vec<u64> {
    let mut keys = vec![SEED; panel.rows()];
    for at in 0..panel.width() {
        let values = panel.feature(at).to_f32();
        keys.iter_mut().zip(values).for_each(|(key, value)| mix(key, u64::from(value.to_bits())));
    }
    keys
}

/// A hash of all targets of each row whose main target is known.
fn target_keys(panel: &Panel) -> Result<Vec<Option<u64>>> {
    let mut keys = vec![SEED; panel.rows()];
    for name in panel.schema().targets() {
        let values = panel.target_named(name)?.to_f32();
        keys.iter_mut().zip(values).for_each(|(key, value)| {
            mix(key, u64::from(if value.is_nan() { f32::NAN } else { value }.to_bits()));
        });
    }
    let main = panel.target()?.to_f32();
    Ok(keys.into_iter().zip(main).map(|(key, main)| (!main.is_nan()).then_some(key)).collect())
}

/// The probability that two rows have the same targets.
fn same_targets(targets: &[Option<u64>]) -> f64 {
    let mut counts: HashMap<u64, u64> = HashMap::new();
    targets.iter().flatten().for_each(|&key| *counts.entry(key).or_default() += 1);
    let total: u64 = counts.values().sum();
    let mut counts: Vec<u64> = counts.into_values().collect();
    // A sum whose order is that of a hash table differs from run to run.
    counts.sort_unstable();
    counts.iter().map(|&count| (count as f64 / total as f64).powi(2)).sum()
}

/// The probability that two rows of an era have the same features, from above where none have.
fn same_features(panel: &Panel, keys: &[u64]) -> f64 {
    let pairs = |rows: usize| (rows * rows.saturating_sub(1) / 2) as f64;
    let (mut same, mut all) = (0.0, 0.0);
    let mut counts: HashMap<u64, usize> = HashMap::new();
    for range in panel.eras().ranges() {
        all += pairs(range.len());
        counts.clear();
        keys[range].iter().for_each(|&key| *counts.entry(key).or_default() += 1);
        same += counts.values().map(|&count| pairs(count)).sum::<f64>();
    }
    f64::min((same + 1.0) / f64::max(all, 1.0), 1.0)
}

/// Whether nine of ten rows have an id that no other row has.
fn names_rows(panel: &Panel) -> bool {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let ids = (0..panel.rows()).filter_map(|row| panel.id(row));
    ids.for_each(|id| *counts.entry(id).or_default() += 1);
    let once = counts.values().filter(|&&count| count == 1).count();
    once as f64 >= ROW_IDS * panel.rows() as f64
}

/// `-log₁₀ P(S >= s)` for a binomial `S` of `m` trials, by Chernoff's bound; 0 where `s` is not above what is
/// expected.
fn tail(m: f64, s: f64, q: f64) -> f64 {
    if m == 0.0 || s <= m * q {
        return 0.0;
    }
    let share = s / m;
    let term = |a: f64, b: f64| if a == 0.0 { 0.0 } else { a * (a / b).ln() };
    m * (term(share, q) + term(1.0 - share, 1.0 - q)) / std::f64::consts::LN_10
}

/// The same for a Poisson variable.
fn poisson(s: f64, mean: f64) -> f64 {
    if s <= mean {
        return 0.0;
    }
    (s * (s / mean).ln() - s + mean) / std::f64::consts::LN_10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_by_hand() {
        // All of 10 heads, exactly 2^-10.
        assert!((tail(10.0, 10.0, 0.5) - 10.0 * 2.0_f64.log10()).abs() < 1e-12);
        assert_eq!((tail(10.0, 5.0, 0.5), tail(0.0, 0.0, 0.5)), (0.0, 0.0));
        assert_eq!(poisson(2.0, 3.0), 0.0);
        // e^-(10 ln 10 - 9).
        assert!((poisson(10.0, 1.0) - (10.0 - 9.0 / std::f64::consts::LN_10)).abs() < 1e-12);
    }
}
