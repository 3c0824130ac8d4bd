#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods, missing_docs)]
use fattail_core::Panel;
use fattail_trees::{Forest, explain::Explainer};
use std::time::Instant;
fn cpu() -> f64 {
    let s = std::fs::read_to_string("/proc/self/stat").unwrap();
    let v: Vec<&str> = s.rsplit(')').next().unwrap().split_whitespace().collect();
    (v[11].parse::<f64>().unwrap() + v[12].parse::<f64>().unwrap()) / 100.0
}
fn main() {
    let name = std::env::args().nth(1).unwrap();
    let rows: usize = 20000;
    let forest: Forest = serde_json::from_str(
        &std::fs::read_to_string(format!("/tmp/shapbench/{name}.json")).unwrap(),
    )
    .unwrap();
    let x: Vec<f32> = std::fs::read(format!("/tmp/shapbench/{name}.x"))
        .unwrap()
        .chunks_exact(4)
        .map(|b| f32::from_le_bytes(b.try_into().unwrap()))
        .collect();
    let c: Vec<f64> = std::fs::read(format!("/tmp/shapbench/{name}.c"))
        .unwrap()
        .chunks_exact(8)
        .map(|b| f64::from_le_bytes(b.try_into().unwrap()))
        .collect();
    let u8s = std::env::args().nth(2).is_some();
    let mut p = Panel::builder();
    for (at, f) in forest.features.iter().enumerate() {
        let col = x[at * rows..(at + 1) * rows].to_vec();
        p = if u8s {
            p.feature(f.name.as_str(), col.iter().map(|&x| x as u8).collect::<Vec<u8>>())
        } else {
            p.feature(f.name.as_str(), col)
        };
    }
    let panel = p.build().unwrap();
    let e = Explainer::new(&forest).unwrap();
    let mut times = vec![];
    for _ in 0..3 {
        let t = Instant::now();
        let c0 = cpu();
        let s = e.shap(&panel).unwrap();
        times.push(cpu() - c0);
        let _ = t;
        let worst = s.values.iter().zip(&c).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        if times.len() == 1 {
            println!("worst difference {worst:e}");
        }
    }
    times.sort_by(f64::total_cmp);
    println!("{name} shap 20000 rows: median {:.4} best {:.4}", times[1], times[0]);
    let row: Vec<f64> = (0..forest.features.len()).map(|at| x[at * rows] as f64).collect();
    let t = cpu();
    for _ in 0..100 {
        std::hint::black_box(e.shap_row(&row).unwrap());
    }
    println!("{name} one row {:.6}", (cpu() - t) / 100.0);
}
