//! A panel on the disk, opened and passed over, beside its blocks in memory.

use std::{
    error::Error,
    fs::{self, File},
    hint::black_box,
    io::{self, Read},
    path::Path,
};

use fattail::store::MappedPanel;
use fattail::{Era, Panel, Values};
use fattail_benches::{seconds, status};

use crate::{Answer, Unit};

type Whole<T> = Result<T, Box<dyn Error>>;

pub(crate) fn measure(file: &Path, rounds: usize) -> Answer {
    let (mapped, open) = seconds(|| MappedPanel::open(file));
    let mapped = mapped?;
    let (rest, opening) = (status("VmRSS:")?, status("VmHWM:")?);
    // The kernel starts the peak afresh when 5 is written here.
    fs::write("/proc/self/clear_refs", "5")?;
    let (sum, first) = seconds(|| on_disk(&mapped));
    let (sum, passing) = (sum?, status("VmHWM:")?);
    let (verified, verify) = seconds(|| mapped.verify());
    verified?;
    let [disk, read, memory] = in_turn(&mapped, file, sum, rounds)?;
    let bytes = (mapped.rows() * mapped.features().count()) as f64;
    Ok(vec![
        ("features", bytes, Unit::Bytes),
        ("open", open, Unit::Seconds),
        ("first pass", first, Unit::Seconds),
        ("pass", disk, Unit::Seconds),
        ("pass, speed", bytes / disk, Unit::BytesPerSecond),
        ("pass in memory", memory, Unit::Seconds),
        ("pass in memory, speed", bytes / memory, Unit::BytesPerSecond),
        ("pass / pass in memory", disk / memory, Unit::Ratio),
        ("plain read and sum", read, Unit::Seconds),
        ("pass / plain read and sum", disk / read, Unit::Ratio),
        ("verify", verify, Unit::Seconds),
        ("memory at rest", rest as f64, Unit::Bytes),
        ("peak memory, opening", opening as f64, Unit::Bytes),
        ("peak memory, passing", passing as f64, Unit::Bytes),
    ])
}

/// Median seconds of a pass over the disk, of a plain read and sum of the file, and of a pass over the same
/// blocks in memory.
fn in_turn(mapped: &MappedPanel, file: &Path, expected: u64, rounds: usize) -> Whole<[f64; 3]> {
    let held: Vec<Panel> = mapped.pieces().map(|piece| copied(&piece?)).collect::<Whole<_>>()?;
    let mut buffer = vec![0; mapped.bytes() / mapped.blocks().len()];
    let (mut disk, mut read, mut memory) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let (found, took) = seconds(|| on_disk(mapped));
        disk.push(agreed(found?, expected, took)?);
        let (found, took) = seconds(|| plainly(file, &mut buffer));
        black_box(found?);
        read.push(took);
        let (found, took) = seconds(|| held.iter().map(pass).sum());
        memory.push(agreed(found, expected, took)?);
    }
    Ok([disk, read, memory].map(median))
}

/// The sum of all bytes of a file, whatever they are, a block at a time.
fn plainly(file: &Path, buffer: &mut [u8]) -> io::Result<u64> {
    let mut file = File::open(file)?;
    let mut sum = 0;
    loop {
        match file.read(buffer)? {
            0 => return Ok(sum),
            read => sum += sum_of(&buffer[..read]),
        }
    }
}

fn agreed(found: u64, expected: u64, took: f64) -> Whole<f64> {
    match found == expected {
        true => Ok(took),
        false => Err(format!("a pass sums to {found}, the first one to {expected}").into()),
    }
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// The same panel, with columns of its own.
fn copied(panel: &Panel) -> Whole<Panel> {
    let mut copy = Panel::builder().era_runs(panel.eras().clone());
    for (at, name) in panel.schema().features().iter().enumerate() {
        let Some(Values::U8(bins)) = panel.feature(at).contiguous() else {
            return Err(format!("feature '{name}' is not bins in one stretch").into());
        };
        copy = copy.feature(name.clone(), bins.to_vec());
    }
    Ok(copy.build()?)
}

fn on_disk(mapped: &MappedPanel) -> fattail::store::Result<u64> {
    mapped.pieces().map(|piece| Ok(pass(&piece?))).sum()
}

/// The sum of every feature, era by era.
fn pass(panel: &Panel) -> u64 {
    panel.iter().flat_map(Era::features).map(sum).sum()
}

fn sum(values: Values<'_>) -> u64 {
    match values {
        Values::U8(bins) => sum_of(bins),
        Values::F32(_) => 0,
    }
}

fn sum_of(bytes: &[u8]) -> u64 {
    bytes.chunks(LANES * MOST).map(sum_of_part).sum()
}

/// Bytes that are added at once, and how often that stays within 16 bits. A sum byte by byte would be slower
/// than memory.
const LANES: usize = 16;
const MOST: usize = (u16::MAX / u8::MAX as u16) as usize;

fn sum_of_part(bytes: &[u8]) -> u64 {
    let (lanes, rest) = bytes.as_chunks::<LANES>();
    let mut sums = [0u16; LANES];
    for lane in lanes {
        sums.iter_mut().zip(lane).for_each(|(sum, &byte)| *sum += u16::from(byte));
    }
    let rest: u64 = rest.iter().map(|&byte| u64::from(byte)).sum();
    sums.iter().map(|&sum| u64::from(sum)).sum::<u64>() + rest
}
