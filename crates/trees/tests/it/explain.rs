//! Explanations: by hand, equal to sums over all sets of features, and to what the peers give.

mod brute;
mod hand;
mod reference;
