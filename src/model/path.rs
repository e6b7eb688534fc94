//! A path as bytes.
//!
//! Must not know: the file system.
//! Invariant: the bytes are kept as they came; only separators of the system become `/`.

use std::path::Path;

/// A path with `/` between its parts on every system, kept as bytes because git and Unix do not promise UTF-8.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FilePath(Vec<u8>);

impl FilePath {
    /// A path from bytes that already use `/`.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// A path from the file system; separators become `/`.
    pub fn from_path(path: &Path) -> Self {
        let bytes = path.as_os_str().as_encoded_bytes();
        if std::path::MAIN_SEPARATOR == '/' {
            return Self(bytes.to_vec());
        }
        let separator = std::path::MAIN_SEPARATOR as u8;
        Self(bytes.iter().map(|&byte| if byte == separator { b'/' } else { byte }).collect())
    }

    /// The bytes as they are. Never print them: names can hold terminal escapes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The part after the last `/`.
    pub fn file_name(&self) -> &[u8] {
        self.0.rsplit(|&byte| byte == b'/').next().unwrap_or(&self.0)
    }

    /// Text without loss: invalid UTF-8 bytes become `\xNN`. Still unsafe for a terminal, see the reports' escaping.
    pub fn to_text(&self) -> String {
        let mut text = String::with_capacity(self.0.len());
        for piece in self.0.utf8_chunks() {
            text.push_str(piece.valid());
            for byte in piece.invalid() {
                text.push_str(&format!("\\x{byte:02x}"));
            }
        }
        text
    }
}

impl std::fmt::Debug for FilePath {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{:?}", self.to_text())
    }
}

impl From<&str> for FilePath {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::FilePath;

    #[test]
    fn invalid_bytes_are_kept_and_shown() {
        let path = FilePath::from_bytes(b"dir/a\xffb".to_vec());
        assert_eq!(path.to_text(), "dir/a\\xffb");
        assert_eq!(path.file_name(), b"a\xffb");
    }
}
