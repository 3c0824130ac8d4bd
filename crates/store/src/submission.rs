//! Submission files, held to the rules of Numerai's tournament before they are written.
//!
//! The rules (numerai-tools 0.7.2, `submissions.py`): the header is `id,prediction` or
//! `id,probability`; every live id stands exactly once, other ids are dropped; no prediction is NaN;
//! all lie in 0..=1, with numpy's `isclose` tolerance (1e-8 at 0, 1.001e-5 at 1); their sample
//! standard deviation is not within 1e-8 of 0.

use std::{collections::HashSet, path::Path};

use csv::{Reader, StringRecord, Writer};

use crate::{Error, Place, Result, atomic::write_atomic, shown::shown};

/// Ids and a prediction for each.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Submission {
    /// The ids.
    pub ids: Vec<String>,
    /// The predictions, in the order of the ids.
    pub predictions: Vec<f64>,
}

/// A rule of the tournament that is broken.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SubmissionError {
    /// Another header.
    #[error("the header is '{}', expected 'id,prediction' or 'id,probability'", shown(found))]
    Header {
        /// The header found.
        found: String,
    },
    /// Another number of predictions than of ids.
    #[error("there are {predictions} predictions for {ids} ids")]
    Length {
        /// The number of ids.
        ids: usize,
        /// The number of predictions.
        predictions: usize,
    },
    /// Live ids without a prediction.
    #[error("{missing} live ids have no prediction, the first is '{}'", shown(first))]
    MissingIds {
        /// How many.
        missing: usize,
        /// The first.
        first: String,
    },
    /// A live id that stands twice.
    #[error("id '{}' stands twice, the second time at row {row}", shown(id))]
    DuplicateId {
        /// The id.
        id: String,
        /// The row of the second.
        row: usize,
    },
    /// A prediction that is not a number.
    #[error("the prediction for id '{}' is NaN at row {row}", shown(id))]
    NotANumber {
        /// The id.
        id: String,
        /// The row.
        row: usize,
    },
    /// A prediction out of range.
    #[error("the prediction for id '{}' is {value} at row {row}, allowed is 0..=1", shown(id))]
    OutOfRange {
        /// The id.
        id: String,
        /// The prediction.
        value: f64,
        /// The row.
        row: usize,
    },
    /// Predictions that say nothing.
    #[error("the standard deviation of the predictions is {deviation}, allowed is above 1e-8")]
    Constant {
        /// The standard deviation.
        deviation: f64,
    },
}

/// Holds a submission to the rules. Answers the ids that are not live, which the tournament drops.
///
/// ```
/// use fattail_store::{Submission, check_submission};
/// let submission = Submission {
///     ids: vec!["n1".into(), "n2".into(), "n0".into()],
///     predictions: vec![0.25, 0.75, 0.5],
/// };
/// assert_eq!(check_submission(&submission, &["n1", "n2"]).unwrap(), ["n0"]);
/// assert!(check_submission(&submission, &["n1", "n3"]).is_err());
/// ```
///
/// # Errors
/// Names the first rule broken, with id, row and value.
pub fn check_submission<'a, S: AsRef<str>>(
    submission: &'a Submission,
    live_ids: &[S],
) -> Result<Vec<&'a str>, SubmissionError> {
    let Submission { ids, predictions } = submission;
    if ids.len() != predictions.len() {
        let (ids, predictions) = (ids.len(), predictions.len());
        return Err(SubmissionError::Length { ids, predictions });
    }
    let live: HashSet<&str> = live_ids.iter().map(AsRef::as_ref).collect();
    let mut seen = HashSet::with_capacity(live.len());
    let mut dropped = Vec::new();
    for (row, id) in ids.iter().enumerate() {
        if !live.contains(id.as_str()) {
            dropped.push(id.as_str());
        } else if !seen.insert(id.as_str()) {
            return Err(SubmissionError::DuplicateId { id: id.clone(), row });
        }
    }
    let mut absent = live_ids.iter().map(AsRef::as_ref).filter(|id| !seen.contains(id));
    if let Some(first) = absent.next() {
        let (missing, first) = (1 + absent.count(), first.to_owned());
        return Err(SubmissionError::MissingIds { missing, first });
    }
    check_values(submission)?;
    Ok(dropped)
}

fn check_values(submission: &Submission) -> Result<(), SubmissionError> {
    for (row, (id, &value)) in submission.ids.iter().zip(&submission.predictions).enumerate() {
        if value.is_nan() {
            return Err(SubmissionError::NotANumber { id: id.clone(), row });
        }
        // numpy.isclose(value, x): at most 1e-8 + 1e-5 |x| apart.
        if !(-1e-8..=1.0 + 1e-8 + 1e-5).contains(&value) {
            return Err(SubmissionError::OutOfRange { id: id.clone(), value, row });
        }
    }
    let deviation = deviation(&submission.predictions);
    match deviation > 1e-8 {
        true => Ok(()),
        false => Err(SubmissionError::Constant { deviation }),
    }
}

/// The sample standard deviation; 0 for a single value.
fn deviation(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count.max(1.0);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (count - 1.0).max(1.0)).sqrt()
}

/// Reads a submission and refuses another header.
///
/// # Errors
/// When the file cannot be read, the header is another one or a prediction is not a number.
pub fn read_submission(path: impl AsRef<Path>) -> Result<Submission> {
    let path = path.as_ref();
    let file = std::fs::File::open(path).map_err(Error::read(path))?;
    let mut reader = Reader::from_reader(file);
    let broken = |source| Error::format(path, Place::File, "CSV", source);
    let header = reader.headers().map_err(broken)?.iter().collect::<Vec<_>>().join(",");
    if header != "id,prediction" && header != "id,probability" {
        let source = SubmissionError::Header { found: header };
        return Err(Error::Submission { path: path.into(), source });
    }
    let column = header.trim_start_matches("id,").to_owned();
    let mut submission = Submission::default();
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(broken)? {
        let (id, cell) = (&record[0], &record[1]);
        let prediction = match cell {
            "" | "NaN" | "nan" => f64::NAN,
            _ => cell.parse().map_err(|_| Error::Value {
                path: path.into(),
                place: Place::Line(record.position().map_or(0, csv::Position::line)),
                column: column.clone(),
                value: format!("'{}'", shown(cell)),
                expected: "a number",
            })?,
        };
        submission.ids.push(id.to_owned());
        submission.predictions.push(prediction);
    }
    Ok(submission)
}

/// Writes a submission that keeps every rule, `ids` being the live ones.
///
/// # Errors
/// When a rule is broken or the disk refuses; nothing half-written stays.
pub fn write_submission<S: AsRef<str>>(
    path: impl AsRef<Path>,
    ids: &[S],
    predictions: &[f32],
) -> Result<()> {
    let path = path.as_ref();
    let submission = Submission {
        ids: ids.iter().map(|id| id.as_ref().to_owned()).collect(),
        predictions: predictions.iter().map(|&value| f64::from(value)).collect(),
    };
    check_submission(&submission, ids)
        .map_err(|source| Error::Submission { path: path.into(), source })?;
    write_atomic(path, |file| -> Result<(), csv::Error> {
        let mut writer = Writer::from_writer(file);
        writer.write_record(["id", "prediction"])?;
        for (id, prediction) in submission.ids.iter().zip(predictions) {
            writer.write_record([id.as_str(), &prediction.to_string()])?;
        }
        Ok(writer.flush()?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(predictions: &[f64]) -> Result<(), SubmissionError> {
        let ids: Vec<String> = (0..predictions.len()).map(|row| format!("n{row}")).collect();
        let submission = Submission { ids: ids.clone(), predictions: predictions.to_vec() };
        check_submission(&submission, &ids).map(|_| ())
    }

    #[test]
    fn the_tolerances_are_those_of_the_tournament() {
        for allowed in [[0.0, 1.0], [-1e-9, 0.5], [0.5, 1.0 + 1e-6], [0.5, 0.5 + 3e-7]] {
            assert_eq!(check(&allowed), Ok(()), "{allowed:?}");
        }
        for refused in [[-1e-3, 0.5], [0.5, f64::INFINITY], [0.5, 1.01]] {
            let error = check(&refused).unwrap_err();
            assert!(matches!(error, SubmissionError::OutOfRange { .. }), "{refused:?}");
        }
        assert!(matches!(check(&[0.5, 0.5 + 3e-10]), Err(SubmissionError::Constant { .. })));
        assert!(matches!(check(&[0.5]), Err(SubmissionError::Constant { .. })));
        let error = check(&[0.5, f64::NAN]).unwrap_err();
        assert_eq!(error.to_string(), "the prediction for id 'n1' is NaN at row 1");
    }

    #[test]
    fn each_live_id_stands_exactly_once() {
        let submission = |ids: &[&str]| Submission {
            ids: ids.iter().map(|&id| id.into()).collect(),
            predictions: (0..ids.len()).map(|row| row as f64 / 10.0).collect(),
        };
        let error = check_submission(&submission(&["a", "b", "a"]), &["a", "b"]).unwrap_err();
        assert_eq!(error.to_string(), "id 'a' stands twice, the second time at row 2");
        let error = check_submission(&submission(&["a"]), &["a", "b", "c"]).unwrap_err();
        assert_eq!(error, SubmissionError::MissingIds { missing: 2, first: "b".into() });
        let other = submission(&["a", "x", "b", "x"]);
        assert_eq!(check_submission(&other, &["a", "b"]).unwrap(), ["x", "x"]);
    }
}
