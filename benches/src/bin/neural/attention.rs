//! Attention alone, forward and backward, 16 heads of 64: time and the most memory beside its inputs.

use std::error::Error;

use fattail::fused::attention::{Attention, Gradients, Inputs, Outputs};
use fattail_benches::{normal, seconds};
use serde_json::{Value, json};

use crate::memory;

const HEADS: usize = 16;
const WIDTH: usize = 64;

/// Rounds over windows of a length, as `benches/peers/neural/attention.py` times PyTorch.
pub(crate) fn measure(length: usize, rounds: usize) -> Result<Value, Box<dyn Error>> {
    let (heads, width) = (HEADS, WIDTH);
    let attention =
        Attention { heads, queries: length, keys: length, width, ..Attention::default() };
    let len = heads * length * width;
    let [query, key, value, grad_out] = [1, 2, 3, 4].map(|seed| normal(seed, len));
    let inputs = Inputs { query: &query, key: &key, value: &value, visible: None };
    let before = memory::reset();
    let (mut forward, mut both) = (Vec::with_capacity(rounds), Vec::with_capacity(rounds));
    for _ in 0..=rounds {
        let (mut out, mut log_sum) = (vec![0.0; len], vec![0.0; heads * length]);
        let (done, there) = seconds(|| attention.forward(&inputs, &mut out, &mut log_sum));
        done?;
        let outputs = Outputs { out: &out, log_sum: &log_sum, grad_out: &grad_out };
        let (done, back) = seconds(|| {
            let [mut query, mut key, mut value] = [vec![0.0; len], vec![0.0; len], vec![0.0; len]];
            let gradients = Gradients { query: &mut query, key: &mut key, value: &mut value };
            attention.backward(&inputs, &outputs, gradients)
        });
        done?;
        forward.push(1e3 * there);
        both.push(1e3 * (there + back));
    }
    let extra = memory::peak() - before;
    let median = |times: &[f64]| {
        let mut times = times[1..].to_vec();
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    Ok(json!({
        "length": length,
        "forward_ms": median(&forward),
        "forward_backward_ms": median(&both),
        "extra_bytes": extra,
    }))
}
