//! One block of rows through a plan: values to codes, codes to planes, planes to leaves, leaves to
//! sums.

use std::ops::Range;

use fattail_core::{ColumnView, Eras, Panel, Values};

use super::{
    lanes::{self, BLOCK, Level, WORDS},
    plan::{Column, Engine, Plan},
    question::{Key, Kind, Question},
};
use crate::{Forest, Tree};

/// Trees whose values are added together.
const BATCH: usize = 8;
/// Columns from the one that is read to the one that is fetched.
const AHEAD: usize = 2;

/// The columns of a panel as a plan reads them.
pub(crate) struct Source<'a> {
    eras: &'a Eras,
    rows: usize,
    /// All features; those that are not in one piece are read era by era.
    features: Vec<(ColumnView<'a>, Option<Values<'a>>)>,
    /// Codes of the bins, for columns of the plan whose bins are not asked as they are.
    tables: Vec<Option<Box<[u8; 256]>>>,
}

impl<'a> Source<'a> {
    /// Looks a panel up whose features are the forest's.
    pub(crate) fn new(plan: &Plan, panel: &'a Panel) -> Self {
        let feature = |at| {
            let view = panel.feature(at);
            (view, view.contiguous())
        };
        let table = |column: &Column| {
            let view = panel.feature(column.key.feature as usize);
            let needed = view.is_u8() && !(column.key.takes_bins() && column.slot.is_none());
            let ranks = plan.features.get(&column.key.feature);
            let code = |bin: usize| column.key.code(ranks, bin as f32);
            needed.then(|| Box::new(std::array::from_fn(code)))
        };
        Self {
            eras: panel.eras(),
            rows: panel.rows(),
            features: (0..panel.width()).map(feature).collect(),
            tables: plan.columns.iter().map(table).collect(),
        }
    }

    /// Calls `each` with the pieces of rows `rows` of a feature, and where they begin in the range.
    fn pieces(&self, feature: usize, rows: &Range<usize>, mut each: impl FnMut(usize, Values<'a>)) {
        let (view, whole) = &self.features[feature];
        if let Some(whole) = whole {
            return each(0, part(*whole, rows.clone()));
        }
        let mut at = rows.start;
        let mut era = self.eras.of_row(at).unwrap_or(0);
        while at < rows.end {
            let range = self.eras.range(era);
            let end = range.end.min(rows.end);
            each(at - rows.start, part(view.era(era), at - range.start..end - range.start));
            (at, era) = (end, era + 1);
        }
    }

    /// The value at a row.
    fn value(&self, feature: usize, row: usize) -> f32 {
        let (view, whole) = &self.features[feature];
        match whole {
            Some(whole) => whole.get(row),
            None => {
                let era = self.eras.of_row(row).unwrap_or(0);
                view.era(era).get(row - self.eras.range(era).start)
            }
        }
    }

    /// Bins of a whole block that lie end to end.
    fn whole_bins(&self, feature: usize, rows: &Range<usize>) -> Option<&'a [u8]> {
        match self.features[feature].1? {
            Values::U8(bins) if rows.len() == BLOCK => Some(&bins[rows.clone()]),
            _ => None,
        }
    }

    fn fetch(&self, feature: usize, rows: &Range<usize>) {
        if let Some(bins) = self.whole_bins(feature, rows) {
            lanes::fetch(bins);
        }
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }
}

fn part(values: Values<'_>, range: Range<usize>) -> Values<'_> {
    match values {
        Values::U8(values) => Values::U8(&values[range]),
        Values::F32(values) => Values::F32(&values[range]),
    }
}

/// What a block is worked on in.
pub(crate) struct Scratch {
    level: Level,
    values: Vec<f32>,
    bins: Vec<u8>,
    ranks: Vec<u32>,
    /// The feature whose values and ranks are there.
    ranked: Option<u32>,
    codes: Vec<u8>,
    walked: Vec<u8>,
    planes: Vec<u64>,
    masks: Vec<u64>,
    bits: Vec<u64>,
    numbers: Vec<u8>,
    found: Vec<u32>,
}

impl Scratch {
    pub(crate) fn new(plan: &Plan, level: Level) -> Self {
        Self {
            level,
            values: vec![0.0; BLOCK],
            bins: vec![0; BLOCK],
            ranks: vec![0; BLOCK],
            ranked: None,
            codes: vec![0; BLOCK],
            walked: vec![0; BLOCK * plan.slots().max(1)],
            planes: vec![0; WORDS * plan.questions.len()],
            masks: Vec::new(),
            bits: vec![0; WORDS * 16],
            numbers: vec![0; BLOCK * BATCH],
            found: vec![0; BLOCK],
        }
    }

    /// Answers the questions of a plan for some rows of a panel, a block at most.
    pub(crate) fn read(&mut self, plan: &Plan, source: &Source<'_>, rows: &Range<usize>) {
        self.ranked = None;
        for (at, column) in plan.columns.iter().enumerate() {
            if let Some(ahead) = plan.columns.get(at + AHEAD) {
                source.fetch(ahead.key.feature as usize, rows);
            }
            let feature = column.key.feature as usize;
            let table = source.tables[at].as_deref();
            let raw = source.features[feature].0.is_u8() && table.is_none();
            let direct = if raw { source.whole_bins(feature, rows) } else { None };
            match (direct, table) {
                (Some(bins), _) => self.ask(plan, column, bins, true),
                (None, Some(table)) => {
                    self.fill_bins(source, feature, rows);
                    let codes = self.bins.iter().map(|&bin| table[usize::from(bin)]);
                    self.codes.iter_mut().zip(codes).for_each(|(slot, code)| *slot = code);
                    self.ask_filled(plan, source, column, rows);
                }
                (None, None) if raw => {
                    self.fill_bins(source, feature, rows);
                    let bins = std::mem::take(&mut self.bins);
                    self.ask(plan, column, &bins, true);
                    self.bins = bins;
                }
                (None, None) => {
                    self.fill_codes(plan, source, column.key, rows);
                    self.ask_filled(plan, source, column, rows);
                }
            }
        }
    }

    fn fill_bins(&mut self, source: &Source<'_>, feature: usize, rows: &Range<usize>) {
        source.pieces(feature, rows, |at, piece| {
            if let Values::U8(piece) = piece {
                self.bins[at..at + piece.len()].copy_from_slice(piece);
            }
        });
    }

    /// Makes codes of numbers; several columns of a feature share its ranks.
    fn fill_codes(&mut self, plan: &Plan, source: &Source<'_>, key: Key, rows: &Range<usize>) {
        let ranks = plan.features.get(&key.feature);
        if self.ranked != Some(key.feature) {
            self.ranked = Some(key.feature);
            source.pieces(key.feature as usize, rows, |at, piece| {
                piece.write_f32(&mut self.values[at..at + piece.len()]);
            });
            if let Some(ranks) = ranks {
                lanes::rank(self.level, ranks, &self.values, &mut self.ranks);
            }
        }
        match (key.kind, ranks) {
            (Kind::Number { .. }, Some(ranks)) => {
                key.codes(ranks, &self.values, &self.ranks, &mut self.codes);
            }
            _ => {
                let codes = self.values.iter().map(|&value| key.code(None, value));
                self.codes.iter_mut().zip(codes).for_each(|(slot, code)| *slot = code);
            }
        }
    }

    fn ask_filled(
        &mut self,
        plan: &Plan,
        source: &Source<'_>,
        column: &Column,
        rows: &Range<usize>,
    ) {
        let codes = std::mem::take(&mut self.codes);
        self.ask(plan, column, &codes, false);
        self.codes = codes;
        for plane in column.planes.clone() {
            if let rule @ Question::Wide { .. } = &plan.questions[plane] {
                let plane = &mut self.planes[plane * WORDS..(plane + 1) * WORDS];
                plane.fill(0);
                for (at, row) in rows.clone().enumerate() {
                    let left = rule.wide(source.value(column.key.feature as usize, row));
                    plane[at / 64] |= u64::from(left) << (at % 64);
                }
            }
        }
    }

    fn ask(&mut self, plan: &Plan, column: &Column, codes: &[u8], bins: bool) {
        if let Some(slot) = column.slot {
            self.walked[slot * BLOCK..(slot + 1) * BLOCK].copy_from_slice(codes);
        }
        for plane in column.planes.clone() {
            let bits = &mut self.planes[plane * WORDS..(plane + 1) * WORDS];
            match &plan.questions[plane] {
                Question::Below { rank, raw } => {
                    lanes::below(self.level, codes, if bins { *raw } else { *rank }, bits);
                }
                Question::Member(set) => lanes::member(codes, set, bits),
                Question::Wide { .. } => {}
            }
        }
    }
}

/// Sums and leaves, after `read`.
impl Scratch {
    /// Adds the values of some trees, in their order, to the sums of the rows, the outputs of a row
    /// together.
    pub(crate) fn add(
        &mut self,
        model: (&Forest, &Plan),
        trees: &[usize],
        source: &Source<'_>,
        rows: &Range<usize>,
        out: &mut [f64],
    ) {
        let (forest, plan) = model;
        let mut rest = trees;
        while !rest.is_empty() {
            let output = forest.trees[rest[0]].output;
            let same = |at: &&usize| joins_batch(forest, plan, **at, output);
            let batch = rest.iter().take(BATCH).take_while(same).count();
            if batch > 0 {
                self.add_batch(plan, &rest[..batch], &mut out[output..], forest.outputs);
            } else {
                self.add_one(model, rest[0], source, rows, out);
            }
            rest = &rest[batch.max(1)..];
        }
    }

    fn add_batch(&mut self, plan: &Plan, trees: &[usize], out: &mut [f64], stride: usize) {
        for (slot, &tree) in trees.iter().enumerate() {
            self.number(&plan.trees[tree].engine, 0, slot);
        }
        let mut tables: [&[f64]; BATCH] = [&[]; BATCH];
        tables.iter_mut().zip(trees).for_each(|(table, &at)| *table = &plan.trees[at].table);
        lanes::add(&tables[..trees.len()], &self.numbers, out, stride);
    }

    /// Writes eight bits of the leaves' numbers of a sliced tree, from bit `low` on.
    fn number(&mut self, engine: &Engine, low: usize, slot: usize) {
        let out = &mut self.numbers[slot * BLOCK..(slot + 1) * BLOCK];
        let mut planes: [&[u64]; 8] = [&[]; 8];
        let bits = engine.bits().unwrap_or(0);
        let count = bits.saturating_sub(low).min(8);
        if let Engine::Slices(program) = engine
            && low == 0
        {
            lanes::run(self.level, program, &self.planes, &mut self.masks, &mut self.bits);
        }
        for (bit, slice) in planes[..count].iter_mut().enumerate() {
            *slice = match engine {
                Engine::Levels(planes) => plane(&self.planes, planes[low + bit] as usize),
                _ => plane(&self.bits, low + bit),
            };
        }
        lanes::spread(self.level, &planes[..count], out);
    }

    fn add_one(
        &mut self,
        (forest, plan): (&Forest, &Plan),
        at: usize,
        source: &Source<'_>,
        rows: &Range<usize>,
        out: &mut [f64],
    ) {
        let (tree, layout) = (&forest.trees[at], &plan.trees[at]);
        self.find(&layout.engine, tree, source, rows);
        for ((row, &number), sums) in
            rows.clone().zip(&self.found).zip(out.chunks_mut(forest.outputs))
        {
            let number = number as usize;
            let sums = &mut sums[tree.output..tree.output + tree.width];
            if tree.linear.is_empty() {
                let values = &layout.table[number * tree.width..(number + 1) * tree.width];
                sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
            } else {
                let leaf = layout.order[number] as usize;
                sums[0] += tree.value_by(leaf, 0, |at| f64::from(source.value(at, row)));
            }
        }
    }

    /// The leaves of the rows.
    pub(crate) fn leaves(
        &mut self,
        (forest, plan): (&Forest, &Plan),
        at: usize,
        source: &Source<'_>,
        rows: &Range<usize>,
    ) -> impl Iterator<Item = u32> {
        let layout = &plan.trees[at];
        self.find(&layout.engine, &forest.trees[at], source, rows);
        self.found[..rows.len()].iter().map(|&number| layout.order[number as usize])
    }

    /// Fills `found` with the numbers of the rows' leaves.
    fn find(&mut self, engine: &Engine, tree: &Tree, source: &Source<'_>, rows: &Range<usize>) {
        match engine {
            Engine::Levels(_) | Engine::Slices(_) => {
                self.number(engine, 0, 0);
                self.number(engine, 8, 1);
                let (low, high) = self.numbers.split_at(BLOCK);
                for ((found, low), high) in self.found.iter_mut().zip(low).zip(high) {
                    *found = u32::from(*low) | u32::from(*high) << 8;
                }
            }
            Engine::Walk { steps, leaves } => {
                lanes::walk(steps, *leaves, &self.walked, &mut self.found);
            }
            Engine::Plain => {
                for (found, row) in self.found.iter_mut().zip(rows.clone()) {
                    *found = tree.find_by(|at| f64::from(source.value(at, row))) as u32;
                }
            }
        }
    }
}

fn plane(planes: &[u64], at: usize) -> &[u64] {
    &planes[at * WORDS..(at + 1) * WORDS]
}

/// Whether a tree is one of a batch: numbers in a byte, one plain value a leaf, the same output.
fn joins_batch(forest: &Forest, plan: &Plan, at: usize, output: usize) -> bool {
    let tree = &forest.trees[at];
    let narrow = plan.trees[at].engine.bits().is_some_and(|bits| bits <= 8);
    narrow && tree.output == output && tree.width == 1 && tree.linear.is_empty()
}
