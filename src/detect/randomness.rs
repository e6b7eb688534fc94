//! Placeholder until the trained table lands.
pub(crate) fn score(_value: &[u8]) -> f32 { 0.0 }
