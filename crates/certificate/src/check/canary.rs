//! With shuffled targets there is nothing to find, so a score is a leak.
//!
//! Targets are shuffled within each era. Spearman's correlation of predictions that know nothing of them with
//! `n` of them has mean 0 and variance `1 / (n - 1)` whatever both look like (ties in the target make it
//! approximate), and eras are independent: `z = Σ ρ_e / √(Σ 1 / (n_e - 1))`. Eras whose predictions or
//! targets are constant are left out.
//!
//! Reference: Hájek and Šidák (1967), Theory of Rank Tests, chapter II.

use fattail_core::Panel;
use fattail_stats::{Counter, normal_quantile, spearman};

use super::{Bench, Check, Finding, State};
use crate::{Result, Run, disturb};

impl Bench<'_> {
    pub(crate) fn shuffled(&self) -> Result<Finding> {
        let counter = Counter::new(self.settings.seed).stream(1 << 40);
        let panel = disturb::shuffled_targets(self.panel, counter)?;
        let run = match self.run(&panel, self.folds) {
            Ok(run) => run,
            Err(error) => {
                return Ok(Finding::skipped(
                    Check::Shuffled,
                    format!("nothing to learn from: {error}"),
                ));
            }
        };
        let (z, eras) = self.skill(&panel, &run, 0.0)?;
        if eras == 0 {
            let reason = "predictions or shuffled targets are constant in every test era";
            return Ok(Finding::skipped(Check::Shuffled, reason));
        }
        // Half of the target's ranks are more than any pipeline has to know.
        let (planted, _) = self.skill(&panel, &run, 1.0)?;
        let limit = normal_quantile(1.0 - self.settings.alarm / 2.0);
        let note = format!("z of the mean rank correlation in {eras} test eras is {z:+.2}");
        let state = if z.abs() <= limit { State::Passed } else { State::Failed };
        Ok(Finding {
            check: Check::Shuffled,
            state,
            plant_caught: Some(planted.abs() > limit),
            figure: z.abs(),
            limit,
            note,
        })
    }

    /// `z` of the mean rank correlation with the target, of which `leak` spreads are added to the predictions;
    /// and in how many eras it is defined.
    fn skill(&self, panel: &Panel, run: &Run, leak: f64) -> Result<(f64, usize)> {
        let (mut sum, mut variance, mut eras) = (0.0, 0.0, 0);
        for (fold, values) in self.folds.iter().zip(&run.predictions) {
            let mut rest = &values[..];
            for &era in &fold.test {
                let target = panel.era(era).target()?;
                let (here, after) = rest.split_at(target.len());
                rest = after;
                let known = here.iter().zip(target).filter(|(_, target)| !target.is_nan());
                let (p, t): (Vec<f64>, Vec<f64>) =
                    known.map(|(&p, &t)| (f64::from(p), f64::from(t))).unzip();
                let spread = fattail_stats::std(&t, 0);
                let add = |(p, t): (&f64, &f64)| p + leak * self.spread * t / spread;
                let p: Vec<f64> = p.iter().zip(&t).map(add).collect();
                let rho = spearman(&p, &t).map_err(fattail_core::Error::other)?;
                if rho.is_finite() && t.len() > 1 {
                    sum += rho;
                    variance += 1.0 / (t.len() - 1) as f64;
                    eras += 1;
                }
            }
        }
        Ok((sum / variance.sqrt(), eras))
    }
}
