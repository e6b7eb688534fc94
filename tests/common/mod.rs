//! Real git repositories for tests: throw-away directories, a scrubbed environment, an identity of their own.
//!
//! Must not know: keyfence.
//! Invariant: nothing of the person's own configuration or environment reaches the git that is run here.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A repository with a work tree that is deleted when it is dropped.
pub struct Repository {
    holder: tempfile::TempDir,
    path: PathBuf,
}

impl Repository {
    /// A repository without a commit, on the branch `main`.
    pub fn new() -> Self {
        Self::with_options(&[])
    }

    /// The same with more options for `git init`.
    pub fn with_options(options: &[&str]) -> Self {
        let holder = tempfile::tempdir().expect("a temporary directory can be made");
        let path = holder.path().canonicalize().expect("it exists").join("repository");
        fs::create_dir(&path).expect("the directory is new");
        let repository = Self { holder, path };
        repository.git(&[&["init", "-q", "-b", "main"], options].concat());
        repository
    }

    /// The top of the work tree.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A directory beside the work tree that goes with it.
    pub fn outside(&self) -> &Path {
        self.path.parent().unwrap_or(self.holder.path())
    }

    /// Writes a file, with its directories.
    pub fn write(&self, path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) {
        let path = self.path.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).expect("directories can be made");
        }
        fs::write(path, bytes).expect("a file can be written");
    }

    /// Writes a file that may be run.
    pub fn write_executable(&self, path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) {
        self.write(path.as_ref(), bytes);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let permissions = fs::Permissions::from_mode(0o755);
            fs::set_permissions(self.path.join(path), permissions).expect("it was just written");
        }
    }

    /// Runs git in the work tree and returns its standard output; panics when git fails.
    pub fn git(&self, arguments: &[&str]) -> String {
        self.git_in(&self.path, arguments)
    }

    /// The same in another directory.
    pub fn git_in(&self, directory: &Path, arguments: &[&str]) -> String {
        let output = run(self.command(directory).args(arguments));
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?} failed: {errors}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Runs git and returns whatever comes of it.
    pub fn try_git(&self, arguments: &[&str]) -> Output {
        run(self.command(&self.path).args(arguments))
    }

    /// A git command with the scrubbed environment, to be given arguments.
    pub fn command(&self, directory: &Path) -> Command {
        scrubbed("git", directory, self.outside())
    }

    /// Any program with the same environment.
    pub fn program(&self, program: impl AsRef<OsStr>) -> Command {
        scrubbed(program, &self.path, self.outside())
    }

    /// Stages everything and commits it.
    pub fn commit_all(&self, message: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--no-verify", "-m", message]);
    }
}

fn scrubbed(program: impl AsRef<OsStr>, directory: &Path, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().current_dir(directory);
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("HOME", home).env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), "Tester").env(format!("GIT_{role}_EMAIL"), "t@example.org");
        command.env(format!("GIT_{role}_DATE"), "2026-01-01T00:00:00Z");
    }
    command.env("LC_ALL", "C").env("GIT_TERMINAL_PROMPT", "0");
    command
}

fn run(command: &mut Command) -> Output {
    command.output().expect("git can be started")
}
