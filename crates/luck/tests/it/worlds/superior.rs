//! Reality check, SPA, stepwise test, model confidence set.

use fattail_luck::{ConfidenceSet, Equality, Resampling, Studentised, Superior};

use super::draw::{Law, slices, source};
use super::{Effort, SIZE, print_power, print_sizes};

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

pub(crate) fn brief(effort: Effort) -> Vec<(&'static str, f64)> {
    let spa = |law, eras| spa_rates(effort, WHITE, law, eras)[2];
    vec![
        ("SPA", spa(Law::Normal, 120)),
        ("SPA autoregressive", spa(Law::Autoregressive(0.3), 250)),
        ("stepwise", stepwise(effort, WHITE, (Law::Normal, 120), (0, 0.0)).0),
        ("set", left_out(effort, (Equality::Max, WHITE), Law::Normal, 120)),
    ]
}

pub(crate) fn power(effort: Effort, gain: f64) -> Vec<(&'static str, f64)> {
    let spa = effort.rate(|seed| {
        let columns = world(Law::Normal, 250, 1, gain, seed);
        spa(effort, WHITE, &columns, seed)[1] <= SIZE
    });
    vec![("SPA", spa), ("stepwise", stepwise(effort, WHITE, (Law::Normal, 250), (3, gain)).1)]
}

#[allow(clippy::too_many_lines, reason = "a table of tests is read as one list")]
pub(crate) fn tables(effort: Effort) {
    println!("\n| SPA, null: ten models and benchmark alike | lower | consistent | upper |");
    println!("|---|---|---|---|");
    let laws = [
        ("normal", Law::Normal),
        ("Student t5", Law::Fat),
        ("AR(1) 0.3", Law::Autoregressive(0.3)),
        ("AR(1) 0.5", Law::Autoregressive(0.5)),
        ("overlap of 4", Law::Overlap(4)),
    ];
    let scales = [
        ("unscaled", Studentised::No),
        ("ω̂*", Studentised::Bootstrap),
        ("prewhitened", WHITE),
        ("overlap 4", WAVES),
    ];
    for (name, law) in laws {
        for eras in [250] {
            for (mark, studentised) in scales {
                let rates = spa_rates(effort, studentised, law, eras);
                print_sizes(effort, &format!("{name}, {eras} eras, {mark}"), &rates);
            }
        }
    }
    println!(
        "\n| others, same null | reality check | stepwise | stepwise, overlap 4 | set, max \
         | overlap 4 | ω̂* | set, range | overlap 4 | ω̂* |\n|---|---|---|---|---|---|---|---|---|---|"
    );
    for (name, law) in laws {
        for eras in [250] {
            let rates = [
                reality_check(effort, law, eras, 0.0),
                stepwise(effort, WHITE, (law, eras), (0, 0.0)).0,
                stepwise(effort, WAVES, (law, eras), (0, 0.0)).0,
                left_out(effort, (Equality::Max, WHITE), law, eras),
                left_out(effort, (Equality::Max, WAVES), law, eras),
                left_out(effort, (Equality::Max, Studentised::Bootstrap), law, eras),
                left_out(effort, (Equality::Range, WHITE), law, eras),
                left_out(effort, (Equality::Range, WAVES), law, eras),
                left_out(effort, (Equality::Range, Studentised::Bootstrap), law, eras),
            ];
            print_sizes(effort, &format!("{name}, {eras} eras"), &rates);
        }
    }
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
    print_power("SPA consistent, overlap 4, one of ten better", &waves);
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
