//! The header of a file: what comes before the first tree.

use fattail_trees::{Feature, Info, Link};

use super::fields::{Field, Fields, Line};
use super::objective::Objective;
use crate::Result;

/// LightGBM writes at most 13 lines.
const LINES: usize = 64;

/// What the header says.
#[derive(Debug)]
pub(super) struct Header<'a> {
    pub(super) features: Vec<Feature>,
    pub(super) outputs: usize,
    pub(super) average: bool,
    pub(super) objective: String,
    pub(super) link: Link,
    /// Whether the file is of version 4 and so has to say where its trees end.
    pub(super) ends: bool,
    /// Bytes of each tree, if the header tells.
    pub(super) sizes: Option<(Field<'a>, Vec<usize>)>,
}

impl<'a> Header<'a> {
    /// Reads the lines before the first tree of a file of `bytes`.
    pub(super) fn read(lines: &[Line<'a>], bytes: usize) -> Result<Self> {
        let head = lines.first().copied().unwrap_or(Line { number: 1, text: "" });
        let full = lines.iter().copied().filter(|line| !line.text.is_empty());
        let fields = Fields::gather(head, full, LINES)?;
        let version = fields.need("version")?;
        if !matches!(version.value, "v2" | "v3" | "v4") {
            return Err(version.error(format!("'{}', allowed are v2, v3, v4", version.value)));
        }
        fields.need("label_index")?.number::<i64>()?;
        let outputs = outputs(&fields, bytes)?;
        let (objective, link) = objective(&fields, outputs)?;
        Ok(Self {
            features: features(&fields)?,
            outputs,
            average: fields.find("average_output").is_some(),
            objective,
            link,
            ends: version.value == "v4",
            sizes: sizes(&fields)?,
        })
    }
}

fn outputs(fields: &Fields, bytes: usize) -> Result<usize> {
    let classes = fields.need("num_class")?;
    let count: usize = classes.number()?;
    if count == 0 || count > bytes {
        return Err(classes
            .error(format!("{count}, allowed is at least 1 and what {bytes} bytes can hold")));
    }
    match fields.find("num_tree_per_iteration") {
        Some(field) if field.number::<usize>()? != count => {
            Err(field.error(format!("{}, but num_class is {count}", field.value)))
        }
        _ => Ok(count),
    }
}

fn objective(fields: &Fields, outputs: usize) -> Result<(String, Link)> {
    let Some(field) = fields.find("objective") else { return Ok((String::new(), Link::Identity)) };
    let objective = Objective::parse(field.value, outputs).map_err(|reason| field.error(reason))?;
    Ok((objective.text, objective.link))
}

fn sizes<'a>(fields: &Fields<'a>) -> Result<Option<(Field<'a>, Vec<usize>)>> {
    let Some(field) = fields.find("tree_sizes") else { return Ok(None) };
    let count = field.value.split_ascii_whitespace().count();
    Ok(Some((field, field.list(count)?)))
}

fn features(fields: &Fields) -> Result<Vec<Feature>> {
    let last = fields.need("max_feature_idx")?;
    let count = last.number::<i64>()?.checked_add(1).and_then(|count| usize::try_from(count).ok());
    let count =
        count.ok_or_else(|| last.error(format!("{}, allowed is -1 or more", last.value)))?;
    let names = words(fields.need("feature_names")?, count)?;
    let infos = fields.need("feature_infos")?;
    let signs: Vec<i8> = fields.list_or_zeros("monotone_constraints", names.len())?;
    if let Some(field) = fields.find("monotone_constraints")
        && let Some(sign) = signs.iter().find(|&&sign| !(-1..=1).contains(&sign))
    {
        return Err(field.error(format!("{sign}, allowed are -1, 0, 1")));
    }
    let parts = names.into_iter().zip(words(infos, count)?).zip(signs);
    let feature = |((name, text), monotone): ((&str, &str), i8)| {
        let info = info(text)
            .ok_or_else(|| infos.error(format!("'{name}' has neither range nor categories")))?;
        Ok(Feature { name: name.to_owned(), info, monotone })
    };
    parts.map(feature).collect()
}

fn words<'a>(field: Field<'a>, count: usize) -> Result<Vec<&'a str>> {
    let words: Vec<&str> = field.value.split(' ').filter(|word| !word.is_empty()).collect();
    if words.len() == count {
        return Ok(words);
    }
    Err(field.error(format!("{} values, expected are max_feature_idx + 1 = {count}", words.len())))
}

/// `none`, `[min:max]` or `a:b:c`.
fn info(text: &str) -> Option<Info> {
    if text == "none" {
        return Some(Info::Unused);
    }
    let Some(range) = text.strip_prefix('[') else {
        let list = text.split(':').map(|word| word.parse().ok()).collect::<Option<_>>()?;
        return Some(Info::Categories { list });
    };
    let (min, max) = range.strip_suffix(']')?.split_once(':')?;
    Some(Info::Range { min: min.parse().ok()?, max: max.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn infos() {
        assert_eq!(info("none"), Some(Info::Unused));
        assert_eq!(info("[-1:2.5]"), Some(Info::Range { min: -1.0, max: 2.5 }));
        assert_eq!(info("-1:3:7"), Some(Info::Categories { list: vec![-1, 3, 7] }));
        assert_eq!(info("7"), Some(Info::Categories { list: vec![7] }));
        assert_eq!(info("[1]"), None);
        assert_eq!(info("1.5:2"), None);
        assert_eq!(info("99999999999:2"), None);
    }
}
