//! `boost predict`.

use std::{io::Write, path::PathBuf};

use clap::Args;
use fattail::{
    Observer, Panel,
    gbdt::parameters::{Parameters, Prediction},
    store::write_atomic,
    trees::{Forest, Predictor, explain::Explainer},
};

use super::{
    arguments::Pairs,
    columns::{Label, Part},
    learner::told_all,
    model::{features, read_model},
    source::SourceArgs,
};
use crate::{Outcome, set_threads};

/// The options of `predict`.
#[derive(Debug, Args)]
pub struct PredictArgs {
    /// What is read.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Model: LightGBM text, XGBoost JSON or UBJSON, CatBoost JSON, told by its content
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// Predictions to write, as CSV or --plain
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Writes raw scores
    #[arg(long)]
    pub raw: bool,
    /// Writes the leaf of each tree
    #[arg(long, conflicts_with = "raw")]
    pub leaves: bool,
    /// Writes SHAP values: what each feature adds to the raw score, and what is expected without them
    #[arg(long, conflicts_with_all = ["raw", "leaves"])]
    pub contributions: bool,
    /// Writes numbers alone, with tabs between them, as LightGBM does
    #[arg(long)]
    pub plain: bool,
    /// Threads; 0 takes all cores
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
}

/// Columns of numbers, row by row.
struct Table {
    names: Vec<String>,
    values: Vec<f64>,
}

/// Predicts.
///
/// # Errors
/// When the model, the data or the disk refuses.
pub fn predict(args: &PredictArgs, others: &Pairs, observer: Observer<'_>) -> Outcome<String> {
    let parameters = args.source.parameters(others)?;
    set_threads(args.threads.unwrap_or(parameters.threads))?;
    let (model, out) = files(args, &parameters)?;
    let forest = read_model(&model)?;
    let features = features(&forest);
    let part = Part { label: Label::Unread, features: Some(&features) };
    let panel = args.source.read(&parameters, part, observer)?.panel;
    let wanted = Prediction {
        raw: args.raw || parameters.prediction.raw,
        leaves: args.leaves || parameters.prediction.leaves,
        contributions: args.contributions || parameters.prediction.contributions,
        ..parameters.prediction
    };
    let table = table(&forest, &panel, wanted)?;
    write_atomic(&out, |file| match args.plain {
        true => write_plain(file, &table),
        false => write_table(file, &panel, &table),
    })?;
    let (notes, rows) = (told_all(&parameters), panel.rows());
    Ok(format!("{notes}{rows} predictions written to {}\n", out.display()))
}

fn files(args: &PredictArgs, parameters: &Parameters) -> Outcome<(PathBuf, PathBuf)> {
    let named = |name: &Option<String>| name.clone().map(PathBuf::from);
    let model = args.model.clone().or_else(|| named(&parameters.files.input_model));
    let out = args.out.clone().or_else(|| named(&parameters.files.output_result));
    Ok((
        model.ok_or("no model: name a file with --model")?,
        out.ok_or("nowhere to write to: name a file with --out")?,
    ))
}

fn table(forest: &Forest, panel: &Panel, wanted: Prediction) -> Outcome<Table> {
    let numbered = |name: &str, count: usize| -> Vec<String> {
        match count {
            1 => vec![name.to_owned()],
            _ => (0..count).map(|at| format!("{name}_{at}")).collect(),
        }
    };
    let end =
        wanted.iterations.map_or(forest.iterations(), |count| wanted.start.saturating_add(count));
    let whole = wanted.start == 0 && end >= forest.iterations();
    if !whole && (wanted.leaves || wanted.contributions) {
        return Err(
            "start_iteration_predict and num_iteration_predict need predictions or raw scores"
                .into(),
        );
    }
    if wanted.leaves {
        let leaves = Predictor::new(forest)?.leaves(panel)?;
        let names = (0..forest.trees.len()).map(|tree| format!("tree_{tree}")).collect();
        return Ok(Table { names, values: leaves.into_iter().map(f64::from).collect() });
    }
    if wanted.contributions {
        let explainer = Explainer::new(forest)?;
        let values = explainer.shap(panel)?.values;
        let each = features(forest).into_iter().chain(["expected".to_owned()]);
        let each: Vec<String> = each.collect();
        let several = |output| each.iter().map(move |name| format!("{name}_{output}"));
        let names = match forest.outputs {
            1 => each,
            outputs => (0..outputs).flat_map(several).collect(),
        };
        return Ok(Table { names, values });
    }
    let mut values = Predictor::new(forest)?.raw_range(panel, wanted.start..end)?;
    if !wanted.raw {
        values.chunks_mut(forest.outputs).for_each(|row| forest.link.apply(row));
    }
    let name = if wanted.raw { "raw" } else { "prediction" };
    Ok(Table { names: numbered(name, forest.outputs), values })
}

fn write_table(file: &mut dyn Write, panel: &Panel, table: &Table) -> std::io::Result<()> {
    let eras = panel.eras().len() > 1;
    let mut names: Vec<String> = Vec::new();
    names.extend(panel.has_ids().then(|| "id".into()));
    names.extend(eras.then(|| "era".into()));
    names.extend(table.names.iter().map(|name| quoted(name)));
    writeln!(file, "{}", names.join(","))?;
    let mut row = 0;
    for era in panel.iter() {
        for _ in 0..era.rows() {
            let mut cells: Vec<String> = panel.id(row).map(quoted).into_iter().collect();
            cells.extend(eras.then(|| quoted(era.label())));
            let width = table.names.len();
            cells.extend(table.values[row * width..][..width].iter().map(f64::to_string));
            writeln!(file, "{}", cells.join(","))?;
            row += 1;
        }
    }
    Ok(())
}

/// Rows of numbers with tabs between them.
fn write_plain(file: &mut dyn Write, table: &Table) -> std::io::Result<()> {
    for row in table.values.chunks(table.names.len()) {
        let cells: Vec<String> = row.iter().map(f64::to_string).collect();
        writeln!(file, "{}", cells.join("\t"))?;
    }
    Ok(())
}

/// A cell of CSV.
fn quoted(text: &str) -> String {
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}
