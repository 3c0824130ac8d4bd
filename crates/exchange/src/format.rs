//! The format of a file, told by its content.

use fattail_trees::Forest;

use crate::{Error, Result, catboost, lightgbm, xgboost};

/// A format that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// LightGBM's text.
    LightGbm,
    /// XGBoost's JSON.
    XgboostJson,
    /// XGBoost's UBJSON.
    XgboostUbjson,
    /// CatBoost's JSON.
    CatboostJson,
}

impl Format {
    /// The format of a file that begins like `bytes`.
    ///
    /// ```
    /// use fattail_exchange::Format;
    /// assert_eq!(Format::detect(b"tree\nversion=v4\n"), Some(Format::LightGbm));
    /// assert_eq!(Format::detect(b"{\"learner\":{}}"), Some(Format::XgboostJson));
    /// assert_eq!(Format::detect(b"{L\0\0\0\0\0\0\0\x07learner{}}"), Some(Format::XgboostUbjson));
    /// assert_eq!(Format::detect(b"{\"features_info\":{}}"), Some(Format::CatboostJson));
    /// assert_eq!(Format::detect(b"PAR1"), None);
    /// ```
    #[must_use]
    pub fn detect(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
        let Some(inside) = bytes.strip_prefix(b"{") else {
            let line = bytes.split(|&byte| byte == b'\n').next()?;
            return (line.trim_ascii_end() == b"tree").then_some(Self::LightGbm);
        };
        if matches!(inside.first(), Some(b'L' | b'l' | b'I' | b'i' | b'U' | b'#' | b'$')) {
            return Some(Self::XgboostUbjson);
        }
        let key =
            inside.trim_ascii_start().strip_prefix(b"\"")?.split(|&byte| byte == b'"').next()?;
        match key {
            b"learner" | b"version" => Some(Self::XgboostJson),
            b"features_info" | b"model_info" | b"oblivious_trees" | b"trees"
            | b"scale_and_bias" | b"ctr_data" => Some(Self::CatboostJson),
            _ => None,
        }
    }
}

/// Reads a model of whichever format.
///
/// # Errors
/// When the format is not known, or the file breaks it.
pub fn read(bytes: &[u8]) -> Result<Forest> {
    match Format::detect(bytes).ok_or(Error::UnknownFormat)? {
        Format::LightGbm => lightgbm::read(bytes),
        Format::XgboostJson => xgboost::read_json(bytes),
        Format::XgboostUbjson => xgboost::read_ubjson(bytes),
        Format::CatboostJson => catboost::read_json(bytes),
    }
}
