//! Counter-based random streams: one for each seed, purpose and index.
//!
//! Whatever is drawn for index `t` does not depend on how many indices there are nor on the order in
//! which they are visited. Reference: Bernstein (2008), ChaCha, a variant of Salsa20.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What a stream is for; two purposes never share one.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    /// Which features carry a signal.
    Truth,
    /// Regimes and factor returns, one stream a week.
    Weeks,
    /// Rows of an era.
    Rows,
    /// Bars of a session.
    Bars,
    /// Inputs of the conformance suites.
    Conform,
}

/// The stream of `seed` for one purpose and index.
pub(crate) fn stream(seed: u64, purpose: Purpose, index: usize) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(((purpose as u64) << 48) | (index as u64 & ((1 << 48) - 1)));
    rng
}
