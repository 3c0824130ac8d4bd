//! Row ids, one string a row, in one allocation.

/// Ids of rows: texts end to end and where each ends.
///
/// ```
/// use fattail_core::Ids;
/// let ids: Ids = ["n001", "n002"].into_iter().collect();
/// assert_eq!(ids.get(1), "n002");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ids {
    text: Box<str>,
    ends: Box<[usize]>,
}

/// Collects [`Ids`] one by one.
#[derive(Debug, Default)]
pub struct IdsBuilder {
    text: String,
    ends: Vec<usize>,
}

impl IdsBuilder {
    /// Room for `rows` ids of `bytes` bytes in all.
    #[must_use]
    pub fn with_capacity(rows: usize, bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), ends: Vec::with_capacity(rows) }
    }

    /// Adds an id.
    pub fn push(&mut self, id: &str) {
        self.text.push_str(id);
        self.ends.push(self.text.len());
    }

    /// The ids collected.
    #[must_use]
    pub fn finish(self) -> Ids {
        Ids { text: self.text.into(), ends: self.ends.into() }
    }
}

impl Ids {
    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The id at `row`.
    ///
    /// # Panics
    /// When `row` is not below [`Ids::len`], as indexing a slice does.
    #[must_use]
    pub fn get(&self, row: usize) -> &str {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.text[start..self.ends[row]]
    }
}

impl<S: AsRef<str>> FromIterator<S> for Ids {
    fn from_iter<I: IntoIterator<Item = S>>(ids: I) -> Self {
        let mut builder = IdsBuilder::default();
        ids.into_iter().for_each(|id| builder.push(id.as_ref()));
        builder.finish()
    }
}
