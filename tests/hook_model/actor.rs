//! Somebody who edits, stages and commits at random, in every way git offers, and is watched by the hook.
//!
//! Invariant: the same seed does the same things; every line that is written holds a token that was never used before.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use crate::common::Repository;
use crate::dice::Dice;
use crate::witness::{Judged, Witness};

/// The length of a token.
pub const TOKEN: usize = 40;
const ALPHANUMERIC: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const KEYFENCE: &str = env!("CARGO_BIN_EXE_keyfence");

/// What tokens begin with, in two pieces so that nobody takes this file for a leak.
pub fn prefix() -> &'static str {
    concat!("gh", "p_")
}

/// The message of a merge that had stopped.
const CONCLUDE: &str = "Conclude";
/// Attributes: line ends both ways, no conversion, another encoding in the work tree, a filter that drops lines.
const ATTRIBUTES: &str = "*.txt text\n*.crlf text eol=crlf\n*.raw -text -diff\n*.wide text working-tree-encoding=UTF-16LE-BOM\n\
    *.filtered filter=drop\n";
const DIRECTORIES: [&str; 6] = ["", "in/", "in/deep/", "out/", "out/a/b/", "with blank/"];
const EXTENSIONS: [&str; 7] = ["txt", "crlf", "raw", "wide", "filtered", "env", "py"];

/// The person, their repository and who watches them.
pub struct Actor {
    dice: Dice,
    repository: Repository,
    /// Where they work: the repository or a worktree of it.
    top: PathBuf,
    witness: Witness,
    /// What was done, for people who have to understand a difference.
    pub log: Vec<String>,
    /// How many commits were compared.
    pub compared: u64,
    names: usize,
}

impl Actor {
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let options: &[&str] = if dice.chance(5) { &["--object-format=sha256"] } else { &[] };
        let repository = Repository::with_options(options);
        let mut settings = vec![("filter.drop.clean", "grep -v DROP || true"), ("gc.auto", "0")];
        if dice.chance(4) {
            settings.push(("core.autocrlf", "true"));
        }
        if dice.chance(4) {
            settings.push(("core.untrackedCache", "true"));
        }
        for (name, value) in settings {
            repository.git(&["config", name, value]);
        }
        let mut actor = Self {
            dice,
            top: repository.path().to_owned(),
            repository,
            witness: Witness::default(),
            log: Vec::new(),
            compared: 0,
            names: 0,
        };
        actor.repository.write(".gitattributes", ATTRIBUTES);
        if actor.dice.chance(2) {
            actor.repository.commit_all("Begin");
            if actor.dice.chance(3) {
                actor.git(&["worktree", "add", "--quiet", "../linked", "-b", "work"]);
                actor.top = actor.repository.outside().join("linked");
            }
        }
        actor.install_watch();
        actor
    }

    /// Does one thing.
    pub fn step(&mut self) {
        match self.dice.below(30) {
            0..=4 => self.create(),
            5..=10 => self.edit(),
            11 => self.remove(),
            12 => self.rename(),
            13 => self.link(),
            14 => self.mode(),
            15..=18 => self.stage(),
            19 => self.stage_hunks(),
            20 => self.stage_unseen(),
            21 => self.hide(),
            22 => self.shape_index(),
            23 => self.merge(),
            _ => self.commit(),
        }
    }

    // What is written.

    fn token(&mut self) -> String {
        let random: String =
            (0..30).map(|_| ALPHANUMERIC[self.dice.below(ALPHANUMERIC.len())] as char).collect();
        let mut rest = crc32fast::hash(random.as_bytes()) as usize;
        let mut checksum = [b'0'; 6];
        for place in checksum.iter_mut().rev() {
            *place = ALPHANUMERIC[rest % 62];
            rest /= 62;
        }
        format!("{}{random}{}", prefix(), String::from_utf8_lossy(&checksum))
    }

    fn line(&mut self) -> String {
        let mark = if self.dice.chance(6) { "DROP_" } else { "" };
        let end = if self.dice.chance(5) { "\r\n" } else { "\n" };
        format!("{mark}GITHUB_TOKEN={}{end}", self.token())
    }

    fn lines(&mut self, most: usize) -> Vec<String> {
        let count = 1 + self.dice.below(most);
        (0..count).map(|_| self.line()).collect()
    }

    fn new_name(&mut self) -> String {
        self.names += 1;
        let directory = *self.dice.pick(&DIRECTORIES).expect("there are some");
        let extension = *self.dice.pick(&EXTENSIONS).expect("there are some");
        format!("{directory}file{}.{extension}", self.names)
    }

    fn write(&self, name: &str, lines: &[String]) {
        let path = self.top.join(name);
        fs::create_dir_all(path.parent().expect("it is in the work tree")).expect("directories can be made");
        let text = lines.concat();
        let bytes = if name.ends_with(".wide") {
            text.encode_utf16().fold(vec![0xff, 0xfe], |mut bytes, unit| {
                bytes.extend(unit.to_le_bytes());
                bytes
            })
        } else {
            text.into_bytes()
        };
        fs::write(path, bytes).expect("a file can be written");
    }

    fn read(&self, name: &str) -> Vec<String> {
        let bytes = fs::read(self.top.join(name)).expect("it is a file");
        let text = if name.ends_with(".wide") {
            let units = bytes.chunks_exact(2).skip(1).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
            String::from_utf16_lossy(&units.collect::<Vec<_>>())
        } else {
            String::from_utf8_lossy(&bytes).into_owned()
        };
        text.split_inclusive('\n').map(ToOwned::to_owned).collect()
    }

    // What is done to the work tree.

    /// The regular files of the work tree.
    fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        collect(&self.top, &self.top, &mut files);
        files.sort();
        files
    }

    fn some_file(&mut self) -> Option<String> {
        let files = self.files();
        self.dice.pick(&files).cloned()
    }

    fn create(&mut self) {
        let (name, lines) = (self.new_name(), self.lines(6));
        self.note(&format!("create {name}, {} lines", lines.len()));
        self.write(&name, &lines);
    }

    fn edit(&mut self) {
        let Some(name) = self.some_file() else { return };
        let mut lines = self.read(&name);
        // A last line without its end would run into the next.
        if let Some(last) = lines.last_mut().filter(|line| !line.ends_with('\n')) {
            last.push('\n');
        }
        for _ in 0..=self.dice.below(3) {
            let at = self.dice.below(lines.len() + 1);
            match self.dice.below(4) {
                0 if at < lines.len() => drop(lines.remove(at)),
                1 if at < lines.len() => lines[at] = self.line(),
                _ => lines.insert(at, self.line()),
            }
        }
        if self.dice.chance(8) {
            let to_crlf = self.dice.chance(2);
            for line in &mut lines {
                let text = line.trim_end_matches(['\r', '\n']);
                *line = format!("{text}{}", if to_crlf { "\r\n" } else { "\n" });
            }
        }
        self.note(&format!("edit {name}, now {} lines", lines.len()));
        self.write(&name, &lines);
    }

    fn remove(&mut self) {
        let Some(name) = self.some_file() else { return };
        self.note(&format!("remove {name}"));
        fs::remove_file(self.top.join(name)).expect("it is a file");
    }

    fn rename(&mut self) {
        let Some(from) = self.some_file() else { return };
        self.names += 1;
        let extension = from.rsplit('.').next().unwrap_or("txt").to_owned();
        let to = format!("{}moved{}.{extension}", DIRECTORIES[self.dice.below(2)], self.names);
        self.git(&["mv", "-k", &from, &to]);
        if self.top.join(&to).exists() && self.dice.chance(2) {
            let mut lines = self.read(&to);
            let at = self.dice.below(lines.len() + 1);
            lines.insert(at, self.line());
            self.write(&to, &lines);
            self.git(&["add", "--", &to]);
        }
    }

    fn link(&mut self) {
        let Some(name) = self.some_file() else { return };
        let target = self.line().trim_end().to_owned();
        self.note(&format!("link {name}"));
        let path = self.top.join(name);
        fs::remove_file(&path).expect("it is a file");
        std::os::unix::fs::symlink(target, path).expect("links can be made");
    }

    fn mode(&mut self) {
        let Some(name) = self.some_file() else { return };
        self.git(&["update-index", "--chmod=+x", "--", &name]);
    }

    // What is staged.

    fn stage(&mut self) {
        match self.dice.below(6) {
            0 => self.git(&["add", "-A"]),
            1 => self.git(&["add", "-u"]),
            5 => self.git(&["add", "--renormalize", "."]),
            kind => {
                let Some(name) = self.some_file() else { return };
                match kind {
                    2 => self.git(&["reset", "-q", "--", &name]),
                    3 => self.git(&["add", "--intent-to-add", "--", &name]),
                    _ => self.git(&["add", "--sparse", "--", &name]),
                }
            }
        };
    }

    /// Stages some of the hunks of a file, as `add --patch` does.
    fn stage_hunks(&mut self) {
        let Some(name) = self.some_file() else { return };
        let diff = self.git(&["diff", "--text", "--no-color", "-U0", "--", &name]).stdout;
        let diff = String::from_utf8_lossy(&diff).into_owned();
        let Some(first) = diff.find("\n@@ ") else { return };
        let (head, hunks) = diff.split_at(first + 1);
        let mut patch = head.to_owned();
        for hunk in hunks.split_inclusive('\n').fold(Vec::<String>::new(), |mut hunks, line| {
            match hunks.last_mut() {
                Some(hunk) if !line.starts_with("@@ ") => hunk.push_str(line),
                _ => hunks.push(line.to_owned()),
            }
            hunks
        }) {
            if self.dice.chance(2) {
                patch.push_str(&hunk);
            }
        }
        let file = self.repository.outside().join("patch");
        fs::write(&file, patch).expect("the directory is writable");
        self.git(&["apply", "--cached", "--unidiff-zero", &file.display().to_string()]);
    }

    /// Puts content into the index that the work tree never had.
    fn stage_unseen(&mut self) {
        let lines = self.lines(3).concat();
        let file = self.repository.outside().join("unseen");
        fs::write(&file, lines).expect("the directory is writable");
        let stored = self.git(&["hash-object", "-w", "--no-filters", &file.display().to_string()]);
        let id = String::from_utf8_lossy(&stored.stdout).trim_end().to_owned();
        let name = self.new_name();
        self.git(&["update-index", "--add", "--cacheinfo", &format!("100644,{id},{name}")]);
    }

    fn hide(&mut self) {
        let Some(name) = self.some_file() else { return };
        let flags = ["--assume-unchanged", "--no-assume-unchanged", "--skip-worktree", "--no-skip-worktree"];
        let flag = flags[self.dice.below(flags.len())];
        self.git(&["update-index", flag, "--", &name]);
    }

    fn shape_index(&mut self) {
        let shapes: [&[&str]; 8] = [
            &["update-index", "--split-index"],
            &["update-index", "--no-split-index"],
            &["update-index", "--index-version", "2"],
            &["update-index", "--index-version", "4"],
            &["sparse-checkout", "set", "--cone", "--sparse-index", "in"],
            &["sparse-checkout", "disable"],
            &["read-tree", "HEAD"],
            &["repack", "-a", "-d", "-q"],
        ];
        let shape = shapes[self.dice.below(shapes.len())];
        self.git(shape);
    }

    // What is committed.

    fn commit(&mut self) {
        if self.dice.chance(2) {
            self.git(&["add", "-A"]);
        }
        let files = self.files();
        let path = self.dice.pick(&files).cloned();
        let mut arguments = vec!["commit", "-q", "-m", "A commit"];
        let mut amends = false;
        match (self.dice.below(9), path.as_deref()) {
            (0, _) => arguments.push("--all"),
            (1, Some(path)) => arguments.extend(["--only", "--", path]),
            (2, Some(path)) => arguments.extend(["--include", "--", path]),
            (3, _) => (amends, _) = (true, arguments.push("--amend")),
            (4, _) => (amends, _) = (true, arguments.extend(["--amend", "--all"])),
            _ => {}
        }
        self.committing(amends, &arguments);
    }

    /// A second branch with commits of its own, merged; a conflict is resolved with something new.
    fn merge(&mut self) {
        let Some(main) = self.head() else { return };
        self.git(&["reset", "-q", "--hard"]);
        self.git(&["checkout", "-q", "-f", "-B", "side"]);
        for _ in 0..=self.dice.below(2) {
            self.edit();
            self.create();
            self.git(&["add", "-A"]);
            self.committing(false, &["commit", "-q", "-m", "On the side"]);
        }
        let side = self.head();
        self.git(&["checkout", "-q", "-f", "-B", "trunk", &main]);
        self.edit();
        self.git(&["add", "-A"]);
        self.committing(false, &["commit", "-q", "-m", "On the trunk"]);
        let before = self.head();
        let stops = self.dice.chance(3);
        let mut arguments = vec!["merge", "-q", "--no-ff", "-m", "Merge", "side"];
        if stops {
            arguments.push("--no-commit");
        }
        self.committing(false, &arguments);
        if self.head() != before || side.is_none() {
            return;
        }
        // It stopped: in a conflict, or because it was told to.
        for name in self.files() {
            let text =
                String::from_utf8_lossy(&fs::read(self.top.join(&name)).unwrap_or_default()).into_owned();
            if text.contains("<<<<<<<") {
                let mut seen = BTreeSet::new();
                let kept = text.split_inclusive('\n').filter(|line| !line.starts_with(['<', '=', '>', '|']));
                // Both sides of a conflict can hold the same line; each may stand there once.
                let kept = kept.filter(|line| seen.insert(line.trim_end().to_owned()));
                let mut lines: Vec<String> = kept.map(ToOwned::to_owned).collect();
                lines.push(self.line());
                fs::write(self.top.join(&name), lines.concat()).expect("it is a file");
            }
        }
        if self.dice.chance(2) {
            self.create();
        }
        self.git(&["add", "-A"]);
        self.committing(false, &["commit", "-q", "-m", CONCLUDE]);
        if self.git(&["rev-parse", "-q", "--verify", "MERGE_HEAD"]).status.success() {
            self.git(&["merge", "--abort"]);
        }
    }

    /// Runs a command that may commit, and compares if it did.
    fn committing(&mut self, amends: bool, arguments: &[&str]) {
        let seen = self.repository.outside().join("seen.json");
        let _ = fs::remove_file(&seen);
        let before = self.head();
        self.git(arguments);
        let after = self.head();
        let Some(commit) = after.clone().filter(|_| after != before) else { return };
        let bases = if amends { before.into_iter().collect() } else { self.parents(&commit) };
        let judged = judged(&seen).unwrap_or_else(|| panic!("{arguments:?}: committed without the hook"));
        let known = match arguments {
            // While git merges by itself it does not tell its hook what is merged.
            ["merge", ..] => 1,
            // A resolved conflict puts lines of both sides into an order that neither has.
            [.., CONCLUDE] => 0,
            _ => bases.len(),
        };
        let compared = self.witness.compare(&self.repository, &self.top, &commit, &bases, known, &judged);
        if let Err(difference) = compared {
            panic!("{arguments:?}: {difference}");
        }
        self.compared += 1;
    }

    fn head(&mut self) -> Option<String> {
        let output = run(&self.repository, &self.top, &["rev-parse", "-q", "--verify", "HEAD"]);
        let id = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
        output.status.success().then_some(id)
    }

    fn parents(&self, commit: &str) -> Vec<String> {
        let line = self.repository.git_in(&self.top, &["rev-list", "--parents", "-n", "1", commit]);
        line.split_whitespace().skip(1).map(ToOwned::to_owned).collect()
    }

    /// A hook that writes down what it would judge, and lets everything pass.
    fn install_watch(&self) {
        let seen = self.repository.outside().join("seen.json");
        let hooks = self.repository.git(&["rev-parse", "--git-common-dir"]);
        let hooks = self.repository.path().join(hooks.trim_end()).join("hooks");
        fs::create_dir_all(&hooks).expect("the repository is writable");
        let script = format!(
            "#!/bin/sh\n'{KEYFENCE}' scan --staged --format json --show-secrets --no-progress -j 1 --output '{}'\nexit 0\n",
            seen.display()
        );
        for hook in ["pre-commit", "pre-merge-commit"] {
            self.repository.write_executable(hooks.join(hook), &script);
        }
    }

    fn note(&mut self, what: &str) {
        self.log.push(what.to_owned());
    }

    fn git(&mut self, arguments: &[&str]) -> Output {
        let output = run(&self.repository, &self.top, arguments);
        let code = output.status.code();
        let failed = if output.status.success() { String::new() } else { format!(" (ended with {code:?})") };
        self.log.push(format!("git {}{failed}", arguments.join(" ")));
        output
    }
}

fn run(repository: &Repository, top: &Path, arguments: &[&str]) -> Output {
    repository.command(top).args(arguments).output().expect("git can be started")
}

fn collect(top: &Path, directory: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(directory).expect("the work tree can be listed") {
        let entry = entry.expect("the work tree can be listed");
        let name = entry.file_name();
        let kind = entry.file_type().expect("the file system tells types");
        if name == ".git" || name == ".gitattributes" {
            continue;
        }
        if kind.is_dir() {
            collect(top, &entry.path(), files);
        } else if kind.is_file() {
            let path = entry.path();
            let name = path.strip_prefix(top).expect("it is below the top");
            files.push(name.to_str().expect("names are UTF-8 here").to_owned());
        }
    }
}

/// What the hook wrote down: the tokens by path. `None` if it did not run.
fn judged(seen: &Path) -> Option<Judged> {
    let report: Value = serde_json::from_slice(&fs::read(seen).ok()?).expect("the report is JSON");
    assert_eq!(report["problems"], Value::Array(Vec::new()), "the hook could not look at everything");
    let mut judged = Judged::new();
    for finding in report["findings"].as_array().expect("findings are a list") {
        let text = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
        let tokens: &mut BTreeSet<String> = judged.entry(text("path")).or_default();
        tokens.insert(text("value"));
    }
    Some(judged)
}
