//! The seeds that LightGBM makes of one.

use crate::Seeds;

/// What follows from `seed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Following {
    /// Of the sample that bins are made from.
    pub(super) bins: u64,
    /// Of the objective.
    pub(super) objective: u32,
    /// Of the choices that may have their own.
    pub(super) choices: Seeds,
}

impl Following {
    /// By LightGBM's generator, in its order.
    pub(super) fn of(seed: u64) -> Self {
        let mut state = seed as u32;
        let mut next = || {
            state = state.wrapping_mul(214_013).wrapping_add(2_531_011);
            (state >> 16 & 0x7fff) % 32_767
        };
        let [bins, rows, drop, columns, objective, extra] = std::array::from_fn(|_| next());
        let own = |seed: u32| Some(u64::from(seed));
        let choices =
            Seeds { rows: own(rows), columns: own(columns), extra: own(extra), drop: own(drop) };
        Self { bins: u64::from(bins), objective, choices }
    }
}

/// The seeds of choices that LightGBM has where they are not given; those without a seed where it is 0.
pub(super) fn usual(seed: u64) -> Seeds {
    match seed {
        0 => Seeds { rows: Some(3), columns: Some(2), extra: Some(6), drop: Some(4) },
        seed => Following::of(seed).choices,
    }
}

/// The given seeds without those that are LightGBM's usual ones and so say nothing.
pub(super) fn without_usual(given: Seeds, seed: u64) -> Seeds {
    let usual = usual(seed);
    let other = |given: Option<u64>, usual: Option<u64>| given.filter(|_| given != usual);
    Seeds {
        rows: other(given.rows, usual.rows),
        columns: other(given.columns, usual.columns),
        extra: other(given.extra, usual.extra),
        drop: other(given.drop, usual.drop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_those_of_lightgbm() {
        // As LightGBM 4.7 writes them into models for seed=5.
        let choices = Seeds {
            rows: Some(28_693),
            columns: Some(24_449),
            extra: Some(31_430),
            drop: Some(12_255),
        };
        assert_eq!(Following::of(5), Following { bins: 54, objective: 27_660, choices });
        assert_eq!(usual(5), choices);
    }

    #[test]
    fn usual_seeds_say_nothing() {
        let given = Seeds { rows: Some(3), columns: Some(3), ..Seeds::default() };
        assert_eq!(without_usual(given, 0), Seeds { rows: None, ..given });
        assert_eq!(without_usual(given, 5), given);
    }
}
