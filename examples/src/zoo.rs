//! The models of the weekly job from the options of its command line.

use fattail::{Panel, evaluate::Horizon, linear::Ridge, neural::Vae};

use crate::{BoostedArgs, Kind, Learner, Method, NetworkArgs, Outcome, memory::rounded};

/// What learners are made of.
#[derive(Debug, Clone, Copy)]
pub struct Zoo<'a> {
    /// Options of boosted trees.
    pub boosted: &'a BoostedArgs,
    /// Options of networks.
    pub networks: &'a NetworkArgs,
    /// Eras between what is trained on and what is judged.
    pub gap: usize,
    /// How far targets reach.
    pub horizon: &'a Horizon,
    /// Bytes that training a model may take at most, where the command line says so.
    pub max_memory: Option<u64>,
    /// Bytes that the machine leaves, where it is known.
    pub free: Option<u64>,
    /// The seed.
    pub seed: u64,
}

impl Zoo<'_> {
    /// The learners, each with what the report tells of its settings.
    ///
    /// # Errors
    /// When options are given for models that are not asked for, or a setting is out of range.
    pub fn learners(&self, kinds: &[Kind], panel: &Panel) -> Outcome<Vec<Learner>> {
        if !kinds.contains(&Kind::Gbdt) && self.boosted.is_given() {
            return Err("options of boosted trees need --model gbdt".into());
        }
        if !kinds.iter().any(|kind| kind.is_network()) && self.networks.is_given() {
            return Err("options of networks need --model mlp, transformer or gnn".into());
        }
        let mut latent = self.networks.latent(self.seed)?;
        let bounded = latent.is_some() || kinds.iter().any(|kind| *kind != Kind::Ridge);
        if self.max_memory.is_some() && !bounded {
            return Err("--max-memory needs --vae, or --model gbdt, mlp, transformer or gnn".into());
        }
        if let Some(vae) = &mut latent {
            vae.regime.training.memory = self.memory();
        }
        let learner = |&kind: &Kind| -> Outcome<Learner> {
            let (method, mut told) = self.method(kind, panel)?;
            let appended = |vae: &Vae| format!("{} latent values are appended", vae.latent);
            told.extend(latent.as_ref().map(appended));
            Ok(Learner { latent: latent.clone(), method, told })
        };
        kinds.iter().map(learner).collect()
    }

    /// Bytes that a network may take: as asked for, and no more than the machine has.
    fn memory(&self) -> Option<u64> {
        let free = self.free.map(rounded);
        self.max_memory.map(|most| most.min(free.unwrap_or(most))).or(free)
    }

    fn method(&self, kind: Kind, panel: &Panel) -> Outcome<(Method, Vec<String>)> {
        if let Some(mut network) = self.networks.network(kind, panel, self.gap, self.seed)? {
            network.regime_mut().training.memory = self.max_memory;
            let told = network.told();
            network.regime_mut().training.memory = self.memory();
            return Ok((Method::Network(Box::new(network)), told));
        }
        if kind == Kind::Gbdt {
            let mut boosted = self.boosted.boosted(panel, self.gap, self.seed)?;
            if let Some(bytes) = self.max_memory {
                boosted.gbdt.max_memory = Some(bytes);
                boosted.told.push(format!("at most {bytes} bytes of memory"));
            }
            return Ok((Method::Gbdt(Box::new(boosted.gbdt)), boosted.told));
        }
        let ridge = Ridge { gap: self.gap, lags: self.horizon.overlap_lag()?, ..Ridge::default() };
        let told = vec![format!("{ridge:?}")];
        Ok((Method::Ridge(ridge), told))
    }
}
