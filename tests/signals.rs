//! Ctrl-C and SIGTERM at random moments of every scan: nothing half done is left, nothing that was not looked at is
//! called clean, and what stood there before is whole.
//!
//! The moments are random, but the same ones every time; `KEYFENCE_SIGNALS` asks for more of them.

#![cfg(all(unix, feature = "cli"))]

#[path = "common/dice.rs"]
mod dice;
#[path = "common/figures.rs"]
mod figures;
#[path = "cli/support.rs"]
mod support;

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use dice::Dice;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use support::{KEYFENCE, Repository, Sandbox, leaking_env, secret_value};

/// Moments of each kind of scan in an ordinary run.
const MOMENTS: usize = 8;
/// Longer than a scan may take to end after a signal: it loses patience with itself after a second.
const PATIENCE: Duration = Duration::from_secs(5);
/// What lies where the report will be.
const PREVIOUS: &[u8] = b"{\"previous\": true}\n";
/// What one interrupted scan leaves for the next must not change what that one finds. So often this is looked at.
const LOOKED_AT: usize = 5;

/// Every kind of scan that takes a while, and whether it writes a report.
const SCANS: [(&str, &[&str]); 4] = [
    ("tree", &["scan", "--no-ignore"]),
    ("staged", &["scan", "--staged"]),
    ("history", &["scan", "--history"]),
    ("hook", &["hook", "run", "pre-commit"]),
];

fn moments() -> usize {
    let asked = std::env::var("KEYFENCE_SIGNALS").ok();
    asked.map_or(MOMENTS, |text| text.parse().expect("KEYFENCE_SIGNALS is a number"))
}

/// A repository whose tree, index and history each take a while, with leaks all over.
fn long<'a>(sandbox: &'a Sandbox) -> Repository<'a> {
    let repository = sandbox.repository("long");
    repository.first_commit();
    let line = "a line of a log that says nothing at all, over and over\n";
    for commit in 0..30 {
        let text = format!("{}{}{commit}\n", line.repeat(400 + commit), leaking_env());
        repository.stage(&format!("{}/log.txt", commit % 10), &text);
        repository.git(&["commit", "--quiet", "-m", "x"]);
    }
    for file in 0..25 {
        repository
            .stage(&format!("new/{file}.txt"), &format!("{file}\n{}{}", line.repeat(600), leaking_env()));
    }
    repository
}

/// One kind of scan, ended again and again.
struct Stage<'a> {
    repository: Repository<'a>,
    arguments: &'static [&'static str],
    /// The report; what is beside it is seen.
    report: PathBuf,
    /// What an undisturbed scan tells, in lines, and how many findings are in its report.
    whole: usize,
    found: usize,
}

impl<'a> Stage<'a> {
    fn set(sandbox: &'a Sandbox, arguments: &'static [&'static str]) -> Self {
        let reports = sandbox.path("reports");
        fs::create_dir(&reports).expect("the sandbox is writable");
        let mut stage = Self {
            repository: long(sandbox),
            arguments,
            report: reports.join("report.json"),
            whole: 0,
            found: 0,
        };
        stage.whole = stage.findings();
        if stage.has_report() {
            stage.length();
            stage.found = count(&parsed(&stage.report()).expect("a report is JSON"));
        }
        stage
    }

    fn has_report(&self) -> bool {
        self.arguments[0] == "scan"
    }

    fn start(&self) -> Child {
        let mut command = self.repository.sandbox.command(KEYFENCE, &self.repository.top);
        command.args(self.arguments).env("TMPDIR", self.directory());
        if self.has_report() {
            command.args(["--format", "json", "--output"]).arg(&self.report);
        }
        let output = (Stdio::null(), Stdio::null());
        command.stdin(Stdio::null()).stdout(output.0).stderr(output.1).spawn().expect("it starts")
    }

    fn directory(&self) -> &Path {
        self.report.parent().expect("it has one")
    }

    /// How much an undisturbed scan finds, with whatever others left.
    fn findings(&self) -> usize {
        let output = self.repository.keyfence(&[self.arguments, self.format()].concat());
        assert_eq!(output.status.code(), Some(1), "{}", support::words(&output));
        output.stdout.iter().chain(&output.stderr).filter(|&&byte| byte == b'\n').count()
    }

    fn format(&self) -> &'static [&'static str] {
        if self.has_report() { &["--format", "json", "--no-progress"] } else { &[] }
    }

    fn prepare(&self) {
        fs::write(&self.report, PREVIOUS).expect("the sandbox is writable");
        // Whatever was remembered would make the next scan short.
        let _ = fs::remove_dir_all(self.repository.top.join(".git/keyfence"));
    }

    /// How long it takes when nobody disturbs it.
    fn length(&self) -> Duration {
        self.prepare();
        let began = Instant::now();
        assert_eq!(self.start().wait().expect("it is ours").code(), Some(1));
        began.elapsed()
    }

    /// Sends a signal after a while; how it ended.
    fn end(&self, signal: Signal, after: Duration) -> ExitStatus {
        self.prepare();
        let mut child = self.start();
        std::thread::sleep(after);
        let process = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("it has a number");
        // It may be over already; until it is waited for, the number is its own.
        let _ = kill_process(process, signal);
        let sent = Instant::now();
        let status = child.wait().expect("it is ours");
        assert!(sent.elapsed() < PATIENCE, "it took {:?} to end", sent.elapsed());
        status
    }

    /// What is wrong after a signal.
    fn faults(&self, status: ExitStatus, signal: Signal) -> Vec<String> {
        let mut faults = Vec::new();
        let killed = status.signal() == Some(signal.as_raw());
        if !killed && !matches!(status.code(), Some(1 | 130)) {
            faults.push(format!("it ends with {status:?}"));
        }
        let left = fs::read_dir(self.directory()).expect("it can be listed").count();
        if left != 1 {
            faults.push(format!("{} files are left beside the report", left.saturating_sub(1)));
        }
        let report = self.report();
        if report.windows(16).any(|piece| piece == &secret_value().as_bytes()[..16]) {
            faults.push("the report holds a value".to_owned());
        }
        faults.extend(if report == PREVIOUS { None } else { self.fault_of(&report, status) });
        faults
    }

    fn report(&self) -> Vec<u8> {
        fs::read(&self.report).expect("there was one before")
    }

    /// A report that is new: it is whole and holds everything, or says that the scan was interrupted. Who was ended by the
    /// signal itself had put the report in place before, and it must be the one of a scan that nobody disturbed.
    fn fault_of(&self, report: &[u8], status: ExitStatus) -> Option<String> {
        let Some(report) = parsed(report) else {
            return Some(format!("the report is half: {} bytes", report.len()));
        };
        let problems = report["problems"].as_array().expect("problems are a list");
        let is_told = problems.iter().any(|problem| problem["kind"] == "interrupted");
        let found = count(&report);
        let is_right = if status.code() == Some(130) { is_told } else { !is_told && found == self.found };
        (!is_right).then(|| {
            format!(
                "it ends with {status:?} and the report holds {found} of {} and says {problems:?}",
                self.found
            )
        })
    }
}

fn parsed(report: &[u8]) -> Option<Value> {
    serde_json::from_slice(report).ok()
}

fn count(report: &Value) -> usize {
    report["findings"].as_array().map_or(0, Vec::len)
}

/// How the scans of one kind ended.
#[derive(Default)]
struct Endings {
    over: usize,
    interrupted: usize,
    killed: usize,
    faults: Vec<String>,
}

fn play(number: usize) -> Endings {
    let (name, arguments) = SCANS[number];
    let sandbox = Sandbox::new();
    let stage = Stage::set(&sandbox, arguments);
    let length = stage.length();
    let mut dice = Dice(1 + number as u64);
    let mut endings = Endings::default();
    for moment in 0..moments() {
        let signal = if dice.share() < 0.5 { Signal::INT } else { Signal::TERM };
        // A tenth comes after the end, more or less.
        let after = length.mul_f64(1.1 * dice.share());
        let status = stage.end(signal, after);
        match status.code() {
            Some(1) => endings.over += 1,
            Some(_) => endings.interrupted += 1,
            None => endings.killed += 1,
        }
        let told = |fault| format!("{name}, {signal:?} after {after:?} of {length:?}: {fault}");
        endings.faults.extend(stage.faults(status, signal).into_iter().map(told));
        if moment % LOOKED_AT == 0 && stage.findings() != stage.whole {
            endings.faults.push(told("the next scan finds something else".to_owned()));
        }
    }
    endings
}

#[test]
fn signals_at_any_time_leave_nothing_half_done() {
    let all: Vec<Endings> = (0..SCANS.len()).map(play).collect();
    let faults: Vec<_> = all.iter().flat_map(|endings| endings.faults.clone()).collect();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    let sum = |part: fn(&Endings) -> usize| all.iter().map(part).sum::<usize>();
    let (over, interrupted, killed) =
        (sum(|endings| endings.over), sum(|endings| endings.interrupted), sum(|endings| endings.killed));
    assert!(interrupted + killed > over, "most come in time: {over} of {}", over + interrupted + killed);
    let total = over + interrupted + killed;
    let figure = format!(
        "{total} in {} scans: {interrupted} told, {killed} ended at once, {over} came too late, nothing half done",
        SCANS.len()
    );
    figures::record("signals at random moments", &figure);
}
