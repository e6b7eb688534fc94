//! The page in a real browser: Chromium, without a window and without a network.
//!
//! Where Chromium is missing it is installed with apt; where that cannot be, the tests say so and look at nothing.
#![allow(clippy::print_stderr, reason = "a test that looks at nothing must say so")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use keyfence::report::write_html;

use super::debugger::Tab;
use super::{history, samples, written};

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

/// What reaches out of the window, but for tables that can be scrolled by themselves.
const TOO_WIDE: &str = "[...document.querySelectorAll('main *')] \
    .filter((it) => !it.parentElement.closest('.scroll')) \
    .filter((it) => it.getBoundingClientRect().right > innerWidth + 1) \
    .map((it) => it.outerHTML.slice(0, 120))";

/// What has the focus, and whether that can be seen.
const FOCUSED: &str = "(() => { const it = document.activeElement; const style = getComputedStyle(it); \
    return [it.id || it.className || it.textContent.trim(), style.outlineStyle !== 'none']; })()";

fn tab(html: &str) -> Option<Tab> {
    chromium().map(|program| Tab::open(program, html))
}

fn focused(tab: &mut Tab) -> String {
    let answer = tab.value(FOCUSED);
    let name = answer[0].as_str().unwrap_or_default().to_owned();
    assert_eq!(answer[1], true, "the focus on {name:?} cannot be seen");
    name
}

#[test]
fn the_keyboard_reaches_everything_in_reading_order() {
    let Some(mut tab) = tab(&written(write_html, &history::exposed())) else { return };
    let titles = ["Binance API key and secret", "OKX passphrase, API key and secret key", "Bybit secret"];
    let links = titles.into_iter().chain(["GitHub token"]);
    let filter = ["words", "severity", "reach", "provider", "Show all"];
    // Only the third one is local.
    let steps = ["What to do", "What to do", "What to do if it was ever shared", "What to do"];
    let order = ["skip", "scroll"].into_iter().chain(links).chain(filter).chain(steps);
    for expected in order {
        tab.press("Tab");
        let it = focused(&mut tab);
        assert!(it.starts_with(expected), "{it} in place of {expected}");
    }
    tab.press("Enter");
    assert_eq!(tab.value("document.activeElement.parentElement.open"), true, "it opens");
    tab.press("Tab");
    assert_eq!(focused(&mut tab), "https://github.com/settings/tokens");

    tab.load("?anew");
    tab.press("Tab");
    assert_eq!(tab.value("document.activeElement.getBoundingClientRect().left >= 0"), true, "it is seen");
    tab.press("Enter");
    assert_eq!(tab.value("document.activeElement.id"), "credentials", "the way past the tables");
}

#[test]
fn the_filter_works_with_keys_alone_and_no_link_leads_to_something_hidden() {
    let Some(mut tab) = tab(&written(write_html, &history::exposed())) else { return };
    let shown = |tab: &mut Tab| tab.value("document.getElementById('said').textContent");
    tab.value("document.getElementById('words').focus()");
    tab.type_words("bybit");
    assert_eq!(shown(&mut tab), "1 of 4 shown");
    tab.value("document.querySelector('.scroll a').focus()");
    tab.press("Enter");
    tab.settle();
    assert_eq!(tab.value("document.querySelector(location.hash).checkVisibility()"), true);
    assert_eq!(tab.value("location.hash.slice(1) === document.activeElement.id"), true);
    assert_eq!(shown(&mut tab), "4 of 4 shown");
    tab.value("document.getElementById('severity').focus()");
    tab.press("ArrowDown");
    assert_eq!(shown(&mut tab), "2 of 4 shown");
}

/// Names, levels and tables as the browser hands them to assistive technology.
#[test]
fn a_screen_reader_is_told_everything() {
    let Some(mut tab) = tab(&written(write_html, &history::exposed())) else { return };
    let nodes = tab.spoken();
    let text =
        |node: &serde_json::Value, what: &str| node[what]["value"].as_str().unwrap_or_default().to_owned();
    let mut level = 0;
    let mut told: std::collections::BTreeMap<String, usize> = std::collections::BTreeMap::new();
    for node in &nodes {
        let (role, name) = (text(node, "role"), text(node, "name"));
        *told.entry(role.clone()).or_default() += 1;
        let acts =
            ["link", "button", "searchbox", "combobox", "DisclosureTriangle", "table", "region", "article"];
        if acts.contains(&role.as_str()) || role == "RootWebArea" {
            assert!(!name.trim().is_empty(), "a {role} has no name: {node}");
        }
        if role == "heading" {
            let properties = node["properties"].as_array().into_iter().flatten();
            let own = properties.filter(|property| property["name"] == "level");
            let own = own.filter_map(|property| property["value"]["value"].as_u64()).max().unwrap_or(0);
            assert!(own <= level + 1, "{name}: from level {level} to {own}");
            level = own;
        }
    }
    for (role, number) in [
        ("main", 1),
        ("search", 1),
        ("status", 1),
        ("table", 3),
        ("columnheader", 13),
        ("article", 4),
        ("searchbox", 1),
        ("combobox", 3),
    ] {
        assert_eq!(told.get(role), Some(&number), "{role}: {told:?}");
    }
    for decoration in ["image", "img", "SvgRoot", "graphics-document"] {
        assert_eq!(told.get(decoration), None, "a bar is decoration: the row tells the same in words");
    }
    assert_eq!(tab.value("document.documentElement.lang"), "en");
}

#[test]
fn texts_can_be_read_in_light_and_dark_and_fit_into_narrow_windows() {
    let mut clean = samples::report(Vec::new());
    clean.problems.clear();
    let mut incomplete = samples::report(Vec::new());
    incomplete.problems = samples::problems();
    for report in [history::exposed(), history::hostile(), clean, incomplete] {
        let Some(mut tab) = tab(&written(write_html, &report)) else { return };
        tab.value("document.querySelectorAll('details').forEach((it) => { it.open = true; })");
        for scheme in ["light", "dark"] {
            tab.scheme(scheme);
            let faint = tab.value(include_str!("contrast.js"));
            assert_eq!(faint, serde_json::json!([]), "{scheme}");
        }
        for width in [320, 600, 1200, 2000] {
            tab.size(width, 900);
            let wide = tab.value(TOO_WIDE);
            assert_eq!(wide, serde_json::json!([]), "in a window of {width}");
        }
    }
}
