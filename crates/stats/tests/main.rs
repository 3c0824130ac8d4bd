//! Laws, references and twins of the kernels.

mod laws;
mod references;
mod twins;
