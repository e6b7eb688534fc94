//! URLs with a password in them: `scheme://user:password@host`.
//!
//! Must not know: names, files.
//! Invariant: looks at most [`URL_REACH`] bytes to either side of the `://`.

use crate::model::Span;
use crate::rules::URL_REACH;

/// The parts of a URL with a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Connection {
    pub(crate) scheme: Span,
    pub(crate) user: Span,
    pub(crate) password: Span,
    pub(crate) host: Span,
}

/// Reads the URL whose `://` stands at `at`.
pub(crate) fn read(text: &[u8], at: usize) -> Option<Connection> {
    let scheme = scheme_before(text, at)?;
    let authority = Span::new(at + 3, authority_end(text, at + 3));
    let bytes = authority.of(text);
    let last_at = bytes.iter().rposition(|&byte| byte == b'@')?;
    let colon = bytes[..last_at].iter().position(|&byte| byte == b':')?;
    let host_length = bytes[last_at + 1..].iter().take_while(|byte| is_host_byte(**byte)).count();
    if colon + 1 == last_at || host_length == 0 {
        return None;
    }
    let base = authority.start;
    Some(Connection {
        scheme,
        user: Span::new(base, base + colon),
        password: Span::new(base + colon + 1, base + last_at),
        host: Span::new(base + last_at + 1, base + last_at + 1 + host_length),
    })
}

fn scheme_before(text: &[u8], at: usize) -> Option<Span> {
    let is_scheme = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    let length = text[..at].iter().rev().take(24).take_while(is_scheme).count();
    (2..24).contains(&length).then(|| Span::new(at - length, at))
}

/// Where the authority ends: at a path, a query, or anything that no URL holds.
fn authority_end(text: &[u8], start: usize) -> usize {
    let ends = |byte: &&u8| {
        !byte.is_ascii_control()
            && !matches!(
                byte,
                b' ' | b'/' | b'?' | b'#' | b'"' | b'\'' | b'`' | b'<' | b'>' | b'\\' | b')' | b',' | b'|'
            )
    };
    start + text[start..].iter().take(URL_REACH - 32).take_while(ends).count()
}

fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'[' | b']' | b':')
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn a_password_is_what_stands_between_colon_and_last_at() {
        for (text, expected) in [
            ("postgres://bot:s3cr@t@db:5432/x", Some(("postgres", "bot", "s3cr@t", "db:5432"))),
            ("x=redis://:pw@cache", Some(("redis", "", "pw", "cache"))),
            ("https://example.org/a@b:c", None),
            ("https://user@host", None),
            ("https://user:@host", None),
            ("see http://host:80/ and a@b", None),
            ("mongodb+srv://u:p@h/?a", Some(("mongodb+srv", "u", "p", "h"))),
        ] {
            let at = text.find("://").expect("every case has one");
            let found = read(text.as_bytes(), at).map(|url| {
                let part = |span: crate::model::Span| &text[span.start..span.end];
                (part(url.scheme), part(url.user), part(url.password), part(url.host))
            });
            assert_eq!(found, expected, "{text}");
        }
    }
}
