//! A clean table, and the same with one fault a row: a generator of broken files, seeded.

use fattail_mend::Rule;

/// A small generator (G. Marsaglia, Xorshift RNGs, 2003), enough to choose rows and values.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }
}

pub(crate) const NAMES: [&str; 7] = ["day", "count", "price", "code", "name", "flag", "remark"];

/// A row, cell by cell: a day, a whole number, a price, a code, a name with commas and quotes now and then,
/// true or false, and a remark that is mostly empty.
pub(crate) type Row = [String; 7];

pub(crate) fn clean(seed: u64, rows: usize) -> Vec<Row> {
    let mut dice = Dice::new(seed);
    let mut row = |_| {
        let name =
            ["Boots", "Boots, waterproof", "Rod 8\" long", "Jacke für Köln", "Pillow, \"wooden\""];
        let (day, month) = (1 + dice.roll(28), 1 + dice.roll(12));
        [
            format!("{day:02}/{month:02}/20{:02}", 10 + dice.roll(16)),
            dice.roll(90).to_string(),
            format!("{}.{:02}", 10 + dice.roll(90), 1 + dice.roll(99)),
            format!("MG-{:04}", dice.roll(10_000)),
            name[dice.roll(5) as usize].to_owned(),
            ["true", "false"][dice.roll(2) as usize].to_owned(),
            if dice.roll(4) == 0 { "checked".to_owned() } else { String::new() },
        ]
    };
    (0..rows).map(&mut row).collect()
}

/// A cell as RFC 4180 has it.
pub(crate) fn quoted(cell: &str, delimiter: char) -> String {
    match cell.contains([delimiter, '"', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.to_owned(),
    }
}

pub(crate) fn line(row: &Row, delimiter: char) -> String {
    let cells: Vec<String> = row.iter().map(|cell| quoted(cell, delimiter)).collect();
    cells.join(&delimiter.to_string())
}

/// What becomes of a broken row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fate {
    /// It is read as it was before it was broken.
    Same,
    /// One cell is missing.
    Missing(usize),
    /// One cell is another text.
    Text(usize, String),
    /// It is set aside.
    SetAside,
    /// A line before it is left out.
    Besides,
}

/// The faults, each with the rule that mends it and the line that it makes of a row.
pub(crate) const FAULTS: &[(&str, Rule)] = &[
    ("null byte", Rule::NullByte),
    ("control character", Rule::ControlCharacter),
    ("invalid sequence", Rule::InvalidSequence),
    ("marker", Rule::MissingMarker),
    ("homoglyph", Rule::HomoglyphMarker),
    ("word", Rule::Misfit),
    ("unit", Rule::Unit),
    ("marks", Rule::NumberMarks),
    ("stray quote", Rule::UnclosedQuote),
    ("quoted number", Rule::StrayQuote),
    ("unescaped quote", Rule::UnescapedQuote),
    ("extra delimiter", Rule::ExtraDelimiter),
    ("trailing delimiter", Rule::TrailingDelimiter),
    ("lost delimiter", Rule::LostDelimiter),
    ("too few", Rule::TooFewCells),
    ("other delimiter", Rule::OtherDelimiter),
    ("split text", Rule::SplitText),
    ("date order", Rule::DateOrder),
    ("repeated names", Rule::RepeatedHeader),
    ("blank line", Rule::BlankLine),
    ("junk", Rule::Ragged),
    ("note", Rule::NotARow),
];

/// Breaks a row; the line has no end.
pub(crate) fn broken(row: &Row, fault: Rule, delimiter: char) -> (Vec<u8>, Fate) {
    let with = |at: usize, cell: &str| {
        let mut cells: Vec<String> = row.iter().map(|cell| quoted(cell, delimiter)).collect();
        cells[at] = cell.to_owned();
        cells
    };
    let join = |cells: Vec<String>| cells.join(&delimiter.to_string()).into_bytes();
    let price = &row[2];
    match fault {
        Rule::NullByte => (join(with(2, &format!("{}\0{}", &price[..1], &price[1..]))), Fate::Same),
        Rule::ControlCharacter => (join(with(3, &format!("MG\u{7}{}", &row[3][2..]))), Fate::Same),
        Rule::InvalidSequence => {
            let mut line = join(with(6, "Z?rich"));
            let at = line.iter().rposition(|&byte| byte == b'?').expect("it was put there");
            line[at] = 0xfc;
            (line, Fate::Text(6, "Zürich".into()))
        }
        Rule::MissingMarker => (join(with(2, "NaN")), Fate::Missing(2)),
        Rule::HomoglyphMarker => (join(with(2, "NУLL")), Fate::Missing(2)),
        Rule::Misfit => (join(with(2, "not known yet")), Fate::Missing(2)),
        Rule::Unit => (join(with(2, &format!("{price} kg"))), Fate::Same),
        Rule::NumberMarks => {
            (join(with(2, &quoted(&price.replace('.', ","), delimiter))), Fate::Same)
        }
        Rule::UnclosedQuote => (join(with(2, &format!("\"{price}"))), Fate::Same),
        Rule::StrayQuote => (join(with(2, &format!("{price}\""))), Fate::Same),
        Rule::UnescapedQuote => {
            let cells = with(4, &format!("\"a {delimiter}\"bold\" one\""));
            (join(cells), Fate::Text(4, format!("a {delimiter}\"bold\" one")))
        }
        Rule::ExtraDelimiter => (join(with(2, &format!("{delimiter}{price}"))), Fate::Same),
        Rule::TrailingDelimiter => {
            let mut line = join(with(2, price));
            line.push(delimiter as u8);
            (line, Fate::Same)
        }
        Rule::LostDelimiter => {
            let mut cells = with(0, &format!("{}{}", row[0], row[1]));
            cells.remove(1);
            (join(cells), Fate::Same)
        }
        Rule::TooFewCells => {
            let mut cells = with(2, price);
            cells.pop();
            let fate = if row[6].is_empty() { Fate::Same } else { Fate::Missing(6) };
            (join(cells), fate)
        }
        Rule::OtherDelimiter => {
            let other = if delimiter == '|' { ';' } else { '|' };
            (line(row, other).into_bytes(), Fate::Same)
        }
        Rule::SplitText => {
            let text = format!("red{delimiter} green and blue");
            (join(with(4, &text)), Fate::Text(4, text))
        }
        Rule::DateOrder => {
            let date = format!("{}-{}-{}", &row[0][6..], &row[0][3..5], &row[0][..2]);
            (join(with(0, &date)), Fate::Same)
        }
        Rule::RepeatedHeader => {
            let names = NAMES.join(&delimiter.to_string());
            (format!("{names}\n{}", line(row, delimiter)).into_bytes(), Fate::Besides)
        }
        Rule::BlankLine => (format!("\n{}", line(row, delimiter)).into_bytes(), Fate::Besides),
        Rule::Ragged => (b"### 17 rows follow ###".to_vec(), Fate::SetAside),
        Rule::NotARow => (
            join(["see", "the", "notes", "below", "", "", ""].map(Into::into).to_vec()),
            Fate::SetAside,
        ),
        rule => unreachable!("{rule} breaks no row"),
    }
}

/// A table with faults: the text, and of each broken row its place, the rule and its fate.
pub(crate) struct Polluted {
    pub(crate) text: Vec<u8>,
    pub(crate) broken: Vec<(usize, Rule, Fate)>,
    /// The line of each broken row, counted from 1.
    pub(crate) lines: Vec<u64>,
}

/// Breaks about one row in `every`, with each fault in turn.
pub(crate) fn polluted(
    seed: u64,
    rows: &[Row],
    every: u64,
    delimiter: char,
    end: &str,
) -> Polluted {
    let mut dice = Dice::new(seed ^ 0x5eed);
    let mut text = NAMES.join(&delimiter.to_string()).into_bytes();
    text.extend_from_slice(end.as_bytes());
    let (mut broken_rows, mut lines, mut line_number) = (Vec::new(), Vec::new(), 1);
    let mut next = dice.roll(FAULTS.len() as u64) as usize;
    for (at, row) in rows.iter().enumerate() {
        // The first rows tell the layout, and what is no row behind the last one is a footer.
        if at >= 40 && at + 1 < rows.len() && dice.roll(every) == 0 {
            let rule = FAULTS[next % FAULTS.len()].1;
            next += 1;
            let (line, fate) = broken(row, rule, delimiter);
            lines.push(line_number + 1);
            line_number += line.iter().filter(|&&byte| byte == b'\n').count() as u64;
            text.extend_from_slice(&line);
            broken_rows.push((at, rule, fate));
        } else {
            text.extend_from_slice(line(row, delimiter).as_bytes());
        }
        text.extend_from_slice(end.as_bytes());
        line_number += 1;
    }
    Polluted { text, broken: broken_rows, lines }
}
