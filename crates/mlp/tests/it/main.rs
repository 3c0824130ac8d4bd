//! The fused kernel against its plain twin, the twin against finite differences, and the promises:
//! the same bits for any number of threads, refused gradients, exact resumption.

mod plain;

use fattail_mlp::{Batch, Head, Kernel, Network, RowLoss, Update, small};
use plain::Plain;
use proptest::prelude::*;

/// Values between -1 and 1 from a counter.
fn values(seed: u64, count: usize) -> Vec<f32> {
    let value = |at: u64| {
        let z = (at + seed * 1_000_003).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let z = (z ^ (z >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        ((z >> 40) as f32) / (1_u32 << 23) as f32 - 1.0
    };
    (0..count as u64).map(value).collect()
}

fn robust() -> Network {
    Network {
        inputs: 5,
        hidden: vec![16, 8],
        input_norm: true,
        norm: true,
        residual: false,
        dropout: 0.1,
        head: Head::Sigmoid,
    }
}

/// Random weights everywhere, so that no norm's weight is exactly 1.
fn weights(network: &Network, seed: u64) -> Vec<f32> {
    let mut all = network.initial(seed).expect("a network in range");
    for (weight, noise) in all.iter_mut().zip(values(seed + 9, network.parameters())) {
        *weight += 0.2 * noise;
    }
    all
}

/// The worst difference, as a share of the largest value.
fn gap(found: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(1e-3, |most: f64, value| most.max(value.abs()));
    let gaps = found.iter().zip(expected).map(|(&found, expected)| f64::from(found) - expected);
    gaps.fold(0.0, |worst: f64, gap| worst.max(gap.abs())) / largest
}

fn losses() -> impl Strategy<Value = RowLoss> {
    prop_oneof![
        Just(RowLoss::Squared),
        Just(RowLoss::LogCosh),
        Just(RowLoss::Absolute),
        (0.05..2.0).prop_map(|delta| RowLoss::Huber { delta }),
        (0.1..0.9).prop_map(|level| RowLoss::Quantile { level }),
        (0.5..4.0).prop_map(|c| RowLoss::Tukey { c }),
    ]
}

fn networks() -> impl Strategy<Value = Network> {
    let widths = proptest::collection::vec(1_usize..21, 0..4);
    let switches = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    let dropout = prop_oneof![Just(0.0), 0.05..0.6];
    (1_usize..20, widths, switches, dropout, any::<bool>()).prop_map(
        |(inputs, mut hidden, (input_norm, norm, residual, same), dropout, sigmoid)| {
            if same {
                hidden = hidden.iter().map(|_| inputs).collect();
            }
            let head = if sigmoid { Head::Sigmoid } else { Head::Identity };
            Network { inputs, hidden, input_norm, norm, residual, dropout, head }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    /// Loss, gradient, predictions and three AdamW steps, on any network, loss and batch.
    #[test]
    fn agrees_with_the_twin(
        network in networks(),
        loss in losses(),
        rows in 1_usize..70,
        seed in 0_u64..1_000_000,
        weighted in any::<bool>(),
        clip_norm in prop_oneof![Just(None), (0.01..2.0).prop_map(Some)],
        clip_value in prop_oneof![Just(None), (0.001..0.5).prop_map(Some)],
    ) {
        let features = values(seed, rows * network.inputs);
        let mut target = values(seed + 1, rows);
        let mut weight: Vec<f32> = values(seed + 2, rows).iter().map(|w| w + 1.01).collect();
        if rows > 4 {
            target[2] = f32::NAN;
            weight[3] = 0.0;
        }
        let batch =
            Batch { features: &features, target: &target, weight: weighted.then_some(&weight[..]) };
        let start = weights(&network, seed);
        let mut plain = Plain::new(&network, loss, &start);
        let mut kernel = Kernel::new(network.clone(), loss, &start).unwrap();
        // A layer norm over one or two equal units divides by sqrt(1e-5): differences in the last
        // place grow by hundreds, which is no error of either side.
        let narrow = network.hidden.iter().copied().chain([network.inputs]).min().unwrap_or(9) < 3;
        let normed = network.norm || network.input_norm;
        let tolerance = if narrow && normed { 1e-2 } else { 2e-4 };
        let update = Update { rate: 1e-3, clip_norm, clip_value, epsilon: 1e-3, ..Update::default() };
        for key in 0..3 {
            let found = kernel.gradient(&batch, 0.5, key).unwrap();
            let expected = plain.learn(&batch, 0.5, key);
            prop_assert!((found - expected).abs() < 1e-3 * expected.abs() + 1e-6, "{found} {expected}");
            let worst = gap(&kernel.gradient_buffer(), &plain.gradient);
            prop_assert!(worst < tolerance, "gradient {worst}");
            let outcome = kernel.apply(&update).unwrap();
            let norm = plain.apply(&update);
            prop_assert!(outcome.applied);
            prop_assert!((outcome.norm - norm).abs() < tolerance * (norm + 1e-2));
            let worst = gap(&kernel.weights(), &plain.weights);
            prop_assert!(worst < tolerance, "weights {worst}");
        }
        let mut out = vec![0.0; rows];
        kernel.predict(&features, &mut out).unwrap();
        let expected: Vec<f64> =
            features.chunks(network.inputs).map(|row| plain.predict(row)).collect();
        let worst = gap(&out, &expected);
        prop_assert!(worst < tolerance, "predictions {worst}");
    }

    /// The twin's gradient is the slope of the twin's loss.
    #[test]
    fn the_twin_agrees_with_finite_differences(
        network in networks(),
        seed in 0_u64..1_000_000,
    ) {
        let (rows, loss) = (7, RowLoss::LogCosh);
        let (features, target) = (values(seed, rows * network.inputs), values(seed + 1, rows));
        let batch = Batch { features: &features, target: &target, weight: None };
        let mut plain = Plain::new(&network, loss, &weights(&network, seed));
        plain.learn(&batch, 1.0, 5);
        let gradient = plain.gradient.clone();
        for at in (0..gradient.len()).step_by(1 + gradient.len() / 25) {
            let middle = plain.weights[at];
            let mut slope = |step: f64| {
                plain.weights[at] = middle + step;
                let up = plain.learn(&batch, 1.0, 5);
                plain.weights[at] = middle - step;
                let down = plain.learn(&batch, 1.0, 5);
                plain.weights[at] = middle;
                (up - down) / (2.0 * step)
            };
            // Two steps must agree, or a unit's kink lies between them.
            let (slope, check) = (slope(1e-6), slope(3e-7));
            if (slope - check).abs() < 1e-6 {
                prop_assert!((slope - gradient[at]).abs() < 1e-5, "{slope} {} at {at}", gradient[at]);
            }
        }
    }
}

#[derive(serde::Deserialize)]
struct Reference {
    names: Vec<String>,
    features: Vec<f32>,
    target: Vec<f32>,
    weight: Vec<f32>,
    weights: Vec<f32>,
    prediction: Vec<f64>,
    loss: f64,
    gradient: Vec<f64>,
    norm: f64,
    stepped: Vec<f64>,
}

/// PyTorch's predictions within 1e-5, gradients within 1e-4, and weights after three steps.
#[test]
fn agrees_with_pytorch() {
    let expected: Reference = serde_json::from_str(include_str!("../reference/mlp.json")).unwrap();
    let network = Network { dropout: 0.0, ..robust() };
    let names: Vec<String> = network.tensors().into_iter().map(|tensor| tensor.name).collect();
    assert_eq!(names, expected.names);
    let loss = RowLoss::Huber { delta: 0.1 };
    let mut kernel = Kernel::new(network, loss, &expected.weights).unwrap();
    let mut out = vec![0.0; expected.target.len()];
    kernel.predict(&expected.features, &mut out).unwrap();
    for (found, expected) in out.iter().zip(&expected.prediction) {
        assert!((f64::from(*found) - expected).abs() < 1e-6, "{found} {expected}");
    }
    let (features, target) = (&expected.features[..], &expected.target[..]);
    let batch = Batch { features, target, weight: Some(&expected.weight) };
    let update =
        Update { rate: 0.01, weight_decay: 0.1, clip_norm: Some(0.01), ..Update::default() };
    for step in 0..3 {
        let found = kernel.gradient(&batch, 1.0, 0).unwrap();
        if step == 0 {
            assert!((found - expected.loss).abs() < 1e-7, "{found} {}", expected.loss);
            let worst = gap(&kernel.gradient_buffer(), &expected.gradient);
            assert!(worst < 2e-5, "{worst}");
        }
        let outcome = kernel.apply(&update).unwrap();
        assert!(step > 0 || (outcome.norm - expected.norm).abs() < 1e-6);
    }
    let worst = gap(&kernel.weights(), &expected.stepped);
    assert!(worst < 1e-5, "{worst}");
}

/// A thousand steps of the robust recipe stay beside the twin, which has more digits.
#[test]
fn a_thousand_steps_stay_beside_the_twin() {
    let network = robust();
    let (features, noise) = (values(1, 5 * 4_096), values(2, 4_096));
    let rows = features.chunks(5).zip(&noise);
    let target: Vec<f32> =
        rows.map(|(row, noise)| 0.5 + 0.2 * row[0] - 0.1 * row[1] * row[2] + 0.1 * noise).collect();
    let start = network.initial(3).unwrap();
    let loss = RowLoss::Huber { delta: 0.1 };
    let mut kernel = Kernel::new(network.clone(), loss, &start).unwrap();
    let mut plain = Plain::new(&network, loss, &start);
    let update = Update { rate: 1e-3, clip_norm: Some(1.0), ..Update::default() };
    let (mut early, mut late) = (0.0, 0.0);
    for step in 0..1_000 {
        let at = 16 * (step % 256);
        let batch = Batch {
            features: &features[5 * at..5 * (at + 16)],
            target: &target[at..at + 16],
            weight: None,
        };
        let found = kernel.gradient(&batch, 1.0, step as u64).unwrap();
        let expected = plain.learn(&batch, 1.0, step as u64);
        assert!((found - expected).abs() < 1e-5, "step {step}: {found} {expected}");
        kernel.apply(&update).unwrap();
        plain.apply(&update);
        if step < 100 {
            early += found;
        } else if step >= 900 {
            late += found;
        }
    }
    assert!(late < 0.8 * early, "nothing was learnt: {early} {late}");
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let network = robust();
    for rows in [511, 512, 1_000, 4_096, 20_001] {
        let (features, target) = (values(4, 5 * rows), values(5, rows));
        let train = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let start = network.initial(3).unwrap();
                let mut kernel = Kernel::new(network.clone(), RowLoss::LogCosh, &start).unwrap();
                let batch = Batch { features: &features, target: &target, weight: None };
                let mut losses = Vec::new();
                for key in 0..3 {
                    losses.push(kernel.gradient(&batch, 1.0, key).unwrap().to_bits());
                    kernel.apply(&Update::default()).unwrap();
                }
                let mut out = vec![0.0; rows];
                kernel.predict(&features, &mut out).unwrap();
                (losses, kernel.weights(), out)
            })
        };
        let one = train(1);
        assert!(one == train(2) && one == train(3), "{rows} rows");
    }
}

/// Chunks and blocks change nothing but rounding: a large batch is the sum of its small parts.
#[test]
fn a_large_batch_is_the_sum_of_its_parts() {
    let network = Network { dropout: 0.0, ..robust() };
    let rows = 1_600;
    let (features, target) = (values(4, 5 * rows), values(5, rows));
    let start = network.initial(3).unwrap();
    let mut whole = Kernel::new(network.clone(), RowLoss::Squared, &start).unwrap();
    let mut parts = whole.clone();
    let batch = Batch { features: &features, target: &target, weight: None };
    let loss = whole.gradient(&batch, 1.0, 0).unwrap();
    let mut sum = 0.0;
    for at in (0..rows).step_by(100) {
        let features = &features[5 * at..5 * (at + 100)];
        let batch = Batch { features, target: &target[at..at + 100], weight: None };
        sum += parts.gradient(&batch, 1.0 / 16.0, 0).unwrap() / 16.0;
    }
    assert!((loss - sum).abs() < 1e-6);
    let expected: Vec<f64> = parts.gradient_buffer().iter().map(|&g| f64::from(g)).collect();
    assert!(gap(&whole.gradient_buffer(), &expected) < 1e-5);
}

#[test]
fn a_planted_nan_is_refused_and_forgotten() {
    let network = robust();
    let start = network.initial(3).unwrap();
    let mut kernel = Kernel::new(network, RowLoss::Squared, &start).unwrap();
    let (mut features, target) = (values(4, 5 * 16), values(5, 16));
    let good = features.clone();
    let batch = |features| Batch { features, target: &target, weight: None };
    kernel.gradient(&batch(&good), 1.0, 0).unwrap();
    kernel.apply(&Update::default()).unwrap();
    let (weights, moments) = (kernel.weights(), kernel.moments());

    features[7] = f32::NAN;
    kernel.gradient(&batch(&features), 1.0, 1).unwrap();
    let outcome = kernel.apply(&Update::default()).unwrap();
    assert!(!outcome.applied && outcome.norm.is_nan());
    assert_eq!((kernel.weights(), kernel.moments()), (weights.clone(), moments.clone()));
    assert!(kernel.gradient_buffer().iter().all(|&g| g == 0.0));

    kernel.gradient(&batch(&good), 1.0, 1).unwrap();
    let outcome = kernel.apply(&Update { refuse_above: 1e-9, ..Update::default() }).unwrap();
    assert!(!outcome.applied && outcome.norm > 1e-9);
    assert_eq!((kernel.weights(), kernel.moments()), (weights, moments));
    kernel.gradient(&batch(&good), 1.0, 1).unwrap();
    assert!(kernel.apply(&Update::default()).unwrap().applied);
    assert_eq!(kernel.moments().step, 2);
}

/// Unknown rows are as if they were not there, whatever stands in their features.
#[test]
fn unknown_rows_teach_nothing() {
    let network = Network { dropout: 0.0, ..robust() };
    let start = network.initial(3).unwrap();
    let loss = RowLoss::Huber { delta: 0.1 };
    let (mut features, mut target, mut weight) = (values(4, 5 * 8), values(5, 8), vec![2.0; 8]);
    let mut short = Kernel::new(network.clone(), loss, &start).unwrap();
    let mut long = short.clone();
    let batch = Batch { features: &features, target: &target, weight: Some(&weight) };
    let expected = short.gradient(&batch, 1.0, 0).unwrap();
    features.extend([f32::NAN, f32::INFINITY, 1e38, -1e38, 0.0].repeat(4));
    target.extend([f32::NAN, f32::INFINITY, 0.0, 0.0]);
    weight.extend([1.0, 1.0, 0.0, f32::NAN]);
    let batch = Batch { features: &features, target: &target, weight: Some(&weight) };
    assert_eq!(long.gradient(&batch, 1.0, 0).unwrap(), expected);
    assert_eq!(long.gradient_buffer(), short.gradient_buffer());

    let target = [f32::NAN; 2];
    let batch = Batch { features: &features[..10], target: &target, weight: None };
    long.discard();
    assert!(long.gradient(&batch, 1.0, 0).unwrap().is_nan());
    assert!(long.gradient_buffer().iter().all(|&g| g == 0.0));
    let empty = Batch { features: &[], target: &[], weight: None };
    assert!(long.gradient(&empty, 1.0, 0).unwrap().is_nan());
    long.predict(&[], &mut []).unwrap();
}

#[test]
fn a_resumed_run_gives_the_same_bits() {
    let network = robust();
    let start = network.initial(3).unwrap();
    let loss = RowLoss::Huber { delta: 0.1 };
    let (features, target) = (values(4, 5 * 160), values(5, 160));
    let run = |kernel: &mut Kernel, steps: std::ops::Range<usize>| {
        for step in steps {
            let features = &features[5 * 16 * (step % 10)..][..80];
            let target = &target[16 * (step % 10)..][..16];
            kernel.gradient(&Batch { features, target, weight: None }, 1.0, step as u64).unwrap();
            kernel.apply(&Update::default()).unwrap();
        }
    };
    let mut whole = Kernel::new(network.clone(), loss, &start).unwrap();
    run(&mut whole, 0..50);
    let mut first = Kernel::new(network.clone(), loss, &start).unwrap();
    run(&mut first, 0..23);
    let saved = serde_json::to_string(&(first.weights(), first.moments())).unwrap();
    let (weights, moments) = serde_json::from_str::<(Vec<f32>, _)>(&saved).unwrap();
    let mut second = Kernel::new(network, loss, &weights).unwrap();
    second.set_moments(&moments).unwrap();
    run(&mut second, 23..50);
    assert_eq!((second.weights(), second.moments()), (whole.weights(), whole.moments()));
}

#[test]
fn dead_and_saturated_units_are_seen() {
    let network = Network { input_norm: false, norm: false, ..robust() };
    let mut weights = network.initial(3).unwrap();
    let tensors = network.tensors();
    let offset = |name: &str| tensors.iter().find(|tensor| tensor.name == name).unwrap().offset;
    // The first four units of layer 0 can never be positive; all of layer 1 always are.
    let first = offset("layers.0.linear.bias");
    weights[first..first + 4].fill(-100.0);
    let second = offset("layers.1.linear.bias");
    weights[second..second + 8].fill(100.0);
    let features = values(4, 5 * 100);
    let kernel = Kernel::new(network.clone(), RowLoss::Squared, &weights).unwrap();
    let seen = kernel.activations(&features).unwrap();
    assert!(seen.dead[0] >= 0.25 && seen.dead[0] < 1.0 && seen.dead[1] == 0.0, "{seen:?}");
    assert!(kernel.activations(&features[1..]).is_err());

    weights[offset("head.bias")] = 1e4;
    let kernel = Kernel::new(network.clone(), RowLoss::Squared, &weights).unwrap();
    assert_eq!(kernel.activations(&features).unwrap().saturated, 1.0);
    let identity = Network { head: Head::Identity, ..network };
    let kernel = Kernel::new(identity, RowLoss::Squared, &weights).unwrap();
    assert_eq!(kernel.activations(&features).unwrap().saturated, 0.0);
}

#[test]
fn wrong_arguments_are_refused_and_change_nothing() {
    let network = robust();
    let start = network.initial(3).unwrap();
    let loss = RowLoss::Squared;
    let message =
        |weights: &[f32]| Kernel::new(network.clone(), loss, weights).unwrap_err().to_string();
    assert_eq!(message(&start[1..]), "weights has 298 values, the shape asks for 299");
    let mut broken = start.clone();
    broken[7] = f32::NAN;
    assert_eq!(message(&broken), "weights is NaN at 7, allowed is finite");
    assert!(Kernel::new(Network { inputs: 0, ..network.clone() }, loss, &start).is_err());
    assert!(Kernel::new(network.clone(), RowLoss::Huber { delta: -1.0 }, &start).is_err());

    let mut kernel = Kernel::new(network, loss, &start).unwrap();
    let (features, target) = (values(4, 5 * 16), values(5, 16));
    let batch = |features, weight| Batch { features, target: &target, weight };
    assert!(kernel.gradient(&batch(&features[1..], None), 1.0, 0).is_err());
    assert!(kernel.gradient(&batch(&features, Some(&features[..3])), 1.0, 0).is_err());
    assert!(kernel.gradient(&batch(&features, None), f32::NAN, 0).is_err());
    assert!(kernel.predict(&features, &mut [0.0; 15]).is_err());
    kernel.gradient(&batch(&features, None), 1.0, 0).unwrap();
    let before = kernel.gradient_buffer();
    let defaults = Update::default;
    for update in [
        Update { rate: f64::NAN, ..defaults() },
        Update { rate: -1.0, ..defaults() },
        Update { beta1: 1.0, ..defaults() },
        Update { beta2: f64::NAN, ..defaults() },
        Update { epsilon: 0.0, ..defaults() },
        Update { weight_decay: f64::INFINITY, ..defaults() },
        Update { clip_norm: Some(0.0), ..defaults() },
        Update { clip_value: Some(f64::NAN), ..defaults() },
        Update { refuse_above: f64::NAN, ..defaults() },
    ] {
        assert!(kernel.apply(&update).is_err(), "{update:?}");
    }
    assert_eq!((kernel.weights(), kernel.gradient_buffer()), (start, before));
    let mut moments = kernel.moments();
    moments.second[3] = -1.0;
    let error = kernel.set_moments(&moments).unwrap_err().to_string();
    assert_eq!(error, "second is -1 at 3, allowed is 0 or more, finite");
}

#[test]
fn small_networks_are_told_from_large_ones() {
    assert!(small(&robust()));
    assert!(!small(&Network { hidden: vec![1_024, 1_024], ..robust() }));
    assert!(!small(&Network { inputs: 5_000, ..robust() }));
}

#[test]
fn kernels_cross_threads() {
    fn check<T: Send + Sync>() {}
    check::<Kernel>();
}
