//! How ties are written in settings.

use fattail_stats::Ties;
use serde::{Deserialize, Serialize};

/// The serialised form of [`Ties`].
#[derive(Serialize, Deserialize)]
#[serde(remote = "Ties", rename_all = "snake_case")]
pub(crate) enum TiesText {
    Average,
    Broken,
}
