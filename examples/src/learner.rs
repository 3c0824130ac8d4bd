//! The learners of the weekly job: which ones are asked for, and what they leave.

use fattail::{
    Fit, Panel, Predict, Result,
    exchange::lightgbm,
    gbdt::{Gbdt, GbdtModel, parameters::describe},
    linear::{LinearModel, Ridge},
    report::Coefficient,
    store::Artifacts,
    trees::explain::Importance,
};

use crate::Outcome;

/// A kind of model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Ridge regression.
    Ridge,
    /// Gradient boosted trees.
    Gbdt,
}

impl Kind {
    /// All, in the order of the help text.
    const ALL: [Self; 2] = [Self::Ridge, Self::Gbdt];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ridge => "ridge",
            Self::Gbdt => "gbdt",
        }
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
            let known =
                || format!("--model is '{name}', allowed are ridge and gbdt, with a comma between");
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

/// A learner with its settings.
#[derive(Debug, Clone)]
pub enum Learner {
    /// Ridge regression.
    Ridge(Ridge),
    /// Gradient boosted trees.
    Gbdt(Box<Gbdt>),
}

/// What a learner makes of a panel.
#[derive(Debug, Clone)]
pub enum Model {
    /// Ridge regression.
    Ridge(LinearModel),
    /// Gradient boosted trees.
    Gbdt(Box<GbdtModel>),
}

impl Learner {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Ridge(_) => Kind::Ridge,
            Self::Gbdt(_) => Kind::Gbdt,
        }
    }
}

impl Fit for Learner {
    type Fitted = Model;

    fn fit(&self, train: &Panel) -> Result<Model> {
        Ok(match self {
            Self::Ridge(ridge) => Model::Ridge(ridge.fit(train)?),
            Self::Gbdt(gbdt) => Model::Gbdt(Box::new(gbdt.fit(train)?)),
        })
    }
}

impl Predict for Model {
    fn predict(&self, panel: &Panel) -> Result<Vec<f32>> {
        match self {
            Self::Ridge(model) => model.predict(panel),
            Self::Gbdt(model) => model.predict(panel),
        }
    }
}

/// How many features a line of the report names.
const NAMED: usize = 10;

impl Model {
    /// The name of the file that it is left in.
    #[must_use]
    pub fn file(&self) -> &'static str {
        match self {
            Self::Ridge(_) => "model.json",
            Self::Gbdt(_) => "model.txt",
        }
    }

    /// Writes it: a ridge regression as JSON, trees as LightGBM's text with the settings in it.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write(&self, learner: &Learner, panel: &Panel, folder: &Artifacts) -> Outcome {
        match (self, learner) {
            (Self::Gbdt(model), Learner::Gbdt(gbdt)) => {
                let mut forest = model.forest.clone();
                forest.parameters = describe(gbdt, panel.schema().features());
                folder.write(self.file(), lightgbm::write(&forest)?)?;
            }
            (Self::Gbdt(model), _) => folder.write(self.file(), lightgbm::write(&model.forest)?)?,
            (Self::Ridge(model), _) => folder.write_json(self.file(), model)?,
        }
        Ok(())
    }

    /// What the report tells of the model that predicts the live era.
    ///
    /// # Errors
    /// When the trees do not fit together.
    pub fn told(&self) -> Outcome<Vec<String>> {
        Ok(match self {
            Self::Ridge(model) => {
                vec![format!("penalty chosen for the live era: {:e}", model.penalty)]
            }
            Self::Gbdt(model) => {
                let trees = model.forest.trees.len();
                vec![format!("trees for the live era: {trees}"), shares(model)?]
            }
        })
    }

    /// Coefficients, the largest first; trees have none.
    #[must_use]
    pub fn coefficients(&self) -> Vec<Coefficient> {
        let Self::Ridge(model) = self else { return Vec::new() };
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
