//! The learners of the weekly job: which ones are asked for, and what they leave.

use std::sync::Arc;

use fattail::{
    Fit, Panel, Predict, Result, Transform,
    exchange::lightgbm,
    gbdt::{Gbdt, GbdtModel, parameters::describe},
    linear::{LinearModel, Ridge},
    neural::{Architecture, NeuralModel, Vae, VaeModel},
    report::{Coefficient, FileLink},
    store::Artifacts,
    training::{Epoch, Event},
    trees::explain::Importance,
};
use serde::Serialize;

use crate::{
    Outcome,
    networks::{Network, TrainedNetwork, course, expect_whole},
    robust::Scaling,
};

/// A kind of model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Ridge regression.
    Ridge,
    /// Gradient boosted trees.
    Gbdt,
    /// A perceptron.
    Mlp,
    /// A transformer over features.
    Transformer,
    /// A network on a graph of features.
    Gnn,
}

impl Kind {
    /// All, in the order of the help text.
    const ALL: [Self; 5] = [Self::Ridge, Self::Gbdt, Self::Mlp, Self::Transformer, Self::Gnn];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ridge => "ridge",
            Self::Gbdt => "gbdt",
            Self::Mlp => "mlp",
            Self::Transformer => "transformer",
            Self::Gnn => "gnn",
        }
    }

    /// Whether it is a network.
    #[must_use]
    pub fn is_network(self) -> bool {
        matches!(self, Self::Mlp | Self::Transformer | Self::Gnn)
    }

    /// Reads kinds with commas between them.
    ///
    /// ```
    /// use fattail_examples::Kind;
    /// assert_eq!(Kind::list("ridge,gbdt").unwrap(), [Kind::Ridge, Kind::Gbdt]);
    /// assert!(Kind::list("ridge,ridge").is_err());
    /// ```
    ///
    /// # Errors
    /// When a name is not known or comes twice.
    pub fn list(text: &str) -> Outcome<Vec<Self>> {
        let mut kinds = Vec::new();
        for name in text.split(',').map(str::trim) {
            let kind = Self::ALL.into_iter().find(|kind| kind.name() == name);
            let known = || {
                let allowed = "ridge, gbdt, mlp, transformer and gnn, with commas between";
                format!("--model is '{name}', allowed are {allowed}")
            };
            let kind = kind.ok_or_else(known)?;
            if kinds.contains(&kind) {
                return Err(format!("--model names '{name}' twice").into());
            }
            kinds.push(kind);
        }
        Ok(kinds)
    }

    /// Where `name` stands among the kinds that run; without a name the first.
    ///
    /// # Errors
    /// When it does not run.
    pub fn submitted(kinds: &[Self], name: Option<&str>) -> Outcome<usize> {
        let Some(name) = name else { return Ok(0) };
        let place = kinds.iter().position(|kind| kind.name() == name);
        Ok(place.ok_or_else(|| format!("--submit is '{name}', which --model does not name"))?)
    }
}

/// A learner with its settings, and what is prepared before it.
#[derive(Debug, Clone)]
pub struct Learner {
    /// The autoencoder whose latent values are appended to the features, if any.
    pub latent: Option<Vae>,
    /// What learns.
    pub method: Method,
    /// What the report tells of the settings.
    pub told: Vec<String>,
}

/// What learns.
#[derive(Debug, Clone)]
pub enum Method {
    /// Ridge regression.
    Ridge(Ridge),
    /// Gradient boosted trees.
    Gbdt(Box<Gbdt>),
    /// A network.
    Network(Box<Network>),
}

/// What a learner makes of a panel.
#[derive(Debug, Clone)]
pub struct Model {
    /// The autoencoder, fitted on the same rows.
    pub latent: Option<VaeModel>,
    /// What was learnt.
    pub learnt: Learnt,
}

/// What was learnt.
#[derive(Debug, Clone)]
pub enum Learnt {
    /// Ridge regression.
    Ridge(LinearModel),
    /// Gradient boosted trees.
    Gbdt(Box<GbdtModel>),
    /// A network.
    Network(Box<TrainedNetwork>),
}

/// What stands beside the weights of a network.
#[derive(Debug, Serialize)]
struct Beside<'a, L> {
    learner: &'a L,
    scaling: Option<&'a Scaling>,
    epochs: &'a [Epoch],
    events: &'a [Event],
}

impl Learner {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match &self.method {
            Method::Ridge(_) => Kind::Ridge,
            Method::Gbdt(_) => Kind::Gbdt,
            Method::Network(network) => match **network {
                Network::Mlp(_) => Kind::Mlp,
                Network::Transformer(_) => Kind::Transformer,
                Network::Gnn(_) => Kind::Gnn,
            },
        }
    }
}

impl Fit for Learner {
    type Fitted = Model;

    /// Fits whole, the autoencoder included: being called inside of a fold, it sees no other rows.
    fn fit(&self, train: &Panel) -> Result<Model> {
        let latent = self.latent.as_ref().map(|vae| squeeze(vae, train)).transpose()?;
        let train = prepare(latent.as_ref(), train)?;
        let learnt = match &self.method {
            Method::Ridge(ridge) => Learnt::Ridge(ridge.fit(&train)?),
            Method::Gbdt(gbdt) => Learnt::Gbdt(Box::new(gbdt.fit(&train)?)),
            Method::Network(network) => Learnt::Network(Box::new(network.fit(&train)?)),
        };
        Ok(Model { latent, learnt })
    }
}

impl Predict for Model {
    fn predict(&self, panel: &Panel) -> Result<Vec<f32>> {
        let panel = prepare(self.latent.as_ref(), panel)?;
        match &self.learnt {
            Learnt::Ridge(model) => model.predict(&panel),
            Learnt::Gbdt(model) => model.predict(&panel),
            Learnt::Network(network) => network.predict(&panel),
        }
    }
}

/// The autoencoder; one whose run was given up fails, as a network does.
fn squeeze(vae: &Vae, train: &Panel) -> Result<VaeModel> {
    let latent = vae.fit(train)?;
    let whole = expect_whole(&latent.model);
    whole.map_err(|reason| fattail::Error::other(format!("the autoencoder failed: {reason}")))?;
    Ok(latent)
}

fn prepare(latent: Option<&VaeModel>, panel: &Panel) -> Result<Panel> {
    latent.map_or_else(|| Ok(panel.clone()), |latent| latent.transform(panel.clone()))
}

/// How many features a line of the report names.
const NAMED: usize = 10;

impl Model {
    /// Writes it: a ridge regression as JSON, trees as LightGBM's text with the settings in it, networks
    /// as safetensors with settings, scales and log as JSON beside them. Gives the files.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write(
        &self,
        learner: &Learner,
        panel: &Panel,
        folder: &Artifacts,
    ) -> Outcome<Vec<FileLink>> {
        let name = learner.kind().name();
        let link = |what: &str, path: &str| FileLink {
            label: format!("{name}: {what}"),
            path: path.to_owned(),
        };
        let mut files = match (&self.learnt, &learner.method) {
            (Learnt::Ridge(model), _) => {
                folder.write_json("model.json", model)?;
                vec![link("model", "model.json")]
            }
            (Learnt::Gbdt(model), method) => {
                let mut forest = model.forest.clone();
                if let Method::Gbdt(gbdt) = method {
                    forest.parameters = describe(gbdt, &self.features(panel));
                }
                folder.write("model.txt", lightgbm::write(&forest)?)?;
                vec![link("model", "model.txt")]
            }
            (Learnt::Network(network), method) => {
                let weights = format!("{name}.safetensors");
                folder.write(&weights, network.model.to_bytes()?)?;
                let mut files = vec![link("model", &weights)];
                if let Method::Network(learner) = method {
                    let beside = format!("{name}.json");
                    let scaling = network.scaling.as_ref();
                    let text = beside_of(&**learner, scaling, &network.model);
                    folder.write_json(&beside, &text)?;
                    files.push(link("settings, scales and log", &beside));
                }
                files
            }
        };
        if let Some(latent) = &self.latent {
            let path = format!("{name}_vae.safetensors");
            folder.write(&path, latent.model.to_bytes()?)?;
            files.push(link("autoencoder", &path));
            if let Some(vae) = &learner.latent {
                let path = format!("{name}_vae.json");
                folder.write_json(&path, &beside_of(vae, None, &latent.model))?;
                files.push(link("autoencoder: settings and log", &path));
            }
        }
        Ok(files)
    }

    /// The features that the learner saw, those of the autoencoder behind the panel's.
    fn features(&self, panel: &Panel) -> Vec<Arc<str>> {
        let latent = self.latent.iter().filter_map(|latent| match latent.model.architecture {
            Architecture::Vae(shape) => Some(shape.latent),
            _ => None,
        });
        let latent = latent.flat_map(|latent| (0..latent).map(|at| format!("vae_{at}").into()));
        panel.schema().features().iter().cloned().chain(latent).collect()
    }

    /// What the report tells of the model that predicts the live era.
    ///
    /// # Errors
    /// When the trees do not fit together.
    pub fn told(&self) -> Outcome<Vec<String>> {
        let mut lines = match &self.learnt {
            Learnt::Ridge(model) => {
                vec![format!("penalty chosen for the live era: {:e}", model.penalty)]
            }
            Learnt::Network(network) => network.told(),
            Learnt::Gbdt(model) => {
                let trees = model.forest.trees.len();
                vec![format!("trees for the live era: {trees}"), shares(model)?]
            }
        };
        let latent = self.latent.iter().filter_map(|latent| latent.model.run.as_ref());
        lines.extend(latent.flat_map(course).map(|line| format!("autoencoder: {line}")));
        Ok(lines)
    }

    /// Coefficients, the largest first; only a ridge regression has any.
    #[must_use]
    pub fn coefficients(&self) -> Vec<Coefficient> {
        let Learnt::Ridge(model) = &self.learnt else { return Vec::new() };
        let shown = |c: &fattail::linear::Coefficient| Coefficient {
            name: c.name.clone(),
            value: c.value,
            low: c.low,
            high: c.high,
        };
        let mut all: Vec<_> = model.coefficients.iter().map(shown).collect();
        all.sort_by(|a, b| b.value.abs().total_cmp(&a.value.abs()));
        all
    }
}

fn beside_of<'a, L>(
    learner: &'a L,
    scaling: Option<&'a Scaling>,
    model: &'a NeuralModel,
) -> Beside<'a, L> {
    let run = model.run.as_ref();
    Beside {
        learner,
        scaling,
        epochs: run.map(|run| &*run.history).unwrap_or_default(),
        events: run.map(|run| &*run.events).unwrap_or_default(),
    }
}

/// The features that win most, with their shares of all gains.
fn shares(model: &GbdtModel) -> Outcome<String> {
    let gains = Importance::Gain.of(&model.forest)?;
    let all: f64 = gains.iter().sum();
    let mut order: Vec<usize> = (0..gains.len()).filter(|&at| gains[at] > 0.0).collect();
    order.sort_by(|&a, &b| gains[b].total_cmp(&gains[a]));
    let share = |&at: &usize| {
        format!("{} {:.1} %", model.forest.features[at].name, 100.0 * gains[at] / all)
    };
    let named: Vec<String> = order.iter().take(NAMED).map(share).collect();
    let named = if named.is_empty() { "none".to_owned() } else { named.join(", ") };
    Ok(format!("largest shares of the gain: {named}"))
}

#[cfg(test)]
mod tests {
    use fattail::{
        neural::Regime,
        schedule::Constant,
        training::{Policies, Training},
    };

    use super::*;

    fn panel() -> Panel {
        let x: Vec<f32> = (0..400).map(|row| (row * 37 % 41) as f32 / 41.0).collect();
        let eras: Vec<String> = (0..400).map(|row| format!("{:04}", row / 10)).collect();
        let panel = Panel::builder().eras(&eras).unwrap().feature("a", x.clone());
        panel.feature("b", vec![0.5f32; 400]).target("y", x).build().unwrap()
    }

    fn learner(rate: f64, policies: Policies) -> Learner {
        let rate = Constant { rate }.into();
        let training =
            Training { epochs: 9, batch_size: 16, rate, policies, ..Training::default() };
        let regime = Regime { training, ..Regime::default() };
        let latent = Some(Vae { latent: 1, hidden: 4, keep: true, regime, ..Vae::default() });
        Learner { latent, method: Method::Ridge(Ridge::default()), told: Vec::new() }
    }

    #[test]
    fn an_autoencoder_that_is_given_up_fails_its_model() {
        let ruinous = learner(1e38, Policies::default());
        let told = ruinous.fit(&panel()).unwrap_err().to_string();
        assert!(told.starts_with("the autoencoder failed: the run was given up"), "{told}");
    }

    #[test]
    fn what_happened_to_the_autoencoder_is_told() {
        let model = learner(1e-3, Policies::default()).fit(&panel()).unwrap();
        let told = model.told().unwrap();
        let epochs = "autoencoder: epochs for the live era: 9; all epochs are over";
        assert!(told.iter().any(|line| line == epochs), "{told:?}");
    }
}
