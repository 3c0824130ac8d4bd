//! A run under way: what it holds, and the loop over steps and epochs.

use fattail_descent::{Loss, Schedule};

use super::{Desk, Entry, State, Stopped, epoch::Judge, recover::Trouble};
use crate::{
    Budget, Buffer, Engine, Event, Extent, Plan, Response, Result, Samples, Snapshot, Symptom,
    Training,
    average::Mean,
    checkpoint::{Marks, flat},
    diagnosis::Bounds,
    memory::TOGETHER,
    mix,
};

/// The last good moment.
#[derive(Debug)]
pub(super) struct Good {
    pub(super) snapshot: Snapshot,
    pub(super) average: Option<Vec<f32>>,
}

/// The run.
pub(super) struct Runner<'a, 'd> {
    pub(super) settings: &'a Training,
    pub(super) engine: &'a mut dyn Engine,
    pub(super) desk: Desk<'d>,
    pub(super) train: Samples,
    pub(super) judge: Option<Judge<'a>>,
    /// What checkpoints must agree on.
    pub(super) marks: Marks,
    pub(super) bounds: Bounds,
    pub(super) plan: Plan,
    /// The epoch that the plan is of.
    pub(super) planned: Option<u64>,
    pub(super) buffer: Buffer,
    pub(super) state: State,
    pub(super) good: Good,
    pub(super) best: Option<Vec<f32>>,
    pub(super) average: Mean,
    /// Steps in all.
    total: u64,
}

impl<'a, 'd> Runner<'a, 'd> {
    pub(super) fn new(
        settings: &'a Training,
        engine: &'a mut dyn Engine,
        samples: &Samples,
        loss: &'a dyn Loss,
        desk: Desk<'d>,
    ) -> Result<Self> {
        let (train, held) = match &settings.holdout {
            Some(holdout) => {
                let (train, held) = holdout.split(samples)?;
                (train, Some(held))
            }
            None => (samples.clone(), None),
        };
        let checkpoints = desk.sink.is_some() || desk.resume.is_some();
        let extent = Extent::of(samples, &train, held.as_ref());
        let state = preflight(settings, engine, &extent)?;
        let marks = Marks {
            engine: engine.identity(),
            settings: settings.fingerprint(),
            samples: if checkpoints { samples.fingerprint() } else { 0 },
        };
        let snapshot = engine.snapshot()?;
        let mut runner = Self {
            settings,
            engine,
            desk,
            judge: held.map(|held| Judge::new(held, loss)),
            marks,
            bounds: Bounds::new(&settings.thresholds),
            train,
            plan: Plan::default(),
            planned: None,
            buffer: Buffer::default(),
            state,
            good: Good { snapshot, average: None },
            best: None,
            average: Mean::default(),
            total: 0,
        };
        runner.arrange();
        runner.total = (runner.plan.steps() as u64).saturating_mul(settings.epochs);
        match runner.desk.resume {
            Some(bytes) => runner.resume(bytes)?,
            None => runner.tell_of_memory(),
        }
        Ok(runner)
    }

    /// Goes on until something ends the run.
    pub(super) fn drive(&mut self) -> Result<Stopped> {
        let every = (self.total / 1000).max(1);
        let mut due = self.state.cursor.step;
        while self.state.cursor.epoch < self.settings.epochs {
            if self.desk.interrupt.is_some_and(|interrupt| interrupt()) {
                self.keep().map_err(Trouble::into_error)?;
                return Ok(Stopped::Interrupted);
            }
            if self.state.cursor.step >= due {
                self.tell();
                due = self.state.cursor.step + every;
            }
            if let Some(stopped) = self.advance()? {
                return Ok(stopped);
            }
        }
        Ok(Stopped::Finished)
    }

    /// A step or the end of an epoch, and what recovery it needs.
    fn advance(&mut self) -> Result<Option<Stopped>> {
        self.arrange();
        let over = self.state.cursor.batch >= self.plan.steps() as u64;
        let mut done = if over { self.close_epoch() } else { self.step() };
        loop {
            match done {
                Ok(stopped) => return Ok(stopped),
                Err(Trouble::Fatal(error)) => return Err(error),
                Err(Trouble::Fault(fault, context)) => done = self.recover(fault, context),
            }
        }
    }

    /// Plans the epoch that the cursor is in. The number of steps is the same in each but for
    /// orders by eras.
    pub(super) fn arrange(&mut self) {
        let epoch = self.state.cursor.epoch;
        if self.planned != Some(epoch) {
            let (order, size) = (self.settings.order, self.settings.step_size());
            self.plan.arrange(&self.train, order, size, (self.settings.seed, epoch));
            self.buffer.forget();
            self.planned = Some(epoch);
        }
    }

    pub(super) fn tell(&self) {
        let done = self.state.cursor.step;
        let total = self.total.max(done);
        (self.desk.observer)(fattail_core::Progress { stage: "training", done, total });
    }

    pub(super) fn rate(&self) -> f64 {
        self.settings.rate.rate(self.state.cursor.step) * self.state.factor
    }

    /// What noise is a function of: the step, and the first sample of what goes together.
    pub(super) fn key(&self, first: usize) -> u64 {
        let cursor = &self.state.cursor;
        let place = cursor.epoch << 40 ^ cursor.batch;
        mix::fold(mix::fold(self.settings.seed, place), first as u64)
    }

    pub(super) fn log(&mut self, symptom: Symptom, response: Response) {
        let (epoch, step) = (self.state.cursor.epoch, self.state.cursor.step);
        let event = Event { epoch, step, symptom, response };
        self.desk.write(Entry::Event(&event));
        self.state.events.push(event);
    }

    /// Writes down what was decided before the first step.
    fn tell_of_memory(&mut self) {
        for event in &self.state.events {
            self.desk.write(Entry::Event(event));
        }
    }

    /// Takes what the engine holds now as good.
    pub(super) fn remember(&mut self, snapshot: Snapshot) {
        self.good = Good { snapshot, average: self.average.weights.clone() };
        self.state.cursor.averaged = self.average.count;
        self.state.good = self.state.cursor;
        self.state.good_step = self.state.cursor.step;
    }

    /// The weights that would be returned if the run ended with these.
    pub(super) fn candidate(&self, snapshot: &Snapshot) -> Vec<f32> {
        self.average.weights.clone().unwrap_or_else(|| flat(&snapshot.weights))
    }
}

/// What fits the memory allowed and the memory that the device has free, and the state that a run begins
/// with.
fn preflight(settings: &Training, engine: &dyn Engine, extent: &Extent) -> Result<State> {
    // No step has more samples than there are.
    let batch = settings.batch_size.min(extent.train.max(1));
    let allowed = settings.memory.map(|_| settings.budget(engine, extent));
    // On the device lies the engine's part alone.
    let free = engine.free_memory().map(|bytes| Budget { bytes, ..Budget::default() });
    let mut state = State::new(batch, batch.max(TOGETHER));
    for budget in allowed.into_iter().chain(free) {
        if !settings.divide {
            budget.expect(engine, batch)?;
        }
        let micro = budget.fit(engine, state.micro)?;
        state.together = budget.fit(engine, state.together.max(micro))?.max(micro);
        if micro < state.micro {
            let (needs, budget) = (budget.needs(engine, state.micro), budget.bytes);
            let symptom = Symptom::OverBudget { samples: state.micro, needs, budget };
            let response = Response::HalvedBatch { samples: micro };
            state.events.push(Event { epoch: 0, step: 0, symptom, response });
        }
        state.micro = micro;
    }
    if state.micro == batch {
        state.micro = settings.batch_size;
    }
    Ok(state)
}
