//! Reading an index file, whatever is in it.
//!
//! Must not know: which index is meant, objects.
//! Invariant: a damaged index is an error in words, never a panic and never an empty index.

use std::panic::catch_unwind;
use std::path::Path;

use gix::hash::Kind as HashKind;
use gix::index::File;

use crate::source::threads::attempt;

/// From this size on several threads read an index, in bytes.
const LARGE: u64 = 4 * 1024 * 1024;

/// Reads the index at `path`; the error completes "cannot read it: ".
pub(super) fn read_index(path: &Path, hash: HashKind) -> Result<File, String> {
    let size = match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => metadata.len(),
        Ok(_) => return Err("it is not a regular file".to_owned()),
        Err(error) => return Err(error.to_string()),
    };
    // Where it cannot start its threads, gix falls. Asking how many there are takes longer than reading a small index.
    let shared = (size >= LARGE).then(|| attempt(|| decoded(path, hash, None)).ok()).flatten();
    let decoded = shared.map_or_else(|| catch_unwind(|| decoded(path, hash, Some(1))), Ok);
    match decoded {
        Ok(decoded) => decoded,
        Err(_) => Err("reading it failed".to_owned()),
    }
}

fn decoded(path: &Path, hash: HashKind, thread_limit: Option<usize>) -> Result<File, String> {
    let options = gix::index::decode::Options {
        thread_limit,
        min_extension_block_in_bytes_for_threading: 256 * 1024,
        ..gix::index::decode::Options::default()
    };
    File::at(path, hash, false, options).map_err(|error| error.to_string())
}
