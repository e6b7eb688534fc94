//! The page in a real browser: Chromium, without a window and without a network.
//!
//! Where Chromium is missing it is installed with apt; where that cannot be, the tests say so and look at nothing.
#![allow(clippy::print_stderr, reason = "a test that looks at nothing must say so")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use keyfence::report::write_html;

use super::{history, written};

fn chromium() -> Option<&'static Path> {
    static PROGRAM: OnceLock<Option<PathBuf>> = OnceLock::new();
    let found = PROGRAM.get_or_init(|| {
        installed().or_else(|| {
            let apt = |words: &[&str]| {
                let mut command = Command::new("apt-get");
                command.env("DEBIAN_FRONTEND", "noninteractive").args(words);
                command.output().is_ok_and(|output| output.status.success())
            };
            let _ = apt(&["update", "-qq"]) && apt(&["install", "-qq", "-y", "chromium"]);
            installed()
        })
    });
    if found.is_none() {
        eprintln!(
            "SKIPPED: there is no Chromium and apt-get could not install it: the page was not looked at"
        );
    }
    found.as_deref()
}

fn installed() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let mut places = std::env::split_paths(&path).flat_map(|place| names.map(|name| place.join(name)));
    places.find(|place| place.is_file())
}

/// Loads the page at `address` and gives what `more` asked for on standard output.
fn browse(program: &Path, profile: &Path, more: &[&str], address: &str) -> String {
    let output = Command::new(program)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--virtual-time-budget=5000",
            "--window-size=1200,2600",
            "--hide-scrollbars",
        ])
        .arg(format!("--user-data-dir={}", profile.display()))
        .args(more)
        .arg(address)
        .output()
        .expect("Chromium can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The page as the browser has it after the script ran.
fn dom(html: &str, fragment: &str) -> Option<String> {
    let program = chromium()?;
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let page = directory.path().join("report.html");
    fs::write(&page, html).expect("the directory is writable");
    let address = format!("file://{}{fragment}", page.display());
    Some(browse(program, &directory.path().join("profile"), &["--dump-dom"], &address))
}

fn articles(dom: &str) -> (usize, usize) {
    let cards: Vec<&str> =
        dom.split("<article ").skip(1).map(|rest| rest.split('>').next().unwrap_or("")).collect();
    (cards.iter().filter(|card| !card.contains("hidden")).count(), cards.len())
}

/// The script runs although nothing else may: its hash in the policy is right.
#[test]
fn the_page_works_under_its_own_policy() {
    let html = written(write_html, &history::exposed());
    let Some(dom) = dom(&html, "") else { return };
    assert!(dom.contains("4 of 4 shown"), "the script did not run:\n{dom}");
    assert!(
        !dom.contains("role=\"search\" aria-label=\"Filter the credentials\" hidden"),
        "the filter is hidden"
    );
    assert_eq!(articles(&dom), (4, 4));
}

#[test]
fn the_filter_filters() {
    let html = written(write_html, &history::exposed());
    for (fragment, shown) in [
        ("#severity=critical", 2),
        ("#reach=local", 1),
        ("#words=origin+lovelace", 2),
        ("#provider=okx&words=nowhere", 0),
        ("#credential-1", 4),
    ] {
        let Some(dom) = dom(&html, fragment) else { return };
        assert_eq!(articles(&dom).0, shown, "{fragment}");
        assert!(dom.contains(&format!("{shown} of 4 shown")), "{fragment}");
    }
}

/// What stands in files and commits makes no element, no attribute and no script.
#[test]
fn nothing_from_a_file_becomes_markup() {
    let html = written(write_html, &history::hostile());
    let Some(dom) = dom(&html, "") else { return };
    assert!(dom.contains("15 of 15 shown"), "the page's own script did not run");
    let acts = regex::Regex::new(
        "<[a-z][^>]*\\s(on[a-z]+=|href=\"(javascript|data):)|<(img|iframe|object|embed)\\b",
    )
    .expect("a valid pattern");
    assert!(!acts.is_match(&dom), "{:?}", acts.find(&dom));
    assert_eq!(dom.matches("<script").count(), 1);
}

/// The page itself asks for nothing, whatever the browser would allow.
#[test]
fn the_page_loads_nothing() {
    let tag = regex::Regex::new("<[a-z][^>]*\\s(src|srcset|action|background|poster|data)=")
        .expect("a valid pattern");
    for report in [history::exposed(), history::hostile()] {
        let html = written(write_html, &report);
        assert!(!tag.is_match(&html));
        assert!(!html.contains("<link") && !html.contains("@import") && !html.contains("url("));
        assert!(html.contains("default-src 'none'"));
    }
}
