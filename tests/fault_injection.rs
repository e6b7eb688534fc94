//! The N-th call fails, for every N: `strace` makes real system calls of the real program fail, one kind after the other.
//!
//! A run is right if it did what it does without the failure, or if it says that it did not: it never ends with 0 where
//! something could not be looked at, never falls, never hangs, never leaves half a file where a whole one was, and what
//! could be read is still searched. An ordinary run tries [`USUAL`] failures; `KEYFENCE_FAULTS=all` tries all there are. Calls before `main` are the loader's and are left out: strace counts
//! each thread by itself, so the first few calls of other threads are left out with them.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "counts, and why nothing was tried")]
#![cfg(all(target_os = "linux", feature = "cli"))]

#[path = "common/figures.rs"]
mod figures;
#[path = "common/strace.rs"]
mod strace;
#[path = "cli/support.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use support::{KEYFENCE, Repository, Sandbox, words};

/// How many failures an ordinary run tries.
const USUAL: usize = 300;
/// How long a run may take, in seconds; strace and all.
const PATIENCE: &str = "30";
/// The first thing that `main` does.
const MAIN: &str = "RLIMIT_CORE";

/// Calls that fail together, and the errors that they can give.
const CALLS: &[(&str, &[&str])] = &[
    ("openat", &["EIO", "EMFILE", "EACCES", "ENOMEM"]),
    ("read", &["EIO", "ENOMEM"]),
    ("pread64", &["EIO"]),
    ("mmap", &["ENOMEM", "EIO"]),
    ("write", &["EIO", "ENOSPC"]),
    ("?rename", &["EIO", "EACCES"]),
    ("?renameat,?renameat2", &["EIO", "EACCES"]),
    ("fsync", &["EIO"]),
    ("getdents64", &["EIO", "ENOMEM"]),
    ("statx", &["EIO", "EACCES"]),
    ("?newfstatat", &["EIO", "EACCES"]),
];

/// What is run, the files it writes (from the top), and whether standard output is a report in JSON.
struct Case {
    name: &'static str,
    arguments: &'static [&'static str],
    writes: &'static [&'static str],
    /// What is not there before.
    removes: &'static [&'static str],
    reports: bool,
}

const CASES: &[Case] = &[
    Case {
        name: "scan",
        arguments: &["scan", "-f", "json", "-j", "2"],
        writes: &[],
        removes: &[],
        reports: true,
    },
    Case {
        name: "scan --staged",
        arguments: &["scan", "--staged", "-f", "json"],
        writes: &[],
        removes: &[],
        reports: true,
    },
    Case {
        name: "scan --range",
        arguments: &["scan", "--range", "HEAD~2..HEAD", "-f", "json"],
        writes: &[],
        removes: &[],
        reports: true,
    },
    Case {
        name: "scan --history --no-cache",
        arguments: &["scan", "--history", "--no-cache", "-f", "json"],
        writes: &[],
        removes: &[],
        reports: true,
    },
    Case {
        name: "scan --history",
        arguments: &["scan", "--history", "-f", "json"],
        writes: &[".git/keyfence/history"],
        removes: &[],
        reports: true,
    },
    Case {
        name: "scan -o",
        arguments: &["scan", "-o", "json:report.json"],
        writes: &["report.json"],
        removes: &[],
        reports: false,
    },
    Case {
        name: "baseline create",
        arguments: &["baseline", "create"],
        writes: &[".keyfence-baseline"],
        removes: &[".keyfence-baseline"],
        reports: false,
    },
    Case {
        name: "baseline update",
        arguments: &["baseline", "update"],
        writes: &[".keyfence-baseline"],
        removes: &[],
        reports: false,
    },
    Case {
        name: "hook install",
        arguments: &["hook", "install"],
        writes: &[".git/hooks/pre-commit"],
        removes: &[],
        reports: false,
    },
    Case {
        name: "hook run",
        arguments: &["hook", "run", "pre-commit"],
        writes: &[],
        removes: &[],
        reports: false,
    },
    Case {
        name: "init",
        arguments: &["init", "--force"],
        writes: &[".keyfence.yaml", ".keyfenceignore", ".keyfence-baseline"],
        removes: &[],
        reports: false,
    },
];

/// One failure: which calls, which of them, and with what error; `+` is all from there on.
#[derive(Clone, Debug)]
struct Fault {
    calls: &'static str,
    error: &'static str,
    when: String,
}

/// What came of a run.
#[derive(Clone)]
struct Ran {
    code: Option<i32>,
    output: Output,
    /// The secrets that the report tells, by fingerprint, with the file they are in.
    found: BTreeSet<(String, String)>,
    /// Whether a report came, and whether it tells of something that could not be looked at.
    report: Option<Value>,
    files: BTreeMap<&'static str, Option<Vec<u8>>>,
    /// Lines of the trace.
    trace: Vec<String>,
}

impl Ran {
    fn problems(&self) -> usize {
        let problems = self.report.as_ref().and_then(|report| report["problems"].as_array());
        problems.map_or(0, Vec::len)
    }

    /// The calls that were made to fail.
    fn injected(&self) -> Vec<&str> {
        self.trace.iter().filter(|line| line.contains("(INJECTED)")).map(String::as_str).collect()
    }
}

/// An invented pair that differs from those of other numbers.
fn pair(number: u64) -> String {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) + 1;
    let mut letters = || -> String {
        let letter = |_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            char::from(
                b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                    [(state >> 20) as usize % 62],
            )
        };
        (0..64).map(letter).collect()
    };
    format!("BINANCE_API_KEY={}\nBINANCE_API_SECRET={}\n", letters(), letters())
}

/// A repository with secrets in packed and loose commits, in the index and in the work tree, and with everything that
/// the commands replace.
fn repository(sandbox: &Sandbox) -> Repository<'_> {
    let repository = sandbox.repository("template");
    let _ = fs::remove_dir_all(repository.top.join(".git/hooks"));
    repository.write(".keyfence.yaml", "confidence: likely\n");
    repository.write(".keyfenceignore", "left-out/\n");
    repository.write("code.py", &"x = 1\n".repeat(300));
    repository.write("one/a.env", &pair(1));
    repository.write("gone.env", &pair(2));
    repository.git(&["add", "-A"]);
    repository.git(&["commit", "-q", "-m", "Begin"]);
    repository.git(&["rm", "-q", "gone.env"]);
    repository.write("code.py", &"x = 2\n".repeat(300));
    repository.git(&["commit", "-q", "-a", "-m", "Go on"]);
    repository.git(&["gc", "-q"]);
    repository.write("two/b.env", &pair(3));
    repository.git(&["add", "-A"]);
    repository.git(&["commit", "-q", "-m", "More"]);
    repository.write("two/deep/c.env", &pair(4));
    repository.git(&["add", "-A"]);
    repository.git(&["commit", "-q", "-m", "Most"]);
    repository.stage("three/d.env", &pair(5));
    repository.write("untracked.env", &pair(6));
    repository.write("report.json", "the report of yesterday\n");
    repository.write(".keyfence-baseline", "");
    fs::remove_file(repository.top.join(".keyfence-baseline")).expect("it was just written");
    let baseline = repository.keyfence(&["baseline", "create"]);
    assert!(baseline.status.success(), "{}", words(&baseline));
    // Later secrets are not in it.
    let kept = fs::read_to_string(repository.top.join(".keyfence-baseline")).expect("it was written");
    let head: String = kept
        .lines()
        .take_while(|line| line.starts_with('#') || line.starts_with("salt"))
        .fold(String::new(), |mut text, line| {
            let _ = writeln!(text, "{line}");
            text
        });
    repository.write(".keyfence-baseline", &head);
    repository
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the sandbox is writable");
    for entry in fs::read_dir(from).expect("it is there").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("the sandbox is writable");
        }
    }
}

/// The secrets of a report.
fn found(report: &Value) -> BTreeSet<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let findings = report["findings"].as_array().map(Vec::as_slice).unwrap_or_default();
    findings.iter().map(|finding| (text(&finding["fingerprint"]), text(&finding["path"]))).collect()
}

/// Runs a case on a copy of the template, with a failure if there is one.
fn run(sandbox: &Sandbox, case: &Case, fault: Option<&Fault>, name: &str) -> Ran {
    let top = sandbox.path(name).join("work");
    copy(&sandbox.path("template"), &top);
    for file in case.removes {
        fs::remove_file(top.join(file)).expect("it is in the template");
    }
    let trace = sandbox.path(name).join("trace");
    let mut strace = sandbox.command("timeout", &top);
    strace.args(["-k", "1", PATIENCE, "strace", "-f", "-qq", "-y", "-s", "0", "-o"]).arg(&trace);
    let calls: Vec<&str> = CALLS.iter().map(|(calls, _)| *calls).collect();
    match fault {
        None => strace.arg(format!("--trace={},prlimit64", calls.join(","))),
        Some(fault) => {
            strace.arg(format!("--trace={}", fault.calls));
            strace.arg(format!("--inject={}:error={}:when={}", fault.calls, fault.error, fault.when))
        }
    };
    let output = strace.arg(KEYFENCE).args(case.arguments).output().expect("timeout can be started");
    let files = case.writes.iter().map(|&file| (file, fs::read(top.join(file)).ok())).collect();
    let report: Option<Value> = if case.reports {
        serde_json::from_slice(&output.stdout).ok()
    } else {
        case.writes
            .contains(&"report.json")
            .then(|| fs::read(top.join("report.json")).ok())
            .flatten()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
    };
    let trace =
        String::from_utf8_lossy(&fs::read(&trace).unwrap_or_default()).lines().map(str::to_owned).collect();
    Ran {
        code: output.status.code(),
        found: report.as_ref().map(found).unwrap_or_default(),
        report,
        output,
        files,
        trace,
    }
}

/// How often each kind of call is made after `main` began: the first number, and the last.
fn points(whole: &Ran) -> BTreeMap<&'static str, (usize, usize)> {
    let mut counted: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut before: BTreeMap<&str, usize> = BTreeMap::new();
    let mut is_main = false;
    for line in &whole.trace {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let Some((call, _)) = rest.trim_start().split_once('(') else { continue };
        if call == "prlimit64" && line.contains(MAIN) {
            is_main = true;
        }
        let Some((calls, _)) =
            CALLS.iter().find(|(calls, _)| calls.split(',').any(|name| name.trim_start_matches('?') == call))
        else {
            continue;
        };
        *counted.entry((calls, thread)).or_default() += 1;
        if !is_main {
            *before.entry(calls).or_default() += 1;
        }
    }
    assert!(is_main, "the trace tells where main begins");
    let mut points = BTreeMap::new();
    for (calls, _) in CALLS {
        let most = counted.iter().filter(|((counted, _), _)| counted == calls).map(|(_, &count)| count).max();
        let first = before.get(calls).copied().unwrap_or(0) + 1;
        points.insert(*calls, (first, most.unwrap_or(0)));
    }
    points
}

/// Every failure that there is for a case.
fn faults(whole: &Ran) -> Vec<Fault> {
    let points = points(whole);
    let mut faults = Vec::new();
    for (calls, errors) in CALLS {
        let (first, last) = points[calls];
        for number in first..=last {
            for error in *errors {
                faults.push(Fault { calls, error, when: number.to_string() });
            }
            faults.push(Fault { calls, error: errors[0], when: format!("{number}+") });
        }
    }
    faults
}

/// How a run with a failure ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Ended {
    /// Nothing was made to fail, or only what is no file.
    Missed,
    /// All was done all the same.
    Unharmed,
    /// It was told, and what could be read was searched.
    Told,
}

/// What is wrong with a run, or how it ended.
fn judged(case: &Case, whole: &Ran, ran: &Ran, sandbox: &Sandbox, name: &str) -> Result<Ended, String> {
    let injected = ran.injected();
    // Memory that is not a file's is not what is asked here: nobody can go on without it.
    if injected.is_empty() || injected.iter().any(|line| line.contains("MAP_ANONYMOUS")) {
        return Ok(Ended::Missed);
    }
    let stderr = String::from_utf8_lossy(&ran.output.stderr);
    let wrong = |what: &str| {
        Err(format!("{what}: exit {:?}\n    {}\n    stderr: {}", ran.code, injected[0], stderr.trim()))
    };
    if ran.code.is_none_or(|code| !(0..=3).contains(&code)) {
        return wrong("it fell or hung");
    }
    if stderr.contains("itself failed") || stderr.contains("panicked") {
        return wrong("it failed by itself");
    }
    for (number, text) in [(1, &ran.output.stdout), (2, &ran.output.stderr)] {
        let _ = number;
        for secret in (1..=6).map(pair) {
            let value = secret.trim_end().rsplit_once('=').expect("it is a pair").1.as_bytes();
            if text.windows(value.len()).any(|window| window == value) {
                return wrong("it prints a value");
            }
        }
    }
    if let Some(left) = leftover(&sandbox.path(name).join("work")) {
        return wrong(&format!("{} is left behind", left.display()));
    }
    let mut all_written = true;
    for (file, content) in &ran.files {
        let old = fs::read(sandbox.path("template").join(file)).ok().filter(|_| !case.removes.contains(file));
        let is_old = *content == old;
        let is_new = content.as_deref().is_some_and(|content| is_whole(file, content, whole, sandbox, name));
        if !is_old && !is_new {
            return wrong(&format!("{file} is neither the old one nor a new one"));
        }
        all_written &= is_new;
    }
    let same = ran.code == whole.code
        && ran.found == whole.found
        && ran.problems() == whole.problems()
        && (all_written || case.name == "scan --history");
    if same {
        return Ok(Ended::Unharmed);
    }
    if ran.code == Some(0) {
        return wrong("it ends with 0 and did less");
    }
    // Whoever cannot write to standard error cannot say so.
    let is_mute = injected.iter().any(|line| line.contains("write(2<"));
    if ran.problems() == 0 && stderr.trim().is_empty() && !is_mute {
        return wrong("it says nothing");
    }
    if ran.report.is_some() || case.reports {
        let beside = beside(whole, &injected, &sandbox.path(name).join("work"));
        if !beside.is_subset(&ran.found) && !injected.iter().any(|line| line.contains("write(")) {
            return wrong("what could be read was not searched");
        }
    }
    Ok(Ended::Told)
}

/// What has to be found all the same where only one file of the work tree could not be read.
fn beside(whole: &Ran, injected: &[&str], top: &Path) -> BTreeSet<(String, String)> {
    let top = top.to_string_lossy();
    let mut beside = whole.found.clone();
    for line in injected {
        let mut hit = BTreeSet::new();
        for (_, path) in &whole.found {
            if line.contains(&format!("{top}/{path}>")) || line.contains(&format!("{path}\"")) {
                hit.insert(path.clone());
            }
        }
        if hit.is_empty() {
            return BTreeSet::new();
        }
        beside.retain(|(_, path)| !hit.contains(path));
    }
    beside
}

/// Whether a file is one that the command could have written.
fn is_whole(file: &str, content: &[u8], whole: &Ran, sandbox: &Sandbox, name: &str) -> bool {
    let top = sandbox.path(name).join("work");
    let ask = |arguments: &[&str]| {
        sandbox.command(KEYFENCE, &top).args(arguments).output().expect("it can be started")
    };
    match file {
        "report.json" => serde_json::from_slice::<Value>(content).is_ok(),
        ".keyfence-baseline" => ask(&["baseline", "show"]).status.success(),
        ".git/keyfence/history" => {
            let again = ask(&["scan", "--history", "-f", "json"]);
            let report: Value = serde_json::from_slice(&again.stdout).unwrap_or_default();
            found(&report) == whole.found && report["problems"] == Value::Array(Vec::new())
        }
        _ => whole.files[file].as_deref() == Some(content),
    }
}

/// A temporary file of ours.
fn leftover(top: &Path) -> Option<PathBuf> {
    let mut open = vec![top.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).expect("it is there").flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.path().is_dir() {
                open.push(entry.path());
            } else if name.starts_with(".keyfence-") && name != ".keyfence-baseline" {
                return Some(entry.path());
            }
        }
    }
    None
}

#[test]
fn a_failing_call_is_told_and_harms_nothing() {
    if !strace::works() {
        eprintln!(
            "SKIPPED: strace is not there, apt-get could not install it, or it may not trace: no call failed"
        );
        return;
    }
    let all = std::env::var("KEYFENCE_FAULTS").is_ok_and(|asked| asked == "all");
    let sandbox = Sandbox::new();
    repository(&sandbox);
    let wholes: Vec<Ran> = CASES
        .iter()
        .enumerate()
        .map(|(number, case)| run(&sandbox, case, None, &format!("whole-{number}")))
        .collect();
    for (case, whole) in CASES.iter().zip(&wholes) {
        assert!(matches!(whole.code, Some(0 | 1)), "{}: {}", case.name, words(&whole.output));
        assert!(!case.reports || !whole.found.is_empty(), "{} finds something", case.name);
    }
    let mut work: Vec<(usize, Fault)> = Vec::new();
    for (number, whole) in wholes.iter().enumerate() {
        work.extend(faults(whole).into_iter().map(|fault| (number, fault)));
    }
    if !all {
        let step = work.len() as f64 / USUAL as f64;
        work = (0..USUAL).map(|number| work[(number as f64 * step) as usize].clone()).collect();
    }
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<(usize, Result<Ended, String>)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some((number, fault)) = work.get(at) else { return };
                    let (case, whole, name) = (&CASES[*number], &wholes[*number], format!("fault-{at}"));
                    let ran = run(&sandbox, case, Some(fault), &name);
                    let judged = judged(case, whole, &ran, &sandbox, &name);
                    let judged = judged.map_err(|what| {
                        format!("{}: {} {} {}: {what}", case.name, fault.calls, fault.when, fault.error)
                    });
                    results.lock().expect("no worker panics").push((*number, judged));
                    fs::remove_dir_all(sandbox.path(&name)).expect("the sandbox is writable");
                }
            });
        }
    });
    let results = results.into_inner().expect("no worker panics");
    let failed: Vec<&String> = results.iter().filter_map(|(_, result)| result.as_ref().err()).collect();
    let table = table(&results);
    println!("{table}");
    let shown: Vec<&str> = failed.iter().take(60).map(|what| what.as_str()).collect();
    assert!(
        failed.is_empty(),
        "{} of {} failures are not handled:\n{}",
        failed.len(),
        results.len(),
        shown.join("\n")
    );
    let count = |wanted: Ended| results.iter().filter(|(_, result)| *result == Ok(wanted)).count();
    assert!(count(Ended::Told) > results.len() / 4, "failures reach what is scanned: {table}");
    if all {
        let (told, unharmed) = (count(Ended::Told), count(Ended::Unharmed));
        let figure = format!(
            "{} failures: {} told, {} done all the same, none wrong",
            figures::grouped((told + unharmed) as u64),
            figures::grouped(told as u64),
            figures::grouped(unharmed as u64)
        );
        figures::record("system calls that fail", &figure);
        figures::block("faults", &table);
    }
}

/// A walk that gets some of what its threads wait for and not all must not wait for ever.
#[test]
fn a_walk_whose_calls_all_fail_from_some_point_on_ends() {
    if !strace::works() {
        eprintln!("SKIPPED: strace is not there or may not trace");
        return;
    }
    let sandbox = Sandbox::new();
    repository(&sandbox);
    let case = &CASES[0];
    let whole = run(&sandbox, case, None, "whole");
    let failing =
        faults(&whole).into_iter().filter(|fault| fault.calls == "statx" && fault.when.ends_with('+'));
    let mut told = 0;
    for (number, fault) in failing.enumerate() {
        let name = format!("fault-{number}");
        let ran = run(&sandbox, case, Some(&fault), &name);
        let ended =
            judged(case, &whole, &ran, &sandbox, &name).unwrap_or_else(|what| panic!("{fault:?}: {what}"));
        told += usize::from(ended == Ended::Told);
    }
    assert!(told > 10, "{told} failures were told");
}

/// Counts by command.
fn table(results: &[(usize, Result<Ended, String>)]) -> String {
    let mut table = "| command | calls failed | told, the rest searched | done all the same | wrong |\n|---|---|---|---|---|\n".to_owned();
    let mut sums = [0; 4];
    for (number, case) in CASES.iter().enumerate() {
        let of_case = |wanted: &dyn Fn(&Result<Ended, String>) -> bool| {
            results.iter().filter(|(its, result)| *its == number && wanted(result)).count()
        };
        let told = of_case(&|result| *result == Ok(Ended::Told));
        let unharmed = of_case(&|result| *result == Ok(Ended::Unharmed));
        let wrong = of_case(&|result| result.is_err());
        let row = [told + unharmed + wrong, told, unharmed, wrong];
        sums.iter_mut().zip(row).for_each(|(sum, count)| *sum += count);
        let _ = writeln!(table, "| `{}` | {} | {} | {} | {} |", case.name, row[0], row[1], row[2], row[3]);
    }
    let _ = writeln!(table, "| all | {} | {} | {} | {} |", sums[0], sums[1], sums[2], sums[3]);
    table
}
