//! A column as LightGBM's parameters name it: by position or by name.

use std::{convert::Infallible, str::FromStr};

/// A column: `3`, `column=3`, `name:return` or `return`.
///
/// ```
/// use fattail_gbdt::parameters::ColumnName;
/// assert_eq!("column=3".parse(), Ok(ColumnName::Position(3)));
/// assert_eq!("name:3".parse(), Ok(ColumnName::Name("3".into())));
/// assert_eq!("return".parse(), Ok(ColumnName::Name("return".into())));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnName {
    /// The position. Positions of labels count all columns of the file, the others leave the label out.
    Position(usize),
    /// The name.
    Name(String),
}

impl FromStr for ColumnName {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let text = text.trim();
        if let Some(name) = text.strip_prefix("name:") {
            return Ok(Self::Name(name.to_owned()));
        }
        let position = text.strip_prefix("column=").unwrap_or(text).parse();
        Ok(position.map_or_else(|_| Self::Name(text.to_owned()), Self::Position))
    }
}

/// A column of the data beside the label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Whether it is a feature, and not weights, eras, ids, another target or ignored.
    pub is_feature: bool,
}

impl Column {
    /// A feature.
    #[must_use]
    pub fn feature(name: &str) -> Self {
        Self { name: name.to_owned(), is_feature: true }
    }
}

/// A list such as `0,2,5` or `name:a,b`.
pub(super) fn columns<'a>(parts: impl Iterator<Item = &'a str>) -> Vec<ColumnName> {
    let mut named = false;
    let mut list = Vec::new();
    for part in parts {
        let name = part.strip_prefix("name:");
        named |= name.is_some();
        list.push(match (named, name.unwrap_or(part), part.parse()) {
            (false, _, Ok(column)) => column,
            (_, name, _) => ColumnName::Name(name.to_owned()),
        });
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_names_the_whole_list() {
        let named = |name: &str| ColumnName::Name(name.into());
        assert_eq!(columns(["name:a", "3"].into_iter()), [named("a"), named("3")]);
        let positions = [ColumnName::Position(0), ColumnName::Position(2)];
        assert_eq!(columns(["0", "2"].into_iter()), positions);
    }
}
