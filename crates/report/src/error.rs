//! What can go wrong when a report is written.

/// The result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A report that could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The report is not valid JSON.
    #[error("report is not valid JSON at line {}, column {}", source.line(), source.column())]
    Json {
        /// What the parser says.
        #[from]
        source: serde_json::Error,
    },
    /// A chart could not be drawn.
    #[error("chart '{title}' could not be drawn")]
    Chart {
        /// The chart's title.
        title: String,
        /// What the drawing library says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The page could not be filled in.
    #[error("page could not be written")]
    Page {
        /// What the template engine says.
        #[from]
        source: minijinja::Error,
    },
}
