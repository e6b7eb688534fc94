//! Where hooks are put: the repository's hook directory, or that of git's template directory.
//!
//! Must not know: what is put there.

use std::path::PathBuf;

use super::super::failure::Failure;

/// A hook directory.
#[derive(Debug)]
pub(crate) struct Place {
    /// Where git looks for hooks; need not exist yet.
    pub(crate) hooks: PathBuf,
    /// The top of the work tree; the template directory has none.
    pub(crate) top: Option<PathBuf>,
    /// A command that the person has to run before git looks there.
    pub(crate) left_to_do: Option<String>,
}

impl Place {
    /// The place of this repository, or the one for all repositories to come.
    pub(crate) fn find(global: bool) -> Result<Self, Failure> {
        if global { Self::of_template() } else { Self::of_repository() }
    }

    fn of_repository() -> Result<Self, Failure> {
        let top = std::env::current_dir().map_err(|error| Failure::file("tell where this is", &error))?;
        Ok(Self { hooks: top.join(".git/hooks"), top: Some(top), left_to_do: None })
    }

    fn of_template() -> Result<Self, Failure> {
        Err(Failure::unfinished("no template directory", ""))
    }
}
