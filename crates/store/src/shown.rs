//! Text of a file as it stands in a message: on one line and short.

use std::fmt;

/// Longer text is cut.
const LENGTH: usize = 60;

/// Shows text with its control characters escaped, cut after 60 characters.
pub(crate) fn shown(text: &str) -> Shown<'_> {
    Shown(text)
}

/// See [`shown`].
#[derive(Debug)]
pub(crate) struct Shown<'a>(&'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = self.0.char_indices().nth(LENGTH).map_or(self.0, |(at, _)| &self.0[..at]);
        let cut = if kept.len() < self.0.len() { "..." } else { "" };
        write!(f, "{}{cut}", kept.escape_debug())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped_and_long_text_is_cut() {
        assert_eq!(shown("wörd").to_string(), "wörd");
        assert_eq!(shown("a\nb\u{1b}[2J\0").to_string(), r"a\nb\u{1b}[2J\0");
        assert_eq!(shown(&"ü".repeat(60)).to_string(), "ü".repeat(60));
        assert_eq!(shown(&"ü".repeat(61)).to_string(), "ü".repeat(60) + "...");
    }
}
