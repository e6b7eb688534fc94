//! What may be typed after the commands that look after a project: baseline, config, rules, explain, doctor, init.
//!
//! Must not know: what a command does.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::arguments::{
    ConfidenceArgument, LookingArguments, PolicyArguments, ScanArguments, SourceArguments,
};
use crate::model::Day;

#[derive(Debug, Subcommand)]
pub(crate) enum BaselineCommand {
    /// Write a baseline of everything that is found now
    Create(BaselineWriting),
    /// Add what is found now to the baseline; what it holds already stays
    Update(BaselineWriting),
    /// Tell what the baseline holds
    Show(PolicyArguments),
    /// Take out of the baseline what is not found any more
    Prune(BaselineScan),
}

/// What is looked at for a baseline.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct BaselineScan {
    /// Look at everything that ever was in the repository, too
    #[arg(long)]
    pub(crate) history: bool,
    /// Scan what .gitignore and .ignore leave out, too
    #[arg(long)]
    pub(crate) no_ignore: bool,
    /// Take findings that are at least this sure (default: what the configuration says, else likely)
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub(crate) confidence: Option<ConfidenceArgument>,
    /// Add rules from a pack file or a directory of packs (may be repeated)
    #[arg(long, value_name = "PATH")]
    pub(crate) rules: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) policy: PolicyArguments,
    /// How many threads to use (default: one for each core)
    #[arg(short = 'j', long, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,
}

#[derive(Debug, Args)]
pub(crate) struct BaselineWriting {
    /// Why these secrets do not count for now
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// The last day on which they do not count, such as 2027-01-31
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    pub(crate) until: Option<Day>,
    #[command(flatten)]
    pub(crate) scan: BaselineScan,
}

impl BaselineScan {
    /// The same as the arguments of a scan of the history, if that was asked for.
    pub(crate) fn of_history(&self, root: PathBuf) -> Option<ScanArguments> {
        self.history.then(|| ScanArguments {
            source: SourceArguments { paths: vec![root], history: true, ..SourceArguments::default() },
            looking: self.clone().looking(),
        })
    }

    /// The same as the arguments of a scan of the project's files.
    pub(crate) fn into_scan(self, root: PathBuf) -> ScanArguments {
        ScanArguments {
            source: SourceArguments {
                paths: vec![root],
                no_ignore: self.no_ignore,
                ..SourceArguments::default()
            },
            looking: self.looking(),
        }
    }

    fn looking(self) -> LookingArguments {
        LookingArguments {
            confidence: self.confidence,
            rules: self.rules,
            policy: PolicyArguments { no_baseline: true, ..self.policy },
            threads: self.threads,
            ..LookingArguments::default()
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Tell what counts, and which file says so
    Show(PolicyArguments),
}

#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// List the rules, or those whose id, provider or part holds a word
    List(RulesSelection),
    /// Tell everything about one rule
    Show(RuleNamed),
    /// Run the examples of packs
    Test(PackPaths),
    /// Look for what is wrong or dangerous in packs
    Lint(PackPaths),
    /// Print a pack to begin with
    New(NewPack),
}

#[derive(Debug, Args)]
pub(crate) struct RulesSelection {
    /// Only rules that have this in their id, provider or part
    #[arg(value_name = "WORD")]
    pub(crate) word: Option<String>,
    #[command(flatten)]
    pub(crate) loading: RulesLoading,
}

#[derive(Debug, Args)]
pub(crate) struct RuleNamed {
    /// The rule's id
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) loading: RulesLoading,
}

/// Which rules there are.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct RulesLoading {
    /// Add rules from a pack file or a directory of packs (may be repeated)
    #[arg(long, value_name = "PATH")]
    pub(crate) rules: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) policy: PolicyArguments,
}

#[derive(Debug, Args)]
pub(crate) struct PackPaths {
    /// Pack files and directories of packs (default: those that the configuration names)
    #[arg(value_name = "PATH")]
    pub(crate) packs: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct NewPack {
    /// The provider's id: lower-case letters, digits and dashes
    #[arg(value_name = "PROVIDER")]
    pub(crate) provider: String,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    /// A rule's id, or the fingerprint of a finding of this project
    #[arg(value_name = "RULE|FINGERPRINT")]
    pub(crate) what: String,
    /// Look for the finding in everything that ever was in the repository, too
    #[arg(long)]
    pub(crate) history: bool,
    #[command(flatten)]
    pub(crate) loading: RulesLoading,
}

#[derive(Debug, Args)]
pub(crate) struct InitArguments {
    /// Whose configuration is taken over
    #[arg(long, value_enum, value_name = "TOOL", default_value_t)]
    pub(crate) from: Tool,
    /// Write no baseline of what is found now
    #[arg(long)]
    pub(crate) no_baseline: bool,
    /// Replace a configuration that is already there
    #[arg(long)]
    pub(crate) force: bool,
    /// Only tell what would be written
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// A scanner whose files can be taken over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Tool {
    /// Whatever is there
    #[default]
    Auto,
    /// .gitleaks.toml and .gitleaksignore
    Gitleaks,
    /// .betterleaks.toml and .betterleaksignore
    Betterleaks,
    /// .secrets.baseline
    DetectSecrets,
    /// Lists of excluded paths
    Trufflehog,
    /// kingfisher.yaml, and baselines at the root
    Kingfisher,
    /// `secrets.*` of git's configuration, .gitallowed
    GitSecrets,
    /// .talismanrc
    Talisman,
    /// .secretsignore
    Ripsecrets,
    /// .gitguardian.yaml
    Ggshield,
}

fn parse_day(text: &str) -> Result<Day, String> {
    Day::parse(text).ok_or_else(|| "write a day as YYYY-MM-DD, such as 2027-01-31".to_owned())
}
