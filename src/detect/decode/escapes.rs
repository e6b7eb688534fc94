//! Escapes of string literals and of markup: `\u003d`, `\x3d`, `\/`, `\n`, `&#61;`, `&quot;`.
//!
//! Must not know: languages, what is done with the text.
//! Invariant: only ASCII is read; everything else stays as it is written.

use crate::model::Span;

use super::passage::{Passage, Writer};
use super::{Form, hex_byte, is_text};

/// How far to either side of a run escapes are read, within its line.
const REACH: usize = 1024;
/// The longest escape, `&quot;` or `\u0041`.
const LONGEST: usize = 6;
/// The length of an escape by number in four digits.
const NUMBERED: usize = 6;
/// How long a stretch of nothing but escapes is that is worth reading, and how much before it tells that it begins there.
pub(crate) const SPELLED: usize = 16 * NUMBERED;
pub(crate) const SPELLED_BEFORE: usize = NUMBERED;
/// How far such a stretch is followed.
const LONGEST_SPELLED: usize = 64 * 1024;
const ENTITIES: [(&[u8], u8); 5] =
    [(b"&quot;", b'"'), (b"&apos;", b'\''), (b"&amp;", b'&'), (b"&lt;", b'<'), (b"&gt;", b'>')];

/// Whether an escape stands directly before or after `run`, or ends with its first characters.
pub(super) fn is_beside(text: &[u8], run: Span) -> bool {
    let before = match run.start.checked_sub(1).map(|at| text[at]) {
        // The letters of the escape are taken for the run's own.
        Some(b'\\') => escape(&text[run.start - 1..]).is_some(),
        Some(b';') => ends_with_entity(&text[..run.start]),
        _ => false,
    };
    before
        || matches!(text.get(run.end), Some(b'\\' | b'&'))
            && escape(&text[run.end..]).is_some_and(|(byte, _)| byte != b'\n')
}

fn ends_with_entity(text: &[u8]) -> bool {
    let near = &text[text.len().saturating_sub(LONGEST)..];
    memchr::memrchr(b'&', near)
        .and_then(|at| entity(&near[at..]).filter(|(_, length)| at + length == near.len()))
        .is_some()
}

/// The byte that is escaped at the front of `text`, and how long the escape is.
fn escape(text: &[u8]) -> Option<(u8, usize)> {
    let (byte, length) = match *text.first()? {
        b'\\' => backslash(&text[1..])?,
        b'&' => entity(text)?,
        _ => return None,
    };
    is_text(byte).then_some((byte, length))
}

fn backslash(text: &[u8]) -> Option<(u8, usize)> {
    match *text.first()? {
        b'/' => Some((b'/', 2)),
        b'n' => Some((b'\n', 2)),
        b'r' => Some((b'\r', 2)),
        b't' => Some((b'\t', 2)),
        b'x' => Some((hex_byte(&text[1..])?, 4)),
        b'u' if text[1..].starts_with(b"00") => Some((hex_byte(&text[3..])?, 6)),
        _ => None,
    }
}

fn entity(text: &[u8]) -> Option<(u8, usize)> {
    if let Some((name, byte)) = ENTITIES.iter().find(|(name, _)| text.starts_with(name)) {
        return Some((*byte, name.len()));
    }
    let end = memchr::memchr(b';', &text[..text.len().min(LONGEST)])?;
    let digits = std::str::from_utf8(text[..end].strip_prefix(b"&#")?).ok()?;
    let number = match digits.strip_prefix(['x', 'X']) {
        Some(digits) => u8::from_str_radix(digits, 16).ok()?,
        None => digits.parse().ok()?,
    };
    Some((number, end + 1))
}

/// The beginning of a stretch of nothing but escapes for text, if it begins at `at`.
pub(crate) fn spelled(text: &[u8], at: usize) -> Option<Span> {
    let before = at.checked_sub(NUMBERED).is_some_and(|before| numbered(&text[before..]));
    let stretch = text.get(at..at + SPELLED)?;
    let is_spelled = stretch.chunks_exact(NUMBERED).all(numbered);
    (!before && is_spelled).then(|| Span::new(at, at + SPELLED))
}

/// Whether `text` begins with an escape by number for a character of text.
fn numbered(text: &[u8]) -> bool {
    text.starts_with(b"\\u") && escape(text).is_some()
}

/// `run` up to the end of the stretch of escapes that it begins.
fn stretched(text: &[u8], run: Span) -> Span {
    let most = &text[run.end..text.len().min(run.end + LONGEST_SPELLED)];
    let further = most.chunks_exact(NUMBERED).take_while(|chunk| numbered(chunk)).count();
    Span::new(run.start, run.end + further * NUMBERED)
}

/// Reads the line around `run`, as far as its reach.
pub(super) fn read(text: &[u8], run: Span) -> Option<Passage> {
    let run = if numbered(&text[run.start..]) { stretched(text, run) } else { run };
    let (low, high) = (run.start.saturating_sub(REACH), text.len().min(run.end + REACH));
    let start = memchr::memrchr(b'\n', &text[low..run.start]).map_or(low, |at| low + at + 1);
    let end = memchr::memchr(b'\n', &text[run.end..high]).map_or(high, |at| run.end + at);
    let mut writer = Writer::new(Span::new(start, end), Form::Escapes);
    while let Some(at) = writer.next() {
        match escape(&text[at..end]) {
            Some((byte, length)) => writer.put(&[byte], length),
            // A backslash that is escaped itself escapes nothing.
            None if text[at..end].starts_with(b"\\\\") => writer.put(b"\\\\", 2),
            None => writer.put(&text[at..=at], 1),
        }
    }
    writer.finish()
}
