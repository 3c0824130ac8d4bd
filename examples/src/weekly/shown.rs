//! What the report of the weekly job shows beside scores: tear sheets, overfitting, drift.

use fattail::{
    Panel,
    drift::{EraTest, Found, Heat, Reason, Scan, ScanReport},
    evaluate::{
        Corr, Horizon, Predictions, Scores, Split, Summary, TargetColumn, TearSettings, TearSheet,
        score_predictions,
    },
    luck::Cscv,
    report::{Benchmark, DriftFlag, DriftMap, ModelReport, Overfitting},
};

use super::{Run, Weekly};
use crate::{Outcome, numerai_horizon};

/// Eras of a block that overfitting is measured with, at least, those aside that halves would share labels in.
const LEAST_BLOCK: usize = 4;
/// Features whose drift is told era by era.
const MAPPED: usize = 60;
/// Eras of the map.
const MAPPED_ERAS: usize = 104;
/// Bins of a feature of bins.
const FIVE: usize = 5;

impl Weekly {
    /// The models' parts of the report; tear sheets hold predictions against `targets`.
    ///
    /// # Errors
    /// When a model or its tear sheet does not fit together.
    pub fn reports(&self, horizon: &Horizon, targets: &[String]) -> Outcome<Vec<ModelReport>> {
        let column = |name: &String| TargetColumn::new(name, numerai_horizon(name).days);
        let targets: Vec<TargetColumn> = targets.iter().map(column).collect();
        self.runs.iter().map(|run| self.report(run, horizon, &targets)).collect()
    }

    fn report(
        &self,
        run: &Run,
        horizon: &Horizon,
        targets: &[TargetColumn],
    ) -> Outcome<ModelReport> {
        let summarise = |scores: &[f64]| Summary::with_horizon(scores, horizon);
        let report = ModelReport::new(run.name(), &run.backtest, summarise);
        let mut settings = run.learner.told.clone();
        settings.extend(run.model.told()?);
        let tear_sheet = match run.backtest.scores.first() {
            Some(scores) => {
                let settings = TearSettings {
                    horizon: *horizon,
                    targets: targets.to_vec(),
                    ..TearSettings::default()
                };
                Some(TearSheet::of(&self.known, &run.backtest.predictions, scores, &settings)?)
            }
            None => None,
        };
        Ok(ModelReport { settings, coefficients: run.model.coefficients(), tear_sheet, ..report })
    }

    /// The scores of the meta model in the eras that the first model was tested on.
    ///
    /// # Errors
    /// When there is no such column.
    pub fn benchmark(&self, meta: &str) -> Outcome<Benchmark> {
        let run = &self.runs[0];
        let eras = run.backtest.predictions.eras.clone();
        let values = self.known.cut(&eras)?.extra(meta)?.to_f32();
        let predictions = Predictions { eras, values };
        let scores = score_predictions(&self.known, &predictions, &[&Corr::default()])?;
        Ok(Benchmark { name: meta.to_owned(), scores })
    }

    /// How likely the best of the models is best by chance; nothing for one model, or too few eras.
    ///
    /// # Errors
    /// When the scores do not fit together.
    pub fn overfitting(&self, horizon: &Horizon) -> Outcome<Option<Overfitting>> {
        let scores: Vec<&Scores> =
            self.runs.iter().filter_map(|run| run.backtest.scores.first()).collect();
        let columns = defined(&scores);
        let eras = columns.first().map_or(0, Vec::len);
        // Halves share no label; blocks come in pairs, and sixteen are the usual number.
        let gap = horizon.overlap_lag()?;
        let blocks = (eras / (gap + LEAST_BLOCK)).min(16) & !1;
        if columns.len() < 2 || blocks < 4 {
            return Ok(None);
        }
        let slices: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let found = Cscv { blocks, gap, ..Cscv::default() }.run(&slices)?;
        Ok(Some(Overfitting {
            models: columns.len(),
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

/// Drift of the features in the last test block, the live era with it, against the eras before; nothing for a panel
/// without features.
///
/// # Errors
/// When the panel does not fit the split.
pub fn drift(panel: &Panel, split: &dyn Split, seed: u64) -> Outcome<Option<DriftMap>> {
    let eras = panel.eras().len();
    let folds = split.folds(panel.eras())?;
    let first = folds.last().and_then(|fold| fold.test.first().copied()).unwrap_or(0);
    if panel.width() == 0 {
        return Ok(None);
    }
    let scan = Scan { test: EraTest { seed, ..EraTest::default() }, ..Scan::default() };
    let (reference, current): (Vec<usize>, Vec<usize>) =
        ((0..first).collect(), (first..eras).collect());
    let report = scan.run(panel, &reference, &current)?;
    Ok(Some(map_of(&report, &scan, panel, first)))
}

fn map_of(report: &ScanReport, scan: &Scan, panel: &Panel, first: usize) -> DriftMap {
    let level = scan.level;
    let flagged = |at: usize| report.features[at].adjusted <= level;
    let mut order: Vec<usize> = (0..report.features.len()).collect();
    let psi = |at: usize| report.features[at].psi;
    order.sort_by(|&a, &b| flagged(b).cmp(&flagged(a)).then(psi(b).total_cmp(&psi(a))));
    let (eras, values) = report.heat.as_ref().map(|heat| mapped(heat, &order)).unwrap_or_default();
    let flag = |at: usize| {
        let found = &report.features[at];
        let note = format!("adjusted p {:.3}, p {:.3}", found.adjusted, found.p);
        DriftFlag { feature: found.name.clone(), value: found.psi, note }
    };
    let label = |era: usize| panel.eras().label(era);
    let last = panel.eras().len() - 1;
    DriftMap {
        measure: "PSI".into(),
        eras,
        features: order.iter().map(|&at| report.features[at].name.clone()).collect(),
        values,
        expected: expected(report, scan, panel),
        thresholds: Vec::new(),
        verdict: match report.verdict.found {
            Found::Drift => "drift".into(),
            Found::None => "no drift".into(),
            Found::Undecidable(reason) => undecided(reason),
        },
        level,
        smallest_p: report.smallest_p,
        flagged: order.iter().copied().filter(|&at| flagged(at)).map(flag).collect(),
        note: format!(
            "Eras {} to {} against those before, in blocks of {} that are taken as independent.",
            label(first),
            label(last),
            report.block
        ),
    }
}

fn undecided(reason: Reason) -> String {
    match reason {
        Reason::NoFeatures => "not decided: there are no features".into(),
        Reason::OutOfReach { smallest_p, level } => format!(
            "not decided: so few blocks of eras give no p below {smallest_p:.3}, asked is {level}"
        ),
        Reason::NotCompared { features } => {
            format!("not decided: {features} features could not be compared")
        }
    }
}

/// The last eras of the map, and those of its columns that are told.
fn mapped(heat: &Heat, order: &[usize]) -> (Vec<String>, Vec<Vec<f64>>) {
    let (width, all) = (order.len(), heat.eras.len());
    let from = all.saturating_sub(MAPPED_ERAS);
    let column = |&at: &usize| -> Vec<f64> {
        (from..all).map(|era| f64::from(heat.psi[era * width + at])).collect()
    };
    (heat.eras[from..].to_vec(), order.iter().take(MAPPED).map(column).collect())
}

/// The index of an era without drift, about `(B - 1) (1 / n + 1 / m)`.
fn expected(report: &ScanReport, scan: &Scan, panel: &Panel) -> f64 {
    let bins = if panel.feature(0).is_u8() { FIVE } else { scan.binning.bins };
    let era = report.rows[1] as f64 / report.eras[1].max(1) as f64;
    (bins - 1) as f64 * (1.0 / era + 1.0 / report.rows[0] as f64)
}
