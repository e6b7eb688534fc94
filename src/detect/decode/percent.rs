//! Percent-encoded text, as URLs and forms hold it.
//!
//! Must not know: what is done with the text.
//! Invariant: only printable ASCII is read; everything else stays as it is written.

use crate::model::Span;

use super::passage::{Passage, Writer};
use super::{Form, hex_byte};

/// How far a word reaches to either side of a run at most.
const REACH: usize = 4096;

/// Whether an encoded mark stands directly before or after `run`.
pub(super) fn is_beside(text: &[u8], run: Span) -> bool {
    let before = run.start > 0 && text[run.start - 1] == b'%';
    (before && mark(&text[run.start - 1..]).is_some()) || mark(&text[run.end..]).is_some()
}

/// The mark that is encoded at the front of `text`. Letters and digits need no encoding, so `%dd` is a format.
fn mark(text: &[u8]) -> Option<u8> {
    let byte = hex_byte(text.strip_prefix(b"%")?)?;
    (matches!(byte, b' '..=b'~' | b'\n') && !byte.is_ascii_alphanumeric()).then_some(byte)
}

/// Reads the word around `run`.
pub(super) fn read(text: &[u8], run: Span) -> Option<Passage> {
    let (low, high) = (run.start.saturating_sub(REACH), text.len().min(run.end + REACH));
    let start = run.start - text[low..run.start].iter().rev().take_while(|&&byte| is_in_word(byte)).count();
    let end = run.end + text[run.end..high].iter().take_while(|&&byte| is_in_word(byte)).count();
    let word = Span::new(start, end);
    let mut writer = Writer::new(word, Form::Percent);
    while let Some(at) = writer.next() {
        match mark(&text[at..end]) {
            Some(byte) => writer.put(&[byte], 3),
            None => writer.put(&text[at..=at], 1),
        }
    }
    writer.finish()
}

/// Bytes that stand in URLs and forms.
fn is_in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&()*+,;=%".contains(&byte)
}
