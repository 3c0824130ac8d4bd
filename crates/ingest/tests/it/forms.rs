//! The same table in every form is the same table.

use std::io::Write;

use fattail_ingest::{Codec, Compression, Ingest, Rule};
use proptest::prelude::*;

use crate::{
    files::{Case, ingest, rows, types},
    pollute::{NAMES, Row, clean, quoted},
};

/// How the table is written.
#[derive(Debug, Clone)]
struct Form {
    delimiter: char,
    end: &'static str,
    quote_all: bool,
    header: bool,
    preamble: usize,
    last_end: bool,
    comma: bool,
}

fn text(rows: &[Row], form: &Form) -> String {
    let mut text = "Export of the shop\n\n"
        .lines()
        .take(form.preamble)
        .map(|line| format!("{line}{}", form.end))
        .collect::<String>();
    let cell = |cell: &str| match form.quote_all {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => quoted(cell, form.delimiter),
    };
    let mut lines = Vec::new();
    let line = |cells: &[String]| {
        cells.iter().map(|c| cell(c)).collect::<Vec<_>>().join(&form.delimiter.to_string())
    };
    if form.header {
        lines.push(line(&NAMES.map(str::to_owned)));
    }
    for row in rows {
        let mut row = row.clone();
        if form.comma {
            row[2] = row[2].replace('.', ",");
        }
        lines.push(line(&row));
    }
    text.push_str(&lines.join(form.end));
    if form.last_end {
        text.push_str(form.end);
    }
    text
}

fn plain() -> Form {
    Form {
        delimiter: ',',
        end: "\n",
        quote_all: false,
        header: true,
        preamble: 0,
        last_end: true,
        comma: false,
    }
}

fn forms() -> impl Strategy<Value = Form> {
    let delimiter = prop_oneof![Just(','), Just(';'), Just('\t'), Just('|')];
    let end = prop_oneof![Just("\n"), Just("\r\n"), Just("\r")];
    (delimiter, end, any::<bool>(), any::<bool>(), 0usize..3, any::<bool>(), any::<bool>())
        .prop_map(|(delimiter, end, quote_all, header, preamble, last_end, comma)| Form {
            delimiter,
            end,
            quote_all,
            header,
            preamble,
            last_end,
            comma,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn delimiters_quotes_ends_names_and_marks(seed in 0u64..1 << 32, form in forms()) {
        let table = clean(seed, 200);
        let expected = ingest(text(&table, &plain()), &Ingest::default());
        let expected_rows = rows(&expected.table);
        let case = Case::new(text(&table, &form));
        let summary = case.run(&Ingest::default());
        prop_assert_eq!(summary.counts.quarantined, 0);
        prop_assert_eq!(summary.dialect.delimiter, form.delimiter as u8);
        prop_assert_eq!(summary.header, usize::from(form.header));
        prop_assert_eq!(summary.preamble, form.preamble);
        prop_assert_eq!(rows(&summary.table), expected_rows);
        let mended = summary.counts.rules.keys().any(|rule| *rule != Rule::Preamble);
        prop_assert!(!mended, "{:?}", summary.counts.rules);
        // What stands above the table is set aside as it was.
        let above: String = text(&[], &Form { header: false, ..form.clone() });
        let aside = String::from_utf8(std::fs::read(&summary.quarantine).unwrap()).unwrap();
        prop_assert_eq!(aside.trim_end(), above.trim_end());
    }
}

#[test]
fn types_are_narrow_and_told_to_other_readers() {
    let summary = ingest(text(&clean(1, 300), &plain()), &Ingest::default());
    let told: Vec<_> =
        types(&summary.table).into_iter().map(|(name, kind)| format!("{name}: {kind}")).collect();
    let dictionary = "Dictionary(Int32, Utf8)";
    let expected = [
        "day: Date32".to_owned(),
        "count: Int8".to_owned(),
        "price: Float64".to_owned(),
        "code: Utf8".to_owned(),
        format!("name: {dictionary}"),
        "flag: Boolean".to_owned(),
        format!("remark: {dictionary}"),
    ];
    assert_eq!(told, expected);
}

#[test]
fn encodings_and_compression_by_content() {
    let plain = text(&clean(2, 300), &plain()).replace("Boots", "Stiefel für Köln");
    let expected = rows(&ingest(&plain, &Ingest::default()).table);
    let latin: Vec<u8> = plain.chars().map(|letter| u8::try_from(letter).unwrap()).collect();
    let marked = [b"\xef\xbb\xbf", plain.as_bytes()].concat();
    let wide: Vec<u8> = plain.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked_wide: Vec<u8> =
        [0xfeff].into_iter().chain(plain.encode_utf16()).flat_map(u16::to_be_bytes).collect();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(plain.as_bytes()).unwrap();
    let zstd = zstd::encode_all(plain.as_bytes(), 1).unwrap();
    for (bytes, encoding, compression) in [
        (marked, "UTF-8", Compression::None),
        (latin, "windows-1252", Compression::None),
        (wide, "UTF-16LE", Compression::None),
        (marked_wide, "UTF-16BE", Compression::None),
        (gzip.finish().unwrap(), "UTF-8", Compression::Gzip),
        (zstd, "UTF-8", Compression::Zstd),
    ] {
        let summary = ingest(bytes, &Ingest::default());
        assert_eq!((summary.encoding.as_str(), summary.compression), (encoding, compression));
        assert_eq!(rows(&summary.table), expected, "{encoding} {compression:?}");
    }
}

#[test]
fn padded_delimiters_other_quotes_and_backslashes() {
    let table =
        "id, name, price\n1, 'Boots, high', 2.5\n2, 'Men''s', 3.5\n3, Rod, 4.25\n4, 'a, b', 1.5\n";
    let summary = ingest(table, &Ingest::default());
    assert!(summary.dialect.padded && summary.dialect.quote == Some(b'\''));
    assert_eq!(rows(&summary.table)[1], ["2", "Men's", "3.5"]);

    let table =
        "id,name\n1,\"Rod 8\\\" long, strong\"\n2,\"plain\"\n3,\"a \\\"b\\\" c, d\"\n4,\"x\"\n";
    let summary = ingest(table, &Ingest::default());
    assert_eq!(rows(&summary.table)[2][1], "a \"b\" c, d");
    assert!(summary.counts.rules.is_empty(), "{:?}", summary.counts.rules);
}

#[test]
fn names_that_come_twice_or_not_at_all() {
    let summary = ingest("a,,a,price\n1,2,3,4.5\n2,3,4,5.5\n", &Ingest::default());
    let names: Vec<_> = types(&summary.table).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["a", "column_2", "a_2", "price"]);
}

#[test]
fn an_empty_file_names_alone_and_one_row() {
    let empty = ingest("", &Ingest::default());
    assert_eq!((empty.counts.read, rows(&empty.table).len()), (0, 0));
    let names = ingest("id,day\n", &Ingest::default());
    assert_eq!((names.header, names.counts.read), (1, 0));
    assert_eq!(types(&names.table).len(), 2);
    let one = ingest("id,day\n1,2026-01-01", &Ingest::default());
    assert_eq!(rows(&one.table), [["1", "2026-01-01"]]);
}

#[test]
fn every_codec_holds_the_same_table() {
    let case = Case::new(text(&clean(4, 200), &plain()));
    let told = [Codec::None, Codec::Snappy, Codec::Zstd]
        .map(|codec| rows(&case.run(&Ingest { codec, ..Ingest::default() }).table));
    assert!(told[0] == told[1] && told[1] == told[2]);
}

#[test]
fn a_column_that_turns_out_wider_is_read_again() {
    let mut text = String::from("id,size,day\n");
    for row in 0..200_000 {
        let size = if row == 190_000 { "2.5".into() } else { row.to_string() };
        let day = if row == 195_000 { "2026-01-01 10:30" } else { "2026-01-01" };
        text.push_str(&format!("{row},{size},{day}\n"));
    }
    let summary = ingest(text, &Ingest::default());
    assert!(summary.widened.contains(&"size".to_owned()), "{:?}", summary.widened);
    let after = rows(&summary.table);
    assert_eq!(after[190_000][1], "2.5");
    assert!(after[195_000][2].contains("10:30"), "{:?}", after[195_000]);
    assert_eq!(summary.counts.written, 200_000);
}
