//! Laws of reading: where a text is cut does not matter, and nothing is lost.

use fattail_mend::{Block, Column, Dialect, Ends, Escape, Kind, NumberForm, Policy, Reader};
use proptest::prelude::*;

fn columns(width: usize) -> Vec<Column> {
    let kinds = [
        Kind::Integer { form: NumberForm::default(), wide: false },
        Kind::TEXT,
        Kind::Float { form: NumberForm::default() },
    ];
    (0..width).map(|at| Column::new(format!("c{at}"), kinds[at % 3])).collect()
}

fn dialects() -> impl Strategy<Value = Dialect> {
    (
        prop_oneof![Just(b','), Just(b';'), Just(b' ')],
        any::<bool>(),
        prop_oneof![Just(None), Just(Some(b'"'))],
        prop_oneof![Just(Escape::Doubled), Just(Escape::Backslash)],
        prop_oneof![Just(Ends::LineFeed), Just(Ends::CarriageReturn)],
    )
        .prop_map(|(delimiter, padded, quote, escape, ends)| Dialect {
            delimiter,
            padded: padded && delimiter != b' ',
            quote,
            escape,
            ends,
        })
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    let telling = proptest::sample::select(b",,,;\"\"\\\r\n\n\n \x000123.7ab\xff".to_vec());
    proptest::collection::vec(prop_oneof![19 => telling, 1 => any::<u8>()], 0..600)
}

/// What blocks say together.
fn told(blocks: &[Block]) -> Vec<String> {
    let mut told = Vec::new();
    let mut lines = 0;
    for block in blocks {
        for row in 0..block.rows {
            let cells =
                block.columns.iter().map(|column| match column.missing.contains(&(row as u32)) {
                    true => "-".to_owned(),
                    false => match column.data.text(row) {
                        Some(text) => String::from_utf8_lossy(text).into_owned(),
                        None => format!("{:?}", value(column, row)),
                    },
                });
            told.push(cells.collect::<Vec<_>>().join("|"));
        }
        for note in &block.notes {
            told.push(format!(
                "{} {} {:?} {:?}",
                lines + note.line,
                note.offset,
                note.column,
                note
            ));
        }
        for refused in &block.refused {
            told.push(format!("{} {}..{}", lines + refused.line, refused.start, refused.next));
        }
        lines += block.lines;
    }
    told.iter_mut()
        .for_each(|line| *line = line.split("Note {").next().unwrap_or_default().to_owned());
    told.sort();
    told
}

fn value(column: &fattail_mend::Filled, row: usize) -> f64 {
    match &column.data {
        fattail_mend::Data::Narrow(values) => f64::from(values[row]),
        fattail_mend::Data::Floats(values) => values[row],
        other => panic!("{other:?} holds no number"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn where_a_text_is_cut_does_not_matter(
        text in text(),
        dialect in dialects(),
        width in 1usize..6,
        cuts in proptest::collection::vec(0usize..600, 0..6),
        policy in 0usize..3,
    ) {
        let columns = columns(width);
        let policy = [Policy::strict(), Policy::repair(), Policy::lenient()][policy];
        let reader = Reader { dialect: &dialect, columns: &columns, policy, texts: false, memory: usize::MAX };
        let whole = reader.read(&text, 0..text.len(), true);
        prop_assert_eq!(whole.read, whole.rows as u64 + whole.refused.len() as u64);
        prop_assert_eq!(whole.next, text.len());
        for column in &whole.columns {
            prop_assert_eq!(column.data.len(), whole.rows);
        }
        let ends = memchr::memchr_iter(dialect.ends.byte(), &text).count() as u64;
        let open = text.last().is_some_and(|&last| last != dialect.ends.byte());
        prop_assert_eq!(whole.lines, ends + u64::from(open));

        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
        cuts.push(text.len());
        cuts.sort_unstable();
        let (mut blocks, mut start) = (Vec::new(), 0);
        for cut in cuts {
            let block = reader.read(&text, start..cut.max(start), true);
            start = block.next;
            blocks.push(block);
        }
        prop_assert_eq!(told(&blocks), told(&[whole]));
    }
}

/// Records about as long as they may be, and longer.
#[test]
fn long_records_are_set_aside_whole() {
    let dialect = Dialect::default();
    let columns = columns(3);
    let reader = Reader {
        dialect: &dialect,
        columns: &columns,
        policy: Policy::repair(),
        memory: usize::MAX,
        texts: false,
    };
    let long = |byte: u8| vec![byte; 5 << 19];
    for record in [
        [&b"1,\""[..], &long(b'x'), b"\",2.5"].concat(),
        [&b"1,"[..], &long(b'x'), b",2.5"].concat(),
        long(b'"'),
        long(b','),
        [&b"1,\"a\","[..], &long(b'b')].concat(),
    ] {
        let text = [&b"7,a,0.5\n"[..], &record, b"\n8,b,1.5\n"].concat();
        let whole = reader.read(&text, 0..text.len(), true);
        assert_eq!((whole.read, whole.rows, whole.lines, whole.open), (3, 2, 3, false));
        let aside: Vec<u8> =
            whole.aside.iter().flat_map(|range| &text[range.clone()]).copied().collect();
        assert_eq!(aside.len(), record.len() + 1);
        // Cut within the record, the rest is still a part of it.
        let first = reader.read(&text, 0..100, true);
        assert!(first.open);
        let second = reader.read_on(&text, first.next..text.len(), true, first.open);
        assert_eq!((second.read, second.rows, second.lines), (1, 1, 1 + 1));
    }
}

/// Rows that take many times what their text takes are read in pieces, and the pieces are what the whole is.
#[test]
fn a_block_takes_so_much_memory_and_no_more() {
    let dialect = Dialect::default();
    let columns = columns(3);
    let policy = Policy::repair();
    let whole =
        Reader { dialect: &dialect, columns: &columns, policy, texts: false, memory: usize::MAX };
    let pieces = Reader { memory: 100_000, ..whole };
    for line in ["x\n", "\n", ",,\n", "1,a,2\nx\n"] {
        let text = line.repeat(40_000).into_bytes();
        let (mut blocks, mut start) = (Vec::new(), 0);
        while start < text.len() {
            let block = pieces.read(&text, start..text.len(), true);
            assert!(block.next > start && block.read + block.skipped < 20_000, "{line}");
            start = block.next;
            blocks.push(block);
        }
        let whole = whole.read(&text, 0..text.len(), true);
        assert_eq!(told(&blocks), told(&[whole]), "{line}");
    }
}

/// Quotes that are doubled behind one that is not, in every line: none of them was meant to open a cell.
#[test]
fn lines_of_quotes_do_not_swallow_each_other() {
    let text = "\"\"a\n".repeat(1 << 17).into_bytes();
    let layout =
        fattail_mend::detect(&text[..1 << 16], &[], &fattail_mend::Known::default()).unwrap();
    let (dialect, columns) = (Dialect { quote: Some(b'"'), ..layout.dialect }, columns(3));
    let policy = Policy::repair();
    let reader =
        Reader { dialect: &dialect, columns: &columns, policy, texts: false, memory: usize::MAX };
    let block = reader.read(&text, 0..text.len(), true);
    assert_eq!((block.read, block.next), (1 << 17, text.len()));
}
