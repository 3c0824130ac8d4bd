//! Treelite's checkpoint, version 4.
