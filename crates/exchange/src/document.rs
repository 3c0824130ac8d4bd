//! A value of a JSON document that knows its place, so that an error can name it.

use serde_json::Value;

use crate::{Error, Result};

/// Letters of a text that an error shows.
const SHOWN: usize = 100;

/// A value and the way to it.
#[derive(Debug, Clone)]
pub(crate) struct Place<'a> {
    value: &'a Value,
    path: String,
}

/// Parses a JSON text.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value> {
    serde_json::from_slice(bytes).map_err(|error| Error::Document {
        path: format!("line {} column {}", error.line(), error.column()),
        reason: match error.classify() {
            serde_json::error::Category::Eof => "the document ends too early".into(),
            _ => "no JSON, or nested too deeply".into(),
        },
    })
}

impl<'a> Place<'a> {
    pub(crate) fn root(value: &'a Value) -> Self {
        Self { value, path: String::new() }
    }

    /// The error that something is wrong here.
    pub(crate) fn error(&self, reason: impl Into<String>) -> Error {
        let path = if self.path.is_empty() { "document".into() } else { self.path.clone() };
        Error::Document { path, reason: reason.into() }
    }

    /// The error that something is wrong with an item of this array.
    pub(crate) fn error_at(&self, index: usize, reason: impl Into<String>) -> Error {
        Error::Document { path: format!("{}[{index}]", self.path), reason: reason.into() }
    }

    fn expected(&self, what: &str) -> Error {
        self.error(format!("{what} is expected, {} is found", kind(self.value)))
    }

    /// The value of a key that may be absent.
    pub(crate) fn find(&self, key: &str) -> Result<Option<Self>> {
        let object = self.value.as_object().ok_or_else(|| self.expected("an object"))?;
        Ok(object.get(key).map(|value| Self { value, path: self.below(key) }))
    }

    /// The value of a key that must be there.
    pub(crate) fn at(&self, key: &str) -> Result<Self> {
        let found = self.find(key)?;
        found.ok_or_else(|| self.error(format!("the key '{key}' is missing")))
    }

    fn below(&self, key: &str) -> String {
        let key = shown(key);
        if self.path.is_empty() { key } else { format!("{}.{key}", self.path) }
    }

    /// The keys and values of an object.
    pub(crate) fn entries(&self) -> Result<Vec<(&'a str, Self)>> {
        let object = self.value.as_object().ok_or_else(|| self.expected("an object"))?;
        Ok(object
            .iter()
            .map(|(key, value)| (&**key, Self { value, path: self.below(key) }))
            .collect())
    }

    fn array(&self) -> Result<&'a [Value]> {
        Ok(self.value.as_array().ok_or_else(|| self.expected("an array"))?)
    }

    fn item(&self, index: usize, value: &'a Value) -> Self {
        Self { value, path: format!("{}[{index}]", self.path) }
    }

    /// The items of an array.
    pub(crate) fn items(&self) -> Result<Vec<Self>> {
        let array = self.array()?;
        Ok(array.iter().enumerate().map(|(index, value)| self.item(index, value)).collect())
    }

    fn each<T>(&self, what: &str, read: impl Fn(&'a Value) -> Option<T>) -> Result<Vec<T>> {
        let one =
            |(index, value)| read(value).ok_or_else(|| self.item(index, value).expected(what));
        self.array()?.iter().enumerate().map(one).collect()
    }

    pub(crate) fn text(&self) -> Result<&'a str> {
        self.value.as_str().ok_or_else(|| self.expected("a string"))
    }

    pub(crate) fn texts(&self) -> Result<Vec<&'a str>> {
        self.each("a string", Value::as_str)
    }

    pub(crate) fn number(&self) -> Result<f64> {
        self.value.as_f64().ok_or_else(|| self.expected("a number"))
    }

    pub(crate) fn numbers(&self) -> Result<Vec<f64>> {
        self.each("a number", Value::as_f64)
    }

    /// A number of single precision, rounded to it where the text has more digits.
    pub(crate) fn single(&self) -> Result<f32> {
        single(self.value).ok_or_else(|| self.expected("a number of single precision"))
    }

    /// Numbers of single precision, rounded to it where the text has more digits.
    pub(crate) fn singles(&self) -> Result<Vec<f32>> {
        self.each("a number of single precision", single)
    }

    pub(crate) fn integer(&self) -> Result<i64> {
        self.value.as_i64().ok_or_else(|| self.expected("an integer"))
    }

    pub(crate) fn integers(&self) -> Result<Vec<i64>> {
        self.each("an integer", Value::as_i64)
    }

    pub(crate) fn indices(&self) -> Result<Vec<usize>> {
        self.each("an index", |value| value.as_u64().and_then(|x| usize::try_from(x).ok()))
    }

    pub(crate) fn index(&self) -> Result<usize> {
        let index = self.value.as_u64().and_then(|x| usize::try_from(x).ok());
        index.ok_or_else(|| self.expected("an index"))
    }

    /// Truth values, written as such or as 0 and 1.
    pub(crate) fn flags(&self) -> Result<Vec<bool>> {
        self.each("true, false, 0 or 1", |value| match value.as_i64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => value.as_bool(),
        })
    }

    /// A number in a string.
    pub(crate) fn parsed<T: std::str::FromStr>(&self, what: &str) -> Result<T> {
        let text = self.text()?;
        text.parse()
            .map_err(|_| self.error(format!("{what} is expected, {:?} is found", shown(text))))
    }

    /// The value itself.
    pub(crate) fn value(&self) -> &'a Value {
        self.value
    }

    pub(crate) fn is_text(&self) -> bool {
        self.value.is_string()
    }

    pub(crate) fn is_array(&self) -> bool {
        self.value.is_array()
    }

    pub(crate) fn is_null(&self) -> bool {
        self.value.is_null()
    }
}

/// As much of a text from a file as an error shows: it is one line and not long, whatever the file.
pub(crate) fn shown(text: &str) -> String {
    let printed = |letter: char| if letter.is_control() { ' ' } else { letter };
    let mut start: String = text.chars().take(SHOWN).map(printed).collect();
    if text.chars().nth(SHOWN).is_some() {
        start.push_str("...");
    }
    start
}

fn single(value: &Value) -> Option<f32> {
    value.as_f64().map(|x| x as f32).filter(|x| x.is_finite())
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null or a number that is not finite",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "another number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_error_names_the_place() {
        let value = json!({"trees": [{"left": [1, "2"]}]});
        let tree = Place::root(&value).at("trees").unwrap().items().unwrap().remove(0);
        let error = tree.at("left").unwrap().integers().unwrap_err();
        assert_eq!(
            error.to_string(),
            "trees[0].left[1]: an integer is expected, a string is found"
        );
        let error = tree.at("right").unwrap_err();
        assert_eq!(error.to_string(), "trees[0]: the key 'right' is missing");
    }

    #[test]
    fn flags_come_in_two_spellings() {
        let value = json!([true, 0, 1, false]);
        assert_eq!(Place::root(&value).flags().unwrap(), [true, false, true, false]);
        assert!(Place::root(&json!([2])).flags().is_err());
    }

    #[test]
    fn a_long_key_is_cut() {
        let value = json!({"a\nb".to_owned() + &"c".repeat(1_000): 1});
        let error = Place::root(&value).entries().unwrap()[0].1.text().unwrap_err().to_string();
        assert!(error.starts_with("a bccc") && error.len() < 200, "{error}");
    }

    #[test]
    fn nesting_has_a_limit() {
        let deep = "[".repeat(100_000);
        assert!(matches!(parse(deep.as_bytes()), Err(Error::Document { .. })));
    }
}
