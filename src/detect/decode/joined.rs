//! One value in pieces: literals that are put together, and lines that go on behind a backslash.
//!
//! `"abc" +` / `"def"` of most languages, `"abc"` / `"def"` on lines of their own as Python and C join them, `'abc' .`
//! of PHP, `"abc" &` of Basic, and `KEY=abc\` of shells.
//!
//! Must not know: what is done with the text.
//! Invariant: reads at most [`REACH`] bytes to either side.

use crate::model::Span;

use super::super::tokens::is_token_byte;
use super::passage::{Passage, Writer};
use super::{AFTER_REACH, BEFORE_REACH, Form};

/// How far pieces are followed.
const REACH: usize = 16 * 1024;

/// Whether `run` begins a literal that goes on from another, or ends a line that goes on.
pub(super) fn is_piece(text: &[u8], run: Span) -> bool {
    let opens = run.start.checked_sub(1).filter(|&at| is_quote(text[at]));
    opens.is_some_and(|open| seam_before(text, open, run.start.saturating_sub(BEFORE_REACH)).is_some())
        || goes_on(text, run.end, text.len().min(run.end + AFTER_REACH)).is_some()
}

/// Whether `value`, the inside of a literal, goes on in another one.
pub(super) fn goes_on_after(text: &[u8], value: Span) -> bool {
    text.get(value.end).is_some_and(|&byte| is_quote(byte))
        && seam_after(text, value.end, text.len().min(value.end + BEFORE_REACH)).is_some()
}

fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'')
}

/// Where the literal closes that the one opening at `open` goes on from.
fn seam_before(text: &[u8], open: usize, limit: usize) -> Option<usize> {
    let quote = text[open];
    // A prefix (`f"…"`) belongs to the literal.
    let prefixed =
        open > limit + 1 && text[open - 1].is_ascii_alphabetic() && text[open - 2].is_ascii_whitespace();
    let (at, lines) = back_over_space(text, open - usize::from(prefixed), limit);
    let joins = at > limit && matches!(text[at - 1], b'+' | b'.' | b'&' | b'\\');
    let (close, more) = if joins { back_over_space(text, at - 1, limit) } else { (at, false) };
    let is_close = close > limit + 1 && text[close - 1] == quote && text[close - 2] != quote;
    // Without a sign between them only literals on lines of their own are one.
    (is_close && (joins || lines || more) && is_inside(text[close - 2])).then(|| close - 1)
}

/// What a piece of a value ends with.
fn is_inside(byte: u8) -> bool {
    is_token_byte(byte) || matches!(byte, b'=' | b'.' | b' ' | b'n')
}

/// Back over white space; whether there was a line end.
fn back_over_space(text: &[u8], at: usize, limit: usize) -> (usize, bool) {
    let space = text[limit.min(at)..at].iter().rev().take_while(|byte| byte.is_ascii_whitespace());
    let (count, lines) = space.fold((0, false), |(count, lines), &byte| (count + 1, lines || byte == b'\n'));
    (at - count, lines)
}

/// Where the literal opens that the one closing at `close` goes on with.
fn seam_after(text: &[u8], close: usize, limit: usize) -> Option<usize> {
    let quote = text[close];
    let (at, lines) = over_space(text, close + 1, limit);
    let joins = at < limit && matches!(text[at], b'+' | b'.' | b'&' | b'\\');
    let (open, more) = if joins { over_space(text, at + 1, limit) } else { (at, false) };
    let prefixed = open + 1 < limit && text[open].is_ascii_alphabetic() && text[open + 1] == quote;
    let open = open + usize::from(prefixed);
    (open < limit && text[open] == quote && (joins || lines || more)).then_some(open)
}

fn over_space(text: &[u8], at: usize, limit: usize) -> (usize, bool) {
    let space = text[at.min(limit)..limit].iter().take_while(|byte| byte.is_ascii_whitespace());
    let (count, lines) = space.fold((0, false), |(count, lines), &byte| (count + 1, lines || byte == b'\n'));
    (at + count, lines)
}

/// Where a line goes on that ends at `at` with a backslash directly behind a token.
fn goes_on(text: &[u8], at: usize, limit: usize) -> Option<usize> {
    let rest = &text[at..limit];
    let length = [b"\\\n".as_slice(), b"\\\r\n"].iter().find(|end| rest.starts_with(end))?.len();
    rest.get(length).is_some_and(|&byte| is_token_byte(byte)).then_some(at + length)
}

/// Reads all pieces of the value that `run` is one of.
pub(super) fn read(text: &[u8], run: Span) -> Option<Passage> {
    let (low, high) = (run.start.saturating_sub(REACH), text.len().min(run.end + REACH));
    let pieces = match goes_on(text, run.end, high) {
        Some(_) => lines(text, run, high),
        None => literals(text, run.start.checked_sub(1)?, (low, high))?,
    };
    let from = Span::new(pieces.first()?.start, pieces.last()?.end);
    let mut writer = Writer::new(from, Form::Joined);
    for piece in pieces {
        writer.skip_to(piece.start);
        (piece.start..piece.end).for_each(|at| writer.put(&text[at..=at], 1));
    }
    writer.finish()
}

/// The lines from `run` on that go on behind a backslash.
fn lines(text: &[u8], run: Span, high: usize) -> Vec<Span> {
    let mut pieces = vec![run];
    let mut end = run.end;
    while let Some(start) = goes_on(text, end, high) {
        end =
            start + text[start..high].iter().take_while(|&&byte| is_token_byte(byte) || byte == b'=').count();
        pieces.push(Span::new(start, end));
    }
    pieces
}

/// The insides of the literals that are put together with the one opening at `open`.
fn literals(text: &[u8], open: usize, (low, high): (usize, usize)) -> Option<Vec<Span>> {
    let mut first = open;
    while let Some(close) = seam_before(text, first, low) {
        match opening(text, close, low) {
            Some(at) => first = at,
            None => break,
        }
    }
    let mut pieces = Vec::new();
    let mut at = first;
    let goes_over_lines = is_armour(text, first);
    loop {
        let close = memchr::memchr(text[at], &text[at + 1..high]).map(|found| at + 1 + found)?;
        if !goes_over_lines && text[at..close].contains(&b'\n') {
            return None;
        }
        pieces.push(Span::new(at + 1, close));
        match seam_after(text, close, high) {
            Some(next) => at = next,
            None => return Some(pieces),
        }
    }
}

/// Where the literal opens that closes at `close`: on the same line, or before the armour of a key.
fn opening(text: &[u8], close: usize, low: usize) -> Option<usize> {
    let at = low + memchr::memrchr(text[close], &text[low..close])?;
    (is_armour(text, at) || !text[at..close].contains(&b'\n')).then_some(at)
}

/// Whether the literal that opens at `open` holds a key of several lines.
fn is_armour(text: &[u8], open: usize) -> bool {
    text[open + 1..].starts_with(b"-----BEGIN ")
}

/// The literals in `window` that go on from another: pieces too short to be noticed by themselves.
pub(super) fn companions(text: &[u8], window: Span) -> Vec<Passage> {
    let mut found: Vec<Passage> = Vec::new();
    let mut at = window.start;
    while let Some(open) = memchr::memchr2(b'"', b'\'', &text[at.min(window.end)..window.end]) {
        let open = at + open;
        at = open + 1;
        if seam_before(text, open, open.saturating_sub(BEFORE_REACH)).is_some()
            && let Some(passage) = read(text, Span::new(open + 1, open + 1))
        {
            at = at.max(passage.from.end);
            found.push(passage);
        }
    }
    found
}
