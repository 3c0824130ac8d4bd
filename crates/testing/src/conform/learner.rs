//! Laws of learners.

use fattail_core::{Fit, Panel, Predict, Result};
use fattail_stats::pearson;
use rayon::ThreadPoolBuilder;

use super::panels::{ROWS, Table, mixed, renamed, reorder, reordered, strong};
use crate::{Law, Verdict, Violation};

/// Eras that the suite trains on; as many more are predicted.
const TRAIN: usize = 12;
/// The mean correlation that a learner reaches on held-out eras of the strong signal, where the best
/// model has about 0.95.
const LEARNT: f64 = 0.3;

/// Checks a learner: that it is deterministic for any number of threads, ignores the order of rows
/// inside an era, refuses other features and values that are not finite, survives constant features
/// and few rows, learns nothing from unknown targets, predicts each era by itself and without its
/// target, fits several cuts of a panel as it fits each of them alone, and finds a strong signal.
///
/// It trains some twenty-five times on at most 780 rows of four features.
///
/// # Errors
/// The first law that does not hold, with the values that show it.
///
/// ```
/// use fattail_core::{Fit, Panel, Predict, Result};
/// use fattail_testing::{Law, check_learner};
///
/// /// Predicts one half, whatever it has seen.
/// struct Half;
/// impl Fit for Half {
///     type Fitted = Self;
///     fn fit(&self, _: &Panel) -> Result<Self> {
///         Ok(Self)
///     }
/// }
/// impl Predict for Half {
///     fn predict(&self, panel: &Panel) -> Result<Vec<f32>> {
///         Ok(vec![0.5; panel.rows()])
///     }
/// }
/// assert_eq!(check_learner(&Half).unwrap_err().law, Law::Columns);
/// ```
pub fn check_learner<L>(learner: &L) -> Verdict
where
    L: Fit<Fitted: Predict>,
{
    check(learner, |case| case.missing_feature())
}

/// Checks a learner to which missing features say something: the laws of [`check_learner`], but that
/// features that are missing or infinite are answered with finite numbers instead of refused.
///
/// # Errors
/// The first law that does not hold, with the values that show it.
pub fn check_learner_on_missing<L>(learner: &L) -> Verdict
where
    L: Fit<Fitted: Predict>,
{
    check(learner, |case| case.missing_answered())
}

fn check<L>(learner: &L, missing: impl Fn(&Case<'_, L>) -> Verdict) -> Verdict
where
    L: Fit<Fitted: Predict>,
{
    let table = strong(2 * TRAIN);
    let case = Case::new(learner, table)?;
    case.deterministic()?;
    case.threads()?;
    case.row_order()?;
    case.columns()?;
    case.constant_feature()?;
    case.unknown_target()?;
    case.era_alone()?;
    case.target_blind()?;
    missing(&case)?;
    case.few_rows()?;
    case.cut_alone()?;
    case.learns()
}

struct Case<'a, L: Fit> {
    learner: &'a L,
    table: Table,
    train: Panel,
    whole: Panel,
    fitted: L::Fitted,
    predicted: Vec<f32>,
}

impl<'a, L> Case<'a, L>
where
    L: Fit<Fitted: Predict>,
{
    fn new(learner: &'a L, table: Table) -> Result<Self, Violation> {
        let train = Law::Works.answer("the fixture", table.first_eras(TRAIN).panel())?;
        let whole = Law::Works.answer("the fixture", table.panel())?;
        let fitted = Law::Works.answer("a plain training panel", learner.fit(&train))?;
        let predicted = Law::Works.answer("a plain panel", fitted.predict(&whole))?;
        Law::Finite.finite("a plain panel", &predicted, whole.rows())?;
        Ok(Self { learner, table, train, whole, fitted, predicted })
    }

    /// Fits on `train` and predicts the whole panel.
    fn refit(&self, train: &Panel) -> Result<Vec<f32>> {
        self.learner.fit(train)?.predict(&self.whole)
    }

    fn refit_table(&self, law: Law, what: &str, train: &Table) -> Result<Vec<f32>, Violation> {
        law.answer(what, train.panel().and_then(|panel| self.refit(&panel)))
    }

    fn deterministic(&self) -> Verdict {
        let again = Law::Deterministic.answer("a second fit", self.refit(&self.train))?;
        Law::Deterministic.same_bits("two fits", &self.predicted, &again)
    }

    fn threads(&self) -> Verdict {
        for threads in [1, 3] {
            let what = format!("{threads} threads");
            let pool = ThreadPoolBuilder::new().num_threads(threads).build();
            let pool = Law::Threads.answer(&what, pool)?;
            let again = pool.install(|| self.refit(&self.train));
            let again = Law::Threads.answer(&what, again)?;
            Law::Threads.same_bits(&what, &self.predicted, &again)?;
        }
        Ok(())
    }

    fn row_order(&self) -> Verdict {
        let law = Law::RowOrder;
        let rows = mixed(self.train.eras());
        let again =
            self.refit_table(law, "a training panel in another order", &self.table.take(&rows))?;
        law.nearly("fit on rows in another order", &self.predicted, &again)?;
        let rows = mixed(self.whole.eras());
        let panel = law.answer("the fixture", reordered(&self.whole, &rows))?;
        let again = law.answer("a panel in another order", self.fitted.predict(&panel))?;
        let expected = reorder(&self.predicted, &rows);
        law.nearly("prediction of rows in another order", &expected, &again)
    }

    fn columns(&self) -> Verdict {
        let law = Law::Columns;
        let strange = law.answer("the fixture", renamed(&self.whole, 1, "strange"))?;
        law.expect(self.fitted.predict(&strange).is_err(), || {
            "fitted on features a, b, c, d; predicted a, strange, c, d".into()
        })?;
        let fewer = law.answer("the fixture", self.whole.select(&["a", "b", "c"]))?;
        law.expect(self.fitted.predict(&fewer).is_err(), || {
            "fitted on features a, b, c, d; predicted a, b, c".into()
        })?;
        let turned = law.answer("the fixture", self.whole.select(&["d", "c", "b", "a"]))?;
        match self.fitted.predict(&turned) {
            Ok(again) => law.nearly("features in another order", &self.predicted, &again),
            Err(_) => Ok(()),
        }
    }

    fn constant_feature(&self) -> Verdict {
        let law = Law::ConstantFeature;
        let mut table = self.table.clone();
        table.features[3].fill(2.0);
        let (first, rest) = table.features[2].split_at_mut(TRAIN * ROWS / 2);
        first.fill(2.0);
        rest.iter_mut().for_each(|value| *value += 2.0);
        let panel = law.answer("the fixture", table.panel())?;
        let train = law.answer("the fixture", table.first_eras(TRAIN).panel())?;
        let fitted =
            law.answer("feature d constant, c constant at first", self.learner.fit(&train))?;
        let predicted = law.answer("feature d constant", fitted.predict(&panel))?;
        law.finite("feature d constant", &predicted, panel.rows())
    }

    fn unknown_target(&self) -> Verdict {
        let law = Law::UnknownTarget;
        let train = self.table.first_eras(TRAIN);
        let mut rows: Vec<usize> = Vec::new();
        for start in (0..train.rows()).step_by(ROWS) {
            rows.extend(start..start + ROWS);
            rows.extend(start..start + 5);
        }
        let mut more = train.take(&rows);
        for at in (0..more.rows()).filter(|at| at % (ROWS + 5) >= ROWS) {
            more.target[at] = f32::NAN;
            more.features.iter_mut().for_each(|column| column[at] = 50.0 - column[at]);
        }
        let again = self.refit_table(law, "a training panel with unknown targets", &more)?;
        law.nearly("five rows of unknown target more an era", &self.predicted, &again)?;
        let mut longer = self.table.first_eras(TRAIN + 1);
        longer.target[TRAIN * ROWS..].fill(f32::NAN);
        let again = self.refit_table(law, "a training panel with an unknown era", &longer)?;
        law.nearly("an era of unknown targets more", &self.predicted, &again)
    }

    fn era_alone(&self) -> Verdict {
        let law = Law::EraAlone;
        for era in [0, TRAIN + 3] {
            let alone = law.answer("the fixture", self.whole.cut(&[era]))?;
            let again = law.answer("one era", self.fitted.predict(&alone))?;
            let expected = &self.predicted[self.whole.eras().range(era)];
            law.nearly(&format!("era {} alone", era + 1), expected, &again)?;
        }
        Ok(())
    }

    fn target_blind(&self) -> Verdict {
        let law = Law::TargetBlind;
        let blind = self.whole.without_targets();
        let again = law.answer("a panel without target", self.fitted.predict(&blind))?;
        law.same_bits("with and without target", &self.predicted, &again)?;
        law_no_target(self.learner, &self.train)
    }

    fn missing_feature(&self) -> Verdict {
        let law = Law::MissingFeature;
        for bad in [f32::NAN, f32::INFINITY] {
            let mut table = self.table.clone();
            table.features[1][7] = bad;
            let train = law.answer("the fixture", table.first_eras(TRAIN).panel())?;
            law.expect(self.learner.fit(&train).is_err(), || {
                format!("fitted on feature b with {bad} at row 7")
            })?;
            let panel = law.answer("the fixture", table.panel())?;
            law.expect(self.fitted.predict(&panel).is_err(), || {
                format!("predicted feature b with {bad} at row 7")
            })?;
        }
        Ok(())
    }

    fn missing_answered(&self) -> Verdict {
        let law = Law::MissingAnswered;
        for bad in [f32::NAN, f32::INFINITY] {
            let what = format!("feature b with {bad} at every tenth row");
            let mut table = self.table.clone();
            table.features[1].iter_mut().step_by(10).for_each(|value| *value = bad);
            let train = law.answer("the fixture", table.first_eras(TRAIN).panel())?;
            let panel = law.answer("the fixture", table.panel())?;
            let fitted = law.answer(&what, self.learner.fit(&train))?;
            for fitted in [&fitted, &self.fitted] {
                let predicted = law.answer(&what, fitted.predict(&panel))?;
                law.finite(&what, &predicted, panel.rows())?;
            }
        }
        Ok(())
    }

    fn few_rows(&self) -> Verdict {
        let law = Law::FewRows;
        let cases: [&[usize]; 4] = [&[0], &[0, 1], &[0, ROWS], &[0, 1, ROWS, ROWS + 1]];
        for rows in cases {
            let what = format!("fit on rows {rows:?}, {ROWS} rows an era");
            let panel = law.answer("the fixture", self.table.take(rows).panel())?;
            if let Ok(fitted) = self.learner.fit(&panel)
                && let Ok(predicted) = fitted.predict(&self.whole)
            {
                law.finite(&what, &predicted, self.whole.rows())?;
            }
        }
        let one = law.answer("the fixture", self.table.take(&[0]).panel())?;
        let predicted = law.answer("a panel of one row", self.fitted.predict(&one))?;
        law.nearly("a panel of one row", &self.predicted[..1], &predicted)
    }

    /// Cuts that share eras, of a panel with eras of another world that no cut holds.
    fn cut_alone(&self) -> Verdict {
        let law = Law::CutAlone;
        let mut table = self.table.clone();
        let strange = (TRAIN + 1) * ROWS;
        table.target[strange..].iter_mut().for_each(|target| *target = 1.0 - 3.0 * *target);
        let panel = law.answer("the fixture", table.panel())?;
        let cuts = [(0..TRAIN).collect::<Vec<_>>(), (0..=TRAIN).step_by(2).collect()];
        let (mut found, mut order) = (Vec::new(), Vec::new());
        let mut note = |at: usize, fitted: L::Fitted| {
            order.push(at);
            found.push(fitted.predict(&self.whole)?);
            Ok(())
        };
        law.answer("two cuts", self.learner.fit_each(&panel, &cuts, &mut note))?;
        law.expect(order == [0, 1], || format!("fits of cuts {order:?}, expected [0, 1]"))?;
        law.nearly("the first of two cuts", &self.predicted, &found[0])?;
        let alone = panel.cut(&cuts[1]).and_then(|train| self.refit(&train));
        let alone = law.answer("every other era", alone)?;
        law.nearly("the second of two cuts", &alone, &found[1])
    }

    fn learns(&self) -> Verdict {
        let mut sum = 0.0;
        for era in self.whole.iter().skip(TRAIN) {
            let rows = self.whole.eras().range(era.index());
            let predicted: Vec<f64> = self.predicted[rows].iter().map(|&p| f64::from(p)).collect();
            let target = Law::Works.answer("the fixture", era.target())?;
            let target: Vec<f64> = target.iter().map(|&t| f64::from(t)).collect();
            let score = Law::Learns.answer("a correlation", pearson(&predicted, &target))?;
            sum += if score.is_nan() { 0.0 } else { score };
        }
        let mean = sum / TRAIN as f64;
        Law::Learns.expect(mean > LEARNT, || {
            format!(
                "mean correlation {mean:.3} on {TRAIN} held-out eras, at least {LEARNT} expected"
            )
        })
    }
}

fn law_no_target<L: Fit>(learner: &L, train: &Panel) -> Verdict {
    Law::NoTarget.expect(learner.fit(&train.without_targets()).is_err(), || {
        "fitted on a panel without target".into()
    })
}
