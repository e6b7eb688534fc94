//! Bytes to the text that is scanned, and back from its places to theirs.
//!
//! UTF-16 (by byte order mark, or by its zero bytes) becomes UTF-8; everything else is scanned as it is, whatever its
//! encoding, because credentials are ASCII.
//!
//! Must not know: rules, files.
//! Invariant: a span in the text maps to the span of the same characters in the bytes.

use std::borrow::Cow;

use crate::model::Span;

/// Text to scan.
pub(crate) struct Text<'a> {
    pub(crate) bytes: Cow<'a, [u8]>,
    /// For each [`STRIDE`] bytes of text, the byte in the original where its character begins; empty if nothing was decoded.
    origins: Vec<u32>,
}

/// How much of a file without a mark is looked at.
const SAMPLE: usize = 512;

impl<'a> Text<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        match encoding(bytes) {
            Encoding::Plain => Self { bytes: Cow::Borrowed(bytes), origins: Vec::new() },
            Encoding::Utf16 { big, mark } => decode(bytes, big, mark),
        }
    }

    /// The span in the original of `span` in the text.
    pub(crate) fn original(&self, span: Span) -> Span {
        if self.origins.is_empty() {
            return span;
        }
        let at = |offset: usize| self.origins.get(offset).map_or(0, |&origin| origin as usize);
        Span::new(at(span.start), at(span.end).max(at(span.start)))
    }
}

enum Encoding {
    Plain,
    Utf16 { big: bool, mark: usize },
}

fn encoding(bytes: &[u8]) -> Encoding {
    match bytes {
        [0xff, 0xfe, rest @ ..] if !rest.starts_with(&[0, 0]) => Encoding::Utf16 { big: false, mark: 2 },
        [0xfe, 0xff, ..] => Encoding::Utf16 { big: true, mark: 2 },
        _ => unmarked(&bytes[..bytes.len().min(SAMPLE)]),
    }
}

/// Without a mark: nearly every second byte is zero, and nearly no other.
fn unmarked(sample: &[u8]) -> Encoding {
    if sample.len() < 16 || !sample.contains(&0) {
        return Encoding::Plain;
    }
    let zeros = |parity: usize| sample.iter().skip(parity).step_by(2).filter(|&&byte| byte == 0).count();
    let half = sample.len() / 2;
    let (even, odd) = (zeros(0), zeros(1));
    if odd * 10 >= half * 9 && even * 10 <= half {
        Encoding::Utf16 { big: false, mark: 0 }
    } else if even * 10 >= half * 9 && odd * 10 <= half {
        Encoding::Utf16 { big: true, mark: 0 }
    } else {
        Encoding::Plain
    }
}

fn decode<'a>(bytes: &'a [u8], big: bool, mark: usize) -> Text<'a> {
    let unit = |pair: &[u8]| {
        if big { u16::from_be_bytes([pair[0], pair[1]]) } else { u16::from_le_bytes([pair[0], pair[1]]) }
    };
    let mut text = Vec::with_capacity(bytes.len() / 2);
    let mut origins = Vec::with_capacity(bytes.len() / 2 + 1);
    let mut at = mark;
    for character in char::decode_utf16(bytes[mark..].chunks_exact(2).map(unit)) {
        let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
        let mut buffer = [0; 4];
        for &byte in character.encode_utf8(&mut buffer).as_bytes() {
            text.push(byte);
            origins.push(u32::try_from(at).unwrap_or(u32::MAX));
        }
        at += character.len_utf16() * 2;
    }
    origins.push(u32::try_from(at).unwrap_or(u32::MAX));
    Text { bytes: Cow::Owned(text), origins }
}

#[cfg(test)]
mod tests {
    use super::Text;
    use crate::model::Span;

    fn utf16(text: &str, big: bool, mark: bool) -> Vec<u8> {
        let marked = if mark { format!("\u{feff}{text}") } else { text.to_owned() };
        marked
            .encode_utf16()
            .flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() })
            .collect()
    }

    #[test]
    fn utf16_is_read_with_and_without_mark() {
        let plain = "api_key = \"abc\" # some more text, ü";
        for (big, mark) in [(false, true), (true, true), (false, false), (true, false)] {
            let bytes = utf16(plain, big, mark);
            let text = Text::new(&bytes);
            assert_eq!(text.bytes.as_ref(), plain.as_bytes(), "big-endian {big}, mark {mark}");
            let start = if mark { 2 } else { 0 };
            assert_eq!(text.original(Span::new(4, 7)), Span::new(start + 8, start + 14));
        }
    }

    #[test]
    fn other_bytes_stay_as_they_are() {
        for bytes in [
            b"plain".as_slice(),
            b"\x00\x01\x02binary\x00data with some length",
            b"\xff\xfe\x00\x00utf32",
            b"",
        ] {
            assert_eq!(Text::new(bytes).bytes.as_ref(), bytes);
        }
    }
}
