//! What is fitted: a training panel with its moments, alone or one of many cuts of a panel.
//!
//! Moments add up over eras, so the fits of many cuts need one pass over the rows. Eras that stand in
//! the same cuts are one atom: the moments of a cut are the sum of its atoms, in the order of their
//! first eras. They differ from a sum over its eras by rounding alone, and have the same bits for any
//! number of threads. Cuts are taken in runs whose atoms fit a budget of memory; a run of one cut is one
//! atom, so there are never more passes than fits. Where the moments of every era fit the budget too, they
//! are kept, and what needs eras (the choice of the penalty, the scores of standard errors) takes no
//! pass over the rows either.
//!
//! A row that no cut of a run holds is not read.
//! Fits of a run stand beside each other, one a thread, and are handed on in their order.
//! Cost: one pass of rows x width^2 / 2 a run, then atoms x width^2 / 2 a cut. Memory: the budget, and once more
//! for the moments of the fits that stand beside each other.
//! Reference: Chan, Golub & LeVeque (1983), eq. 2.1, for the sums.

use fattail_core::{Error as CoreError, Panel, Result};
use rayon::prelude::*;

use crate::{Error, gather, moments::Moments};

/// Bytes that atoms, and the moments of eras beside them, may take.
const BUDGET: usize = 512 << 20;

/// A training panel and its moments.
pub(crate) struct Train<'a> {
    pub(crate) panel: &'a Panel,
    pub(crate) total: &'a Moments,
    /// The moments of each era, where they are at hand; nothing for an era without rows that count.
    pub(crate) eras: Option<&'a [Option<&'a Moments>]>,
}

/// Fits on a panel by itself.
pub(crate) fn alone<M>(panel: &Panel, fit: impl FnOnce(&Train<'_>) -> Result<M>) -> Result<M> {
    panel.expect_finite()?;
    let total = gather::total(panel, None)?;
    fit(&Train { panel, total: &total, eras: None })
}

/// Fits on each cut of a panel and hands each model on before the next is fitted.
pub(crate) fn each_cut<M: Send>(
    panel: &Panel,
    cuts: &[Vec<usize>],
    fit: impl Fn(&Train<'_>) -> Result<M> + Sync,
    each: &mut dyn FnMut(usize, M) -> Result<()>,
) -> Result<()> {
    within(BUDGET, panel, cuts, fit, each)
}

fn within<M: Send>(
    budget: usize,
    panel: &Panel,
    cuts: &[Vec<usize>],
    fit: impl Fn(&Train<'_>) -> Result<M> + Sync,
    each: &mut dyn FnMut(usize, M) -> Result<()>,
) -> Result<()> {
    for cut in cuts {
        panel.eras().cut(cut)?;
        if cut.is_empty() {
            return Err(CoreError::empty("the list of eras"));
        }
    }
    let most = budget / (8 * (panel.width() + 1).pow(2));
    let mut done = 0;
    while done < cuts.len() {
        let atoms = Atoms::of(panel.eras().len(), &cuts[done..], most);
        let sums = Sums::of(panel, &atoms, most)?;
        let fit_cut = |cut: &Vec<usize>| -> Result<M> {
            let train = panel.cut(cut)?;
            let total = sums.total(&atoms, cut);
            if total.weight <= 0.0 {
                return Err(Error::NothingKnown { rows: train.rows() }.into());
            }
            let eras = sums.eras_of(cut);
            fit(&Train { panel: &train, total: &total, eras: eras.as_deref() })
        };
        let end = done + atoms.cuts;
        while done < end {
            let some = &cuts[done..end.min(done + at_a_time(budget, panel.width() + 1))];
            let models: Vec<Result<M>> = some.par_iter().map(fit_cut).collect();
            for model in models {
                each(done, model?)?;
                done += 1;
            }
        }
    }
    Ok(())
}

/// Fits beside each other: one a thread, as long as their own moments stay within the budget as well.
fn at_a_time(budget: usize, columns: usize) -> usize {
    (budget / (8 * columns.pow(2))).clamp(1, rayon::current_num_threads())
}

/// Eras by the cuts that they stand in.
struct Atoms {
    /// The cuts that are told apart.
    cuts: usize,
    /// The atom of each era of the panel; nothing for an era of no cut.
    of_era: Vec<Option<usize>>,
    count: usize,
}

impl Atoms {
    /// The atoms of as many of the first cuts as make at most `most` of them, and of one cut at least.
    fn of(eras: usize, cuts: &[Vec<usize>], most: usize) -> Self {
        let mut atoms = Self { cuts: 0, of_era: vec![None; eras], count: 0 };
        for cut in cuts {
            let finer = atoms.cut_by(cut);
            if atoms.cuts > 0 && finer.count > most {
                break;
            }
            atoms = finer;
        }
        atoms
    }

    /// Tells eras of a cut from the others; atoms are numbered by their first eras.
    fn cut_by(&self, cut: &[usize]) -> Self {
        let mut inside = vec![false; self.of_era.len()];
        cut.iter().for_each(|&era| inside[era] = true);
        // Where the parts of each atom, the last being that of no atom, outside and inside the cut went.
        let mut moved = vec![[None; 2]; self.count + 1];
        let mut finer = Self { cuts: self.cuts + 1, of_era: Vec::new(), count: 0 };
        for (&old, &inside) in self.of_era.iter().zip(&inside) {
            let new = match (old, inside) {
                (None, false) => None,
                _ => {
                    let slot = &mut moved[old.unwrap_or(self.count)][usize::from(inside)];
                    Some(*slot.get_or_insert_with(|| {
                        finer.count += 1;
                        finer.count - 1
                    }))
                }
            };
            finer.of_era.push(new);
        }
        finer
    }
}

/// The moments of atoms and, where there is room, of eras.
struct Sums {
    atoms: Vec<Moments>,
    /// By era of the panel.
    eras: Option<Vec<Option<Moments>>>,
}

impl Sums {
    fn of(panel: &Panel, atoms: &Atoms, most: usize) -> Result<Self> {
        let used: Vec<usize> =
            (0..panel.eras().len()).filter(|&era| atoms.of_era[era].is_some()).collect();
        let part = panel.cut(&used)?;
        part.expect_finite()?;
        let columns = panel.width() + 1;
        let mut sums = vec![Moments::empty(columns); atoms.count];
        let room = used.len() + atoms.count <= most;
        let mut eras = room.then(|| vec![None; panel.eras().len()]);
        let step = gather::wave(columns);
        for start in (0..used.len()).step_by(step) {
            let end = used.len().min(start + step);
            let wave = gather::moments(&part, start..end, None)?;
            for (&era, moments) in used[start..end].iter().zip(wave) {
                let (Some(atom), Some(moments)) = (atoms.of_era[era], moments) else { continue };
                sums[atom].merge(&moments);
                if let Some(eras) = &mut eras {
                    eras[era] = Some(moments);
                }
            }
        }
        Ok(Self { atoms: sums, eras })
    }

    /// The moments of a cut.
    fn total(&self, atoms: &Atoms, cut: &[usize]) -> Moments {
        let mut inside = vec![false; self.atoms.len()];
        cut.iter().filter_map(|&era| atoms.of_era[era]).for_each(|atom| inside[atom] = true);
        let columns = self.atoms.first().map_or(1, Moments::columns);
        let mut total = Moments::empty(columns);
        let parts = self.atoms.iter().zip(inside).filter(|(_, inside)| *inside);
        parts.for_each(|(atom, _)| total.merge(atom));
        total
    }

    fn eras_of(&self, cut: &[usize]) -> Option<Vec<Option<&Moments>>> {
        let eras = self.eras.as_ref()?;
        Some(cut.iter().map(|&era| eras[era].as_ref()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn atoms_by_hand() {
        let cuts = [vec![0, 1, 4], vec![1, 2, 4], vec![5]];
        let atoms = Atoms::of(7, &cuts, 100);
        let expected = [Some(0), Some(1), Some(2), None, Some(1), Some(3), None];
        assert_eq!((atoms.cuts, atoms.count, &atoms.of_era[..]), (3, 4, &expected[..]));
        assert_eq!(Atoms::of(7, &cuts, 3).cuts, 2);
        assert_eq!(Atoms::of(7, &cuts, 2).cuts, 1);
        assert_eq!(Atoms::of(7, &cuts, 0).cuts, 1);
    }

    /// A panel whose target is the number of its era.
    fn panel() -> Panel {
        let eras: Vec<String> = (0..24).map(|row| format!("{:02}", row / 3)).collect();
        let target: Vec<f32> = (0..24u8).map(|row| f32::from(row / 3)).collect();
        let feature: Vec<u8> = (0..24).map(|row| row * 7 % 5).collect();
        let builder = Panel::builder().eras(&eras).unwrap();
        builder.feature("x", feature).target("y", target).build().unwrap()
    }

    #[test]
    fn a_small_budget_takes_more_passes_to_the_same_sums() {
        let cuts = [vec![0, 1, 7], vec![1, 2, 3], vec![0, 2, 5, 6], vec![4]];
        let found = |budget: usize| {
            let mut seen = Vec::new();
            let fit = |train: &Train<'_>| {
                let eras = train.eras.map_or(0, <[_]>::len);
                Ok((train.total.rows, train.total.mean[1], eras))
            };
            let mut each = |at: usize, model| {
                seen.push((at, model));
                Ok(())
            };
            within(budget, &panel(), &cuts, fit, &mut each).unwrap();
            seen
        };
        let bytes = 8 * 2 * 2;
        // Means of the eras' numbers; moments of eras where they fit.
        let wide = [(9, 8.0 / 3.0, 3), (9, 2.0, 3), (12, 13.0 / 4.0, 4), (3, 4.0, 1)];
        for (budget, kept) in [(100 * bytes, true), (3 * bytes, false), (0, false)] {
            for ((at, (rows, mean, eras)), (i, expected)) in
                found(budget).into_iter().zip(wide.iter().enumerate())
            {
                assert_eq!((at, rows), (i, expected.0));
                assert!((mean - expected.1).abs() < 1e-14, "{mean} {expected:?}");
                assert_eq!(eras, if kept { expected.2 } else { 0 });
            }
        }
    }
}
