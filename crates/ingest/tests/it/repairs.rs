//! Laws: whatever is broken, the table is the clean one, but for what the fault itself took away; every
//! fault is named; counts add up; strictness only sets aside.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicU64, Ordering},
};

use fattail_core::{Progress, silent};
use fattail_ingest::{Ingest, Policy, Rule, Schema};
use fattail_mend::Known;
use proptest::prelude::*;

use crate::{
    files::{Case, rows},
    flow::{bytes, killed},
    pollute::{FAULTS, Fate, Row, clean, polluted},
};

/// A clean row as the table tells it.
fn told(row: &Row) -> Vec<String> {
    let date = &row[0];
    let day = format!("{}-{}-{}", &date[6..], &date[3..5], &date[..2]);
    let price: f64 = row[2].parse().unwrap();
    let or_null = |text: &str| if text.is_empty() { "<null>".to_owned() } else { text.to_owned() };
    let price = format!("{price:?}");
    vec![
        day,
        row[1].clone(),
        price,
        row[3].clone(),
        row[4].clone(),
        row[5].clone(),
        or_null(&row[6]),
    ]
}

/// What the table holds after the faults.
fn expected(rows: &[Row], broken: &[(usize, Rule, Fate)]) -> Vec<Vec<String>> {
    let fates: HashMap<usize, &Fate> = broken.iter().map(|(at, _, fate)| (*at, fate)).collect();
    let mut expected = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let mut cells = told(row);
        match fates.get(&at) {
            Some(Fate::SetAside) => continue,
            Some(Fate::Missing(column)) => cells[*column] = "<null>".into(),
            Some(Fate::Text(column, text)) => cells[*column].clone_from(text),
            Some(Fate::Same | Fate::Besides) | None => {}
        }
        expected.push(cells);
    }
    expected
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn what_was_broken_is_whole_again(
        seed in 0u64..1 << 32,
        delimiter in prop_oneof![Just(','), Just(';'), Just('\t'), Just('|')],
        end in prop_oneof![Just("\n"), Just("\r\n")],
    ) {
        let rows_before = clean(seed, 600);
        let polluted = polluted(seed, &rows_before, 12, delimiter, end);
        let case = Case::new(&polluted.text);
        let summary = case.run(&Ingest::default());
        let counts = &summary.counts;
        prop_assert_eq!(counts.read, counts.written + counts.quarantined);
        let aside = polluted.broken.iter().filter(|(_, _, fate)| *fate == Fate::SetAside).count() as u64;
        let log = rows(&summary.repairs);
        let refused = log.iter().filter(|note| note[2] == "<null>" && !["repeated_header", "blank_line"].contains(&note[3].as_str()));
        prop_assert_eq!(counts.quarantined, aside, "{:?}", refused.collect::<Vec<_>>());

        let after = rows(&summary.table);
        let expected = expected(&rows_before, &polluted.broken);
        for (at, (found, expected)) in after.iter().zip(&expected).enumerate() {
            prop_assert_eq!(found, expected, "row {}, broken: {:?}", at, polluted.broken);
        }
        prop_assert_eq!(after.len(), expected.len());

        // Every fault is in the log on its line, by its rule.
        for ((_, rule, _), line) in polluted.broken.iter().zip(&polluted.lines) {
            let named = log.iter().any(|note| note[0] == line.to_string() && note[3] == rule.name());
            prop_assert!(named, "{} on line {} is not in the log", rule, line);
        }
        // Nothing else is on lines without faults.
        for note in &log {
            let line: u64 = note[0].parse().unwrap();
            prop_assert!(polluted.lines.contains(&line), "{note:?}");
        }
    }

    #[test]
    fn strict_sets_aside_what_repair_mends(seed in 0u64..1 << 32) {
        let rows_before = clean(seed, 300);
        let polluted = polluted(seed, &rows_before, 16, ',', "\n");
        let case = Case::new(&polluted.text);
        let strict = case.run(&Ingest { policy: Policy::strict(), ..Ingest::default() });
        let broken = polluted.broken.iter().filter(|(_, _, fate)| *fate != Fate::Besides).count() as u64;
        let log = rows(&strict.repairs);
        let lines: Vec<_> = log.iter().map(|note| &note[0]).collect();
        let missed = polluted.broken.iter().zip(&polluted.lines).filter(|(_, line)| !lines.contains(&&line.to_string()));
        prop_assert_eq!(strict.counts.quarantined, broken, "{:?}", missed.collect::<Vec<_>>());
        prop_assert_eq!(strict.counts.read, strict.counts.written + strict.counts.quarantined);
        // What is set aside is there, byte for byte, in its order.
        let aside = std::fs::read(&strict.quarantine).unwrap();
        let lines: Vec<&[u8]> = polluted.text.split_inclusive(|&byte| byte == b'\n').collect();
        let expected: Vec<&[u8]> = polluted
            .broken
            .iter()
            .zip(&polluted.lines)
            .filter(|((_, _, fate), _)| *fate != Fate::Besides)
            .map(|(_, &line)| lines[line as usize - 1])
            .collect();
        prop_assert_eq!(aside, expected.concat());
    }
}

#[test]
fn every_rule_is_broken_by_the_generator_or_needs_a_file_of_its_own() {
    // Lines that are no rows, long records, doubts and the last row have tests of their own.
    let elsewhere = [
        Rule::Preamble,
        Rule::Footer,
        Rule::TooLong,
        Rule::TruncatedRow,
        Rule::TooManyCells,
        Rule::Doubtful,
    ];
    for &rule in Rule::ALL {
        let broken = FAULTS.iter().any(|(_, fault)| *fault == rule);
        assert!(broken != elsewhere.contains(&rule), "{rule}");
    }
}

#[test]
fn the_last_row_blank_lines_and_too_many_cells() {
    let text =
        "id,price,day\n1,2.5,2026-01-01\n\n2,3.5,2026-01-02\n  \n3,4.5,2026-01-03,left,over\n4,5.5";
    let case = Case::new(text);
    let repair = case.run(&Ingest::default());
    assert_eq!(
        (repair.counts.written, repair.counts.quarantined, repair.counts.skipped),
        (2, 2, 2)
    );
    assert_eq!(std::fs::read(&repair.quarantine).unwrap(), b"3,4.5,2026-01-03,left,over\n4,5.5");
    let log = rows(&repair.repairs);
    let told: Vec<_> = log.iter().map(|note| (note[0].as_str(), note[3].as_str())).collect();
    let blank = [("3", "blank_line"), ("5", "blank_line")];
    assert_eq!(told, [&blank[..], &[("6", "too_many_cells"), ("7", "truncated_row")]].concat());

    let lenient = case.run(&Ingest { policy: Policy::lenient(), ..Ingest::default() });
    assert_eq!((lenient.counts.written, lenient.counts.quarantined), (4, 0));
    let after = rows(&lenient.table);
    assert_eq!(after[3], ["4", "5.5", "<null>"]);

    // Where no line may be left out, those that are no rows are set aside as well.
    let strict = Policy::repair().without(Rule::BlankLine);
    let strict = case.run(&Ingest { policy: strict, ..Ingest::default() });
    assert_eq!((strict.counts.written, strict.counts.quarantined), (2, 4));
    assert_eq!(strict.counts.skipped, 0);
}

#[test]
fn a_number_that_may_have_moved_is_a_doubt() {
    let text = "a,b,c\n1.5,2.5,3.5\n2.5,3.5,4.5\n3.5,4.5\n4.5,5.5,6.5\n";
    let case = Case::new(text);
    let repair = case.run(&Ingest::default());
    assert_eq!((repair.counts.written, repair.counts.quarantined), (3, 1));
    assert_eq!(repair.counts.rules[&Rule::Doubtful], 1);
    let lenient = case.run(&Ingest { policy: Policy::lenient(), ..Ingest::default() });
    assert_eq!(rows(&lenient.table)[2], ["3.5", "4.5", "<null>"]);
    let log = rows(&lenient.repairs);
    let told: Vec<_> = log.iter().map(|note| [&note[2], &note[3]].map(String::as_str)).collect();
    assert_eq!(told, [["<null>", "doubtful"], ["c", "too_few_cells"]]);
}

#[test]
fn the_log_tells_days_as_days_and_characters_that_were_lost() {
    let mut text = String::from("day,at,name\n");
    (0..30).for_each(|_| text.push_str("28/01/2018,2018-01-28 10:00,Zürich\n"));
    text.push_str("1/29/2018,1/29/2018 11:30,Z\u{fffd}rich\n");
    let log = rows(&Case::new(text).run(&Ingest::default()).repairs);
    let told: Vec<_> =
        log.iter().map(|note| [&note[3], &note[4], &note[5]].map(String::as_str)).collect();
    assert_eq!(
        told,
        [
            ["date_order", "1/29/2018", "2018-01-29"],
            ["date_order", "1/29/2018 11:30", "2018-01-29T11:30:00"],
            ["invalid_sequence", "Z\u{fffd}rich", "Z\u{fffd}rich"],
        ]
    );
}

#[test]
fn lines_below_the_table_are_found_or_given() {
    let mut text = String::from("id,price,day\n");
    (0..50).for_each(|row| text.push_str(&format!("{row},2.5,2026-01-01\n")));
    let table = text.len();
    text.push_str("\n--- end of export ---\n50 rows\n\n");
    let case = Case::new(&text);
    let found = case.run(&Ingest::default());
    assert_eq!((found.counts.read, found.counts.written, found.footer), (50, 50, 2));
    assert!(found.footer_confidence > 0.99, "{}", found.footer_confidence);
    assert_eq!(std::fs::read(&found.quarantine).unwrap(), b"--- end of export ---\n50 rows\n");
    let log = rows(&found.repairs);
    let told: Vec<_> = log.iter().map(|note| (note[0].as_str(), note[3].as_str())).collect();
    let blank = "blank_line";
    assert_eq!(told, [("52", blank), ("53", "footer"), ("54", "footer"), ("55", blank)]);

    // Where it is said how many there are, it does not matter what they look like.
    let given = |lines| {
        let known = Known { footer: Some(lines), ..Known::default() };
        case.run(&Ingest { known, ..Ingest::default() })
    };
    let four = given(5);
    assert_eq!((four.counts.written, four.counts.read, four.footer), (49, 49, 5));
    assert_eq!(four.lines, found.lines);
    let aside = std::fs::read(&four.quarantine).unwrap();
    assert_eq!(aside, text.as_bytes()[table - "49,2.5,2026-01-01\n".len()..]);
    // The last line may be open, and the policy strict.
    let open = Case::new(text.trim_end());
    for policy in [Policy::strict(), Policy::repair()] {
        let found = open.run(&Ingest { policy, ..Ingest::default() });
        assert_eq!((found.counts.read, found.counts.quarantined, found.footer), (50, 0, 2));
    }
    let none = given(0);
    assert_eq!((none.counts.read, none.counts.quarantined, none.footer), (52, 2, 0));
}

#[test]
fn rows_that_take_much_memory_are_read_in_smaller_waves() {
    // Refused rows, whose notes take 80 times what they take, between others; a run in them is taken up.
    let mut text = String::from("id,price\n");
    for row in 0..200_000 {
        text.push_str(if row % 100_000 >= 60_000 { "x y\n" } else { "7,2.5\n" });
    }
    text.push_str("8,3.5\n");
    (0..1_300_000).for_each(|row| text.push_str(&format!("{row},{}.25\n", row % 99)));
    let known = Known { delimiter: Some(b','), ..Known::default() };
    let settings = Ingest { known, memory: 32 << 20, ..Ingest::default() };
    let whole = Case::new(&text);
    let waves = AtomicU64::new(0);
    let count = |progress: Progress<'_>| {
        waves.fetch_add(u64::from(progress.stage == "bytes"), Ordering::Relaxed);
    };
    let summary = settings.file(&whole.input, &whole.out(), &count).unwrap();
    assert_eq!((summary.counts.read, summary.counts.quarantined), (1_500_001, 80_000));
    let (waves, plain) = (waves.into_inner(), text.len() as u64 >> 21);
    assert!(waves > plain + 2, "{waves} waves, {plain} of the usual size");
    for wave in [2, 3, 4, 5, waves - 1] {
        let again = Case::new(&text);
        killed(&again, &settings, wave);
        let resumed = again.run(&settings).resumed_at;
        assert!(resumed > 0 || wave == 2, "died after wave {wave} of {waves}");
        assert!(bytes(&again.out()) == bytes(&whole.out()), "died after wave {wave}");
    }
}

#[test]
fn a_record_without_an_end_is_set_aside_and_the_next_one_is_read() {
    let mut text = b"id,price\n1,2.5\n2,3.5\n".to_vec();
    text.extend(std::iter::repeat_n(b'x', 20 << 20));
    text.extend_from_slice(b"\n3,4.5\n");
    let case = Case::new(&text);
    let known = Known { delimiter: Some(b','), ..Known::default() };
    // In many waves, whose steps fall into the row, and in one.
    for memory in [32 << 20, 512 << 20] {
        let settings = Ingest { known: known.clone(), memory, ..Ingest::default() };
        killed(&case, &settings, if memory == 32 << 20 { 6 } else { 1 });
        let summary = case.run(&settings);
        assert_eq!(summary.resumed_at > 0, memory == 32 << 20);
        assert_eq!((summary.counts.written, summary.counts.quarantined), (3, 1));
        assert_eq!(summary.counts.rules[&Rule::TooLong], 1);
        assert_eq!(summary.lines, 5);
        let aside = std::fs::read(&summary.quarantine).unwrap();
        assert_eq!(aside.len(), (20 << 20) + 1);
    }
}

#[test]
fn a_text_of_several_lines_is_one_even_if_a_line_looks_like_a_row() {
    let mut text = String::from("id,note,size,weight,price\n");
    (0..50).for_each(|row| text.push_str(&format!("{row},\"good\",{row},2.5,3.5\n")));
    text.push_str("50,\"first\n1,2\",1,2.5,3.5\n51,\"first\nsecond, third\n\",7,2.5,3.5\n");
    let case = Case::new(&text);
    let summary = case.run(&Ingest::default());
    assert_eq!((summary.counts.written, summary.counts.quarantined), (52, 0));
    let after = rows(&summary.table);
    assert_eq!(after[50][1], "first\n1,2");
}

#[test]
fn lines_below_the_table_that_do_not_fit_in_memory_are_refused() {
    let mut text = String::from("id,price\n");
    (0..600_000).for_each(|row| text.push_str(&format!("{row},2.5\n")));
    (0..900).for_each(|_| text.push_str(&format!("{}\n", "note ".repeat(1000))));
    let known = Known { footer: Some(900), ..Known::default() };
    let settings = Ingest { known, memory: 32 << 20, ..Ingest::default() };
    let case = Case::new(&text);
    let error = settings.file(&case.input, &case.out(), &silent).unwrap_err().to_string();
    assert!(error.contains("footer"), "{error}");
    assert!(!case.out().exists());
}

#[test]
fn all_lines_may_stand_above_the_table() {
    let known = Known { preamble: Some(5), ..Known::default() };
    let settings = Ingest { known, ..Ingest::default() };
    let case = Case::new("title\nid,x\n1,2\n3,4\n");
    let summary = case.run(&settings);
    assert_eq!((summary.preamble, summary.counts.read), (4, 0));
    assert_eq!(std::fs::read(&summary.quarantine).unwrap(), std::fs::read(&case.input).unwrap());
    // The last line may be open, and a row.
    for (text, lines) in [("title\nid,x\n1,2\n3,4", Some(3)), ("title\nid,x\n1,2", None)] {
        let known = Known { preamble: lines, ..Known::default() };
        let summary = Case::new(text).run(&Ingest { known, ..Ingest::default() });
        assert_eq!(summary.counts.written, 1, "{text}");
    }
    let text = "id,x\n".to_owned() + &"1,2\n".repeat(400_000);
    let case = Case::new(&text);
    for (lines, rows) in [(262_142, 137_859), (262_143, 137_858), (262_144, 0), (399_999, 0)] {
        let known = Known { preamble: Some(lines), header: Some(0), ..Known::default() };
        let settings = Ingest { known, ..Ingest::default() };
        match settings.file(&case.input, &case.out(), &silent) {
            Ok(summary) => assert_eq!(summary.counts.written, rows, "{lines}"),
            Err(error) => assert!(rows == 0 && error.to_string().contains("preamble"), "{error}"),
        }
    }
}

#[test]
fn rows_that_are_none_of_the_kinds_widen_their_columns() {
    let mut text = String::from("a,b\n");
    (0..200_000).for_each(|row| text.push_str(&format!("{row},{row}\n")));
    (0..50_000).for_each(|row| text.push_str(&format!("A{row},B{row}\n")));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, text.as_bytes()).unwrap();
    let case = Case::new(gzip.finish().unwrap());
    let summary = case.run(&Ingest::default());
    assert_eq!((summary.counts.written, summary.widened.len()), (250_000, 2));
}

#[test]
fn characters_stay_whole_where_cells_are_parted() {
    let mut text = String::from("url,note\n");
    let words = ["red", "green and blue", "as before", "none of it", "see above"];
    (0..200).for_each(|row| {
        text.push_str(&format!("http://example.org/items/{row:05},{}{row}\n", words[row % 5]));
    });
    text.push_str(&format!("http://example.org/items/{}\n", "ä".repeat(40)));
    let case = Case::new(&text);
    let summary = case.run(&Ingest { policy: Policy::lenient(), ..Ingest::default() });
    assert_eq!(summary.counts.read, 201);
    assert!(rows(&summary.table).iter().flatten().all(|cell| !cell.contains('\u{fffd}')));
}

#[test]
fn texts_that_stand_for_nothing_are_given_in_columns_of_text() {
    let mut text = String::from("id,country\n");
    (0..40).for_each(|row| text.push_str(&format!("{row},{}\n", ["NA", "CH", "NULL"][row % 3])));
    let case = Case::new(&text);
    let summary = case.run(&Ingest::default());
    assert_eq!((rows(&summary.table)[0][1].as_str(), summary.columns[1].missing), ("NA", 0));
    let mut schema = Schema::read(&summary.schema).unwrap();
    schema.columns[1].missing = vec!["NULL".into()];
    let again = case.run(&Ingest { schema: Some(schema), ..Ingest::default() });
    let told: Vec<_> = rows(&again.table).into_iter().take(3).map(|row| row[1].clone()).collect();
    assert_eq!(told, ["NA", "CH", "<null>"]);
}

#[test]
fn a_row_of_another_delimiter_with_as_many_cells_is_a_doubt() {
    let mut text = String::from("a,b,c\n");
    (0..40).for_each(|row| text.push_str(&format!("{row}.5,2.5,3.5\n")));
    text.push_str("1,5;2,5;3\n");
    let case = Case::new(text + "1.5,2.5,3.5\n");
    let summary = case.run(&Ingest::default());
    assert_eq!((summary.counts.quarantined, summary.counts.rules[&Rule::Doubtful]), (1, 1));
}
