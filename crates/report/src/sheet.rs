//! A page of tables about anything.

use minijinja::{Environment, context, value::Value};

use crate::{Result, Table, html::grid};

/// A title, a sentence and tables, each under a heading.
///
/// ```
/// use fattail_report::{Sheet, Table};
/// let mut table = Table::new(1, ["Rule", "Rows"]);
/// table.row(["null_byte", "3"]);
/// let sheet = Sheet {
///     title: "prices.csv".into(),
///     lead: "3 of 100 rows were mended.".into(),
///     tables: vec![("Repairs".into(), table)],
///     ..Sheet::default()
/// };
/// assert!(sheet.to_html()?.contains("<h2>Repairs</h2>"));
/// # Ok::<(), fattail_report::Error>(())
/// ```
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// The title.
    pub title: String,
    /// The program that made it.
    pub generated_by: String,
    /// What matters, in a sentence or two.
    pub lead: String,
    /// The tables, each with its heading.
    pub tables: Vec<(String, Table)>,
}

impl Sheet {
    /// One self-contained HTML page, for light and dark, screen, phone and paper.
    ///
    /// # Errors
    /// [`Error::Page`](crate::Error::Page) if the template cannot be filled in.
    pub fn to_html(&self) -> Result<String> {
        let mut environment = Environment::new();
        environment.add_template("style.css", include_str!("style.css"))?;
        environment.add_template("sheet.html", include_str!("sheet.html"))?;
        let tables =
            self.tables.iter().map(|(title, table)| context! { title, table => grid(table) });
        let page = context! {
            title => &self.title,
            generated_by => &self.generated_by,
            lead => &self.lead,
            tables => tables.collect::<Vec<Value>>(),
        };
        Ok(environment.get_template("sheet.html")?.render(page)?)
    }
}
