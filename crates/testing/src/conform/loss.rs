//! Laws of losses.

use fattail_core::Result;
use fattail_descent::{Loss, Truth};
use rand::RngExt;

use crate::{
    Law, Verdict,
    stream::{Purpose, stream},
};

/// Rows of an era, and eras.
const SHAPE: (usize, usize) = (12, 3);
/// The row whose target is unknown, and the one whose weight is 0.
const UNKNOWN: [usize; 2] = [5, 20];
/// The step of a difference quotient.
const STEP: f64 = 1e-5;
/// Slopes agree within this, and a point is smooth where both one-sided slopes do.
const TOLERANCE: f64 = 1e-3;

/// Checks a loss: that slopes equal difference quotients of the value where it is smooth, that
/// curvatures are not negative, that no constant nearby beats the start, that a perfect prediction
/// costs nothing and any other no less, and that unknown rows count nowhere.
///
/// # Errors
/// The first law that does not hold, with the values that show it.
///
/// ```
/// use fattail_descent::Huber;
/// use fattail_testing::check_loss;
///
/// check_loss(&Huber { delta: 0.1 })?;
/// # Ok::<(), fattail_testing::Violation>(())
/// ```
pub fn check_loss(loss: &(impl Loss + ?Sized)) -> Verdict {
    Law::Works.answer("the settings", loss.check())?;
    let rows = Rows::draw();
    let truth = Law::Works.answer("the fixture", rows.truth())?;
    deterministic(loss, &truth, &rows)?;
    slopes(loss, &truth, &rows)?;
    unknown(loss, &truth, &rows)?;
    start(loss, &truth)?;
    perfect(loss, &truth, &rows)
}

struct Rows {
    target: Vec<f32>,
    weights: Vec<f32>,
    bounds: Vec<usize>,
    prediction: Vec<f64>,
}

impl Rows {
    fn draw() -> Self {
        let mut rng = stream(23, Purpose::Conform, 4);
        let rows = SHAPE.0 * SHAPE.1;
        let mut target: Vec<f32> = (0..rows).map(|_| rng.random_range(0.0..1.0)).collect();
        let mut weights: Vec<f32> = (0..rows).map(|_| rng.random_range(0.5..2.0)).collect();
        let prediction = (0..rows).map(|_| rng.random_range(-0.5..1.5)).collect();
        target[UNKNOWN[0]] = f32::NAN;
        weights[UNKNOWN[1]] = 0.0;
        Self {
            target,
            weights,
            bounds: (0..=SHAPE.1).map(|era| era * SHAPE.0).collect(),
            prediction,
        }
    }

    fn truth(&self) -> Result<Truth<'_>> {
        Truth::new(&self.target).with_weights(&self.weights)?.with_eras(&self.bounds)
    }
}

/// Gradient and curvature.
fn bend(loss: &(impl Loss + ?Sized), truth: &Truth<'_>, at: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let (mut gradient, mut curvature) = (vec![f64::NAN; at.len()], vec![f64::NAN; at.len()]);
    loss.slopes(truth, at, &mut gradient, &mut curvature);
    (gradient, curvature)
}

fn deterministic(loss: &(impl Loss + ?Sized), truth: &Truth<'_>, rows: &Rows) -> Verdict {
    let value = || loss.value(truth, &rows.prediction);
    let (first, second) = (value(), value());
    Law::Deterministic.expect(first.to_bits() == second.to_bits(), || {
        format!("{loss:?}: {first}, then {second}")
    })?;
    let same = bend(loss, truth, &rows.prediction) == bend(loss, truth, &rows.prediction);
    Law::Deterministic.expect(same, || format!("{loss:?}: slopes differ the second time"))
}

fn slopes(loss: &(impl Loss + ?Sized), truth: &Truth<'_>, rows: &Rows) -> Verdict {
    let law = Law::Slopes;
    let weight = truth.total_weight();
    let (gradient, curvature) = bend(loss, truth, &rows.prediction);
    let value = |row: usize, step: f64| {
        let mut moved = rows.prediction.clone();
        moved[row] += step;
        weight * loss.value(truth, &moved)
    };
    let mut smooth = 0;
    for (row, (&g, &h)) in gradient.iter().zip(&curvature).enumerate() {
        law.expect(g.is_finite() && h.is_finite() && h >= 0.0, || {
            format!("{loss:?}: gradient {g} and curvature {h} at row {row}")
        })?;
        let (below, here, above) = (value(row, -STEP), value(row, 0.0), value(row, STEP));
        let (left, right) = ((here - below) / STEP, (above - here) / STEP);
        if (left - right).abs() > TOLERANCE * left.abs().max(1.0) {
            continue;
        }
        smooth += 1;
        let quotient = f64::midpoint(left, right);
        law.expect((g - quotient).abs() <= TOLERANCE * quotient.abs().max(1.0), || {
            let at = rows.prediction[row];
            format!("{loss:?}: gradient {g}, difference quotient {quotient} at row {row}, where {at} is predicted")
        })?;
    }
    law.expect(2 * smooth > gradient.len(), || {
        format!("{loss:?}: smooth at {smooth} of {} points only", gradient.len())
    })
}

fn unknown(loss: &(impl Loss + ?Sized), truth: &Truth<'_>, rows: &Rows) -> Verdict {
    let law = Law::UnknownTarget;
    let mut moved = rows.prediction.clone();
    UNKNOWN.iter().for_each(|&row| moved[row] += 10.0);
    let (here, there) = (loss.value(truth, &rows.prediction), loss.value(truth, &moved));
    law.expect(here.to_bits() == there.to_bits(), || {
        format!("{loss:?}: {here}, with other predictions of unknown rows {there}")
    })?;
    let (gradient, curvature) = bend(loss, truth, &rows.prediction);
    for row in UNKNOWN {
        law.expect(gradient[row] == 0.0 && curvature[row] == 0.0, || {
            format!(
                "{loss:?}: slopes {} and {} at unknown row {row}",
                gradient[row], curvature[row]
            )
        })?;
    }
    Ok(())
}

fn start(loss: &(impl Loss + ?Sized), truth: &Truth<'_>) -> Verdict {
    let start = loss.start(truth);
    let value = |constant: f64| loss.value(truth, &vec![constant; truth.rows()]);
    let best = value(start);
    Law::Start.expect(start.is_finite() && best.is_finite(), || {
        format!("{loss:?}: starts at {start} with value {best}")
    })?;
    for step in [-0.1, -1e-2, -1e-3, 1e-3, 1e-2, 0.1] {
        let beside = value(start + step);
        Law::Start.expect(best <= beside + 1e-12, || {
            format!("{loss:?}: starts at {start} with value {best}, {} has {beside}", start + step)
        })?;
    }
    Ok(())
}

fn perfect(loss: &(impl Loss + ?Sized), truth: &Truth<'_>, rows: &Rows) -> Verdict {
    let law = Law::Perfect;
    let targets = rows.target.iter().map(|&target| f64::from(target));
    let exact: Vec<f64> =
        targets.map(|target| if target.is_nan() { 0.0 } else { target }).collect();
    let value = loss.value(truth, &exact);
    law.expect(value.abs() <= 1e-12, || format!("{loss:?}: {value} for the targets themselves"))?;
    let other = loss.value(truth, &rows.prediction);
    law.expect(other > 0.0, || format!("{loss:?}: {other} for a prediction that is not perfect"))
}
