//! What became of a file, for a person.

use fattail::{
    ingest::{Compression, Counts, Dialect, Kind, Rule, Summary},
    report::{Sheet, Table},
};

/// A file in a few lines: what it was, what became of its rows, which rules ran.
pub fn told(summary: &Summary) -> String {
    let mut text = format!("{}\n", lead(summary));
    text.push_str(&format!("  {}\n", form(summary)));
    for line in remarks(summary) {
        text.push_str(&format!("  {line}\n"));
    }
    let rules = rules(summary);
    if !rules.rows.is_empty() {
        rules.to_text().lines().for_each(|line| text.push_str(&format!("  {line}\n")));
    }
    text.push_str(&format!("  table       {}\n", summary.table.display()));
    text.push_str(&format!("  repairs     {}\n", summary.repairs.display()));
    text.push_str(&format!("  quarantine  {}\n", summary.quarantine.display()));
    text.push_str(&format!("  schema      {}\n", summary.schema.display()));
    text
}

/// The files as a page.
pub fn page(summaries: &[Summary]) -> Sheet {
    let mut tables = Vec::new();
    let several = summaries.len() > 1;
    if several {
        tables.push(("Files".into(), files(summaries)));
    }
    for summary in summaries {
        let name = summary.input.display();
        let title =
            |what: &str| if several { format!("{what} of {name}") } else { what.to_owned() };
        tables.push((title("Form"), facts(summary)));
        tables.push((title("Repairs"), rules(summary)));
        tables.push((title("Columns"), columns(summary)));
    }
    let lead = match summaries {
        [summary] => lead(summary),
        _ => format!("{} files.", summaries.len()),
    };
    Sheet {
        title: "Ingested tables".into(),
        generated_by: concat!("fattail ingest ", env!("CARGO_PKG_VERSION")).into(),
        lead,
        tables,
    }
}

fn lead(summary: &Summary) -> String {
    let counts = &summary.counts;
    let mended = repairs(summary);
    format!(
        "{}: {} rows read = {} written + {} set aside; {} repairs",
        summary.input.display(),
        grouped(counts.read),
        grouped(counts.written),
        grouped(counts.quarantined),
        grouped(mended),
    )
}

/// How often a rule mended something: neither a row that was set aside nor a line that is no row.
fn repairs(summary: &Summary) -> u64 {
    let Counts { rules, quarantined, skipped, .. } = &summary.counts;
    let above = rules.get(&Rule::Preamble).copied().unwrap_or(0);
    rules.values().sum::<u64>().saturating_sub(quarantined + skipped + above + summary.footer)
}

/// Encoding, delimiter, quotes, names.
fn form(summary: &Summary) -> String {
    let compressed = match summary.compression {
        Compression::None => "",
        Compression::Gzip => ", gzip",
        Compression::Zstd => ", zstd",
    };
    let names = match summary.header {
        0 => "no names".to_owned(),
        1 => "names".to_owned(),
        rows => format!("{rows} rows of names"),
    };
    let lines = |count: u64, where_: &str| match count {
        0 => String::new(),
        1 => format!(", 1 line {where_}"),
        count => format!(", {count} lines {where_}"),
    };
    let (above, below) = (lines(summary.preamble as u64, "above"), lines(summary.footer, "below"));
    format!(
        "{}{compressed}, {}, {names}{above}{below}, {} columns, {} lines",
        summary.encoding,
        parted(&summary.dialect),
        summary.columns.len(),
        grouped(summary.lines),
    )
}

fn parted(dialect: &Dialect) -> String {
    let delimiter = match dialect.delimiter {
        b'\t' => "tab".to_owned(),
        b' ' => "space".to_owned(),
        byte => format!("'{}'", byte.escape_ascii()),
    };
    let padded = if dialect.padded { " and spaces" } else { "" };
    let quote = dialect.quote.map_or("none".into(), |byte| format!("{}", char::from(byte)));
    format!("delimiter {delimiter}{padded}, quote {quote}")
}

/// What was found, and how sure it is, from 0 to 1.
fn findings(summary: &Summary) -> [(&'static str, f64); 8] {
    let sure = &summary.confidence;
    [
        ("the encoding", summary.encoding_confidence),
        ("the delimiter", sure.dialect),
        ("what ends a line", sure.ends),
        ("where the table begins", sure.preamble),
        ("whether the first row holds names", sure.header),
        ("whether the last lines are none of the table", summary.footer_confidence),
        ("which mark stands before a fraction", sure.marks),
        ("the order of day and month", sure.date_order),
    ]
}

/// What a person should know before they trust the table.
fn remarks(summary: &Summary) -> Vec<String> {
    let mut remarks = Vec::new();
    for (what, confidence) in findings(summary) {
        if confidence < 0.5 {
            remarks.push(format!("not sure: {what} (confidence {confidence:.2}); it can be given"));
        }
    }
    if !summary.widened.is_empty() {
        let names = summary.widened.join(", ");
        remarks.push(format!(
            "read again, because columns were of a wider kind than their beginning: {names}"
        ));
    }
    if summary.resumed_at > 0 {
        remarks.push(format!("taken up from byte {}", grouped(summary.resumed_at)));
    }
    remarks
}

fn rules(summary: &Summary) -> Table {
    let mut table = Table::new(1, ["Rule", "Times"]);
    let mut rules: Vec<_> = summary.counts.rules.iter().collect();
    rules.sort_by_key(|(rule, times)| (std::cmp::Reverse(**times), **rule));
    for (rule, times) in rules {
        table.row([rule.name().to_owned(), grouped(*times)]);
    }
    table
}

fn facts(summary: &Summary) -> Table {
    let counts = &summary.counts;
    let mut table = Table::new(2, ["", ""]);
    table.row(["Form", &form(summary)]);
    table.row(["Bytes", &grouped(summary.bytes)]);
    table.row(["Rows read", &grouped(counts.read)]);
    table.row(["Rows written", &grouped(counts.written)]);
    table.row(["Rows set aside", &grouped(counts.quarantined)]);
    table.row(["Blank lines and repeated names", &grouped(counts.skipped)]);
    for (what, confidence) in findings(summary) {
        table.row([&format!("Sure: {what}"), &format!("{confidence:.2}")]);
    }
    remarks(summary).iter().for_each(|remark| table.row(["Remark", remark]));
    table
}

fn columns(summary: &Summary) -> Table {
    let mut table = Table::new(3, ["Column", "Type", "Written as", "Missing", "Misfits"]);
    for column in &summary.columns {
        let missing = grouped(column.missing);
        let misfits = grouped(column.misfits);
        let kind = kind(column.column.kind).to_owned();
        table.row([column.column.name.clone(), kind, column.written_as.clone(), missing, misfits]);
    }
    table
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Boolean => "true or false",
        Kind::Integer { .. } => "whole numbers",
        Kind::Float { .. } => "numbers",
        Kind::Date { .. } => "days",
        Kind::Timestamp { .. } => "days and times",
        Kind::Time => "times of day",
        Kind::Text { category: true } => "categories",
        Kind::Text { category: false } => "text",
    }
}

fn files(summaries: &[Summary]) -> Table {
    let mut table = Table::new(1, ["File", "Rows read", "Written", "Set aside", "Repairs"]);
    for summary in summaries {
        let counts = &summary.counts;
        let repairs = repairs(summary);
        table.row([
            summary.input.display().to_string(),
            grouped(counts.read),
            grouped(counts.written),
            grouped(counts.quarantined),
            grouped(repairs),
        ]);
    }
    table
}

/// A number with its thousands apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        let told = [0, 999, 1000, 1_234_567].map(grouped);
        assert_eq!(told, ["0", "999", "1,000", "1,234,567"]);
    }
}
