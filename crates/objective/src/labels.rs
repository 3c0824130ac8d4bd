//! What training compares scores with.

use crate::Error;

/// Targets, weights and the groups of rows that belong together.
#[derive(Debug, Clone, Copy, Default)]
pub struct Labels<'a> {
    /// The targets, one slice each; one for all objectives but those of several targets, and the
    /// second for the upper ends of interval-censored survival times and the events of Cox
    /// regression. NaN is unknown: the row teaches nothing.
    pub targets: &'a [&'a [f32]],
    /// Weights of the rows.
    pub weights: Option<&'a [f32]>,
    /// Where each era (query) starts, and the number of rows at the end; empty for one in all.
    pub eras: &'a [usize],
}

impl<'a> Labels<'a> {
    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.targets.first().map_or(0, |target| target.len())
    }

    /// The first target.
    #[must_use]
    pub fn target(&self) -> &'a [f32] {
        self.targets.first().copied().unwrap_or_default()
    }

    /// Answers whether lengths, weights and era bounds fit.
    ///
    /// # Errors
    /// Names what does not fit, with its value and row.
    pub fn check(&self) -> Result<(), Error> {
        let rows = self.rows();
        if rows == 0 {
            return Err(Error::NoRows);
        }
        for target in self.targets {
            length("a target", target.len(), rows)?;
        }
        if let Some(weights) = self.weights {
            length("the weights", weights.len(), rows)?;
            check_weights(weights)?;
        }
        self.check_eras(rows)
    }

    fn check_eras(&self, rows: usize) -> Result<(), Error> {
        let Some(&last) = self.eras.last() else { return Ok(()) };
        let refuse =
            |position: usize| Err(Error::EraBounds { bound: self.eras[position], position, rows });
        if self.eras[0] != 0 {
            return refuse(0);
        }
        if let Some(position) = self.eras.windows(2).position(|pair| pair[0] >= pair[1]) {
            return refuse(position + 1);
        }
        if last != rows { refuse(self.eras.len() - 1) } else { Ok(()) }
    }
}

/// Refuses a slice of another length.
pub(crate) fn length(what: &'static str, given: usize, expected: usize) -> Result<(), Error> {
    if given == expected { Ok(()) } else { Err(Error::Length { what, given, expected }) }
}

fn check_weights(weights: &[f32]) -> Result<(), Error> {
    let bad = weights.iter().position(|weight| !(*weight >= 0.0 && weight.is_finite()));
    if let Some(row) = bad {
        let allowed = "finite and not negative";
        return Err(Error::Weight { value: weights[row], row, allowed });
    }
    if weights.iter().all(|&weight| weight == 0.0) {
        return Err(Error::ZeroWeights { rows: weights.len() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(weights: Option<&[f32]>, eras: &[usize], text: &str) {
        let target = [0.0, 1.0, 2.0];
        let labels = Labels { targets: &[&target], weights, eras };
        assert_eq!(labels.check().unwrap_err().to_string(), text);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        assert_eq!(Labels::default().check(), Err(Error::NoRows));
        refused(Some(&[1.0]), &[], "the weights has 1 values, expected are 3");
        let negative = "weight -1 at row 1 is out of range, allowed is finite and not negative";
        refused(Some(&[1.0, -1.0, 0.0]), &[], negative);
        refused(Some(&[0.0; 3]), &[], "all of 3 weights are zero");
        refused(None, &[0, 2, 2, 3], "the era bound 2 at position 2 is out of place among 3 rows");
        refused(None, &[1, 3], "the era bound 1 at position 0 is out of place among 3 rows");
        refused(None, &[0, 2], "the era bound 2 at position 1 is out of place among 3 rows");
    }
}
