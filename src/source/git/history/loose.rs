//! Loose objects: one compressed file for each.
//!
//! Must not know: packs, what is in an object.
//! Invariant: memory is bounded by a limit, whatever the file claims.

use std::path::Path;

use gix::objs::Kind;
use gix::zlib::{Inflate, Status};

use super::super::layout::read_regular;
use super::packs::EntryError;

/// Headers are `blob 123` and a zero byte.
const LONGEST_HEADER: usize = 64;

/// What a loose object is, with its content in `out`. `None` when the file has gone, as when git packs it.
pub(super) fn read(
    path: &Path,
    inflate: &mut Inflate,
    out: &mut Vec<u8>,
    limit: u64,
) -> Result<Option<Kind>, EntryError> {
    let compressed = match read_regular(path, limit.saturating_add(LONGEST_HEADER as u64)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(_) => return Err(EntryError::Damaged),
    };
    let mut head = [0; LONGEST_HEADER];
    inflate.reset();
    let (_, _, filled) = inflate.prefix(&compressed, &mut head).map_err(|_| EntryError::Damaged)?;
    let end = head[..filled].iter().position(|&byte| byte == 0).ok_or(EntryError::Damaged)?;
    let mut words = head[..end].split(|&byte| byte == b' ');
    let kind = words.next().and_then(|word| Kind::from_bytes(word).ok()).ok_or(EntryError::Damaged)?;
    let digits = words.next().and_then(|word| std::str::from_utf8(word).ok());
    let size: u64 = digits.and_then(|digits| digits.parse().ok()).ok_or(EntryError::Damaged)?;
    if size > limit {
        return Err(EntryError::TooLarge(size, limit));
    }
    let whole = usize::try_from(size).map_err(|_| EntryError::TooLarge(size, limit))? + end + 1;
    out.clear();
    out.resize(whole, 0);
    inflate.reset();
    let (status, _, written) = inflate.once(&compressed, out).map_err(|_| EntryError::Damaged)?;
    if status != Status::StreamEnd || written != whole {
        return Err(EntryError::Damaged);
    }
    out.drain(..=end);
    Ok(Some(kind))
}
