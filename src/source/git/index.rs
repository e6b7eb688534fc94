//! Reading an index file, whatever is in it.
//!
//! Must not know: which index is meant, objects.
//! Invariant: a damaged index is an error in words, never a panic and never an empty index. What a split index shares is
//! looked for where git looks: in the git directory, then beside the index.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use gix::hash::{Kind as HashKind, ObjectId, hasher};
use gix::index::extension::Link;
use gix::index::{File, State};

use super::split_index::put_together;
use crate::source::threads::attempt;

/// From this size on several threads read an index, in bytes.
const LARGE: usize = 4 * 1024 * 1024;

/// Reads the index at `path`, of the repository at `git_dir`; the error completes "cannot read it: ".
pub(super) fn read_index(path: &Path, git_dir: &Path, hash: HashKind) -> Result<File, String> {
    let mut state = read_alone(path, None, hash)?;
    if let Some(link) = state.link().filter(|link| !link.shared_index_checksum.is_null()).cloned() {
        let shared = read_shared(path, git_dir, &link, hash)?;
        state = put_together(state, &link, &shared)?;
    }
    Ok(File::from_state(state, path))
}

/// What an index shares.
fn read_shared(path: &Path, git_dir: &Path, link: &Link, hash: HashKind) -> Result<State, String> {
    let name = format!("sharedindex.{}", link.shared_index_checksum);
    let beside = path.with_file_name(&name);
    let in_git_dir = git_dir.join(&name);
    let shared = if in_git_dir.exists() { in_git_dir } else { beside };
    read_alone(&shared, Some(link.shared_index_checksum), hash).map_err(|reason| format!("{name}: {reason}"))
}

/// Reads one file, without what it shares. Its sum has to be the one that is `expected`, if one is.
fn read_alone(path: &Path, expected: Option<ObjectId>, hash: HashKind) -> Result<State, String> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Err("it is not a regular file".to_owned()),
        Err(error) => return Err(error.to_string()),
    }
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    let sum = checked_sum(&bytes, hash)?;
    if expected.is_some_and(|expected| sum != Some(expected)) {
        return Err("it has another sum than its name says".to_owned());
    }
    // Where it cannot start its threads, gix falls. Asking how many there are takes longer than reading a small index.
    let shared = (bytes.len() >= LARGE).then(|| attempt(|| decoded(&bytes, hash, None)).ok()).flatten();
    let alone = || catch_unwind(AssertUnwindSafe(|| decoded(&bytes, hash, Some(1))));
    match shared.map_or_else(alone, Ok) {
        Ok(decoded) => decoded,
        Err(_) => Err("reading it failed".to_owned()),
    }
}

/// The sum at the end, which is right; `None` if git left it out (`index.skipHash`).
fn checked_sum(bytes: &[u8], hash: HashKind) -> Result<Option<ObjectId>, String> {
    let Some(at) = bytes.len().checked_sub(hash.len_in_bytes()) else {
        return Err("it is too short to be an index".to_owned());
    };
    let (content, sum) = bytes.split_at(at);
    let sum = ObjectId::try_from(sum).map_err(|error| error.to_string())?;
    if sum.is_null() {
        return Ok(None);
    }
    let mut hasher = hasher(hash);
    hasher.update(content);
    match hasher.try_finalize() {
        Ok(computed) if computed == sum => Ok(Some(sum)),
        _ => Err("its sum is wrong".to_owned()),
    }
}

fn decoded(bytes: &[u8], hash: HashKind, thread_limit: Option<usize>) -> Result<State, String> {
    let options = gix::index::decode::Options {
        thread_limit,
        min_extension_block_in_bytes_for_threading: 256 * 1024,
        ..gix::index::decode::Options::default()
    };
    // When it was written only tells which files may have changed since, which nobody asks here.
    let written = State::new(hash).timestamp();
    State::from_bytes(bytes, written, hash, options)
        .map(|(state, _)| state)
        .map_err(|error| error.to_string())
}
