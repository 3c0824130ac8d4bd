//! Laws of transforms.

use fattail_core::{Fit, Panel, Result, Transform};

use super::panels::{ROWS, Table, renamed, strong};
use crate::{Law, Verdict, Violation};

/// Eras that the suite fits on, of twice as many.
const TRAIN: usize = 8;

/// Checks a recipe of preparation: that it is deterministic, keeps rows and eras, never lets later
/// rows or targets change earlier features, accepts panels without target and eras of one row, and
/// refuses features that it does not know.
///
/// # Errors
/// The first law that does not hold, with the values that show it.
///
/// ```
/// use fattail_core::{Fit, Panel, Result, Transform};
/// use fattail_testing::check_transform;
///
/// /// Leaves the panel as it is.
/// struct Keep;
/// impl Fit for Keep {
///     type Fitted = Self;
///     fn fit(&self, _: &Panel) -> Result<Self> {
///         Ok(Self)
///     }
/// }
/// impl Transform for Keep {
///     fn transform(&self, panel: Panel) -> Result<Panel> {
///         Ok(panel)
///     }
/// }
/// check_transform(&Keep)?;
/// # Ok::<(), fattail_testing::Violation>(())
/// ```
pub fn check_transform<F>(recipe: &F) -> Verdict
where
    F: Fit<Fitted: Transform>,
{
    let case = Case::new(recipe, strong(2 * TRAIN))?;
    case.rows_kept()?;
    case.deterministic()?;
    case.no_future()?;
    case.target_blind()?;
    case.one_row()?;
    case.columns()
}

struct Case<'a, F: Fit> {
    recipe: &'a F,
    table: Table,
    train: Panel,
    whole: Panel,
    fitted: F::Fitted,
    prepared: Panel,
}

impl<'a, F> Case<'a, F>
where
    F: Fit<Fitted: Transform>,
{
    fn new(recipe: &'a F, table: Table) -> Result<Self, Violation> {
        let whole = Law::Works.answer("the fixture", table.panel())?;
        let train = Law::Works.answer("the fixture", table.first_eras(TRAIN).panel())?;
        let fitted = Law::Works.answer("a plain training panel", recipe.fit(&train))?;
        let prepared = Law::Works.answer("a plain panel", fitted.transform(whole.clone()))?;
        Ok(Self { recipe, table, train, whole, fitted, prepared })
    }

    fn transform(&self, law: Law, what: &str, panel: &Panel) -> Result<Panel, Violation> {
        law.answer(what, self.fitted.transform(panel.clone()))
    }

    fn rows_kept(&self) -> Verdict {
        let (before, after) = (self.whole.eras(), self.prepared.eras());
        Law::RowsKept.expect(before == after, || {
            format!(
                "{} rows in {} eras became {} rows in {} eras",
                before.rows(),
                before.len(),
                after.rows(),
                after.len()
            )
        })
    }

    fn deterministic(&self) -> Verdict {
        let law = Law::Deterministic;
        let fitted = law.answer("a second fit", self.recipe.fit(&self.train))?;
        let again = law.answer("a second fit", fitted.transform(self.whole.clone()))?;
        same(law, "two fits", &self.prepared, &again, self.whole.eras().len(), true)
    }

    /// Neither other values nor no rows at all from some era on change what comes before.
    fn no_future(&self) -> Verdict {
        let law = Law::NoFuture;
        for known in [TRAIN - 2, TRAIN, 2 * TRAIN - 1] {
            let mut table = self.table.clone();
            for column in &mut table.features {
                column[known * ROWS..].iter_mut().for_each(|value| *value = 30.0 - 3.0 * *value);
            }
            table.target[known * ROWS..]
                .iter_mut()
                .for_each(|value| *value = 1.0 - *value * *value);
            let changed = law.answer("the fixture", table.panel())?;
            let again = self.transform(law, "other values", &changed)?;
            same(
                law,
                &format!("other values from era {} on", known + 1),
                &self.prepared,
                &again,
                known,
                true,
            )?;
            let first: Vec<usize> = (0..known).collect();
            let short = law.answer("the fixture", self.whole.cut(&first))?;
            let again = self.transform(law, "the first eras", &short)?;
            same(
                law,
                &format!("no rows from era {} on", known + 1),
                &self.prepared,
                &again,
                known,
                true,
            )?;
        }
        Ok(())
    }

    fn target_blind(&self) -> Verdict {
        let law = Law::TargetBlind;
        let again = self.transform(law, "a panel without target", &self.whole.without_targets())?;
        same(law, "without target", &self.prepared, &again, self.whole.eras().len(), false)
    }

    fn one_row(&self) -> Verdict {
        let law = Law::FewRows;
        let mut rows: Vec<usize> = (0..(TRAIN + 1) * ROWS).collect();
        rows.push((TRAIN + 1) * ROWS);
        let panel = law.answer("the fixture", self.table.take(&rows).panel())?;
        let prepared = self.transform(law, "an era of one row", &panel)?;
        law.expect(prepared.eras() == panel.eras(), || {
            format!("an era of one row: {} rows became {}", panel.rows(), prepared.rows())
        })?;
        for (name, position) in prepared.schema().features().iter().zip(0..) {
            let values = prepared.feature(position).era(TRAIN + 1);
            law.expect(!values.get(0).is_infinite(), || {
                format!("an era of one row: feature {name} is {}", values.get(0))
            })?;
        }
        Ok(())
    }

    /// A transform that leaves the strange feature as it is has not looked at it.
    fn columns(&self) -> Verdict {
        let law = Law::Columns;
        let strange = law.answer("the fixture", renamed(&self.whole, 0, "strange"))?;
        let Ok(prepared) = self.fitted.transform(strange.clone()) else { return Ok(()) };
        let untouched = prepared.schema().features() == strange.schema().features();
        law.expect(untouched, || {
            "fitted on features a, b, c, d; transformed strange, b, c, d".into()
        })?;
        same(
            law,
            "feature strange, unknown in the fit",
            &strange,
            &prepared,
            strange.eras().len(),
            false,
        )
    }
}

/// The first `eras` eras of two prepared panels have the same bits: features, and targets on demand.
fn same(law: Law, what: &str, a: &Panel, b: &Panel, eras: usize, targets: bool) -> Verdict {
    let (left, right) = (a.schema(), b.schema());
    law.expect(left.features() == right.features(), || {
        format!("{what}: features {:?} and {:?}", left.features(), right.features())
    })?;
    for era in 0..eras {
        for (name, position) in left.features().iter().zip(0..) {
            let column =
                |panel: &Panel| panel.feature(position).era(era).iter().collect::<Vec<_>>();
            let place = format!("{what}: feature {name} in era {}", a.eras().label(era));
            law.same_bits(&place, &column(a), &column(b))?;
        }
        if targets && a.has_target() && b.has_target() {
            let column = |panel: &Panel| {
                law.answer("the target", panel.era(era).target().map(<[f32]>::to_vec))
            };
            let place = format!("{what}: target in era {}", a.eras().label(era));
            law.same_bits(&place, &column(a)?, &column(b)?)?;
        }
    }
    Ok(())
}
