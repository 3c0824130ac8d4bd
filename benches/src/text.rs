//! Seeded text tables: numbers, quoted texts among them, and rows with faults.

use fattail::stats::{Counter, unit};

/// The cells of a row.
pub type Cells = Vec<String>;
/// Writes a row in a way that it should not be written.
pub type Fault = fn(&[String]) -> String;

/// Faults of a cell or of a row, of which a repair is known.
pub const FAULTS: [Fault; 8] = [
    |row| with(row, PRICE, |cell| format!("\"{cell}")),
    |row| with(row, PRICE, |cell| format!("{cell} kg")),
    |row| with(row, PRICE, |_| "NaN".into()),
    |row| with(row, PRICE, |cell| format!("{cell}\0")),
    |row| with(row, PRICE, |cell| format!("\"{}\"", cell.replace('.', ","))),
    |row| row.join(",") + ",",
    |row| row.join(";"),
    |row| without_delimiter(row, PRICE),
];

/// Faults after which a row has too many cells or too few.
pub const RAGGED: [Fault; 4] = [
    |row| with(row, DAY, |cell| format!(",{cell}")),
    |row| with(row, REMARK, |cell| cell.trim_matches('"').into()),
    |row| without_delimiter(row, DAY),
    |row| [&row[..DAY], &row[DAY + 1..]].concat().join(","),
];

const DAY: usize = 1;
const REMARK: usize = 3;
const PRICE: usize = 4;

/// A row of 20 numbers: one that rises, seven of 0 to 4, twelve decimals.
#[must_use]
pub fn numbers(row: usize) -> Cells {
    let mut draw = draws(1, row);
    let bins: Vec<String> = (0..7).map(|_| below(&mut draw, 5).to_string()).collect();
    let decimals = (0..12).map(|_| decimal(&mut draw));
    [row.to_string()].into_iter().chain(bins).chain(decimals.collect::<Vec<_>>()).collect()
}

/// A row of a number, a day, a city, a quoted remark with a delimiter and quotes in it, and eight decimals.
#[must_use]
pub fn texts(row: usize) -> Cells {
    let mut draw = draws(2, row);
    let day = format!("2026-{:02}-{:02}", 1 + below(&mut draw, 12), 1 + below(&mut draw, 28));
    let city = ["Basel", "Bern", "Chur", "Genf", "Sitten"][below(&mut draw, 5)];
    let remark = format!("\"late, no {}, said \"\"{city}\"\"\"", below(&mut draw, 1000));
    let decimals: Vec<String> = (0..8).map(|_| decimal(&mut draw)).collect();
    [row.to_string(), day, city.into(), remark].into_iter().chain(decimals).collect()
}

/// Rows under a row of names, `bytes` and a little more; one in `every` has a fault, each in turn.
#[must_use]
pub fn table(bytes: usize, row: fn(usize) -> Cells, every: usize, faults: &[Fault]) -> Vec<u8> {
    let names: Vec<String> = (0..row(0).len()).map(|at| format!("column_{at}")).collect();
    let mut text = names.join(",") + "\n";
    for at in 0.. {
        let cells = row(at);
        let fault = (at % every == every - 1 && !faults.is_empty())
            .then(|| faults[at / every % faults.len()]);
        text += &fault.map_or_else(|| cells.join(","), |fault| fault(&cells));
        text.push('\n');
        if text.len() >= bytes {
            break;
        }
    }
    text.into_bytes()
}

fn draws(seed: u64, row: usize) -> impl FnMut() -> f64 {
    let mut generator = Counter::new(seed).draw(row as u32);
    move || unit(&mut generator)
}

fn below(draw: &mut impl FnMut() -> f64, count: usize) -> usize {
    (draw() * count as f64) as usize
}

/// Six to nine figures, with a sign.
fn decimal(draw: &mut impl FnMut() -> f64) -> String {
    format!("{:.5}", 2000.0 * draw() - 1000.0)
}

fn with(row: &[String], at: usize, change: impl Fn(&str) -> String) -> String {
    let mut row = row.to_vec();
    row[at] = change(&row[at]);
    row.join(",")
}

/// The cells at a place and behind it, one behind the other.
fn without_delimiter(row: &[String], at: usize) -> String {
    let both = row[at].clone() + &row[at + 1];
    [&row[..at], &[both], &row[at + 2..]].concat().join(",")
}

#[cfg(test)]
mod tests {
    use fattail::mend::{Known, Policy, Reader, detect};

    use super::*;

    #[test]
    fn every_fault_is_noted_and_clean_rows_are_not() {
        let clean = table(20_000, texts, 1, &[]);
        let layout = detect(&clean, &[], &Known::default()).unwrap();
        let (dialect, columns) = (&layout.dialect, &layout.columns[..]);
        let (policy, memory) = (Policy::repair(), usize::MAX);
        let reader = Reader { dialect, columns, policy, texts: false, memory };
        let read = |text: &[u8]| reader.read(text, layout.body..text.len(), true);
        assert!(read(&clean).notes.is_empty());
        for fault in FAULTS.iter().chain(&RAGGED) {
            let text = table(20_000, texts, 10, &[*fault]);
            let block = read(&text);
            let mut lines: Vec<u64> = block.notes.iter().map(|note| note.line).collect();
            lines.dedup();
            let expected: Vec<u64> = (0..block.read).filter(|row| row % 10 == 9).collect();
            assert_eq!(lines, expected);
        }
    }
}
