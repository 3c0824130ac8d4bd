//! The tests of the whole house live in the `house` test binary; the code of the README is tested here.
#![doc = include_str!("../README.md")]
