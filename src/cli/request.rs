//! What was meant by what was typed: arguments in, a checked request out.
//!
//! Must not know: files, git, the terminal. Invariant: a combination that would scan less than it seems to is
//! refused here with the reason.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use super::arguments::{
    Arguments, CiArguments, Command, HookCommand, LookingArguments, PlaceArguments, PolicyArguments,
    RunArguments, ScanArguments, SourceArguments, Stage,
};
use super::failure::Failure;
use super::project_arguments::{
    BaselineCommand, ConfigCommand, ExplainArguments, InitArguments, RulesCommand,
};
use super::reports::{self, Writing};
use crate::model::Confidence;
use crate::source::git::{RangeHead, RangeSelection};
use crate::suppress::RuleChoice;

/// One thing to do.
#[derive(Debug)]
pub(crate) enum Request {
    /// Nothing was asked: tell what could be.
    Explain,
    /// Scan and report.
    Scan(ScanRequest),
    /// Judge what a build adds.
    Ci(CiRequest),
    /// Look after the baseline.
    Baseline(BaselineCommand),
    /// Look at the configuration.
    Config(ConfigCommand),
    /// Begin to use keyfence.
    Init(InitArguments),
    /// See whether the repository is guarded.
    Doctor,
    /// Look at rules.
    Rules(RulesCommand),
    /// Explain a rule or a finding.
    ExplainFinding(ExplainArguments),
    /// Put the hook somewhere.
    Install { place: HookPlace, force: bool },
    /// Take it away.
    Uninstall(HookPlace),
    /// Tell about it.
    Status(HookPlace),
    /// Be the hook.
    RunHook(HookRun),
    /// Print what a shell completes.
    Completions(clap_complete::Shell),
    /// Print or write the manual.
    Manual(Option<PathBuf>),
}

/// A scan and where its report goes.
#[derive(Debug)]
pub(crate) struct ScanRequest {
    pub(crate) what: What,
    pub(crate) looking: Looking,
}

/// How something is looked at and told.
#[derive(Debug)]
pub(crate) struct Looking {
    pub(crate) detection: Detection,
    pub(crate) writing: Writing,
    /// What stands for 1 when something was found.
    pub(crate) code_for_findings: Option<u8>,
    pub(crate) threads: Option<NonZeroUsize>,
    pub(crate) progress: bool,
}

/// What is scanned.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum What {
    Tree {
        paths: Vec<PathBuf>,
        honour_ignore_files: bool,
        max_size: Option<u64>,
    },
    Stdin {
        name: Option<String>,
    },
    Staged {
        max_size: Option<u64>,
    },
    Message(PathBuf),
    History(HistoryRequest),
    /// `trusted`: what the range itself allows counts; else what was allowed before it does.
    Range {
        selection: RangeSelection,
        max_size: Option<u64>,
        trusted: bool,
    },
}

/// A build to judge; what its commits are is found out later.
#[derive(Debug)]
pub(crate) struct CiRequest {
    pub(crate) base: Option<String>,
    pub(crate) head: Option<String>,
    pub(crate) max_size: Option<u64>,
    pub(crate) looking: Looking,
}

/// Which part of history is scanned.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct HistoryRequest {
    pub(crate) repository: PathBuf,
    pub(crate) max_size: Option<u64>,
    pub(crate) reachable_only: bool,
    pub(crate) branches: Vec<String>,
    pub(crate) paths: Vec<String>,
    pub(crate) since: Option<String>,
    pub(crate) until: Option<String>,
    /// Whether what an earlier scan left in the git directory is made use of.
    pub(crate) cache: bool,
}

/// How it is looked at.
#[derive(Debug)]
pub(crate) struct Detection {
    /// What was asked for; the configuration is asked where nothing was.
    pub(crate) threshold: Option<Confidence>,
    pub(crate) honour_comments: bool,
    pub(crate) packs: Vec<PathBuf>,
    pub(crate) policy: PolicyRequest,
}

/// Which files of the project count.
#[derive(Debug)]
pub(crate) struct PolicyRequest {
    pub(crate) use_config: bool,
    pub(crate) config: Option<PathBuf>,
    pub(crate) use_baseline: bool,
    pub(crate) baseline: Option<PathBuf>,
    pub(crate) rules: RuleChoice,
}

impl Default for PolicyRequest {
    fn default() -> Self {
        Self {
            use_config: true,
            config: None,
            use_baseline: true,
            baseline: None,
            rules: RuleChoice::default(),
        }
    }
}

/// Which hooks, and whether of this repository or of the template directory.
#[derive(Debug)]
pub(crate) struct HookPlace {
    pub(crate) global: bool,
    pub(crate) stages: Vec<Stage>,
}

/// What git handed to a hook.
#[derive(Debug)]
pub(crate) enum HookInput {
    /// It is known what is scanned.
    Known(What),
    /// `pre-push`: the remote's name and address; the rest stands on standard input.
    Push { remote: String, address: String },
    /// `pre-receive`: everything stands on standard input.
    Receive,
    /// `update`: one reference, and what it will be.
    Update { reference: String, new: String },
}

/// A hook that git or a hook manager is running.
#[derive(Debug)]
pub(crate) struct HookRun {
    pub(crate) stage: Stage,
    pub(crate) input: HookInput,
    pub(crate) skip_id: Option<String>,
}

impl Request {
    /// What `arguments` mean.
    pub(crate) fn from_arguments(arguments: Arguments) -> Result<Self, Failure> {
        Ok(match arguments.command {
            None => Self::Explain,
            Some(Command::Scan(scan)) => Self::Scan(ScanRequest::from_arguments(scan)?),
            Some(Command::Ci(ci)) => Self::Ci(CiRequest::from_arguments(ci)?),
            Some(Command::Baseline(command)) => Self::Baseline(command),
            Some(Command::Config(command)) => Self::Config(command),
            Some(Command::Init(arguments)) => Self::Init(arguments),
            Some(Command::Doctor) => Self::Doctor,
            Some(Command::Rules(command)) => Self::Rules(command),
            Some(Command::Explain(arguments)) => Self::ExplainFinding(arguments),
            Some(Command::Hook(HookCommand::Install(install))) => {
                Self::Install { place: HookPlace::from_arguments(install.place), force: install.force }
            }
            Some(Command::Hook(HookCommand::Uninstall(place))) => {
                Self::Uninstall(HookPlace::from_arguments(place))
            }
            Some(Command::Hook(HookCommand::Status(place))) => Self::Status(HookPlace::from_arguments(place)),
            Some(Command::Hook(HookCommand::Run(run))) => Self::RunHook(HookRun::from_arguments(run)?),
            Some(Command::Completions { shell }) => Self::Completions(shell),
            Some(Command::Man { directory }) => Self::Manual(directory),
        })
    }
}

impl Request {
    /// What was asked for in place of 1 when something is found.
    pub(crate) fn code_for_findings(&self) -> Option<u8> {
        match self {
            Self::Scan(ScanRequest { looking, .. }) | Self::Ci(CiRequest { looking, .. }) => {
                looking.code_for_findings
            }
            _ => None,
        }
    }
}

impl ScanRequest {
    pub(crate) fn from_arguments(arguments: ScanArguments) -> Result<Self, Failure> {
        let what = What::from_arguments(&arguments.source, arguments.looking.max_file_size)?;
        Ok(Self { what, looking: Looking::from_arguments(arguments.looking)? })
    }
}

impl Looking {
    fn from_arguments(arguments: LookingArguments) -> Result<Self, Failure> {
        Ok(Self {
            detection: Detection {
                threshold: arguments.confidence.map(Into::into),
                honour_comments: !arguments.no_inline_allow,
                packs: arguments.rules,
                policy: PolicyRequest {
                    rules: RuleChoice { only: arguments.rule, except: arguments.exclude_rule },
                    ..PolicyRequest::from_arguments(arguments.policy)
                },
            },
            code_for_findings: arguments.exit_code,
            writing: Writing {
                reports: reports::pair(&arguments.format, &arguments.output)?,
                show_secrets: arguments.show_secrets,
                show_known: arguments.show_known,
                all: arguments.all,
                color: arguments.color,
                quiet: arguments.quiet,
            },
            threads: arguments.threads,
            progress: !arguments.no_progress && !arguments.quiet,
        })
    }
}

impl CiRequest {
    fn from_arguments(arguments: CiArguments) -> Result<Self, Failure> {
        let max_size = arguments.looking.max_file_size;
        let looking = Looking::from_arguments(arguments.looking)?;
        Ok(Self { base: arguments.base, head: arguments.head, max_size, looking })
    }
}

impl PolicyRequest {
    pub(crate) fn from_arguments(arguments: PolicyArguments) -> Self {
        Self {
            use_config: !arguments.no_config,
            config: arguments.config,
            use_baseline: !arguments.no_baseline,
            baseline: arguments.baseline,
            rules: RuleChoice::default(),
        }
    }
}

impl What {
    fn from_arguments(arguments: &SourceArguments, max_size: Option<u64>) -> Result<Self, Failure> {
        refuse_contradictions(arguments, max_size)?;
        if let Some(file) = &arguments.message {
            return Ok(Self::Message(file.clone()));
        }
        if arguments.staged {
            return Ok(Self::Staged { max_size });
        }
        if arguments.history {
            return Ok(Self::History(HistoryRequest {
                repository: arguments.paths.first().cloned().unwrap_or_else(|| PathBuf::from(".")),
                max_size,
                reachable_only: arguments.reachable_only,
                branches: arguments.branch.clone(),
                paths: arguments.path.clone(),
                since: arguments.since.clone(),
                until: arguments.until.clone(),
                cache: !arguments.no_cache,
            }));
        }
        if let Some(selection) = range(arguments)? {
            return Ok(Self::Range { selection, max_size, trusted: true });
        }
        if names_stdin(arguments) {
            return Ok(Self::Stdin { name: arguments.stdin_name.clone() });
        }
        let paths =
            if arguments.paths.is_empty() { vec![PathBuf::from(".")] } else { arguments.paths.clone() };
        Ok(Self::Tree { paths, honour_ignore_files: !arguments.no_ignore, max_size })
    }
}

/// The commits that `--range` or `--since-commit` names; an end that is left out is HEAD.
fn range(arguments: &SourceArguments) -> Result<Option<RangeSelection>, Failure> {
    let (base, head, common_ancestor) = match (&arguments.range, &arguments.since_commit) {
        (None, None) => return Ok(None),
        (Some(range), _) => {
            let split = range.split_once("...").map(|(base, head)| (base, head, true));
            let split = split.or_else(|| range.split_once("..").map(|(base, head)| (base, head, false)));
            split.ok_or_else(|| {
                Failure::usage(
                    format!("--range {range} names one commit, and a range is between two"),
                    "write A..B, or --since-commit A",
                )
            })?
        }
        (None, Some(commit)) => (commit.as_str(), "HEAD", false),
    };
    let or_head = |name: &str| if name.is_empty() { "HEAD".to_owned() } else { name.to_owned() };
    Ok(Some(RangeSelection {
        heads: vec![RangeHead { revision: or_head(head), name: None }],
        bases: vec![or_head(base)],
        common_ancestor,
        tags: true,
        ..RangeSelection::default()
    }))
}

fn names_stdin(arguments: &SourceArguments) -> bool {
    arguments.paths.iter().any(|path| path == Path::new("-"))
}

fn refuse_contradictions(arguments: &SourceArguments, max_size: Option<u64>) -> Result<(), Failure> {
    let has_paths = !arguments.paths.is_empty();
    let stdin = names_stdin(arguments);
    let range = arguments.range.is_some() || arguments.since_commit.is_some();
    let elsewhere = arguments.staged || arguments.history || arguments.message.is_some() || range;
    let tree = !elsewhere && !stdin;
    let narrows_history = arguments.reachable_only
        || !arguments.branch.is_empty()
        || !arguments.path.is_empty()
        || arguments.since.is_some()
        || arguments.until.is_some()
        || arguments.no_cache;
    let contradictions = [
        (
            range && (arguments.staged || arguments.history || arguments.message.is_some() || has_paths),
            "--range and --since-commit look at commits and at nothing else",
            "scan the commits and the rest with two calls",
        ),
        (
            arguments.history && (arguments.staged || arguments.message.is_some() || stdin),
            "--history looks at a repository and at nothing else",
            "scan the rest with another call",
        ),
        (
            arguments.history && arguments.paths.len() > 1,
            "--history looks at one repository",
            "scan several with several calls; --path PATTERN narrows a scan to some of its files",
        ),
        (
            narrows_history && !arguments.history,
            "--reachable-only, --branch, --path, --since, --until and --no-cache belong to --history, which was not asked for",
            "add --history, or leave them out",
        ),
        (
            arguments.staged && has_paths,
            "--staged and a PATH cannot be combined: --staged looks at the whole index, because a commit records all of it",
            "leave out the PATH, or leave out --staged to scan the PATH as it is on disk",
        ),
        (
            arguments.message.is_some() && (arguments.staged || has_paths),
            "--message looks at a commit message and at nothing else",
            "scan the message and the rest with two calls",
        ),
        (
            stdin && arguments.paths.len() > 1,
            "`-` (standard input) and other paths cannot be scanned in one call",
            "scan them with two calls; a file that is really named `-` is written `./-`",
        ),
        (
            arguments.stdin_name.is_some() && !stdin,
            "--stdin-name says what standard input stands for, but standard input is not scanned",
            "add `-` as the PATH",
        ),
        (
            max_size.is_some() && stdin,
            "--max-file-size leaves out large files, but standard input is read to its end",
            "leave it out",
        ),
        (
            arguments.no_ignore && !tree,
            "--no-ignore concerns directories only: here nothing is left out for a .gitignore anyway",
            "leave it out",
        ),
    ];
    match contradictions.into_iter().find(|(contradicts, ..)| *contradicts) {
        Some((_, message, hint)) => Err(Failure::usage(message, hint)),
        None => Ok(()),
    }
}

impl HookPlace {
    fn from_arguments(arguments: PlaceArguments) -> Self {
        let mut stages = arguments.stages;
        if stages.is_empty() {
            stages = vec![Stage::PreCommit, Stage::CommitMsg];
        }
        let mut seen = Vec::new();
        stages.retain(|stage| {
            let new = !seen.contains(stage);
            seen.push(*stage);
            new
        });
        Self { global: arguments.global, stages }
    }
}

impl HookRun {
    /// How to commit without this hook. A merge that was stopped is concluded with `git commit` as well.
    pub(crate) fn way_past(&self) -> String {
        match &self.skip_id {
            Some(id) => format!("SKIP={id} git {}", self.act()),
            None => format!("git {} --no-verify", self.act()),
        }
    }

    /// What git is stopped from doing.
    pub(crate) fn act(&self) -> &'static str {
        match self.stage {
            Stage::PrePush | Stage::PreReceive | Stage::Update => "push",
            Stage::PreCommit | Stage::PreMergeCommit | Stage::CommitMsg => "commit",
        }
    }

    fn from_arguments(arguments: RunArguments) -> Result<Self, Failure> {
        let word = |index: usize| arguments.rest.get(index).map(|word| word.to_string_lossy().into_owned());
        let input = match arguments.stage {
            Stage::PreCommit | Stage::PreMergeCommit => HookInput::Known(What::Staged { max_size: None }),
            Stage::CommitMsg => match arguments.rest.first() {
                Some(file) => HookInput::Known(What::Message(file.clone())),
                None => {
                    return Err(Failure::usage(
                        "the commit-msg hook needs the file that holds the message",
                        "call it as: keyfence hook run commit-msg \"$1\"",
                    ));
                }
            },
            Stage::PrePush => {
                HookInput::Push { remote: word(0).unwrap_or_default(), address: word(1).unwrap_or_default() }
            }
            Stage::PreReceive => HookInput::Receive,
            Stage::Update => match (word(0), word(2)) {
                (Some(reference), Some(new)) => HookInput::Update { reference, new },
                _ => {
                    return Err(Failure::usage(
                        "the update hook needs a reference, what it was and what it will be",
                        "call it as: keyfence hook run update \"$1\" \"$2\" \"$3\"",
                    ));
                }
            },
        };
        Ok(Self { stage: arguments.stage, input, skip_id: arguments.skip_id })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::arguments::Arguments;
    use super::{RangeHead, RangeSelection, Request, What};

    fn meant(line: &str) -> Result<Request, String> {
        let words = std::iter::once("keyfence").chain(line.split_whitespace());
        let arguments = Arguments::try_parse_from(words).map_err(|error| error.to_string())?;
        Request::from_arguments(arguments).map_err(|failure| failure.words())
    }

    #[test]
    fn what_is_scanned() {
        let tree = |path: &str, honour_ignore_files| What::Tree {
            paths: vec![path.into()],
            honour_ignore_files,
            max_size: None,
        };
        let range = |base: &str, head: &str, common_ancestor| What::Range {
            selection: RangeSelection {
                heads: vec![RangeHead { revision: head.to_owned(), name: None }],
                bases: vec![base.to_owned()],
                common_ancestor,
                tags: true,
                ..RangeSelection::default()
            },
            max_size: None,
            trusted: true,
        };
        for (line, expected) in [
            ("scan", tree(".", true)),
            ("scan --no-ignore src", tree("src", false)),
            ("scan -- --staged", tree("--staged", true)),
            ("scan ./-", tree("./-", true)),
            ("scan -", What::Stdin { name: None }),
            ("scan - --stdin-name a.env", What::Stdin { name: Some("a.env".into()) }),
            ("scan --staged --max-file-size 1K", What::Staged { max_size: Some(1024) }),
            ("scan --message m", What::Message("m".into())),
            ("scan --range a..b", range("a", "b", false)),
            ("scan --range a...", range("a", "HEAD", true)),
            ("scan --since-commit a", range("a", "HEAD", false)),
        ] {
            match meant(line) {
                Ok(Request::Scan(request)) => assert_eq!(request.what, expected, "{line}"),
                other => panic!("{line}: {other:?}"),
            }
        }
    }

    #[test]
    fn contradictions_say_why() {
        for (line, expected) in [
            ("scan --staged src", "whole index"),
            ("scan - src", "two calls"),
            ("scan --stdin-name x", "standard input is not scanned"),
            ("scan --staged --no-ignore", "concerns directories only"),
            ("scan - --max-file-size 1K", "read to its end"),
            ("scan --message m src", "nothing else"),
            ("scan --confidence sure", "possible, likely, certain"),
            ("scan -j 0", "number would be zero"),
            ("hook run commit-msg", "file that holds the message"),
            ("hook install --stage post-commit", "pre-merge-commit"),
            ("scan --range A", "between two"),
            ("scan --range A..B src", "nothing else"),
            ("ci --staged", "unexpected argument"),
            ("hook run update refs/heads/main", "what it will be"),
        ] {
            match meant(line) {
                Err(words) => assert!(words.contains(expected), "{line}: {words}"),
                Ok(request) => panic!("{line} was taken as {request:?}"),
            }
        }
    }

    #[test]
    fn a_hook_stage_counts_once() {
        match meant("hook install --stage commit-msg --stage commit-msg") {
            Ok(Request::Install { place, .. }) => assert_eq!(place.stages.len(), 1),
            other => panic!("{other:?}"),
        }
    }
}
