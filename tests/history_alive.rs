//! `scan --history` of repositories in which something happens meanwhile: Ctrl-C, and git that packs anew.

#![cfg(all(unix, feature = "cli"))]

mod common;
#[path = "history/makers.rs"]
mod makers;

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::Repository;
use makers::pair;
use serde_json::Value;

const KEYFENCE: &str = env!("CARGO_BIN_EXE_keyfence");

/// Many objects, each with something to find, and enough beside it to take a while.
fn long_history(commits: u64) -> Repository {
    let repository = Repository::new();
    let filler = "a line of a log that says nothing at all, over and over\n".repeat(3000);
    for number in 0..commits {
        repository.write(format!("{number}/bot.env"), pair(number));
        repository.write(format!("{number}/log.txt"), format!("{number}\n{filler}"));
        repository.commit_all("more");
    }
    repository
}

fn begin(repository: &Repository) -> Child {
    let mut command = repository.program(KEYFENCE);
    command.args(["scan", "--history", "--no-progress", "--format", "json", "--no-cache"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("keyfence can be started")
}

/// The exit code, and the report if there is one.
fn end(child: Child) -> (Option<i32>, Option<Value>) {
    let output = child.wait_with_output().expect("keyfence ends");
    (output.status.code(), serde_json::from_slice(&output.stdout).ok())
}

fn length(report: &Value, list: &str) -> usize {
    report[list].as_array().map_or(0, Vec::len)
}

#[test]
fn an_interrupted_scan_ends_soon_and_tells_what_it_found() {
    let repository = long_history(60);
    let begun = Instant::now();
    let (code, whole) = end(begin(&repository));
    let whole = whole.expect("a scan that is left alone reports");
    let took = begun.elapsed();
    assert_eq!((code, length(&whole, "credentials")), (Some(1), 60));
    let (mut interrupted, mut told) = (0, 0);
    for part in 1..12 {
        let child = begin(&repository);
        std::thread::sleep(took * part / 12);
        let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        kill.expect("kill can be started");
        let asked = Instant::now();
        let (code, report) = end(child);
        // A second is the promise; the rest is for machines that do much else.
        assert!(asked.elapsed() < Duration::from_secs(5), "part {part}: {:?}", asked.elapsed());
        let Some(report) = report else {
            // Before it listened, the signal ended it at once; later it says nothing only if it had no time left.
            assert!(code.is_none() || code == Some(130), "part {part}: {code:?}");
            continue;
        };
        if code == Some(130) {
            interrupted += 1;
            told += usize::from(length(&report, "findings") > 0);
            let said = report["problems"].to_string().contains("interrupted");
            assert!(said, "part {part}: the report says that it is no whole one");
        } else {
            assert_eq!((code, length(&report, "credentials")), (Some(1), 60), "part {part}");
        }
    }
    assert!(interrupted == 0 || told > 0, "of {interrupted} interrupted scans none told anything");
}

#[test]
fn a_repository_that_is_packed_meanwhile_is_scanned_whole() {
    let repository = long_history(40);
    let whole = end(begin(&repository)).1.expect("a scan that is left alone reports");
    assert_eq!(length(&whole, "credentials"), 40);
    // Loose objects are packed, then packs replace packs.
    let ways: [&[&str]; 4] = [
        &["repack", "-q", "-a", "-d"],
        &["gc", "-q", "--prune=now"],
        &["repack", "-q", "-a", "-d", "-f", "--depth=3"],
        &["repack", "-q", "-A", "-d", "-f", "--window=20"],
    ];
    for (number, way) in ways.iter().cycle().take(8).enumerate() {
        let child = begin(&repository);
        std::thread::sleep(Duration::from_millis(40 * number as u64));
        repository.git(way);
        let (code, report) = end(child);
        let report = report.expect("a scan that is left alone reports");
        assert_eq!(code, Some(1), "{way:?}");
        let is_whole = report["findings"] == whole["findings"];
        assert!(is_whole || length(&report, "problems") > 0, "{way:?}: something was lost in silence");
        assert_eq!(
            report["problems"], whole["problems"],
            "{way:?}: what went away was found where it is now"
        );
        assert!(is_whole, "{way:?}");
        if number % 4 == 3 {
            repository.write(format!("later/{number}.env"), "nothing\n");
            repository.commit_all("later");
            repository.git(&["repack", "-q", "-d"]);
        }
    }
}
