//! What a moving scaler keeps of the eras in its window.
//!
//! Moments for the standard form; the sorted values for the forms that need order. Eras are taken in
//! without work on the window; it is put in order when it is asked, once for all eras that came since.
//!
//! NaN is counted as a row and left out. The window is the same whether it was asked after every era
//! or after the last one only.
//!
//! Cost: moments, one pass over each era, and over the eras of a window that forgets when it is asked.
//! Sorted, a sort of what is new and a merge with the window, so one pass over the window for each era
//! after which it is asked.
//!
//! Reference: Chan, Golub and LeVeque (1983), Algorithms for computing the sample variance, The
//! American Statistician 37(3) (merging).

use std::collections::VecDeque;

use fattail_stats::Moments;

use super::{
    method::{Method, Scale},
    sort::{merged, sort},
};

/// The last eras, or all.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    method: Method,
    /// Eras in the window; `None` is all.
    length: Option<usize>,
    rows: usize,
    kept: Kept,
}

#[derive(Debug, Clone)]
enum Kept {
    Moments(Sums),
    Sorted(Sorted),
}

/// Moments of the eras of a window that forgets, or of all eras as one.
#[derive(Debug, Clone, Default)]
struct Sums {
    eras: VecDeque<(usize, Moments)>,
}

#[derive(Debug, Clone, Default)]
struct Sorted {
    /// Known values, sorted, as they were when the window was last asked.
    values: Vec<f64>,
    /// Values that came since then, and those that left.
    added: Vec<f64>,
    dropped: Vec<f64>,
    /// Eras that came since then.
    fresh: usize,
    /// Rows and sorted known values of each era of a window that forgets.
    eras: VecDeque<(usize, Vec<f64>)>,
}

impl Window {
    pub(crate) fn new(method: Method, length: Option<usize>) -> Self {
        let kept = match method {
            Method::Standard => Kept::Moments(Sums::default()),
            _ => Kept::Sorted(Sorted::default()),
        };
        Self { method, length, rows: 0, kept }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Takes an era in; the oldest one leaves when the window is full.
    pub(crate) fn admit(&mut self, era: &[f64]) {
        let known = era.iter().copied().filter(|v| !v.is_nan());
        self.rows += era.len();
        self.rows -= match &mut self.kept {
            Kept::Moments(sums) => sums.admit(self.length, era.len(), known.collect()),
            Kept::Sorted(sorted) => sorted.admit(self.length, era.len(), known.collect()),
        };
    }

    /// What the window teaches.
    pub(crate) fn learn(&mut self) -> Scale {
        match &mut self.kept {
            Kept::Moments(sums) => Method::of_moments(&sums.all()),
            Kept::Sorted(sorted) => {
                sorted.settle(self.length.is_some());
                self.method.learn_sorted(&sorted.values, self.rows)
            }
        }
    }
}

impl Sums {
    /// Takes the moments of an era in; gives the rows of the era that leaves.
    fn admit(&mut self, length: Option<usize>, rows: usize, era: Moments) -> usize {
        if length.is_none() {
            let (_, mut all) = self.eras.pop_back().unwrap_or_default();
            all.merge(&era);
            self.eras.push_back((rows, all));
            return 0;
        }
        let left = pop_full(&mut self.eras, length).map_or(0, |(rows, _)| rows);
        self.eras.push_back((rows, era));
        left
    }

    fn all(&self) -> Moments {
        let mut all = Moments::new();
        self.eras.iter().for_each(|(_, era)| all.merge(era));
        all
    }
}

impl Sorted {
    /// Takes the values of an era in; gives the rows of the era that leaves.
    fn admit(&mut self, length: Option<usize>, rows: usize, mut era: Vec<f64>) -> usize {
        self.fresh += 1;
        if length.is_none() {
            self.added.append(&mut era);
            return 0;
        }
        sort(&mut era);
        let (left, dropped) = pop_full(&mut self.eras, length).unwrap_or_default();
        (self.added, self.dropped) = (era.clone(), dropped);
        self.eras.push_back((rows, era));
        left
    }

    /// Puts the values in order.
    fn settle(&mut self, forgets: bool) {
        if forgets && self.fresh > 1 {
            self.values = self.eras.iter().flat_map(|(_, era)| era).copied().collect();
            sort(&mut self.values);
        } else if self.fresh > 0 {
            if !forgets {
                sort(&mut self.added);
            }
            self.values = merged(&self.values, &self.added, &self.dropped);
        }
        (self.added, self.dropped, self.fresh) = (Vec::new(), Vec::new(), 0);
    }
}

/// The oldest era, when no other one has room beside it.
fn pop_full<T>(eras: &mut VecDeque<T>, length: Option<usize>) -> Option<T> {
    if length.is_some_and(|length| eras.len() >= length) { eras.pop_front() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scale::{QuantileNormal, Robust};

    #[test]
    fn asking_late_is_asking_often() {
        let methods = [
            Method::Standard,
            Method::Robust(Robust::default()),
            Method::Quantile(QuantileNormal { quantiles: 5, ..QuantileNormal::default() }),
        ];
        for (method, length) in methods.iter().flat_map(|m| [(m, None), (m, Some(3))]) {
            let (mut often, mut late) =
                (Window::new(*method, length), Window::new(*method, length));
            for era in 0..9u32 {
                let values: Vec<f64> =
                    (0..6).map(|row| f64::from((era * 7 + row * 5) % 11) / 3.0).collect();
                often.admit(&values);
                often.learn();
                late.admit(&values);
            }
            assert_eq!(often.learn(), late.learn(), "{method:?} {length:?}");
        }
    }
}
