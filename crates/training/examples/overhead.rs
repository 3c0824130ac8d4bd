//! What the loop costs beside the engine: 914,247 samples of 5 values, 16 a step, shuffled, with an
//! engine that does nothing. Prints nanoseconds a step, and what planning an epoch takes.

#![allow(clippy::print_stdout, reason = "an example tells what it measured")]
#![allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use std::time::Instant;

use fattail_core::Panel;
use fattail_descent::{Cosine, Linear, Sequence, Squared};
use fattail_training::{
    Batch, Desk, Engine, Fault, Footprint, Order, Outcome, Plan, Probe, Reading, Result, Samples,
    Snapshot, Training, Update,
};

const ROWS: usize = 914_247;

/// Looks at every value of a batch, and no more.
struct Idle {
    sum: f32,
}

impl Engine for Idle {
    fn gradient(&mut self, batch: &Batch<'_>, _: f64) -> Result<f64, Fault> {
        self.sum = batch.features.iter().chain(batch.target).sum();
        Ok(1.0)
    }

    fn apply(&mut self, _: &Update) -> Result<Outcome, Fault> {
        Ok(Outcome { norm: 1.0, applied: true })
    }

    fn discard(&mut self) {}

    fn predict(&mut self, _: &Batch<'_>, _: &mut [f32]) -> Result<(), Fault> {
        Ok(())
    }

    fn snapshot(&mut self) -> Result<Snapshot, Fault> {
        Ok(Snapshot::default())
    }

    fn restore(&mut self, _: &Snapshot) -> Result<(), Fault> {
        Ok(())
    }

    fn slope(&mut self, _: &Batch<'_>) -> Result<Vec<f32>, Fault> {
        Ok(Vec::new())
    }

    fn set_weights(&mut self, _: &[f32]) -> Result<(), Fault> {
        Ok(())
    }

    fn probe(&mut self, _: &Batch<'_>) -> Result<Vec<Probe>, Fault> {
        Ok(Vec::new())
    }

    fn footprint(&self, _: usize) -> Footprint {
        Footprint::default()
    }

    fn leave_device(&mut self) -> Result<bool, Fault> {
        Ok(false)
    }
}

fn main() -> Result<()> {
    let mut builder = Panel::builder();
    for feature in 0..5 {
        let values: Vec<f32> = (0..ROWS).map(|row| ((row * 31 + feature) % 97) as f32).collect();
        builder = builder.feature(format!("x{feature}"), values);
    }
    let panel = builder.target("y", vec![0.5f32; ROWS]).build()?;
    let rate = Sequence {
        parts: vec![
            Linear { from: 1e-6, to: 1e-4, steps: 1000 }.into(),
            Cosine { high: 1e-4, low: 1e-6, period: 57_000, growth: 1 }.into(),
        ],
        milestones: vec![1000],
    };
    let training = Training { epochs: 1, batch_size: 16, rate: rate.into(), ..Training::default() };
    for (name, memory) in [("packed", u64::MAX), ("columns", 0)] {
        let samples = Samples::known(&panel, &Reading { memory, ..Reading::default() })?;
        let mut plan = Plan::default();
        for _ in 0..5 {
            let start = Instant::now();
            plan.arrange(&samples, Order::Shuffled, 16, (1, 2));
            let planning = start.elapsed();
            let mut engine = Idle { sum: 0.0 };
            let start = Instant::now();
            let run = training.run(&mut engine, &samples, &Squared, Desk::default())?;
            let whole = start.elapsed();
            let step = whole.as_nanos() / u128::from(run.steps);
            println!("{name}: planning {planning:?}, epoch {whole:?}, {step} ns a step");
        }
    }
    Ok(())
}
