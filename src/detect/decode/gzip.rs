//! gzip in base64, as Helm keeps its releases and clouds the files that machines start with.
//!
//! Must not know: what is done with the text.
//! Invariants: no more than a bounded number of bytes comes out, and all of them have their origin where the letters begin.

use crate::model::Span;

use super::passage::Passage;
use super::{Form, base64, is_mostly_text};

/// What the first three bytes of gzip are in base64: its mark and its only method.
const MARK: &[u8] = b"H4sI";
/// Nothing shorter holds a header, a sum and a secret.
const SHORTEST: usize = 64;
/// How much is unpacked.
#[cfg(feature = "archives")]
const MOST: usize = 1 << 20;

/// Whether `run` begins like gzip.
pub(super) fn looks_packed(run: &[u8]) -> bool {
    cfg!(feature = "archives") && run.len() >= SHORTEST && run.starts_with(MARK)
}

/// Reads what begins with `run`, and the lines that go on with it.
pub(super) fn read(text: &[u8], run: Span) -> Option<Passage> {
    let (packed, from) = base64::bytes(text, run);
    let bytes = unpacked(&packed);
    let origins = vec![from.start; bytes.len()];
    (!bytes.is_empty() && is_mostly_text(&bytes))
        .then(|| Passage { from, form: Form::Gzip, bytes, origins }.trimmed())
}

/// What comes out, up to a damage.
#[cfg(feature = "archives")]
fn unpacked(packed: &[u8]) -> Vec<u8> {
    use std::io::Read;
    let mut bytes = Vec::new();
    // What came out before a damage is text all the same.
    let _ = flate2::read::GzDecoder::new(packed).take(MOST as u64).read_to_end(&mut bytes);
    bytes
}

#[cfg(not(feature = "archives"))]
fn unpacked(_packed: &[u8]) -> Vec<u8> {
    Vec::new()
}
