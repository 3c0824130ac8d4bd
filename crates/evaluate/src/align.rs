//! Matching two series by id.
//!
//! The ids known on both sides, in order of id. A series that keeps less than 80 of 100 of its rows is
//! refused, as is an id that stands twice. NaN is unknown; infinities are known.
//!
//! Cost: two sorts.
//!
//! Reference: numerai-tools 0.7.2, `filter_sort_index`.

use crate::error::{Error, Result, same_length};
use crate::score::expect_share;

/// Values by id, in any order.
#[derive(Debug, Clone, Copy)]
pub struct Keyed<'a> {
    /// One id a value.
    pub ids: &'a [&'a str],
    /// The values.
    pub values: &'a [f64],
}

/// Two series with the same ids.
#[derive(Debug, Clone, PartialEq)]
pub struct Aligned<'a> {
    /// The ids known on both sides, sorted.
    pub ids: Vec<&'a str>,
    /// The first series.
    pub first: Vec<f64>,
    /// The second series.
    pub second: Vec<f64>,
}

/// Matches two series by id.
///
/// ```
/// use fattail_evaluate::{Keyed, align};
/// let first = Keyed { ids: &["b", "a"], values: &[2.0, 1.0] };
/// let second = Keyed { ids: &["a", "b"], values: &[10.0, 20.0] };
/// let both = align(first, second)?;
/// assert_eq!((both.first, both.second), (vec![1.0, 2.0], vec![10.0, 20.0]));
/// # Ok::<(), fattail_evaluate::Error>(())
/// ```
///
/// # Errors
/// When lengths differ, an id stands twice, or one side loses more than 20 of 100 rows.
pub fn align<'a>(first: Keyed<'a>, second: Keyed<'a>) -> Result<Aligned<'a>> {
    let left = sorted("first", first)?;
    let right = sorted("second", second)?;
    let mut both = Aligned { ids: Vec::new(), first: Vec::new(), second: Vec::new() };
    let mut rest = right.iter().copied().peekable();
    for &(id, value) in &left {
        while rest.next_if(|&(other, _)| other < id).is_some() {}
        if let Some((_, partner)) = rest.next_if(|&(other, _)| other == id)
            && !value.is_nan()
            && !partner.is_nan()
        {
            both.ids.push(id);
            both.first.push(value);
            both.second.push(partner);
        }
    }
    expect_share("first", both.ids.len(), left.len())?;
    expect_share("second", both.ids.len(), right.len())?;
    Ok(both)
}

fn sorted<'a>(name: &'static str, series: Keyed<'a>) -> Result<Vec<(&'a str, f64)>> {
    same_length(name, series.values.len(), series.ids.len())?;
    let mut rows: Vec<_> = series.ids.iter().copied().zip(series.values.iter().copied()).collect();
    rows.sort_by_key(|&(id, _)| id);
    match rows.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        Some(pair) => Err(Error::DuplicateId { name, id: pair[0].0.to_owned() }),
        None => Ok(rows),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDS: [&str; 10] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];

    fn keyed(values: &[f64]) -> Keyed<'_> {
        Keyed { ids: &IDS, values }
    }

    #[test]
    fn two_of_ten_may_be_unknown_three_may_not() {
        let full = [1.0; 10];
        let mut holes = full;
        (holes[0], holes[9]) = (f64::NAN, f64::NAN);
        assert_eq!(align(keyed(&full), keyed(&holes)).unwrap().ids, IDS[1..9]);
        holes[4] = f64::NAN;
        let error = align(keyed(&full), keyed(&holes)).unwrap_err().to_string();
        assert!(error.contains("share 7 of 10 rows, at least 80 of 100"), "{error}");
    }

    #[test]
    fn duplicates_are_refused_and_infinity_is_known() {
        let twice = Keyed { ids: &["a", "a"], values: &[1.0, 2.0] };
        let error = align(twice, twice).unwrap_err();
        assert_eq!(error.to_string(), "id 'a' stands twice in 'first'");
        let infinite = Keyed { ids: &["b", "a"], values: &[f64::INFINITY, 0.0] };
        assert_eq!(align(infinite, infinite).unwrap().first, [0.0, f64::INFINITY]);
    }
}
