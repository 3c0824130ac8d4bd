//! Logistic loss for two classes, and one class against all others.
//!
//! With s the factor of the score f, `z = -l s / (1 + exp(l s f))` and l = 1 for the positive class,
//! -1 for the other: gradient `z v`, hessian `abs z (s - abs z) v`, times the weight, where v is the
//! weight of the class. It starts at `ln(p / (1 - p)) / s`, p the share of the positive class, which
//! weights move and class weights do not.
//! Labels are 0 and 1, or -1 and 1. One class only: nothing to learn. NaN labels: [`Known`].
//! Cost: one exponential a row. Reference: LightGBM 4.7 `binary_objective.hpp`.

use fattail_trees::Link;
use serde::{Deserialize, Serialize};

use super::{
    Bind, EPSILON,
    rows::{Kernel, Rows},
    stack::Stack,
};
use crate::{Bound, Error, Labels, known, known::Known, known::Range};

/// Settings of a loss for two classes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Binary {
    /// The factor of the score, above 0.
    pub sigmoid: f64,
    /// Whether the rarer class weighs as much as the other.
    pub is_unbalance: bool,
    /// The weight of the positive class, above 0; not together with `is_unbalance`.
    pub scale_pos_weight: f64,
}

impl Default for Binary {
    fn default() -> Self {
        Self { sigmoid: 1.0, is_unbalance: false, scale_pos_weight: 1.0 }
    }
}

impl Binary {
    /// Answers whether the settings are in range.
    ///
    /// # Errors
    /// Names the setting, its value and what is allowed, or the two that exclude each other.
    pub fn check(&self) -> fattail_core::Result<()> {
        let positive = |name, value: f64| {
            let fits = value > 0.0 && value.is_finite();
            let refuse = || fattail_core::Error::setting(name, value, "above 0 and finite");
            if fits { Ok(()) } else { Err(refuse()) }
        };
        positive("sigmoid", self.sigmoid)?;
        positive("scale_pos_weight", self.scale_pos_weight)?;
        if self.is_unbalance && (self.scale_pos_weight - 1.0).abs() > 1e-6 {
            let (first, second) = ("is_unbalance", "scale_pos_weight");
            return Err(Error::Contradiction { first, second }.into());
        }
        Ok(())
    }
}

#[derive(Debug)]
struct Logistic {
    sigmoid: f64,
    /// The class that is positive; none for labels above 0.
    class: Option<f32>,
    /// Weights of the negative and the positive class.
    weights: [f64; 2],
}

impl Logistic {
    #[inline]
    fn positive(&self, label: f32) -> bool {
        self.class.map_or(label > 0.0, |class| label == class)
    }
}

impl Kernel for Logistic {
    #[inline]
    fn slopes(&self, score: f64, label: f32, weight: f32) -> (f32, f32) {
        let positive = self.positive(label);
        let side = if positive { self.sigmoid } else { -self.sigmoid };
        let response = -side / (1.0 + (side * score).exp());
        let (size, class) = (response.abs(), self.weights[usize::from(positive)]);
        let weight = f64::from(weight);
        let hessian = size * (self.sigmoid - size) * class * weight;
        ((response * class * weight) as f32, hessian as f32)
    }
}

/// A class against the others, which may have nothing to learn.
#[derive(Debug)]
struct OneClass<'a> {
    rows: Rows<'a, Logistic>,
    trains: bool,
}

impl Bound for OneClass<'_> {
    fn start(&self) -> Vec<f64> {
        self.rows.start()
    }

    fn slopes(&self, iteration: usize, score: &[f64], gradient: &mut [f32], hessian: &mut [f32]) {
        if self.trains {
            self.rows.slopes(iteration, score, gradient, hessian);
        } else {
            gradient.fill(0.0);
            hessian.fill(0.0);
        }
    }

    fn trains(&self, _output: usize) -> bool {
        self.trains
    }

    fn link(&self) -> Link {
        self.rows.link()
    }

    fn text(&self) -> String {
        self.rows.text()
    }
}

/// Two classes.
pub(crate) fn bind<'a>(labels: &Labels<'a>, settings: &Binary) -> Bind<'a> {
    check_labels(labels.target())?;
    let known = Known::new(labels, 0, &Range::finite("binary"))?.vary()?;
    Ok(Box::new(class(known, settings, None)))
}

/// One model a class.
pub(crate) fn one_against_all<'a>(
    labels: &Labels<'a>,
    settings: &Binary,
    classes: usize,
) -> Bind<'a> {
    let more = |value, row| Error::MoreClasses { value, row, classes };
    known::check_whole("multiclassova", labels.target(), classes, more)?;
    Known::new(labels, 0, &Range::finite("multiclassova"))?.vary()?;
    let part = |index: usize| {
        let known = Known::new(labels, 0, &Range::finite("multiclassova"))?;
        Ok(Box::new(class(known, settings, Some(index as f32))) as Box<dyn Bound + 'a>)
    };
    let parts = (0..classes).map(part).collect::<Result<_, Error>>()?;
    let text = format!("multiclassova num_class:{classes} sigmoid:{}", settings.sigmoid);
    Ok(Box::new(Stack { parts, text }))
}

fn class<'a>(known: Known<'a>, settings: &Binary, class: Option<f32>) -> OneClass<'a> {
    let Binary { sigmoid, is_unbalance, scale_pos_weight } = *settings;
    let mut kernel = Logistic { sigmoid, class, weights: [1.0; 2] };
    let labels = known.target.iter().filter(|label| !label.is_nan());
    let (positive, all) = labels.fold((0, 0), |(positive, all), &label| {
        (positive + usize::from(kernel.positive(label)), all + 1)
    });
    let (positive, negative) = (positive as f64, (all - positive) as f64);
    let trains = positive > 0.0 && negative > 0.0;
    if is_unbalance && trains {
        kernel.weights = [(positive / negative).max(1.0), (negative / positive).max(1.0)];
    }
    kernel.weights[1] *= scale_pos_weight;
    let share = known.sum(|label| f64::from(u8::from(kernel.positive(label)))) / known.total();
    let share = share.clamp(EPSILON, 1.0 - EPSILON);
    let start = (share / (1.0 - share)).ln() / sigmoid;
    let (link, text) = (Link::Sigmoid { scale: sigmoid }, format!("binary sigmoid:{sigmoid}"));
    OneClass { rows: Rows { kernel, known, start, link, text }, trains }
}

/// Refuses labels other than 0 and 1, or -1 and 1.
fn check_labels(target: &[f32]) -> Result<(), Error> {
    let mut low = None;
    for (row, &value) in target.iter().enumerate().filter(|pair| !pair.1.is_nan()) {
        let fits =
            value == 1.0 || (value == 0.0 || value == -1.0) && *low.get_or_insert(value) == value;
        if !fits {
            let allowed = "0 and 1, or -1 and 1".into();
            return Err(Error::Label { by: "binary", value, row, allowed });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_of_one_pair() {
        assert!(check_labels(&[0.0, 1.0, f32::NAN]).is_ok());
        assert!(check_labels(&[-1.0, 1.0, -1.0]).is_ok());
        let text = "label 0 at row 2 is out of range for 'binary', allowed is 0 and 1, or -1 and 1";
        assert_eq!(check_labels(&[1.0, -1.0, 0.0]).unwrap_err().to_string(), text);
        assert!(check_labels(&[0.5]).is_err());
    }

    #[test]
    fn the_rare_class_is_lifted() {
        let target = [0.0, 0.0, 0.0, 1.0];
        let labels = Labels { targets: &[&target], ..Labels::default() };
        let bound = bind(&labels, &Binary { is_unbalance: true, ..Binary::default() }).unwrap();
        let (mut g, mut h) = ([0.0; 4], [0.0; 4]);
        bound.slopes(0, &[0.0; 4], &mut g, &mut h);
        assert_eq!((g, h), ([0.5, 0.5, 0.5, -1.5], [0.25, 0.25, 0.25, 0.75]));
        assert!((bound.start()[0] - (1.0f64 / 3.0).ln()).abs() < 1e-15);
        assert_eq!(bound.text(), "binary sigmoid:1");
    }

    #[test]
    fn a_class_without_rows_does_not_train() {
        let target = [0.0, 1.0, 0.0];
        let labels = Labels { targets: &[&target], ..Labels::default() };
        let bound = one_against_all(&labels, &Binary::default(), 3).unwrap();
        assert_eq!([0, 1, 2].map(|class| bound.trains(class)), [true, true, false]);
        assert!((bound.start()[2] + 34.5).abs() < 0.1);
    }
}
