//! Transforms and a learner in a chain that is itself a learner.

use std::fmt;

use crate::{Fit, Panel, Predict, Result, Transform, traits::one_by_one};

type BoxedTransform = Box<dyn Transform>;
type BoxedPredict = Box<dyn Predict>;

/// Steps of preparation and a learner. Being a [`Fit`] itself, it is refitted whole inside every
/// fold, preparation included.
///
/// ```
/// use fattail_core::{Fit, Panel, Pipeline, Predict, Result, Transform};
///
/// /// Predicts the mean of the training target.
/// #[derive(Debug)]
/// struct Mean;
/// struct Constant(f32);
///
/// impl Fit for Mean {
///     type Fitted = Constant;
///     fn fit(&self, train: &Panel) -> Result<Constant> {
///         let target = train.target()?.to_f32();
///         Ok(Constant(target.iter().sum::<f32>() / target.len() as f32))
///     }
/// }
/// impl Predict for Constant {
///     fn predict(&self, panel: &Panel) -> Result<Vec<f32>> {
///         Ok(vec![self.0; panel.rows()])
///     }
/// }
///
/// # fn main() -> Result<()> {
/// let panel = Panel::builder()
///     .eras(&["1", "1"])?
///     .feature("x", vec![1.0f32, 2.0])
///     .target("y", vec![0.0f32, 1.0])
///     .build()?;
/// let pipeline = Pipeline::learner(Mean);
/// assert_eq!(pipeline.fit(&panel)?.predict(&panel)?, [0.5, 0.5]);
/// # Ok(())
/// # }
/// ```
pub struct Pipeline {
    steps: Vec<Step<BoxedTransform>>,
    learner: Step<BoxedPredict>,
}

/// A recipe whose result is boxed, and its settings as text.
struct Step<T> {
    recipe: Box<dyn Fit<Fitted = T>>,
    settings: String,
}

/// Steps of preparation that wait for their learner.
#[derive(Default)]
pub struct Preparation {
    steps: Vec<Step<BoxedTransform>>,
}

impl Pipeline {
    /// A pipeline of a learner alone.
    pub fn learner<L>(learner: L) -> Self
    where
        L: Fit + fmt::Debug + 'static,
        L::Fitted: Predict + 'static,
    {
        Preparation::default().learner(learner)
    }

    /// A pipeline that begins with a step of preparation.
    pub fn first<S>(step: S) -> Preparation
    where
        S: Fit + fmt::Debug + 'static,
        S::Fitted: Transform + 'static,
    {
        Preparation::default().then(step)
    }

    /// The settings of each step and of the learner, as text.
    pub fn describe(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().map(|step| &*step.settings).chain([&*self.learner.settings])
    }
}

impl Preparation {
    /// Adds a step of preparation.
    #[must_use]
    pub fn then<S>(mut self, step: S) -> Self
    where
        S: Fit + fmt::Debug + 'static,
        S::Fitted: Transform + 'static,
    {
        let settings = format!("{step:?}");
        self.steps
            .push(Step { recipe: Box::new(Boxed(step, |fitted| Box::new(fitted) as _)), settings });
        self
    }

    /// Ends the chain with a learner.
    pub fn learner<L>(self, learner: L) -> Pipeline
    where
        L: Fit + fmt::Debug + 'static,
        L::Fitted: Predict + 'static,
    {
        let settings = format!("{learner:?}");
        let recipe = Box::new(Boxed(learner, |fitted| Box::new(fitted) as _));
        Pipeline { steps: self.steps, learner: Step { recipe, settings } }
    }
}

/// A recipe and how its result is boxed.
struct Boxed<F: Fit, T>(F, fn(F::Fitted) -> T);

impl<F: Fit, T> Fit for Boxed<F, T> {
    type Fitted = T;

    fn fit(&self, train: &Panel) -> Result<T> {
        self.0.fit(train).map(self.1)
    }

    fn fit_each(
        &self,
        panel: &Panel,
        cuts: &[Vec<usize>],
        each: &mut dyn FnMut(usize, T) -> Result<()>,
    ) -> Result<()> {
        self.0.fit_each(panel, cuts, &mut |at, fitted| each(at, self.1(fitted)))
    }
}

impl Fit for Pipeline {
    type Fitted = FittedPipeline;

    fn fit(&self, train: &Panel) -> Result<FittedPipeline> {
        let mut panel = train.clone();
        let mut steps = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let fitted = step.recipe.fit(&panel)?;
            panel = fitted.transform(panel)?;
            steps.push(fitted);
        }
        Ok(FittedPipeline { steps, model: self.learner.recipe.fit(&panel)? })
    }

    /// Without steps the learner shares what it can; each cut has its own fit of the steps, so with
    /// them there is nothing to share.
    fn fit_each(
        &self,
        panel: &Panel,
        cuts: &[Vec<usize>],
        each: &mut dyn FnMut(usize, FittedPipeline) -> Result<()>,
    ) -> Result<()> {
        if self.steps.is_empty() {
            let mut whole = |at, model| each(at, FittedPipeline { steps: Vec::new(), model });
            return self.learner.recipe.fit_each(panel, cuts, &mut whole);
        }
        one_by_one(self, panel, cuts, each)
    }
}

/// A fitted [`Pipeline`].
pub struct FittedPipeline {
    steps: Vec<BoxedTransform>,
    model: BoxedPredict,
}

impl Predict for FittedPipeline {
    /// Predicts without targets and weights: no step can look at the answers.
    fn predict(&self, panel: &Panel) -> Result<Vec<f32>> {
        let blind = panel.without_targets();
        let prepared = self.steps.iter().try_fold(blind, |panel, step| step.transform(panel))?;
        self.model.predict(&prepared)
    }
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.describe()).finish()
    }
}

impl fmt::Debug for Preparation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.steps.iter().map(|step| &step.settings)).finish()
    }
}

impl fmt::Debug for FittedPipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FittedPipeline({} steps and a model)", self.steps.len())
    }
}
