//! A ledger shows what was known, whatever the scores that were not.

use fattail_evaluate::{EmbargoRule, Horizon, Known, Ledger};
use proptest::prelude::*;

fn ledger(scores: &[[f64; 2]], rule: EmbargoRule, horizon: &Horizon) -> Ledger {
    let mut ledger = Ledger::new(["a", "b"], rule, horizon).unwrap();
    scores.iter().enumerate().for_each(|(era, scores)| ledger.record(era, scores).unwrap());
    ledger
}

/// Every number that a decision can take from a ledger, as bits.
fn facts(known: Known<'_>) -> Vec<u64> {
    let numbers = (0..2).flat_map(|model| {
        let best = known.best(model).map_or(f64::NAN, |(era, score)| era as f64 + score);
        let decayed = known.decayed_mean(model, 3.0).unwrap();
        [known.mean(model), known.last_mean(model, 4), decayed, best]
    });
    let leader = known.leader(Known::mean).map_or(-1.0, |model| model as f64);
    let all = known.eras().flat_map(|(era, row)| [era as f64, row[0], row[1]]);
    let list = known.scores(0).map(|(era, score)| era as f64 * score);
    numbers.chain([leader]).chain(all).chain(list).map(f64::to_bits).collect()
}

fn score() -> impl Strategy<Value = f64> {
    prop_oneof![9 => -0.1..0.1_f64, 1 => Just(f64::NAN)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn later_scores_change_nothing_that_is_known(
        scores in prop::collection::vec([score(), score()], 1..60),
        at in 0_usize..70,
        days in 1_u32..70,
        wide: bool,
        noise in -9.0..9.0_f64,
    ) {
        let horizon = Horizon { days, ..Horizon::NUMERAI_20 };
        let rule = if wide { EmbargoRule::NumeraiBenchmark } else { EmbargoRule::RealTime };
        let mut before = ledger(&scores, rule, &horizon);
        let gap = before.gap();
        let mut others = scores.clone();
        let late = |era: usize| era + gap > at;
        for (era, scores) in others.iter_mut().enumerate().filter(|(era, _)| late(*era)) {
            *scores = [noise, if era % 2 == 0 { f64::NAN } else { -noise }];
        }
        let mut after = ledger(&others, rule, &horizon);
        prop_assert_eq!(facts(before.known_at(at, "a")), facts(after.known_at(at, "a")));
        // Rows that are not there yet change nothing either.
        let count = scores.len().min((at + 1).saturating_sub(gap));
        let mut short = ledger(&scores[..count], rule, &horizon);
        prop_assert_eq!(facts(before.known_at(at, "b")), facts(short.known_at(at, "b")));
        // And the latest that is known does matter.
        if count > 0 {
            let mut others = scores.clone();
            others[count - 1][0] = 77.0;
            let mut other = ledger(&others, rule, &horizon);
            prop_assert_ne!(facts(before.known_at(at, "c")), facts(other.known_at(at, "c")));
        }
        for read in before.reads() {
            prop_assert_eq!(read.era, at);
            prop_assert!(read.latest.is_none_or(|latest| latest + gap <= read.era));
            prop_assert_eq!(read.latest, count.checked_sub(1));
        }
    }
}
