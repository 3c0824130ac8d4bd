//! Reality check, SPA, stepwise test, model confidence set.

use fattail_luck::{ConfidenceSet, Equality, Resampling, Studentised, Superior};

use super::draw::{Law, slices, source};
use super::{Effort, SIZE, Size, print_power, print_sizes};

const MODELS: usize = 10;
const WHITE: Studentised = Studentised::Prewhitened;
const WAVES: Studentised = Studentised::Overlap { span: 4 };

fn resampling(effort: Effort, world: u32) -> Resampling {
    Resampling { draws: effort.draws, seed: 1_000_000 + u64::from(world), ..Resampling::default() }
}

/// Models with a mean above the benchmark in the first `skilled`, and the benchmark last.
fn world(law: Law, eras: usize, skilled: usize, gain: f64, seed: u32) -> Vec<Vec<f64>> {
    let mut columns = source(21, seed).columns(law, eras, MODELS + 1, 0.0);
    for column in &mut columns[..skilled] {
        column.iter_mut().for_each(|v| *v += gain);
    }
    columns
}

/// p-values of SPA: lower, consistent, upper.
fn spa(effort: Effort, studentised: Studentised, columns: &[Vec<f64>], seed: u32) -> [f64; 3] {
    let test =
        Superior { studentised, resampling: resampling(effort, seed), ..Superior::default() };
    let all = slices(columns);
    let found = test.spa(&all[..MODELS], all[MODELS]).unwrap();
    [found.lower, found.consistent, found.upper]
}

fn spa_rates(effort: Effort, studentised: Studentised, law: Law, eras: usize) -> [f64; 3] {
    effort.rates(|seed| {
        let columns = world(law, eras, 0, 0.0, seed);
        spa(effort, studentised, &columns, seed).map(|p| p <= SIZE)
    })
}

fn reality_check(effort: Effort, law: Law, eras: usize, gain: f64) -> f64 {
    effort.rate(|seed| {
        let columns = world(law, eras, usize::from(gain > 0.0), gain, seed);
        let all = slices(&columns);
        let test = Superior { resampling: resampling(effort, seed), ..Superior::default() };
        test.reality_check(&all[..MODELS], all[MODELS]).unwrap().p_value <= SIZE
    })
}

/// The share of worlds with a false rejection, and the mean share of skilled models found.
fn stepwise(
    effort: Effort,
    studentised: Studentised,
    (law, eras): (Law, usize),
    (skilled, gain): (usize, f64),
) -> (f64, f64) {
    let found = |seed: u32| {
        let columns = world(law, eras, skilled, gain, seed);
        let all = slices(&columns);
        let resampling = resampling(effort, seed);
        let test = Superior { studentised, resampling, ..Superior::default() };
        test.stepwise(&all[..MODELS], all[MODELS]).unwrap().superior(SIZE)
    };
    let wrong = effort.rate(|seed| found(seed).iter().any(|&k| k >= skilled));
    let right = |seed: u32| found(seed).iter().filter(|&&k| k < skilled).count() as f64;
    (wrong, effort.mean(right) / skilled.max(1) as f64)
}

type Form = (Equality, Studentised);

fn members(effort: Effort, form: Form, columns: &[Vec<f64>], seed: u32) -> Vec<usize> {
    let set = ConfidenceSet {
        equality: form.0,
        studentised: form.1,
        resampling: resampling(effort, seed),
        ..ConfidenceSet::default()
    };
    set.of(&slices(columns)[..MODELS]).unwrap().members(SIZE)
}

/// The share of worlds in which a best model is left out; all are equally good.
fn left_out(effort: Effort, form: Form, law: Law, eras: usize) -> f64 {
    effort.rate(|seed| {
        let columns = world(law, eras, 0, 0.0, seed);
        members(effort, form, &columns, seed).len() < MODELS
    })
}

pub(crate) fn brief(effort: Effort) -> Vec<Size> {
    let near = |name, rate| Size { name, rate, conservative: false };
    let most = |name, rate| Size { name, rate, conservative: true };
    let consistent = |form, law, eras| spa_rates(effort, form, law, eras)[1];
    let set = |form, law, eras| left_out(effort, form, law, eras);
    let step = |form, law, eras| stepwise(effort, form, (law, eras), (0, 0.0)).0;
    let (normal, moving, overlap) = (Law::Normal, Law::Autoregressive(0.3), Law::Overlap(4));
    vec![
        near("reality check", reality_check(effort, normal, 120, 0.0)),
        near("SPA", consistent(WHITE, normal, 120)),
        near("SPA, autoregressive", consistent(WHITE, moving, 250)),
        near("SPA, overlap", consistent(WAVES, overlap, 250)),
        near("stepwise", step(WHITE, normal, 120)),
        most("stepwise, overlap", step(WAVES, overlap, 250)),
        near("set", set((Equality::Max, WHITE), normal, 120)),
        near("set, overlap", set((Equality::Max, WAVES), overlap, 250)),
        near("set, range", set((Equality::Range, WHITE), normal, 120)),
    ]
}

pub(crate) fn power(effort: Effort, gain: f64) -> Vec<(&'static str, f64)> {
    let spa = effort.rate(|seed| {
        let columns = world(Law::Normal, 250, 1, gain, seed);
        spa(effort, WHITE, &columns, seed)[1] <= SIZE
    });
    vec![("SPA", spa), ("stepwise", stepwise(effort, WHITE, (Law::Normal, 250), (3, gain)).1)]
}

const LAWS: [(&str, Law); 6] = [
    ("normal", Law::Normal),
    ("Student t5", Law::Fat),
    ("AR(1) 0.3", Law::Autoregressive(0.3)),
    ("AR(1) 0.5", Law::Autoregressive(0.5)),
    ("overlap of 4", Law::Overlap(4)),
    ("overlap of 12", Law::Overlap(12)),
];

/// The form for overlapping labels, for as many eras as the law says.
fn waves(law: Law) -> Studentised {
    match law {
        Law::Overlap(span) => Studentised::Overlap { span },
        _ => WAVES,
    }
}

pub(crate) fn tables(effort: Effort) {
    println!("\n| SPA, null: ten models and benchmark alike | lower | consistent | upper |");
    println!("|---|---|---|---|");
    for (name, law) in LAWS {
        let forms =
            [("ω̂*", Studentised::Bootstrap), ("prewhitened", WHITE), ("for overlap", waves(law))];
        for (mark, studentised) in forms {
            let rates = spa_rates(effort, studentised, law, 250);
            print_sizes(effort, &format!("{name}, 250 eras, {mark}"), &rates);
        }
    }
    println!(
        "\n| others, same null, 250 eras | reality check | stepwise | stepwise for overlap | set, max \
         | set, max, ω̂* | set, max for overlap | set, range | set, range for overlap |\n|---|---|---|---|---|---|---|---|---|"
    );
    for (name, law) in LAWS {
        let set = |equality, studentised| left_out(effort, (equality, studentised), law, 250);
        let rates = [
            reality_check(effort, law, 250, 0.0),
            stepwise(effort, WHITE, (law, 250), (0, 0.0)).0,
            stepwise(effort, waves(law), (law, 250), (0, 0.0)).0,
            set(Equality::Max, WHITE),
            set(Equality::Max, Studentised::Bootstrap),
            set(Equality::Max, waves(law)),
            set(Equality::Range, WHITE),
            set(Equality::Range, waves(law)),
        ];
        print_sizes(effort, name, &rates);
    }
    powers(effort);
}

fn powers(effort: Effort) {
    let (wrong, right) = stepwise(effort, WHITE, (Law::Normal, 250), (3, 0.2));
    println!("\nstepwise, three of ten better by 0.2: false in {wrong:.4}, found {right:.3}");
    let effects = [0.0, 0.1, 0.15, 0.2, 0.3, 0.4];
    println!("\n| power, 250 eras, normal, gain | 0 | 0.1 | 0.15 | 0.2 | 0.3 | 0.4 |");
    println!("|---|---|---|---|---|---|---|");
    let rates = effects.map(|gain| {
        effort.rates(|seed| {
            let columns = world(Law::Normal, 250, 1, gain, seed);
            spa(effort, WHITE, &columns, seed).map(|p| p <= SIZE)
        })
    });
    let waves = effects.map(|gain| {
        effort.rate(|seed| {
            let columns = world(Law::Normal, 250, 1, gain, seed);
            spa(effort, WAVES, &columns, seed)[1] <= SIZE
        })
    });
    print_power("SPA consistent for overlap of 4, one of ten better", &waves);
    for (form, name) in ["lower", "consistent", "upper"].into_iter().enumerate() {
        let rates = rates.map(|rate| rate[form]);
        print_power(&format!("SPA {name}, one of ten better"), &rates);
    }
    print_power(
        "reality check, one of ten better",
        &effects.map(|gain| reality_check(effort, Law::Normal, 250, gain)),
    );
    let found = effects.map(|gain| stepwise(effort, WHITE, (Law::Normal, 250), (3, gain)).1);
    print_power("stepwise, share found of three of ten", &found);
    for (name, equality) in [("max", Equality::Max), ("range", Equality::Range)] {
        let form = (equality, WHITE);
        let left = effects.map(|gain| {
            let size = |seed| {
                let columns = world(Law::Normal, 250, 1, gain, seed);
                members(effort, form, &columns, seed).len() as f64 / MODELS as f64
            };
            1.0 - effort.mean(size)
        });
        print_power(&format!("set, {name}: share left out, one of ten better"), &left);
    }
}
