//! What git keeps beside its objects and can hold a credential: the configuration, hooks, the objects of LFS.
//!
//! Must not know: objects, references, what a receiver looks for.
//! Invariant: nothing but a regular file is opened, no link below the git directory is followed, and what is there and
//! cannot be looked at is a problem.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::super::Layout;
use super::super::layout::{is_absent, read_regular};
use crate::model::{Chunk, Coverage, FilePath, Focus, Problem, ProblemKind, Provenance};
use crate::source::archive::{Archives, Format};
use crate::source::{Receiver, Worker};

/// LFS keeps its objects two directories deep.
const DEEPEST: usize = 8;
/// So many files are one piece of work.
const AT_ONCE: usize = 16;
/// What CI systems write into the configuration for the time of a job; it is nobody's to rotate.
const OF_A_JOB: [&[u8]; 2] = [b"extraheader", b"gitlab-ci-token:"];

/// A file in the git directory, and the name that it is told by.
struct Kept {
    path: PathBuf,
    name: FilePath,
}

/// The directory that all work trees share, as people find it: `.git/` where it is called so.
pub(super) fn shown_directory(layout: &Layout) -> Vec<u8> {
    match layout.common_dir.file_name() {
        Some(name) if name == ".git" => b".git/".to_vec(),
        _ => Vec::new(),
    }
}

/// Whether a place is an object of LFS. Unlike the rest, they leave with a push.
pub(super) fn is_lfs_object(place: &Provenance) -> bool {
    memchr::memmem::find(place.path.as_bytes(), b"lfs/objects/").is_some()
}

/// Hands everything out. `shown` is how the git directory is called, nothing larger than `limit` is read.
pub(super) fn hand_out(layout: &Layout, shown: &[u8], limit: u64, receiver: &dyn Receiver) {
    let mut worker = receiver.worker();
    for file in configurations(layout, shown, &mut *worker) {
        read(&file, limit, &mut *worker, |bytes, provenance, worker| {
            let lines = Focus::Lines(lasting_lines(bytes));
            worker.chunk(&Chunk { focus: &lines, ..Chunk::whole(bytes, provenance) });
        });
    }
    let mut files = Vec::new();
    list(&layout.common_dir.join("hooks"), &[shown, b"hooks/"].concat(), DEEPEST, &mut files, &mut *worker);
    // Examples that git brings along.
    files.retain(|file| !file.name.as_bytes().ends_with(b".sample"));
    let objects = layout.common_dir.join("lfs").join("objects");
    list(&objects, &[shown, b"lfs/objects/"].concat(), 0, &mut files, &mut *worker);
    drop(worker);
    let packed: Vec<&Kept> =
        files.par_chunks(AT_ONCE).flat_map_iter(|files| plain(files, limit, receiver)).collect();
    // One after the other: how much may come out of all of them together is limited.
    let archives = Archives::default();
    let mut worker = receiver.worker();
    for file in packed {
        read(file, limit, &mut *worker, |bytes, provenance, worker| {
            archives.unpack(bytes, provenance, worker)
        });
    }
}

/// Hands out what is no archive, and gives back what is one.
fn plain<'f>(files: &'f [Kept], limit: u64, receiver: &dyn Receiver) -> Vec<&'f Kept> {
    let mut worker = receiver.worker();
    let mut packed = Vec::new();
    for file in files {
        if worker.interrupted() {
            break;
        }
        let mut is_archive = false;
        read(file, limit, &mut *worker, |bytes, provenance, worker| {
            is_archive = Format::of(bytes).is_some();
            if !is_archive {
                worker.chunk(&Chunk::whole(bytes, provenance));
                worker.covered(&Coverage { bytes: bytes.len() as u64, ..Coverage::default() });
            }
        });
        if is_archive {
            packed.push(file);
        }
    }
    packed
}

/// The configuration of the repository and of its work trees.
fn configurations(layout: &Layout, shown: &[u8], worker: &mut dyn Worker) -> Vec<Kept> {
    let kept = |path: PathBuf, name: &[u8]| Kept { path, name: FilePath::from_bytes([shown, name].concat()) };
    let common = &layout.common_dir;
    let mut files = vec![
        kept(common.join("config"), b"config"),
        kept(common.join("config.worktree"), b"config.worktree"),
    ];
    for (path, name) in entries(&common.join("worktrees"), b"worktrees/", shown, worker) {
        files.push(kept(path.join("config.worktree"), &[&name, b"/config.worktree".as_slice()].concat()));
    }
    // What cannot even be looked at is a problem when it is to be read.
    files.retain(|file| !fs::symlink_metadata(&file.path).is_ok_and(|metadata| metadata.is_symlink()));
    files
}

/// All lines (from 1) but those that are there for the time of a job in CI.
fn lasting_lines(bytes: &[u8]) -> Vec<(u32, u32)> {
    let is_lasting = |line: &[u8]| {
        let line = line.to_ascii_lowercase();
        !OF_A_JOB.iter().any(|word| memchr::memmem::find(&line, word).is_some())
    };
    let lines = (1..).zip(bytes.split(|&byte| byte == b'\n'));
    lines.filter(|(_, line)| is_lasting(line)).map(|(number, _)| (number, number)).collect()
}

fn read(
    file: &Kept,
    limit: u64,
    worker: &mut dyn Worker,
    take: impl FnOnce(&[u8], &Provenance, &mut dyn Worker),
) {
    match read_regular(&file.path, limit) {
        Ok(bytes) => take(&bytes, &Provenance::file(file.name.clone()), worker),
        Err(error) if is_absent(&error) => {}
        Err(error) if error.kind() == io::ErrorKind::InvalidData => worker.problem(
            Problem::at(
                ProblemKind::TooLarge,
                file.name.clone(),
                "a file of the git directory was not looked at: it is too large",
            )
            .with_hint("raise the limit with --max-file-size to look at it"),
        ),
        Err(error) => worker.problem(unreadable(file.name.clone(), &error)),
    }
}

/// The regular files below a directory, sorted; `depth` says how deep it stands already.
fn list(directory: &Path, name: &[u8], depth: usize, files: &mut Vec<Kept>, worker: &mut dyn Worker) {
    for (path, name) in entries(directory, name, b"", worker) {
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_dir() && depth < DEEPEST => {
                list(&path, &[&name, b"/".as_slice()].concat(), depth + 1, files, worker);
            }
            Ok(metadata) if metadata.is_file() => {
                files.push(Kept { path, name: FilePath::from_bytes(name) });
            }
            Err(error) if !is_absent(&error) => {
                worker.problem(unreadable(FilePath::from_bytes(name), &error));
            }
            _ => {}
        }
    }
}

/// What is in a directory, with the names to tell it by (below `name`), sorted; one that is not there has nothing.
pub(super) fn entries(
    directory: &Path,
    name: &[u8],
    shown: &[u8],
    worker: &mut dyn Worker,
) -> Vec<(PathBuf, Vec<u8>)> {
    let listed = fs::read_dir(directory).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let listed = match listed {
        Ok(listed) => listed,
        Err(error) => {
            if !is_absent(&error) {
                worker.problem(unreadable(FilePath::from_bytes([shown, name].concat()), &error));
            }
            return Vec::new();
        }
    };
    let below = |entry: &fs::DirEntry| [name, entry.file_name().as_encoded_bytes()].concat();
    let mut entries: Vec<_> = listed.into_iter().map(|entry| (entry.path(), below(&entry))).collect();
    entries.sort();
    entries
}

fn unreadable(name: FilePath, error: &io::Error) -> Problem {
    Problem::at(ProblemKind::Unreadable, name, format!("it could not be looked at: {error}"))
        .with_hint("check that it may be read")
}

#[cfg(test)]
mod tests {
    use super::lasting_lines;

    #[test]
    fn what_a_job_brought_does_not_count() {
        let config = b"[remote \"origin\"]\n\turl = https://gitlab-ci-token:x@example.org/a.git\n\
            [http \"https://example.org/\"]\n\textraHeader = AUTHORIZATION: basic eA==\n\turl = b\n";
        let lines: Vec<u32> = lasting_lines(config).into_iter().map(|(first, _)| first).collect();
        assert_eq!(lines, [1, 3, 5, 6]);
    }
}
