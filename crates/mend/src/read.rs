//! A stretch of text to columns: every record that begins in it, and nothing else.
//!
//! What a record becomes depends on its own bytes and at most twice [`MOST_BYTES`] behind its first one. So a
//! text can be cut anywhere and read in any order: where one stretch ends, the next begins.

use std::{collections::HashSet, ops::Range};

use crate::{
    align::Aligned,
    block::{Block, Note, Refused, shown},
    cells::{Cells, place},
    column::{Column, Kind},
    dialect::Dialect,
    fill::{Batch, Filler, Findings, RowPlace, Strange, empty, is_plain},
    ragged::{self, mend},
    rule::{Policy, Rule},
    scan::Scanner,
    split::{MOST_BYTES, Record, skip_padding, split, without_return},
};

/// Cells that are found before their values are read: they and their text stay in the cache.
const BATCH_CELLS: usize = 1 << 14;

/// Reads records of a table.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// How cells and records are parted.
    pub dialect: &'a Dialect,
    /// The columns.
    pub columns: &'a [Column],
    /// Which repairs may run.
    pub policy: Policy,
    /// Whether every column is read as text, whatever its kind.
    pub texts: bool,
    /// Bytes of memory that a block may take, about: reading ends behind the batch of rows that reaches it. Mostly empty
    /// cells and refused rows take many times what their text takes.
    pub memory: usize,
}

impl Reader<'_> {
    /// Reads the records of `text` that begin in `range`, which begins where a record does. `last` says
    /// that the text ends where the file does; if not, it has to hold twice [`MOST_BYTES`] behind the range.
    ///
    /// ```
    /// use fattail_mend::{Data, Known, Policy, Reader, Rule, detect};
    /// let clean = b"id,price\n1,2.5\n2,3.5\n3,4.25\n4,1.5\n";
    /// let layout = detect(clean, &[], &Known::default())?;
    /// let text = b"1,2.5\n2,\"3.5\n3,n/a\n4,\"1,5\"\n";
    /// let reader = Reader {
    ///     dialect: &layout.dialect,
    ///     columns: &layout.columns,
    ///     policy: Policy::repair(),
    ///     texts: false,
    ///     memory: usize::MAX,
    /// };
    /// let block = reader.read(text, 0..text.len(), true);
    /// assert_eq!((block.read, block.rows), (4, 4));
    /// assert_eq!(block.columns[1].data, Data::Floats(vec![2.5, 3.5, 0.0, 1.5]));
    /// assert_eq!(block.columns[1].missing, [2]);
    /// let rules: Vec<Rule> = block.notes.iter().map(|note| note.rule).collect();
    /// assert!(rules.contains(&Rule::MissingMarker) && rules.contains(&Rule::NumberMarks));
    /// # Ok::<(), fattail_mend::TooManyColumns>(())
    /// ```
    pub fn read(&self, text: &[u8], range: Range<usize>, last: bool) -> Block {
        self.read_on(text, range, last, false)
    }

    /// As [`Reader::read`], where the range begins within a row that is too long if `open`, as the block before
    /// told.
    pub fn read_on(&self, text: &[u8], range: Range<usize>, last: bool, open: bool) -> Block {
        let kind = |column: &Column| if self.texts { Kind::TEXT } else { column.kind };
        let columns = self.columns.iter().map(|column| empty(kind(column))).collect();
        let block = Block {
            columns,
            rows: 0,
            read: 0,
            skipped: 0,
            lines: 0,
            next: range.start,
            notes: Vec::new(),
            refused: Vec::new(),
            aside: Vec::new(),
            open,
            notes_memory: 0,
        };
        let quote = self.dialect.quote.unwrap_or(self.dialect.delimiter);
        let needles = [self.dialect.delimiter, self.dialect.ends.byte(), quote];
        Run {
            reader: self,
            text,
            limit: range.end,
            last,
            scanner: Scanner::new(text, needles, range.start),
            cells: Cells::default(),
            rows: Vec::new(),
            notes: Vec::new(),
            block,
        }
        .all()
    }
}

/// A stretch being read.
struct Run<'a> {
    reader: &'a Reader<'a>,
    text: &'a [u8],
    limit: usize,
    last: bool,
    scanner: Scanner<'a>,
    cells: Cells,
    /// The rows of the batch.
    rows: Vec<RowPlace>,
    /// Notes on the rows of the batch, by row.
    notes: Vec<(usize, Note)>,
    block: Block,
}

impl Run<'_> {
    fn all(mut self) -> Block {
        let width = self.reader.columns.len();
        let most = (BATCH_CELLS / width.max(1)).max(16);
        while self.block.next < self.limit {
            self.cells.clear();
            self.rows.clear();
            let start = self.block.next;
            let room = |run: &Self| run.rows.len() < most && run.notes.len() < most;
            while room(&self) && self.block.next < self.limit {
                if self.block.open {
                    self.tail();
                } else if !self.record() {
                    self.limit = self.block.next;
                }
            }
            self.fill(start);
            if self.block.memory() >= self.reader.memory {
                break;
            }
        }
        self.block
    }

    /// Finds the cells of the next record; false where the text ends within it and the file does not.
    fn record(&mut self) -> bool {
        let (at, first) = (self.block.next, self.cells.places.len());
        let (dialect, mut start) = (self.reader.dialect, self.block.next);
        loop {
            let Some(found) = self.scanner.next() else { return self.rest(at, start, first) };
            let byte = self.text[found];
            if byte == dialect.delimiter {
                self.cells.push(start, found);
                start = found + 1;
                if found - at > MOST_BYTES {
                    self.too_long(at, first);
                    return true;
                }
            } else if byte == dialect.ends.byte() {
                if found - at > MOST_BYTES {
                    self.too_long(at, first);
                    return true;
                }
                self.cells.push(start, without_return(self.text, start, found));
                self.block.next = found + 1;
                self.block.lines += 1;
                self.plain(at, first);
                return true;
            } else if found == skip_padding(self.text, start, dialect) {
                self.cells.places.truncate(first);
                self.quoted(at, first);
                return true;
            }
        }
    }

    /// The text ended before the record did.
    fn rest(&mut self, at: usize, start: usize, first: usize) -> bool {
        let end = self.text.len();
        if end - at > MOST_BYTES {
            self.too_long(at, first);
            return true;
        }
        if !self.last {
            self.cells.places.truncate(first);
            return false;
        }
        self.cells.push(start.min(end), without_return(self.text, start.min(end), end));
        self.block.next = end;
        self.block.lines += 1;
        self.plain(at, first);
        true
    }

    /// A record without quotes.
    fn plain(&mut self, at: usize, first: usize) {
        let width = self.reader.columns.len();
        if self.cells.places.len() - first == width && !(width == 1 && self.is_blank(at)) {
            if self.reader.dialect.padded {
                self.trim(first);
            }
            let line = self.block.lines - 1;
            match self.is_header(first) {
                true => self.skip(at, first, line, Rule::RepeatedHeader),
                false => self.accept(at, line),
            }
            return;
        }
        if self.is_blank(at) {
            return self.skip(at, first, self.block.lines - 1, Rule::BlankLine);
        }
        self.cells.places.truncate(first);
        let next = self.block.next;
        let record = Record { stop: next, next, unescaped: 0, unclosed: false, long: false };
        self.block.lines -= 1;
        self.ragged(at, record);
    }

    fn is_blank(&self, at: usize) -> bool {
        self.text[at..self.block.next].trim_ascii().is_empty()
    }

    fn trim(&mut self, first: usize) {
        for cell in &mut self.cells.places[first..] {
            while cell.start < cell.end && self.text[cell.start as usize] == b' ' {
                cell.start += 1;
            }
        }
    }

    /// A record in which a cell begins with a quote.
    fn quoted(&mut self, at: usize, first: usize) {
        let record = split(self.text, at, self.reader.dialect, &mut self.cells);
        let width = self.reader.columns.len();
        let clean = record.is_clean() && self.cells.places.len() - first == width;
        if clean && !swallows(self.text, at, record, self.reader) {
            let line = self.block.lines;
            self.go_on(at, record.next);
            match self.is_header(first) {
                true => self.skip(at, first, line, Rule::RepeatedHeader),
                false => self.accept(at, line),
            }
        } else {
            self.cells.places.truncate(first);
            self.ragged(at, record);
        }
    }

    /// The next record begins at `next`.
    fn go_on(&mut self, at: usize, next: usize) {
        let ends = self.reader.dialect.ends.byte();
        let lines = memchr::memchr_iter(ends, &self.text[at..next]).count();
        let open = next > at && self.text[next - 1] != ends;
        self.block.lines += lines as u64 + u64::from(open && next == self.text.len());
        self.block.next = next;
        self.scanner.seek(next);
    }

    fn ragged(&mut self, at: usize, record: Record) {
        let Reader { dialect, columns, policy, .. } = *self.reader;
        let line = self.block.lines;
        match mend(self.text, at, record, dialect, columns, policy) {
            Ok(mended) => {
                self.go_on(at, mended.next);
                let row = self.rows.len();
                for (rule, column) in mended.rules {
                    let (column, after) = self.change(&mended.cells, rule, column);
                    let before = shown(self.text[at..mended.next].trim_ascii_end());
                    let note = Note { line, offset: at as u64, column, rule, before, after };
                    self.notes.push((row, note));
                }
                ragged::push(&mended.cells, self.text.len(), &mut self.cells);
                self.accept(at, line);
            }
            Err(refusal) => {
                self.go_on(at, refusal.next);
                self.block.read += 1;
                self.block.open = refusal.rule == Rule::TooLong;
                self.refuse(at, line, refusal.next, refusal.rule);
            }
        }
    }

    /// The column that a rule is about and what stands there now: of rules about a whole row, all of it.
    fn change(
        &self,
        cells: &[Aligned],
        rule: Rule,
        column: usize,
    ) -> (Option<u32>, Option<String>) {
        let told = |cell: &Aligned| match cell {
            Aligned::Place(start, end) => shown(&self.text[*start..*end]),
            Aligned::Text(text) => shown(text),
            Aligned::Missing => String::new(),
        };
        if !matches!(rule, Rule::OtherDelimiter | Rule::Doubtful) {
            return (Some(place(column)), cells.get(column).map(told));
        }
        let cells: Vec<String> = cells.iter().map(told).collect();
        let delimiter = char::from(self.reader.dialect.delimiter).to_string();
        (None, Some(shown(cells.join(&delimiter).as_bytes())))
    }

    /// Takes a row that begins on a line.
    fn accept(&mut self, at: usize, line: u64) {
        let (start, next) = (place(at), place(self.block.next));
        self.rows.push(RowPlace { start, next, line: place(line as usize) });
        self.block.read += 1;
    }

    /// Whether the names of the columns stand there again.
    fn is_header(&self, first: usize) -> bool {
        let columns = self.reader.columns;
        let is = |at: usize| {
            let cell = self.cells.bytes(self.text, self.cells.places[first + at]);
            cell.trim_ascii() == columns[at].name.as_bytes()
        };
        columns.len() > 1 && is(0) && (1..columns.len()).all(is)
    }

    /// Leaves out a line that is no row, or refuses it where the policy has it be one.
    fn skip(&mut self, at: usize, first: usize, line: u64, rule: Rule) {
        self.cells.places.truncate(first);
        if !self.reader.policy.allows(rule) {
            self.block.read += 1;
            return self.refuse(at, line, self.block.next, rule);
        }
        self.block.skipped += 1;
        let note = Note::whole(rule, line, at as u64, &self.text[at..self.block.next]);
        self.notes.push((self.rows.len(), note));
    }

    fn too_long(&mut self, at: usize, first: usize) {
        self.cells.places.truncate(first);
        let next = at + MOST_BYTES;
        let before = self.block.lines;
        self.go_on(at, next);
        self.block.read += 1;
        self.block.open = true;
        self.refuse(at, before, next, Rule::TooLong);
    }

    /// Sets aside what follows of a row that is too long, up to its end or piece by piece.
    fn tail(&mut self) {
        let at = self.block.next;
        let window = self.text.len().min(at + MOST_BYTES);
        let end = memchr::memchr(self.reader.dialect.ends.byte(), &self.text[at..window]);
        let over = self.last && window == self.text.len();
        self.block.open = end.is_none() && !over;
        self.block.lines += u64::from(!self.block.open);
        self.block.next = end.map_or(window, |end| at + end + 1);
        self.block.aside.push(at..self.block.next);
        self.scanner.seek(self.block.next);
    }

    fn refuse(&mut self, start: usize, line: u64, next: usize, rule: Rule) {
        self.block.refused.push(Refused { line, start, next, rule });
        self.block.aside.push(start..next);
        let note = Note::whole(rule, line, start as u64, &self.text[start..next]);
        self.notes.push((self.rows.len(), note));
    }

    /// Reads the values of the batch, whose text begins at `start`.
    fn fill(&mut self, start: usize) {
        let texts =
            self.reader.texts || self.reader.columns.iter().any(|column| column.kind.is_text());
        let batch = Batch {
            text: self.text,
            cells: &self.cells,
            rows: &self.rows,
            width: self.reader.columns.len(),
            plain: texts && is_plain(&self.text[start..self.block.next]),
        };
        let mut findings = Findings::default();
        let from = self.block.rows;
        for (at, (column, filled)) in
            self.reader.columns.iter().zip(&mut self.block.columns).enumerate()
        {
            let Reader { policy, texts, .. } = *self.reader;
            let (known, findings) = (!texts, &mut findings);
            Filler { batch: &batch, at, column, policy, known, findings }.fill(filled);
        }
        no_rows(&batch, self.reader, &mut findings);
        self.block.rows += self.rows.len();
        self.settle(from, findings);
    }

    /// Takes refused rows out again, and puts the notes in order.
    fn settle(&mut self, from: usize, findings: Findings) {
        let mut notes = std::mem::take(&mut self.notes);
        notes.extend(findings.notes);
        let gone = self.take_out(from, findings.refused, &mut notes);
        // Misfits of refused rows tell as well that a column is none of its kind.
        let tells = |(row, _, what): &&(usize, usize, Strange)| {
            *what == Strange::Misfit || !gone.contains(row)
        };
        for (_, column, what) in findings.seen.iter().filter(tells) {
            what.count(&mut self.block.columns[*column].seen);
        }
        notes.sort_by_key(|(_, note)| (note.offset, note.column, note.rule));
        notes.into_iter().for_each(|(_, note)| self.block.add(note));
    }

    /// Takes rows out that are refused, each with its reason; answers which.
    fn take_out(
        &mut self,
        from: usize,
        mut refused: Vec<(usize, Rule)>,
        notes: &mut Vec<(usize, Note)>,
    ) -> HashSet<usize> {
        refused.sort_by_key(|(row, rule)| (*row, *rule != Rule::NotARow));
        refused.dedup_by_key(|(row, _)| *row);
        let gone: HashSet<usize> = refused.iter().map(|(row, _)| *row).collect();
        if gone.is_empty() {
            return gone;
        }
        // What a refused row needed besides does not matter any more.
        let starts: HashSet<u64> = gone.iter().map(|&row| self.rows[row].start.into()).collect();
        notes.retain(|(_, note)| !starts.contains(&note.offset));
        for (row, rule) in refused {
            let RowPlace { start, next, line } = self.rows[row];
            let (start, next, line) = (start as usize, next as usize, u64::from(line));
            self.block.refused.push(Refused { line, start, next, rule });
            self.block.aside.push(start..next);
            notes.push((row, Note::whole(rule, line, start as u64, &self.text[start..next])));
        }
        let keep: Vec<bool> = (0..self.rows.len()).map(|row| !gone.contains(&row)).collect();
        for filled in &mut self.block.columns {
            filled.retain(from, &keep);
        }
        self.block.rows = from + keep.len() - gone.len();
        self.block.refused.sort_by_key(|refused| refused.start);
        self.block.aside.sort_by_key(|range| range.start);
        gone
    }
}

/// Whether a quoted cell holds a whole row: its quote was never meant to open. Rows are known by columns
/// that tell, by two of them at least.
fn swallows(text: &[u8], at: usize, record: Record, reader: &Reader<'_>) -> bool {
    let Reader { dialect, columns, .. } = reader;
    let inner = memchr::memchr(dialect.ends.byte(), &text[at..record.stop]);
    let Some(second) = inner.map(|end| at + end + 1) else { return false };
    // A line with less than a row was not meant to end there.
    let delimiters = memchr::memchr_iter(dialect.delimiter, &text[at..second]).count();
    let mut cells = Cells::default();
    let row = split(text, second, dialect, &mut cells);
    if delimiters + 1 < columns.len() || !row.is_clean() || cells.places.len() != columns.len() {
        return false;
    }
    let telling = columns.iter().zip(&cells.places).filter(|(column, _)| column.is_telling());
    let strange =
        telling.map(|(column, &cell)| column.strangeness(cells.bytes(text, cell).trim_ascii()));
    let (count, strange) =
        strange.fold((0, 0.0), |(count, sum), strange| (count + 1, sum + strange));
    count > 1 && strange < 0.5 * count as f32
}

/// Refuses rows with misfits none of whose cells is a value of its column, which are notes below the table, and
/// such as are rows with another delimiter.
fn no_rows(batch: &Batch<'_>, reader: &Reader<'_>, findings: &mut Findings) {
    let Reader { dialect, columns, policy, .. } = *reader;
    let misfits = findings.seen.iter().filter(|(_, _, what)| *what == Strange::Misfit);
    let mut rows: Vec<usize> = misfits.map(|(row, ..)| *row).collect();
    rows.sort_unstable();
    for rows in rows.chunk_by(|a, b| a == b) {
        let row = rows[0];
        let value = |(at, column): (usize, &Column)| {
            let cell = batch.cell(row, at).trim_ascii();
            !column.kind.is_text() && column.kind.read(cell).is_some()
        };
        let filled = (0..columns.len()).filter(|&at| !batch.cell(row, at).trim_ascii().is_empty());
        let alone = columns.len() > 1 && filled.count() == 1;
        let several = rows.len() > 1;
        let RowPlace { start, next, .. } = batch.rows[row];
        let span = (start as usize, next as usize);
        if !columns.iter().enumerate().any(value) && (alone || several) {
            findings.refused.push((row, Rule::NotARow));
        } else if several
            && !policy.allows(Rule::Doubtful)
            && ragged::is_of_another(batch.text, span, dialect, columns)
        {
            findings.refused.push((row, Rule::Doubtful));
        }
    }
}
