//! A schema that a run left holds for later ones.

use fattail_core::silent;
use fattail_ingest::{Error, Evolution, Ingest, Schema};

use crate::files::{Case, ingest, rows, types};

fn schema() -> Schema {
    let summary = ingest("id,price,day\n1,2.5,2026-01-01\n2,3.5,2026-01-02\n", &Ingest::default());
    Schema::read(&summary.schema).unwrap()
}

fn with(evolution: Evolution) -> Ingest {
    Ingest { schema: Some(schema()), evolution, ..Ingest::default() }
}

#[test]
fn other_columns_are_refused_and_their_order_is_free() {
    let other = Case::new("id,cost,day\n1,2.5,2026-01-01\n");
    let error = with(Evolution::Refuse).file(&other.input, &other.out(), &silent).unwrap_err();
    let Error::Columns { missing, added, .. } = &error else { panic!("{error}") };
    assert_eq!((missing, added), (&vec!["price".to_owned()], &vec!["cost".to_owned()]));
    assert!(!other.out().exists());

    let turned = ingest("day,price,id\n2026-01-03,4.5,3\n", &with(Evolution::Refuse));
    assert_eq!(rows(&turned.table), [["3", "4.5", "2026-01-03"]]);
}

#[test]
fn values_of_other_kinds_are_misfits() {
    let summary = ingest("id,price,day\n1.5,x,soon\n2,2.5,2026-01-02\n", &with(Evolution::Refuse));
    assert_eq!(rows(&summary.table), [["2", "2.5", "2026-01-02"]]);
    let summary = ingest("id,price,day\n1.5,2.5,2026-01-01\n", &with(Evolution::Refuse));
    assert_eq!(rows(&summary.table), [["<null>", "2.5", "2026-01-01"]]);
    assert_eq!(summary.columns[0].misfits, 1);
}

#[test]
fn columns_come_and_go_where_that_is_allowed() {
    let summary = ingest("id,day,note\n1,2026-01-01,new\n", &with(Evolution::Extend));
    assert_eq!(rows(&summary.table), [["1", "<null>", "2026-01-01", "new"]]);
    let names: Vec<_> = types(&summary.table).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["id", "price", "day", "note"]);
}

#[test]
fn added_columns_widen_and_those_of_the_schema_do_not() {
    let mut text = String::from("id,price,day,size\n");
    (0..300_000).for_each(|row| text.push_str(&format!("{row},2.5,2026-01-01,{row}\n")));
    text.push_str("1.5,2.5,2026-01-01,2.5\n");
    let summary = ingest(text, &with(Evolution::Extend));
    assert_eq!(summary.widened, ["size"]);
    assert_eq!(rows(&summary.table)[300_000], ["<null>", "2.5", "2026-01-01", "2.5"]);
}

#[test]
fn kinds_widen_where_that_is_allowed() {
    let summary = ingest("id,price,day\n1.5,2.5,2026-01-01\n", &with(Evolution::Widen));
    assert_eq!(rows(&summary.table), [["1.5", "2.5", "2026-01-01"]]);
    assert_eq!(summary.widened, ["id"]);
}

#[test]
fn a_schema_with_a_name_twice_says_so() {
    let case = Case::new("id\n1\n");
    let mut twice = schema();
    twice.columns.push(twice.columns[1].clone());
    std::fs::write(&case.input, serde_json::to_vec(&twice).unwrap()).unwrap();
    let error = Schema::read(&case.input).unwrap_err();
    assert!(matches!(&error, Error::Twice { name, .. } if name == "price"), "{error}");
}

#[test]
fn a_file_that_is_no_schema_says_so() {
    let case = Case::new("id\n1\n");
    let error = Schema::read(&case.input).unwrap_err().to_string();
    assert!(error.contains("is not a schema"), "{error}");
}
