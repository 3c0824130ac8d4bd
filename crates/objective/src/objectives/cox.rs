//! Cox's proportional hazards: the partial likelihood of who has the event when.
//!
//! With time t, event d, weight w and score f: `S(t) = sum over t_j >= t of w_j exp f_j`, and the loss
//! `sum over events of w_i (ln S(t_i) - f_i)` (Breslow's form for equal times). With D(t) the weight of
//! the events at t: `R_i = sum over t <= t_i of D(t) / S(t)`, `Q_i = sum of D(t) / S(t)^2`; gradient
//! `w_i (exp(f_i) R_i - d_i)`, hessian `w_i exp(f_i) R_i - (w_i exp f_i)^2 Q_i`. Starts at 0;
//! predictions are `exp f`, the hazard against the base.
//! One target: positive is the time of an event, negative minus a censoring time (XGBoost's
//! `survival:cox`). Two targets: time, and 1 for an event or 0. Without equal times and weights the
//! slopes are XGBoost's; with them they are exact here, so that weight 2 is two rows.
//! Unknown: NaN in either target. Cost: a sort when bound; then one exponential a row, in order.
//! Reference: Cox (1972); Breslow (1974).

use fattail_trees::Link;

use super::Bind;
use crate::{Bound, Error, Labels, known::Range};

/// Times, events and weights, in order of time.
#[derive(Debug)]
pub(crate) struct Risk {
    rows: usize,
    /// The known rows by rising time.
    order: Vec<usize>,
    times: Vec<f32>,
    events: Vec<bool>,
    weights: Vec<f64>,
}

impl Risk {
    pub(crate) fn new(by: &'static str, labels: &Labels<'_>) -> Result<Self, Error> {
        let (times, events) = times(by, labels)?;
        let weight = |row: usize| labels.weights.map_or(1.0, |weights| weights[row]);
        let weights: Vec<f64> = (0..times.len()).map(|row| f64::from(weight(row))).collect();
        let known = |&row: &usize| !times[row].is_nan() && weights[row] > 0.0;
        let mut order: Vec<usize> = (0..times.len()).filter(known).collect();
        order.sort_by(|&a, &b| times[a].total_cmp(&times[b]));
        if order.is_empty() {
            return Err(Error::NothingKnown { rows: times.len() });
        }
        if !order.iter().any(|&row| events[row]) {
            return Err(Error::NoEvents { known: order.len() });
        }
        Ok(Self { rows: times.len(), order, times, events, weights })
    }

    /// Rows of equal time, from early to late.
    fn ties(&self) -> impl DoubleEndedIterator<Item = &[usize]> {
        self.order.chunk_by(|&a, &b| self.times[a] == self.times[b])
    }

    /// The largest score, which is taken off all of them: only differences count.
    fn top(&self, score: &[f64]) -> f64 {
        self.order.iter().map(|&row| score[row]).fold(f64::NEG_INFINITY, f64::max)
    }

    /// The weighted hazards of the rows at risk at each time, early to late.
    fn at_risk(&self, score: &[f64]) -> Vec<f64> {
        let top = self.top(score);
        let mut sum = 0.0;
        let mut sums: Vec<f64> = Vec::new();
        for rows in self.ties().rev() {
            sum +=
                rows.iter().map(|&row| self.weights[row] * (score[row] - top).exp()).sum::<f64>();
            sums.push(sum);
        }
        sums.reverse();
        sums
    }

    fn died(&self, rows: &[usize]) -> f64 {
        rows.iter().filter(|&&row| self.events[row]).map(|&row| self.weights[row]).sum()
    }

    /// The mean loss of an event.
    pub(crate) fn value(&self, score: &[f64]) -> f64 {
        let (top, sums) = (self.top(score), self.at_risk(score));
        let (mut loss, mut weight) = (0.0, 0.0);
        for (rows, sum) in self.ties().zip(sums) {
            for &row in rows.iter().filter(|&&row| self.events[row]) {
                loss += self.weights[row] * (sum.ln() - (score[row] - top));
                weight += self.weights[row];
            }
        }
        loss / weight
    }
}

/// Cox's loss on labels.
#[derive(Debug)]
pub(crate) struct Cox(Risk);

impl Cox {
    pub(crate) fn bind<'a>(labels: &Labels<'a>) -> Bind<'a> {
        Ok(Box::new(Self(Risk::new("cox", labels)?)))
    }
}

impl Bound for Cox {
    fn start(&self) -> Vec<f64> {
        vec![0.0]
    }

    fn slopes(&self, _: usize, score: &[f64], gradient: &mut [f32], hessian: &mut [f32]) {
        let risk = &self.0;
        debug_assert_eq!(score.len(), risk.rows);
        gradient.fill(0.0);
        hessian.fill(0.0);
        let (top, sums) = (risk.top(score), risk.at_risk(score));
        let (mut ratio, mut square) = (0.0, 0.0);
        for (rows, sum) in risk.ties().zip(sums) {
            let died = risk.died(rows);
            ratio += died / sum;
            square += died / (sum * sum);
            for &row in rows {
                let hazard = (score[row] - top).exp();
                let weight = risk.weights[row];
                let event = if risk.events[row] { 1.0 } else { 0.0 };
                let own = weight * hazard;
                gradient[row] = (weight * (hazard * ratio - event)) as f32;
                hessian[row] = (own * ratio - own * own * square).max(0.0) as f32;
            }
        }
    }

    fn link(&self) -> Link {
        Link::Exp
    }

    fn text(&self) -> String {
        "poisson".into()
    }
}

/// Times without sign, NaN where unknown, and events.
fn times(by: &'static str, labels: &Labels<'_>) -> Result<(Vec<f32>, Vec<bool>), Error> {
    match *labels.targets {
        [signed] => {
            Range::finite(by).check(signed)?;
            Ok((
                signed.iter().map(|time| time.abs()).collect(),
                signed.iter().map(|&t| t > 0.0).collect(),
            ))
        }
        [time, event] => {
            Range::not_negative(by).check(time)?;
            let holds = |event: f32| event == 0.0 || event == 1.0;
            Range { by, allowed: "0 or 1 for the event", holds }.check(event)?;
            let known =
                |(&time, &event): (&f32, &f32)| if event.is_nan() { f32::NAN } else { time };
            let times = time.iter().zip(event).map(known).collect();
            Ok((times, event.iter().map(|&event| event == 1.0).collect()))
        }
        _ => Err(Error::Targets { by, given: labels.targets.len(), allowed: "1 or 2" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_rows_by_hand() {
        let target = [1.0, 2.0, f32::NAN];
        let labels = Labels { targets: &[&target], ..Labels::default() };
        let cox = Cox::bind(&labels).unwrap();
        let (mut g, mut h) = ([9.0; 3], [9.0; 3]);
        cox.slopes(0, &[0.0; 3], &mut g, &mut h);
        assert_eq!(g, [-0.5, 0.5, 0.0]);
        assert_eq!(h, [0.25, 0.25, 0.0]);
        let risk = Risk::new("cox", &labels).unwrap();
        assert!((risk.value(&[0.0; 3]) - 0.5 * 2.0f64.ln()).abs() < 1e-15);
    }

    #[test]
    fn both_ways_to_censor_agree() {
        let signed = [1.0, -2.0, 3.0];
        let (time, event) = ([1.0, 2.0, 3.0], [1.0, 0.0, 1.0]);
        let score = [0.3, -0.2, 0.1];
        let one = Risk::new("cox", &Labels { targets: &[&signed], ..Labels::default() }).unwrap();
        let targets: [&[f32]; 2] = [&time, &event];
        let two = Risk::new("cox", &Labels { targets: &targets, ..Labels::default() }).unwrap();
        assert_eq!(one.value(&score), two.value(&score));
        let censored = [-1.0, -2.0];
        let labels = Labels { targets: &[&censored], ..Labels::default() };
        assert_eq!(Risk::new("cox", &labels).unwrap_err(), Error::NoEvents { known: 2 });
    }
}
