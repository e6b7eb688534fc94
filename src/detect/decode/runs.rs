//! Runs of characters that are text in base64 or hexadecimal.
//!
//! Must not know: what is done with the text.
//! Invariant: whether a run is encoded text is told by the run alone, and [`decode`] succeeds on each that
//! [`encoded`] hands out.

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, Encoding, HEXLOWER_PERMISSIVE};
use zeroize::Zeroizing;

use crate::model::Span;
use crate::rules::ARMOUR_REACH;

/// Shorter runs hold nothing that a rule would find.
const SHORTEST: usize = 20;
/// Longer runs are data; a candidate may depend on no more than this anyway.
const LONGEST: usize = REACH - 8;
/// How many bytes around a run decide whether it is encoded text.
pub(crate) const REACH: usize = ARMOUR_REACH;
/// How many characters are decoded to see whether text begins there: 12 bytes of base64, 8 of hexadecimal. Of random
/// runs one in 100,000 (base64) or 3,000 (hexadecimal) gets past this.
const FRONT: usize = 16;

/// The span of the text that `run` holds in another encoding, padding included.
pub(crate) fn encoded(text: &[u8], run: Span) -> Option<Span> {
    if !(SHORTEST..=LONGEST).contains(&run.len()) || !begins_as_text(run.of(text)) || is_segment(text, run) {
        return None;
    }
    let padding = text[run.end..].iter().take(2).take_while(|&&byte| byte == b'=').count();
    let span = Span::new(run.start, run.end + padding);
    decode(span.of(text)).map(|_| span)
}

/// The text that is written in `run`.
pub(super) fn decode(run: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    bytes_of(run).filter(|text| is_text(text))
}

fn bytes_of(run: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let read = |encoding: &Encoding| encoding.decode(run).ok().map(Zeroizing::new);
    if run.iter().all(u8::is_ascii_hexdigit) {
        return read(&HEXLOWER_PERMISSIVE);
    }
    [&BASE64, &BASE64_NOPAD, &BASE64URL, &BASE64URL_NOPAD].into_iter().find_map(read)
}

fn begins_as_text(run: &[u8]) -> bool {
    let front = &run[..FRONT];
    let mut room = [0; FRONT];
    let encoding = if front.iter().all(u8::is_ascii_hexdigit) {
        HEXLOWER_PERMISSIVE
    } else if front.iter().any(|byte| matches!(byte, b'-' | b'_')) {
        BASE64URL_NOPAD
    } else {
        BASE64_NOPAD
    };
    let length = front.len() * encoding.bit_width() / 8;
    encoding.decode_mut(front, &mut room[..length]).is_ok() && is_text(&room[..length])
}

/// A piece of a token that dots hold together, such as the head of a web token.
fn is_segment(text: &[u8], run: Span) -> bool {
    let dot = |at: Option<usize>| at.is_some_and(|at| text.get(at) == Some(&b'.'));
    dot(run.start.checked_sub(1)) || dot(Some(run.end))
}

fn is_text(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|&byte| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~'))
}

#[cfg(test)]
mod tests {
    use data_encoding::{BASE64, HEXLOWER};

    use super::{decode, encoded};
    use crate::model::Span;

    #[test]
    fn text_is_recognised_in_each_encoding() {
        let secret = "hJ4kQ0xLw9-Zt7Bn2Mw";
        for (run, padding) in [(BASE64.encode(secret.as_bytes()), 2), (HEXLOWER.encode(secret.as_bytes()), 0)]
        {
            let text = format!("key: {run}\n");
            let span = Span::new(5, 5 + run.trim_end_matches('=').len());
            let found = encoded(text.as_bytes(), span).expect("it is encoded text");
            assert_eq!(found.end, span.end + padding);
            assert_eq!(
                decode(found.of(text.as_bytes())).as_deref().map(Vec::as_slice),
                Some(secret.as_bytes())
            );
        }
    }

    #[test]
    fn other_runs_are_not() {
        for run in [
            "thisIsTheNameOfSomethingInCode",
            "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "9kdhGf6sKq2LmZ0xaB3dE5fG7hJ9kL1mN3pQ5rS7",
            "aGVsbG8",
            "src/detect/checks/private_key",
        ] {
            assert_eq!(encoded(run.as_bytes(), Span::new(0, run.len())), None, "{run}");
        }
    }

    #[test]
    fn segments_of_a_web_token_are_left_alone() {
        let text = b"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.x";
        assert_eq!(encoded(text, Span::new(0, 36)), None);
    }
}
