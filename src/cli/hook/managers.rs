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
    tool: Tool,
}

/// How its configuration is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tool {
    Husky,
    Lefthook,
    Framework,
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

impl Manager {
    /// Where the lines for `stages` go, and the lines.
    pub(crate) fn advice(&self, stages: &[Stage]) -> String {
        let lines = stages.iter().filter(|stage| !stage.is_on_server()).map(|stage| self.tool.lines(*stage));
        let head = match self.tool {
            Tool::Husky => "",
            Tool::Lefthook => {
                "in the lefthook configuration (under what is already there for these hooks):\n"
            }
            Tool::Framework => {
                "in .pre-commit-config.yaml, under `repos:`:\n    - repo: local\n      hooks:\n"
            }
        };
        head.to_owned() + &lines.collect::<String>()
    }

    /// Whether its configuration for `stage` speaks of keyfence.
    pub(crate) fn calls_keyfence(&self, stage: Stage) -> bool {
        let file =
            if self.evidence.is_dir() { self.evidence.join(stage.as_str()) } else { self.evidence.clone() };
        fs::read_to_string(file).is_ok_and(|configuration| configuration.contains("keyfence"))
    }
}

impl Tool {
    /// What calls keyfence at `stage`. git gives a message's file, the name and address of a remote, and what is pushed
    /// on standard input; each tool hands them on in its own way.
    fn lines(self, stage: Stage) -> String {
        let name = stage.as_str();
        match self {
            Self::Husky => {
                let arguments = match stage {
                    Stage::CommitMsg => " \"$1\"",
                    Stage::PrePush => " \"$@\"",
                    _ => "",
                };
                format!("in .husky/{name}:\n    keyfence hook run {name}{arguments}\n")
            }
            Self::Lefthook => {
                let run = match stage {
                    Stage::CommitMsg => format!("'keyfence hook run {name} {{1}}'"),
                    Stage::PrePush => format!("'keyfence hook run {name} {{1}} {{2}}', use_stdin: true"),
                    _ => format!("keyfence hook run {name}"),
                };
                format!("    {name}: {{ commands: {{ keyfence: {{ run: {run} }} }} }}\n")
            }
            Self::Framework => {
                let (id, files) = match stage {
                    Stage::CommitMsg => ("keyfence-commit-msg", ""),
                    Stage::PrePush => ("keyfence-pre-push", ", pass_filenames: false"),
                    Stage::PreMergeCommit => ("keyfence-pre-merge-commit", ", pass_filenames: false"),
                    _ => ("keyfence", ", pass_filenames: false"),
                };
                format!(
                    "        - {{ id: {id}, name: {id}, language: system, entry: keyfence hook run {name}, \
                     stages: [{name}]{files}, always_run: true }}\n"
                )
            }
        }
    }
}

/// The manager of the hooks of the work tree at `top`, if there is one.
pub(crate) fn detect(top: &Path) -> Option<Manager> {
    let husky = top.join(".husky");
    if husky.is_dir() {
        return Some(Manager { name: "husky", evidence: husky, tool: Tool::Husky });
    }
    let lefthook = LEFTHOOK_NAMES.iter().map(|name| top.join(name)).find(|file| file.is_file());
    if let Some(evidence) = lefthook {
        return Some(Manager { name: "lefthook", evidence, tool: Tool::Lefthook });
    }
    let framework = top.join(".pre-commit-config.yaml");
    framework.is_file().then_some(Manager {
        name: "the pre-commit framework",
        evidence: framework,
        tool: Tool::Framework,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::super::arguments::Stage;
    use super::{Manager, Tool, detect};

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
    #[test]
    fn every_stage_that_is_asked_for_is_advised() {
        let stages = [Stage::PreCommit, Stage::CommitMsg, Stage::PrePush];
        for (tool, expected) in [
            (
                Tool::Husky,
                [
                    "in .husky/pre-commit:\n    keyfence hook run pre-commit\n",
                    "keyfence hook run commit-msg \"$1\"\n",
                    "in .husky/pre-push:\n    keyfence hook run pre-push \"$@\"\n",
                ],
            ),
            (
                Tool::Lefthook,
                [
                    "pre-commit: { commands: { keyfence: { run: keyfence hook run pre-commit } } }\n",
                    "{ run: 'keyfence hook run commit-msg {1}' }",
                    "{ run: 'keyfence hook run pre-push {1} {2}', use_stdin: true }",
                ],
            ),
            (
                Tool::Framework,
                [
                    "entry: keyfence hook run pre-commit, stages: [pre-commit]",
                    "entry: keyfence hook run commit-msg, stages: [commit-msg], always_run",
                    "entry: keyfence hook run pre-push, stages: [pre-push], pass_filenames: false",
                ],
            ),
        ] {
            let manager = Manager { name: "it", evidence: "it".into(), tool };
            for (at, words) in expected.into_iter().enumerate() {
                let all = manager.advice(&stages);
                assert!(all.contains(words), "{tool:?}: {all}");
                let others = [&stages[..at], &stages[at + 1..]].concat();
                assert!(!manager.advice(&others).contains(words), "{tool:?}: {words}");
            }
        }
    }
}
