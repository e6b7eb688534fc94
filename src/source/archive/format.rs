//! Which kind of archive bytes are.
//!
//! Must not know: how archives are read, what files are called.
//! Invariant: told by the first bytes alone, enough of them that no text is taken for an archive.

use super::sqlite;

/// A kind of archive or compression, or of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Zip,
    Tar,
    Gzip,
    Bzip2,
    Xz,
    Zstandard,
    Sqlite,
}

/// Where a tar archive says what it is.
const TAR_MARK: usize = 257;

impl Format {
    /// The kind that `bytes` begin like.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        match *bytes {
            // The second is an archive without members.
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Self::Zip),
            [0x1f, 0x8b, 8, ..] => Some(Self::Gzip),
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..] => Some(Self::Bzip2),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstandard),
            _ if bytes.starts_with(sqlite::MARK) => Some(Self::Sqlite),
            _ => bytes.get(TAR_MARK..).filter(|rest| is_tar(rest)).map(|_| Self::Tar),
        }
    }
}

/// POSIX writes a NUL behind the mark, GNU two spaces.
fn is_tar(mark: &[u8]) -> bool {
    mark.starts_with(b"ustar\0") || mark.starts_with(b"ustar  \0")
}
