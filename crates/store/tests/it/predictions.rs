//! Predictions and submissions as files.

use fattail_core::{Ids, Panel};
use fattail_store::{
    Error, SubmissionError, check_submission, join, read_predictions, read_submission,
    write_predictions, write_submission,
};

use super::panel;

#[test]
fn predictions_come_back_in_panel_order() {
    let folder = tempfile::tempdir().unwrap();
    let values = [0.1f32, 0.2, 0.3, 0.4, 0.5, f32::MIN_POSITIVE];
    for name in ["p.csv", "p.parquet"] {
        let path = folder.path().join(name);
        write_predictions(&panel(), &values, &path).unwrap();
        let table = read_predictions(&path).unwrap();
        assert_eq!(join(&panel(), &table, "prediction").unwrap(), values);
        let late = panel().cut(&[1, 2]).unwrap();
        assert_eq!(join(&late, &table, "prediction").unwrap(), values[2..]);
    }
    let text = std::fs::read_to_string(folder.path().join("p.csv")).unwrap();
    assert!(text.starts_with("id,era,prediction\na,0001,0.1\nb,0001,0.2\n"));
}

#[test]
fn a_join_is_by_era_and_id() {
    let ids: Ids = ["b", "a", "x", "ccc", "b"].into_iter().collect();
    let table = Panel::builder().eras(&["0001", "0001", "0001", "0010", "0010"]).unwrap();
    let table = table.ids(ids).extra("meta", vec![1.0f32, 2.0, 3.0, 4.0, 5.0]).build().unwrap();
    let first = panel().cut(&[0]).unwrap();
    assert_eq!(join(&first, &table, "meta").unwrap(), [2.0, 1.0]);
    let error = join(&panel(), &table, "meta").unwrap_err().to_string();
    let says = "column 'meta' has no value for id 'a' in era '0002' (2 of 6 rows have none)";
    assert_eq!(error, says);
    assert!(join(&panel(), &table, "mete").unwrap_err().to_string().contains("'meta'?"));
    let error = join(&panel(), &Panel::builder().extra("meta", vec![1.0]).build().unwrap(), "meta");
    let says = "column 'meta' is joined by era and id, but the table has no ids";
    assert_eq!(error.unwrap_err().to_string(), says);
    let bare = Panel::builder().feature("f", vec![1u8]).build().unwrap();
    assert!(join(&bare, &table, "meta").unwrap_err().to_string().ends_with("the panel has no ids"));
    assert!(write_predictions(&bare, &[0.5], "never.csv").is_err());
    assert!(write_predictions(&panel(), &[0.5], "never.csv").is_err());
}

#[test]
fn a_missing_prediction_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.csv");
    for (cell, says) in [
        ("", "an empty cell, expected a finite number"),
        ("NaN", "'NaN', expected a finite number or an empty cell"),
    ] {
        std::fs::write(&path, format!("id,era,prediction\na,1,0.5\nb,1,{cell}\n")).unwrap();
        let error = read_predictions(&path).unwrap_err().to_string();
        let place = format!("'{}', line 3, column 'prediction'", path.display());
        assert_eq!(error, format!("{place}: found {says}"));
    }
    let path = folder.path().join("p.parquet");
    write_predictions(&panel(), &[0.5, f32::NAN, 0.5, 0.5, 0.5, 0.5], &path).unwrap();
    let error = read_predictions(&path).unwrap_err().to_string();
    let says = ", row group 0, row 1, column 'prediction': found NaN, expected a finite number";
    assert!(error.ends_with(says), "{error}");
}

#[test]
fn a_submission_is_written_when_it_keeps_the_rules() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("submission.csv");
    write_submission(&path, &["n1", "n2"], &[0.25, 0.75]).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "id,prediction\nn1,0.25\nn2,0.75\n");
    let submission = read_submission(&path).unwrap();
    assert!(check_submission(&submission, &["n2", "n1"]).unwrap().is_empty());
    std::fs::remove_file(&path).unwrap();
    for (predictions, says) in [
        (vec![0.25, f32::NAN], "the prediction for id 'n2' is NaN at row 1"),
        (vec![0.25, 1.5], "the prediction for id 'n2' is 1.5 at row 1, allowed is 0..=1"),
        (vec![0.5, 0.5], "the standard deviation of the predictions is 0, allowed is above 1e-8"),
        (vec![0.5], "there are 1 predictions for 2 ids"),
    ] {
        let error = write_submission(&path, &["n1", "n2"], &predictions).unwrap_err().to_string();
        assert_eq!(error, format!("'{}': {says}", path.display()));
        assert!(!path.exists());
    }
    let twice = write_submission(&path, &["n1", "n1"], &[0.25, 0.5]).unwrap_err();
    let Error::Submission { source, .. } = twice else { panic!("{twice}") };
    assert_eq!(source, SubmissionError::DuplicateId { id: "n1".into(), row: 1 });
}

#[test]
fn another_header_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("submission.csv");
    for header in ["prediction,id", "id,prediction,era", "id,score", ""] {
        std::fs::write(&path, format!("{header}\nn1,0.5,1\n")).unwrap();
        assert!(read_submission(&path).is_err(), "{header}");
    }
    std::fs::write(&path, "id,probability\nn1,0.5\nn2,\nn3,half\n").unwrap();
    let error = read_submission(&path).unwrap_err().to_string();
    assert!(error.ends_with(", line 4, column 'probability': found 'half', expected a number"));
}
