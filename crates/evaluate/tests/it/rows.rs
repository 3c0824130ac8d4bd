//! Splits of rows by label spans: what a purge must and must not take away, on many random sets of spans,
//! beside the published definition in plain loops.

use std::collections::BTreeSet;

use fattail_core::Eras;
use fattail_evaluate::{
    Cpcv, CpcvRows, EmbargoRule, Fold, Horizon, PurgedKFold, PurgedRows, Spans, Split, WalkForward,
    WalkForwardRows, Window,
};
use fattail_stats::{Counter, below};

/// A whole number of `0..limit`.
type Draw<'a> = dyn FnMut(u64) -> u64 + 'a;

/// Labels that may start together, be points in time, or reach over many others.
fn random_spans(draw: &mut Draw<'_>) -> Spans {
    let rows = 4 + draw(20) as usize;
    let (times, length) = (3 + draw(40), 1 + draw(12));
    let starts: Vec<i64> = (0..rows).map(|_| draw(times) as i64 - 5).collect();
    let ends = starts.iter().map(|start| start + draw(length) as i64).collect();
    Spans::new(starts, ends).unwrap()
}

fn span(spans: &Spans, row: usize) -> (i64, i64) {
    spans.get(row).unwrap().into_inner()
}

fn overlap(spans: &Spans, a: usize, b: usize) -> bool {
    let ((a0, a1), (b0, b1)) = (span(spans, a), span(spans, b));
    a0 <= b1 && b0 <= a1
}

/// Maximal runs of test rows in time: no other row begins between two rows of one run.
fn blocks(spans: &Spans, train: &[usize], test: &[usize]) -> Vec<Vec<usize>> {
    let mut sorted = test.to_vec();
    sorted.sort_by_key(|&row| span(spans, row).0);
    let mut all: Vec<Vec<usize>> = Vec::new();
    for row in sorted {
        let start = span(spans, row).0;
        let joins = all.last().is_some_and(|block| {
            let last = span(spans, block[block.len() - 1]).0;
            !train.iter().any(|&t| last < span(spans, t).0 && span(spans, t).0 < start)
        });
        if joins { all.last_mut().unwrap().push(row) } else { all.push(vec![row]) }
    }
    all
}

/// The published rules, why a row must go, in loops over all pairs.
fn must_go(spans: &Spans, row: usize, test: &[usize], blocks: &[Vec<usize>], embargo: u64) -> bool {
    let start = span(spans, row).0;
    let after = |block: &Vec<usize>| {
        let end = block.iter().map(|&row| span(spans, row).1).max().unwrap();
        end < start && start <= end + embargo as i64
    };
    test.iter().any(|&other| overlap(spans, row, other)) || blocks.iter().any(after)
}

/// What the plain rules leave of `candidates`.
fn left(spans: &Spans, candidates: &[usize], test: &[usize], embargo: u64) -> Vec<usize> {
    let blocks = blocks(spans, candidates, test);
    let stays = |&row: &usize| !must_go(spans, row, test, &blocks, embargo);
    candidates.iter().copied().filter(stays).collect()
}

/// Checks a fold whose training rows come from `candidates`, against the plain rules.
fn check_fold(spans: &Spans, fold: &Fold, candidates: &[usize], embargo: u64) {
    let expected = left(spans, candidates, &fold.test, embargo);
    assert_eq!(fold.train, expected, "{spans:?} {fold:?} {embargo}");
    assert_eq!(spans.first_overlap(&fold.train, &fold.test).unwrap(), None);
    check_overlap(spans, candidates, &fold.test);
    for (&a, &b) in fold.train.iter().flat_map(|a| fold.test.iter().map(move |b| (a, b))) {
        assert!(!overlap(spans, a, b), "{a} {b} {spans:?}");
    }
}

/// The first overlap of all candidates, against loops over all pairs.
fn check_overlap(spans: &Spans, candidates: &[usize], test: &[usize]) {
    let mut pairs = candidates.iter().flat_map(|&a| test.iter().map(move |&b| (a, b)));
    let first = pairs.find(|&(a, b)| overlap(spans, a, b));
    assert_eq!(spans.first_overlap(candidates, test).unwrap(), first);
}

fn rest(spans: &Spans, fold: &Fold) -> Vec<usize> {
    (0..spans.len()).filter(|row| fold.test.binary_search(row).is_err()).collect()
}

fn partition<'a>(parts: impl Iterator<Item = &'a Vec<usize>>, rows: usize) {
    let mut all: Vec<usize> = parts.flatten().copied().collect();
    all.sort_unstable();
    assert_eq!(all, (0..rows).collect::<Vec<_>>());
}

/// Rows in another order, and where each row went.
fn shuffled(spans: &Spans, draw: &mut Draw<'_>) -> (Spans, Vec<usize>) {
    let mut order: Vec<usize> = (0..spans.len()).collect();
    for at in (1..order.len()).rev() {
        order.swap(at, draw(at as u64 + 1) as usize);
    }
    let (starts, ends) = order.iter().map(|&row| span(spans, row)).unzip();
    let mut place = vec![0; order.len()];
    order.iter().enumerate().for_each(|(at, &row)| place[row] = at);
    (Spans::new(starts, ends).unwrap(), place)
}

fn moved(folds: &[Fold], place: &[usize]) -> Vec<Fold> {
    let list = |rows: &[usize]| {
        let all: BTreeSet<usize> = rows.iter().map(|&row| place[row]).collect();
        all.into_iter().collect()
    };
    folds.iter().map(|fold| Fold { train: list(&fold.train), test: list(&fold.test) }).collect()
}

/// What was seen of a case, so that no law holds for want of cases.
#[derive(Debug, Default)]
struct Seen {
    folds: usize,
    combinations: usize,
    forward: usize,
    /// Of these, walks whose window forgets something, and those with a first length.
    forgetful: usize,
    first: usize,
    embargoed: usize,
}

/// A walk of any window, first length and end.
fn random_walk(draw: &mut Draw<'_>) -> WalkForwardRows {
    let window =
        if draw(2) == 0 { Window::Anchored } else { Window::Rolling(1 + draw(4) as usize) };
    let first = if draw(2) == 0 { None } else { Some(1 + draw(5) as usize) };
    WalkForwardRows { chunk: 1 + draw(4) as usize, window, first, whole: draw(3) == 0 }
}

/// Checks a walk against plain loops over times; whether its window forgot anything.
fn check_walk(spans: &Spans, split: &WalkForwardRows, folds: &[Fold]) -> bool {
    let start = |&row: &usize| span(spans, row).0;
    let times: BTreeSet<i64> = (0..spans.len()).map(|row| start(&row)).collect();
    let times: Vec<i64> = times.into_iter().collect();
    let mut tested = times[split.first.unwrap_or(split.chunk)..].chunks(split.chunk);
    let mut forgot = false;
    for fold in folds {
        let chunk = tested.next().unwrap();
        assert!(chunk.len() == split.chunk || !split.whole);
        let in_chunk = |row: &usize| chunk.contains(&start(row));
        assert_eq!(fold.test, (0..spans.len()).filter(in_chunk).collect::<Vec<_>>());
        let past: Vec<usize> = (0..spans.len()).filter(|row| start(row) < chunk[0]).collect();
        let all = Fold { train: left(spans, &past, &fold.test, 0), test: fold.test.clone() };
        check_fold(spans, &all, &past, 0);
        let kept: BTreeSet<i64> = all.train.iter().map(start).collect();
        let most = match split.window {
            Window::Anchored => usize::MAX,
            Window::Rolling(most) => most,
        };
        let kept: Vec<i64> = kept.into_iter().rev().take(most).collect();
        let remembered: Vec<usize> =
            all.train.iter().copied().filter(|row| kept.contains(&start(row))).collect();
        forgot |= remembered != all.train;
        assert_eq!(fold.train, remembered, "{spans:?} {split:?}");
    }
    // Nothing is left untested, but a short end where whole chunks were asked for.
    assert!(tested.all(|chunk| split.whole && chunk.len() < split.chunk));
    forgot
}

fn check_case(draw: &mut Draw<'_>, seen: &mut Seen) {
    let spans = random_spans(draw);
    let (other, place) = shuffled(&spans, draw);
    let embargo = draw(7);
    let split = PurgedRows { folds: 2 + draw(4) as usize, embargo };
    if let Ok(folds) = split.folds(&spans) {
        seen.folds += 1;
        partition(folds.iter().map(|fold| &fold.test), spans.len());
        for fold in &folds {
            check_fold(&spans, fold, &rest(&spans, fold), embargo);
        }
        assert_eq!(split.folds(&other).unwrap(), moved(&folds, &place));
        let without = PurgedRows { embargo: 0, ..split }.folds(&spans).unwrap();
        seen.embargoed += usize::from(without != folds);
    }
    let groups = 3 + draw(3) as usize;
    let split = CpcvRows { groups, tests: 1 + draw(groups as u64 - 1) as usize, embargo };
    if let Ok(splits) = split.splits(&spans) {
        seen.combinations += 1;
        partition(splits.groups().iter(), spans.len());
        for fold in splits.folds() {
            check_fold(&spans, fold, &rest(&spans, fold), embargo);
        }
        let again = split.splits(&other).unwrap();
        assert_eq!(again.folds(), moved(splits.folds(), &place));
    }
    let split = random_walk(draw);
    if let Ok(folds) = split.folds(&spans) {
        seen.forward += 1;
        seen.forgetful += usize::from(check_walk(&spans, &split, &folds));
        seen.first += usize::from(split.first.is_some());
        assert_eq!(split.folds(&other).unwrap(), moved(&folds, &place));
    }
}

#[test]
fn ten_thousand_random_span_sets() {
    let mut seen = Seen::default();
    for case in 0..10_000 {
        let mut random = Counter::new(20_180).draw(case);
        check_case(&mut |limit| below(&mut random, limit as usize) as u64, &mut seen);
    }
    // Many are refused because nothing is left to train on; most are not.
    assert!(seen.folds > 5_000 && seen.combinations > 3_000, "{seen:?}");
    assert!(seen.forward > 3_000 && seen.embargoed > 3_000, "{seen:?}");
    assert!(seen.forgetful > 500 && seen.first > 1_000, "{seen:?}");
}

/// Eras that `train` and the purge of their rows leave: an era goes when any of its rows does.
fn eras_left(
    eras: &Eras,
    spans: &Spans,
    train: &[usize],
    test: &[usize],
    embargo: u64,
) -> Vec<usize> {
    let rows =
        |list: &[usize]| -> Vec<usize> { list.iter().flat_map(|&era| eras.range(era)).collect() };
    let tested = rows(test);
    let stays = |&era: &usize| {
        let own = rows(&[era]);
        spans.purge(&own, &tested, embargo).unwrap() == own
    };
    train.iter().copied().filter(stays).collect()
}

/// Folds of eras know the distinct spans of each era; here is every row, however its label lies.
#[test]
fn folds_of_eras_are_those_row_by_row() {
    let mut seen = [0; 3];
    for case in 0..2_000 {
        let mut random = Counter::new(24).draw(case);
        let mut draw = |limit: u64| below(&mut random, limit as usize) as u64;
        let spans = random_spans(&mut draw);
        // Eras of one to four rows, whose labels need not begin together.
        let mut era = 0;
        let labels: Vec<String> = (0..spans.len())
            .map(|_| {
                era += u64::from(draw(3) == 0);
                format!("{era:02}")
            })
            .collect();
        let eras = Eras::from_labels(labels).unwrap();
        let all: Vec<usize> = (0..eras.len()).collect();
        let embargo = draw(5);
        let others = |test: &[usize]| -> Vec<usize> {
            all.iter().copied().filter(|era| !test.contains(era)).collect()
        };
        let split = PurgedRows { folds: 2 + draw(3) as usize, embargo };
        for fold in split.era_folds(&eras, &spans).into_iter().flatten() {
            seen[0] += 1;
            let left = eras_left(&eras, &spans, &others(&fold.test), &fold.test, embargo);
            assert_eq!(fold.train, left, "{spans:?} {fold:?}");
        }
        let split = CpcvRows { groups: 3, tests: 1 + draw(2) as usize, embargo };
        if let Ok(splits) = split.era_splits(&eras, &spans) {
            for fold in splits.folds() {
                seen[1] += 1;
                let left = eras_left(&eras, &spans, &others(&fold.test), &fold.test, embargo);
                assert_eq!(fold.train, left, "{spans:?} {fold:?}");
            }
        }
        let split = random_walk(&mut draw);
        for fold in split.era_folds(&eras, &spans).into_iter().flatten() {
            seen[2] += 1;
            let left = eras_left(&eras, &spans, &all[..fold.test[0]], &fold.test, 0);
            let from = match split.window {
                Window::Anchored => 0,
                Window::Rolling(most) => left.len().saturating_sub(most),
            };
            assert_eq!(fold.train, left[from..], "{spans:?} {fold:?}");
        }
    }
    assert!(seen.iter().all(|&count| count > 300), "{seen:?}");
}

/// A published purged split began its test window at the end of the first test label, not at its start: of
/// 120 daily rows with labels of ten days, 9 training rows overlapped the test labels in each of the folds 2
/// to 5. A row that begins before the first test row and ends inside its label is what it kept.
#[test]
fn a_test_window_does_not_start_at_the_end_of_the_first_label() {
    let starts: Vec<i64> = (0..120).collect();
    let ends = starts.iter().map(|start| start + 9).collect();
    let spans = Spans::new(starts, ends).unwrap();
    for fold in (PurgedRows { folds: 5, embargo: 0 }).folds(&spans).unwrap() {
        let (first, last) = (fold.test[0], fold.test[fold.test.len() - 1]);
        let expected: Vec<usize> = (0..120).filter(|&r| r + 9 < first || r > last + 9).collect();
        assert_eq!(fold.train, expected);
        // The nine rows that the defect kept.
        let kept = (first.saturating_sub(9)..first).filter(|row| fold.train.contains(row)).count();
        assert_eq!(kept, 0);
    }
}

/// A published combinatorial split took an embargo and set it to 0 inside.
#[test]
fn an_embargo_is_not_silently_zero() {
    let starts: Vec<i64> = (0..120).collect();
    let spans = Spans::new(starts.clone(), starts).unwrap();
    let gone = |fold: &Fold| 120 - fold.train.len() - fold.test.len();
    let folds = PurgedRows { folds: 5, embargo: 7 }.folds(&spans).unwrap();
    assert_eq!(folds.iter().map(gone).collect::<Vec<_>>(), [7, 7, 7, 7, 0]);
    let splits = CpcvRows { groups: 6, tests: 2, embargo: 7 }.splits(&spans).unwrap();
    // Two test groups apart lose two stretches, neighbours one, and none follows the last group.
    let stretches = |tested: &[usize]| {
        let apart = tested[0] + 1 != tested[1];
        usize::from(apart) + usize::from(tested[1] != 5)
    };
    for (split, fold) in splits.folds().iter().enumerate() {
        assert_eq!(gone(fold), 7 * stretches(splits.tested(split)), "{split}");
    }
    let eras = Eras::from_labels((0..120).map(|era| format!("{era:03}"))).unwrap();
    let embargo = |embargo_days| {
        let cpcv = Cpcv { groups: 6, tests: 2, embargo_days, ..Cpcv::default() };
        cpcv.splits(&eras).unwrap().folds()[1].train.len()
    };
    // 35 days are seven eras, after each of the two test groups.
    assert_eq!(embargo(0), embargo(35) + 14);
}

/// With one horizon, splits of eras and splits by the spans of their rows are the same.
#[test]
fn spans_of_eras_give_the_splits_of_eras() {
    for case in 0..300 {
        let mut random = Counter::new(7).draw(case);
        let mut draw = |limit: usize| below(&mut random, limit);
        let count = 20 + draw(80);
        let labels = (0..count).flat_map(|era| vec![format!("{era:03}"); 1 + era % 3]);
        let eras = Eras::from_labels(labels).unwrap();
        let rules =
            [EmbargoRule::LabelDisjoint, EmbargoRule::RealTime, EmbargoRule::NumeraiBenchmark];
        let (rule, embargo) = (rules[draw(3)], draw(4) as u32);
        let horizon = Horizon { days: 1 + draw(40) as u32, ..Horizon::NUMERAI_20 };
        let embargo_days = embargo * horizon.era_days;
        let spans = Spans::of_eras(&eras, rule, &horizon).unwrap();
        let embargo = u64::from(embargo);
        let folds = 2 + draw(5);
        let of_eras = PurgedKFold { folds, horizon, rule, embargo_days }.folds(&eras).ok();
        let of_rows = PurgedRows { folds, embargo }.era_folds(&eras, &spans).ok();
        assert_eq!(of_eras, of_rows);
        let (groups, tests) = (3 + draw(4), 1 + draw(2));
        let of_eras = Cpcv { groups, tests, horizon, rule, embargo_days }.splits(&eras).ok();
        let of_rows = CpcvRows { groups, tests, embargo }.era_splits(&eras, &spans).ok();
        assert_eq!(of_eras, of_rows);
        let window = if draw(2) == 0 { Window::Anchored } else { Window::Rolling(1 + draw(9)) };
        let (chunk, whole) = (1 + draw(12), draw(2) == 0);
        let first = None;
        let of_eras = WalkForward { chunk, window, first, whole, horizon, rule }.folds(&eras).ok();
        let of_rows = WalkForwardRows { chunk, window, first, whole }.era_folds(&eras, &spans).ok();
        assert_eq!(of_eras, of_rows);
    }
}

/// Targets of 20 and 60 days in one panel: an era goes as far ahead as its longest label reaches.
#[test]
fn horizons_that_differ_from_row_to_row() {
    let eras = Eras::from_labels((0..200).map(|row| format!("{:03}", row / 2))).unwrap();
    let long = |row: usize| row % 2 == 1 && (row / 2) % 10 == 9;
    let horizons: Vec<Horizon> = (0..200)
        .map(|row| if long(row) { Horizon::NUMERAI_60 } else { Horizon::NUMERAI_20 })
        .collect();
    let spans = Spans::of_horizons(&eras, EmbargoRule::RealTime, &horizons).unwrap();
    let folds = PurgedRows { folds: 4, embargo: 0 }.era_folds(&eras, &spans).unwrap();
    // Tested: eras 25 to 49. A row of era 19 reaches to era 32, one of era 9 to era 22, and the tested row of
    // era 49 to era 62; short labels of era 20 reach to era 25.
    let expected: Vec<usize> = (0..19).chain(63..100).collect();
    assert_eq!((folds[1].train.clone(), folds[1].test[0]), (expected, 25));
}
