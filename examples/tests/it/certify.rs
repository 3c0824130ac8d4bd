//! Twelve leaks are caught, and their twins pass; the certificate of the usual pipeline.

use fattail::{certificate::Certifier, silent};
use fattail_examples::certify::try_all;

#[test]
fn every_leak_is_caught_and_every_twin_passes() {
    for seed in [0, 1] {
        let all = try_all(&Certifier { seed, ..Certifier::default() }, seed, &silent).unwrap();
        assert_eq!(all.len(), 12);
        for tried in all {
            assert!(tried.is_right(), "seed {seed}: {tried}\n{}\n{}", tried.leaking, tried.twin);
        }
    }
}
