//! No value gets out: every command and format over repositories full of secrets, and every byte that was written
//! anywhere is searched for every piece of every value, plain, reversed, in base64 and in hexadecimal.

#![cfg(all(unix, feature = "cli"))]

mod common;
#[path = "common/figures.rs"]
mod figures;
mod hiding;
#[path = "secret_hygiene/panics.rs"]
mod panics;
#[path = "secret_hygiene/typed.rs"]
mod typed;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use hiding::World;
use hiding::secrets::{KINDS, Kind, Secret};

const KEYFENCE: &str = env!("CARGO_BIN_EXE_keyfence");
/// So many bytes of a value in a row are a leak; in hexadecimal they are twice as many digits.
const PIECE: usize = 8;
const HEX_PIECE: usize = 2 * PIECE;

/// Everything that may not be seen.
#[derive(Default)]
struct Pieces {
    short: HashSet<[u8; PIECE]>,
    hexadecimal: HashSet<[u8; HEX_PIECE]>,
}

impl Pieces {
    fn of(secrets: impl Iterator<Item = Secret>) -> Self {
        let mut pieces = Self::default();
        for secret in secrets {
            for (_, value) in secret.parts() {
                let hidden = &value.as_bytes()[public_length(secret.kind, value)..];
                pieces.short.extend(disguises(hidden).iter().flat_map(|disguise| windows(disguise)));
                let digits = [HEXLOWER.encode(hidden), HEXUPPER.encode(hidden)];
                pieces.hexadecimal.extend(digits.iter().flat_map(|digits| windows(digits.as_bytes())));
            }
        }
        pieces
    }

    /// The first piece that stands in `bytes`, with what stands around it.
    fn seen_in(&self, bytes: &[u8]) -> Option<String> {
        let short = windows(bytes).position(|piece| self.short.contains(&piece));
        let at = short.or_else(|| windows(bytes).position(|piece| self.hexadecimal.contains(&piece)))?;
        let around = &bytes[at.saturating_sub(60)..(at + PIECE).min(bytes.len())];
        Some(String::from_utf8_lossy(around).into_owned())
    }
}

fn windows<const LENGTH: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; LENGTH]> {
    bytes.windows(LENGTH).map(|window| window.try_into().expect("windows have this length"))
}

/// What every value of the kind begins with.
fn public_length(kind: Kind, value: &str) -> usize {
    match kind {
        Kind::Exchange => 0,
        Kind::Github | Kind::Aws if value.len() < 60 && value.starts_with(['g', 'A']) => 4,
        Kind::Github | Kind::Aws => 0,
        // The header of every Ed25519 key: 16 bytes, of which a part of the 22nd character is the key's.
        Kind::Pem => 21,
    }
}

fn disguises(value: &[u8]) -> Vec<Vec<u8>> {
    let mut disguises = vec![value.to_vec(), value.iter().rev().copied().collect()];
    for from in 0..3 {
        disguises.push(BASE64_NOPAD.encode(&value[from..]).into_bytes());
        disguises.push(BASE64URL_NOPAD.encode(&value[from..]).into_bytes());
    }
    disguises
}

/// A world with a place for everything a run could write.
struct Stage {
    world: World,
    pieces: Pieces,
    written: PathBuf,
    searched: u64,
    leaks: Vec<String>,
    /// The commands that were run.
    asked: BTreeSet<String>,
}

impl Stage {
    fn set(kind: Kind) -> Self {
        let world = World::small(kind);
        let message = Secret::of(kind, "a message");
        fs::write(world.maker.path("message"), message.lines()).expect("the repository is writable");
        let secrets = world.planted.iter().filter_map(|planted| planted.secret.clone()).chain([message]);
        let pieces = Pieces::of(secrets);
        let written = world.maker.repository.outside().join("written");
        fs::create_dir(&written).expect("the directory is new");
        Self { world, pieces, written, searched: 0, leaks: Vec::new(), asked: BTreeSet::new() }
    }

    fn command(&self) -> Command {
        let mut command = self.world.maker.repository.program(KEYFENCE);
        command.env("TMPDIR", &self.written).env("HOME", &self.written).env("XDG_CONFIG_HOME", &self.written);
        command.env("XDG_CACHE_HOME", &self.written).env("RUST_BACKTRACE", "full").env("RUST_LOG", "trace");
        command
    }

    /// Runs keyfence and searches all that it wrote: both streams, and every file that is new or changed.
    fn run(&mut self, arguments: &[&str]) -> Output {
        self.run_over(arguments, "")
    }

    /// The same, with something to read.
    fn run_over(&mut self, arguments: &[&str], input: &str) -> Output {
        let before = self.files();
        let mut command = self.command();
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("keyfence can be started");
        let mut writer = child.stdin.take().expect("it is piped");
        // Who does not read its input may be gone.
        let _ = writer.write_all(input.as_bytes());
        drop(writer);
        let output = child.wait_with_output().expect("it ends");
        if let Some(command) = arguments.first() {
            self.asked.insert((*command).to_owned());
        }
        let name = arguments.join(" ");
        self.search(&format!("{name}: standard output"), &output.stdout);
        self.search(&format!("{name}: standard error"), &output.stderr);
        for (path, bytes) in self.files() {
            if before.get(&path) != Some(&bytes) {
                self.search(&format!("{name}: {}", path.display()), &bytes);
            }
        }
        output
    }

    fn search(&mut self, what: &str, bytes: &[u8]) {
        self.searched += bytes.len() as u64;
        if let Some(around) = self.pieces.seen_in(bytes) {
            self.leaks.push(format!("{what}: …{around}"));
        }
    }

    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(self.world.maker.repository.outside(), &mut files);
        files
    }
}

fn collect(directory: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(directory).expect("it can be listed") {
        let path = entry.expect("it can be listed").path();
        let metadata = fs::symlink_metadata(&path).expect("it is there");
        if metadata.is_dir() {
            collect(&path, files);
        } else if metadata.is_file() {
            let bytes = fs::read(&path).expect("it can be read");
            files.insert(path, bytes);
        }
    }
}

/// What clap says is possible for an option.
fn possible(stage: &Stage, arguments: &[&str]) -> Vec<String> {
    let refused =
        stage.command().args(arguments).arg("no such value").output().expect("keyfence can be started");
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    let (_, list) = words.split_once("[possible values: ").expect("clap names what is possible");
    let (list, _) = list.split_once(']').expect("the list ends");
    list.split(", ").map(|value| value.trim().to_owned()).collect()
}

fn help(stage: &Stage, arguments: &[&str]) -> String {
    let output = stage.command().args(arguments).arg("--help").output().expect("keyfence can be started");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn every_scan(stage: &mut Stage) {
    let help = help(stage, &["scan"]);
    let range = format!("{}..HEAD", stage.world.base);
    let mut scans = vec![
        vec!["scan"],
        vec!["scan", "--no-ignore"],
        vec!["scan", "--staged"],
        vec!["scan", "--message", "message"],
    ];
    if help.contains("--history") {
        scans.push(vec!["scan", "--history"]);
    }
    if help.contains("--range") {
        scans.push(vec!["scan", "--range", &range]);
    }
    for format in possible(stage, &["scan", "--format"]) {
        // Every format gets the scan that meets every kind of content; two get all of them.
        let all = matches!(&*format, "human" | "json");
        for scan in scans.iter().filter(|scan| all || scan.contains(&"--history")) {
            let common = ["--format", &format, "--no-progress"];
            let output = stage.run(&[&scan[..], &common].concat());
            assert_eq!(
                output.status.code(),
                Some(1),
                "{scan:?}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        let report = stage.written.join("report").display().to_string();
        stage.run(&["scan", "--format", &format, "--output", &report, "--show-known", "--color", "always"]);
    }
    // What a history scan remembers is among the files that were searched.
    let cache = stage.world.maker.path(".git/keyfence/history");
    let remembered = fs::read(&cache).expect("a history scan remembers something");
    stage.search("the cache", &remembered);
}

/// Commands that are no scans, with everything in sight that they could tell of.
fn every_other_command(stage: &mut Stage, kind: Kind) {
    let (base, head) = (stage.world.base.clone(), stage.world.maker.repository.git(&["rev-parse", "HEAD"]));
    let (head, none) = (head.trim().to_owned(), "0".repeat(40));
    for arguments in [
        &["hook", "install"][..],
        &["hook", "status"],
        &["doctor"],
        &["hook", "run", "pre-commit"],
        &["hook", "run", "pre-merge-commit"],
        &["hook", "run", "commit-msg", "message"],
        &["hook", "run", "update", "refs/heads/main", &base, &head],
        &["hook", "uninstall"],
        &["ci", "--base", &base],
        &["config", "show"],
        &["rules", "list"],
        &["rules", "show", "github-token"],
        &["rules", "test"],
        &["explain", "github-token"],
        &["completions", "bash"],
        &["man"],
        &["help"],
    ] {
        stage.run(arguments);
    }
    let pushed = format!("refs/heads/main {head} refs/heads/main {none}\n");
    stage.run_over(&["hook", "run", "pre-push", "origin", "elsewhere"], &pushed);
    stage.run_over(&["hook", "run", "pre-receive"], &format!("{base} {head} refs/heads/main\n"));
    let text = Secret::of(kind, "a message").lines();
    assert_eq!(stage.run_over(&["scan", "-"], &text).status.code(), Some(1), "standard input is read");
    every_explanation(stage);
    for arguments in [
        &["baseline", "create"][..],
        &["baseline", "update"],
        &["baseline", "prune"],
        &["baseline", "show"],
        &["init", "--dry-run"],
        &["init"],
    ] {
        stage.run(arguments);
        stage.run(&["scan"]);
    }
}

/// What is told of single findings.
fn every_explanation(stage: &mut Stage) {
    let report = stage.run(&["scan", "--format", "json", "--no-progress"]);
    let report: serde_json::Value = serde_json::from_slice(&report.stdout).expect("it is JSON");
    let findings = report["findings"].as_array().expect("findings are a list");
    let fingerprints: Vec<_> =
        findings.iter().take(3).filter_map(|finding| finding["fingerprint"].as_str()).collect();
    assert!(!fingerprints.is_empty(), "findings have fingerprints");
    for fingerprint in fingerprints {
        let told = stage.run(&["explain", fingerprint]);
        assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    }
}

/// The commands that were not run, of those that there are.
fn left_out(stage: &Stage) -> Vec<String> {
    let help = help(stage, &[]);
    let (_, list) = help.split_once("Commands:\n").expect("the help lists them");
    let (list, _) = list.split_once("\n\n").expect("the list ends");
    let names = list.lines().filter_map(|line| line.strip_prefix("  ")?.split_once(' '));
    let names = names.map(|(name, _)| name.to_owned()).filter(|name| !name.is_empty());
    names.filter(|name| !stage.asked.contains(name)).collect()
}

/// Files of the project's own, broken around a value: errors tell the place, not what stands there.
fn every_broken_file(stage: &mut Stage, kind: Kind) {
    let secret = Secret::of(kind, "a message");
    let value = secret.line().replace('"', "'");
    for (file, content) in [
        (".keyfence.yaml", format!("confidence: \"{value}\"\n")),
        (".keyfence.yaml", format!("confidence: [\"{value}\"\n")),
        (".keyfence.yaml", format!("\"{value}\": 1\n")),
        (".keyfence.yaml", format!("{value}\n")),
        (".keyfence.yaml", format!("allow:\n  - \"{value}\"\n")),
        (".keyfence.yaml", format!("rules:\n  disable: [\"{value}\"]\n")),
        (".keyfenceignore", format!("[{value}\n")),
        (".keyfence-baseline", format!("{value}\n")),
    ] {
        fs::write(stage.world.maker.path(file), content).expect("the repository is writable");
        stage.run(&["scan", "--format", "json"]);
        fs::remove_file(stage.world.maker.path(file)).expect("it was just written");
    }
    for content in [
        format!("provider: acme\ntitle: Acme\nparts: \"{value}\"\n"),
        format!("provider: acme\ntitle: Acme\n\"{value}\": x\n"),
        format!(
            "provider: acme\ntitle: Acme\nparts:\n  - id: acme-key\n    part: key\n    role: \"{value}\"\n"
        ),
        format!(
            "provider: acme\ntitle: Acme\nparts:\n  - id: acme-key\n    part: key\n    role: secret\n    \
                 severity: high\n    need: name\n    shape: '[A-Z]{{20}}'\n    match: ['{value}']\n"
        ),
    ] {
        fs::write(stage.world.maker.path("pack.yaml"), content.replace("'''", "'")).expect("it is writable");
        stage.run(&["scan", "--rules", "pack.yaml"]);
        stage.run(&["rules", "lint", "pack.yaml"]);
        stage.run(&["rules", "test", "pack.yaml"]);
        fs::remove_file(stage.world.maker.path("pack.yaml")).expect("it was just written");
    }
}

#[expect(clippy::print_stdout, reason = "the figure is for whoever runs the test")]
#[test]
fn no_value_gets_out() {
    let results: Vec<(u64, Vec<String>)> = std::thread::scope(|scope| {
        let kinds = KINDS.iter().map(|&kind| {
            scope.spawn(move || {
                let mut stage = Stage::set(kind);
                every_scan(&mut stage);
                every_other_command(&mut stage, kind);
                every_broken_file(&mut stage, kind);
                assert_eq!(left_out(&stage), [""; 0], "every command is run");
                (stage.searched, stage.leaks)
            })
        });
        let handles: Vec<_> = kinds.collect();
        handles.into_iter().map(|handle| handle.join().expect("every kind can be tried")).collect()
    });
    let searched: u64 = results.iter().map(|(searched, _)| searched).sum();
    let leaks: Vec<_> = results.into_iter().flat_map(|(_, leaks)| leaks).collect();
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
    assert!(searched > 100_000, "only {searched} bytes were written");
    println!("{searched} bytes were searched");
    figures::record("bytes searched for values", &format!("{}, none of a value", figures::grouped(searched)));
}

#[test]
fn the_search_sees_what_leaks() {
    for kind in KINDS {
        let secret = Secret::of(kind, "a place");
        let pieces = Pieces::of([secret.clone()].into_iter());
        for (_, value) in secret.parts() {
            let tail = &value.as_bytes()[value.len() - 12..];
            let hexadecimal = HEXLOWER.encode(tail).into_bytes();
            for disguise in disguises(value.as_bytes()).into_iter().chain([tail.to_vec(), hexadecimal]) {
                let text = [b"told: ", &disguise[..], b"."].concat();
                assert!(pieces.seen_in(&text).is_some(), "{}: {}", kind.name(), disguise.len());
            }
        }
        assert_eq!(pieces.seen_in(b"BINANCE_API_SECRET GITHUB_TOKEN ghp_ AKIA -----BEGIN PRIVATE"), None);
    }
}

#[test]
fn memory_is_never_dumped() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let script = format!("ulimit -c unlimited; exec '{KEYFENCE}' scan -");
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &script]).current_dir(directory.path()).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = command.stderr(Stdio::null()).spawn().expect("there is a shell");
    let limits = PathBuf::from(format!("/proc/{}/limits", child.id()));
    if limits.exists() {
        let zero = || {
            let text = fs::read_to_string(&limits).unwrap_or_default();
            let line = text.lines().find(|line| line.starts_with("Max core file size")).unwrap_or_default();
            line.split_whitespace().skip(4).take(2).all(|word| word == "0") && !line.is_empty()
        };
        let waited = (0..500).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(10));
            zero()
        });
        assert!(waited, "the limit is set while it waits for its input");
    } else {
        std::thread::sleep(std::time::Duration::from_secs(2));
    }
    let kill = Command::new("kill").args(["-ABRT", &child.id().to_string()]).status();
    assert!(kill.expect("kill can be started").success());
    let status = child.wait().expect("it is ours");
    assert!(status.signal().is_some() && !status.core_dumped(), "{status:?}");
    assert_eq!(fs::read_dir(directory.path()).expect("it can be listed").count(), 0, "nothing was left");
}
