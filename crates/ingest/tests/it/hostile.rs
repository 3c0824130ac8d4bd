//! Bytes that were never a table: no panic, and every row is accounted for.

use fattail_ingest::{Ingest, Policy};
use proptest::prelude::*;

use crate::files::{Case, rows};

/// Bytes that mean something, more often than others.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let telling = proptest::sample::select(
        b",;\t| \"'\\\r\n\n\n0123456789.-:/eE\0\x07\xff\xc3\xfeabNULLnan".to_vec(),
    );
    proptest::collection::vec(prop_oneof![9 => telling, 1 => any::<u8>()], 0..3000)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_become_a_table_or_are_set_aside(bytes in bytes(), policy in 0..3usize) {
        let policy = [Policy::strict(), Policy::repair(), Policy::lenient()][policy];
        let case = Case::new(&bytes);
        let summary = case.run(&Ingest { policy, ..Ingest::default() });
        let counts = &summary.counts;
        prop_assert_eq!(counts.read, counts.written + counts.quarantined);
        prop_assert_eq!(rows(&summary.table).len() as u64, counts.written);
    }
}
