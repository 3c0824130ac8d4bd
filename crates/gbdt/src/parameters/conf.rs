//! LightGBM's configuration files: `name = value` lines, `#` begins a comment.

use super::{ParameterError, ParameterResult};

/// Names and values of a configuration file.
///
/// ```
/// let pairs = fattail_gbdt::parameters::read_conf("# a comment\nnum_leaves = 63\n\neta=0.05 # slow\n")?;
/// assert_eq!(pairs[1], ("eta".into(), "0.05".into()));
/// # Ok::<(), fattail_gbdt::parameters::ParameterError>(())
/// ```
///
/// # Errors
/// Names the line that is not `name = value`.
pub fn read_conf(text: &str) -> ParameterResult<Vec<(String, String)>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut pairs = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let code = line.split('#').next().unwrap_or_default().trim();
        if code.is_empty() {
            continue;
        }
        let broken = || ParameterError::Line { line: at + 1, text: line.trim().into() };
        let (name, value) = code.split_once('=').ok_or_else(broken)?;
        if name.trim().is_empty() {
            return Err(broken());
        }
        pairs.push((name.trim().to_owned(), value.trim().to_owned()));
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_lines_are_told() {
        let told = read_conf("a = 1\n\nwhat is this\n").unwrap_err().to_string();
        assert_eq!(told, "line 3: 'what is this' is not 'name = value'");
        assert!(read_conf("= 3").is_err());
        assert_eq!(read_conf("label = column=0\r\n").unwrap()[0].1, "column=0");
    }
}
