//! Loose objects: one compressed file for each.
//!
//! Must not know: packs, what is in an object.
//! Invariant: memory is bounded by a limit, whatever the file claims.

use std::path::Path;

use gix::objs::Kind;
use gix::zlib::{Inflate, Status};

use super::entry::EntryError;
use super::layout::read_regular;

/// Headers are `blob 123` and a zero byte.
const LONGEST_HEADER: usize = 64;

/// A byte of deflate stands for at most 1,032 (RFC 1951, with codes of one bit): what claims more is not read into memory.
const MOST_PER_BYTE: u64 = 1032;

/// What a loose object is, and how large; `None` when the file has gone, as when git packs it.
struct Head {
    kind: Kind,
    size: u64,
    /// Where the content begins in what is inflated.
    start: usize,
}

impl Head {
    fn read(compressed: &[u8], inflate: &mut Inflate) -> Result<Self, EntryError> {
        let mut head = [0; LONGEST_HEADER];
        inflate.reset();
        let (_, _, filled) = inflate.prefix(compressed, &mut head).map_err(|_| EntryError::Damaged)?;
        let end = head[..filled].iter().position(|&byte| byte == 0).ok_or(EntryError::Damaged)?;
        let mut words = head[..end].split(|&byte| byte == b' ');
        let kind = words.next().and_then(|word| Kind::from_bytes(word).ok()).ok_or(EntryError::Damaged)?;
        let digits = words.next().and_then(|word| std::str::from_utf8(word).ok());
        let size = digits.and_then(|digits| digits.parse().ok()).ok_or(EntryError::Damaged)?;
        Ok(Self { kind, size, start: end + 1 })
    }
}

fn compressed(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, EntryError> {
    // What is compressed can be a little larger than what it holds.
    let limit = limit.saturating_add(limit / 8).saturating_add(1 << 16);
    match read_regular(path, limit) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(_) => Err(EntryError::Damaged),
    }
}

/// What a loose object is; `None` when the file has gone, as when git packs it.
pub(super) fn kind(path: &Path, inflate: &mut Inflate) -> Result<Option<Kind>, EntryError> {
    let Some(compressed) = compressed(path, u64::MAX)? else { return Ok(None) };
    Head::read(&compressed, inflate).map(|head| Some(head.kind))
}

/// What a loose object is, with its content in `out`; `None` when the file has gone.
pub(super) fn read(
    path: &Path,
    inflate: &mut Inflate,
    out: &mut Vec<u8>,
    limit: u64,
) -> Result<Option<Kind>, EntryError> {
    let Some(compressed) = compressed(path, limit)? else { return Ok(None) };
    let head = Head::read(&compressed, inflate)?;
    if head.size > limit {
        return Err(EntryError::TooLarge(head.size, limit));
    }
    let size = usize::try_from(head.size).map_err(|_| EntryError::TooLarge(head.size, limit))?;
    if head.size / MOST_PER_BYTE > compressed.len() as u64 {
        return Err(EntryError::Damaged);
    }
    out.clear();
    out.resize(size + head.start, 0);
    inflate.reset();
    let (status, _, written) = inflate.once(&compressed, out).map_err(|_| EntryError::Damaged)?;
    if status != Status::StreamEnd || written != out.len() {
        return Err(EntryError::Damaged);
    }
    out.drain(..head.start);
    Ok(Some(head.kind))
}
