//! What is certified: whatever turns a panel and its folds into predictions.

use std::fmt;

use fattail_core::{Fit, Panel, Predict, Result, silent};
use fattail_evaluate::{Fold, Given, Read, backtest};

use crate::turns::pause;

/// A whole way from a panel to predictions: preparation, fit, early stopping, tuning, ensemble, gate.
///
/// Its `Debug` form tells all settings; the certificate holds its hash. A procedure that is handed the whole
/// panel can leak in every way, which is what the checks are for. What is written as a [`Recipe`] cannot fit on
/// test rows at all: wrap it into [`Sealed`].
pub trait Procedure: fmt::Debug + Send + Sync {
    /// Predicts the test eras of each fold.
    ///
    /// Positions of eras in `folds` are those of `panel`. Targets of the test eras stand in the panel.
    ///
    /// # Errors
    /// Whatever keeps it from predicting.
    fn run(&self, panel: &Panel, folds: &[Fold]) -> Result<Run>;
}

/// What a run leaves.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Run {
    /// One list of predictions a fold: a value for each row of its test eras, in panel order.
    pub predictions: Vec<Vec<f32>>,
    /// Who has looked at which era scores: [`Ledger::reads`](fattail_evaluate::Ledger::reads).
    pub reads: Vec<Read>,
}

/// A procedure that sees one fold at a time, and of its test rows nothing.
pub trait Recipe: fmt::Debug + Send + Sync {
    /// Predicts the test rows of a fold.
    ///
    /// # Errors
    /// Whatever keeps it from predicting.
    fn predict(&self, fold: &SealedFold<'_>) -> Result<Vec<f32>>;
}

/// A fold whose test rows are sealed: a model can be sent to them, and nothing comes back but its predictions.
///
/// There is no way to the test rows as a panel, so none to fit on them:
///
/// ```compile_fail,E0599
/// use fattail_certificate::SealedFold;
/// use fattail_core::{Fit, Panel, Result};
///
/// fn cheat<L: Fit>(learner: &L, fold: &SealedFold<'_>) -> Result<L::Fitted> {
///     let rows: &Panel = fold.test();
///     learner.fit(rows)
/// }
/// ```
///
/// The seal is one of types and has a limit: a [`Predict`] sees the features of the test rows, and one that keeps
/// them, behind a lock, could be fitted on them afterwards. Their targets it never sees. And whoever makes the fold
/// has the whole panel. What the type cannot keep, the checks look for.
#[derive(Debug)]
pub struct SealedFold<'a> {
    panel: &'a Panel,
    fold: &'a Fold,
    number: usize,
    train: Panel,
}

impl<'a> SealedFold<'a> {
    /// Fold `number` of a panel.
    ///
    /// # Errors
    /// When its training eras do not increase or leave the panel.
    pub fn new(panel: &'a Panel, number: usize, fold: &'a Fold) -> Result<Self> {
        Ok(Self { panel, fold, number, train: panel.cut(&fold.train)? })
    }

    /// The number of the fold, from 0.
    #[must_use]
    pub fn number(&self) -> usize {
        self.number
    }

    /// The training rows. Where threads take turns, others may come first.
    #[must_use]
    pub fn train(&self) -> &Panel {
        pause();
        &self.train
    }

    /// What `model` predicts for the test rows, which it sees without targets; eras that the split leaves out
    /// before them stand in the panel as their past.
    ///
    /// # Errors
    /// When the model cannot predict, or predicts something that is not finite.
    pub fn predict(&self, model: &dyn Predict) -> Result<Vec<f32>> {
        pause();
        let split = Given(vec![self.fold.clone()]);
        Ok(backtest(&Fitted(model), self.panel, &split, &[], &silent)?.predictions.values)
    }
}

/// A model that is fitted already, as a learner.
struct Fitted<'a>(&'a dyn Predict);

impl<'a> Fit for Fitted<'a> {
    type Fitted = Lent<'a>;

    fn fit(&self, _: &Panel) -> Result<Lent<'a>> {
        Ok(Lent(self.0))
    }
}

struct Lent<'a>(&'a dyn Predict);

impl Predict for Lent<'_> {
    fn predict(&self, panel: &Panel) -> Result<Vec<f32>> {
        self.0.predict(panel)
    }
}

/// Makes a procedure of a [`Recipe`].
#[derive(Debug, Clone)]
pub struct Sealed<R>(pub R);

impl<R: Recipe> Procedure for Sealed<R> {
    fn run(&self, panel: &Panel, folds: &[Fold]) -> Result<Run> {
        let folds = folds.iter().enumerate();
        let predictions = folds
            .map(|(number, fold)| self.0.predict(&SealedFold::new(panel, number, fold)?))
            .collect::<Result<_>>()?;
        Ok(Run { predictions, reads: Vec::new() })
    }
}

/// Fits a learner on the training panel of every fold, by [`Fit::fit`] alone.
///
/// A backtest goes through [`Fit::fit_each`], which is handed the whole panel: scores of a backtest are those of
/// [`Backtested`], and that is what to certify for them.
#[derive(Debug, Clone)]
pub struct Refit<L>(pub L);

impl<L> Recipe for Refit<L>
where
    L: Fit + fmt::Debug,
    L::Fitted: Predict,
{
    fn predict(&self, fold: &SealedFold<'_>) -> Result<Vec<f32>> {
        fold.predict(&self.0.fit(fold.train())?)
    }
}

/// A learner in a [`backtest`]: one call of [`Fit::fit_each`] with the whole panel, as for the scores that are
/// reported.
///
/// ```
/// use fattail_certificate::{Backtested, Procedure};
/// use fattail_core::{Fit, Panel, Predict, Result};
/// use fattail_evaluate::Fold;
///
/// /// Predicts the mean target of its training rows.
/// #[derive(Debug)]
/// struct Mean;
/// struct Constant(f32);
///
/// impl Fit for Mean {
///     type Fitted = Constant;
///     fn fit(&self, train: &Panel) -> Result<Constant> {
///         let y = train.target()?.to_f32();
///         Ok(Constant(y.iter().sum::<f32>() / y.len() as f32))
///     }
/// }
///
/// impl Predict for Constant {
///     fn predict(&self, panel: &Panel) -> Result<Vec<f32>> {
///         Ok(vec![self.0; panel.rows()])
///     }
/// }
///
/// let panel = Panel::builder()
///     .eras(&["1", "2", "3", "3"])?
///     .feature("x", vec![0u8, 1, 2, 3])
///     .target("y", vec![1.0f32, 3.0, 5.0, 7.0])
///     .build()?;
/// let folds = [Fold { train: vec![0], test: vec![1] }, Fold { train: vec![0, 1], test: vec![2] }];
/// let run = Backtested(Mean).run(&panel, &folds)?;
/// assert_eq!(run.predictions, [vec![1.0], vec![2.0, 2.0]]);
/// # Ok::<(), fattail_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Backtested<L>(pub L);

impl<L> Procedure for Backtested<L>
where
    L: Fit + fmt::Debug,
    L::Fitted: Predict,
{
    fn run(&self, panel: &Panel, folds: &[Fold]) -> Result<Run> {
        let made = backtest(&InTurns(&self.0), panel, &Given(folds.to_vec()), &[], &silent)?;
        let mut rest = &made.predictions.values[..];
        let mut predictions = Vec::with_capacity(folds.len());
        for fold in folds {
            let rows = fold.test.iter().map(|&era| panel.eras().range(era).len()).sum();
            let (here, after) = rest.split_at(rows);
            predictions.push(here.to_vec());
            rest = after;
        }
        Ok(Run { predictions, reads: Vec::new() })
    }
}

/// A learner between whose fits and predictions other threads may come first.
struct InTurns<'a, L>(&'a L);

impl<L: Fit> Fit for InTurns<'_, L> {
    type Fitted = L::Fitted;

    fn fit(&self, train: &Panel) -> Result<L::Fitted> {
        self.0.fit(train).inspect(|_| pause())
    }

    fn fit_each(
        &self,
        panel: &Panel,
        cuts: &[Vec<usize>],
        each: &mut dyn FnMut(usize, L::Fitted) -> Result<()>,
    ) -> Result<()> {
        self.0.fit_each(panel, cuts, &mut |at, fitted| {
            pause();
            each(at, fitted)
        })
    }
}
