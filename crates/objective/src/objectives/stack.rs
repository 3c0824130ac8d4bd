//! Several outputs that share nothing: one bound objective each (targets, quantiles, classes).

use fattail_trees::Link;

use crate::Bound;

/// Objectives side by side; output k is that of part k.
#[derive(Debug)]
pub(crate) struct Stack<'a> {
    /// At least one, each of one output.
    pub(crate) parts: Vec<Box<dyn Bound + 'a>>,
    pub(crate) text: String,
}

impl Bound for Stack<'_> {
    fn outputs(&self) -> usize {
        self.parts.len()
    }

    fn start(&self) -> Vec<f64> {
        self.parts.iter().flat_map(|part| part.start()).collect()
    }

    fn slopes(&self, iteration: usize, score: &[f64], gradient: &mut [f32], hessian: &mut [f32]) {
        let rows = score.len() / self.parts.len();
        let scores = score.chunks(rows.max(1));
        let gradients = gradient.chunks_mut(rows.max(1));
        // Without hessians asked for, every part is handed none.
        let mut hessians = hessian.chunks_mut(rows.max(1));
        for ((part, score), gradient) in self.parts.iter().zip(scores).zip(gradients) {
            let hessian = hessians.next().unwrap_or_default();
            part.slopes(iteration, score, gradient, hessian);
        }
    }

    fn constant_hessian(&self) -> bool {
        self.parts.iter().all(|part| part.constant_hessian())
    }

    fn trains(&self, output: usize) -> bool {
        self.parts.get(output).is_some_and(|part| part.trains(0))
    }

    fn renews(&self) -> bool {
        self.parts.iter().any(|part| part.renews())
    }

    fn renew(&self, output: usize, rows: &[u32], score: &[f64]) -> Option<f64> {
        let length = score.len() / self.parts.len();
        let part = self.parts.get(output)?;
        part.renew(0, rows, &score[output * length..(output + 1) * length])
    }

    fn link(&self) -> Link {
        self.parts.first().map_or(Link::Identity, |part| part.link())
    }

    fn text(&self) -> String {
        self.text.clone()
    }
}
