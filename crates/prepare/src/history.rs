//! What a fitted step remembers of its train panel, and which part of it lies before a panel.
//!
//! A step with a memory is warmed with the train eras whose labels come before the first era of the
//! panel that it transforms. A panel that begins where train begins therefore has no history, a
//! panel after train has all of it, and no era ever sees a later one. Values are shared with the
//! train panel, not copied.

use fattail_core::{Eras, Panel, Result};

/// The train panel, without targets unless they are what the step remembers.
#[derive(Debug, Clone)]
pub(crate) struct History {
    train: Panel,
}

impl History {
    pub(crate) fn new(train: Panel) -> Self {
        Self { train }
    }

    /// The train eras before the first era of `panel`.
    pub(crate) fn before(&self, panel: &Panel) -> Result<Option<Panel>> {
        if panel.eras().is_empty() {
            return Ok(None);
        }
        let first = panel.eras().label(0);
        let count = self.train.eras().labels().take_while(|label| precedes(label, first)).count();
        if count == 0 {
            return Ok(None);
        }
        self.train.cut(&(0..count).collect::<Vec<_>>()).map(Some)
    }
}

/// Whether era `a` comes before era `b`.
fn precedes(a: &str, b: &str) -> bool {
    a != b && Eras::from_labels([a, b]).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_earlier_eras_are_history() {
        let panel = |labels: &[&str]| {
            let values = vec![0.0f32; labels.len()];
            Panel::builder().eras(labels).unwrap().feature("x", values).build().unwrap()
        };
        let history = History::new(panel(&["2", "3", "10"]));
        let rows = |labels: &[&str]| {
            history.before(&panel(labels)).unwrap().map_or(0, |before| before.rows())
        };
        assert_eq!((rows(&["2", "3"]), rows(&["10"]), rows(&["11"]), rows(&["1"])), (0, 2, 3, 0));
    }
}
