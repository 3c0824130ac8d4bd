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
use crate::{
    CertificateFacts, DriftMap, GateOutcome, MetricReport, ModelReport, Overfitting, Report,
    Result, evidence, facts, number, picture, tear,
};

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
            gate => self.gate.as_ref().map(gate),
            certificate => self.certificate.as_ref().map(certificate),
            overfitting => self.overfitting.as_ref().map(overfitting).transpose()?,
            drift => self.drift.as_ref().map(drift).transpose()?,
            sheets => sheets(&self.models)?,
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

/// The tear sheets of the models that have one.
fn sheets(models: &[ModelReport]) -> Result<Vec<Value>> {
    let with = models.iter().filter_map(|model| Some((model, model.tear_sheet.as_ref()?)));
    with.enumerate()
        .map(|(at, (model, sheet))| {
            let tile = |(name, value, beside): tear::Tile| context! { name, value, beside };
            let table = |(title, table): (&str, Table)| context! { title, table => grid(&table) };
            let falls = tear::drawdowns(sheet);
            Ok(context! {
                id => if at == 0 { "tear".to_owned() } else { format!("tear-{}", at + 1) },
                name => &model.name,
                tiles => tear::tiles(sheet).into_iter().map(tile).collect::<Vec<_>>(),
                charts => tear::pictures(sheet)?.iter().map(chart).collect::<Vec<_>>(),
                falls => (!falls.rows.is_empty()).then(|| grid(&falls)),
                tables => tear::tables(sheet).into_iter().map(table).collect::<Vec<_>>(),
                missing => tear::missing(sheet),
            })
        })
        .collect()
}

/// The decision of a gate: a line a check.
fn gate(found: &GateOutcome) -> Value {
    let check = |check: &crate::GateCheck| {
        let result = found.result(check);
        context! {
            name => &check.name, passed => check.passed, result, told => check.told(), note => &check.note,
        }
    };
    let (class, mark) = found.mark();
    context! {
        class, mark,
        text => found.sentence(),
        checks => found.checks.iter().map(check).collect::<Vec<_>>(),
        lines => found.lines(),
    }
}

fn certificate(found: &CertificateFacts) -> Value {
    context! {
        class => if found.holds { "above" } else { "below" },
        mark => if found.holds { "▲" } else { "▼" },
        text => found.sentence(),
        statement => &found.statement,
        hash => &found.hash,
        table => (!found.checks.is_empty()).then(|| grid(&found.table())),
    }
}

fn overfitting(found: &Overfitting) -> Result<Value> {
    let charts = evidence::overfitting(found)?.iter().map(chart).collect::<Vec<_>>();
    Ok(context! { text => found.sentence(), charts, table => grid(&found.table()) })
}

fn drift(found: &DriftMap) -> Result<Value> {
    let charts = evidence::drift(found)?.iter().map(chart).collect::<Vec<_>>();
    let table = found.table();
    let table = (!table.rows.is_empty()).then(|| grid(&table));
    Ok(context! { text => found.sentence(), flagged => !found.flagged.is_empty(), charts, table })
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
        caption => &picture.caption,
        half => picture.half,
        alone => picture.alone,
        scale => picture.scale.as_ref().map(|scale| {
            context! { steps => scale.steps.clone(), ends => scale.ends.clone() }
        }),
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
