//! What a column holds, found from a sample of its cells.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::{
    Known,
    cell::{DateOrder, Moment, NumberForm, boolean, date, is_marker, split_unit, time, trimmed},
    column::{Column, Kind},
    shape::{Shape, Shaper},
};

/// A kind holds where so large a share of the filled cells fits.
const FITTING: f64 = 0.95;
/// A marker is usual where so large a share of the cells is it.
const USUAL: f64 = 0.01;
/// More texts than this are no categories.
const CATEGORIES: usize = 1000;

/// Gathers what the cells of a column say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sample {
    shape: Shaper,
    cells: u64,
    filled: u64,
    markers: HashMap<Vec<u8>, u64>,
    booleans: u64,
    integers: u64,
    /// Plain numbers, whole ones included.
    numbers: u64,
    range: Option<(i64, i64)>,
    /// By form: cells that it reads and the plain form does not, and whether one had a fraction.
    marked: BTreeMap<Form, (u64, bool)>,
    /// Plain numbers that are whole ones as well, if the point parts thousands.
    grouped: u64,
    /// Whole numbers that begin with a zero, as codes do.
    zeros: u64,
    /// Whole numbers beyond 64 bits.
    huge: u64,
    dates: [u64; 3],
    /// Dates with a time, and those with a zone.
    timed: u64,
    zoned: u64,
    times: u64,
    texts: HashSet<Vec<u8>>,
}

/// A form as a key.
type Form = (u8, Option<u8>, Option<crate::Unit>);

impl Sample {
    pub(crate) fn see(&mut self, cell: &[u8]) {
        let cell = trimmed(cell);
        self.cells += 1;
        if cell.is_empty() {
            return self.shape.see_empty();
        }
        if is_marker(cell) {
            *self.markers.entry(cell.to_vec()).or_default() += 1;
            return;
        }
        self.filled += 1;
        self.shape.see(cell);
        if self.texts.len() <= CATEGORIES {
            self.texts.insert(cell.to_vec());
        }
        let class = class(cell);
        if class.figures {
            self.see_figures(cell, class);
        } else if boolean(cell).is_some() {
            self.booleans += 1;
        } else if class.letters {
            self.see_date(cell);
        }
    }

    fn see_figures(&mut self, cell: &[u8], class: Class) {
        let plain = NumberForm::default();
        if !class.letters || cell.contains(&b'e') || cell.contains(&b'E') {
            if let Some(value) = plain.read_integer(cell) {
                self.integers += 1;
                self.numbers += 1;
                self.zeros += u64::from(cell.len() > 1 && cell[0] == b'0');
                let (low, high) = self.range.unwrap_or((value, value));
                self.range = Some((low.min(value), high.max(value)));
                // 20180128 is a number as well as a date; a column of nothing else is dates.
                if cell.len() == 8 {
                    self.see_date(cell);
                }
                return;
            }
            if plain.read(cell).is_some() {
                self.numbers += 1;
                let whole = cell.strip_prefix(b"-").unwrap_or(cell);
                self.huge += u64::from(whole.iter().all(u8::is_ascii_digit));
                let thousands = NumberForm { decimal: b',', thousands: Some(b'.'), unit: None };
                self.grouped += u64::from(thousands.read_integer(cell).is_some());
                return;
            }
        }
        if !self.see_date(cell) {
            self.see_marked(cell);
        }
    }

    fn see_marked(&mut self, cell: &[u8]) {
        let (unit, _) = split_unit(cell);
        for (decimal, thousands) in NumberForm::MARKS {
            let form = NumberForm { decimal, thousands, unit };
            if form.read(cell).is_some() {
                let seen = self.marked.entry((decimal, thousands, unit)).or_default();
                seen.0 += 1;
                seen.1 |= form.read_integer(cell).is_none();
            }
        }
    }

    fn see_date(&mut self, cell: &[u8]) -> bool {
        let mut any = None;
        for (order, count) in DateOrder::ALL.into_iter().zip(&mut self.dates) {
            let moment = date(cell, order);
            *count += u64::from(moment.is_some());
            any = any.or(moment);
        }
        if let Some(Moment { micros, zone, .. }) = any {
            self.timed += u64::from(micros.is_some());
            self.zoned += u64::from(zone.is_some());
            return true;
        }
        let clock = time(cell).is_some();
        self.times += u64::from(clock);
        clock
    }

    /// How the dates say that day and month stand: the orders that more cells allow than the others.
    pub(crate) fn date_votes(&self) -> [u64; 3] {
        self.dates
    }

    fn holds(&self, count: u64) -> bool {
        count > 0 && count as f64 >= FITTING * self.filled as f64
    }

    /// The kind; `order` is what the file's other dates say where these do not.
    pub(crate) fn kind(&self, known: &Known, order: DateOrder) -> Kind {
        let best = self.dates.iter().copied().max().unwrap_or(0);
        let compact = self.integers > 0 && self.holds(best) && self.all_days();
        if self.holds(best) && (self.integers == 0 || compact) {
            return self.date_kind(known, order, best);
        }
        if self.holds(self.times) {
            return Kind::Time;
        }
        if let Some(kind) = self.number_kind(known) {
            return kind;
        }
        if self.holds(self.booleans) {
            return Kind::Boolean;
        }
        Kind::Text { category: self.few() }
    }

    /// Whether each text comes ten times and more.
    fn few(&self) -> bool {
        let few = self.texts.len() <= CATEGORIES && 10 * self.texts.len() as u64 <= self.filled;
        few && self.filled > 0
    }

    /// Whether all whole numbers could be days such as 20180128, of 1900 to 2100.
    fn all_days(&self) -> bool {
        self.range.is_some_and(|(low, high)| low >= 19_000_101 && high <= 21_001_231)
    }

    fn date_kind(&self, known: &Known, order: DateOrder, best: u64) -> Kind {
        let fits = |order: DateOrder| self.dates[order as usize] == best;
        let found = DateOrder::ALL.into_iter().find(|&order| fits(order)).unwrap_or_default();
        let order = known.date_order.unwrap_or(if fits(order) { order } else { found });
        match self.timed > 0 {
            true => Kind::Timestamp { order, zoned: 2 * self.zoned > self.timed },
            false => Kind::Date { order },
        }
    }

    fn number_kind(&self, known: &Known) -> Option<Kind> {
        // Post codes and long ids are names of something: as numbers they would lose figures.
        if self.huge > 0 && self.huge + self.integers == self.numbers
            || 100 * self.zeros > self.filled
        {
            return None;
        }
        let (form, fraction) = self.form(known)?;
        Some(match fraction {
            true => Kind::Float { form },
            false => {
                let narrow = |&(low, high): &(i64, i64)| {
                    i32::try_from(low).is_ok() && i32::try_from(high).is_ok()
                };
                Kind::Integer { form, wide: !self.range.as_ref().is_none_or(narrow) }
            }
        })
    }

    /// The form that reads most cells, and whether there are fractions.
    fn form(&self, known: &Known) -> Option<(NumberForm, bool)> {
        let plain = NumberForm::default();
        let marks = known.decimal.is_some() || known.thousands.is_some();
        let mut best = (self.numbers, plain, self.numbers > self.integers);
        for (&(decimal, thousands, unit), &(count, fraction)) in &self.marked {
            let form = NumberForm { decimal, thousands, unit };
            // Plain whole numbers fit every form without a unit, those with a point may part thousands.
            let whole = if unit.is_none() { self.integers } else { 0 };
            let dotted = unit.is_none() && thousands == Some(b'.');
            let reads = count + whole + if dotted { self.grouped } else { 0 };
            let rank = |form: NumberForm| {
                NumberForm::MARKS.iter().position(|m| *m == (form.decimal, form.thousands))
            };
            let better = reads > best.0 || reads == best.0 && rank(form) < rank(best.1);
            if better {
                best = (reads, form, fraction);
            }
        }
        let (reads, mut form, fraction) = best;
        if marks {
            form.decimal = known.decimal.unwrap_or(form.decimal);
            form.thousands =
                known.thousands.or(form.thousands.filter(|&mark| mark != form.decimal));
        }
        self.holds(reads).then_some((form, fraction))
    }

    /// How sure the marks of a column of numbers are: 1 less the share of the numbers with a mark that another
    /// decimal mark reads as well; 1 for other columns.
    pub(crate) fn marks_sure(&self, known: &Known, order: DateOrder) -> f64 {
        let (Kind::Integer { form, .. } | Kind::Float { form }) = self.kind(known, order) else {
            return 1.0;
        };
        if known.decimal.is_some() {
            return 1.0;
        }
        let own = (form.decimal, form.thousands, form.unit);
        let (all, rival) = match form.is_plain() {
            true => (self.numbers - self.integers, self.grouped),
            false => {
                let others = self.marked.iter().filter(|(other, _)| {
                    let (decimal, _, unit) = **other;
                    decimal != form.decimal && unit == form.unit
                });
                let all = self.marked.get(&own).map_or(0, |seen| seen.0);
                (all, others.map(|(_, seen)| seen.0).max().unwrap_or(0))
            }
        };
        if all == 0 { 1.0 } else { 1.0 - rival.min(all) as f64 / all as f64 }
    }

    pub(crate) fn finish(mut self, name: String, known: &Known, order: DateOrder) -> Column {
        let kind = self.kind(known, order);
        let usual = |count: u64| count as f64 >= (USUAL * self.cells as f64).max(3.0);
        let mut markers: Vec<_> = self.markers.iter().collect();
        markers.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
        let told = |(marker, &count): (&Vec<u8>, &u64)| {
            usual(count).then(|| String::from_utf8(marker.clone()).ok()).flatten()
        };
        // Of texts nobody knows: `NA` is a country as well.
        let missing: Vec<String> = match kind.is_text() {
            true => Vec::new(),
            false => markers.into_iter().filter_map(told).collect(),
        };
        if !self.markers.is_empty() {
            self.shape.see_empty();
        }
        let few = self.few();
        let shape = Shape { few, ..self.shape.finish() };
        Column { missing, shape, ..Column::new(name, kind) }
    }
}

/// What a cell is made of.
#[derive(Clone, Copy)]
struct Class {
    figures: bool,
    letters: bool,
}

fn class(cell: &[u8]) -> Class {
    Class {
        figures: cell.iter().any(u8::is_ascii_digit),
        letters: cell.iter().any(u8::is_ascii_alphabetic),
    }
}
