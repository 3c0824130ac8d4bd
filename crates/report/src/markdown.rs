//! The report as Markdown, for a pull request or a notebook.

use crate::figure::{comparison, differences, folds, summary};
use crate::table::{Table, escape_markdown};
use crate::{ModelReport, Report, facts, number, tear, verdict};

impl Report {
    /// The report as Markdown: verdict, figures, folds, settings.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut text = format!("# {}\n\n", escape_markdown(&self.title));
        text.push_str(&format!("{}\n\n", escape_markdown(&facts::line(self))));
        bullets(&mut text, self.models.iter().map(verdict::sentence));
        if let Some(gate) = &self.gate {
            section(&mut text, &escape_markdown(&gate.sentence()), &gate.table());
            bullets(&mut text, gate.lines().into_iter());
        }
        let remarks = self.remarks();
        if !remarks.is_empty() {
            text.push_str("## Beware\n\n");
            bullets(&mut text, remarks.into_iter());
        }
        if self.models.len() > 1 {
            section(&mut text, "Models side by side", &comparison(self));
        }
        if !self.differences.is_empty() {
            section(&mut text, "Differences, era by era", &differences(self));
        }
        for model in &self.models {
            self.model_markdown(&mut text, model);
        }
        self.evidence_markdown(&mut text);
        let mut settings = Table::new(2, ["Setting", "Value"]);
        facts::rows(self)
            .into_iter()
            .for_each(|setting| settings.row([setting.name, setting.value]));
        section(&mut text, "Settings", &settings);
        self.files_markdown(&mut text);
        text.push_str(&format!("Written by {}.\n", escape_markdown(&self.generated_by)));
        text
    }

    fn model_markdown(&self, text: &mut String, model: &ModelReport) {
        let name = escape_markdown(&model.name);
        section(text, &format!("{name}: summary"), &summary(model));
        if !model.folds.is_empty() {
            section(text, &format!("{name}: folds"), &folds(model));
        }
        if !model.coefficients.is_empty() {
            let mut table = Table::new(1, ["Feature", "Coefficient", "95 % interval"]);
            for row in facts::largest(model, usize::MAX) {
                let interval = number::interval([row.low, row.high]);
                table.row([row.name.clone(), number::signed(row.value), interval]);
            }
            section(text, &format!("{name}: coefficients"), &table);
        }
        if let Some(sheet) = &model.tear_sheet {
            for (title, table) in tear::tables(sheet) {
                section(text, &format!("{name}: {}", title.to_lowercase()), &table);
            }
            let missing = tear::missing(sheet);
            if !missing.is_empty() {
                text.push_str(&format!("## {name}: what the tear sheet does not hold\n\n"));
                bullets(text, missing.into_iter());
            }
        }
        if !model.settings.is_empty() {
            text.push_str(&format!("## {name}: pipeline\n\n"));
            bullets(text, model.settings.iter().cloned());
        }
    }

    /// Overfitting, drift and the certificate: a sentence and a table each.
    fn evidence_markdown(&self, text: &mut String) {
        let parts = [
            self.overfitting.as_ref().map(|found| ("Overfitting", found.sentence(), found.table())),
            self.drift.as_ref().map(|found| ("Drift", found.sentence(), found.table())),
            self.certificate.as_ref().map(|found| {
                let words = [&*found.sentence(), &*found.statement, &*found.hash];
                let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
                ("Leak certificate", words.join(". "), found.table())
            }),
        ];
        for (heading, sentence, table) in parts.into_iter().flatten() {
            text.push_str(&format!("## {heading}\n\n{}\n\n", escape_markdown(&sentence)));
            if !table.rows.is_empty() {
                text.push_str(&format!("{}\n", table.to_markdown()));
            }
        }
    }

    fn files_markdown(&self, text: &mut String) {
        if self.files.is_empty() {
            return;
        }
        text.push_str("## Files\n\n");
        bullets(text, self.files.iter().map(|file| format!("{}: {}", file.label, file.path)));
    }
}

/// A heading, already escaped, and a table.
fn section(text: &mut String, heading: &str, table: &Table) {
    text.push_str(&format!("## {heading}\n\n{}\n", table.to_markdown()));
}

fn bullets(text: &mut String, lines: impl Iterator<Item = String>) {
    let before = text.len();
    for line in lines {
        text.push_str(&format!("- {}\n", escape_markdown(&line)));
    }
    if text.len() > before {
        text.push('\n');
    }
}
