//! Bytes to findings; a pure function of (bytes, rules).

pub mod checks;
pub mod randomness;
