//! An index beside the user's, in which one file is staged: what a hook would see if somebody staged it.
//!
//! Must not know: what the file holds, or whether anything is found in it.
//! Invariant: the repository's index and objects are read and never written; everything that is written stands in the
//! directory that the caller gives, and is gone with it.

use std::fs;
use std::path::Path;

use gix::bstr::ByteSlice;
use gix::index::entry::{Flags, Mode, Stat};
use gix::objs::{Kind, Write as _};

use super::format::RepositoryFormat;
use super::{GitEnvironment, Layout};
use crate::source::SourceError;

/// Stages `content` as `name` in an index of its own in `directory`, and gives the environment in which git would run
/// a hook for it.
///
/// # Errors
/// Where the directory cannot be written, or the repository has a format that is not known.
pub fn plant_canary(
    directory: &Path,
    layout: &Layout,
    environment: &GitEnvironment,
    name: &str,
    content: &[u8],
) -> Result<GitEnvironment, SourceError> {
    let format = RepositoryFormat::read(layout)?;
    let objects = directory.join("objects");
    fs::create_dir_all(objects.join("pack")).map_err(|error| unwritable(&error.to_string()))?;
    let store = gix::odb::loose::Store::at(&objects, format.hash);
    let id = store.write_buf(Kind::Blob, content).map_err(|error| unwritable(&error.to_string()))?;
    let mut state = gix::index::State::new(format.hash);
    state.dangerously_push_entry(Stat::default(), id, Flags::empty(), Mode::FILE, name.as_bytes().as_bstr());
    let index = directory.join("index");
    gix::index::File::from_state(state, &index)
        .write(gix::index::write::Options::default())
        .map_err(|error| unwritable(&error.to_string()))?;
    let alternates = [
        Some(layout.common_dir.join("objects").into_os_string()),
        environment.object_directory.clone().map(Into::into),
        environment.alternate_object_directories.clone(),
    ];
    let alternates = std::env::join_paths(alternates.iter().flatten()).ok();
    Ok(GitEnvironment {
        index_file: Some(index),
        object_directory: Some(objects),
        alternate_object_directories: alternates,
        ..environment.clone()
    })
}

fn unwritable(reason: &str) -> SourceError {
    SourceError {
        message: format!("an index to try the hook with cannot be written: {reason}"),
        hint: Some("check the directory for temporary files (TMPDIR)".to_owned()),
    }
}
