//! One tree a round for all outputs.

use super::{
    gradients,
    train::{State, Training},
};
use crate::{
    grow::{Grown, Plane, Sample, VectorGrower},
    histogram::{Cell, Pack, Scale},
};

impl<'a> Training<'a> {
    /// Whether a tree has all outputs.
    pub(super) fn is_vector(&self) -> bool {
        self.settings.multi_output && self.objective.outputs() > 1
    }

    /// Trees of a round.
    pub(super) fn trees_a_round(&self) -> usize {
        if self.is_vector() { 1 } else { self.objective.outputs() }
    }

    /// Grows the tree of all outputs.
    pub(super) fn vector_tree<C: Cell>(
        &self,
        state: &mut State<'a, C>,
        tree: usize,
        sample: Sample<'_>,
    ) -> Grown {
        let rows = self.data.rows();
        let slopes = || state.g.chunks(rows).zip(state.h.chunks(rows));
        let scales: Vec<Scale> =
            slopes().map(|(g, h)| gradients::scale::<C>(self.reduce, rows, g, h)).collect();
        for (((g, h), scale), cells) in slopes().zip(&scales).zip(state.cells.chunks_mut(rows)) {
            gradients::encode(scale, g, h, cells);
        }
        let drawn = state.pack.is_none().then(|| self.draw_columns(tree, &mut state.words));
        let Some(pack) = drawn.as_ref().or(state.pack.as_ref()) else {
            unreachable!("columns are packed once or drawn for the tree")
        };
        let cells = state.cells.chunks(rows);
        let planes = cells.clone().zip(&scales).map(|(cells, &scale)| Plane { cells, scale });
        let base = self.grower(pack, (&state.cells[..rows], &scales[0]), tree, None);
        let mut grown = VectorGrower { base, planes: planes.collect() }.grow(sample);
        state.words.extend(drawn.into_iter().flat_map(Pack::into_words));
        (0..scales.len()).for_each(|output| self.renew(&mut grown, output, &state.score));
        grown
    }
}
