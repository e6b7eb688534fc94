//! Reading an index file, whatever is in it.
//!
//! Must not know: which index is meant, objects.
//! Invariant: a damaged index is an error in words, never a panic and never an empty index.

use std::panic::catch_unwind;
use std::path::Path;

use gix::hash::Kind as HashKind;
use gix::index::File;

/// From this size on several threads read an index, in bytes.
const LARGE: u64 = 4 * 1024 * 1024;

/// Reads the index at `path`; the error completes "cannot read it: ".
pub(super) fn read_index(path: &Path, hash: HashKind) -> Result<File, String> {
    let size = match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => metadata.len(),
        Ok(_) => return Err("it is not a regular file".to_owned()),
        Err(error) => return Err(error.to_string()),
    };
    let options = gix::index::decode::Options {
        // Asking how many threads there are takes longer than reading a small index.
        thread_limit: (size < LARGE).then_some(1),
        min_extension_block_in_bytes_for_threading: 256 * 1024,
        ..gix::index::decode::Options::default()
    };
    match catch_unwind(|| File::at(path, hash, false, options)) {
        Ok(Ok(index)) => Ok(index),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("reading it failed".to_owned()),
    }
}
