//! Which side of a window belongs to it.

use serde::{Deserialize, Serialize};

/// Whether an era is part of its own window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closed {
    /// Earlier eras alone: what could be known before the era's values came.
    Left,
    /// Earlier eras and the era itself: needs the whole era at once.
    #[default]
    Both,
}
