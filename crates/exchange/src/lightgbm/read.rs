//! A whole file, read: cut into blocks line by line, then tree by tree in parallel.

use fattail_trees::Forest;
use rayon::prelude::*;

use super::block::Block;
use super::fields::{Line, refuse};
use super::header::Header;
use super::sections::parameters;
use crate::Result;

/// Reads a model.
///
/// ```
/// let text = "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\n\
///     max_feature_idx=0\nobjective=binary sigmoid:1\nfeature_names=x\nfeature_infos=[0:1]\n\n\
///     Tree=0\nnum_leaves=2\nnum_cat=0\nsplit_feature=0\nthreshold=0.5\ndecision_type=2\n\
///     left_child=-1\nright_child=-2\nleaf_value=-1 1\n\n\nend of trees\n";
/// let forest = fattail_exchange::lightgbm::read(text)?;
/// assert_eq!(forest.raw_row(&[0.25]).unwrap(), [-1.0]);
/// assert_eq!(forest.predict_row(&[0.75]).unwrap(), [1.0 / (1.0 + (-1.0_f64).exp())]);
/// # Ok::<(), fattail_exchange::Error>(())
/// ```
///
/// # Errors
/// Names the line and the key of what breaks the format: what is missing, does not parse, has another
/// length than the rest of its tree, or points to where nothing is.
pub fn read(model: impl AsRef<[u8]>) -> Result<Forest> {
    let text = decode(model.as_ref())?;
    let cut = Cut::new(text);
    if cut.header.first().is_none_or(|line| line.text.trim_end() != "tree") {
        return Err(refuse(1, "tree", "the first line has to be 'tree'"));
    }
    let header = Header::read(&cut.header[1..], text.len())?;
    if header.ends && !cut.ends {
        return Err(refuse(
            text.lines().count(),
            "end of trees",
            "is missing: the file is cut off",
        ));
    }
    check_sizes(&header, &cut.blocks)?;
    let (features, outputs) = (header.features.len(), header.outputs);
    if !cut.blocks.len().is_multiple_of(outputs) {
        let reason = format!("{} trees are no multiple of it", cut.blocks.len());
        return Err(refuse(1, "num_tree_per_iteration", reason));
    }
    let trees =
        cut.blocks.par_iter().enumerate().map(|(at, block)| block.read(features, at % outputs));
    // Gathered first, so that of several errors it is always the first that is reported.
    let trees: Vec<Result<_>> = trees.collect();
    let forest = Forest {
        trees: trees.into_iter().collect::<Result<_>>()?,
        features: header.features,
        outputs,
        average: header.average,
        link: header.link,
        objective: header.objective,
        parameters: parameters(cut.rest.into_iter())?,
        ..Forest::default()
    };
    forest.check()?;
    Ok(forest)
}

fn decode(bytes: &[u8]) -> Result<&str> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = 1 + bytes[..error.valid_up_to()].iter().filter(|&&byte| byte == b'\n').count();
        refuse(line, "text", "is not UTF-8")
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

fn check_sizes(header: &Header, blocks: &[Block]) -> Result<()> {
    let Some((field, sizes)) = &header.sizes else { return Ok(()) };
    if sizes.len() != blocks.len() {
        return Err(field.error(format!("{} sizes, but {} trees", sizes.len(), blocks.len())));
    }
    match blocks.iter().zip(sizes).find(|(block, size)| !block.matches(**size)) {
        None => Ok(()),
        Some((block, size)) => {
            let reason = format!("has {} bytes, tree_sizes says {size}", block.text.len());
            Err(refuse(block.head.number, block.head.text, reason))
        }
    }
}

/// The parts of a file.
struct Cut<'a> {
    header: Vec<Line<'a>>,
    blocks: Vec<Block<'a>>,
    /// Whether `end of trees` stands there.
    ends: bool,
    rest: Vec<Line<'a>>,
}

impl<'a> Cut<'a> {
    fn new(text: &'a str) -> Self {
        let mut cut =
            Self { header: Vec::new(), blocks: Vec::new(), ends: false, rest: Vec::new() };
        let (mut start, mut open, mut after) = (0, None, false);
        for (at, whole) in text.split('\n').enumerate() {
            let line = Line { number: at + 1, text: whole.strip_suffix('\r').unwrap_or(whole) };
            let head = !after && line.text.starts_with("Tree=");
            // Old versions name no end; the importances come next.
            let end =
                !after && (line.text == "end of trees" || line.text == "feature importances:");
            if head || end {
                cut.close(text, &mut open, start);
                cut.ends |= end;
            }
            match (head, after || end) {
                (true, _) => open = Some((line, start)),
                (_, true) => cut.rest.push(line),
                _ if open.is_none() => cut.header.push(line),
                _ => {}
            }
            after |= end;
            start += whole.len() + 1;
        }
        cut.close(text, &mut open, text.len());
        cut
    }

    fn close(&mut self, text: &'a str, open: &mut Option<(Line<'a>, usize)>, end: usize) {
        self.blocks
            .extend(open.take().map(|(head, start)| Block { head, text: &text[start..end] }));
    }
}
