//! Bytes to findings; a pure function of (bytes, rules).

pub mod checks;
