//! What the report of the weekly job shows beside scores: tear sheets, overfitting, drift.

use fattail::{
    Panel,
    drift::{EraBlocks, EraTest, Scan, ScanReport},
    evaluate::{Horizon, Scores, Split, Summary, TargetColumn, TearSettings, TearSheet},
    luck::Cscv,
    report::{DriftFlag, DriftMap, DriftThreshold, ModelReport, Overfitting},
};

use super::{Run, Weekly};
use crate::{Outcome, numerai_horizon};

/// Eras of a block that overfitting is measured with, at least.
const LEAST_BLOCK: usize = 4;
/// Features whose drift is told era by era.
const MAPPED: usize = 60;
/// Eras of the map.
const MAPPED_ERAS: usize = 104;

impl Weekly {
    /// The models' parts of the report.
    ///
    /// # Errors
    /// When a model or its tear sheet does not fit together.
    pub fn reports(&self, horizon: &Horizon) -> Outcome<Vec<ModelReport>> {
        self.runs.iter().map(|run| self.report(run, horizon)).collect()
    }

    fn report(&self, run: &Run, horizon: &Horizon) -> Outcome<ModelReport> {
        let summarise = |scores: &[f64]| Summary::with_horizon(scores, horizon);
        let report = ModelReport::new(run.name(), &run.backtest, summarise);
        let mut settings = run.learner.told.clone();
        settings.extend(run.model.told()?);
        let tear_sheet = match run.backtest.scores.first() {
            Some(scores) => {
                let settings = TearSettings {
                    horizon: *horizon,
                    targets: related(&self.known),
                    ..TearSettings::default()
                };
                Some(TearSheet::of(&self.known, &run.backtest.predictions, scores, &settings)?)
            }
            None => None,
        };
        Ok(ModelReport { settings, coefficients: run.model.coefficients(), tear_sheet, ..report })
    }

    /// How likely the best of the models is best by chance; nothing for one model, or too few eras.
    ///
    /// # Errors
    /// When the scores do not fit together.
    pub fn overfitting(&self) -> Outcome<Option<Overfitting>> {
        let scores: Vec<&Scores> =
            self.runs.iter().filter_map(|run| run.backtest.scores.first()).collect();
        let columns = defined(&scores);
        let eras = columns.first().map_or(0, Vec::len);
        // Blocks come in pairs; sixteen are the usual number.
        let blocks = (eras / LEAST_BLOCK).min(16) & !1;
        if columns.len() < 2 || blocks < 4 {
            return Ok(None);
        }
        let slices: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let found = Cscv { blocks, ..Cscv::default() }.run(&slices)?;
        Ok(Some(Overfitting {
            pbo: found.pbo,
            logits: found.logits,
            in_sample: found.in_sample,
            out_of_sample: found.out_of_sample,
            all_out_of_sample: Vec::new(),
            slope: found.slope,
            intercept: found.intercept,
            probability_of_loss: found.loss_probability,
        }))
    }
}

/// The scores of eras in which all have one.
fn defined(scores: &[&Scores]) -> Vec<Vec<f64>> {
    let eras = scores.iter().map(|scores| scores.eras.len()).min().unwrap_or(0);
    let whole = |era: &usize| scores.iter().all(|scores| scores.eras[*era].value.is_finite());
    let kept: Vec<usize> = (0..eras).filter(whole).collect();
    let column = |scores: &&Scores| kept.iter().map(|&era| scores.eras[era].value).collect();
    scores.iter().map(column).collect()
}

/// The main target, and the same over other horizons: `target_x_20` and `target_x_60`.
fn related(panel: &Panel) -> Vec<TargetColumn> {
    let stem = |name: &str| name.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
    let Some(main) = panel.schema().target() else { return Vec::new() };
    let others = panel.schema().targets().iter().map(|name| &**name);
    let others = others.filter(|name| *name != main && stem(name) == stem(main));
    let column = |name: &str| TargetColumn::new(name, numerai_horizon(name).days);
    std::iter::once(main).chain(others).map(column).collect()
}

/// Drift of the features in the last test block, the live era with it, against the eras before; nothing where
/// eras make too few blocks.
///
/// # Errors
/// When the panel does not fit the split.
pub fn drift(panel: &Panel, split: &dyn Split, seed: u64) -> Outcome<Option<DriftMap>> {
    let eras = panel.eras().len();
    let folds = split.folds(panel.eras())?;
    let first = folds.last().and_then(|fold| fold.test.first().copied()).unwrap_or(0);
    let blocks = EraBlocks::default();
    if first < 2 * blocks.block || eras < first + 2 * blocks.block || panel.width() == 0 {
        return Ok(None);
    }
    let scan = Scan { test: EraTest { blocks, seed, ..EraTest::default() }, ..Scan::default() };
    let (reference, current): (Vec<usize>, Vec<usize>) =
        ((0..first).collect(), (first..eras).collect());
    let report = scan.run(panel, &reference, &current)?;
    Ok(Some(map_of(&report, scan.level, panel, first)))
}

fn map_of(report: &ScanReport, level: f64, panel: &Panel, first: usize) -> DriftMap {
    let flagged = |at: usize| report.features[at].adjusted <= level;
    let mut order: Vec<usize> = (0..report.features.len()).collect();
    let psi = |at: usize| report.features[at].psi;
    order.sort_by(|&a, &b| flagged(b).cmp(&flagged(a)).then(psi(b).total_cmp(&psi(a))));
    let width = report.features.len();
    let (mut eras, mut values) = (Vec::new(), Vec::new());
    if let Some(heat) = &report.heat {
        let from = heat.eras.len().saturating_sub(MAPPED_ERAS);
        eras = heat.eras[from..].to_vec();
        let column = |&at: &usize| -> Vec<f64> {
            (from..heat.eras.len()).map(|era| f64::from(heat.psi[era * width + at])).collect()
        };
        values = order.iter().take(MAPPED).map(column).collect();
    }
    let flag = |at: usize| {
        let found = &report.features[at];
        let note = format!("adjusted p {:.3}, p {:.3}", found.adjusted, found.p);
        DriftFlag { feature: found.name.clone(), value: found.psi, note }
    };
    let label = |era: usize| panel.eras().label(era);
    let threshold = |name: &str, value| DriftThreshold { name: name.into(), value };
    DriftMap {
        measure: "PSI".into(),
        eras,
        features: order.iter().map(|&at| report.features[at].name.clone()).collect(),
        values,
        thresholds: vec![threshold("moderate", 0.1), threshold("large", 0.25)],
        flagged: order.iter().copied().filter(|&at| flagged(at)).map(flag).collect(),
        note: format!(
            "Eras {} to {} against those before. A feature is flagged by a test over all features together, whose false \
             alarms are {:.0} % where blocks of four eras do not depend on each other.",
            label(first),
            label(panel.eras().len() - 1),
            100.0 * level
        ),
    }
}
