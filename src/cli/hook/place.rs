//! Where hooks are put: the repository's hook directory, or that of git's template directory.
//!
//! Must not know: what is put there. Invariant: it is the directory in which git itself will look.

use std::path::PathBuf;

use super::super::failure::Failure;
use super::super::text;
use crate::source::SourceError;
use crate::source::git::{GitEnvironment, Layout, Settings};

/// A hook directory.
#[derive(Debug)]
pub(crate) struct Place {
    /// Where git looks for hooks; need not exist yet.
    pub(crate) hooks: PathBuf,
    /// The top of the work tree; the template directory has none.
    pub(crate) top: Option<PathBuf>,
    /// What else the person has to know about the directory.
    pub(crate) remark: Option<String>,
    /// A command that the person has to run before git looks there.
    pub(crate) left_to_do: Option<String>,
}

impl Place {
    /// The place of this repository, or the one for all repositories to come.
    pub(crate) fn find(global: bool, on_server: bool) -> Result<Self, Failure> {
        let environment = GitEnvironment::from_process();
        if global { Self::of_template(&environment) } else { Self::of_repository(&environment, on_server) }
    }

    fn of_repository(environment: &GitEnvironment, on_server: bool) -> Result<Self, Failure> {
        let here = std::env::current_dir().map_err(|error| Failure::file("tell where this is", &error))?;
        let layout = Layout::discover(&here, environment).map_err(SourceError::from)?;
        if !on_server {
            layout.require_work_tree().map_err(SourceError::from)?;
        }
        let top = layout.work_tree.clone();
        let settings = Settings::read(Some(&layout), environment).map_err(SourceError::from)?;
        let remark = settings.hooks_path().map(|configured| {
            format!("core.hooksPath of git's configuration says so: {}", text::path(&configured))
        });
        Ok(Self { hooks: settings.hooks_directory(&layout), top, remark, left_to_do: None })
    }

    fn of_template(environment: &GitEnvironment) -> Result<Self, Failure> {
        let settings = Settings::read(None, environment).map_err(SourceError::from)?;
        let remark = Some(
            "it is copied into repositories that are created or cloned from now on; `git init` copies it into an \
             existing one"
                .to_owned(),
        );
        if let Some(configured) = settings.template_directory() {
            return Ok(Self { hooks: configured.join("hooks"), top: None, remark, left_to_do: None });
        }
        let template = default_template(environment)?;
        let word = text::shell_word(template.as_os_str().as_encoded_bytes());
        let command = format!("git config --global init.templateDir {}", String::from_utf8_lossy(&word));
        Ok(Self { hooks: template.join("hooks"), top: None, remark, left_to_do: Some(text::line(&command)) })
    }
}

/// `git/template` in the user's configuration directory.
fn default_template(environment: &GitEnvironment) -> Result<PathBuf, Failure> {
    let configuration = match (&environment.config_home, &environment.home) {
        (Some(directory), _) => directory.clone(),
        (None, Some(home)) => home.join(".config"),
        (None, None) => {
            return Err(Failure::unfinished(
                "there is no home directory to keep git's template directory in",
                "set HOME, or choose a directory with: git config --global init.templateDir DIRECTORY",
            ));
        }
    };
    Ok(configuration.join("git").join("template"))
}
