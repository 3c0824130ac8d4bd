//! What does a byte of text cost: to find a table's layout, to read clean numbers, quoted texts, the same
//! with one faulty row in a thousand, and rows of which each has to be aligned?

use criterion::{
    BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use fattail::mend::{Block, Known, Layout, Policy, Reader, detect};
use fattail_benches::text::{FAULTS, RAGGED, numbers, table, texts};
use std::hint::black_box;

const SMALL: usize = 16 << 10;
const MIDDLE: usize = 256 << 10;
const LARGE: usize = 1 << 20;

fn layout(text: &[u8]) -> Layout {
    detect(text, &[], &Known::default()).expect("the columns are few")
}

fn read(layout: &Layout, text: &[u8]) -> Block {
    let reader = Reader {
        dialect: &layout.dialect,
        columns: &layout.columns,
        policy: Policy::repair(),
        texts: false,
        memory: usize::MAX,
    };
    reader.read(text, layout.body..text.len(), true)
}

fn layouts(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("mend/detect");
    for (name, bytes) in [("16_KiB", SMALL), ("1_MiB", LARGE)] {
        let text = table(bytes, texts, 1_000, &FAULTS);
        group.throughput(Throughput::Bytes(text.len() as u64)).sample_size(10);
        group.bench_function(name, |b| b.iter(|| layout(black_box(&text))));
    }
    group.finish();
}

fn measure(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, layout: &Layout, text: &[u8]) {
    group.throughput(Throughput::Bytes((text.len() - layout.body) as u64));
    group.bench_function(name, |b| b.iter(|| read(layout, black_box(text))));
}

fn blocks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("mend/read");
    group.sample_size(20);
    let clean = table(MIDDLE, numbers, 1, &[]);
    measure(&mut group, "numbers_256_KiB", &layout(&clean), &clean);
    let clean = table(MIDDLE, texts, 1, &[]);
    let known = layout(&clean);
    assert!(read(&known, &clean).notes.is_empty(), "clean rows need no repair");
    measure(&mut group, "quoted_256_KiB", &known, &clean);
    let faulty = table(MIDDLE, texts, 1_000, &FAULTS);
    measure(&mut group, "one_row_of_1000_faulty_256_KiB", &known, &faulty);
    let ragged = table(SMALL, texts, 1, &RAGGED);
    let block = read(&known, &ragged);
    assert!(block.notes.len() as u64 >= block.read, "every row is aligned or refused");
    measure(&mut group, "ragged_16_KiB", &known, &ragged);
    group.finish();
}

criterion_group!(benches, layouts, blocks);
criterion_main!(benches);
