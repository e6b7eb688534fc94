//! One hook of one hook directory: what stands there, putting ours in, taking it out.
//!
//! Must not know: how the directory was found. Invariant: a hook of somebody else is never lost, only renamed and
//! renamed back.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::super::arguments::Stage;
use super::super::failure::Failure;
use super::super::files::{self, Access};
use super::super::text;
use super::script::{self, EARLIER, VERSION};

/// A place for one hook.
#[derive(Debug)]
pub(crate) struct Slot {
    /// Which hook.
    pub(crate) stage: Stage,
    /// Where git looks for it.
    pub(crate) file: PathBuf,
    /// Where a hook that was there before is kept.
    pub(crate) earlier: PathBuf,
}

/// What stands in a slot.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing.
    Absent,
    /// Our script.
    Ours(Ours),
    /// A hook of somebody else.
    Foreign {
        /// Whether git would run it.
        executable: bool,
    },
}

/// What our script in a slot is like.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ours {
    /// Whether it is of the current version.
    pub(crate) current: bool,
    /// Whether git would run it.
    pub(crate) executable: bool,
    /// The program it calls first.
    pub(crate) program: PathBuf,
    /// Whether an earlier hook runs before.
    pub(crate) chained: bool,
}

/// What putting the hook in did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Installed {
    New,
    Chained,
    Renewed,
    Already,
}

/// What taking the hook out did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Uninstalled {
    Removed,
    Restored,
    NotThere,
    NotOurs,
}

impl Slot {
    /// The slot of `stage` in `directory`.
    pub(crate) fn new(directory: &Path, stage: Stage) -> Self {
        let name = stage.as_str();
        Self { stage, file: directory.join(name), earlier: directory.join(format!("{name}{EARLIER}")) }
    }

    /// What stands here now.
    pub(crate) fn state(&self) -> Result<State, Failure> {
        if !exists(&self.file) {
            return Ok(State::Absent);
        }
        let executable = files::is_executable(&self.file);
        let content = match fs::read(&self.file) {
            Ok(content) => content,
            // A link to nothing or a directory: somebody put it there, we did not.
            Err(_) if !self.file.is_file() => return Ok(State::Foreign { executable }),
            Err(error) => return Err(Failure::file(format!("read {}", text::path(&self.file)), &error)),
        };
        Ok(match script::recognise(&content) {
            None => State::Foreign { executable },
            Some(recognised) => State::Ours(Ours {
                current: recognised.version == VERSION,
                executable,
                program: recognised.program,
                chained: exists(&self.earlier),
            }),
        })
    }

    /// Puts the script that calls `program` here.
    pub(crate) fn install(&self, program: &Path) -> Result<Installed, Failure> {
        let script = script::render(self.stage, program);
        let installed = match self.state()? {
            State::Absent => Installed::New,
            State::Ours(ours) => {
                let same = fs::read(&self.file).is_ok_and(|content| content == script);
                if same && ours.executable {
                    return Ok(Installed::Already);
                }
                Installed::Renewed
            }
            State::Foreign { .. } => {
                self.put_aside()?;
                Installed::Chained
            }
        };
        self.write(&script).inspect_err(|_| {
            if installed == Installed::Chained {
                // The hook that was there must not be gone because ours could not be written.
                let _ = fs::rename(&self.earlier, &self.file);
            }
        })?;
        Ok(installed)
    }

    /// Takes our script out and puts back what was there before.
    pub(crate) fn uninstall(&self) -> Result<Uninstalled, Failure> {
        let failed = |error: io::Error| Failure::file(format!("remove {}", text::path(&self.file)), &error);
        match self.state()? {
            State::Absent => Ok(Uninstalled::NotThere),
            State::Foreign { .. } => Ok(Uninstalled::NotOurs),
            State::Ours(ours) if ours.chained => {
                fs::rename(&self.earlier, &self.file).map_err(failed)?;
                Ok(Uninstalled::Restored)
            }
            State::Ours(_) => {
                fs::remove_file(&self.file).map_err(failed)?;
                Ok(Uninstalled::Removed)
            }
        }
    }

    fn put_aside(&self) -> Result<(), Failure> {
        if exists(&self.earlier) {
            return Err(Failure::unfinished(
                format!(
                    "{} is not from keyfence, and the hook that was there before it is still kept as {}",
                    text::path(&self.file),
                    text::path(&self.earlier)
                ),
                "decide which of the two is needed, remove the other, and install again",
            ));
        }
        fs::rename(&self.file, &self.earlier)
            .map_err(|error| Failure::file(format!("rename {}", text::path(&self.file)), &error))
    }

    fn write(&self, script: &[u8]) -> Result<(), Failure> {
        let failed = |error: io::Error| Failure::file(format!("write {}", text::path(&self.file)), &error);
        if let Some(directory) = self.file.parent() {
            fs::create_dir_all(directory).map_err(failed)?;
        }
        files::replace(&self.file, script, Access::Executable).map_err(failed)
    }
}

/// Whether anything stands there, a link to nothing included.
fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use super::{Installed, Slot, Stage, State, Uninstalled};

    fn slot() -> (tempfile::TempDir, Slot) {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let slot = Slot::new(&directory.path().join("hooks"), Stage::PreCommit);
        (directory, slot)
    }

    #[test]
    fn in_and_out_of_an_empty_slot() {
        let (_directory, slot) = slot();
        let program = Path::new("/bin/keyfence");
        assert_eq!(slot.uninstall().ok(), Some(Uninstalled::NotThere));
        assert_eq!(slot.install(program).ok(), Some(Installed::New));
        assert_eq!(slot.install(program).ok(), Some(Installed::Already));
        assert_eq!(slot.install(Path::new("/elsewhere/keyfence")).ok(), Some(Installed::Renewed));
        assert_eq!(slot.uninstall().ok(), Some(Uninstalled::Removed));
        assert_eq!(slot.state().ok(), Some(State::Absent));
    }

    #[test]
    fn a_foreign_hook_is_kept_and_comes_back() {
        let (_directory, slot) = slot();
        fs::create_dir_all(slot.file.parent().expect("it is in a directory")).expect("it can be made");
        fs::write(&slot.file, "#!/bin/sh\necho mine\n").expect("the directory is writable");
        fs::set_permissions(&slot.file, Permissions::from_mode(0o755)).expect("it is ours");
        assert_eq!(slot.install(Path::new("/bin/keyfence")).ok(), Some(Installed::Chained));
        assert_eq!(slot.install(Path::new("/bin/keyfence")).ok(), Some(Installed::Already));
        assert_eq!(slot.uninstall().ok(), Some(Uninstalled::Restored));
        assert_eq!(fs::read_to_string(&slot.file).expect("it is back"), "#!/bin/sh\necho mine\n");
        assert_eq!(slot.state().ok(), Some(State::Foreign { executable: true }));
        assert_eq!(slot.uninstall().ok(), Some(Uninstalled::NotOurs));
        assert!(!slot.earlier.exists());
    }

    #[test]
    fn two_foreign_hooks_are_for_a_person_to_sort_out() {
        let (_directory, slot) = slot();
        fs::create_dir_all(slot.file.parent().expect("it is in a directory")).expect("it can be made");
        for file in [&slot.file, &slot.earlier] {
            fs::write(file, "#!/bin/sh\n").expect("the directory is writable");
        }
        let failure = slot.install(Path::new("/bin/keyfence")).expect_err("it must not choose");
        assert!(failure.words().contains("still kept as"), "{}", failure.words());
    }
}
