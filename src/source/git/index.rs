//! Reading an index file, whatever is in it.
//!
//! Must not know: which index is meant, objects.
//! Invariant: a damaged index is an error in words, never a panic and never an empty index.

use std::panic::catch_unwind;
use std::path::Path;

use gix::hash::Kind as HashKind;
use gix::index::File;

/// Reads the index at `path`; the error completes "cannot read it: ".
pub(super) fn read_index(path: &Path, hash: HashKind) -> Result<File, String> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Err("it is not a regular file".to_owned()),
        Err(error) => return Err(error.to_string()),
    }
    let options = gix::index::decode::Options {
        min_extension_block_in_bytes_for_threading: 256 * 1024,
        ..gix::index::decode::Options::default()
    };
    match catch_unwind(|| File::at(path, hash, false, options)) {
        Ok(Ok(index)) => Ok(index),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("reading it failed".to_owned()),
    }
}
