//! The report as one page that loads nothing: style and charts stand inside.
//!
//! minijinja escapes every value; only the drawn charts, which escape their own words, go in as
//! they are.

use std::path::{Component, Path};

use minijinja::value::Value;
use minijinja::{Environment, context};

use crate::figure::{FIGURES, Figure, comparison, differences, find, folds};
use crate::table::Table;
use crate::verdict::{Side, sentence};
use crate::{MetricReport, ModelReport, Report, Result, facts, number, picture};

/// Coefficients drawn, and coefficients listed.
const DRAWN: usize = 30;
const LISTED: usize = 200;

impl Report {
    /// The report as one self-contained HTML page, for light and dark, screen, phone and paper.
    ///
    /// # Errors
    ///
    /// [`Error::Chart`](crate::Error::Chart) if a chart cannot be drawn,
    /// [`Error::Page`](crate::Error::Page) if the template cannot be filled in.
    pub fn to_html(&self) -> Result<String> {
        let mut environment = Environment::new();
        environment.add_template("style.css", include_str!("style.css"))?;
        environment.add_template("page.html", include_str!("page.html"))?;
        let several = self.models.len() > 1;
        let models: Vec<Value> = self.models.iter().map(model).collect::<Result<_>>()?;
        let cut = self.models.len().min(picture::MOST_MODELS);
        let page = context! {
            title => &self.title,
            generated_by => &self.generated_by,
            facts => facts::line(self),
            verdicts => self.models.iter().map(verdict).collect::<Vec<_>>(),
            tiles => if several { Vec::new() } else { tiles(self) },
            remarks => self.remarks(),
            comparison => several.then(|| grid(&comparison(self))),
            differences => (!self.differences.is_empty()).then(|| grid(&differences(self))),
            charts => picture::charts(self)?.iter().map(chart).collect::<Vec<_>>(),
            more_charts => picture::more_charts(self)?.iter().map(chart).collect::<Vec<_>>(),
            cut_models => (cut < self.models.len()).then_some(cut),
            several,
            models,
            has_folds => self.models.iter().any(|model| !model.folds.is_empty()),
            has_coefficients => self.models.iter().any(|model| !model.coefficients.is_empty()),
            split => facts::split(self),
            settings => facts::rows(self).iter().map(|s| pair(&s.name, &s.value)).collect::<Vec<_>>(),
            files => self.files.iter().map(|f| file(&f.label, &f.path)).collect::<Vec<_>>(),
            glossary => FIGURES.iter().map(term).collect::<Vec<_>>(),
        };
        Ok(environment.get_template("page.html")?.render(page)?)
    }
}

fn verdict(model: &ModelReport) -> Value {
    let side = model.metrics.first().map_or(Side::Undefined, |m| Side::of(&m.model.summary));
    let (class, mark) = side.mark();
    context! { class, mark, text => sentence(model) }
}

/// The key figures of a report with one model.
fn tiles(report: &Report) -> Vec<Value> {
    let Some(metric) = report.models.first().and_then(|model| model.metrics.first()) else {
        return Vec::new();
    };
    let mut tiles: Vec<Value> = ["Mean", "Sharpe", "Max drawdown", "Hit rate"]
        .iter()
        .filter_map(|&label| find(label))
        .map(|figure| tile(metric, figure))
        .collect();
    let constant = metric.constant.as_ref().map_or(f64::NAN, |c| c.summary.mean);
    tiles.push(context! {
        name => "Constant predictor",
        value => number::signed(constant),
        beside => if constant.is_finite() { "mean score" } else { "no score: it ranks nothing" },
    });
    tiles
}

fn tile(metric: &MetricReport, figure: &Figure) -> Value {
    let summary = &metric.model.summary;
    let name = match figure.label {
        "Mean" => format!("Mean {}", metric.name()),
        label => label.to_owned(),
    };
    let beside = match figure.label {
        "Mean" => format!("95 %: {}", number::interval(summary.interval)),
        "Sharpe" => "mean by deviation".to_owned(),
        "Hit rate" => "of eras above zero".to_owned(),
        _ => "peak to trough of the sum".to_owned(),
    };
    context! { name, value => figure.of(summary), beside }
}

fn model(model: &ModelReport) -> Result<Value> {
    let row = |figure: &Figure| {
        let none = || number::NONE.to_owned();
        let cells = model.metrics.iter().flat_map(|metric| {
            let constant = metric.constant.as_ref().map(|c| figure.of(&c.summary));
            [figure.of(&metric.model.summary), constant.unwrap_or_else(none)]
        });
        context! { label => figure.label, help => figure.help, cells => cells.collect::<Vec<_>>() }
    };
    let forest = picture::forest(model, DRAWN)?;
    Ok(context! {
        name => &model.name,
        metrics => model.metrics.iter().map(|m| m.name().to_owned()).collect::<Vec<_>>(),
        figures => FIGURES.iter().map(row).collect::<Vec<_>>(),
        folds => (!model.folds.is_empty()).then(|| grid(&folds(model))),
        forest => forest.as_ref().map(chart),
        coefficients => grid(&coefficients(model)),
        steps => model.settings.clone(),
    })
}

fn coefficients(model: &ModelReport) -> Table {
    let mut table = Table::new(1, ["Feature", "Coefficient", "95 % interval"]);
    for row in facts::largest(model, LISTED) {
        let interval = number::interval([row.low, row.high]);
        table.row([row.name.clone(), number::signed(row.value), interval]);
    }
    let rest = model.coefficients.len().saturating_sub(LISTED);
    if rest > 0 {
        table.row([format!("and {rest} smaller ones"), String::new(), String::new()]);
    }
    table
}

fn chart(picture: &picture::Picture) -> Value {
    let legend = |(class, name): &(String, String)| context! { class, name };
    context! {
        title => &picture.title,
        legend => picture.legend.iter().map(legend).collect::<Vec<_>>(),
        svg => Value::from_safe_string(picture.svg.clone()),
    }
}

pub(crate) fn grid(table: &Table) -> Value {
    context! { head => table.head.clone(), rows => table.rows.clone(), words => table.words }
}

fn pair(name: &str, value: &str) -> Value {
    context! { name, value }
}

fn term(figure: &Figure) -> Value {
    context! { label => figure.label, help => figure.help }
}

/// Only a plain relative path becomes a link: a name from elsewhere cannot run or fetch anything.
fn file(label: &str, path: &str) -> Value {
    let plain = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    let local = !path.contains([':', '\\', '?', '#', '%'])
        && !path.chars().any(char::is_control)
        && Path::new(path).components().all(plain);
    context! { label, path, href => local.then(|| path.replace(' ', "%20")) }
}
