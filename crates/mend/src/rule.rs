//! Every repair is a rule with a name, and a policy says which rules may run.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How much a repair takes on itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Risk {
    /// Nothing is lost and there is one reading.
    Certain,
    /// The neighbours, the column or the dialect say which reading is meant.
    Judged,
    /// Something of the row is given up or made up.
    Lossy,
}

macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $rule:ident $name:literal $risk:ident,)+) => {
        /// A repair, or the reason why a row was refused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Rule {
            $($(#[doc = $doc])+ $rule,)+
        }

        impl Rule {
            /// All rules, in the order of this page.
            pub const ALL: &[Self] = &[$(Self::$rule,)+];

            /// The name that stands in logs and settings.
            pub fn name(self) -> &'static str {
                match self { $(Self::$rule => $name,)+ }
            }

            /// How much the rule takes on itself.
            pub fn risk(self) -> Risk {
                match self { $(Self::$rule => Risk::$risk,)+ }
            }
        }
    };
}

rules! {
    /// A line above the table. It is set aside.
    Preamble "preamble" Certain,
    /// A line below the table. It is set aside.
    Footer "footer" Certain,
    /// A line without a cell is left out.
    BlankLine "blank_line" Certain,
    /// The names of the columns again, below the first row, are left out.
    RepeatedHeader "repeated_header" Certain,
    /// Zero bytes are taken out.
    NullByte "null_byte" Certain,
    /// Control characters are taken out.
    ControlCharacter "control_character" Certain,
    /// Bytes that the encoding does not allow are read as Windows-1252, or as U+FFFD.
    InvalidSequence "invalid_sequence" Judged,
    /// A text that stands for a missing value, in a column where it is not usual.
    MissingMarker "missing_marker" Certain,
    /// The same, written with letters of another alphabet.
    HomoglyphMarker "homoglyph_marker" Judged,
    /// A number with another decimal or thousands mark than its column.
    NumberMarks "number_marks" Judged,
    /// A number with a unit or a currency that its column does not have.
    Unit "unit" Judged,
    /// Quotes around or inside a number or a date are taken off.
    StrayQuote "stray_quote" Judged,
    /// A date in another order than its column, with one reading.
    DateOrder "date_order" Judged,
    /// A value that its column does not allow becomes missing.
    Misfit "misfit" Judged,
    /// A quote inside a quoted cell that is not escaped stays as it is.
    UnescapedQuote "unescaped_quote" Judged,
    /// A quote that opens a cell and is never closed is part of the text.
    UnclosedQuote "unclosed_quote" Judged,
    /// A row written with another delimiter.
    OtherDelimiter "other_delimiter" Judged,
    /// An empty cell too many behind the last one is left out.
    TrailingDelimiter "trailing_delimiter" Certain,
    /// An empty cell too many is left out where the others fit their columns.
    ExtraDelimiter "extra_delimiter" Judged,
    /// A text with delimiters that should have been quoted is put together.
    SplitText "split_text" Judged,
    /// Two cells that lost their delimiter are parted where each fits its column.
    LostDelimiter "lost_delimiter" Judged,
    /// Cells that the row does not have are missing.
    TooFewCells "too_few_cells" Judged,
    /// The last row ends early: what it does not have is missing.
    TruncatedRow "truncated_row" Lossy,
    /// Cells beyond the last column are given up.
    TooManyCells "too_many_cells" Lossy,
    /// A row that could be read in another way as well, or in none that is good: the likeliest is taken.
    Doubtful "doubtful" Lossy,
    /// A row whose cells cannot be told apart. It is refused.
    Ragged "ragged" Lossy,
    /// A row none of whose cells fits its column, such as a note below the table. It is refused.
    NotARow "not_a_row" Lossy,
    /// A record longer than is allowed. It is refused.
    TooLong "too_long" Lossy,
}

impl Rule {
    /// The rule with a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.name() == name)
    }

    /// Whether it is a reason to refuse and never a repair.
    pub fn refuses(self) -> bool {
        matches!(self, Self::Preamble | Self::Footer | Self::Ragged | Self::NotARow | Self::TooLong)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which rules may run. A row that needs another one is refused: it is kept, untouched, elsewhere.
///
/// ```
/// use fattail_mend::{Policy, Rule};
/// let policy = Policy::repair().without(Rule::Misfit);
/// assert!(policy.allows(Rule::NullByte) && !policy.allows(Rule::Misfit));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    allowed: u32,
}

impl Policy {
    /// No rule: what is not as the dialect and the schema say is refused. Blank lines and repeated
    /// names, which hold no data, are left out.
    pub fn strict() -> Self {
        Self { allowed: 0 }.with(Rule::BlankLine).with(Rule::RepeatedHeader)
    }

    /// Every rule that gives nothing up: what it changes stands in the log as it was.
    pub fn repair() -> Self {
        Self::up_to(Risk::Judged)
    }

    /// Every rule.
    pub fn lenient() -> Self {
        Self::up_to(Risk::Lossy)
    }

    /// The policy with a name: `strict`, `repair` or `lenient`.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "strict" => Some(Self::strict()),
            "repair" => Some(Self::repair()),
            "lenient" => Some(Self::lenient()),
            _ => None,
        }
    }

    fn up_to(risk: Risk) -> Self {
        let rules = Rule::ALL.iter().filter(|rule| rule.risk() <= risk && !rule.refuses());
        rules.fold(Self { allowed: 0 }, |policy, &rule| policy.with(rule))
    }

    /// The same with one more rule. A reason to refuse is no repair and is not added.
    pub fn with(self, rule: Rule) -> Self {
        match rule.refuses() {
            true => self,
            false => Self { allowed: self.allowed | 1 << rule as u32 },
        }
    }

    /// The same with one rule less.
    pub fn without(self, rule: Rule) -> Self {
        Self { allowed: self.allowed & !(1 << rule as u32) }
    }

    /// Whether a rule may run.
    pub fn allows(self, rule: Rule) -> bool {
        self.allowed & 1 << rule as u32 != 0
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::repair()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart_and_policies_grow() {
        for (at, &rule) in Rule::ALL.iter().enumerate() {
            assert_eq!(Rule::named(rule.name()), Some(rule));
            assert_eq!(rule as usize, at);
            let [strict, repair, lenient] =
                [Policy::strict(), Policy::repair(), Policy::lenient()].map(|p| p.allows(rule));
            assert!(strict <= repair && repair <= lenient);
            assert_eq!(lenient, !rule.refuses());
        }
        assert!(Rule::ALL.len() <= 32);
    }
}
