//! Where explanations are added up: a place for each output and feature, or pair of features.

/// The places of one row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    pub(super) features: usize,
    pub(super) outputs: usize,
    /// Whether pairs have places: of `(i, j)` with `i <= j`, those with `i = j` for single features.
    pub(super) pairs: bool,
}

impl Layout {
    /// Places of one output.
    pub(super) fn stride(&self) -> usize {
        if self.pairs { self.features * (self.features + 1) / 2 } else { self.features }
    }

    /// Places of all outputs.
    pub(super) fn places(&self) -> usize {
        self.outputs * self.stride()
    }

    /// The place of a feature in an output's places.
    pub(super) fn single(&self, feature: u32) -> usize {
        if self.pairs { self.pair(feature, feature) } else { feature as usize }
    }

    /// The place of a pair of features in an output's places.
    pub(super) fn pair(&self, a: u32, b: u32) -> usize {
        let (low, high) = (a.min(b) as usize, a.max(b) as usize);
        high * (high + 1) / 2 + low
    }

    /// The places that a path of these features adds to, in the order of [`Kernel::terms`]
    /// (super::kernel::Kernel::terms).
    pub(super) fn of_path(&self, path: &[(u32, f64)]) -> Vec<usize> {
        let mut places: Vec<usize> = path.iter().map(|&(f, _)| self.single(f)).collect();
        if self.pairs {
            for (at, &(a, _)) in path.iter().enumerate() {
                places.extend(path[..at].iter().map(|&(b, _)| self.pair(a, b)));
            }
        }
        places
    }
}
