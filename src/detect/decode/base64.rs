//! base64 in either alphabet, on one line or wrapped over several.
//!
//! Must not know: what is done with the text.
//! Invariant: a run is only taken for base64 if its first fifteen bytes are text, which one in a million random runs is.

use crate::model::Span;

use super::passage::Passage;
use super::{Form, is_mostly_text, is_text};
use crate::detect::text::Text;

/// Shorter runs hold nothing that is looked for.
const SHORTEST: usize = 20;
/// Values that people chose are short; they are read beside others that were found.
const SHORTEST_COMPANION: usize = 8;
const LONGEST_COMPANION: usize = 64;
const UNKNOWN: u8 = 0xff;

/// The six bits of each letter, of both alphabets.
static BITS: [u8; 256] = {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut table = [UNKNOWN; 256];
    let mut at = 0;
    while at < letters.len() {
        table[letters[at] as usize] = at as u8;
        at += 1;
    }
    table[b'-' as usize] = 62;
    table[b'_' as usize] = 63;
    table
};

/// Whether the first bytes that `run` stands for are text, in one byte each or in two.
pub(super) fn looks_encoded(run: &[u8]) -> bool {
    if run.len() < SHORTEST {
        return false;
    }
    // Three letters in four say with their first bit that this is no text.
    if BITS[usize::from(run[0])] >= 32 {
        return false;
    }
    let mut first = [0; SHORTEST / 4 * 3];
    for (letters, bytes) in run.chunks_exact(4).zip(first.chunks_exact_mut(3)) {
        bytes.copy_from_slice(&decoded([letters[0], letters[1], letters[2], letters[3]]));
    }
    first.iter().all(|&byte| is_text(byte)) || is_wide_text(&first)
}

/// Every second byte is zero: UTF-16, as PowerShell wants its commands.
fn is_wide_text(bytes: &[u8]) -> bool {
    bytes.chunks(2).all(|pair| is_text(pair[0]) && pair.get(1).is_none_or(|&high| high == 0))
}

fn decoded(letters: [u8; 4]) -> [u8; 3] {
    let word =
        letters.iter().fold(0_u32, |word, &letter| word << 6 | u32::from(BITS[usize::from(letter)] & 63));
    [(word >> 16) as u8, (word >> 8) as u8, word as u8]
}

/// Reads what begins with `run`, and the lines that go on with it.
pub(super) fn read(text: &[u8], run: Span) -> Option<Passage> {
    let (letters, end) = letters(text, run);
    passage(text, &letters, Span::new(run.start, end))
}

/// The bytes that begin with `run`, and where they are written.
pub(super) fn bytes(text: &[u8], run: Span) -> (Vec<u8>, Span) {
    let (letters, end) = letters(text, run);
    (decoded_letters(text, &letters).0, Span::new(run.start, end))
}

/// The short values in `window` that stand behind a separator and are printable when they are read.
pub(super) fn companions(text: &[u8], window: Span) -> Vec<Passage> {
    let mut found = Vec::new();
    let mut at = window.start;
    while at < window.end {
        let length = text[at..].iter().take_while(|&&byte| BITS[usize::from(byte)] != UNKNOWN).count();
        let run = Span::new(at, at + length);
        if (SHORTEST_COMPANION..=LONGEST_COMPANION).contains(&length) && is_value(text, at) {
            found.extend(companion(text, run));
        }
        at = run.end + 1;
    }
    found
}

fn companion(text: &[u8], run: Span) -> Option<Passage> {
    let from = Span::new(run.start, run.end + padding(text, run.end));
    let passage = passage(text, &(run.start..run.end).collect::<Vec<_>>(), from)?;
    let printable = passage.bytes.iter().all(|byte| matches!(byte, b' '..=b'~'));
    (from.len().is_multiple_of(4) && printable).then_some(passage)
}

/// Whether a separator stands before the value at `at`, on its line.
fn is_value(text: &[u8], at: usize) -> bool {
    let before = text[..at].iter().rev().take(8).find(|byte| !matches!(byte, b' ' | b'\t' | b'"' | b'\''));
    matches!(before, Some(b':' | b'='))
}

/// The bytes that letters at these places stand for, and where each of them begins.
fn decoded_letters(text: &[u8], letters: &[usize]) -> (Vec<u8>, Vec<usize>) {
    let mut bytes = Vec::with_capacity(letters.len() / 4 * 3 + 2);
    let mut origins = Vec::with_capacity(letters.len() / 4 * 3 + 2);
    for places in letters.chunks(4) {
        let mut four = [b'A'; 4];
        places.iter().zip(&mut four).for_each(|(&place, letter)| *letter = text[place]);
        for (number, byte) in decoded(four).into_iter().take(places.len() * 3 / 4).enumerate() {
            bytes.push(byte);
            origins.push(places[number]);
        }
    }
    (bytes, origins)
}

fn passage(text: &[u8], letters: &[usize], from: Span) -> Option<Passage> {
    let (bytes, origins) = decoded_letters(text, letters);
    let (bytes, origins) = narrowed(bytes, origins);
    is_mostly_text(&bytes).then(|| Passage { from, form: Form::Base64, bytes, origins }.trimmed())
}

/// UTF-16 as UTF-8.
fn narrowed(bytes: Vec<u8>, origins: Vec<usize>) -> (Vec<u8>, Vec<usize>) {
    let wide = Text::new(&bytes);
    if matches!(wide.bytes, std::borrow::Cow::Borrowed(_)) {
        return (bytes, origins);
    }
    let text = wide.bytes.to_vec();
    let places = (0..text.len()).map(|at| origins[wide.original(Span::new(at, at + 1)).start]).collect();
    (text, places)
}

/// Where the letters stand that begin with `run`, and where what was written ends.
fn letters(text: &[u8], run: Span) -> (Vec<usize>, usize) {
    let mut letters: Vec<usize> = (run.start..run.end).collect();
    let mut end = run.end + padding(text, run.end);
    // Lines of one block are full, and full lines hold whole groups of four.
    while end == letters.last().map_or(0, |last| last + 1) && run.len().is_multiple_of(4) {
        let Some(next) = next_line(text, end, run.len()) else { break };
        end = next.end + padding(text, next.end);
        letters.extend(next.start..next.end);
        if next.len() < run.len() {
            break;
        }
    }
    (letters, end)
}

fn padding(text: &[u8], at: usize) -> usize {
    text[at..].iter().take(2).take_while(|&&byte| byte == b'=').count()
}

/// The letters on the line after the one that ends at `at`, if they fill it or end the block.
fn next_line(text: &[u8], at: usize, width: usize) -> Option<Span> {
    let start = at + line_end(&text[at..])?;
    let start = start + text[start..].iter().take_while(|&&byte| matches!(byte, b' ' | b'\t')).count();
    let length =
        text[start..].iter().take(width + 1).take_while(|&&byte| BITS[usize::from(byte)] != UNKNOWN).count();
    let end = start + length;
    let behind = &text[end + padding(text, end)..];
    let ends = length == width
        || behind.first().is_none_or(|byte| matches!(byte, b'\r' | b'\n' | b'"' | b'\'' | b'\\'));
    (length > 0 && length <= width && ends).then(|| Span::new(start, end))
}

/// How long the line end at the front of `text` is, also one that is written as an escape.
fn line_end(text: &[u8]) -> Option<usize> {
    [b"\r\n".as_slice(), b"\n", b"\\r\\n", b"\\n"]
        .iter()
        .find(|end| text.starts_with(end))
        .map(|end| end.len())
}
