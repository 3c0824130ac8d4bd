//! Small panels.

use fattail_core::Panel;

/// Numbers between 0 and 1 without a pattern that matters here.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn next(&mut self) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Bins, a number, a constant; weights; a target that is unknown now and then.
pub(crate) fn mixed(seed: u64, eras: usize, width: usize) -> Panel {
    let mut numbers = Numbers(seed);
    let lengths: Vec<usize> = (0..eras).map(|_| 5 + (numbers.next() * 12.0) as usize).collect();
    let rows: usize = lengths.iter().sum();
    let labels: Vec<String> = lengths
        .iter()
        .enumerate()
        .flat_map(|(era, &rows)| vec![format!("{era:04}"); rows])
        .collect();
    let bins = |numbers: &mut Numbers| (numbers.next() * 5.0) as u8;
    let columns: Vec<Vec<u8>> =
        (0..width).map(|_| (0..rows).map(|_| bins(&mut numbers)).collect()).collect();
    let wide: Vec<f32> = (0..rows).map(|_| (numbers.next() * 100.0 + 1000.0) as f32).collect();
    let target: Vec<f32> = (0..rows)
        .map(|row| {
            let signal: f64 =
                columns.iter().zip([0.5, -0.3]).map(|(c, b)| b * f64::from(c[row])).sum();
            let tail = 1.0 / (numbers.next() + 0.05) - 1.0 / (numbers.next() + 0.05);
            let known = numbers.next() > 0.1;
            if known {
                (signal + 0.01 * f64::from(wide[row]) + 0.2 * tail) as f32
            } else {
                f32::NAN
            }
        })
        .collect();
    let weights: Vec<f32> = (0..rows).map(|_| numbers.next() as f32 + 0.5).collect();
    let mut builder = Panel::builder().eras(&labels).unwrap();
    for (position, column) in columns.into_iter().enumerate() {
        builder = builder.feature(format!("x{position}"), column);
    }
    builder
        .feature("wide", wide)
        .feature("constant", vec![3u8; rows])
        .target("y", target)
        .weights(weights)
        .build()
        .unwrap()
}
