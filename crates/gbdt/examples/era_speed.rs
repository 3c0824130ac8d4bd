//! What listening to eras costs: 100 eras of 1000 rows, 300 columns of 5 bins, 10 trees.
//!
//! The first argument names the criterion; run it under a clock that counts processor seconds.

use fattail_core::{Fit, Panel, Result};
use fattail_gbdt::{Criterion, EraSettings, Gbdt};
use fattail_stats::{Counter, below};

const ERAS: usize = 100;
const ROWS: usize = ERAS * 1000;
const COLUMNS: usize = 300;

fn main() -> Result<()> {
    let name = std::env::args().nth(1).unwrap_or_default();
    let criterion = match name.as_str() {
        "directional" => Criterion::Directional { power: 2.0, least: 0.5 },
        "t" => Criterion::TStatistic { least: 2.0 },
        "split" => Criterion::EraSplit { alpha: 0.0, gamma: 1.0, directional: 1.0, pooled: 0.0 },
        _ => Criterion::Pooled,
    };
    let rounds = if name == "none" { 0 } else { 10 };
    let eras = EraSettings { criterion, ..EraSettings::default() };
    let model = Gbdt { rounds, eras, ..Gbdt::default() }.fit(&panel()?)?;
    assert_eq!(model.rounds, rounds);
    Ok(())
}

fn panel() -> Result<Panel> {
    let mut random = Counter::new(1).draw(0);
    let labels: Vec<String> = (0..ROWS).map(|row| format!("{:03}", row * ERAS / ROWS)).collect();
    let mut target = vec![0.0f32; ROWS];
    let mut builder = Panel::builder().eras(&labels)?;
    for at in 0..COLUMNS {
        let column: Vec<u8> = (0..ROWS).map(|_| below(&mut random, 5) as u8).collect();
        for (y, &x) in target.iter_mut().zip(&column) {
            *y += (f32::from(x) - 2.0) / (1 + at) as f32;
        }
        builder = builder.feature(format!("f{at}").as_str(), column);
    }
    target.iter_mut().for_each(|y| *y += below(&mut random, 1000) as f32 / 200.0);
    builder.target("target", target).build()
}
