//! The dialect whose table looks most like one.

use std::collections::BTreeMap;

use crate::{
    cell::{DateOrder, boolean, date, float, is_marker, split_unit, time, trimmed},
    cells::Cells,
    dialect::{DELIMITERS, Dialect, Ends, Escape, Known},
    split::split,
};

/// What makes an unquoted cell look as if it were several.
const TELLING: &[u8] = b",;\t|";
/// So many records tell the dialect.
const RECORDS: usize = 300;
/// A space of a padded delimiter follows at least so large a share of the delimiters.
const PADDED: f64 = 0.9;

/// The best dialect, and how sure it is.
pub(super) fn best(sample: &[u8], ends: Ends, known: &Known) -> (Dialect, f64) {
    let mut scores: Vec<(f64, Dialect)> = Vec::new();
    for dialect in candidates(sample, ends, known) {
        let score = score(sample, &dialect);
        scores.push((score, dialect));
    }
    let Some(&first) = scores.first() else {
        return (Dialect { ends, ..Dialect::default() }, 0.0);
    };
    // A later candidate has to be better, not just as good.
    let better = |best: (f64, Dialect), next: &(f64, Dialect)| {
        if next.0 > best.0 * (1.0 + 1e-9) { *next } else { best }
    };
    let (score, dialect) = scores.iter().skip(1).fold(first, better);
    let others = scores.iter().filter(|(_, other)| other.delimiter != dialect.delimiter);
    let second = others.map(|(score, _)| *score).fold(0.0, f64::max);
    let sure = if score > 0.0 { 1.0 - second / score } else { 0.0 };
    (Dialect { padded: is_padded(sample, &dialect), ..dialect }, sure)
}

fn candidates(sample: &[u8], ends: Ends, known: &Known) -> Vec<Dialect> {
    let given = |list: &[u8], known: Option<u8>| known.map_or(list.to_vec(), |one| vec![one]);
    let delimiters = given(DELIMITERS, known.delimiter);
    let has = |byte: &u8| sample.contains(byte);
    let quotes: Vec<Option<u8>> = match known.quote {
        Some(quote) => vec![quote],
        None => {
            let single = has(&b'\'').then_some(Some(b'\''));
            [Some(b'"')].into_iter().chain(single).collect()
        }
    };
    let escapes = match known.escape {
        Some(escape) => vec![escape],
        None if sample
            .windows(2)
            .any(|pair| pair[0] == b'\\' && matches!(pair[1], b'"' | b'\'')) =>
        {
            vec![Escape::Doubled, Escape::Backslash]
        }
        None => vec![Escape::Doubled],
    };
    let mut list = Vec::new();
    for &delimiter in &delimiters {
        if !(has(&delimiter) || delimiter == b',' || known.delimiter.is_some()) {
            continue;
        }
        for &quote in &quotes {
            for &escape in &escapes {
                list.push(Dialect { delimiter, quote, escape, ends, padded: delimiter != b' ' });
            }
        }
    }
    list
}

fn score(sample: &[u8], dialect: &Dialect) -> f64 {
    let (mut cells, mut widths) = (Cells::default(), BTreeMap::<usize, usize>::new());
    let (mut at, mut meaning, mut count, mut records) = (0, 0.0, 0usize, 0);
    while at < sample.len() && records < RECORDS {
        cells.clear();
        let record = split(sample, at, dialect, &mut cells);
        // The sample may end within a record.
        let cut =
            record.next >= sample.len() && records > 0 && !sample.ends_with(&[dialect.ends.byte()]);
        let blank = sample[at..record.stop].trim_ascii().is_empty();
        // A quote that swallows the rest of the sample was none: the next line is looked at.
        let line = memchr::memchr(dialect.ends.byte(), &sample[at..])
            .map_or(sample.len(), |end| at + end + 1);
        let next = if record.unclosed { line } else { record.next };
        let start = std::mem::replace(&mut at, next);
        if blank || cut && !(record.unclosed && line < sample.len()) {
            continue;
        }
        records += 1;
        *widths.entry(if record.unclosed { 0 } else { cells.places.len() }).or_default() += 1;
        let broken = record.unescaped as f64 + if record.unclosed { 2.0 } else { 0.0 };
        for &cell in &cells.places {
            let place = cell.start as usize;
            let quoted = place > start
                && dialect
                    .quote
                    .is_some_and(|q| place > sample.len() || sample.get(place - 1) == Some(&q));
            meaning += meaning_of(cells.bytes(sample, cell), quoted, dialect);
        }
        meaning -= broken.min(cells.places.len() as f64);
        count += cells.places.len();
    }
    let total = records.max(1) as f64;
    let consistency: f64 =
        widths.iter().map(|(&width, &rows)| (rows as f64 / total).powi(2) * share_of(width)).sum();
    consistency * meaning.max(0.0) / count.max(1) as f64
}

/// More columns are better, and one column is hardly a table.
fn share_of(width: usize) -> f64 {
    if width < 2 { 0.02 } else { (width - 1) as f64 / width as f64 }
}

fn meaning_of(cell: &[u8], quoted: bool, dialect: &Dialect) -> f64 {
    let cell = trimmed(cell);
    if cell.is_empty() || quoted || is_marker(cell) || is_value(cell) {
        return 1.0;
    }
    let foreign = |byte: &u8| TELLING.contains(byte) && *byte != dialect.delimiter;
    let quotes = cell.iter().filter(|&&byte| byte == b'"').count();
    if cell.iter().any(foreign) || quotes > 0 {
        return 0.1;
    }
    let word = |byte: &u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.') || *byte >= 0x80
    };
    if cell.iter().all(word) { 0.95 } else { 0.8 }
}

/// Whether a text is a number, a day, a time or a truth value.
pub(super) fn is_value(cell: &[u8]) -> bool {
    float(split_unit(cell).1).is_some()
        || time(cell).is_some()
        || boolean(cell).is_some()
        || DateOrder::ALL.into_iter().any(|order| date(cell, order).is_some())
}

/// Whether nearly every delimiter between cells has a space behind it.
fn is_padded(sample: &[u8], dialect: &Dialect) -> bool {
    if dialect.delimiter == b' ' {
        return false;
    }
    let (mut cells, mut at, mut records) = (Cells::default(), 0, 0);
    let (mut all, mut spaced) = (0usize, 0usize);
    let plain = Dialect { padded: true, ..*dialect };
    while at < sample.len() && records < RECORDS {
        cells.clear();
        let record = split(sample, at, &plain, &mut cells);
        for &cell in cells.places.iter().skip(1) {
            let place = cell.start as usize;
            if place >= sample.len() || cell.start == cell.end {
                continue;
            }
            let open = dialect.quote.is_some_and(|q| sample[place - 1] == q);
            all += 1;
            spaced += usize::from(sample[place - 1 - usize::from(open && place > 1)] == b' ');
        }
        (at, records) = (record.next, records + 1);
    }
    all > 0 && spaced as f64 >= PADDED * all as f64
}
