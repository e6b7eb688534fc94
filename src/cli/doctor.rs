//! `doctor`: whether this repository is guarded, shown rather than believed.
//!
//! Must not know: how anything is found.
//! Invariants: the user's index, files and objects are not touched; "the hook stops it" is said only after a scan by
//! the hook's own code stopped a canary.

use std::fs;
use std::path::Path;

use super::failure::{Ending, Failure};
use super::hook::{self, Guard};
use super::output::say;
use super::policy::{self, Prepared, Root, Terms};
use super::request::{Detection, PolicyRequest};
use super::{scan, text};
use crate::model::{FilePath, Outcome, ScanMode};
use crate::source::SourceError;
use crate::source::git::{GitEnvironment, Layout, Staged, StagedOptions, plant_canary, tracked_paths};
use crate::source::is_ignored_at_top;
use crate::suppress::Comments;

/// The file that is staged beside the user's index.
const CANARY: &str = "keyfence-canary.env";

/// Files in which CI systems look for what they run.
const CI_FILES: [&str; 6] = [
    ".gitlab-ci.yml",
    "azure-pipelines.yml",
    "bitbucket-pipelines.yml",
    "Jenkinsfile",
    ".circleci/config.yml",
    ".pre-commit-config.yaml",
];

/// Names that should be left out by `.gitignore`, so that `git add .` does not take them.
const LEFT_OUT: [&str; 3] = [".env", "id_ed25519", "server.key"];

/// How something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Good,
    /// Worth a thought; not wrong by itself.
    Advice,
    /// Something that should hold does not.
    Wrong,
}

/// Looks at everything and tells.
pub(crate) fn perform() -> Result<Ending, Failure> {
    let environment = GitEnvironment::from_process();
    let layout = Layout::discover(Path::new("."), &environment).map_err(SourceError::from)?;
    let top = layout.require_work_tree().map_err(SourceError::from)?.to_owned();
    let mut worst = State::Good;
    let mut tell = |state: State, words: &str| {
        if state == State::Wrong || (state == State::Advice && worst == State::Good) {
            worst = state;
        }
        let mark = match state {
            State::Good => "ok   ",
            State::Advice => "think",
            State::Wrong => "WRONG",
        };
        say(&format!("{mark}  {words}\n"))
    };
    let root = Root::of(&top)?.for_git();
    let prepared = prepared(&root)?;
    let rules = prepared.detector.rules().rules.len();
    tell(State::Good, &format!("keyfence {} with {rules} rules", env!("CARGO_PKG_VERSION")))?;
    let (state, words) = canary(&prepared, &layout, &environment)?;
    tell(state, &words)?;
    for (state, words) in hooks()? {
        tell(state, &words)?;
    }
    let (state, words) = ci(&top);
    tell(state, &words)?;
    for (state, words) in key_files(&layout, &environment, &top)? {
        tell(state, &words)?;
    }
    Ok(if worst == State::Wrong { Ending::Unfinished } else { Ending::Clean })
}

/// What the hook would work with.
fn prepared(root: &Root) -> Result<Prepared, Failure> {
    let detection = Detection {
        threshold: None,
        honour_comments: true,
        packs: Vec::new(),
        policy: PolicyRequest::default(),
    };
    policy::of_next_commit(root, &detection, Terms { comments: Comments::All, everything: false })
}

/// Stages a canary in an index of its own and lets the hook's scan look at it.
fn canary(
    prepared: &Prepared,
    layout: &Layout,
    environment: &GitEnvironment,
) -> Result<(State, String), Failure> {
    let directory = tempfile::Builder::new()
        .prefix("keyfence-doctor-")
        .tempdir()
        .map_err(|error| Failure::file("make a directory for temporary files", &error))?;
    let staged = plant_canary(directory.path(), layout, environment, CANARY, canary_text().as_bytes())?;
    let source = Staged::new(StagedOptions::new(".", staged));
    let report = scan::look_at(&source, ScanMode::Staged, prepared)?;
    let on_canary = report
        .findings
        .iter()
        .filter(|finding| finding.verdict.is_open() && finding.provenance.path == FilePath::from(CANARY))
        .count();
    Ok(match (report.outcome(), on_canary) {
        (Outcome::Leaks, 1..) => {
            (State::Good, "the scan of the hook stops a planted Binance key and secret".to_owned())
        }
        (Outcome::Incomplete, _) => {
            (State::Wrong, "the scan of the hook could not look at everything: see `keyfence scan --staged`".into())
        }
        _ => (
            State::Wrong,
            "the scan of the hook lets a planted Binance key and secret through: look for what switches rules off \
             or allows too much with `keyfence config show`"
                .to_owned(),
        ),
    })
}

/// An invented pair, in pieces so that no scanner takes this file for a leak.
fn canary_text() -> String {
    let key = ["mX4vT9cQ2LzR7bWk", "N1sYp6HdJ8fGa3Ue", "Z5iOqBxV0tMnC4Kr", "E7lDwS9yPjHuF2Ag"].concat();
    let secret = ["u8RkW3nZbQ6yTfJ1", "xVd5HsLc0PgM9aEi", "O2mK7tXqU4rBjN6w", "S1zGvC3eYpDh8FlA"].concat();
    format!("BINANCE_API_KEY={key}\nBINANCE_API_SECRET={secret}\n")
}

fn hooks() -> Result<Vec<(State, String)>, Failure> {
    let guards = hook::guards()?;
    let told = guards.stages.into_iter().map(|Guard { stage, words, guards }| {
        let state = if guards { State::Good } else { State::Wrong };
        let advice = if guards { "" } else { "; `keyfence hook install` puts it in" };
        (state, format!("hook {stage}: {words}{advice}"))
    });
    let mut told: Vec<_> = told.collect();
    told.extend(guards.remark.map(|remark| (State::Good, remark)));
    Ok(told)
}

/// Whether something that CI runs speaks of keyfence.
fn ci(top: &Path) -> (State, String) {
    let workflows = fs::read_dir(top.join(".github/workflows")).into_iter().flatten().flatten();
    let files = workflows.map(|entry| entry.path()).chain(CI_FILES.iter().map(|name| top.join(name)));
    let speaks = |file: &std::path::PathBuf| {
        file.is_file() && fs::read_to_string(file).is_ok_and(|content| content.contains("keyfence"))
    };
    match files.into_iter().find(speaks) {
        Some(file) => {
            let name = text::path(file.strip_prefix(top).unwrap_or(&file));
            (State::Good, format!("{name} runs keyfence"))
        }
        None => (
            State::Advice,
            "no CI configuration here runs keyfence: a hook can be skipped, a gate cannot (docs/adopting.md)"
                .to_owned(),
        ),
    }
}

/// Files that hold keys by their name: tracked they should not be, left out they should.
fn key_files(
    layout: &Layout,
    environment: &GitEnvironment,
    top: &Path,
) -> Result<Vec<(State, String)>, Failure> {
    const SHOWN: usize = 10;
    let tracked: Vec<FilePath> = tracked_paths(layout, environment)?
        .into_iter()
        .filter(|path| is_key_file(&String::from_utf8_lossy(path.file_name()).to_lowercase()))
        .collect();
    let mut told = Vec::new();
    for path in tracked.iter().take(SHOWN) {
        let name = text::line(&path.to_text());
        told.push((State::Advice, format!("{name} is tracked by git, and its name says that it holds keys")));
    }
    if tracked.len() > SHOWN {
        told.push((State::Advice, format!("and {} more files of such names", tracked.len() - SHOWN)));
    }
    if tracked.is_empty() {
        told.push((State::Good, "no file that is named like one with keys is tracked".to_owned()));
    }
    let missing: Vec<&str> = LEFT_OUT.into_iter().filter(|name| !is_ignored_at_top(top, name)).collect();
    told.push(if missing.is_empty() {
        (State::Good, ".gitignore leaves out files that hold keys".to_owned())
    } else {
        (
            State::Advice,
            format!(".gitignore does not leave out {}: `git add .` takes them", missing.join(", ")),
        )
    });
    Ok(told)
}

/// Whether a file of that lower-case name holds keys by custom. Examples and public halves do not.
fn is_key_file(name: &str) -> bool {
    const EXACT: [&str; 9] = [
        ".env",
        "id_rsa",
        "id_dsa",
        "id_ecdsa",
        "id_ed25519",
        ".netrc",
        ".pgpass",
        "wallet.dat",
        "credentials.json",
    ];
    const ENDINGS: [&str; 8] = [".pem", ".key", ".p12", ".pfx", ".jks", ".keystore", ".ppk", ".kdbx"];
    const HARMLESS: [&str; 6] = ["example", "sample", "template", "dist", "public", "pub"];
    if name.split(['.', '-', '_']).any(|word| HARMLESS.contains(&word)) {
        return false;
    }
    EXACT.contains(&name)
        || name.starts_with(".env.")
        || name.starts_with("service-account") && name.ends_with(".json")
        || ENDINGS.iter().any(|ending| name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::is_key_file;

    #[test]
    fn names_that_hold_keys() {
        for (name, expected) in [
            (".env", true),
            (".env.production", true),
            (".env.example", false),
            ("server.key", true),
            ("server.pub", false),
            ("id_ed25519", true),
            ("id_ed25519.pub", false),
            ("public.pem", false),
            ("keyboard.rs", false),
            ("service-account-prod.json", true),
        ] {
            assert_eq!(is_key_file(name), expected, "{name}");
        }
    }
}
