//! What the files of a project allow: configuration, ignore files, baseline; of the root and of directories below.
//!
//! Must not know: whether the files come from a work tree or from a commit; whoever makes a [`Policy`] hands in a
//! [`PolicyFiles`]. A gate hands in those of the commit it compares with, so that nobody absolves himself.
//!
//! Invariants: what cannot be read is an error or a problem and allows nothing; files below the root are read only
//! where a finding stands beneath them, each once.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::allow::Allow;
use super::baseline::{Baseline, BaselineEntry};
use super::paths::{Patterns, Standpoint, below, directories};
use crate::config::{BASELINE_NAME, CONFIG_NAME, Config, IGNORE_NAME, Level, names_rule, suggestion};
use crate::model::{
    Allowance, ContentKind, Day, FilePath, Finding, Notice, NoticeKind, Problem, ProblemKind, Verdict,
};

/// Hands out the files of a policy by their paths from its root.
pub trait PolicyFiles: Send + Sync {
    /// The content of a file; `None` where there is no such file.
    ///
    /// # Errors
    /// In words, where there is something that cannot be read.
    fn read(&self, path: &FilePath) -> Result<Option<Vec<u8>>, String>;

    /// The files that stand directly in a directory, sorted; `None` where it is no directory.
    ///
    /// # Errors
    /// In words, where it cannot be listed.
    fn list(&self, directory: &FilePath) -> Result<Option<Vec<FilePath>>, String>;
}

/// No files at all: nothing is allowed but what comments allow.
#[derive(Clone, Copy, Debug)]
pub struct NoFiles;

impl PolicyFiles for NoFiles {
    fn read(&self, _path: &FilePath) -> Result<Option<Vec<u8>>, String> {
        Ok(None)
    }

    fn list(&self, _directory: &FilePath) -> Result<Option<Vec<FilePath>>, String> {
        Ok(None)
    }
}

/// Why a policy cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {message}")]
pub struct PolicyError {
    /// The file at fault, from the root.
    pub path: String,
    /// What is wrong with it, without anything that it holds but names.
    pub message: String,
}

impl PolicyError {
    fn new(path: &FilePath, message: impl Into<String>) -> Self {
        Self { path: path.to_text(), message: message.into() }
    }
}

/// What may be said beside the files.
#[derive(Clone, Debug)]
pub struct PolicyOptions {
    /// How the paths of findings lead to the root.
    pub standpoint: Standpoint,
    /// The day on which entries are judged.
    pub today: Day,
    /// The configuration to read in place of the one at the root, from the root.
    pub config: Option<FilePath>,
    /// The baseline to read in place of the configured one, from the root.
    pub baseline: Option<FilePath>,
    /// Whether a baseline counts at all.
    pub use_baseline: bool,
    /// Which rules were asked for.
    pub rules: RuleChoice,
}

/// Which rules somebody asked for, beside what the configuration says; `*` stands for any characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleChoice {
    /// These alone, although the configuration may switch them off; all if empty.
    pub only: Vec<String>,
    /// Not these.
    pub except: Vec<String>,
}

impl RuleChoice {
    /// Whether no rule is left out by choice.
    pub fn is_everything(&self) -> bool {
        self.only.is_empty() && self.except.is_empty()
    }

    /// The first of `patterns` that names none of `known`, with the option it was given to.
    fn unknown<'a>(&self, known: impl Iterator<Item = &'a str> + Clone) -> Option<(&'static str, &String)> {
        let only = self.only.iter().map(|pattern| ("--rule", pattern));
        let mut typed = only.chain(self.except.iter().map(|pattern| ("--exclude-rule", pattern)));
        typed.find(|(_, pattern)| !known.clone().any(|id| names_rule(pattern, id)))
    }
}

/// What the files of a project allow.
pub struct Policy {
    files: Box<dyn PolicyFiles>,
    options: PolicyOptions,
    top: Arc<Scope>,
    scopes: Mutex<HashMap<Vec<u8>, Arc<Scope>>>,
    baseline: OnceLock<Option<Counted>>,
    problems: Mutex<Vec<Problem>>,
    notices: Mutex<BTreeSet<Notice>>,
}

/// What stands in one directory.
#[derive(Debug, Default)]
struct Scope {
    directory: Vec<u8>,
    file: FilePath,
    config: Config,
    allows: Vec<Allow>,
    left_out: Option<Patterns>,
}

/// A baseline and which of its entries were met.
struct Counted {
    baseline: Baseline,
    used: Vec<AtomicBool>,
}

impl Policy {
    /// Reads the files at the root.
    ///
    /// # Errors
    /// Where one of them is there and cannot be used, or a file that was asked for is not there.
    pub fn load(files: Box<dyn PolicyFiles>, options: PolicyOptions) -> Result<Self, PolicyError> {
        let file = options.config.clone().unwrap_or_else(|| FilePath::from(CONFIG_NAME));
        let text = text(files.as_ref(), &file)?;
        if text.is_none() && options.config.is_some() {
            return Err(PolicyError::new(&file, "there is no such file"));
        }
        let top =
            Scope::new(Vec::new(), file, text.as_deref(), ignore_text(files.as_ref(), b"")?.as_deref())?;
        Ok(Self {
            files,
            options,
            top: Arc::new(top),
            scopes: Mutex::default(),
            baseline: OnceLock::new(),
            problems: Mutex::default(),
            notices: Mutex::default(),
        })
    }

    /// What the configuration at the root says.
    pub fn config(&self) -> &Config {
        &self.top.config
    }

    /// Where the configuration at the root stands, if there is one or not.
    pub fn config_file(&self) -> &FilePath {
        &self.top.file
    }

    /// Where the baseline stands, if there is one or not.
    pub fn baseline_file(&self) -> FilePath {
        let configured = self.top.config.baseline.as_deref().map(FilePath::from);
        self.options.baseline.clone().or(configured).unwrap_or_else(|| FilePath::from(BASELINE_NAME))
    }

    /// The packs that the configuration names: an origin and a text each.
    ///
    /// # Errors
    /// Where one of them is not there or cannot be read.
    pub fn packs(&self) -> Result<Vec<(String, String)>, PolicyError> {
        let mut packs = Vec::new();
        for path in &self.top.config.packs {
            let path = FilePath::from(path.trim_end_matches('/'));
            let listed = self.files.list(&path).map_err(|message| PolicyError::new(&path, message))?;
            let is_pack = |file: &FilePath| {
                let name = file.file_name();
                name.ends_with(b".yaml") || name.ends_with(b".yml")
            };
            for file in listed.map_or_else(|| vec![path], |files| files.into_iter().filter(is_pack).collect())
            {
                let text = text(self.files.as_ref(), &file)?;
                let text = text.ok_or_else(|| PolicyError::new(&file, "there is no such pack"))?;
                packs.push((file.to_text(), text));
            }
        }
        Ok(packs)
    }

    /// Whether nobody asked for less than what the configuration leaves in use.
    pub fn uses_all_but_configured(&self) -> bool {
        self.options.rules.is_everything()
    }

    /// Whether the rule is in use by what was asked for and by the configuration; `builtin` is whether it ships with
    /// keyfence.
    pub fn uses_rule(&self, id: &str, builtin: bool) -> bool {
        let config = &self.top.config;
        let choice = &self.options.rules;
        let names = |patterns: &[String]| patterns.iter().any(|pattern| names_rule(pattern, id));
        if names(&choice.except) {
            return false;
        }
        if !choice.only.is_empty() {
            return names(&choice.only);
        }
        let by_default = !builtin || config.default_rules.unwrap_or(true);
        names(&config.enable) || (by_default && !names(&config.disable))
    }

    /// Checks that every rule that was asked for or that the configuration at the root names is one of `known`.
    ///
    /// # Errors
    /// Names the rule that is none, with a suggestion.
    pub fn check_rules<'a>(&self, known: impl Iterator<Item = &'a str> + Clone) -> Result<(), PolicyError> {
        if let Some((option, pattern)) = self.options.rules.unknown(known.clone()) {
            return Err(PolicyError::new(&FilePath::from(option), no_such_rule(pattern, known)));
        }
        self.top.check_rules(known)
    }

    /// Reads a configuration below the root as a finding beneath it would.
    ///
    /// # Errors
    /// Where it cannot be used or names a rule that is none of `known`.
    pub fn nested<'a>(
        &self,
        directory: &FilePath,
        known: impl Iterator<Item = &'a str> + Clone,
    ) -> Result<Config, PolicyError> {
        let scope = self.read_scope(directory.as_bytes())?;
        scope.check_rules(known)?;
        Ok(scope.config)
    }

    /// Whether the ignore file at the root leaves out the file or directory at `path`, so that it need not be read.
    pub fn leaves_out(&self, path: &FilePath, is_directory: bool) -> bool {
        let Some(patterns) = &self.top.left_out else { return false };
        let located = self.options.standpoint.locate(path);
        located.and_then(|path| patterns.decide(&path, is_directory)) == Some(true)
    }

    /// The path of a finding from the root; `None` outside of it.
    pub fn locate(&self, path: &FilePath) -> Option<FilePath> {
        self.options.standpoint.locate(path).map(FilePath::from_bytes)
    }

    /// Whether there is an ignore file at the root.
    pub fn has_ignore_file(&self) -> bool {
        self.top.left_out.is_some()
    }

    /// The baseline, read now.
    ///
    /// # Errors
    /// Where it is there and cannot be used.
    pub fn read_baseline(&self) -> Result<Option<Baseline>, PolicyError> {
        let file = self.baseline_file();
        let Some(text) = text(self.files.as_ref(), &file)? else {
            return match self.options.baseline.is_some() || self.top.config.baseline.is_some() {
                true => Err(PolicyError::new(&file, "there is no such baseline")),
                false => Ok(None),
            };
        };
        Baseline::parse(&text).map(Some).map_err(|message| PolicyError::new(&file, message))
    }

    /// What the files say about an open finding; `None` where they say nothing.
    pub(super) fn judge(&self, finding: &Finding) -> Option<Verdict> {
        let path = self.path_of(finding);
        let scopes = self.scopes_above(path.as_deref());
        ignored(&scopes, path.as_deref())
            .or_else(|| self.allowed(&scopes, finding, path.as_deref()))
            .or_else(|| self.in_baseline(finding))
    }

    /// Whether it takes the value to tell what the files say about an open finding.
    pub(super) fn asks_for_value(&self, finding: &Finding) -> bool {
        let path = self.path_of(finding);
        let scopes = self.scopes_above(path.as_deref());
        let mut allows = scopes.iter().flat_map(|scope| scope.allows.iter().map(move |allow| (scope, allow)));
        allows.any(|(scope, allow)| {
            allow.asks_for_value(finding, path.as_deref().map(|path| below(path, &scope.directory)))
        })
    }

    /// Where it stands from the root, if it stands in a file there.
    fn path_of(&self, finding: &Finding) -> Option<Vec<u8>> {
        let is_file = matches!(finding.provenance.kind, ContentKind::File | ContentKind::FileName);
        is_file.then(|| self.options.standpoint.locate(&finding.provenance.path)).flatten()
    }

    /// The root's scope last.
    fn scopes_above(&self, path: Option<&[u8]>) -> Vec<Arc<Scope>> {
        let nested =
            directories(path.unwrap_or_default()).into_iter().filter(|directory| !directory.is_empty());
        nested.map(|directory| self.scope(directory)).chain([Arc::clone(&self.top)]).collect()
    }

    fn scope(&self, directory: &[u8]) -> Arc<Scope> {
        let mut scopes = self.scopes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(scope) = scopes.get(directory) {
            return Arc::clone(scope);
        }
        let scope = self.read_scope(directory).unwrap_or_else(|error| {
            let path = FilePath::from(error.path.as_str());
            let problem = Problem::at(ProblemKind::Unreadable, path, error.message)
                .with_hint("until it is mended it allows nothing");
            self.problems.lock().unwrap_or_else(PoisonError::into_inner).push(problem);
            Scope { directory: directory.to_vec(), ..Scope::default() }
        });
        let scope = Arc::new(scope);
        scopes.insert(directory.to_vec(), Arc::clone(&scope));
        scope
    }

    fn read_scope(&self, directory: &[u8]) -> Result<Scope, PolicyError> {
        let file = inside(directory, CONFIG_NAME);
        let config = text(self.files.as_ref(), &file)?;
        let patterns = ignore_text(self.files.as_ref(), directory)?;
        Scope::new(directory.to_vec(), file, config.as_deref(), patterns.as_deref())
    }

    fn allowed(&self, scopes: &[Arc<Scope>], finding: &Finding, path: Option<&[u8]>) -> Option<Verdict> {
        for scope in scopes {
            let config = &scope.config;
            let names = |rules: &[String]| rules.iter().any(|rule| names_rule(rule, &finding.rule));
            let is_nested = !scope.directory.is_empty();
            if is_nested && names(&config.disable) && !names(&config.enable) {
                let by = format!("{}: rules.disable", scope.file.to_text());
                return Some(Verdict::Allowed { kind: Allowance::Configuration, by, reason: None });
            }
            let path = path.map(|path| below(path, &scope.directory));
            for allow in scope.allows.iter().filter(|allow| allow.means(finding, path)) {
                allow.note_use();
                let entry = &allow.entry;
                let by = format!("{}: allow, entry {}", scope.file.to_text(), allow.number);
                if self.counts(&scope.file, &by, entry.until, entry.reason.as_deref()) {
                    let reason = entry.reason.clone();
                    return Some(Verdict::Allowed { kind: Allowance::Configuration, by, reason });
                }
            }
            if config.inherit == Some(false) {
                break;
            }
        }
        None
    }

    fn in_baseline(&self, finding: &Finding) -> Option<Verdict> {
        let counted = self.counted_baseline()?;
        let index = counted.baseline.find(&finding.rule, &finding.fingerprint)?;
        counted.used[index].store(true, Ordering::Relaxed);
        let entry = &counted.baseline.entries()[index];
        let file = self.baseline_file();
        let what = format!("the entry of {} that begins with {}", entry.rule, &entry.hash[..8]);
        self.counts(&file, &what, entry.until, entry.reason.as_deref()).then(|| Verdict::Allowed {
            kind: Allowance::Baseline,
            by: format!("the baseline {}", file.to_text()),
            reason: entry.reason.clone(),
        })
    }

    fn counted_baseline(&self) -> Option<&Counted> {
        let read = || {
            if !self.options.use_baseline {
                return None;
            }
            match self.read_baseline() {
                Ok(baseline) => baseline.map(|baseline| {
                    let used = baseline.entries().iter().map(|_| AtomicBool::new(false)).collect();
                    Counted { baseline, used }
                }),
                Err(error) => {
                    let path = FilePath::from(error.path.as_str());
                    let problem = Problem::at(ProblemKind::Unreadable, path, error.message)
                        .with_hint("until it is mended it hides nothing");
                    self.problems.lock().unwrap_or_else(PoisonError::into_inner).push(problem);
                    None
                }
            }
        };
        self.baseline.get_or_init(read).as_ref()
    }

    /// Whether an entry with that day and reason counts; why not is noted.
    fn counts(&self, file: &FilePath, what: &str, until: Option<Day>, reason: Option<&str>) -> bool {
        if let Some(until) = until.filter(|until| *until < self.options.today) {
            self.note(
                NoticeKind::Expired,
                file,
                format!("{what}: its last day was {until}, so it does not count"),
            );
            return false;
        }
        if reason.is_none() && self.top.config.require_reason == Some(true) {
            self.note(
                NoticeKind::ReasonMissing,
                file,
                format!("{what}: it has no reason, so it does not count"),
            );
            return false;
        }
        true
    }

    fn note(&self, kind: NoticeKind, file: &FilePath, message: String) {
        self.add(Notice { kind, path: Some(file.clone()), line: None, message });
    }

    fn add(&self, notice: Notice) {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner).insert(notice);
    }

    /// What went wrong with files that were read on the way.
    pub(super) fn problems(&self) -> Vec<Problem> {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What there is to know; `everything` is whether everything was scanned, so that what was not met is unused.
    pub(super) fn notices(&self, everything: bool) -> BTreeSet<Notice> {
        self.note_rules_off();
        if everything {
            self.note_unused();
        }
        self.notices.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note_rules_off(&self) {
        let config = &self.top.config;
        let file = &self.top.file;
        let choice = &self.options.rules;
        let chosen = |message: String| {
            self.add(Notice { kind: NoticeKind::RulesOff, path: None, line: None, message });
        };
        if !choice.only.is_empty() {
            chosen(format!("only the rules were used that --rule names: {}", choice.only.join(", ")));
        }
        if !choice.except.is_empty() {
            chosen(format!("rules are switched off by --exclude-rule: {}", choice.except.join(", ")));
        }
        if config.default_rules == Some(false) {
            let message = "the built-in rules are switched off by `default_rules: false`".to_owned();
            self.note(NoticeKind::RulesOff, file, message);
        }
        if !config.disable.is_empty() {
            let message = format!("rules are switched off by `rules.disable`: {}", config.disable.join(", "));
            self.note(NoticeKind::RulesOff, file, message);
        }
    }

    fn note_unused(&self) {
        let scopes = self.scopes.lock().unwrap_or_else(PoisonError::into_inner);
        for scope in scopes.values().chain([&self.top]) {
            for allow in scope.allows.iter().filter(|allow| !allow.is_used()) {
                let message = format!("allow, entry {}: it allowed nothing", allow.number);
                self.note(NoticeKind::UnusedAllow, &scope.file, message);
            }
        }
        drop(scopes);
        let counted = self.counted_baseline().filter(|counted| !counted.baseline.covers_history());
        let Some(counted) = counted else { return };
        let file = self.baseline_file();
        for (entry, used) in counted.baseline.entries().iter().zip(&counted.used) {
            if !used.load(Ordering::Relaxed) {
                self.note(NoticeKind::StaleBaseline, &file, stale(entry));
            }
        }
    }
}

fn stale(entry: &BaselineEntry) -> String {
    format!(
        "the entry of {} that begins with {}: its secret is not here any more (`keyfence baseline prune` takes it out)",
        entry.rule,
        &entry.hash[..8]
    )
}

impl Scope {
    fn new(
        directory: Vec<u8>,
        file: FilePath,
        config: Option<&str>,
        patterns: Option<&str>,
    ) -> Result<Self, PolicyError> {
        let level = if directory.is_empty() { Level::Top } else { Level::Nested };
        let complain = |message: String| PolicyError::new(&file, message);
        let config = Config::parse(config.unwrap_or_default(), level).map_err(complain)?;
        let allows = config.allow.iter().enumerate().map(|(index, entry)| Allow::new(entry, index + 1));
        let allows = allows.collect::<Result<_, _>>().map_err(complain)?;
        let left_out = patterns.map(|text| Patterns::new(text.lines())).transpose();
        let left_out =
            left_out.map_err(|message| PolicyError::new(&inside(&directory, IGNORE_NAME), message))?;
        Ok(Self { directory, file, config, allows, left_out })
    }

    fn check_rules<'a>(&self, known: impl Iterator<Item = &'a str> + Clone) -> Result<(), PolicyError> {
        let config = &self.config;
        let named = config.enable.iter().chain(&config.disable).chain(config.severity.keys());
        let mut named = named.chain(config.allow.iter().flat_map(|entry| &entry.rules));
        let unknown = named.find(|pattern| !known.clone().any(|id| names_rule(pattern, id)));
        let Some(unknown) = unknown else { return Ok(()) };
        Err(PolicyError::new(&self.file, no_such_rule(unknown, known)))
    }
}

fn no_such_rule<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> String {
    let meant = suggestion(unknown, known).map(|word| format!("; did you mean `{word}`?"));
    let advice = meant.unwrap_or_else(|| "; `keyfence rules list` shows them all".to_owned());
    let named = if could_be_rule(unknown) { format!(" `{unknown}`") } else { " of a name in it".to_owned() };
    format!("there is no rule{named}{advice}")
}

/// Whether a name may be told: what no rule could be called can be anything, also a value in the wrong place.
fn could_be_rule(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-*".contains(&byte);
    name.len() <= 48 && name.bytes().all(is_plain) && name.bytes().filter(u8::is_ascii_digit).count() <= 4
}

fn ignored(scopes: &[Arc<Scope>], path: Option<&[u8]>) -> Option<Verdict> {
    let path = path?;
    let scope = scopes.iter().find(|scope| {
        let patterns = scope.left_out.as_ref();
        patterns.and_then(|patterns| patterns.decide(below(path, &scope.directory), false)) == Some(true)
    })?;
    let by = inside(&scope.directory, IGNORE_NAME).to_text();
    Some(Verdict::Allowed { kind: Allowance::IgnoreFile, by, reason: None })
}

fn inside(directory: &[u8], name: &str) -> FilePath {
    let slash: &[u8] = if directory.is_empty() { b"" } else { b"/" };
    FilePath::from_bytes([directory, slash, name.as_bytes()].concat())
}

fn ignore_text(files: &dyn PolicyFiles, directory: &[u8]) -> Result<Option<String>, PolicyError> {
    text(files, &inside(directory, IGNORE_NAME))
}

fn text(files: &dyn PolicyFiles, path: &FilePath) -> Result<Option<String>, PolicyError> {
    let complain = |message: String| PolicyError::new(path, message);
    let Some(bytes) = files.read(path).map_err(complain)? else { return Ok(None) };
    let text = String::from_utf8(bytes).map_err(|_| complain("it is not UTF-8 text".to_owned()))?;
    Ok(Some(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)))
}
