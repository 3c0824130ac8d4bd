//! The log of repairs as a table: line, byte offset, column, rule, before, after.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, Int64Array, StringArray},
    datatypes::{DataType, Field, Schema},
};
use fattail_mend::{Column, Note};

/// The columns of the log.
pub(crate) fn schema() -> Schema {
    Schema::new(vec![
        Field::new("line", DataType::Int64, false),
        Field::new("offset", DataType::Int64, false),
        Field::new("column", DataType::Utf8, true),
        Field::new("rule", DataType::Utf8, false),
        Field::new("before", DataType::Utf8, false),
        Field::new("after", DataType::Utf8, true),
    ])
}

/// The notes of blocks, each with its lines, as arrays. Lines count from 1; `line` and `offset` are those of the first block.
pub(crate) fn arrays<'a>(
    blocks: impl IntoIterator<Item = (&'a [Note], u64)>,
    columns: &[Column],
    mut line: u64,
    offset: u64,
) -> Vec<ArrayRef> {
    let (mut lines, mut offsets) = (Vec::new(), Vec::new());
    let mut notes = Vec::new();
    for (block, count) in blocks {
        for note in block {
            lines.push((line + note.line + 1) as i64);
            offsets.push((offset + note.offset) as i64);
            notes.push(note);
        }
        line += count;
    }
    let name = |at: u32| columns.get(at as usize).map(|column| column.name.as_str());
    let named = notes.iter().map(|note| note.column.and_then(name));
    let named: StringArray = named.collect();
    let rules: StringArray = notes.iter().map(|note| Some(note.rule.name())).collect();
    let before: StringArray = notes.iter().map(|note| Some(note.before.as_str())).collect();
    let after: StringArray = notes.iter().map(|note| note.after.as_deref()).collect();
    vec![
        Arc::new(Int64Array::from(lines)),
        Arc::new(Int64Array::from(offsets)),
        Arc::new(named),
        Arc::new(rules),
        Arc::new(before),
        Arc::new(after),
    ]
}
