//! What may be typed: the options with their types and their help.
//!
//! Must not know: what an option means for a scan, files, git. Parsing touches nothing outside the arguments.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::project_arguments::{
    BaselineCommand, ConfigCommand, ExplainArguments, InitArguments, RulesCommand,
};
use crate::model;

/// The three uses, shown when keyfence is called with nothing.
pub(crate) const SHORT_HELP: &str = "\
keyfence keeps exchange keys, wallet keys and tokens from leaving this machine.

  keyfence scan [PATH]...     look at files, as they are on disk
  keyfence scan --staged      look at what the next commit would record
  keyfence scan --history     look at everything that ever was in a repository
  keyfence scan --range A..B  look at what commits add
  keyfence ci                 look at what a build adds, on build systems
  keyfence hook install       look at every commit from now on, and stop those that leak
  keyfence init               begin in a project that has secrets already, or another scanner

`keyfence help` names the rest; `keyfence help scan` and `keyfence help hook` tell more.
";

const EXIT_CODES: &str = "\
Exit codes: 0 everything was looked at and nothing was found, 1 something was found, \
2 wrong usage or configuration, 3 not everything could be looked at, 130 interrupted.";

/// Stops crypto-exchange keys, wallet keys and cloud tokens from leaving a developer's machine
#[derive(Debug, Parser)]
#[command(name = "keyfence", version, after_help = EXIT_CODES, disable_help_subcommand = false)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Look for secrets in files, standard input, what is staged, commits, or the whole history
    Scan(ScanArguments),
    /// Judge what a build adds: works out the commits by itself on build systems, reads the configuration from before
    Ci(CiArguments),
    /// Write down what is known, so that only what is new counts
    #[command(subcommand)]
    Baseline(BaselineCommand),
    /// Tell what the project's configuration says
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Begin to use keyfence here: takes over what other scanners know, and writes a baseline of what is found
    Init(InitArguments),
    /// See whether this repository is guarded: plants a canary beside your index and proves that the hook stops it
    #[command(after_help = "Exit codes: 0 it is guarded, 3 something is wrong.")]
    Doctor,
    /// Read, try and make rules
    #[command(subcommand)]
    Rules(RulesCommand),
    /// Tell what a rule or a finding means: what somebody can do with it, where it is revoked, what to check
    Explain(ExplainArguments),
    /// Stop commits that contain secrets
    #[command(subcommand)]
    Hook(HookCommand),
    /// Print the completions for a shell, made from these arguments
    Completions {
        /// The shell that reads them
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write the pages of all commands to a directory
    Man {
        /// Where to write the pages
        #[arg(value_name = "DIRECTORY")]
        directory: Option<PathBuf>,
    },
}

#[derive(Debug, Default, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct ScanArguments {
    #[command(flatten)]
    pub(crate) source: SourceArguments,
    #[command(flatten)]
    pub(crate) looking: LookingArguments,
}

/// What is looked at.
#[derive(Debug, Default, Args)]
pub(crate) struct SourceArguments {
    /// Files and directories to scan (default: the current directory); `-` is standard input
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Scan what the next commit would record: the index, not the files on disk
    #[arg(long)]
    pub(crate) staged: bool,
    /// Scan everything that ever was in a repository; PATH is the repository (default: the current one)
    #[arg(long)]
    pub(crate) history: bool,
    /// With --history: leave out what no reference, reflog or index leads to
    #[arg(long)]
    pub(crate) reachable_only: bool,
    /// With --history: only what this branch or tag leads to (may be repeated)
    #[arg(long, value_name = "NAME")]
    pub(crate) branch: Vec<String>,
    /// With --history: only files whose path matches, written as in .gitignore (may be repeated)
    #[arg(long, value_name = "PATTERN")]
    pub(crate) path: Vec<String>,
    /// With --history: only credentials that came on or after this date, such as 2024-01-31 or "2 weeks ago"
    #[arg(long, value_name = "DATE")]
    pub(crate) since: Option<String>,
    /// With --history: only credentials that came on or before this date
    #[arg(long, value_name = "DATE")]
    pub(crate) until: Option<String>,
    /// With --history: look at everything again, and remember nothing in the git directory
    #[arg(long)]
    pub(crate) no_cache: bool,
    /// Scan what commits add: A..B, what B has and A has not; A...B, the same from where they parted
    #[arg(long, value_name = "A..B", allow_hyphen_values = true)]
    pub(crate) range: Option<String>,
    /// Scan what was committed since this commit: the same as --range COMMIT..HEAD
    #[arg(long, value_name = "COMMIT", conflicts_with = "range")]
    pub(crate) since_commit: Option<String>,
    /// Scan a commit message file
    #[arg(long, value_name = "FILE", hide = true)]
    pub(crate) message: Option<PathBuf>,
    /// The file name that standard input stands for
    #[arg(long, value_name = "NAME")]
    pub(crate) stdin_name: Option<String>,
    /// Scan what .gitignore and .ignore leave out, too
    #[arg(long)]
    pub(crate) no_ignore: bool,
}

/// How it is looked at and told.
#[derive(Debug, Default, Args)]
pub(crate) struct LookingArguments {
    /// Leave out files larger than this, such as 512K, 64M or 1G; they are counted
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) max_file_size: Option<u64>,
    /// List findings that are at least this sure (default: what the configuration says, else likely)
    #[arg(long, alias = "min-confidence", value_enum, value_name = "LEVEL")]
    pub(crate) confidence: Option<ConfidenceArgument>,
    /// Use only this rule; `*` stands for any characters (may be repeated)
    #[arg(long, alias = "enable-rule", value_name = "ID")]
    pub(crate) rule: Vec<String>,
    /// Do without this rule; `*` stands for any characters (may be repeated)
    #[arg(long, value_name = "ID")]
    pub(crate) exclude_rule: Vec<String>,
    /// How the report is written (default: human); several are written with as many --output
    #[arg(short, long, alias = "report-format", value_enum, value_name = "FORMAT")]
    pub(crate) format: Vec<FormatArgument>,
    /// Write the report to a file (replaced as a whole, readable only by you; may be repeated)
    ///
    /// `-o FORMAT:FILE` says the format with the file. A FILE alone takes a --format: the one that its ending names
    /// (.json, .jsonl, .sarif, .csv, .md, .html, .xml), or else the next one that can end so; without any, its ending
    /// decides. A --format that no file takes goes to standard output, which is `-`.
    #[arg(short, long, alias = "report-path", short_alias = 'r', value_name = "[FORMAT:]FILE")]
    pub(crate) output: Vec<PathBuf>,
    /// Print found values in full; without this they are masked everywhere
    #[arg(long)]
    pub(crate) show_secrets: bool,
    /// List values that are published as examples or belong to test networks, too
    #[arg(long)]
    pub(crate) show_known: bool,
    /// Tell every credential on a terminal, however many there are (files and pipes always get all of them)
    #[arg(long)]
    pub(crate) all: bool,
    /// Ignore comments that allow a finding
    #[arg(long)]
    pub(crate) no_inline_allow: bool,
    /// End with this code in place of 1 when something was found
    #[arg(long, value_name = "N")]
    pub(crate) exit_code: Option<u8>,
    /// How many threads to use (default: one for each core)
    #[arg(short = 'j', long, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,
    /// Add rules from a pack file or a directory of packs (may be repeated)
    #[arg(long, value_name = "PATH")]
    pub(crate) rules: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) policy: PolicyArguments,
    /// Print nothing when nothing was found
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// When to use colours
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    pub(crate) color: ColorArgument,
    /// Show no progress bar
    #[arg(long)]
    pub(crate) no_progress: bool,
    /// What other scanners have to be told; here it is always so
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, value_name = "N")]
    pub(crate) redact: Option<Option<u8>>,
    /// What other scanners have to be told; here there is none
    #[arg(long, hide = true)]
    pub(crate) no_banner: bool,
}

#[derive(Debug, Default, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct CiArguments {
    /// The commit before the change (default: what the build system says)
    #[arg(long, value_name = "COMMIT")]
    pub(crate) base: Option<String>,
    /// The commit with the change (default: what the build system says)
    #[arg(long, value_name = "COMMIT")]
    pub(crate) head: Option<String>,
    #[command(flatten)]
    pub(crate) looking: LookingArguments,
}

/// Which files of the project count.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct PolicyArguments {
    /// Read the configuration from here (default: .keyfence.yaml at the root of the project)
    #[arg(short, long, value_name = "FILE", conflicts_with = "no_config")]
    pub(crate) config: Option<PathBuf>,
    /// Read no configuration, no .keyfenceignore and no baseline
    #[arg(long)]
    pub(crate) no_config: bool,
    /// Read the baseline from here (default: .keyfence-baseline at the root of the project)
    #[arg(short, long, alias = "baseline-path", value_name = "FILE", conflicts_with_all = ["no_baseline", "no_config"])]
    pub(crate) baseline: Option<PathBuf>,
    /// Count what the baseline holds, too
    #[arg(long)]
    pub(crate) no_baseline: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum HookCommand {
    /// Put the hook into this repository; a hook that is already there keeps running, first
    Install(InstallArguments),
    /// Take the hook out again and put back what was there before
    Uninstall(PlaceArguments),
    /// Tell for each stage whether the hook is there and what would run (exit code 3 if a stage is unguarded)
    Status(PlaceArguments),
    /// What the installed hook calls
    #[command(hide = true)]
    Run(RunArguments),
}

#[derive(Debug, Args)]
pub(crate) struct InstallArguments {
    #[command(flatten)]
    pub(crate) place: PlaceArguments,
    /// Install even where husky, lefthook or pre-commit manage the hooks
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PlaceArguments {
    /// Use git's template directory: for every repository that is created or cloned from now on
    #[arg(long)]
    pub(crate) global: bool,
    /// Which hook (may be repeated; default: pre-commit and commit-msg)
    #[arg(long = "stage", value_enum, value_name = "STAGE")]
    pub(crate) stages: Vec<Stage>,
}

#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// The hook that git runs
    #[arg(value_enum)]
    pub(crate) stage: Stage,
    /// The id under which a hook manager skips this hook
    #[arg(long, value_name = "ID", hide = true)]
    pub(crate) skip_id: Option<String>,
    /// What git passed to the hook
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) rest: Vec<PathBuf>,
}

/// A hook of git that keyfence can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Stage {
    /// Before a commit is made: what is staged.
    PreCommit,
    /// Before a merge commit is made: what is staged.
    PreMergeCommit,
    /// Before a commit is made: its message.
    CommitMsg,
    /// Before commits are pushed: what the remote does not have yet.
    PrePush,
    /// On a server, before pushed references are taken: what it does not have yet.
    PreReceive,
    /// The same for each reference by itself.
    Update,
}

impl Stage {
    /// Whether git tells on standard input what is pushed.
    pub(crate) fn reads_input(self) -> bool {
        matches!(self, Self::PrePush | Self::PreReceive)
    }

    /// Whether it runs where pushes arrive, so that no work tree is needed.
    pub(crate) fn is_on_server(self) -> bool {
        matches!(self, Self::PreReceive | Self::Update)
    }

    /// The hook's file name.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::PreCommit => "pre-commit",
            Self::PreMergeCommit => "pre-merge-commit",
            Self::CommitMsg => "commit-msg",
            Self::PrePush => "pre-push",
            Self::PreReceive => "pre-receive",
            Self::Update => "update",
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ConfidenceArgument {
    /// A random value with a name that could mean a secret
    Possible,
    /// Shape and context agree
    Likely,
    /// Proved by a checksum or self-identifying
    Certain,
}

impl From<ConfidenceArgument> for model::Confidence {
    fn from(argument: ConfidenceArgument) -> Self {
        match argument {
            ConfidenceArgument::Possible => Self::Possible,
            ConfidenceArgument::Likely => Self::Likely,
            ConfidenceArgument::Certain => Self::Certain,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatArgument {
    /// For people
    #[default]
    Human,
    /// For programs: a JSON document, version 1
    Json,
    /// For streams: the same objects, one a line
    Jsonl,
    /// For code scanning: SARIF 2.1.0
    Sarif,
    /// For GitHub Actions: annotations, and the step's summary
    Github,
    /// For GitLab: a secret detection report
    Gitlab,
    /// For GitLab: a code quality report
    GitlabCodequality,
    /// For test reports: JUnit XML
    Junit,
    /// For spreadsheets: one finding a line
    Csv,
    /// For pull requests and issues
    Markdown,
    /// For a browser: one page that needs no network
    Html,
}

impl FormatArgument {
    /// The word that is typed.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Sarif => "sarif",
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::GitlabCodequality => "gitlab-codequality",
            Self::Junit => "junit",
            Self::Csv => "csv",
            Self::Markdown => "markdown",
            Self::Html => "html",
        }
    }

    /// The format of that word.
    pub(crate) fn of_word(word: &str) -> Option<Self> {
        Self::value_variants().iter().copied().find(|format| format.as_str() == word)
    }

    /// Whether a file with an ending that names `named` can be meant for this one: many reports are JSON or XML.
    pub(crate) fn may_end_as(self, named: Self) -> bool {
        match named {
            Self::Json => {
                !matches!(self, Self::Human | Self::Junit | Self::Csv | Self::Markdown | Self::Html)
            }
            other => self == other,
        }
    }

    /// The format that a file's ending names.
    pub(crate) fn of_file(file: &Path) -> Option<Self> {
        let ending = file.extension()?.to_str()?.to_ascii_lowercase();
        Some(match ending.as_str() {
            "json" => Self::Json,
            "jsonl" | "ndjson" => Self::Jsonl,
            "sarif" => Self::Sarif,
            "xml" => Self::Junit,
            "csv" => Self::Csv,
            "md" | "markdown" => Self::Markdown,
            "html" | "htm" => Self::Html,
            _ => return None,
        })
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorArgument {
    /// When the report goes to a terminal and NO_COLOR is not set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Bytes from `64M`, `64MB`, `64MiB`, `512k` or `1000`; each step is 1024.
fn parse_size(text: &str) -> Result<u64, String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let shift = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        _ => return Err("write a number and a unit, such as 512K, 64M or 1G".to_owned()),
    };
    let number: u64 =
        number.parse().map_err(|_| "write a whole number, with K, M or G after it if you like".to_owned())?;
    match number.checked_mul(1 << shift) {
        Some(0) => Err("nothing is that small; the smallest limit is 1".to_owned()),
        Some(bytes) => Ok(bytes),
        None => Err("that is more than any file can hold".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::{Arguments, parse_size};

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn sizes() {
        for (text, expected) in [
            ("1000", Some(1000)),
            ("64M", Some(64 << 20)),
            ("64 MiB", Some(64 << 20)),
            ("512kb", Some(512 << 10)),
            ("1g", Some(1 << 30)),
            ("0", None),
            ("", None),
            ("M", None),
            ("-1", None),
            ("1.5M", None),
            ("12T", None),
            ("99999999999G", None),
        ] {
            assert_eq!(parse_size(text).ok(), expected, "{text:?}");
        }
    }
}
