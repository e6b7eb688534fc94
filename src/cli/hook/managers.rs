//! Tools that manage hooks themselves. keyfence does not fight them: it tells the lines that they need.
//!
//! Must not know: how hooks are installed.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::arguments::Stage;

/// A hook manager that was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Manager {
    /// Its name.
    pub(crate) name: &'static str,
    /// The file or directory that gave it away.
    pub(crate) evidence: PathBuf,
    /// Where the lines go, and the lines.
    pub(crate) advice: &'static str,
}

const LEFTHOOK_NAMES: [&str; 8] = [
    "lefthook.yml",
    "lefthook.yaml",
    "lefthook.toml",
    "lefthook.json",
    ".lefthook.yml",
    ".lefthook.yaml",
    ".config/lefthook.yml",
    ".config/lefthook.yaml",
];

const HUSKY: &str = "\
in .husky/pre-commit:
    keyfence hook run pre-commit
in .husky/commit-msg:
    keyfence hook run commit-msg \"$1\"
";

const LEFTHOOK: &str = "\
in the lefthook configuration (under what is already there for these hooks):
    pre-commit: { commands: { keyfence: { run: keyfence hook run pre-commit } } }
    commit-msg: { commands: { keyfence: { run: 'keyfence hook run commit-msg {1}' } } }
";

const PRE_COMMIT: &str = "\
in .pre-commit-config.yaml, under `repos:`:
    - repo: local
      hooks: [{ id: keyfence, name: keyfence, language: system, entry: keyfence hook run pre-commit, pass_filenames: false, always_run: true }]
";

impl Manager {
    /// Whether its configuration for `stage` speaks of keyfence.
    pub(crate) fn calls_keyfence(&self, stage: Stage) -> bool {
        let file =
            if self.evidence.is_dir() { self.evidence.join(stage.as_str()) } else { self.evidence.clone() };
        fs::read_to_string(file).is_ok_and(|configuration| configuration.contains("keyfence"))
    }
}

/// The manager of the hooks of the work tree at `top`, if there is one.
pub(crate) fn detect(top: &Path) -> Option<Manager> {
    let husky = top.join(".husky");
    if husky.is_dir() {
        return Some(Manager { name: "husky", evidence: husky, advice: HUSKY });
    }
    let lefthook = LEFTHOOK_NAMES.iter().map(|name| top.join(name)).find(|file| file.is_file());
    if let Some(evidence) = lefthook {
        return Some(Manager { name: "lefthook", evidence, advice: LEFTHOOK });
    }
    let framework = top.join(".pre-commit-config.yaml");
    framework.is_file().then_some(Manager {
        name: "the pre-commit framework",
        evidence: framework,
        advice: PRE_COMMIT,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::detect;

    #[test]
    fn managers_are_found_by_what_they_leave() {
        for (name, expected) in [
            (".husky/_/h", Some("husky")),
            ("lefthook.yml", Some("lefthook")),
            (".config/lefthook.yml", Some("lefthook")),
            (".pre-commit-config.yaml", Some("the pre-commit framework")),
            (".pre-commit-hooks.yaml", None),
        ] {
            let top = tempfile::tempdir().expect("a temporary directory can be made");
            let file = top.path().join(name);
            fs::create_dir_all(file.parent().expect("it has one")).expect("it can be made");
            fs::write(&file, "").expect("the directory is writable");
            assert_eq!(detect(top.path()).map(|manager| manager.name), expected, "{name}");
        }
    }
}
