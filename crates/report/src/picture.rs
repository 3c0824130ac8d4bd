//! Which charts a report shows: the first metric in full, the others as running sums.

use std::collections::HashMap;

use fattail_evaluate::{Scores, cumulative, drawdown};

use crate::chart::{
    CONSTANT, Cells, HEAT, Heat, INK, Marks, Plot, SERIES, Series, forest as draw_forest,
};
use crate::model::CONSTANT as CONSTANT_NAME;
use crate::tear::steps;
use crate::{MetricReport, ModelReport, Report, Result, facts, number};

/// Charts draw this many models: one colour each.
pub(crate) const MOST_MODELS: usize = SERIES.len();
/// Eras in a row of the map of scores: a year of weekly ones.
const YEAR: usize = 52;

/// A drawn chart with its heading and legend: classes of the style sheet and names.
#[derive(Default)]
pub(crate) struct Picture {
    pub(crate) title: String,
    pub(crate) legend: Vec<(String, String)>,
    pub(crate) svg: String,
    /// How to read it.
    pub(crate) caption: String,
    /// The classes of a colour scale, and the values at its ends.
    pub(crate) scale: Option<Scale>,
    /// Whether it stands beside another one on a wide screen.
    pub(crate) half: bool,
    /// Whether its caption takes the other half.
    pub(crate) alone: bool,
}

/// Lets the caption of a half that has none beside it fill the hole.
pub(crate) fn pair(pictures: &mut [Picture]) {
    let mut at = 0;
    while at < pictures.len() {
        let beside = pictures.get(at + 1).is_some_and(|next| next.half);
        pictures[at].alone = pictures[at].half && !beside;
        at += if pictures[at].half && beside { 2 } else { 1 };
    }
}

/// A colour scale: classes of the style sheet, from the value on the left to the one on the right.
pub(crate) struct Scale {
    pub(crate) steps: Vec<String>,
    pub(crate) ends: [String; 2],
}

/// Score bars and map, running sum, fall below the peak, exposure.
pub(crate) fn charts(report: &Report) -> Result<Vec<Picture>> {
    let models = drawn(report);
    let mut charts = Vec::new();
    let Some(first) = models.first().and_then(|model| model.metrics.first()) else {
        return Ok(charts);
    };
    let name = first.name();
    for model in models {
        if let Some(metric) = model.metric(name) {
            charts.push(bars(model, metric, models.len() > 1)?);
        }
    }
    charts.extend(models.first().map(|model| map(model, models.len() > 1)).transpose()?.flatten());
    charts.push(sums(report, name)?);
    charts.extend(difference(report, name)?);
    charts.push(lines(models, name, drawdown).draw(format!("Drawdown of {name}"), Marks::Areas)?);
    charts.extend(exposure(models)?);
    Ok(charts)
}

/// The running sums of every metric but the first.
pub(crate) fn more_charts(report: &Report) -> Result<Vec<Picture>> {
    let metrics = drawn(report).first().map(|model| &model.metrics[..]).unwrap_or_default();
    let others = metrics.iter().skip(1).filter(|metric| !metric.is_exposure());
    others.map(|metric| sums(report, metric.name())).collect()
}

/// The largest coefficients of a model that has some.
pub(crate) fn forest(model: &ModelReport, most: usize) -> Result<Option<Picture>> {
    let rows = facts::largest(model, most);
    if rows.is_empty() {
        return Ok(None);
    }
    let all = model.coefficients.len();
    let title = if all > rows.len() {
        format!("{}: the {} largest of {all} coefficients", model.name, rows.len())
    } else {
        format!("{}: {all} coefficients", model.name)
    };
    let svg = draw_forest(&title, &rows)?;
    Ok(Some(Picture { title, svg, ..Picture::default() }))
}

fn drawn(report: &Report) -> &[ModelReport] {
    &report.models[..report.models.len().min(MOST_MODELS)]
}

fn bars(model: &ModelReport, metric: &MetricReport, several: bool) -> Result<Picture> {
    let scores = &metric.model.scores;
    let values = scores.values();
    let mut legend = vec![entry("box k0", "above zero"), entry("box k1", "below zero")];
    let mean = metric.model.summary.mean;
    if mean.is_finite() {
        legend.push(entry("kc", "mean"));
    }
    if values.iter().any(|value| !value.is_finite()) {
        legend.push(entry("foot kc", "at the foot: no score"));
    }
    let title = match several {
        true => format!("{}: {} of each era", model.name, metric.name()),
        false => format!("{} of each era", metric.name()),
    };
    let series = vec![Series { values, color: SERIES[0] }];
    let plot = Plot {
        description: describe(scores, "one bar an era"),
        title: title.clone(),
        eras: &labels(scores),
        of: "era",
        series,
        marks: Marks::Bars,
        guide: Some(mean),
        zero: true,
    };
    Ok(Picture { title, legend, svg: plot.to_svg()?, ..Picture::default() })
}

/// The scores of the first metric as a calendar: so many eras a row, where they fill more than one.
fn map(model: &ModelReport, several: bool) -> Result<Option<Picture>> {
    let Some(metric) = model.metrics.first() else { return Ok(None) };
    let (eras, values) = (labels(&metric.model.scores), metric.model.scores.values());
    let mut sizes: Vec<f64> = values.iter().map(|v| v.abs()).filter(|v| v.is_finite()).collect();
    if eras.len() <= YEAR || sizes.is_empty() {
        return Ok(None);
    }
    sizes.sort_unstable_by(f64::total_cmp);
    // One era in twenty has the strongest colour, so that a single one does not bleach all others.
    let top = sizes[(sizes.len() * 19 / 20).min(sizes.len() - 1)];
    let rows: Vec<String> =
        eras.chunks(YEAR).map(|row| format!("{} to {}", row[0], row[row.len() - 1])).collect();
    let columns: Vec<String> = (1..=YEAR).map(|at| at.to_string()).collect();
    let title = match several {
        true => format!("{}: {}, {YEAR} eras a row", model.name, metric.name()),
        false => format!("{}, {YEAR} eras a row", metric.name()),
    };
    let heat = Heat {
        description: format!("{} rows of {YEAR} eras, the score as a colour", rows.len()),
        title: title.clone(),
        rows: rows.iter().map(String::as_str).collect(),
        columns: &columns,
        values: values.chunks(YEAR).collect(),
        top,
        cells: Cells::Mean,
    };
    let caption = "Good eras and bad ones by time: a row is about a year of weekly eras. Runs of one colour are \
                   stretches in which the model worked or did not; a blank cell has no score.";
    let [low, high] = [-top, top].map(number::signed);
    let ends = [format!("{low} or less"), format!("{high} or more")];
    let scale = Some(Scale { steps: steps(false, HEAT.len()), ends });
    let svg = heat.to_svg()?;
    Ok(Some(Picture { svg, title, caption: caption.into(), scale, ..Picture::default() }))
}

/// Running sums of the models, the constant predictor and the benchmark.
fn sums(report: &Report, metric: &str) -> Result<Picture> {
    let models = drawn(report);
    let mut picture = lines(models, metric, cumulative);
    if let Some(benchmark) = &report.benchmark {
        let (color, class) = match SERIES.get(models.len()) {
            Some(&color) => (color, format!("k{}", models.len())),
            None => (INK, "ink".to_owned()),
        };
        if let Some(scores) = benchmark.scores.iter().find(|scores| scores.metric == metric) {
            picture.push(color, &class, &benchmark.name, cumulative, scores);
        }
    }
    picture.draw(format!("Running sum of {metric}"), Marks::Lines)
}

/// One line a model, and the constant predictor where it has scores.
fn lines(models: &[ModelReport], metric: &str, curve: fn(&[f64]) -> Vec<f64>) -> Lines {
    let mut picture = Lines::default();
    let constant = models.first().and_then(|model| model.metric(metric)?.constant.as_ref());
    if let Some(constant) = constant.filter(|c| c.scores.mean().is_finite()) {
        picture.push(CONSTANT, "kc", "constant", curve, &constant.scores);
    }
    for (i, model) in models.iter().enumerate() {
        if let Some(found) = model.metric(metric) {
            let class = format!("k{i}");
            picture.push(SERIES[i], &class, &model.name, curve, &found.model.scores);
        }
    }
    picture
}

/// One line a pair of models: where it rises, the first of them is better.
fn difference(report: &Report, metric: &str) -> Result<Option<Picture>> {
    let mut picture = Lines::default();
    let models = report.differences.iter().filter(|difference| difference.minus != CONSTANT_NAME);
    let of_metric = models.filter(|difference| difference.scored.scores.metric == metric);
    for (i, difference) in of_metric.take(MOST_MODELS).enumerate() {
        let (class, scores) = (format!("k{i}"), &difference.scored.scores);
        picture.push(SERIES[i], &class, &difference.name(), cumulative, scores);
    }
    let title = format!("Running sum of the difference of {metric}");
    (!picture.series.is_empty()).then(|| picture.draw(title, Marks::Lines)).transpose()
}

fn exposure(models: &[ModelReport]) -> Result<Option<Picture>> {
    let mut picture = Lines::default();
    let mut title = None;
    for (i, model) in models.iter().enumerate() {
        if let Some(scores) = &model.exposure {
            title.get_or_insert_with(|| format!("Exposure to features: {}", scores.metric));
            picture.push(SERIES[i], &format!("k{i}"), &model.name, <[f64]>::to_vec, scores);
        }
    }
    title.map(|title| picture.draw(title, Marks::Lines)).transpose()
}

/// Lines over the eras of the first; where another has no score, it has a gap.
#[derive(Default)]
struct Lines {
    eras: Vec<String>,
    series: Vec<Series>,
    legend: Vec<(String, String)>,
}

impl Lines {
    fn push(
        &mut self,
        color: plotters::style::RGBColor,
        class: &str,
        name: &str,
        curve: fn(&[f64]) -> Vec<f64>,
        scores: &Scores,
    ) {
        if self.series.is_empty() {
            self.eras = labels(scores);
        }
        let values = curve(&scores.values());
        let known: HashMap<&str, f64> =
            scores.eras.iter().map(|era| era.era.as_str()).zip(values).collect();
        let value = |era: &String| known.get(era.as_str()).copied().unwrap_or(f64::NAN);
        self.series.push(Series { values: self.eras.iter().map(value).collect(), color });
        self.legend.push(entry(class, name));
    }

    fn draw(self, title: String, marks: Marks) -> Result<Picture> {
        let names: Vec<&str> = self.legend.iter().map(|(_, name)| name.as_str()).collect();
        let description = format!("over {} eras: {}", self.eras.len(), names.join(", "));
        let (eras, series) = (&self.eras, self.series);
        let plot = Plot {
            title: title.clone(),
            description,
            eras,
            of: "era",
            series,
            marks,
            guide: None,
            zero: true,
        };
        Ok(Picture { title, svg: plot.to_svg()?, legend: self.legend, ..Picture::default() })
    }
}

fn labels(scores: &Scores) -> Vec<String> {
    scores.eras.iter().map(|era| era.era.clone()).collect()
}

fn describe(scores: &Scores, what: &str) -> String {
    match (scores.eras.first(), scores.eras.last()) {
        (Some(first), Some(last)) => format!("{what}, {} to {}", first.era, last.era),
        _ => "no eras".to_owned(),
    }
}

pub(crate) fn entry(class: &str, name: &str) -> (String, String) {
    (class.to_owned(), name.to_owned())
}
