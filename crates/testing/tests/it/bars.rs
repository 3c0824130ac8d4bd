//! What the bars promise.

use fattail_stats::{kurtosis, spearman};
use fattail_testing::Bars;

fn returns(close: &[f64]) -> Vec<f64> {
    close.windows(2).map(|pair| (pair[1] / pair[0]).ln()).collect()
}

#[test]
fn kurtosis_is_in_the_hundreds() {
    for seed in 0..8 {
        let series = Bars { seed, ..Bars::default() }.series().unwrap();
        let kurtosis = kurtosis(&returns(&series.close));
        assert!(kurtosis > 100.0, "seed {seed}: {kurtosis}");
    }
}

#[test]
fn bars_are_bars() {
    let settings = Bars { bars: 5000, seed: 3, ..Bars::default() };
    let bars = settings.series().unwrap();
    for at in 0..5000 {
        let (open, close) = (bars.open[at], bars.close[at]);
        assert!(bars.high[at] >= open.max(close) && bars.low[at] <= open.min(close));
        assert!(bars.low[at] > 0.0 && bars.high[at].is_finite() && bars.volume[at] > 0.0);
    }
    assert!(bars.minute.windows(2).all(|pair| pair[0] < pair[1]));
    assert_eq!((bars.minute[389], bars.minute[390]), (959, 2010));
    assert_eq!(bars.open[1..], bars.close[..4999]);
    assert_eq!(bars, settings.series().unwrap());
    let first = Bars { bars: 700, ..settings.clone() }.series().unwrap();
    assert_eq!(first.close, bars.close[..700]);
    assert_ne!(Bars { seed: 4, ..settings }.series().unwrap().close, bars.close);
}

#[test]
fn a_planted_signal_is_in_the_returns_and_nothing_is_without_one() {
    // Five bars against the next five, by ranks: jumps do not count.
    let found = |signal| {
        let series = Bars { bars: 60_000, signal, seed: 1, ..Bars::default() }.series().unwrap();
        let log: Vec<f64> = series.close.iter().map(|close| close.ln()).collect();
        let rows = 5..log.len() - 5;
        let past: Vec<f64> = rows.clone().map(|at| log[at] - log[at - 5]).collect();
        let next: Vec<f64> = rows.map(|at| log[at + 5] - log[at]).collect();
        spearman(&past, &next).unwrap()
    };
    // Five bars overlap, so that a correlation is known to about sqrt(5 / 60,000) = 0.009.
    assert!(found(0.05) > 0.03, "{}", found(0.05));
    assert!(found(0.0).abs() < 0.03, "{}", found(0.0));
}

#[test]
fn settings_out_of_range_are_named() {
    let told = |bars: Bars| bars.series().unwrap_err().to_string();
    assert_eq!(
        told(Bars { tail: 1.5, ..Bars::default() }),
        "setting 'tail' is 1.5, allowed is finite and above 2"
    );
    assert!(told(Bars { bars: 0, ..Bars::default() }).contains("'bars'"));
    assert!(told(Bars { shock: 0.5, memory: 0.5, ..Bars::default() }).contains("shock + memory"));
    assert!(told(Bars { price: f64::NAN, ..Bars::default() }).contains("'price' is NaN"));
    assert!(told(Bars { jump_rate: 2.0, ..Bars::default() }).contains("'jump_rate' is 2"));
}
