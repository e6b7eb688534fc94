//! Files written so that nobody ever sees half of one: beside the target, then renamed.
//!
//! Must not know: what is written. Invariant: on an error, and whenever somebody asks the program to end, the target is as
//! it was or as it shall be, and nothing lies beside it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::interrupt::Interrupt;

/// Who may do what with a new file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Only the owner reads and writes it.
    Private,
    /// The owner writes it, everybody may read it.
    Shared,
    /// Everybody may read and run it.
    Executable,
}

/// Replaces `target` as a whole. What is no regular file (a terminal, a pipe, `/dev/null`) is written to instead.
pub(crate) fn replace(target: &Path, content: &[u8], access: Access) -> io::Result<()> {
    let target = behind_links(target);
    if fs::metadata(&target).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir()) {
        let mut device = File::options().write(true).open(&target)?;
        return device.write_all(content).and_then(|()| device.flush());
    }
    if target.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    Interrupt::hold();
    let mut file = tempfile::Builder::new().prefix(".keyfence-").tempfile_in(parent(&target))?;
    file.write_all(content)?;
    set_access(file.as_file(), access)?;
    file.as_file().sync_all()?;
    file.persist(&target).map_err(|error| error.error)?;
    Ok(())
}

/// The directory in which [`replace`] writes; `None` for what is no regular file.
pub(crate) fn directory_of(target: &Path) -> Option<PathBuf> {
    let target = behind_links(target);
    let is_replaced = fs::metadata(&target).map_or(true, |metadata| metadata.is_file());
    is_replaced.then(|| parent(&target).to_owned())
}

/// The file a link leads to, so that writing through a link keeps the link.
fn behind_links(target: &Path) -> PathBuf {
    fs::canonicalize(target).unwrap_or_else(|_| target.to_owned())
}

fn parent(target: &Path) -> &Path {
    match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(unix)]
fn set_access(file: &File, access: Access) -> io::Result<()> {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;
    let mode = match access {
        Access::Private => 0o600,
        Access::Shared => 0o644,
        Access::Executable => 0o755,
    };
    file.set_permissions(Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_access(_file: &File, _access: Access) -> io::Result<()> {
    Ok(())
}

/// Whether the system would run the file.
#[cfg(unix)]
pub(crate) fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// Whether the system would run the file.
#[cfg(not(unix))]
pub(crate) fn is_executable(path: &Path) -> bool {
    path.is_file()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{Access, replace};

    #[test]
    fn a_file_is_replaced_and_nothing_is_left_beside_it() {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let target = directory.path().join("report.json");
        for content in ["first, long", "second"] {
            replace(&target, content.as_bytes(), Access::Private).expect("the directory is writable");
            assert_eq!(fs::read_to_string(&target).expect("it was just written"), content);
        }
        assert_eq!(fs::read_dir(directory.path()).expect("the directory exists").count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn devices_are_written_to_and_links_stay_links() {
        use std::os::unix::fs::{FileTypeExt, PermissionsExt};
        replace(Path::new("/dev/null"), b"x", Access::Private).expect("everybody may write there");
        assert!(fs::metadata("/dev/null").expect("it exists").file_type().is_char_device());

        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let (file, link) = (directory.path().join("file"), directory.path().join("link"));
        fs::write(&file, "old").expect("the directory is writable");
        std::os::unix::fs::symlink("file", &link).expect("the directory is writable");
        replace(&link, b"new", Access::Private).expect("the directory is writable");
        assert_eq!(fs::read_to_string(&file).expect("it exists"), "new");
        assert!(fs::symlink_metadata(&link).expect("it exists").is_symlink());
        assert_eq!(fs::metadata(&file).expect("it exists").permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_missing_directory_is_an_error() {
        assert!(replace(Path::new("no/such/directory/report"), b"x", Access::Private).is_err());
    }
}
