//! Throw-away homes and repositories for tests that run the real program and the real git.
//!
//! Nothing of the person who runs the tests is seen: the environment is scrubbed, the home is a new directory.

#![allow(dead_code, reason = "every test program uses a part of it")]

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// The program under test.
pub const KEYFENCE: &str = env!("CARGO_BIN_EXE_keyfence");

/// The character that keeps tokens in data files apart; it is removed when they are copied.
pub const SEAM: &str = "¦";

/// An invented Binance pair as a `.env` file, built from pieces so that no scanner takes this file for a leak.
pub fn leaking_env() -> String {
    let key = ["QD9rzGHcIHTsXtPQ", "aI4tSdiCJ16z3uCB", "f8OYXGw5bmzxh5vo", "Vj74b4TLa1WmMkUz"].concat();
    let secret = secret_value();
    format!("BINANCE_API_KEY={key}\nBINANCE_API_SECRET={secret}\n")
}

/// The secret half of the pair: must never be seen in any output.
pub fn secret_value() -> String {
    ["T2r6tdz0aDZs41Y2", "BzAufqYZhs2TBcjn", "axLyKGGQzyo0k8pG", "2INtoAxa8a8T4nDB"].concat()
}

/// A home directory and everything beside it, gone when dropped.
pub struct Sandbox {
    directory: TempDir,
}

impl Sandbox {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let sandbox = Self { directory };
        fs::create_dir(sandbox.path("home")).expect("the sandbox is writable");
        sandbox
    }

    pub fn path(&self, name: &str) -> PathBuf {
        let root = fs::canonicalize(self.directory.path()).expect("the sandbox exists");
        root.join(name)
    }

    /// A command that knows nothing of the outside but PATH.
    pub fn command(&self, program: impl AsRef<OsStr>, directory: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(directory).env_clear();
        for name in ["PATH", "SystemRoot"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        let home = self.path("home");
        command.env("HOME", &home).env("XDG_CONFIG_HOME", home.join(".config"));
        command.env("GIT_CONFIG_GLOBAL", home.join(".gitconfig")).env("GIT_CONFIG_NOSYSTEM", "1");
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), "Somebody");
            command.env(format!("GIT_{role}_EMAIL"), "somebody@example.org");
        }
        command
    }

    /// An empty repository on branch `main`.
    pub fn repository(&self, name: &str) -> Repository<'_> {
        let top = self.path(name);
        fs::create_dir_all(&top).expect("the sandbox is writable");
        let repository = Repository { sandbox: self, top };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository
    }
}

/// A work tree in a sandbox.
pub struct Repository<'a> {
    pub sandbox: &'a Sandbox,
    pub top: PathBuf,
}

impl Repository<'_> {
    pub fn write(&self, name: &str, content: &str) {
        let file = self.top.join(name);
        fs::create_dir_all(file.parent().expect("it is in the work tree")).expect("the sandbox is writable");
        fs::write(file, content).expect("the sandbox is writable");
    }

    /// Runs git; it must succeed.
    pub fn git(&self, arguments: &[&str]) -> Output {
        let output = self.try_git(arguments);
        assert!(output.status.success(), "git {arguments:?}: {}", words(&output));
        output
    }

    /// Runs git.
    pub fn try_git(&self, arguments: &[&str]) -> Output {
        self.run(Path::new("git"), arguments)
    }

    /// Runs keyfence.
    pub fn keyfence(&self, arguments: &[&str]) -> Output {
        self.run(Path::new(KEYFENCE), arguments)
    }

    /// Runs any program at the top of the work tree.
    pub fn run(&self, program: &Path, arguments: &[&str]) -> Output {
        self.sandbox.command(program, &self.top).args(arguments).output().expect("the program can be started")
    }

    /// Writes a file and stages it.
    pub fn stage(&self, name: &str, content: &str) {
        self.write(name, content);
        self.git(&["add", "--force", "--", name]);
    }

    /// A first commit without any secret, before any hook.
    pub fn first_commit(&self) {
        self.stage("README.md", "A trading bot.\n");
        self.git(&["commit", "--quiet", "--no-verify", "-m", "Begin"]);
    }

    /// How many commits there are on the current branch.
    pub fn commits(&self) -> usize {
        let output = self.try_git(&["rev-list", "--count", "HEAD"]);
        String::from_utf8_lossy(&output.stdout).trim().parse().unwrap_or(0)
    }

    pub fn install_hook(&self) {
        let output = self.keyfence(&["hook", "install"]);
        assert_eq!(output.status.code(), Some(0), "{}", words(&output));
    }
}

/// Both outputs, for messages and for looking at what a person sees.
pub fn words(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Asserts that a commit was stopped by keyfence, that it said so, and that it kept the secret to itself.
pub fn assert_stopped(situation: &str, output: &Output) {
    let words = words(output);
    assert!(!output.status.success(), "{situation}: the commit went through\n{words}");
    assert!(words.contains("keyfence"), "{situation}: stopped by something else\n{words}");
    assert!(words.contains("inance"), "{situation}: does not say what was found\n{words}");
    assert!(!words.contains(&secret_value()), "{situation}: the secret was printed");
}

/// Copies a directory of a case: the seam is removed from names and contents.
pub fn copy_without_seam(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the sandbox is writable");
    for entry in fs::read_dir(from).expect("the case's input can be listed") {
        let entry = entry.expect("the case's input can be listed").path();
        let name = entry.file_name().and_then(OsStr::to_str).expect("names in cases are UTF-8");
        let target = to.join(name.replace(SEAM, ""));
        if entry.is_dir() {
            copy_without_seam(&entry, &target);
        } else {
            fs::write(target, read_without_seam(&entry)).expect("the sandbox is writable");
        }
    }
}

/// A file of a case without the seam; a missing file is empty.
pub fn read_without_seam(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_default().replace(SEAM, "")
}
