#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod loss;
mod schedule;
mod stop;

pub use loss::{
    Absolute, Huber, LogCosh, Loss, Objective, Pearson, Quantile, RowLoss, Squared, Truth, Tukey,
};
pub use schedule::{
    Constant, Cosine, Exponential, Linear, OneCycle, Plateau, Polynomial, Product, Rate, Schedule,
    Sequence, Staircase,
};
pub use stop::{Reason, Stop};
