//! Laws: whatever is broken, the table is the clean one, but for what the fault itself took away; every
//! fault is named; counts add up; strictness only sets aside.

use std::collections::HashMap;

use fattail_ingest::{Ingest, Policy, Rule};
use fattail_mend::Known;
use proptest::prelude::*;

use crate::{
    files::{Case, rows},
    flow::killed,
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
        let refused = log.iter().filter(|note| note[2] == "<null>" && note[3] != "repeated_header");
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
    // Blank lines, long records and the last row have tests of their own.
    let elsewhere =
        [Rule::Preamble, Rule::BlankLine, Rule::TooLong, Rule::TruncatedRow, Rule::TooManyCells];
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
    assert_eq!(told, [("6", "too_many_cells"), ("7", "truncated_row")]);

    let lenient = case.run(&Ingest { policy: Policy::lenient(), ..Ingest::default() });
    assert_eq!((lenient.counts.written, lenient.counts.quarantined), (4, 0));
    let after = rows(&lenient.table);
    assert_eq!(after[3], ["4", "5.5", "<null>"]);
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
