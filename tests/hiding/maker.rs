//! Makes repositories with the real git, object by object where people's commands would not do it.
//!
//! Must not know: keyfence, secrets.
//! Invariant: only what is asked for gets a reference or a reflog line.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::common::Repository;

/// What a commit does to its first parent's tree.
pub enum Change<'a> {
    Put(&'a [u8], &'a [u8]),
    PutExecutable(&'a [u8], &'a [u8]),
    Link(&'a [u8], &'a [u8]),
    Delete(&'a [u8]),
}

/// A repository under way.
pub struct Maker {
    pub repository: Repository,
}

impl Maker {
    pub fn new() -> Self {
        let repository = Repository::new();
        repository.git(&["config", "core.logAllRefUpdates", "false"]);
        repository.git(&["config", "gc.auto", "0"]);
        Self { repository }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.repository.path().join(name)
    }

    pub fn git(&self, arguments: &[&str]) -> String {
        self.repository.git(arguments)
    }

    /// Runs git with this on its standard input; gives its output without the line end.
    pub fn git_with(&self, input: &[u8], arguments: &[&str]) -> String {
        self.git_with_in(self.repository.path(), input, arguments)
    }

    fn git_with_in(&self, directory: &Path, input: &[u8], arguments: &[&str]) -> String {
        let output = feed(self.repository.command(directory).args(arguments), input);
        String::from_utf8_lossy(&output).trim_end().to_owned()
    }

    /// Stores an object of this kind.
    pub fn object(&self, kind: &str, content: &[u8]) -> String {
        self.git_with(content, &["hash-object", "--literally", "-w", "-t", kind, "--stdin"])
    }

    /// Makes a commit that nothing refers to.
    pub fn commit(&self, parents: &[&str], message: &str, changes: &[Change<'_>]) -> String {
        self.commit_by("Somebody", parents, message, changes)
    }

    /// The same with the author's name.
    pub fn commit_by(&self, author: &str, parents: &[&str], message: &str, changes: &[Change<'_>]) -> String {
        self.commit_in(self.repository.path(), author, parents, message, changes)
    }

    /// The same in another repository.
    pub fn commit_in(
        &self,
        directory: &Path,
        author: &str,
        parents: &[&str],
        message: &str,
        changes: &[Change<'_>],
    ) -> String {
        let stream = fast_import(author, parents, message, changes);
        self.git_with_in(directory, &stream, &["fast-import", "--quiet", "--force"])
    }

    /// Points a reference somewhere.
    pub fn refer(&self, name: &str, id: &str) {
        self.git(&["update-ref", name, id]);
    }

    /// The commit that `main` is at.
    pub fn main(&self) -> String {
        self.git(&["rev-parse", "refs/heads/main"]).trim_end().to_owned()
    }

    /// A commit on `main`.
    pub fn on_main(&self, message: &str, changes: &[Change<'_>]) {
        let commit = self.commit(&[&self.main()], message, changes);
        self.refer("refs/heads/main", &commit);
    }

    /// Two commits on `main`: one that brings something, one that takes it away again.
    pub fn passing(&self, path: &[u8], content: &[u8]) {
        self.on_main("Bring", &[Change::Put(path, content)]);
        self.on_main("Take away", &[Change::Delete(path)]);
    }
}

/// Runs a program, which must succeed, with this on its standard input; gives its output.
pub fn feed(command: &mut Command, input: &[u8]) -> Vec<u8> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program can be started");
    child.stdin.take().expect("it is piped").write_all(input).expect("it reads its input");
    let output = child.wait_with_output().expect("it ends");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {errors}");
    output.stdout
}

/// The commands of one commit for `git fast-import`, which answers with the commit's id and leaves no reference.
fn fast_import(author: &str, parents: &[&str], message: &str, changes: &[Change<'_>]) -> Vec<u8> {
    let mut stream = b"commit refs/passing\nmark :1\n".to_vec();
    for (role, name) in [("author", author), ("committer", "Somebody")] {
        stream.extend(format!("{role} {name} <somebody@example.org> 1767225600 +0000\n").bytes());
    }
    data(&mut stream, message.as_bytes());
    for (number, parent) in parents.iter().enumerate() {
        let word = if number == 0 { "from" } else { "merge" };
        stream.extend(format!("{word} {parent}\n").bytes());
    }
    for change in changes {
        let (mode, path, content) = match change {
            Change::Put(path, content) => ("100644", path, content),
            Change::PutExecutable(path, content) => ("100755", path, content),
            Change::Link(path, content) => ("120000", path, content),
            Change::Delete(path) => {
                stream.extend(format!("D {}\n", quoted(path)).bytes());
                continue;
            }
        };
        stream.extend(format!("M {mode} inline {}\n", quoted(path)).bytes());
        data(&mut stream, content);
    }
    stream.extend(
        b"\nget-mark :1\nreset refs/passing\nfrom 0000000000000000000000000000000000000000\n\ndone\n",
    );
    stream
}

fn data(stream: &mut Vec<u8>, content: &[u8]) {
    stream.extend(format!("data {}\n", content.len()).bytes());
    stream.extend(content);
    stream.push(b'\n');
}

fn quoted(path: &[u8]) -> String {
    let octal: String = path.iter().map(|byte| format!("\\{byte:03o}")).collect();
    format!("\"{octal}\"")
}
