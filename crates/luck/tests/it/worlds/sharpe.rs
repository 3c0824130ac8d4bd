//! Probabilistic and deflated Sharpe ratios.

use fattail_luck::{Counting, SharpeSample, Trials};

use super::draw::{Law, slices, source};
use super::{Effort, SIZE, Size, print_power, print_sizes};

/// Rejection rates of 2012, of 2025 for independent eras, of 2025, of the default, and of the default for
/// labels that overlap as the law says.
fn probabilistic(effort: Effort, law: Law, eras: usize, sharpe: f64) -> [f64; 5] {
    let span = law.span();
    effort.rates(|world| {
        let series = source(11, world).series(law, eras);
        let moved: Vec<f64> = series.iter().map(|v| v + sharpe).collect();
        let sample = SharpeSample::of(&moved).unwrap();
        let forms = [
            sample.probabilistic_2012(0.0),
            sample.independent().probabilistic_2025(0.0),
            sample.probabilistic_2025(0.0),
            sample.probabilistic(0.0),
            sample.overlapping(span).probabilistic(0.0),
        ];
        forms.map(|form| form > 1.0 - SIZE)
    })
}

/// Trials of which the first has a Sharpe ratio and the others none.
#[derive(Debug, Clone, Copy)]
struct Study {
    law: Law,
    eras: usize,
    count: usize,
    /// Groups of trials; each two trials of one have this correlation.
    groups: usize,
    correlation: f64,
    sharpe: f64,
}

const STUDY: Study =
    Study { law: Law::Normal, eras: 250, count: 20, groups: 1, correlation: 0.0, sharpe: 0.0 };

/// Rejection rates of 2014, of 2025, and of the default.
fn deflated(effort: Effort, study: Study, counting: Counting) -> [f64; 3] {
    effort.rates(|world| {
        let mut source = source(12, world);
        let size = study.count / study.groups;
        let mut columns: Vec<Vec<f64>> = (0..study.groups)
            .flat_map(|_| source.columns(study.law, study.eras, size, study.correlation))
            .collect();
        columns[0].iter_mut().for_each(|v| *v += study.sharpe);
        let samples = columns.iter().map(|column| SharpeSample::of(column).unwrap());
        let best = samples.max_by(|a, b| a.sharpe.total_cmp(&b.sharpe)).unwrap();
        let best = best.independent().overlapping(study.law.span());
        let trials = Trials::from_scores(&slices(&columns), counting).unwrap();
        let forms =
            [best.deflated_2014(&trials), best.deflated_2025(&trials), best.deflated(&trials)];
        forms.map(|form| form > 1.0 - SIZE)
    })
}

pub(crate) fn brief(effort: Effort) -> Vec<Size> {
    let near = |name, rate| Size { name, rate, conservative: false };
    let psr = |law| probabilistic(effort, law, 120, 0.0)[3];
    let overlap = |span| probabilistic(effort, Law::Overlap(span), 250, 0.0)[4];
    let study = Study { eras: 120, ..STUDY };
    vec![
        near("PSR normal", psr(Law::Normal)),
        near("PSR fat", psr(Law::Fat)),
        near("PSR autoregressive", psr(Law::Autoregressive(0.3))),
        near("PSR, overlap", overlap(4)),
        near("PSR, long overlap", overlap(12)),
        near("DSR", deflated(effort, study, Counting::All)[2]),
        near(
            "DSR, overlap",
            deflated(effort, Study { law: Law::Overlap(4), ..STUDY }, Counting::All)[2],
        ),
    ]
}

pub(crate) fn tables(effort: Effort) {
    println!("\n| PSR, null: Sharpe ratio 0 | 2012 | 2025, ρ = 0 | 2025 | default | for overlap |");
    println!("|---|---|---|---|---|---|");
    let laws = [
        ("normal", Law::Normal),
        ("Student t5", Law::Fat),
        ("crashes", Law::Crash),
        ("jumps up", Law::Jump),
        ("AR(1) 0.3", Law::Autoregressive(0.3)),
        ("overlap of 4", Law::Overlap(4)),
        ("overlap of 12", Law::Overlap(12)),
    ];
    for (name, law) in laws {
        for eras in [60, 250, 1000] {
            let rates = probabilistic(effort, law, eras, 0.0);
            print_sizes(effort, &format!("{name}, {eras} eras"), &rates);
        }
    }
    deflated_tables(effort);
    let effects = [0.0, 0.05, 0.1, 0.15, 0.2, 0.3];
    println!("\n| power, 250 eras, Sharpe ratio | 0 | 0.05 | 0.1 | 0.15 | 0.2 | 0.3 |");
    println!("|---|---|---|---|---|---|---|");
    let laws =
        [(Law::Normal, "normal"), (Law::Crash, "crashes"), (Law::Overlap(4), "overlap of 4")];
    for (law, mark) in laws {
        let rates = effects.map(|sharpe| probabilistic(effort, law, 250, sharpe));
        let forms = ["PSR 2012", "PSR 2025, ρ = 0", "PSR 2025", "PSR, default", "PSR for overlap"];
        let shown = if law == Law::Overlap(4) { 4..5 } else { 0..4 };
        for (at, name) in forms.into_iter().enumerate().filter(|(at, _)| shown.contains(at)) {
            print_power(&format!("{name}, {mark}"), &rates.map(|rate| rate[at]));
        }
    }
    let rates = effects.map(|sharpe| deflated(effort, Study { sharpe, ..STUDY }, Counting::All));
    for (at, name) in ["DSR 2014", "DSR 2025", "DSR, default"].into_iter().enumerate() {
        print_power(&format!("{name}, one of 20 trials has it"), &rates.map(|rate| rate[at]));
    }
}

fn deflated_tables(effort: Effort) {
    println!("\n| DSR, null: best of K without skill | 2014 | 2025 | default |\n|---|---|---|---|");
    for (count, eras) in [(10, 250), (100, 250), (100, 1000), (1000, 250)] {
        let rates = deflated(effort, Study { count, eras, ..STUDY }, Counting::All);
        print_sizes(effort, &format!("K = {count}, {eras} eras, all"), &rates);
    }
    let laws = [
        ("Student t5", Law::Fat),
        ("crashes", Law::Crash),
        ("jumps up", Law::Jump),
        ("overlap of 4", Law::Overlap(4)),
        ("overlap of 12", Law::Overlap(12)),
    ];
    for (name, law) in laws {
        let rates = deflated(effort, Study { law, count: 20, ..STUDY }, Counting::All);
        print_sizes(effort, &format!("K = 20, 250 eras, {name}, all"), &rates);
    }
    for (groups, correlation) in [(1, 0.0), (1, 0.5), (1, 0.9), (5, 0.8)] {
        for (how, counting) in [
            ("all", Counting::All),
            ("roots", Counting::Roots),
            ("effective rank", Counting::EffectiveRank),
            ("clusters 0.3", Counting::Clusters { least_correlation: 0.3 }),
        ] {
            let rates =
                deflated(effort, Study { count: 50, groups, correlation, ..STUDY }, counting);
            let name = format!("K = 50, correlation {correlation} in {groups} groups, {how}");
            print_sizes(effort, &name, &rates);
        }
    }
}
