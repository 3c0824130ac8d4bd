//! The tests of the whole house live in the `house` test binary; the code of the README is tested here.
// The README lies outside of the package, where only tests find it.
#![cfg_attr(doctest, doc = include_str!("../README.md"))]
