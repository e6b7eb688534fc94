//! The law of the house, as a test: which room may name which, and what only one room may touch.
//!
//! It reads the sources as text (comments, strings and test modules set aside) and fails with the file and the path
//! that breaks the law. The tables come first; to change the architecture is to change them.
//!
//! Must not know: what the code does.
//! Invariant: every file under `src/` is in exactly one room, and a room that is not in the table is an error.

use std::fs;
use std::path::{Path, PathBuf};

/// Each room, from the ground up, and the rooms it may name. Wings on one floor never name each other.
const ROOMS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("rules", &["model"]),
    ("config", &["model"]),
    ("detect", &["rules", "model"]),
    ("source", &["model"]),
    ("suppress", &["config", "model"]),
    ("report", &["model"]),
    ("scan", &["detect", "source", "suppress", "model"]),
    ("cli", &["scan", "detect", "source", "suppress", "report", "rules", "config", "model"]),
    ("main", &["cli"]),
    ("lib", &[]),
];

/// What is named only in the places beside it (a place is a folder or a file under `src/`). No place: nowhere at all.
const ONLY_IN: &[(&str, &[&str])] = &[
    // Git is read in one folder, by one library.
    ("gix", &["source/git/"]),
    ("imara_diff", &["source/git/"]),
    // Files are opened by sources and by the command line.
    ("ignore", &["source/", "suppress/paths.rs"]),
    ("libc", &["source/"]),
    // Archives are unpacked in one folder.
    ("bzip2", &["source/archive/"]),
    ("flate2", &["source/archive/", "detect/decode/gzip.rs"]),
    ("lzma_rust2", &["source/archive/"]),
    ("ruzstd", &["source/archive/"]),
    ("tar", &["source/archive/"]),
    ("zip::ZipArchive", &["source/archive/"]),
    ("zip::read", &["source/archive/"]),
    ("zip::result", &["source/archive/"]),
    ("std::fs", &["source/", "cli/"]),
    // Packs are read in one place, reports are written in another; the head of a web token is JSON.
    ("serde_yaml", &["rules/", "config/", "suppress/imports/"]),
    ("toml", &["suppress/imports/"]),
    ("serde_json", &["report/", "detect/checks/", "cli/ci/", "suppress/imports/"]),
    // Arguments, terminals, signals.
    ("clap", &["cli/"]),
    ("clap_complete", &["cli/"]),
    ("clap_mangen", &["cli/"]),
    ("ctrlc", &["cli/"]),
    ("rustix", &["cli/"]),
    ("landlock", &["cli/confinement.rs"]),
    ("indicatif", &["cli/"]),
    ("terminal_size", &["cli/"]),
    ("tempfile", &["cli/"]),
    ("colored", &["report/", "cli/"]),
    ("std::process", &["cli/", "main.rs"]),
    ("std::io::stdout", &["cli/"]),
    ("std::io::stderr", &["cli/"]),
    ("std::io::stdin", &["source/", "cli/"]),
    // The environment is read where it is given a meaning, and handed on as a value.
    ("std::env::var", &["cli/", "source/git/environment.rs"]),
    ("std::env::var_os", &["cli/", "source/git/environment.rs"]),
    ("std::env::vars", &[]),
    ("std::env::vars_os", &[]),
    ("std::env::args", &["cli/"]),
    ("std::env::args_os", &["cli/"]),
    ("std::env::current_dir", &["cli/", "source/git/environment.rs"]),
    ("std::env::current_exe", &["cli/"]),
    ("std::env::temp_dir", &["cli/"]),
    // Detection knows neither clock nor threads.
    ("std::time::Instant", &["scan.rs", "cli/"]),
    ("std::time::SystemTime", &["cli/"]),
    ("std::thread", &["source/", "cli/"]),
    ("rayon", &["source/", "cli/"]),
    // No process is ever started, and nothing goes over a network.
    ("std::process::Command", &[]),
    ("std::net", &[]),
    ("std::os::unix::net", &[]),
];

/// Macros that print or that say "not finished", and where they may stand.
const MACROS: &[(&str, &[&str])] = &[
    ("print", &["cli/"]),
    ("println", &["cli/"]),
    ("eprint", &["cli/"]),
    ("eprintln", &["cli/"]),
    ("dbg", &[]),
    ("todo", &[]),
    ("unimplemented", &[]),
];

/// Packages that speak to a network. None may even be in the lock file.
const NEVER_A_DEPENDENCY: &[&str] = &[
    "attohttpc",
    "curl",
    "hyper",
    "isahc",
    "minreq",
    "native-tls",
    "openssl",
    "reqwest",
    "rustls",
    "tokio",
    "ureq",
];

/// Files that are so small a part of their room that its `mod.rs` speaks for them. Every other file says for itself
/// what it must not know or what always holds.
const WITHOUT_OWN_LAW: &[&str] = &[];

#[test]
fn every_file_keeps_the_law() {
    let mut broken = Vec::new();
    let files = sources();
    assert!(files.len() > 50, "the sources were not found");
    for (file, text) in &files {
        broken.extend(violations(file, text).into_iter().map(|what| format!("src/{file}: {what}")));
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn every_file_says_what_it_is_for() {
    let mut broken = Vec::new();
    for (file, text) in sources() {
        let head: String = text.lines().take_while(|line| line.starts_with("//!")).collect();
        let law = head.contains("Must not know") || head.contains("Invariant") || head.contains("Invariants");
        if head.is_empty() {
            broken.push(format!("src/{file}: does not open with `//!`"));
        } else if !law && !WITHOUT_OWN_LAW.contains(&file.as_str()) {
            broken.push(format!("src/{file}: names neither what it must not know nor its invariant"));
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn every_dependency_has_its_reason() {
    let manifest = read(&root().join("Cargo.toml"));
    let mut inside = false;
    let mut before = "";
    let mut counted = 0;
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.ends_with("dependencies]");
        } else if inside && line.contains(" = ") && !line.starts_with('#') {
            assert!(before.starts_with("# "), "Cargo.toml: no reason above `{line}`");
            counted += 1;
        }
        before = line;
    }
    assert!(counted > 20, "the dependencies were not found");
}

#[test]
fn nothing_that_speaks_to_a_network_is_built_in() {
    let lock = read(&root().join("Cargo.lock"));
    assert!(lock.contains("name = \"keyfence\""), "the lock file was not found");
    for package in NEVER_A_DEPENDENCY {
        assert!(!lock.contains(&format!("\nname = \"{package}\"\n")), "{package} is in Cargo.lock");
    }
}

#[test]
fn what_breaks_the_law_is_noticed() {
    for (file, text) in [
        ("model/span.rs", "use crate::rules::Rule;"),
        ("detect/veto.rs", "use crate::{model::Span, source::Tree};"),
        ("detect/checks/der.rs", "use super::super::super::suppress::Suppressor;"),
        ("source/tree.rs", "fn f() { crate::report::write_json() }"),
        ("source/git/mod.rs", "use crate::source::{self, Source}; use super::super::detect;"),
        ("scan.rs", "use super::report::write_json;"),
        ("scan.rs", "mod inner { use super::super::cli::main; }"),
        ("model/mod.rs", "use crate::elsewhere::Thing;"),
        ("cellar/mod.rs", "fn f() {}"),
        ("source/tree.rs", "use gix::bstr::BStr;"),
        ("detect/text.rs", "use ignore as walker;"),
        ("detect/text.rs", "use std::{cmp, fs};"),
        ("detect/text.rs", "fn f() { std::env::var(\"HOME\"); }"),
        ("cli/hook/run.rs", "use std::process::{Command, ExitCode};"),
        ("cli/hook/run.rs", "use std::process; fn f() { process::Command::new(\"git\"); }"),
        ("source/stdin.rs", "use std::net::TcpStream;"),
        ("report/json.rs", "fn f() { println!(\"{}\", 1) }"),
        ("cli/mod.rs", "unsafe fn f() {}"),
        ("cli/mod.rs", "// TO\u{44}O: later"),
    ] {
        assert!(!violations(file, text).is_empty(), "{file} may say {text:?}");
    }
    for (file, text) in [
        ("model/report.rs", "use super::{Confidence, Finding};"),
        ("detect/checks/der.rs", "use super::super::words; use crate::rules::Rule;"),
        ("detect/text.rs", "#[cfg(test)] mod tests { use crate::source::Tree; } fn f() {}"),
        ("detect/text.rs", "// use crate::source::Tree;\nconst A: &str = \"std::fs::read\"; /* gix::x */"),
        (
            "detect/text.rs",
            "const A: char = '\"'; const B: &[u8] = br#\"gix::\"x\"#; fn f<'a>(x: &'a str) {}",
        ),
        ("scan.rs", "mod inner { use super::Scan; }"),
        ("cli/mod.rs", "fn f() { eprintln!(\"unsafe\") }"),
        ("main.rs", "fn main() { keyfence::cli::main() }"),
    ] {
        assert_eq!(violations(file, text), Vec::<String>::new(), "{file} may not say {text:?}");
    }
}

/// Everything in `text`, the content of `file` under `src/`, that breaks the law.
fn violations(file: &str, text: &str) -> Vec<String> {
    let mut broken = Vec::new();
    let home = module(file);
    let Some((_, may_name)) = ROOMS.iter().find(|(room, _)| *room == home[0]) else {
        return vec![format!("the room `{}` is not in the table", home[0])];
    };
    let tokens = without_tests(&tokens(text));
    for path in paths(&tokens, &home) {
        let room = path.strip_prefix("crate::").map(|rest| rest.split("::").next().unwrap_or(rest));
        if let Some(room) = room.filter(|room| *room != home[0] && !may_name.contains(room)) {
            broken.push(format!("`{path}`: {} must not know {room}", home[0]));
        }
        for (name, places) in ONLY_IN {
            if names(&path, name) && !allowed(file, places) {
                broken.push(format!("`{path}`: {name} may be named only in {places:?}"));
            }
        }
    }
    for pair in tokens.windows(2).filter(|pair| pair[1] == "!") {
        if MACROS.iter().any(|(name, places)| *name == pair[0] && !allowed(file, places)) {
            broken.push(format!("`{}!` does not belong here", pair[0]));
        }
    }
    if tokens.iter().any(|token| token == "unsafe") {
        broken.push("`unsafe` is forbidden".to_owned());
    }
    broken.extend(
        ["TO\u{44}O", "FIX\u{4d}E"]
            .iter()
            .filter(|word| text.contains(**word))
            .map(|word| format!("{word}: finish it or open an issue")),
    );
    broken
}

/// Whether `path` is `name` or something in it; `io::stdout` is `std::io::stdout`.
fn names(path: &str, name: &str) -> bool {
    let within =
        |name: &str| path.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
    let short = name.strip_prefix("std::").filter(|short| short.contains("::"));
    within(name) || short.is_some_and(within)
}

fn allowed(file: &str, places: &[&str]) -> bool {
    places.iter().any(|place| file == *place || (place.ends_with('/') && file.starts_with(place)))
}

/// The path of the module that `file` is, without `crate`; never empty.
fn module(file: &str) -> Vec<String> {
    let mut parts: Vec<String> = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if parts.len() > 1 && parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    parts
}

/// Words and punctuation, without comments, strings, characters and lifetimes. `::` is one token.
fn tokens(text: &str) -> Vec<String> {
    const NOT_CODE: &str = concat!(
        r##"//[^\n]*|/\*(?s:.*?)\*/|"##,
        r##"b?r"[^"]*"|b?r#"(?s:.*?)"#|b?"(?:[^"\\]|\\(?s:.))*"|"##,
        r##"b?'(?:[^'\\]|\\(?:u\{[^}]*\}|x..|.))'|'[a-z_]+"##,
    );
    let word =
        regex::Regex::new(&format!(r"(?P<skip>{NOT_CODE})|\w+|::|\S")).expect("the pattern is constant");
    word.captures_iter(text)
        .filter(|found| found.name("skip").is_none())
        .map(|found| found[0].to_owned())
        .collect()
}

/// The same without the items that `#[cfg(test)]` stands above.
fn without_tests(tokens: &[String]) -> Vec<String> {
    const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at..].iter().take(MARK.len()).eq(MARK.iter()) {
            at = end_of_item(tokens, at + MARK.len());
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

/// One past the `;` or the closing brace of the item at `at`.
fn end_of_item(tokens: &[String], at: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(at) {
        match token.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && (token == "}" || token == ";") {
            return index + 1;
        }
    }
    tokens.len()
}

/// Every path that is named, groups spelled out, `super` and `self` resolved from the module `home`.
fn paths(tokens: &[String], home: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    let mut here = home.to_vec();
    // For each open brace, whether it opened an inline module.
    let mut braces = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match tokens[at].as_str() {
            "{" => {
                let opens_module = at >= 2 && tokens[at - 2] == "mod";
                if opens_module {
                    here.push(tokens[at - 1].clone());
                }
                braces.push(opens_module);
                at += 1;
            }
            "}" => {
                if braces.pop() == Some(true) {
                    here.pop();
                }
                at += 1;
            }
            word if is_word(word) => {
                let mut named = Vec::new();
                at = path(tokens, at, &[], &mut named);
                found.extend(named.into_iter().filter_map(|segments| resolved(&segments, &here)));
            }
            _ => at += 1,
        }
    }
    found
}

fn is_word(token: &str) -> bool {
    token.starts_with(|character: char| character.is_alphabetic() || character == '_')
}

/// Reads the path at `at`, which may end in a group; gives where it ends.
fn path(tokens: &[String], at: usize, before: &[String], found: &mut Vec<Vec<String>>) -> usize {
    let mut segments = before.to_vec();
    let mut at = at;
    while tokens.get(at).is_some_and(|token| is_word(token)) {
        segments.push(tokens[at].clone());
        at += 1;
        if tokens.get(at).is_none_or(|token| token != "::") {
            found.push(segments);
            return at;
        }
        at += 1;
    }
    if tokens.get(at).is_none_or(|token| token != "{") {
        found.push(segments);
        return at;
    }
    at += 1;
    while tokens.get(at).is_some_and(|token| token != "}") {
        at = if is_word(&tokens[at]) { path(tokens, at, &segments, found) } else { at + 1 };
    }
    at + 1
}

/// `crate::room::…` for a path of this crate, the path as it is for one of another; nothing for a lone word that is
/// no package's name.
fn resolved(segments: &[String], here: &[String]) -> Option<String> {
    let climbs = segments.iter().take_while(|segment| *segment == "super").count();
    let mut whole: Vec<&str> = Vec::new();
    match segments[0].as_str() {
        "crate" | "keyfence" => whole.push("crate"),
        "super" | "self" => {
            whole.push("crate");
            whole.extend(here[..here.len().saturating_sub(climbs)].iter().map(String::as_str));
        }
        first if segments.len() == 1 && !ONLY_IN.iter().any(|(name, _)| *name == first) => return None,
        first => whole.push(first),
    }
    whole.extend(segments[climbs.max(1)..].iter().map(String::as_str));
    // `crate` alone: a file at the top that climbs out of itself, or `use crate as …`, names no room.
    (whole.len() > 1 || whole[0] != "crate").then(|| whole.join("::"))
}

/// The files under `src/`: their paths with `/`, and their texts.
fn sources() -> Vec<(String, String)> {
    fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(directory).expect("the sources can be listed") {
            let path = entry.expect("the sources can be listed").path();
            if path.is_dir() {
                collect(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    let top = root().join("src");
    let mut files = Vec::new();
    collect(&top, &mut files);
    files.sort();
    let name = |path: &Path| {
        let below = path.strip_prefix(&top).expect("it was found below");
        below.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/")
    };
    files.iter().map(|path| (name(path), read(path))).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
