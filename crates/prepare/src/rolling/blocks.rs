//! Windows as the end of one block joined to the beginning of the next.
//!
//! The series is cut into blocks as long as the window. A window that ends at place `j` of a block
//! is the block before from place `j + 1` on, joined to this block up to `j`. The first part is known
//! for every `j` as soon as a block ends, the second grows by one value a step. Nothing is ever
//! subtracted, so nothing that has left the window can leave a rounding error behind, and a step does
//! the same arithmetic whether values come one by one or as a slice.
//!
//! Cost: two takes and one join a value; memory is one window.
//!
//! Reference: van Herk (1992), A fast algorithm for local minimum and maximum filters, Pattern
//! Recognition Letters 13(7); Gil and Werman (1993), Computing 2-D min, median, and max filters,
//! IEEE PAMI 15(5).

/// What is known about a run of values.
pub(crate) trait Part: Copy + Default {
    /// What a run is made of.
    type Value: Copy;

    /// Puts one more value to the run.
    fn take(&mut self, value: Self::Value);

    /// The run `self` followed by the run `later`.
    fn join(self, later: Self) -> Self;
}

/// The parts of a window, value by value.
#[derive(Debug, Clone)]
pub(crate) struct Blocks<P: Part> {
    length: usize,
    /// At `j`, the block before from place `j + 1` on.
    tails: Vec<P>,
    block: Vec<P::Value>,
    head: P,
}

impl<P: Part> Blocks<P> {
    pub(crate) fn new(length: usize) -> Self {
        Self { length, tails: Vec::new(), block: Vec::new(), head: P::default() }
    }

    /// The window that ends with `value`.
    #[inline]
    pub(crate) fn push(&mut self, value: P::Value) -> P {
        self.head.take(value);
        let window = match self.tails.get(self.block.len()) {
            Some(tail) => tail.join(self.head),
            None => self.head,
        };
        self.block.push(value);
        if self.block.len() == self.length {
            self.turn();
        }
        window
    }

    /// The windows of the next values, at most as many as are left in the block; leaves them in
    /// `windows` and says how many.
    #[inline]
    pub(crate) fn fill(
        &mut self,
        values: impl Iterator<Item = P::Value>,
        windows: &mut Vec<P>,
    ) -> usize {
        windows.clear();
        self.block.extend(values.take(self.length - self.block.len()));
        let mut head = self.head;
        if self.tails.is_empty() {
            windows.extend(self.block.iter().map(|&value| {
                head.take(value);
                head
            }));
        } else {
            windows.extend(self.block.iter().zip(&self.tails).map(|(&value, tail)| {
                head.take(value);
                tail.join(head)
            }));
        }
        self.head = head;
        if self.block.len() == self.length {
            self.turn();
        }
        windows.len()
    }

    /// Turns the full block into the ends of it.
    #[inline]
    fn turn(&mut self) {
        self.tails.resize(self.length, P::default());
        let mut tail = P::default();
        for (slot, &value) in self.tails.iter_mut().zip(&self.block).rev() {
            *slot = tail;
            tail.take(value);
        }
        self.block.clear();
        self.head = P::default();
    }
}
