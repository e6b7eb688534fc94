//! Text written as two hexadecimal digits for each byte.
//!
//! Must not know: what is done with the text.
//! Invariant: every byte of the run must be text, which no hash and no key is.

use crate::model::Span;

use super::passage::Passage;
use super::{Form, hex_byte, is_text};

/// Shorter runs hold nothing that is looked for.
const SHORTEST: usize = 32;

/// Whether `run` is text in hexadecimal.
pub(super) fn looks_encoded(run: &[u8]) -> bool {
    let digits = run.strip_prefix(b"0x").unwrap_or(run);
    digits.len() >= SHORTEST
        && digits.len().is_multiple_of(2)
        && digits.chunks_exact(2).all(|pair| hex_byte(pair).is_some_and(is_text))
}

/// Reads `run`.
pub(super) fn read(text: &[u8], run: Span) -> Option<Passage> {
    let skipped = if run.of(text).starts_with(b"0x") { 2 } else { 0 };
    let digits = &run.of(text)[skipped..];
    let bytes: Vec<u8> = digits.chunks_exact(2).filter_map(hex_byte).collect();
    let origins = (0..bytes.len()).map(|number| run.start + skipped + number * 2).collect();
    Some(Passage { from: run, form: Form::Hexadecimal, bytes, origins }.trimmed())
}
