//! What the cells of a column look like: by this, cells of a ragged row find their columns.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

/// A beginning of fewer bytes says nothing.
const TELLING_PREFIX: usize = 4;
/// Cells longer than this have no pattern.
const PATTERN_BYTES: usize = 24;
/// A column with more patterns than this has none.
const PATTERNS: usize = 6;
/// The share of cells that patterns must cover.
const COVERED: f64 = 0.95;

/// What the cells of a column look like.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// Whether a cell was empty or missing; `None` where no cell was seen.
    pub empty: Option<bool>,
    /// Whether a cell was not.
    pub filled: Option<bool>,
    /// What every filled cell begins with.
    pub prefix: String,
    /// The patterns of nearly all filled cells: `A` and `a` for letters, `9` for figures.
    pub patterns: Vec<String>,
    /// Bytes of the shortest and of the longest filled cell.
    pub lengths: Option<(usize, usize)>,
    /// Whether few different cells make up the column.
    pub few: bool,
}

impl Shape {
    pub(crate) fn may_be_empty(&self) -> bool {
        self.empty.unwrap_or(true)
    }

    pub(crate) fn may_be_filled(&self) -> bool {
        self.filled.unwrap_or(true)
    }

    pub(crate) fn is_telling(&self) -> bool {
        self.prefix.len() >= TELLING_PREFIX || !self.patterns.is_empty()
    }

    pub(crate) fn has_pattern(&self, cell: &[u8]) -> bool {
        let pattern = pattern(cell);
        self.patterns.is_empty() || pattern.is_some_and(|pattern| self.patterns.contains(&pattern))
    }

    /// How little a text looks like those of the column.
    pub(crate) fn strangeness(&self, cell: &[u8]) -> f32 {
        let prefix = &self.prefix.as_bytes()[..self.prefix.len().min(8)];
        if prefix.len() >= TELLING_PREFIX && !cell.starts_with(prefix) {
            return 1.5;
        }
        if !self.has_pattern(cell) {
            return 1.0;
        }
        let odd = |&(shortest, longest): &(usize, usize)| {
            cell.len() > 3 * longest || 3 * cell.len() < shortest
        };
        if self.lengths.as_ref().is_some_and(odd) { 0.6 } else { 0.0 }
    }
}

/// Letters and figures by their class, other bytes as they are; `None` for long texts and such with
/// spaces.
fn pattern(cell: &[u8]) -> Option<String> {
    if cell.len() > PATTERN_BYTES || cell.contains(&b' ') {
        return None;
    }
    let class = |&byte: &u8| match byte {
        b'A'..=b'Z' => 'A',
        b'a'..=b'z' => 'a',
        b'0'..=b'9' => '9',
        other => char::from(other),
    };
    Some(cell.iter().map(class).collect())
}

/// Gathers a shape from cells.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shaper {
    empty: u64,
    filled: u64,
    prefix: Option<Vec<u8>>,
    patterns: HashMap<String, u64>,
    /// More patterns came than are kept.
    spilt: bool,
    lengths: Option<(usize, usize)>,
}

impl Shaper {
    pub(crate) fn see_empty(&mut self) {
        self.empty += 1;
    }

    pub(crate) fn see(&mut self, cell: &[u8]) {
        self.filled += 1;
        let (shortest, longest) = self.lengths.unwrap_or((cell.len(), cell.len()));
        self.lengths = Some((shortest.min(cell.len()), longest.max(cell.len())));
        match &mut self.prefix {
            None => self.prefix = Some(cell[..cell.len().min(PATTERN_BYTES)].to_vec()),
            Some(prefix) => {
                let same = prefix.iter().zip(cell).take_while(|(a, b)| a == b).count();
                prefix.truncate(same);
            }
        }
        if let (false, Some(pattern)) = (self.spilt, pattern(cell)) {
            *self.patterns.entry(pattern).or_default() += 1;
            self.spilt = self.patterns.len() > 8 * PATTERNS;
        }
    }

    pub(crate) fn finish(self) -> Shape {
        let seen = self.empty + self.filled > 0;
        let prefix = self.prefix.filter(|_| self.filled > 1).unwrap_or_default();
        let mut patterns: Vec<_> = self.patterns.into_iter().collect();
        patterns.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        // As many as cover nearly all cells, the commonest first.
        let enough = COVERED * self.filled as f64;
        let mut covered = 0;
        let needed = patterns.iter().position(|(_, count)| {
            covered += count;
            covered as f64 >= enough
        });
        let telling = needed.is_some_and(|last| last < PATTERNS) && !self.spilt;
        patterns.truncate(needed.map_or(0, |last| last + 1));
        Shape {
            empty: seen.then_some(self.empty > 0),
            filled: seen.then_some(self.filled > 0),
            prefix: String::from_utf8(prefix).unwrap_or_default(),
            patterns: match telling {
                true => patterns.into_iter().map(|(pattern, _)| pattern).collect(),
                false => Vec::new(),
            },
            lengths: self.lengths,
            few: false,
        }
    }
}
