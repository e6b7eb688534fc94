//! What the project's files say about a scan: found, read, and turned into rules and a suppressor.
//!
//! Must not know: what is scanned, how reports look.
//! Invariant: `prepare` does the same for files of a work tree and for files of a commit; only who hands them out
//! differs.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use super::failure::Failure;
use super::request::{Detection, PolicyRequest};
use super::text;
use crate::config::{CONFIG_NAME, IGNORE_NAME};
use crate::detect::Detector;
use crate::model::{Confidence, Day, FilePath};
use crate::rules::RuleSet;
use crate::rules::format::MAX_PACK_BYTES;
use crate::source::git::{Committed, GitEnvironment, Layout};
use crate::suppress::{
    Baseline, Comments, MAX_BASELINE_BYTES, NoFiles, Policy, PolicyError, PolicyFiles, PolicyOptions,
    Standpoint, SuppressOptions, Suppressor,
};

/// Everything that a scan needs to know of the project's files.
pub(crate) struct Prepared {
    pub(crate) detector: Detector,
    pub(crate) suppressor: Suppressor,
    pub(crate) policy: Arc<Policy>,
    pub(crate) threshold: Confidence,
    /// Larger files are left out.
    pub(crate) max_size: Option<u64>,
}

/// How the files' words are taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// Which comments count, if comments count at all.
    pub(crate) comments: Comments,
    /// Whether everything is scanned, so that what allows nothing is told.
    pub(crate) everything: bool,
}

/// Where the files of a policy stand in a work tree.
#[derive(Clone, Debug)]
pub(crate) struct Root {
    /// The directory, absolute and without links.
    pub(crate) directory: PathBuf,
    /// Where keyfence was called.
    here: PathBuf,
    /// Whether the paths of findings are those of git, from the top of the work tree, and not as they were typed.
    paths_of_git: bool,
}

impl Root {
    /// The root for what stands at `path`: the top of its repository, else the nearest directory above it that holds
    /// one of our files, else the current directory.
    pub(crate) fn of(path: &Path) -> Result<Self, Failure> {
        let here = std::env::current_dir().and_then(without_links);
        let here = here.map_err(|error| Failure::file("tell where this is", &error))?;
        let start = without_links(path).unwrap_or_else(|_| here.clone());
        let start = if start.is_dir() { start } else { start.parent().unwrap_or(&here).to_owned() };
        let repository = Layout::discover(&start, &GitEnvironment::from_process()).ok();
        let top = repository.and_then(|layout| without_links(layout.work_tree?).ok());
        let top = top.filter(|top| start.starts_with(top));
        let ours = || {
            let holds = |directory: &&Path| {
                [CONFIG_NAME, IGNORE_NAME].iter().any(|name| directory.join(name).is_file())
            };
            start.ancestors().find(holds).map(Path::to_owned)
        };
        let directory = top.or_else(ours).unwrap_or_else(|| here.clone());
        Ok(Self { directory, here, paths_of_git: false })
    }

    /// The same root, for a scan of what git holds: its paths begin at the top, wherever keyfence was called.
    pub(crate) fn for_git(self) -> Self {
        Self { paths_of_git: true, ..self }
    }

    /// Whether `path` is the root itself.
    pub(crate) fn is_at(&self, path: &Path) -> bool {
        without_links(path).is_ok_and(|path| path == self.directory)
    }

    /// How the paths of findings lead here.
    pub(crate) fn standpoint(&self) -> Standpoint {
        if self.paths_of_git {
            return Standpoint::Root;
        }
        Standpoint::Typed {
            root: FilePath::from_path(&self.directory),
            here: FilePath::from_path(&self.here),
        }
    }

    /// Hands out the files below.
    pub(crate) fn files(&self) -> WorkTreeFiles {
        WorkTreeFiles { root: self.directory.clone() }
    }

    /// The root as a person here would type it.
    pub(crate) fn as_typed(&self) -> PathBuf {
        if self.directory == self.here { PathBuf::from(".") } else { self.directory.clone() }
    }

    /// The files that count by what was asked.
    pub(crate) fn policy_files(&self, request: &PolicyRequest) -> Box<dyn PolicyFiles> {
        if request.use_config { Box::new(self.files()) } else { Box::new(NoFiles) }
    }

    /// A typed path as one from the root, or absolute where it leads elsewhere.
    fn path(&self, typed: &Path) -> FilePath {
        let whole = self.here.join(typed);
        FilePath::from_path(whole.strip_prefix(&self.directory).unwrap_or(&whole))
    }
}

/// The path as it really is. Windows answers with a prefix that nobody types, so that a typed path would not seem to
/// lie below.
fn without_links(path: impl AsRef<Path>) -> io::Result<PathBuf> {
    let whole = fs::canonicalize(path)?;
    let drive = whole.to_str().and_then(|text| text.strip_prefix(r"\\?\"));
    let drive = drive.filter(|rest| rest.as_bytes().get(1) == Some(&b':')).map(PathBuf::from);
    Ok(drive.unwrap_or(whole))
}

/// The files of a policy as they are on disk.
#[derive(Clone, Debug)]
pub(crate) struct WorkTreeFiles {
    root: PathBuf,
}

impl PolicyFiles for WorkTreeFiles {
    fn read(&self, path: &FilePath) -> Result<Option<Vec<u8>>, String> {
        let file = self.root.join(&*String::from_utf8_lossy(path.as_bytes()));
        match fs::metadata(&file) {
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(format!("it cannot be read: {error}")),
            Ok(metadata) if !metadata.is_file() => Err("it is no regular file".to_owned()),
            Ok(_) => read_limited(&file, MAX_BASELINE_BYTES).map(Some),
        }
    }

    fn list(&self, directory: &FilePath) -> Result<Option<Vec<FilePath>>, String> {
        let whole = self.root.join(&*String::from_utf8_lossy(directory.as_bytes()));
        if !whole.is_dir() {
            return Ok(None);
        }
        let entries = fs::read_dir(&whole).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let entries = entries.map_err(|error| format!("it cannot be listed: {error}"))?;
        let inside = |entry: &fs::DirEntry| {
            let name = FilePath::from_path(Path::new(&entry.file_name()));
            FilePath::from_bytes([directory.as_bytes(), b"/", name.as_bytes()].concat())
        };
        let mut files: Vec<FilePath> =
            entries.iter().filter(|entry| entry.path().is_file()).map(inside).collect();
        files.sort();
        Ok(Some(files))
    }
}

impl PolicyFiles for Committed {
    fn read(&self, path: &FilePath) -> Result<Option<Vec<u8>>, String> {
        Self::read(self, path, MAX_BASELINE_BYTES as u64)
    }

    fn list(&self, directory: &FilePath) -> Result<Option<Vec<FilePath>>, String> {
        Self::list(self, directory)
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn read_limited(file: &Path, limit: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = File::open(file).and_then(|file| file.take(limit as u64 + 1).read_to_end(&mut bytes));
    read.map_err(|error| format!("it cannot be read: {error}"))?;
    if bytes.len() > limit { Err(format!("it is larger than {limit} bytes")) } else { Ok(bytes) }
}

/// Reads the files of the work tree at `root` and makes what a scan needs.
pub(crate) fn of_work_tree(root: &Root, detection: &Detection, terms: Terms) -> Result<Prepared, Failure> {
    prepare(load(root.policy_files(&detection.policy), root, &detection.policy)?, detection, terms)
}

/// The same for what is about to be committed: the ignore file counts as it was committed last, so that no commit
/// brings the pattern that hides it.
pub(crate) fn of_next_commit(root: &Root, detection: &Detection, terms: Terms) -> Result<Prepared, Failure> {
    let files = FilesOfNextCommit { now: root.policy_files(&detection.policy), last: OnceLock::new() };
    prepare(load(Box::new(files), root, &detection.policy)?, detection, terms)
}

/// The files of the work tree, but the ignore file of the last commit.
struct FilesOfNextCommit {
    now: Box<dyn PolicyFiles>,
    /// Opened only where there is an ignore file.
    last: OnceLock<Option<Committed>>,
}

impl PolicyFiles for FilesOfNextCommit {
    fn read(&self, path: &FilePath) -> Result<Option<Vec<u8>>, String> {
        if path.file_name() != IGNORE_NAME.as_bytes() {
            return self.now.read(path);
        }
        if self.now.read(path)?.is_none() {
            return Ok(None);
        }
        // Before the first commit nothing was committed; a HEAD that is broken stops the scan itself.
        let last = self.last.get_or_init(|| Committed::at(".", GitEnvironment::from_process(), "HEAD").ok());
        last.as_ref().map_or(Ok(None), |last| PolicyFiles::read(last, path))
    }

    fn list(&self, directory: &FilePath) -> Result<Option<Vec<FilePath>>, String> {
        self.now.list(directory)
    }
}

/// Reads the files of a commit in place of those of the work tree; without a commit there are none.
pub(crate) fn of_commit(
    commit: Option<Committed>,
    root: &Root,
    detection: &Detection,
    terms: Terms,
) -> Result<Prepared, Failure> {
    let files: Box<dyn PolicyFiles> = match commit {
        Some(commit) if detection.policy.use_config => Box::new(commit),
        _ => Box::new(NoFiles),
    };
    prepare(load(files, root, &detection.policy)?, detection, terms)
}

/// The policy of the work tree at `root`, for commands that look at it without a scan.
pub(crate) fn load(
    files: Box<dyn PolicyFiles>,
    root: &Root,
    request: &PolicyRequest,
) -> Result<Policy, Failure> {
    let options = PolicyOptions {
        standpoint: root.standpoint(),
        today: today(),
        config: request.config.as_deref().map(|file| root.path(file)),
        baseline: request.baseline.as_deref().map(|file| root.path(file)),
        use_baseline: request.use_baseline,
        rules: request.rules.clone(),
    };
    Policy::load(files, options).map_err(Failure::from)
}

/// Turns a policy, whoever handed out its files, into what a scan needs.
pub(crate) fn prepare(policy: Policy, detection: &Detection, terms: Terms) -> Result<Prepared, Failure> {
    let policy = Arc::new(policy);
    let config = policy.config();
    let comments = match detection.honour_comments && config.comments.unwrap_or(true) {
        true => terms.comments,
        false => Comments::Ignored,
    };
    let options = SuppressOptions {
        comments,
        require_reason: config.require_reason.unwrap_or(false),
        everything: terms.everything,
    };
    let rules = rules(&policy, &detection.packs)?;
    Ok(Prepared {
        detector: Detector::new(rules),
        suppressor: Suppressor::new(options).with_policy(Arc::clone(&policy)),
        threshold: detection.threshold.or(config.confidence).unwrap_or(Confidence::Likely),
        max_size: config.max_file_size,
        policy,
    })
}

/// The built-in rules, those of the configured and the typed packs, less what the configuration switches off.
pub(crate) fn rules(policy: &Policy, packs: &[PathBuf]) -> Result<RuleSet, Failure> {
    let mut texts = policy.packs()?;
    texts.extend(pack_texts(packs)?);
    let builtin = RuleSet::builtin();
    let shipped = builtin.rules.len();
    let rules = builtin.extended(&texts).map_err(|error| {
        let hint = "the format is described in rules/README.md".to_owned();
        Failure::configuration(format!("the rule pack cannot be used: {error}"), Some(hint))
    })?;
    policy.check_rules(rules.rules.iter().map(|rule| &*rule.id))?;
    let config = policy.config();
    let says_nothing = config.severity.is_empty() && config.disable.is_empty();
    if says_nothing && config.default_rules.unwrap_or(true) && policy.uses_all_but_configured() {
        return Ok(rules);
    }
    Ok(rules
        .with_severities(|id| config.severity.get(id).copied())
        .keeping(|index, id| policy.uses_rule(id, index < shipped)))
}

/// The packs at those paths: an origin and a text each.
pub(crate) fn pack_texts(paths: &[PathBuf]) -> Result<Vec<(String, String)>, Failure> {
    let mut texts = Vec::new();
    paths.iter().try_for_each(|path| read_packs(path, &mut texts))?;
    Ok(texts)
}

/// The packs at `path`: one file, or every `.yaml` file of a directory.
fn read_packs(path: &Path, texts: &mut Vec<(String, String)>) -> Result<(), Failure> {
    let unreadable = |error: &io::Error| {
        let message = format!("the rule pack {} cannot be read: {error}", text::path(path));
        Failure::configuration(message, Some("--rules takes a pack file or a directory of packs".to_owned()))
    };
    let metadata = fs::metadata(path).map_err(|error| unreadable(&error))?;
    if metadata.is_dir() {
        let entries = fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let mut files: Vec<PathBuf> =
            entries.map_err(|error| unreadable(&error))?.iter().map(fs::DirEntry::path).collect();
        files.retain(|file| {
            file.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
        });
        files.sort();
        return files.iter().try_for_each(|file| read_packs(file, texts));
    }
    if !metadata.is_file() {
        return Err(unreadable(&io::Error::other("it is no regular file")));
    }
    if metadata.len() > MAX_PACK_BYTES as u64 {
        return Err(unreadable(&io::Error::other(format!("it is larger than {MAX_PACK_BYTES} bytes"))));
    }
    let text = fs::read_to_string(path).map_err(|error| unreadable(&error))?;
    texts.push((text::path(path), text));
    Ok(())
}

/// The baseline of a policy, which must be there.
pub(crate) fn existing_baseline(policy: &Policy) -> Result<Baseline, Failure> {
    policy.read_baseline()?.ok_or_else(|| {
        let file = text::line(&policy.baseline_file().to_text());
        Failure::unfinished(
            format!("there is no baseline {file}"),
            "`keyfence baseline create` makes one of what is found now",
        )
    })
}

/// The day in UTC.
pub(crate) fn today() -> Day {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Day::of_moment(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

impl From<PolicyError> for Failure {
    fn from(error: PolicyError) -> Self {
        let hint = "docs/configuration.md and docs/baseline.md describe these files; `keyfence config show` shows \
                    what counts";
        Self::configuration(error.to_string(), Some(hint.to_owned()))
    }
}
