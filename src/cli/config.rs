//! `config show`: what counts, and which line of which file says so.
//!
//! Must not know: how anything is matched.
//! Invariant: what is shown is what a scan of the project would use; a file that no scan could use is an error here.

use std::fs;
use std::path::Path;

use super::failure::{Ending, Failure};
use super::output::say;
use super::policy::{self, Root};
use super::project_arguments::ConfigCommand;
use super::request::PolicyRequest;
use super::text;
use crate::config::{AllowEntry, CONFIG_NAME, Config, IGNORE_NAME, Lines};
use crate::model::FilePath;
use crate::suppress::{Policy, PolicyFiles};

/// Does what was asked.
pub(crate) fn perform(command: ConfigCommand) -> Result<Ending, Failure> {
    let ConfigCommand::Show(arguments) = command;
    let root = Root::of(Path::new("."))?;
    let request = PolicyRequest::from_arguments(arguments);
    let files = root.policy_files(&request);
    let policy = policy::load(root.policy_files(&request), &root, &request)?;
    let rules = policy::rules(&policy, &[])?;
    let origin = Origin::of(files.as_ref(), policy.config_file());
    let mut page = Page::default();
    page.settings(policy.config(), &origin);
    page.note("rules in use", &rules.rules.len().to_string(), "built in and from packs");
    page.lists(policy.config(), &origin);
    page.baseline(&policy)?;
    page.left_out(files.as_ref(), &FilePath::from(IGNORE_NAME));
    for directory in directories_with_files(&root.directory, request.use_config) {
        let config = policy.nested(&directory, rules.rules.iter().map(|rule| &*rule.id))?;
        let inside =
            |name: &str| FilePath::from_bytes([directory.as_bytes(), b"/", name.as_bytes()].concat());
        let origin = Origin::of(files.as_ref(), &inside(CONFIG_NAME));
        if config.inherit == Some(false) {
            page.note("inherit", "false", &origin.place("inherit"));
        }
        page.lists(&config, &origin);
        page.left_out(files.as_ref(), &inside(IGNORE_NAME));
    }
    say(&page.text())?;
    Ok(Ending::Clean)
}

/// A file that says something, and in which lines.
struct Origin {
    file: String,
    lines: Lines,
}

impl Origin {
    fn of(files: &dyn PolicyFiles, file: &FilePath) -> Self {
        Self { file: file_name(file), lines: Lines::of(&content(files, file)) }
    }

    /// `.keyfence.yaml:3`, as editors and terminals understand it.
    fn place(&self, key: &str) -> String {
        match self.lines.get(key) {
            Some(line) => format!("{}:{line}", self.file),
            None => self.file.clone(),
        }
    }
}

/// A file that was read once already; what cannot be read now has no lines.
fn content(files: &dyn PolicyFiles, file: &FilePath) -> String {
    let bytes = files.read(file).ok().flatten().unwrap_or_default();
    String::from_utf8_lossy(&bytes).trim_start_matches('\u{feff}').to_owned()
}

/// Rows of what, its value, and who says so.
#[derive(Default)]
struct Page(Vec<[String; 3]>);

impl Page {
    fn note(&mut self, what: &str, value: &str, origin: &str) {
        self.0.push([what.to_owned(), text::line(value), origin.to_owned()]);
    }

    /// A setting, or its default.
    fn setting(&mut self, what: &str, said: Option<String>, default: &str, origin: &Origin) {
        match said {
            Some(value) => self.note(what, &value, &origin.place(what)),
            None => self.note(what, default, "default"),
        }
    }

    fn settings(&mut self, config: &Config, origin: &Origin) {
        let switch = |said: Option<bool>| said.map(|said| said.to_string());
        self.setting("confidence", config.confidence.map(|said| said.as_str().to_owned()), "likely", origin);
        self.setting("default_rules", switch(config.default_rules), "true", origin);
        self.setting("comments", switch(config.comments), "true", origin);
        self.setting("require_reason", switch(config.require_reason), "false", origin);
        let size = config.max_file_size.map(|bytes| format!("{bytes} bytes"));
        self.setting("max_file_size", size, "no limit in files, 64 MiB in git", origin);
    }

    fn lists(&mut self, config: &Config, origin: &Origin) {
        for (what, list) in
            [("packs", &config.packs), ("rules.enable", &config.enable), ("rules.disable", &config.disable)]
        {
            for (index, word) in list.iter().enumerate() {
                self.note(what, word, &origin.place(&format!("{what}[{index}]")));
            }
        }
        for (rule, severity) in &config.severity {
            let place = origin.place(&format!("rules.severity.{rule}"));
            self.note("rules.severity", &format!("{rule}: {}", severity.as_str()), &place);
        }
        for (index, entry) in config.allow.iter().enumerate() {
            let place = origin.place(&format!("allow[{index}]"));
            self.note("allow", &entry_words(entry), &format!("{place}, entry {}", index + 1));
        }
    }

    /// The patterns of an ignore file.
    fn left_out(&mut self, files: &dyn PolicyFiles, file: &FilePath) {
        for (index, line) in content(files, file).lines().enumerate() {
            if !line.trim().is_empty() && !line.starts_with('#') {
                self.note("left out", line, &format!("{}:{}", file_name(file), index + 1));
            }
        }
    }

    fn baseline(&mut self, policy: &Policy) -> Result<(), Failure> {
        let file = file_name(&policy.baseline_file());
        match policy.read_baseline()? {
            Some(baseline) => {
                self.note("baseline", &format!("{} secrets", baseline.entries().len()), &file);
            }
            None => self.note("baseline", "none", "default"),
        }
        Ok(())
    }

    /// The rows in columns.
    fn text(&self) -> String {
        let width = |column: usize| {
            self.0
                .iter()
                .map(|row| row[column].chars().count())
                .filter(|&width| width <= 60)
                .max()
                .unwrap_or(0)
        };
        let (first, second) = (width(0), width(1));
        self.0
            .iter()
            .map(|[what, value, origin]| format!("{what:<first$}  {value:<second$}  {origin}\n"))
            .collect()
    }
}

/// The conditions of an entry. Value patterns are counted, not shown: they can hold values.
fn entry_words(entry: &AllowEntry) -> String {
    let mut words = Vec::new();
    for (name, list) in [("rule", &entry.rules), ("path", &entry.paths), ("fingerprint", &entry.fingerprints)]
    {
        if !list.is_empty() {
            words.push(format!("{name} {}", list.join(" or ")));
        }
    }
    if !entry.values.is_empty() {
        words.push(format!("value (patterns: {})", entry.values.len()));
    }
    if let Some(until) = entry.until {
        words.push(format!("until {until}"));
    }
    let reason =
        entry.reason.as_ref().map_or("no reason given".to_owned(), |reason| format!("because {reason}"));
    format!("{}; {reason}", words.join(", "))
}

fn file_name(path: &FilePath) -> String {
    text::line(&path.to_text())
}

/// Directories below the root that hold a configuration or an ignore file, sorted. Links and `.git` are not followed.
fn directories_with_files(root: &Path, use_config: bool) -> Vec<FilePath> {
    let mut found = Vec::new();
    let mut open = if use_config { vec![root.to_owned()] } else { Vec::new() };
    while let Some(directory) = open.pop() {
        let entries = fs::read_dir(&directory).into_iter().flatten().flatten();
        for entry in entries {
            let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_directory && entry.file_name() != ".git" {
                open.push(entry.path());
            } else if [CONFIG_NAME, IGNORE_NAME].iter().any(|name| entry.file_name() == *name)
                && directory != root
            {
                let below = directory.strip_prefix(root).expect("the walk began there");
                found.push(FilePath::from_path(below));
            }
        }
    }
    found.sort();
    found.dedup();
    found
}
