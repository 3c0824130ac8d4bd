//! Faults planted in engines of tensors on the CPU: what the log says, and how the run ends.

use fattail_core::Fit as _;
use fattail_descent::{Constant, Huber, Objective, Pearson, Sequence, Squared};
use fattail_mlp::{Head, Network};
use fattail_neural::{
    AdamW, Adapter, Adjacency, Architecture, FeatureTransformer, GraphNet, Kernel, Learner,
    NeuralModel, Recurrent, Regime, RobustMlp, SequenceTransformer, Vae,
    layers::{Cell, EncoderShape},
    nets::SequenceShape,
};
use fattail_training::{
    Action, Batch, Desk, Engine, Fault, Footprint, Order, Outcome, Policies, Probe, Reading,
    Response, Run, Samples, Snapshot, Stopped, Symptom, Training, Update,
};

use crate::learners::{panel, regime};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Plant {
    Nothing,
    /// NaN among the features of the n-th gradient.
    Nan(u64),
    /// Memory for so many samples alone, from the n-th gradient on.
    Memory(u64, usize),
    /// The device is lost at the n-th gradient.
    Lost(u64),
    /// The device has memory for so many samples, and says so.
    Free(usize),
}

/// An engine of tensors in which something goes wrong.
struct Faulty<'a> {
    inner: Box<dyn Engine>,
    /// Makes it again, with weights of its own.
    fresh: &'a dyn Fn() -> Box<dyn Engine>,
    plant: Plant,
    gradients: u64,
    on_device: bool,
}

impl<'a> Faulty<'a> {
    fn new(fresh: &'a dyn Fn() -> Box<dyn Engine>, plant: Plant) -> Self {
        Self { inner: fresh(), fresh, plant, gradients: 0, on_device: true }
    }
}

impl Engine for Faulty<'_> {
    fn identity(&self) -> String {
        self.inner.identity()
    }

    fn mass(&self, batch: &Batch<'_>) -> f64 {
        self.inner.mass(batch)
    }

    fn gradient(&mut self, batch: &Batch<'_>, share: f64) -> Result<f64, Fault> {
        let now = self.gradients;
        self.gradients += 1;
        let (samples, reason) = (batch.target.len(), "planted".to_owned());
        let fault = match self.plant {
            Plant::Nan(at) if now == at => {
                let mut features = batch.features.to_vec();
                features[0] = f32::NAN;
                return self.inner.gradient(&Batch { features: &features, ..*batch }, share);
            }
            Plant::Memory(from, most) if now >= from && samples > most => {
                Fault::OutOfMemory { reason }
            }
            Plant::Lost(at) if now >= at && self.on_device => Fault::DeviceLost { reason },
            _ => return self.inner.gradient(batch, share),
        };
        self.inner.discard();
        Err(fault)
    }

    fn apply(&mut self, update: &Update) -> Result<Outcome, Fault> {
        self.inner.apply(update)
    }

    fn discard(&mut self) {
        self.inner.discard();
    }

    fn predict(&mut self, batch: &Batch<'_>, out: &mut [f32]) -> Result<(), Fault> {
        self.inner.predict(batch, out)
    }

    fn snapshot(&mut self) -> Result<Snapshot, Fault> {
        self.inner.snapshot()
    }

    fn restore(&mut self, snapshot: &Snapshot) -> Result<(), Fault> {
        self.inner.restore(snapshot)
    }

    fn slope(&mut self, batch: &Batch<'_>) -> Result<Vec<f32>, Fault> {
        self.inner.slope(batch)
    }

    fn set_weights(&mut self, weights: &[f32]) -> Result<(), Fault> {
        self.inner.set_weights(weights)
    }

    fn probe(&mut self, batch: &Batch<'_>) -> Result<Vec<Probe>, Fault> {
        self.inner.probe(batch)
    }

    fn footprint(&self, samples: usize) -> Footprint {
        self.inner.footprint(samples)
    }

    fn free_memory(&self) -> Option<u64> {
        match self.plant {
            Plant::Free(samples) => Some(self.footprint(samples).total()),
            _ => None,
        }
    }

    fn leave_device(&mut self) -> Result<bool, Fault> {
        let left = self.on_device;
        if left {
            (self.inner, self.on_device) = ((self.fresh)(), false);
        }
        Ok(left)
    }
}

/// A perceptron and a transformer over windows, without noise.
fn networks() -> [Architecture; 2] {
    let perceptron = Network {
        inputs: 4,
        hidden: vec![8],
        input_norm: false,
        norm: true,
        residual: false,
        dropout: 0.0,
        head: Head::Identity,
    };
    let encoder = EncoderShape {
        width: 8,
        heads: 2,
        hidden: 8,
        norm_first: true,
        causal: true,
        gelu: true,
        rotary: Some(100.0),
        dropout: 0.0,
        recompute: false,
    };
    let sequence = SequenceShape { inputs: 4, window: 3, layers: 1, encoder, sigmoid: false };
    [Architecture::Mlp(perceptron), Architecture::Sequence(sequence)]
}

fn training() -> Training {
    let rate = Constant { rate: 5e-3 }.into();
    Training { epochs: 4, batch_size: 50, rate, ..Training::default() }
}

/// The run, and the weights at its end.
fn train(
    network: &Architecture,
    training: &Training,
    objective: Objective,
    plant: Plant,
) -> (Run, Vec<f32>) {
    // The head's bias plays no part in a correlation: its gradient is rounding, and moves nothing.
    let optimiser = AdamW { epsilon: 1e-4, ..AdamW::default() };
    let regime = Regime { training: training.clone(), objective, optimiser, ..Regime::default() };
    let fresh = || {
        let weights = network.start(3).unwrap();
        regime.engine(network, Kernel::Tensors, &weights).unwrap()
    };
    let reading = Reading { window: network.window(), ..Reading::default() };
    let samples = Samples::known(&panel(20), &reading).unwrap();
    let mut engine = Faulty::new(&fresh, plant);
    let run = training.run(&mut engine, &samples, &objective, Desk::default()).unwrap();
    let weights = engine.snapshot().unwrap().weights;
    (run, weights.into_iter().flat_map(|tensor| tensor.values).collect())
}

fn huber() -> Objective {
    Huber { delta: 0.1 }.into()
}

/// Ends well: everything is finite, and the loss fell.
fn assert_well(run: &Run, weights: &[f32]) {
    assert_eq!(run.stopped, Stopped::Finished, "{:?}", run.events);
    assert!(weights.iter().all(|weight| weight.is_finite()));
    let [first, last] = [run.history.first(), run.history.last()].map(|epoch| {
        let epoch = epoch.expect("an epoch");
        epoch.train_loss
    });
    assert!(last < first, "{first}, then {last}");
}

fn assert_near(a: &[f32], b: &[f32], within: f32) {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() <= within, "{a} {b}");
    }
}

#[test]
fn a_nan_in_a_batch_costs_one_step() {
    for network in networks() {
        let (run, weights) = train(&network, &training(), huber(), Plant::Nan(27));
        let [event] = run.events.as_slice() else { panic!("{:?}", run.events) };
        assert_eq!((event.epoch, event.step, event.response), (1, 27, Response::Skipped));
        // A ReLU takes NaN for 0: then the gradient tells.
        assert!(
            matches!(
                event.symptom,
                Symptom::NonFiniteLoss { .. } | Symptom::NonFiniteGradient { .. }
            ),
            "{event}"
        );
        assert_eq!((run.history[1].skipped, run.history[0].skipped), (1, 0));
        assert_well(&run, &weights);
    }
}

#[test]
fn an_exploding_rate_is_lowered_until_training_goes_on() {
    let parts = vec![Constant { rate: 5e-3 }.into(), Constant { rate: 5.0 }.into()];
    let rate = Sequence { parts, milestones: vec![63] }.into();
    // Weights that are thrown far away may leave no unit alive, and then gradients do not explode.
    let [exploding, dead] = [Action::Restore { factor: 0.01 }; 2];
    let policies = Policies { exploding, dead, snapshot_every: 20, ..Policies::default() };
    let training =
        Training { rate, policies, epochs: 8, look_every: 1, clip_norm: None, ..training() };
    for network in networks() {
        let (run, weights) = train(&network, &training, Squared.into(), Plant::Nothing);
        let first = run.events.first().map(|event| event.response);
        assert_eq!(first, Some(Response::Restored { step: 60, factor: 0.01 }));
        for event in &run.events {
            assert!(
                matches!(event.symptom, Symptom::ExplodingNorm { .. } | Symptom::DeadUnits { .. }),
                "{event}"
            );
            assert!(matches!(event.response, Response::Restored { .. }), "{event}");
        }
        assert!(run.history.last().unwrap().rate < 1.0);
        assert_well(&run, &weights);
    }
}

#[test]
fn out_of_memory_keeps_the_effective_batch() {
    for network in networks() {
        // Batches of half the size, two a step: what the run has from the fault on.
        let halves = Training { batch_size: 25, accumulate: 2, ..training() };
        let (smooth, expected) = train(&network, &halves, huber(), Plant::Nothing);
        let (run, weights) = train(&network, &training(), huber(), Plant::Memory(12, 30));
        let [event] = run.events.as_slice() else { panic!("{:?}", run.events) };
        assert_eq!((event.step, event.response), (12, Response::HalvedBatch { samples: 25 }));
        assert!(matches!(event.symptom, Symptom::OutOfMemory { samples: 50, .. }), "{event}");
        assert_eq!((run.steps, run.history.len()), (smooth.steps, smooth.history.len()));
        assert_near(&weights, &expected, 1e-3);
        assert_well(&run, &weights);
    }
}

#[test]
fn eras_count_alike_however_they_go_together() {
    let network = &networks()[0];
    let whole = Training { batch_size: 100, order: Order::Eras, ..training() };
    let (smooth, expected) = train(network, &whole, Pearson.into(), Plant::Nothing);
    let (run, weights) = train(network, &whole, Pearson.into(), Plant::Memory(0, 50));
    assert!(smooth.events.is_empty());
    assert_eq!(run.events[0].response, Response::HalvedBatch { samples: 50 });
    assert_near(&weights, &expected, 1e-3);
    assert_well(&run, &weights);
}

#[test]
fn a_lost_device_is_left_and_nothing_is_lost_with_it() {
    let policies = Policies { snapshot_every: 7, ..Policies::default() };
    let training = Training { policies, ..training() };
    for network in networks() {
        let (smooth, expected) = train(&network, &training, huber(), Plant::Nothing);
        let (run, weights) = train(&network, &training, huber(), Plant::Lost(31));
        let [event] = run.events.as_slice() else { panic!("{:?}", run.events) };
        assert_eq!((event.step, event.response), (31, Response::FellBack { step: 28 }));
        assert!(matches!(event.symptom, Symptom::DeviceLost { .. }), "{event}");
        let losses =
            |run: &Run| -> Vec<f64> { run.history.iter().map(|epoch| epoch.train_loss).collect() };
        assert_eq!((losses(&run), &weights), (losses(&smooth), &expected), "the same bits");
        assert_well(&run, &weights);
    }
}

#[test]
fn a_device_that_tells_its_free_memory_is_not_overfilled() {
    for network in networks() {
        let halves = Training { batch_size: 25, accumulate: 2, ..training() };
        let (_, expected) = train(&network, &halves, huber(), Plant::Nothing);
        let (run, weights) = train(&network, &training(), huber(), Plant::Free(25));
        let [event] = run.events.as_slice() else { panic!("{:?}", run.events) };
        assert_eq!((event.step, event.response), (0, Response::HalvedBatch { samples: 25 }));
        assert!(matches!(event.symptom, Symptom::OverBudget { samples: 50, .. }), "{event}");
        assert_eq!(weights, expected, "the same bits");
        let whole = Training { divide: false, ..training() };
        let fresh = || {
            let weights = network.start(3).unwrap();
            Regime::default().engine(&network, Kernel::Tensors, &weights).unwrap()
        };
        let mut engine = Faulty::new(&fresh, Plant::Free(25));
        let reading = Reading { window: network.window(), ..Reading::default() };
        let samples = Samples::known(&panel(4), &reading).unwrap();
        let refused = whole.run(&mut engine, &samples, &huber(), Desk::default()).unwrap_err();
        assert!(refused.to_string().contains("25 samples would fit"), "{refused}");
    }
}

/// Kills a fit at its `kill`-th step, and goes on from the last checkpoint.
fn resumed(kill: u64, fit: &dyn Fn(Desk<'_>) -> Vec<u8>) -> Vec<u8> {
    let left = std::cell::Cell::new(kill);
    let killed = || {
        left.set(left.get().saturating_sub(1));
        left.get() == 0
    };
    let mut last: Vec<u8> = Vec::new();
    let mut sink = |bytes: &[u8]| {
        // What comes after the kill was never written.
        if left.get() > 0 {
            last = bytes.to_vec();
        }
        Ok(())
    };
    fit(Desk { sink: Some(&mut sink), interrupt: Some(&killed), ..Desk::default() });
    let resume = (!last.is_empty()).then_some(last.as_slice());
    fit(Desk { resume, ..Desk::default() })
}

/// Fits with somebody beside and gives the model's bytes.
type Fitting<'a> = &'a dyn Fn(Desk<'_>) -> Vec<u8>;

#[test]
fn every_network_ends_with_the_same_bytes_when_it_was_killed() {
    let data = panel(8);
    let two = Training { checkpoint_every: 3, ..regime(2).training };
    let regime = Regime { training: two, ..regime(2) };
    let bytes = |model: NeuralModel| model.to_bytes().unwrap();
    let recurrent = |cell| Recurrent {
        cell,
        window: 3,
        hidden: 6,
        layers: 2,
        regime: regime.clone(),
        ..Recurrent::default()
    };
    let (lstm, gru) = (recurrent(Cell::Lstm), recurrent(Cell::Gru));
    let sequence = SequenceTransformer {
        window: 3,
        width: 8,
        heads: 2,
        hidden: 8,
        layers: 1,
        regime: regime.clone(),
        ..SequenceTransformer::default()
    };
    let adjacency = Adjacency::Nearest { neighbours: 2 };
    let graph = GraphNet { adjacency, width: 8, regime: regime.clone(), ..GraphNet::default() };
    let vae = Vae { latent: 2, hidden: 8, regime: regime.clone(), ..Vae::default() };
    let old = lstm.fit(&data).unwrap();
    let adapter = Adapter { rank: 2, alpha: 4.0, regime };
    let fits: [(&str, Fitting<'_>); 6] = [
        ("lstm", &|desk| bytes(lstm.fit_with(&data, desk).unwrap())),
        ("gru", &|desk| bytes(gru.fit_with(&data, desk).unwrap())),
        ("sequence", &|desk| bytes(sequence.fit_with(&data, desk).unwrap())),
        ("graph", &|desk| bytes(graph.fit_with(&data, desk).unwrap())),
        ("vae", &|desk| bytes(vae.fit_with(&data, desk).unwrap().model)),
        ("adapter", &|desk| bytes(adapter.fit_with(&old, &data, desk).unwrap())),
    ];
    for (what, fit) in fits {
        let whole = fit(Desk::default());
        for kill in [1, 5, 11] {
            assert!(whole == resumed(kill, fit), "{what}, killed at {kill}");
        }
    }
}

#[test]
fn every_learner_tells_that_its_run_was_given_up() {
    let data = panel(6);
    let stop = Action::Stop;
    let policies =
        Policies { non_finite_loss: stop, non_finite_gradient: stop, ..Policies::default() };
    // Weights that no sum of a few holds.
    let rate = Constant { rate: 3e38 }.into();
    let wild = Training { rate, policies, ..regime(1).training };
    let wild = || Regime { training: wild.clone(), ..regime(1) };
    let given_up = |what: &str, model: &NeuralModel| {
        let run = model.run.as_ref().expect("it was trained here");
        assert!(matches!(run.stopped, Stopped::GaveUp(_)), "{what}: {:?}", run.stopped);
        let mut weights = model.weights.iter().flat_map(|tensor| &tensor.values);
        assert!(weights.all(|weight| weight.is_finite()), "{what}");
    };
    for kernel in [Kernel::Fused, Kernel::Tensors] {
        let learner =
            RobustMlp { kernel, head: Head::Identity, regime: wild(), ..RobustMlp::default() };
        given_up("mlp", &learner.fit(&data).unwrap());
    }
    let features = FeatureTransformer { regime: wild(), ..FeatureTransformer::default() };
    given_up("features", &features.fit(&data).unwrap());
    let sequence =
        SequenceTransformer { window: 3, regime: wild(), ..SequenceTransformer::default() };
    given_up("sequence", &sequence.fit(&data).unwrap());
    let recurrent = Recurrent { window: 3, regime: wild(), ..Recurrent::default() };
    given_up("recurrent", &recurrent.fit(&data).unwrap());
    let adjacency = Adjacency::Nearest { neighbours: 2 };
    let graph = GraphNet { adjacency, regime: wild(), ..GraphNet::default() };
    given_up("graph", &graph.fit(&data).unwrap());
    let vae = Vae { latent: 2, hidden: 8, regime: wild(), ..Vae::default() };
    given_up("vae", &vae.fit(&data).unwrap().model);
    let sound = Recurrent { window: 3, regime: regime(1), ..Recurrent::default() };
    let adapter = Adapter { rank: 2, alpha: 4.0, regime: wild() };
    given_up("adapter", &adapter.fit(&sound.fit(&data).unwrap(), &data).unwrap());
}
