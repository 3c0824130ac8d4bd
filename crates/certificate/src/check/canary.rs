//! With shuffled targets there is nothing to find, so a score is a leak.
//!
//! Targets are shuffled within each era. Spearman's correlation of predictions that know nothing of them with
//! `n` of them has mean 0 and variance `1 / (n - 1)` whatever both look like (ties in the target make it
//! approximate), and eras are independent: `z = Σ ρ_e / √(Σ 1 / (n_e - 1))`. Eras whose predictions or
//! targets are constant are left out.
//!
//! **Power.** With `s = limit · √(Σ 1 / (n_e - 1)) / E` the mean correlation at which the check fails, a leak of
//! the mean correlation `3 s` is planted: the ranks of the target, `3 s` times, are added to the ranks of the
//! predictions, both in spreads, and correlated as they are. It is seen even beside a correlation of `-s`, which
//! passes by chance. The note tells `3 s`: what is smaller may be missed, and is left to the other checks.
//!
//! **Constants.** A procedure that finds nothing may predict a constant, which has no correlation. Then targets are
//! shuffled only in eras that the last cut's fold does not train on, so that it learns what it learns, and its
//! predictions must not know the others. Where those are constant as well, or the procedure errs, nothing is shown
//! and the certificate is void.
//!
//! Reference: Hájek and Šidák (1967), Theory of Rank Tests, chapter II.

use fattail_core::Panel;
use fattail_stats::{Counter, Ties, mean, normal_quantile, pearson, rank, std};

use super::{Bench, Check, Finding, Skip, trials::ALL};
use crate::{Result, disturb};

/// Ranks of predictions and of known targets in the test eras, era by era.
type Eras = Vec<(Vec<f64>, Vec<f64>)>;

/// The sum of correlations, the variance of that sum, and the eras where they are defined.
#[derive(Default)]
struct Skill {
    sum: f64,
    variance: f64,
    eras: usize,
}

impl Bench<'_> {
    pub(crate) fn shuffled(&self) -> Result<Finding> {
        let check = Check::Shuffled;
        let mut shuffles = false;
        for &era in self.folds.iter().flat_map(|fold| &fold.test) {
            shuffles = shuffles || self.can_be_shuffled(era)?;
        }
        if !shuffles {
            return Ok(Finding::skipped(check, Skip::SmallEras));
        }
        let every = vec![true; self.panel.eras().len()];
        let numbers = (0..self.folds.len()).collect();
        let (eras, what) = match self.dealt(&every, self.folds.to_vec(), numbers, 0)? {
            Ok(eras) if Skill::of(&eras)?.eras > 0 => (eras, "test eras"),
            Ok(_) => match self.dealt_behind()? {
                Ok(eras) => {
                    (eras, "test eras of the last cut, only behind which they are shuffled")
                }
                Err(error) => return Ok(Finding::unknown(check, error)),
            },
            Err(error) => return Ok(Finding::unknown(check, error)),
        };
        let skill = Skill::of(&eras)?;
        if skill.eras == 0 {
            let note = "the predictions are constant in every test era: no skill can be measured";
            return Ok(Finding::unknown(check, note));
        }
        let limit = normal_quantile(1.0 - self.settings.alarm / 2.0);
        let power = 3.0 * limit * skill.variance.sqrt() / skill.eras as f64;
        let planted = Skill::of(&planted(&eras, power))?;
        let note = format!(
            "z of the mean rank correlation in {} {what} is {:+.2}; a mean of {power:.3} would be seen",
            skill.eras,
            skill.z()
        );
        let caught = Some(planted.z().abs() > limit);
        Ok(Finding::of(check, skill.z().abs(), limit, caught, note))
    }

    /// Whether an era has two known targets that differ.
    fn can_be_shuffled(&self, era: usize) -> Result<bool> {
        let target = self.panel.era(era).target()?;
        let mut known = target.iter().filter(|value| !value.is_nan());
        let first = known.next();
        Ok(known.any(|value| Some(value) != first))
    }

    /// The last cut's fold, with targets shuffled where it does not train.
    fn dealt_behind(&self) -> Result<Result<Eras, String>> {
        let Some(&cut) = self.cuts().last() else {
            return Ok(Err("no fold has an era behind its first test era".into()));
        };
        let fold = &self.folds[cut.fold];
        let behind = |era: usize| era >= fold.test[0] && fold.train.binary_search(&era).is_err();
        let shuffled: Vec<bool> = (0..self.panel.eras().len()).map(behind).collect();
        let (folds, of) = self.folds_of(cut, ALL);
        let before = folds.len() - 1;
        self.dealt(&shuffled, folds, of, before)
    }

    /// Runs folds on shuffled targets; what the folds from `from` on predict, and what they were to.
    fn dealt(
        &self,
        shuffled: &[bool],
        folds: Vec<fattail_evaluate::Fold>,
        of: Vec<usize>,
        from: usize,
    ) -> Result<Result<Eras, String>> {
        let counter = Counter::new(self.settings.seed).stream(1 << 40);
        let panel = disturb::shuffled_targets(self.panel, shuffled, counter)?;
        let run = match self.run(&panel, &folds) {
            Ok(run) => run,
            Err(error) => {
                return Ok(Err(format!("the procedure fails on shuffled targets: {error}")));
            }
        };
        let mut eras = Vec::new();
        for (&fold, values) in of.iter().zip(&run.predictions).skip(from) {
            eras.extend(pairs(&panel, &self.folds[fold].test, values)?);
        }
        Ok(Ok(eras))
    }
}

/// Ranks of predictions and of known targets in the eras of a fold.
fn pairs(panel: &Panel, test: &[usize], values: &[f32]) -> Result<Eras> {
    let (mut eras, mut rest) = (Vec::new(), values);
    for &era in test {
        let target = panel.era(era).target()?;
        let (here, after) = rest.split_at(target.len());
        rest = after;
        let known = here.iter().zip(target).filter(|(_, target)| !target.is_nan());
        let (p, t): (Vec<f64>, Vec<f64>) =
            known.map(|(&p, &t)| (f64::from(p), f64::from(t))).unzip();
        eras.push((ranks(&p)?, ranks(&t)?));
    }
    Ok(eras)
}

/// The same with the ranks of the target added to those of the predictions, `leak` times.
fn planted(eras: &Eras, leak: f64) -> Eras {
    let add = |(p, t): &(Vec<f64>, Vec<f64>)| {
        // An era without a correlation gets none by the plant.
        let leak = if p.iter().all(|&value| value == 0.0) { 0.0 } else { leak };
        (p.iter().zip(t).map(|(own, known)| own + leak * known).collect(), t.clone())
    };
    eras.iter().map(add).collect()
}

/// Ranks with mean 0 and spread 1; zeros where all are equal.
fn ranks(values: &[f64]) -> Result<Vec<f64>> {
    let ranks = rank(values, Ties::Average).map_err(fattail_core::Error::other)?;
    let (mean, spread) = (mean(&ranks), std(&ranks, 0));
    let scale = if spread > 0.0 { 1.0 / spread } else { 0.0 };
    Ok(ranks.into_iter().map(|rank| (rank - mean) * scale).collect())
}

impl Skill {
    fn of(eras: &Eras) -> Result<Self> {
        let mut skill = Self::default();
        for (p, t) in eras {
            let rho = pearson(p, t).map_err(fattail_core::Error::other)?;
            if rho.is_finite() && t.len() > 1 {
                skill.sum += rho;
                skill.variance += 1.0 / (t.len() - 1) as f64;
                skill.eras += 1;
            }
        }
        Ok(skill)
    }

    fn z(&self) -> f64 {
        self.sum / self.variance.sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_planted_is_seen_beside_the_worst_that_passes() {
        // 50 eras of 20 rows; predictions as they come, and with so much against the target that z is near -limit.
        let mut generator = Counter::new(3).draw(0);
        let mut draw = || fattail_stats::unit(&mut generator);
        let mut column = |bins: f64| -> Vec<f64> {
            let values: Vec<f64> = (0..20).map(|_| (bins * draw()).floor()).collect();
            ranks(&values).unwrap()
        };
        let eras: Eras = (0..50).map(|_| (column(1e9), column(5.0))).collect();
        let skill = Skill::of(&eras).unwrap();
        let limit = normal_quantile(0.9995);
        let least = limit * skill.variance.sqrt() / skill.eras as f64;
        let against = planted(&eras, -least - skill.sum / skill.eras as f64);
        let found = Skill::of(&against).unwrap().z();
        assert!((-1.1 * limit..-0.9 * limit).contains(&found), "{found}");
        for start in [&eras, &against] {
            let seen = Skill::of(&planted(start, 3.0 * least)).unwrap().z();
            assert!(seen > limit, "{seen}");
        }
        // Their own correlation is Spearman's.
        let (p, t) = (&[3.0, 1.0, 2.0, 2.0], &[0.0, 1.0, 1.0, 0.0]);
        let own = Skill::of(&vec![(ranks(p).unwrap(), ranks(t).unwrap())]).unwrap();
        assert!((own.sum - fattail_stats::spearman(p, t).unwrap()).abs() < 1e-12);
    }
}
