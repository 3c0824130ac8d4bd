//! The figures of a summary in plain words, and the tables made of them.

use fattail_evaluate::Summary;

use crate::table::Table;
use crate::{MetricReport, ModelReport, Report, number};

/// A figure: its name, what it means and how it is written.
pub(crate) struct Figure {
    pub(crate) label: &'static str,
    pub(crate) help: &'static str,
    write: fn(&Summary) -> String,
}

impl Figure {
    /// The figure as it is shown; of no score at all only the counts are.
    pub(crate) fn of(&self, summary: &Summary) -> String {
        if summary.eras == 0 && !self.label.starts_with("Eras") {
            return number::NONE.to_owned();
        }
        (self.write)(summary)
    }

    /// The same; of an error or an exposure, which are never gains, only the level is.
    fn of_metric(&self, metric: &MetricReport, summary: &Summary) -> String {
        let level = ["Mean", "95 %", "Deviation", "Eras"].iter().any(|l| self.label.starts_with(l));
        if metric.is_cost() && !level { number::NONE.to_owned() } else { self.of(summary) }
    }
}

/// All figures, in the order in which they are shown.
pub(crate) const FIGURES: &[Figure] = &[
    Figure {
        label: "Mean",
        help: "The average score of an era. Larger is better.",
        write: |s| number::signed(s.mean),
    },
    Figure {
        label: "95 % interval",
        help: "Where the true mean plausibly lies; wide means that little is known. It allows for labels that overlap from era to era.",
        write: |s| number::interval(s.interval),
    },
    Figure {
        label: "95 % interval, resampled",
        help: "The same by drawing stretches of eras again and again, without assuming a bell curve.",
        write: |s| number::interval(s.bootstrap_interval),
    },
    Figure {
        label: "t statistic",
        help: "The mean in units of its standard error, and its degrees of freedom. Beyond about 2 in size (2.6 with 5 degrees, 4.3 with 2) chance alone is a poor explanation.",
        write: |s| number::student(s.t_statistic, s.t_degrees),
    },
    Figure {
        label: "Deviation",
        help: "How far the score of an era typically lies from the mean. Smaller is steadier.",
        write: |s| number::plain(s.std),
    },
    Figure {
        label: "Sharpe",
        help: "Mean by deviation, per era: reward for each unit of unsteadiness. Larger is better.",
        write: |s| number::ratio(s.sharpe),
    },
    Figure {
        label: "Sharpe, overlap counted",
        help: "The same with the deviation widened for eras that are not independent. This is the one to trust.",
        write: |s| number::ratio(s.newey_west_sharpe),
    },
    Figure {
        label: "Smart Sharpe",
        help: "Sharpe, lowered when good and bad eras come in streaks.",
        write: |s| number::ratio(s.smart_sharpe_abs),
    },
    Figure {
        label: "Max drawdown",
        help: "The deepest fall of the running sum from a peak. Smaller is better.",
        write: |s| number::plain(s.drawdown),
    },
    Figure {
        label: "Longest drawdown",
        help: "The most eras in a row spent below an earlier peak.",
        write: |s| number::whole(s.drawdown_eras as f64),
    },
    Figure {
        label: "Hit rate",
        help: "The share of eras with a score above zero.",
        write: |s| number::percent(s.hit_rate),
    },
    Figure {
        label: "Worst 5 % of eras",
        help: "The mean score of the worst twentieth of all eras.",
        write: |s| number::signed(s.cvar_95),
    },
    Figure {
        label: "Longest losing streak",
        help: "The most eras in a row with a score below zero.",
        write: |s| number::whole(s.burn_streak as f64),
    },
    Figure {
        label: "Change between halves",
        help: "How far the means of the first and the second half of the eras lie apart. Large means that the past is a poor guide.",
        write: |s| number::plain(s.half_delta),
    },
    Figure {
        label: "Yearly growth",
        help: "What a stake that grows and shrinks with each score would gain in a year of weekly eras, before costs and payout limits of a real stake.",
        write: |s| number::percent(s.apy),
    },
    Figure {
        label: "Calmar",
        help: "Yearly growth by the deepest fall of that stake.",
        write: |s| number::ratio(s.calmar),
    },
    Figure {
        label: "Autocorrelation",
        help: "How much an era's score resembles the one before. Labels that overlap make it high.",
        write: |s| number::ratio(s.autocorrelation),
    },
    Figure {
        label: "Skewness",
        help: "Below zero: the bad eras are worse than the good ones are good.",
        write: |s| number::ratio(s.skewness),
    },
    Figure {
        label: "Kurtosis",
        help: "How fat the tails are; 3 for a bell curve.",
        write: |s| number::ratio(s.kurtosis),
    },
    Figure { label: "Eras", help: "Eras with a score.", write: |s| number::whole(s.eras as f64) },
    Figure {
        label: "Effective eras",
        help: "Independent eras that would tell as much about the mean.",
        write: |s| number::whole(s.effective_eras),
    },
    Figure {
        label: "Eras without a score",
        help: "Eras in which the score is not defined, for example because all predictions are equal.",
        write: |s| number::whole(s.undefined as f64),
    },
];

/// The figures that fit a terminal.
const NARROW: &[&str] =
    &["Eras", "Mean", "95 % interval", "Deviation", "Sharpe", "Max drawdown", "Hit rate"];

/// The figures that fit a page.
const WIDE: &[&str] = &[
    "Eras",
    "Mean",
    "95 % interval",
    "95 % interval, resampled",
    "Deviation",
    "Sharpe",
    "Sharpe, overlap counted",
    "Max drawdown",
    "Hit rate",
];

/// The figures of a difference; its hit rate is the share of eras in which the first is better.
const DIFFERENCE: &[&str] =
    &["Eras", "Mean", "95 % interval", "95 % interval, resampled", "t statistic", "Hit rate"];

/// One row a model and metric, the constant predictor below each: what fits a terminal.
pub(crate) fn overview(report: &Report) -> Table {
    side_by_side(report, NARROW)
}

/// The same with all that a reader compares models by.
pub(crate) fn comparison(report: &Report) -> Table {
    side_by_side(report, WIDE)
}

/// One row a difference of two models, or of a model and the constant predictor.
pub(crate) fn differences(report: &Report) -> Table {
    let figures = || DIFFERENCE.iter().filter_map(|&label| find(label));
    let mut table = Table::new(2, ["Difference", "Metric"]);
    table.head.extend(figures().map(|figure| figure.label.to_owned()));
    for difference in &report.differences {
        let mut cells = vec![difference.name(), difference.scored.scores.metric.clone()];
        cells.extend(figures().map(|figure| figure.of(&difference.scored.summary)));
        table.rows.push(cells);
    }
    table
}

fn side_by_side(report: &Report, shown: &[&str]) -> Table {
    let figures = || shown.iter().filter_map(|&label| find(label));
    let mut table = Table::new(2, ["Model", "Metric"]);
    table.head.extend(figures().map(|figure| figure.label.to_owned()));
    for model in &report.models {
        for metric in &model.metrics {
            let rows = [
                (model.name.as_str(), Some(&metric.model)),
                ("constant", metric.constant.as_ref()),
            ];
            for (name, scored) in rows {
                let Some(scored) = scored else { continue };
                let mut cells = vec![name.to_owned(), metric.name().to_owned()];
                cells.extend(figures().map(|figure| figure.of_metric(metric, &scored.summary)));
                table.rows.push(cells);
            }
        }
    }
    table
}

/// The figure of a label.
pub(crate) fn find(label: &str) -> Option<&'static Figure> {
    FIGURES.iter().find(|figure| figure.label == label)
}

/// Every figure of every metric, the constant predictor beside the model.
pub(crate) fn summary(model: &ModelReport) -> Table {
    let mut table = Table::new(1, ["Figure"]);
    for metric in &model.metrics {
        table.head.push(metric.name().to_owned());
        table.head.push("constant".to_owned());
    }
    for figure in FIGURES {
        let mut cells = vec![figure.label.to_owned()];
        for metric in &model.metrics {
            cells.push(figure.of_metric(metric, &metric.model.summary));
            let constant = metric.constant.as_ref().map(|c| figure.of_metric(metric, &c.summary));
            cells.push(constant.unwrap_or_else(|| number::NONE.to_owned()));
        }
        table.rows.push(cells);
    }
    table
}

/// One row a fold: what it learnt from, what it was tested on, and its mean scores.
pub(crate) fn folds(model: &ModelReport) -> Table {
    let metrics = model.folds.first().map(|fold| &fold.scores[..]).unwrap_or_default();
    let head = ["Fold", "Train eras", "", "Test eras", ""];
    let mut table = Table::new(1, head);
    table.head.extend(metrics.iter().map(|(name, _)| name.clone()));
    for (i, fold) in model.folds.iter().enumerate() {
        let mut cells = vec![
            (i + 1).to_string(),
            format!("{} to {}", fold.train_first, fold.train_last),
            fold.train_eras.to_string(),
            format!("{} to {}", fold.test_first, fold.test_last),
            fold.test_eras.to_string(),
        ];
        cells.extend(fold.scores.iter().map(|(_, mean)| number::signed(*mean)));
        table.rows.push(cells);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_unique_and_every_figure_survives_nothing() {
        let nothing = Summary::of(&[]);
        for figure in FIGURES {
            assert_eq!(FIGURES.iter().filter(|other| other.label == figure.label).count(), 1);
            let shown = figure.of(&nothing);
            assert!(shown == number::NONE || shown == "0", "{}: {shown}", figure.label);
        }
    }
}
