//! A table of words, written for the terminal or for Markdown.

/// A head and rows of the same width; the first columns hold words, the others figures.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Table {
    /// The names of the columns.
    pub head: Vec<String>,
    /// The cells, row by row.
    pub rows: Vec<Vec<String>>,
    /// How many columns hold words.
    pub words: usize,
}

impl Table {
    /// A table without rows.
    pub fn new<S: Into<String>>(words: usize, head: impl IntoIterator<Item = S>) -> Self {
        Self { head: head.into_iter().map(Into::into).collect(), rows: Vec::new(), words }
    }

    /// Adds a row.
    pub fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// Aligned columns: words to the left, figures to the right.
    pub fn to_text(&self) -> String {
        let widths = self.widths();
        let mut text = self.line(&self.head, &widths);
        let rule: Vec<String> = widths.iter().map(|&width| "─".repeat(width)).collect();
        text.push_str(&self.line(&rule, &widths));
        for row in &self.rows {
            text.push_str(&self.line(row, &widths));
        }
        text
    }

    /// A Markdown table; what would break a cell is escaped.
    pub(crate) fn to_markdown(&self) -> String {
        let mut text = pipes(&self.head);
        let rule =
            (0..self.head.len()).map(|i| if i < self.words { "---" } else { "---:" }.to_owned());
        text.push_str(&format!("|{}|\n", rule.collect::<Vec<_>>().join("|")));
        for row in &self.rows {
            text.push_str(&pipes(row));
        }
        text
    }

    fn widths(&self) -> Vec<usize> {
        let mut widths = vec![0; self.head.len()];
        for row in std::iter::once(&self.head).chain(&self.rows) {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        widths
    }

    fn line(&self, cells: &[String], widths: &[usize]) -> String {
        let mut text = String::new();
        for (i, (cell, &width)) in cells.iter().zip(widths).enumerate() {
            let cell = printable(cell);
            let pad = " ".repeat(width.saturating_sub(cell.chars().count()));
            let gap = if i == 0 { "" } else { "  " };
            let (before, after) = if i < self.words { ("", &*pad) } else { (&*pad, "") };
            text.push_str(&format!("{gap}{before}{cell}{after}"));
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
        text
    }
}

/// Text that Markdown shows as it is, on one line.
pub(crate) fn escape_markdown(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' => {
                safe.push('\\');
                safe.push(c);
            }
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

/// Text for the terminal: control characters, which could move the cursor, become spaces.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn pipes(cells: &[String]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| escape_markdown(cell)).collect();
    format!("| {} |\n", cells.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(1, ["name", "mean"]);
        table.row(["a|b", "+0.1"]);
        table.row(["longer", "-10.25"]);
        table
    }

    #[test]
    fn text_is_aligned() {
        let text = table().to_text();
        assert_eq!(text, "name      mean\n──────  ──────\na|b       +0.1\nlonger  -10.25\n");
    }

    #[test]
    fn markdown_escapes_pipes_and_line_breaks() {
        assert!(table().to_markdown().contains("| a\\|b | +0.1 |"));
        assert_eq!(escape_markdown("a\nb<i>"), "a b&lt;i&gt;");
        assert_eq!(printable("a\u{1b}[2J"), "a [2J");
    }
}
