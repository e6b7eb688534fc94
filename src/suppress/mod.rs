//! What people allowed: a finding in, exactly one verdict out.
//!
//! Must not know: git, output, how findings are made.
//! Invariant: what a person did not allow in words that name the convention keeps the verdict it came with.

mod comments;

pub use comments::{SuppressOptions, Suppressor};
