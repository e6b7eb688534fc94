//! What is written in another form: base64, hexadecimal, escapes, literals in pieces, gzip in base64.
//!
//! Two steps, as in all of detection. [`recognise`] tells from a run and the bytes beside it that it could be written
//! in another form: local, and cheap enough to be asked of every run. [`passages`] reads it, with the whole text at
//! hand, and only where a text has something to judge. An [`Unfolded`] text has the passages in plain words where they
//! stand, so that what is around them names what is in them, and knows the place of every byte in the text before.
//!
//! Must not know: rules, names, files.
//! Invariants: what is recognised depends on the run, [`BEFORE_REACH`] bytes before it and [`AFTER_REACH`] after it;
//! what is read is bounded, and every byte of it has an origin inside the passage.

mod base64;
mod escapes;
mod gzip;
mod hexadecimal;
mod joined;
mod passage;
mod percent;
mod unfolded;

pub(crate) use escapes::{SPELLED, SPELLED_BEFORE, spelled};
pub(crate) use passage::{Passage, passages, with_companions, words_of};
pub(crate) use unfolded::{Layers, Unfolded};

use crate::model::Span;

/// How many times something is read that was found in something read: a secret of Kubernetes in a release of Helm stands
/// in base64 and gzip and base64, and in base64 again.
pub(crate) const DEEPEST: usize = 4;
/// How far before a run it is looked whether it is a piece of something, in bytes.
pub(crate) const BEFORE_REACH: usize = 48;
/// The same after a run.
pub(crate) const AFTER_REACH: usize = 8;

/// The form that something is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Form {
    /// One literal in several pieces, or a line that goes on behind a backslash.
    Joined,
    /// `\u003d`, `\x3d`, `\/`, `\n`, `&#61;`, `&quot;`.
    Escapes,
    /// `%3D`.
    Percent,
    /// base64 in either alphabet, also over several lines.
    Base64,
    /// Two hexadecimal digits for each byte.
    Hexadecimal,
    /// gzip in base64.
    Gzip,
}

impl Form {
    /// What people call it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Joined => "put together from pieces",
            Self::Escapes => "written with escapes",
            Self::Percent => "percent-encoded",
            Self::Base64 => "base64-encoded",
            Self::Hexadecimal => "hex-encoded",
            Self::Gzip => "gzip-compressed",
        }
    }

    /// Whether what is read is a text by itself and not a piece of the one around it.
    fn stands_alone(self) -> bool {
        matches!(self, Self::Base64 | Self::Hexadecimal | Self::Gzip)
    }
}

/// The form that `run` (a maximal run of token bytes) could be written in.
pub(crate) fn recognise(text: &[u8], run: Span) -> Option<Form> {
    let value = run.of(text);
    if joined::is_piece(text, run) {
        Some(Form::Joined)
    } else if escapes::is_beside(text, run) {
        Some(Form::Escapes)
    } else if percent::is_beside(text, run) {
        Some(Form::Percent)
    } else if base64::looks_encoded(value) && !is_piece_of_web_token(text, run) {
        Some(Form::Base64)
    } else if gzip::looks_packed(value) {
        Some(Form::Gzip)
    } else if hexadecimal::looks_encoded(value) {
        Some(Form::Hexadecimal)
    } else {
        None
    }
}

/// `eyJ….eyJ….…`: web tokens are judged as they are.
fn is_piece_of_web_token(text: &[u8], run: Span) -> bool {
    let after_dot =
        run.start >= 2 && text[run.start - 1] == b'.' && text[run.start - 2].is_ascii_alphanumeric();
    run.of(text).starts_with(b"eyJ") && (after_dot || text.get(run.end) == Some(&b'.'))
}

/// What plain text is made of: printable ASCII and the white space that files have.
fn is_text(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r')
}

/// Whether `bytes` read as text: in UTF-8 or another encoding that keeps ASCII, nearly without control characters.
fn is_mostly_text(bytes: &[u8]) -> bool {
    let others = bytes.iter().filter(|&&byte| byte < 0x80 && !is_text(byte)).count();
    let foreign = bytes.iter().filter(|&&byte| byte >= 0x80).count();
    others * 100 <= bytes.len() && (foreign * 4 <= bytes.len() || std::str::from_utf8(bytes).is_ok())
}

/// The value of a hexadecimal digit.
fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// The byte that two hexadecimal digits at the front of `text` stand for.
fn hex_byte(text: &[u8]) -> Option<u8> {
    let (&high, &low) = (text.first()?, text.get(1)?);
    Some(hex_digit(high)? << 4 | hex_digit(low)?)
}
