//! Finds the layout of any bytes and reads them under every policy, whole and cut; nothing may be lost.

#![no_main]

use fattail_mend::{Charset, Known, Policy, Reader, detect};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((&[choice, cut], bytes)) = bytes.split_first_chunk() else { return };
    let charset = Charset::detect(bytes);
    let mut text = Vec::new();
    charset.transcoder().push(&bytes[charset.mark..], true, &mut text);
    let raw = if charset.is_utf_8() { &bytes[charset.mark..] } else { &text[..] };

    let Ok(mut layout) = detect(raw, &[], &Known::default()) else { return };
    assert!(!layout.columns.is_empty() && layout.body <= raw.len());
    layout.columns.iter_mut().for_each(|column| column.declared = choice & 4 != 0);
    let policy = [Policy::strict(), Policy::repair(), Policy::lenient()][usize::from(choice % 3)];
    let reader = Reader {
        dialect: &layout.dialect,
        columns: &layout.columns,
        policy,
        texts: choice & 8 != 0,
        memory: usize::MAX,
    };
    let whole = reader.read(raw, layout.body..raw.len(), true);
    assert_eq!(whole.next, raw.len().max(layout.body));
    assert_eq!(whole.read, whole.rows as u64 + whole.refused.len() as u64);
    assert!(whole.columns.iter().all(|column| column.data.len() == whole.rows));

    // A block that may take no memory holds a batch, and the next one goes on behind it.
    let pieces = Reader { memory: 0, ..reader };
    let (mut start, mut open, mut rows, mut notes) = (layout.body, false, 0, 0);
    while start < raw.len() {
        let block = pieces.read_on(raw, start..raw.len(), true, open);
        assert!(block.next > start);
        (start, open) = (block.next, block.open);
        (rows, notes) = (rows + block.rows, notes + block.notes.len());
    }
    assert_eq!((rows, notes), (whole.rows, whole.notes.len()));

    let middle = layout.body + (raw.len() - layout.body) * usize::from(cut) / 256;
    let first = reader.read(raw, layout.body..middle, true);
    let second = reader.read_on(raw, first.next..raw.len().max(first.next), true, first.open);
    assert_eq!(first.rows + second.rows, whole.rows);
    assert_eq!(first.lines + second.lines, whole.lines);
    assert_eq!(first.notes.len() + second.notes.len(), whole.notes.len());
});
