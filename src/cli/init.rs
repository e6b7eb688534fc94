//! `init`: a project begins to use keyfence, with what its other scanners already know.
//!
//! Must not know: the files of other tools (that is `suppress::imports`).
//! Invariants: nothing that is there is overwritten unasked; whatever was not taken over is told.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path};

use super::baseline::{Looked, random_salt};
use super::failure::{Ending, Failure};
use super::files::{self, Access};
use super::output::say;
use super::policy::Root;
use super::project_arguments::{BaselineScan, InitArguments, Tool};
use super::text;
use crate::config::{CONFIG_NAME, IGNORE_NAME, allow_text};
use crate::model::Finding;
use crate::report::write_overview;
use crate::source::SourceError;
use crate::source::git::{GitEnvironment, Layout, Settings};
use crate::suppress::Baseline;
use crate::suppress::imports::{Fate, Format, Known, Note, Taken, import, is_kingfisher_baseline};

/// Files of other tools, in the order in which they are taken over.
const FILES: [(Tool, &str, Format); 15] = [
    (Tool::Gitleaks, ".gitleaks.toml", Format::GitleaksConfig),
    (Tool::Gitleaks, ".gitleaksignore", Format::GitleaksIgnore),
    (Tool::Betterleaks, ".betterleaks.toml", Format::GitleaksConfig),
    (Tool::Betterleaks, ".betterleaksignore", Format::GitleaksIgnore),
    (Tool::DetectSecrets, ".secrets.baseline", Format::DetectSecrets),
    (Tool::Trufflehog, ".trufflehogignore", Format::TrufflehogPaths),
    (Tool::Trufflehog, "trufflehog-exclude.txt", Format::TrufflehogPaths),
    (Tool::GitSecrets, ".gitallowed", Format::GitAllowed),
    (Tool::Talisman, ".talismanrc", Format::Talisman),
    (Tool::Ripsecrets, ".secretsignore", Format::Ripsecrets),
    (Tool::Ggshield, ".gitguardian.yaml", Format::Ggshield),
    (Tool::Ggshield, ".gitguardian.yml", Format::Ggshield),
    (Tool::Gitleaks, "gitleaks.toml", Format::GitleaksConfig),
    (Tool::Kingfisher, "kingfisher.yaml", Format::KingfisherConfig),
    (Tool::Kingfisher, "kingfisher.yml", Format::KingfisherConfig),
];

/// What can be a baseline of kingfisher is not larger.
const MAX_BASELINE: u64 = 32 << 20;

/// Why what is found on the first day does not count.
const FIRST_DAY: &str = "found when keyfence was adopted";

const HEAD: &str = "\
# What keyfence allows and looks for here. Every field: docs/configuration.md.
# `keyfence config show` tells what counts and which file says so.
";

/// Takes over, writes, scans, tells.
pub(crate) fn perform(arguments: &InitArguments) -> Result<Ending, Failure> {
    let root = Root::of(Path::new("."))?;
    let target = root.directory.join(CONFIG_NAME);
    if target.exists() && !arguments.force && !arguments.dry_run {
        return Err(Failure::usage(
            format!("{CONFIG_NAME} is already there"),
            "`--force` replaces it, `--dry-run` only tells what would be taken over",
        ));
    }
    let files = read_files(&root, arguments.from)?;
    if files.is_empty() && arguments.from != Tool::Auto {
        return Err(Failure::unfinished(
            "there is no file of that scanner here",
            "run it at the top of the project; `keyfence init` alone begins without one",
        ));
    }
    say(&told(&files))?;
    if arguments.dry_run {
        say("nothing was written\n")?;
        return Ok(Ending::Clean);
    }
    write_configuration(&root, &files)?;
    let known: Vec<Known> = files.into_iter().flat_map(|file| file.taken.known).collect();
    first_scan(&root, &known, !arguments.no_baseline)
}

/// A file of another tool and what it gave.
struct Read {
    name: String,
    taken: Taken,
}

fn read_files(root: &Root, from: Tool) -> Result<Vec<Read>, Failure> {
    let mut files = Vec::new();
    for (tool, name, format) in FILES {
        if from != Tool::Auto && from != tool {
            continue;
        }
        files.extend(read_file(root, name, format)?);
    }
    let named: Vec<_> = files.iter().flat_map(|file| file.taken.files.clone()).collect();
    for (name, format) in named.iter().filter(|(name, _)| is_below(name)) {
        files.extend(read_file(root, name, *format)?);
    }
    if matches!(from, Tool::Auto | Tool::Kingfisher) {
        for name in kingfisher_baselines(root) {
            if named.iter().all(|(other, _)| other.trim_start_matches("./") != name) {
                files.extend(read_file(root, &name, Format::KingfisherBaseline)?);
            }
        }
    }
    if matches!(from, Tool::Auto | Tool::GitSecrets) {
        let settings = secrets_of_git(root)?;
        if !settings.is_empty() {
            files.push(taken_over("git's configuration", Format::GitSecrets, &settings)?);
        }
    }
    Ok(files)
}

/// What the file of that name gives, if it is there.
fn read_file(root: &Root, name: &str, format: Format) -> Result<Option<Read>, Failure> {
    let file = root.directory.join(name);
    if !file.is_file() {
        return Ok(None);
    }
    let text = fs::read_to_string(&file);
    let text = text.map_err(|error| Failure::file(format!("read {}", text::line(name)), &error))?;
    taken_over(name, format, &text).map(Some)
}

/// Whether a path that a file names stays below the root.
fn is_below(name: &str) -> bool {
    Path::new(name).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

/// Files at the root that are baselines of kingfisher: they have no name of their own.
fn kingfisher_baselines(root: &Root) -> Vec<String> {
    let entries = fs::read_dir(&root.directory).into_iter().flatten().flatten();
    let is_yaml = |name: &String| name.ends_with(".yml") || name.ends_with(".yaml");
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.file_name().into_string().ok()).filter(is_yaml).collect();
    names.sort();
    names.retain(|name| {
        let file = root.directory.join(name);
        let is_small =
            fs::metadata(&file).is_ok_and(|metadata| metadata.is_file() && metadata.len() <= MAX_BASELINE);
        is_small && fs::read_to_string(&file).is_ok_and(|text| is_kingfisher_baseline(&text))
    });
    names
}

fn taken_over(name: &str, format: Format, text: &str) -> Result<Read, Failure> {
    let taken = import(format, text).map_err(|message| {
        let hint = Some("leave it out by choosing another scanner with --from".to_owned());
        Failure::configuration(format!("{name} cannot be taken over: {message}"), hint)
    })?;
    Ok(Read { name: name.to_owned(), taken })
}

/// `key = value` lines of the section `secrets` of git's configuration.
fn secrets_of_git(root: &Root) -> Result<String, Failure> {
    let environment = GitEnvironment::from_process();
    let Ok(layout) = Layout::discover(&root.directory, &environment) else { return Ok(String::new()) };
    let settings = Settings::read(Some(&layout), &environment).map_err(SourceError::from)?;
    let mut lines = String::new();
    for key in ["allowed", "patterns", "providers"] {
        for value in settings.values(&format!("secrets.{key}")) {
            lines.push_str(&format!("{key} = {}\n", String::from_utf8_lossy(&value)));
        }
    }
    Ok(lines)
}

/// The table of what became of everything.
fn told(files: &[Read]) -> String {
    if files.is_empty() {
        return "no files of other scanners here\n".to_owned();
    }
    let mut page = String::new();
    for file in files {
        page.push_str(&format!("{}\n", text::line(&file.name)));
        if !file.taken.known.is_empty() {
            page.push_str(&format!(
                "  taken over  {} known secrets, into the baseline where they are found\n",
                file.taken.known.len()
            ));
        }
        let mut counts: BTreeMap<(Fate, &str), usize> = BTreeMap::new();
        for Note { fate, what } in &file.taken.notes {
            *counts.entry((*fate, what)).or_default() += 1;
        }
        for ((fate, what), count) in counts {
            let times = if count > 1 { format!(" ({count} times)") } else { String::new() };
            page.push_str(&format!("  {}  {}{times}\n", fate_word(fate), text::line(what)));
        }
    }
    page.push_str("comments of other scanners in the files count as they are\n");
    page
}

fn fate_word(fate: Fate) -> &'static str {
    match fate {
        Fate::TakenOver => "taken over",
        Fate::Dropped => "dropped   ",
        Fate::NeedsYou => "needs you ",
    }
}

fn write_configuration(root: &Root, files: &[Read]) -> Result<(), Failure> {
    let allow: Vec<_> = files.iter().flat_map(|file| file.taken.allow.iter().cloned()).collect();
    write(root, CONFIG_NAME, &format!("{HEAD}{}", allow_text(&allow)))?;
    let target = root.directory.join(IGNORE_NAME);
    let before = fs::read_to_string(&target).unwrap_or_default();
    let mut patterns = String::new();
    for file in files {
        let new = file.taken.left_out.iter().filter(|pattern| !before.lines().any(|line| line == **pattern));
        let new: Vec<&str> = new.map(String::as_str).collect();
        if !new.is_empty() {
            patterns.push_str(&format!("# from {}\n{}\n", file.name, new.join("\n")));
        }
    }
    if patterns.is_empty() {
        return Ok(());
    }
    let gap = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
    write(root, IGNORE_NAME, &format!("{before}{gap}{patterns}"))
}

fn write(root: &Root, name: &str, content: &str) -> Result<(), Failure> {
    files::replace(&root.directory.join(name), content.as_bytes(), Access::Shared)
        .map_err(|error| Failure::file(format!("write {name}"), &error))?;
    say(&format!("written: {name}\n"))
}

/// Scans, tells what there is, and writes the baseline.
fn first_scan(root: &Root, known: &[Known], all: bool) -> Result<Ending, Failure> {
    let looked = Looked::at(root, BaselineScan::default())?;
    let mut overview = Vec::new();
    write_overview(&looked.report, &mut overview).expect("writing to memory cannot fail");
    say(&format!("\n{}\n", String::from_utf8_lossy(&overview)))?;
    let mut baseline = match looked.prepared.policy.read_baseline()? {
        Some(baseline) => baseline,
        None => Baseline::new(random_salt()?),
    };
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for finding in looked.open() {
        let reason = reason(&looked, finding, known).or(all.then_some(FIRST_DAY));
        if let Some(reason) = reason
            && baseline.add(&finding.rule, &finding.fingerprint, None, Some(reason))
        {
            *counts.entry(reason.to_owned()).or_default() += 1;
        }
    }
    if !counts.is_empty() {
        looked.write(&baseline)?;
        say(&format!("written: {}\n", looked.name()))?;
        for (reason, count) in &counts {
            say(&format!("{count:>6}  {}\n", text::line(reason)))?;
        }
        looked.warn_of_critical()?;
    }
    say("next: `keyfence hook install`, then `keyfence doctor`\n")?;
    looked.ending()
}

/// Why another tool's file says that the finding does not count.
fn reason<'a>(looked: &Looked, finding: &Finding, known: &'a [Known]) -> Option<&'a str> {
    let path = looked.prepared.policy.locate(&finding.provenance.path);
    let path = path.unwrap_or_default();
    known.iter().find(|known| known.means(finding, &path)).map(|known| known.reason.as_str())
}
