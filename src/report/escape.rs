//! Makes text from files harmless for terminals and for CI systems that read commands out of logs.
//!
//! Must not know: what the text means, where it goes.
//! Invariant: the result holds no control character, no invisible or reordering character, and nothing that a CI
//! system takes for a command, wherever in a line it is put.

/// Text from bytes of unknown origin: everything that could act on a terminal becomes a visible escape.
///
/// Invalid UTF-8 becomes `\xNN`, control characters `\n`, `\t`, `\xNN` or `\u{NNNN}`. A backslash stays as it is,
/// so the result is for reading, not for turning back.
pub fn escape(bytes: &[u8]) -> String {
    let mut visible = String::with_capacity(bytes.len());
    for piece in bytes.utf8_chunks() {
        for character in piece.valid().chars() {
            push_visible(&mut visible, character);
        }
        for byte in piece.invalid() {
            push_hex(&mut visible, *byte);
        }
    }
    disarm_commands(visible)
}

/// The same for text.
pub fn escape_text(text: &str) -> String {
    escape(text.as_bytes())
}

/// Whether a character acts on the terminal, hides, or reorders what stands around it.
pub(crate) fn is_unsafe(character: char) -> bool {
    character.is_control() || is_invisible(character)
}

fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}')
}

fn push_visible(visible: &mut String, character: char) {
    match character {
        '\n' => visible.push_str("\\n"),
        '\r' => visible.push_str("\\r"),
        '\t' => visible.push_str("\\t"),
        // C0 and DEL are one byte, C1 and the rest are named by their code point.
        '\0'..='\u{1f}' | '\u{7f}' => push_hex(visible, character as u8),
        _ if is_unsafe(character) => visible.push_str(&format!("\\u{{{:x}}}", u32::from(character))),
        _ => visible.push(character),
    }
}

fn push_hex(visible: &mut String, byte: u8) {
    visible.push_str(&format!("\\x{byte:02x}"));
}

/// Breaks what GitHub Actions (`::error` at the start of a line or after blanks, `##[error]` anywhere), Azure
/// Pipelines (`##vso[`) and TeamCity (`##teamcity[`) read as commands in a log.
fn disarm_commands(text: String) -> String {
    if !text.contains("::") && !text.contains("##") {
        return text;
    }
    let mut safe = String::with_capacity(text.len() + 8);
    let mut word_begins = true;
    for (at, character) in text.char_indices() {
        let rest = &text[at..];
        if word_begins && rest.starts_with("::") {
            safe.push_str("\\x3a");
        } else if begins_hash_command(rest) {
            safe.push_str("\\x23");
        } else {
            safe.push(character);
        }
        word_begins = character.is_whitespace();
    }
    safe
}

/// Whether `text` begins with one of the `##name[` forms.
pub(crate) fn begins_hash_command(text: &str) -> bool {
    let Some(after) = text.strip_prefix("##") else { return false };
    ["[", "vso[", "teamcity["]
        .iter()
        .any(|name| after.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{escape, is_unsafe};

    #[test]
    fn what_acts_becomes_visible() {
        let cases: [(&[u8], &str); 15] = [
            (b"src/config.py", "src/config.py"),
            ("caf\u{e9} \u{5bc6}\u{94a5}".as_bytes(), "caf\u{e9} \u{5bc6}\u{94a5}"),
            (b"a\x1b[31mb", "a\\x1b[31mb"),
            (b"a\r\n\tb\0\x7f", "a\\r\\n\\tb\\x00\\x7f"),
            ("a\u{9b}31m".as_bytes(), "a\\u{9b}31m"),
            ("a\u{202e}b\u{2066}c\u{200f}d\u{61c}".as_bytes(), "a\\u{202e}b\\u{2066}c\\u{200f}d\\u{61c}"),
            ("a\u{2028}b\u{2029}c".as_bytes(), "a\\u{2028}b\\u{2029}c"),
            ("a\u{200c}b\u{200d}c".as_bytes(), "a\\u{200c}b\\u{200d}c"),
            (b"a\xff\xfeb", "a\\xff\\xfeb"),
            (b"::error file=x::boo", "\\x3a:error file=x::boo"),
            (b"std::env ::warning::x", "std::env \\x3a:warning::x"),
            (b"x ##[group]y", "x \\x23#[group]y"),
            (b"##vso[task.x]##TeamCity[y]", "\\x23#vso[task.x]\\x23#TeamCity[y]"),
            (b"###[x", "#\\x23#[x"),
            (b".bashrc##os.Linux", ".bashrc##os.Linux"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(escape(bytes), expected);
        }
    }

    proptest! {
        #[test]
        fn nothing_acts_on_a_terminal(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            prop_assert!(!escape(&bytes).chars().any(is_unsafe));
        }

        #[test]
        fn nothing_acts_for_any_text(text in "[a:#\\[ vso\u{0}-\u{1f}\u{7f}-\u{a0}\u{2028}-\u{202e}\u{2066}-\u{2069}]{0,24}") {
            let safe = escape(text.as_bytes());
            prop_assert!(!safe.chars().any(is_unsafe));
            prop_assert!(!safe.contains("##[") && !safe.contains("##vso["));
            prop_assert!(!safe.split(char::is_whitespace).any(|word| word.starts_with("::")));
        }
    }
}
