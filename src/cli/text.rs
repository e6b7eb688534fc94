//! Names and messages made safe for a terminal.
//!
//! Must not know: what they are about. Invariant: nothing that comes out moves a cursor, changes a colour, breaks a
//! line or reorders what stands beside it.

use std::path::Path;

use crate::model::FilePath;

/// A path as one safe line.
pub(crate) fn path(path: &Path) -> String {
    line(&FilePath::from_path(path).to_text())
}

/// Text as one safe line: control and direction characters are written out.
pub(crate) fn line(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            '\t' => safe.push_str("\\t"),
            '\0'..='\x7f' if character.is_control() => {
                safe.push_str(&format!("\\x{:02x}", u32::from(character)));
            }
            _ if character.is_control() || reorders(character) => {
                safe.push_str(&character.escape_unicode().to_string());
            }
            _ => safe.push(character),
        }
    }
    safe
}

/// The word that a POSIX shell reads back as `text`.
pub(crate) fn shell_word(text: &[u8]) -> Vec<u8> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-+=:@%".contains(byte);
    if !text.is_empty() && text.iter().all(plain) {
        return text.to_vec();
    }
    let mut word = vec![b'\''];
    for &byte in text {
        match byte {
            b'\'' => word.extend_from_slice(b"'\\''"),
            _ => word.push(byte),
        }
    }
    word.push(b'\'');
    word
}

/// Characters that change the direction or visibility of the text beside them.
fn reorders(character: char) -> bool {
    matches!(character,
        '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::{line, shell_word};

    #[test]
    fn lines_are_safe() {
        for (text, safe) in [
            ("plain ä 鍵", "plain ä 鍵"),
            ("a\nb", "a\\nb"),
            ("\x1b]0;x\x07", "\\x1b]0;x\\x07"),
            ("\u{9b}2J", "\\u{9b}2J"),
            ("a\u{202e}b", "a\\u{202e}b"),
        ] {
            assert_eq!(line(text), safe);
        }
    }

    #[test]
    fn shell_words() {
        for (text, word) in [
            ("/usr/bin/keyfence", "/usr/bin/keyfence"),
            ("/a b/key", "'/a b/key'"),
            ("it's", "'it'\\''s'"),
            ("$(x)", "'$(x)'"),
            ("", "''"),
        ] {
            assert_eq!(shell_word(text.as_bytes()), word.as_bytes());
        }
    }
}
