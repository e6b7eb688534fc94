//! What people choose and name: `DB_PASSWORD=…`, `"password": "…"`, `Password=…;`, `<password>…</password>`, and secrets
//! with marks in them that no run of token characters holds.
//!
//! Must not know: which names count, rules, files.
//! Invariant: looks at most [`PASSWORD_REACH`] bytes to either side of a name's telling letters.

use crate::model::Span;
use crate::rules::PASSWORD_REACH;

use super::randomness;

/// Letters that tell such a name, as they are usually written. Each stands once in a name.
pub(crate) const TELLING: [&str; 11] =
    ["assword", "ASSWORD", "asswd", "ASSWD", "assphrase", "ASSPHRASE", "pwd", "PWD", "Pwd", "ecret", "ECRET"];

/// A value and its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chosen {
    /// Where the telling letters of the name begin.
    pub(crate) anchor: usize,
    pub(crate) name: Span,
    pub(crate) value: Span,
}

const LONGEST_NAME: usize = 64;
/// Shorter random letters look like names by chance.
const SHORTEST_MIXED_UP: usize = 14;
const LONGEST_GAP: usize = 6;
const LONGEST_VALUE: usize = PASSWORD_REACH - LONGEST_NAME - 2 * LONGEST_GAP - 8;

/// Reads the assignment in whose name telling letters begin at `at`.
pub(crate) fn read(text: &[u8], at: usize) -> Option<Chosen> {
    let name = name_around(text, at);
    let (separator, after) = separator_after(text, name)?;
    let value = match text.get(after)? {
        quote @ (b'"' | b'\'' | b'`') => quoted(text, after + 1, *quote)?,
        b'\\' if matches!(text.get(after + 1), Some(b'"' | b'\'')) => quoted(text, after + 2, b'\\')?,
        _ => plain(text, name, separator, after)?,
    };
    is_literal(value.of(text)).then_some(Chosen { anchor: at, name, value })
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

fn name_around(text: &[u8], at: usize) -> Span {
    let before = text[..at].iter().rev().take(LONGEST_NAME).take_while(|&&byte| is_name_byte(byte)).count();
    let after = text[at..].iter().take(LONGEST_NAME).take_while(|&&byte| is_name_byte(byte)).count();
    Span::new(at - before, at + after)
}

/// How a name and its value are joined.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Separator {
    /// `=` with nothing around it.
    Tight,
    /// `=`, `:=` or `=>` with spaces.
    Wide,
    /// `: `.
    Colon,
    /// The `>` of a tag.
    Tag,
    /// The space of `login … password …` (netrc).
    Space,
}

/// The separator behind the name, and where the value begins.
fn separator_after(text: &[u8], name: Span) -> Option<(Separator, usize)> {
    let blank = |from: usize| {
        from + text[from..].iter().take(LONGEST_GAP).take_while(|&&byte| matches!(byte, b' ' | b'\t')).count()
    };
    let closed = name.end
        + text[name.end..]
            .iter()
            .take(3)
            .take_while(|&&byte| matches!(byte, b'"' | b'\'' | b'\\' | b']'))
            .count();
    let start = blank(closed);
    let (kind, length) = match text.get(start..)? {
        [b':', b'=', ..] | [b'=', b'>', ..] => (Separator::Wide, 2),
        [b'=', b'=', ..] => return None,
        [b'=', ..] => (Separator::Tight, 1),
        [b':', ..] => (Separator::Colon, 1),
        [b'>', ..] if closed == name.end => (Separator::Tag, 1),
        _ if start > closed && closed == name.end && follows_login(text, name) => (Separator::Space, 0),
        _ => return None,
    };
    let after = blank(start + length);
    let spaced = start > closed || after > start + length;
    Some((if kind == Separator::Tight && spaced { Separator::Wide } else { kind }, after))
}

/// `login name ` before the word `password` itself.
fn follows_login(text: &[u8], name: Span) -> bool {
    let before = &text[name.start.saturating_sub(LONGEST_NAME)..name.start];
    name.of(text) == b"password" && memchr::memmem::rfind(before, b"login ").is_some()
}

fn quoted(text: &[u8], start: usize, close: u8) -> Option<Span> {
    let length = memchr::memchr2(close, b'\n', &text[start..text.len().min(start + LONGEST_VALUE)])?;
    (text[start + length] == close).then(|| Span::new(start, start + length))
}

/// A value without quotes: the rest of its line, or of its place in a connection string or a tag. Where code could
/// stand, it is taken for code.
fn plain(text: &[u8], name: Span, separator: Separator, start: usize) -> Option<Span> {
    let before = &text[name.start.saturating_sub(LONGEST_NAME)..name.start];
    let line = before.iter().rposition(|&byte| byte == b'\n').map_or(before, |at| &before[at + 1..]);
    let head = line.trim_ascii();
    // `…;Password=value;`, `…?password=value&`
    let in_connection = matches!(head.last(), Some(b';' | b'?' | b'&'));
    let ends = |byte: u8| {
        byte.is_ascii_whitespace()
            || matches!(byte, b'"' | b'\'' | b'`' | b'<')
            || (in_connection && matches!(byte, b';' | b'&'))
    };
    let length = text[start..].iter().take(LONGEST_VALUE).take_while(|&&byte| !ends(byte)).count();
    let value = Span::new(start, start + length);
    let next = text.get(value.end).copied().unwrap_or(b'\n');
    let bytes = value.of(text);
    let marked = bytes.iter().any(|byte| byte.is_ascii_punctuation() && !matches!(byte, b'_' | b'.'));
    let closes = matches!(next, b'\n' | b'\r') || text[value.end..].starts_with(b" #");
    let statement = head.is_empty()
        || [b"export".as_slice(), b"ENV", b"set", b"-", b"\"", b"'", b"- \"", b"//", b"#"].contains(&head);
    let holds = match separator {
        Separator::Tag => next == b'<',
        Separator::Space => closes,
        Separator::Colon => closes && statement,
        Separator::Tight => {
            (closes || matches!(next, b'"' | b'\'')) && statement
                || in_connection && !matches!(next, b' ' | b'\t')
        }
        Separator::Wide => closes && statement && marked,
    };
    let code = bytes.iter().any(|byte| matches!(byte, b'(' | b'[' | b'{' | b'$' | b'<' | b',' | b'|'))
        || matches!(bytes.last(), Some(b';'));
    (holds && !code).then_some(value)
}

/// What people choose has a letter and a digit and no space; addresses, paths and escapes are something else. Random
/// letters without a digit are no word.
fn is_literal(value: &[u8]) -> bool {
    value.iter().all(u8::is_ascii_graphic)
        && value.iter().any(u8::is_ascii_alphabetic)
        && (value.iter().any(u8::is_ascii_digit) || is_mixed_up(value))
        && !value.contains(&b'\\')
        && memchr::memmem::find(value, b"://").is_none()
        && !matches!(value.first(), Some(b'/' | b'.' | b'~' | b'@' | b'%'))
}

/// Letters of both cases that are neither words nor names of code.
fn is_mixed_up(value: &[u8]) -> bool {
    value.len() >= SHORTEST_MIXED_UP
        && value.iter().all(u8::is_ascii_alphabetic)
        && value.iter().any(u8::is_ascii_uppercase)
        && value.iter().any(u8::is_ascii_lowercase)
        && randomness::score(value) > randomness::LETTERS_LANGUAGE
}

#[cfg(test)]
mod tests {
    use super::{TELLING, read};

    fn found(text: &str) -> Option<(&str, &str)> {
        let at = TELLING.iter().filter_map(|letters| text.find(letters)).min().expect("every case has one");
        let chosen = read(text.as_bytes(), at)?;
        Some((&text[chosen.name.start..chosen.name.end], &text[chosen.value.start..chosen.value.end]))
    }

    #[test]
    fn values_are_read_where_configuration_has_them() {
        let value = ["Falcon", "-Grid", "2231!"].concat();
        for (before, name, between, after) in [
            ("", "DB_PASSWORD", "=", "\n"),
            ("", "DB_PASSWORD", "=", ""),
            ("export ", "SMTP_PASSWORD", "=\"", "\""),
            ("{\"", "password", "\": \"", "\"}"),
            ("db:\n  ", "password", ": ", "\n"),
            ("", "db.password", " = ", "\n"),
            ("x = dict(", "password", "='", "')"),
            ("Server=db;User Id=sa;", "Password", "=", ";Encrypt=yes"),
            ("jdbc:mysql://h/d?user=u&", "password", "=", "&x=1"),
            ("<", "password", ">", "</password>"),
            ("machine h login bot ", "password", " ", "\n"),
            ("s = \"{\\\"", "password", "\\\": \\\"", "\\\"}\""),
            ("      - ", "APP_SECRET", "=", "\n"),
        ] {
            let text = format!("{before}{name}{between}{value}{after}");
            assert_eq!(found(&text), Some((name, value.as_str())), "{text}");
        }
    }

    #[test]
    fn code_and_prose_are_not() {
        for text in [
            "password = passwords[0]\n",
            "password = hash2\n",
            "connect(password=hash2, host=x)",
            "if password == \"x1y2z3a4\"",
            "password: string2;",
            "password=$(cat secret1)\n",
            "The password is abc12345 and",
            "password: ${DB_PASS1}\n",
            "const password = getPassword(\"abc1\");",
            "secret: /run/secrets/db1\n",
            "password: \"two words 2\"",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
