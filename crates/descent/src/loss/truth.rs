//! What a prediction is compared with: targets, weights, and where eras lie.

use fattail_core::{Error, Result};

/// Targets, with weights and eras where there are any.
///
/// ```
/// use fattail_descent::Truth;
/// let truth = Truth::new(&[0.0, 0.5, 1.0]).with_weights(&[1.0, 2.0, 1.0])?.with_eras(&[0, 2, 3])?;
/// assert_eq!((truth.rows(), truth.total_weight()), (3, 4.0));
/// assert!(Truth::new(&[0.0]).with_eras(&[0, 2]).is_err());
/// # Ok::<(), fattail_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Truth<'a> {
    target: &'a [f32],
    weights: Option<&'a [f32]>,
    /// Where each era starts, and the end of the last one; empty for one era in all.
    bounds: &'a [usize],
}

impl<'a> Truth<'a> {
    /// Targets in one era, all of weight 1. NaN is unknown.
    #[must_use]
    pub fn new(target: &'a [f32]) -> Self {
        Self { target, weights: None, bounds: &[] }
    }

    /// The same targets with weights. A row whose weight is not positive and finite counts nowhere.
    ///
    /// # Errors
    /// When the length differs.
    pub fn with_weights(self, weights: &'a [f32]) -> Result<Self> {
        self.check("weights", weights.len())?;
        Ok(Self { weights: Some(weights), ..self })
    }

    /// The same targets in eras: the row where each era starts, and the number of rows at the end.
    ///
    /// # Errors
    /// When the bounds do not begin with 0, increase, and end with the number of rows.
    pub fn with_eras(self, bounds: &'a [usize]) -> Result<Self> {
        let whole = bounds.first() == Some(&0) && bounds.last() == Some(&self.rows());
        if !whole || bounds.windows(2).any(|pair| pair[0] >= pair[1]) {
            let allowed = "0, then increasing rows, then the number of rows";
            return Err(Error::setting("era bounds", format!("{bounds:?}"), allowed));
        }
        Ok(Self { bounds, ..self })
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.target.len()
    }

    /// Answers whether `name` has one value a row: asked first, [`Loss::value`](super::Loss::value)
    /// and [`Loss::slopes`](super::Loss::slopes) cannot panic.
    ///
    /// ```
    /// use fattail_descent::{Loss, Squared, Truth};
    /// let (truth, prediction) = (Truth::new(&[0.0, 1.0]), [0.5, 0.5, 0.5]);
    /// assert!(truth.check("prediction", prediction.len()).is_err());
    /// assert_eq!(Squared.value(&truth, &prediction[..2]), 0.125);
    /// ```
    ///
    /// # Errors
    /// When the length differs.
    pub fn check(&self, name: &str, given: usize) -> Result<()> {
        let expected = self.rows();
        if given == expected {
            return Ok(());
        }
        Err(Error::Length { name: name.to_owned(), given, expected })
    }

    /// The sum of the weights of the known rows.
    #[must_use]
    pub fn total_weight(&self) -> f64 {
        (0..self.rows()).filter_map(|row| self.known(row)).map(|(_, weight)| weight).sum()
    }

    /// The target and the weight of a row, if they are known.
    ///
    /// # Panics
    /// When there is no such row, as indexing a slice does.
    #[must_use]
    #[inline]
    pub fn known(&self, row: usize) -> Option<(f64, f64)> {
        let target = self.target[row];
        let weight = self.weights.map_or(1.0, |weights| weights[row]);
        (target.is_finite() && weight > 0.0 && weight.is_finite())
            .then(|| (f64::from(target), f64::from(weight)))
    }

    /// The known pairs of target and weight.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (f64, f64)> + Clone {
        let truth = *self;
        (0..self.rows()).filter_map(move |row| truth.known(row))
    }

    /// The rows of each era.
    pub(crate) fn eras(&self) -> impl Iterator<Item = std::ops::Range<usize>> + Clone + use<'a> {
        let single = self.bounds.is_empty().then(|| 0..self.rows());
        single.into_iter().chain(self.bounds.windows(2).map(|pair| pair[0]..pair[1]))
    }

    /// The documented panic of the losses.
    pub(crate) fn expect(&self, lengths: &[usize]) {
        let rows = self.rows();
        for &length in lengths {
            assert_eq!(length, rows, "a slice has another length than the truth");
        }
    }
}
