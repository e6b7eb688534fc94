//! Directories and named files as a source.
//!
//! Must not know: what a receiver looks for, git's index and objects.
//! Invariant: each file is handed out once, counted as left out once, or becomes one problem; nothing but a regular
//! file is ever opened for reading, and nothing outside the tree is reached through a link in it.
//! The path of a file is handed out as content, too: names are committed and copied like everything else.
//!
//! Ignore rules are applied as ripgrep applies them, so a file that git tracks although a rule names it is left out.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsStr;
use std::fs::{self, File, FileType};
use std::io;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use ignore::{DirEntry, ParallelVisitor, ParallelVisitorBuilder, WalkBuilder, WalkState};

use crate::model::{
    Chunk, ContentKind, Coverage, FilePath, Problem, ProblemKind, Provenance, ScanMode, SkipReason,
};

use super::archive::Archives;
use super::pieces::{Buffer, Sizes};
use super::threads::{Gate, attempt, granted, wanted};
use super::{Receiver, Source, SourceError, Worker, opening};

/// What each thread's buffer keeps from file to file.
const KEPT_BUFFER: usize = 1 << 20;
/// What threads meet that have to wait for others; nobody can ask to scan it, as it is no file.
const STAND_IN: &str = "/dev/null";
/// What all threads together may hold for larger files.
const LARGE_BUFFERS: usize = 40 << 20;

/// What to scan and how.
#[derive(Clone, Debug)]
pub struct TreeOptions {
    /// Files and directories as they were typed.
    pub paths: Vec<PathBuf>,
    /// Whether the rules of .gitignore and .ignore files (also the global and the parents') leave things out.
    pub ignore_rules: bool,
    /// Larger files are left out and counted; no limit by default. In bytes.
    pub max_file_size: Option<u64>,
    /// How many threads; 0 lets the walk choose.
    pub threads: usize,
    /// What else is left out and counted, whatever ignore rules say.
    pub left_out: Option<LeftOut>,
    /// The detector's reach: pieces of a file above 16 MiB share at least so many bytes.
    pub piece_overlap: usize,
}

/// Whether a path is left out; told whether it is a directory.
pub type LeavesOut = dyn Fn(&Path, bool) -> bool + Send + Sync;

/// Says of a path, as it was typed or met below a typed one, and of whether it is a directory, if it is left out.
#[derive(Clone)]
pub struct LeftOut(pub Arc<LeavesOut>);

impl std::fmt::Debug for LeftOut {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("LeftOut")
    }
}

/// Directories and files, walked and read in parallel.
#[derive(Clone, Debug)]
pub struct Tree {
    options: TreeOptions,
}

impl Tree {
    /// A scan of `options.paths`.
    pub fn new(options: TreeOptions) -> Self {
        Self { options }
    }

    fn walk(&self, roots: Roots, receiver: &dyn Receiver) {
        let Some(mut builder) = self.walk_builder(&roots) else { return };
        let is_one_file = roots.paths.len() == 1 && roots.only_files;
        let threads = if is_one_file { 1 } else { wanted(self.options.threads) };
        let shared = Shared::new(&self.options, roots.elsewhere, receiver);
        let pruned = Arc::clone(&shared.pruned);
        builder.filter_entry(move |entry| pruned.keeps(entry));
        let is_done = threads > 1 && {
            visit_together(&mut builder, threads, &shared)
                || visit_together(&mut builder, granted(threads), &shared)
        };
        if !is_done {
            visit_alone(&builder, &shared);
        }
        shared.report_left_out();
    }

    fn walk_builder(&self, roots: &Roots) -> Option<WalkBuilder> {
        let (first, rest) = roots.paths.split_first()?;
        let mut builder = WalkBuilder::new(first);
        for path in rest {
            builder.add(path);
        }
        builder.standard_filters(self.options.ignore_rules).hidden(false).follow_links(false);
        Some(builder)
    }
}

/// Walks with so many threads; `false` if not all of them could be started, and nothing was handed out then.
///
/// The walk itself never ends if it gets some of its threads and not all. So it also walks a [`STAND_IN`] for each of
/// them, and whatever they meet first holds them up at the gate: each of them meets something. Where a stand-in cannot
/// be met, no thread is started.
fn visit_together(builder: &mut WalkBuilder, threads: usize, shared: &Shared<'_>) -> bool {
    if threads < 2 {
        return false;
    }
    let is_gated = fs::symlink_metadata(STAND_IN).is_ok_and(|metadata| !metadata.is_dir());
    let mut walk = builder.clone();
    let gate = is_gated.then(|| Gate::new(threads));
    if is_gated {
        for _ in 0..threads {
            walk.add(STAND_IN);
        }
    }
    let early = Early::default();
    let mut readers = Readers { shared, gate: gate.as_ref(), early: &early, made: 0 };
    let walked = attempt(|| walk.threads(threads).build_parallel().visit(&mut readers));
    match walked {
        Ok(()) if early.is_stand_in_lost.load(Ordering::Relaxed) => false,
        Ok(()) => {
            let problems = early.problems.into_inner().unwrap_or_else(PoisonError::into_inner);
            let mut worker = shared.receiver.worker();
            problems.into_iter().for_each(|problem| worker.problem(problem));
            true
        }
        Err(_) if gate.is_some_and(|gate| gate.is_one_lost()) => false,
        Err(panic) => resume_unwind(panic),
    }
}

/// What the parallel walk does, on this thread.
fn visit_alone(builder: &WalkBuilder, shared: &Shared<'_>) {
    let mut reader = Reader::new(shared, None, None);
    for entry in builder.build() {
        if matches!(reader.visit(entry), WalkState::Quit) {
            return;
        }
    }
}

impl Source for Tree {
    fn drive(&self, receiver: &dyn Receiver) -> Result<(), SourceError> {
        let mut roots = Roots { only_files: true, ..Roots::default() };
        for path in &self.options.paths {
            if let Err(problem) = roots.add(path, self.options.ignore_rules) {
                receiver.worker().problem(problem);
            }
        }
        roots.part();
        self.walk(roots, receiver);
        Ok(())
    }
}

/// The named paths that can be walked, each place once.
#[derive(Debug, Default)]
struct Roots {
    /// As they are to be walked.
    paths: Vec<PathBuf>,
    /// The same places without links, in the same order.
    real: Vec<PathBuf>,
    /// Paths met inside one root that another root covers.
    elsewhere: HashSet<PathBuf>,
    /// Whether no root is a directory.
    only_files: bool,
}

impl Roots {
    fn add(&mut self, path: &Path, ignore_rules: bool) -> Result<(), Problem> {
        let metadata = fs::metadata(path).map_err(|error| unusable_root(path, &error))?;
        if !metadata.is_file() && !metadata.is_dir() {
            return Err(not_a_file(path));
        }
        let real = path.canonicalize().map_err(|error| unusable_root(path, &error))?;
        if ignore_rules && let Some(trap) = real.ancestors().find_map(rules_that_block) {
            return Err(blocked(&trap));
        }
        if self.real.contains(&real) {
            return Ok(());
        }
        self.only_files &= metadata.is_file();
        self.real.push(real);
        // The walker takes a lone `-` for standard input.
        self.paths.push(if path == Path::new("-") { PathBuf::from("./-") } else { path.to_path_buf() });
        Ok(())
    }

    /// Notes which roots lie inside others, so that the outer walk leaves them to their own.
    fn part(&mut self) {
        let places: HashSet<&Path> = self.real.iter().map(PathBuf::as_path).collect();
        let index_of = |wanted: &Path| self.real.iter().position(|real| real == wanted);
        for inner in &self.real {
            for outer in inner.ancestors().skip(1).filter(|ancestor| places.contains(ancestor)) {
                let relative = inner.strip_prefix(outer).expect("an ancestor is a prefix");
                if let Some(index) = index_of(outer) {
                    self.elsewhere.insert(self.paths[index].join(relative));
                }
            }
        }
    }
}

fn unusable_root(path: &Path, error: &io::Error) -> Problem {
    let shown = shown_path(path);
    if error.kind() != io::ErrorKind::NotFound {
        return Problem::at(ProblemKind::Unreadable, shown, words(error));
    }
    if path.is_symlink() {
        return Problem::at(ProblemKind::NotFound, shown, "the symbolic link points to nothing")
            .with_hint("name its target, or leave the link out");
    }
    Problem::at(ProblemKind::NotFound, shown, "no such file or directory")
        .with_hint("check the spelling and the directory you are in")
}

fn not_a_file(path: &Path) -> Problem {
    Problem::at(ProblemKind::NotAFile, shown_path(path), "neither a file nor a directory")
        .with_hint("pipe its content in instead: keyfence scan -")
}

/// The walker opens whatever has the name of a rule file, and a pipe would keep it for ever.
fn rules_that_block(directory: &Path) -> Option<PathBuf> {
    [".gitignore", ".ignore", ".git/info/exclude"]
        .iter()
        .map(|name| directory.join(name))
        .find(|file| fs::metadata(file).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir()))
}

fn blocked(rules: &Path) -> Problem {
    let message = "this file of ignore rules is a pipe or a device, so its directory was not entered";
    Problem::at(ProblemKind::NotAFile, shown_path(rules), message)
        .with_hint("remove it, or scan with --no-ignore")
}

/// What the threads of one walk share.
struct Shared<'a> {
    receiver: &'a dyn Receiver,
    options: &'a TreeOptions,
    sizes: Sizes,
    archives: Archives,
    budget: Budget,
    pruned: Arc<Pruned>,
    /// Directory entries that exist, and those of them that the walk handed out.
    listed: AtomicU64,
    met: AtomicU64,
    interrupted: AtomicU64,
}

impl<'a> Shared<'a> {
    fn new(options: &'a TreeOptions, elsewhere: HashSet<PathBuf>, receiver: &'a dyn Receiver) -> Self {
        Self {
            receiver,
            options,
            sizes: Sizes::with_overlap(options.piece_overlap),
            archives: Archives::default(),
            budget: Budget { left: Mutex::new(LARGE_BUFFERS), freed: Condvar::new() },
            pruned: Arc::new(Pruned {
                elsewhere,
                ignore_rules: options.ignore_rules,
                left_out: options.left_out.clone(),
                git: AtomicU64::new(0),
                by_project: AtomicU64::new(0),
                blocked: Mutex::default(),
            }),
            listed: AtomicU64::new(0),
            met: AtomicU64::new(0),
            interrupted: AtomicU64::new(0),
        }
    }

    /// The walker does not say what rules left out; it is what was listed and never met.
    fn report_left_out(&self) {
        let git = self.pruned.git.load(Ordering::Relaxed);
        let met = self.met.load(Ordering::Relaxed);
        let interrupted = self.interrupted.load(Ordering::Relaxed) > 0;
        let blocked = self.pruned.blocked.lock().unwrap_or_else(PoisonError::into_inner);
        let by_project = self.pruned.by_project.load(Ordering::Relaxed);
        let pruned = git + by_project + blocked.len() as u64;
        let ignored = self.listed.load(Ordering::Relaxed).saturating_sub(met + pruned);
        for rules in blocked.iter() {
            self.receiver.worker().problem(self::blocked(rules));
        }
        let mut skipped = BTreeMap::new();
        if git > 0 {
            skipped.insert(SkipReason::GitDirectory, git);
        }
        if by_project > 0 {
            skipped.insert(SkipReason::LeftOut, by_project);
        }
        if ignored > 0 && self.options.ignore_rules && !interrupted {
            skipped.insert(SkipReason::Ignored, ignored);
        }
        if !skipped.is_empty() {
            self.receiver.worker().covered(&Coverage {
                mode: ScanMode::Tree,
                skipped,
                ..Coverage::default()
            });
        }
    }
}

/// What the walk is told not to enter.
#[derive(Debug)]
struct Pruned {
    elsewhere: HashSet<PathBuf>,
    ignore_rules: bool,
    left_out: Option<LeftOut>,
    git: AtomicU64,
    /// What [`TreeOptions::left_out`] left out.
    by_project: AtomicU64,
    /// Rule files that would block the walk.
    blocked: Mutex<Vec<PathBuf>>,
}

impl Pruned {
    fn keeps(&self, entry: &DirEntry) -> bool {
        if entry.file_name() == OsStr::new(".git") && is_dir(entry) && !self.covers(entry.path()) {
            self.git.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        if self.ignore_rules
            && is_dir(entry)
            && let Some(rules) = rules_that_block(entry.path())
        {
            self.blocked.lock().unwrap_or_else(PoisonError::into_inner).push(rules);
            return false;
        }
        if let Some(LeftOut(is_left_out)) = &self.left_out
            && entry.depth() > 0
            && is_left_out(entry.path(), is_dir(entry))
        {
            self.by_project.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        !self.covers(entry.path())
    }

    fn covers(&self, path: &Path) -> bool {
        !self.elsewhere.is_empty() && self.elsewhere.contains(path)
    }
}

fn is_dir(entry: &DirEntry) -> bool {
    entry.file_type().is_some_and(|kind| kind.is_dir())
}

/// Memory that files above [`KEPT_BUFFER`] wait for, so that many threads never hold many large files.
struct Budget {
    left: Mutex<usize>,
    freed: Condvar,
}

impl Budget {
    fn take(&self, amount: usize) -> Grant<'_> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        while *left < amount {
            left = self.freed.wait(left).unwrap_or_else(PoisonError::into_inner);
        }
        *left -= amount;
        Grant { budget: self, amount }
    }
}

/// Memory taken from the budget; given back when dropped.
struct Grant<'a> {
    budget: &'a Budget,
    amount: usize,
}

impl Drop for Grant<'_> {
    fn drop(&mut self) {
        *self.budget.left.lock().unwrap_or_else(PoisonError::into_inner) += self.amount;
        self.budget.freed.notify_all();
    }
}

/// What is known before any thread is started; told only when all of them were.
#[derive(Debug, Default)]
struct Early {
    problems: Mutex<Vec<Problem>>,
    is_stand_in_lost: AtomicBool,
}

impl Early {
    /// Takes note of a root that is not there.
    fn note(&self, error: &ignore::Error) -> WalkState {
        if error_path(error) == Some(Path::new(STAND_IN)) {
            self.is_stand_in_lost.store(true, Ordering::Relaxed);
            return WalkState::Quit;
        }
        self.problems.lock().unwrap_or_else(PoisonError::into_inner).extend(walk_problem(error));
        WalkState::Continue
    }
}

/// Makes one reader for each thread of the walk.
struct Readers<'a> {
    shared: &'a Shared<'a>,
    gate: Option<&'a Gate>,
    early: &'a Early,
    made: usize,
}

impl<'a> ParallelVisitorBuilder<'a> for Readers<'a> {
    fn build(&mut self) -> Box<dyn ParallelVisitor + 'a> {
        // The first one is for roots that are not there, and goes away before any thread is started.
        let (gate, early) = if self.made == 0 { (None, Some(self.early)) } else { (self.gate, None) };
        self.made += 1;
        Box::new(Reader::new(self.shared, gate, early))
    }
}

/// Reads what one thread of the walk meets.
struct Reader<'a> {
    shared: &'a Shared<'a>,
    /// What it has to pass before it begins.
    gate: Option<&'a Gate>,
    /// Where it notes errors instead, if no thread is there yet.
    early: Option<&'a Early>,
    worker: Option<Box<dyn Worker + 'a>>,
    buffer: Buffer,
    listed: u64,
    met: u64,
}

impl<'a> Reader<'a> {
    fn new(shared: &'a Shared<'a>, gate: Option<&'a Gate>, early: Option<&'a Early>) -> Self {
        Self { shared, gate, early, worker: None, buffer: Buffer::default(), listed: 0, met: 0 }
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        if let Some(gate) = self.gate {
            // Its thread was never started.
            gate.lose();
        }
        self.shared.listed.fetch_add(self.listed, Ordering::Relaxed);
        self.shared.met.fetch_add(self.met, Ordering::Relaxed);
    }
}

impl ParallelVisitor for Reader<'_> {
    fn visit(&mut self, entry: Result<DirEntry, ignore::Error>) -> WalkState {
        if self.gate.take().is_some_and(|gate| !gate.pass()) {
            return WalkState::Quit;
        }
        if self.worker().interrupted() {
            self.shared.interrupted.store(1, Ordering::Relaxed);
            return WalkState::Quit;
        }
        if let (Some(early), Err(error)) = (self.early, &entry) {
            return early.note(error);
        }
        match entry {
            Ok(entry) if entry.depth() == 0 && entry.path() == Path::new(STAND_IN) => {}
            Ok(entry) => self.entry(&entry),
            Err(error) => {
                if let Some(problem) = walk_problem(&error) {
                    self.worker().problem(problem);
                }
            }
        }
        WalkState::Continue
    }
}

impl Reader<'_> {
    fn worker(&mut self) -> &mut dyn Worker {
        let receiver = self.shared.receiver;
        self.worker.get_or_insert_with(|| receiver.worker()).as_mut()
    }

    fn entry(&mut self, entry: &DirEntry) {
        let named = entry.depth() == 0;
        self.met += u64::from(!named);
        let Some(kind) = kind_of(entry) else { return };
        if kind.is_dir() {
            self.list(entry.path());
        } else if kind.is_file() {
            self.file(entry.path(), named);
        } else if kind.is_symlink() {
            self.skip(SkipReason::Symlink);
        } else {
            self.skip(SkipReason::NotAFile);
        }
    }

    /// Counts what stands in a directory, to know afterwards how much of it the rules left out.
    fn list(&mut self, directory: &Path) {
        if !self.shared.options.ignore_rules {
            return;
        }
        // A directory that cannot be read is a problem that the walk itself reports.
        let Ok(entries) = fs::read_dir(directory) else { return };
        let pruned = &self.shared.pruned;
        let apart = |entry: &fs::DirEntry| !pruned.elsewhere.is_empty() && pruned.covers(&entry.path());
        self.listed += entries.flatten().filter(|entry| !apart(entry)).count() as u64;
    }

    fn skip(&mut self, reason: SkipReason) {
        let skipped = BTreeMap::from([(reason, 1)]);
        self.worker().covered(&Coverage { mode: ScanMode::Tree, skipped, ..Coverage::default() });
    }

    fn file(&mut self, path: &Path, named: bool) {
        if let Err(error) = self.read(path, named) {
            self.worker().problem(Problem::at(ProblemKind::Unreadable, shown_path(path), words(&error)));
        }
    }

    fn read(&mut self, path: &Path, named: bool) -> io::Result<()> {
        let mut file = opening::open(path, named)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            self.skip(SkipReason::NotAFile);
            return Ok(());
        }
        let length = metadata.len();
        if self.shared.options.max_file_size.is_some_and(|most| length > most) {
            self.skip(SkipReason::TooLarge);
            return Ok(());
        }
        self.hand_out(&mut file, path, length)
    }

    fn hand_out(&mut self, file: &mut File, path: &Path, length: u64) -> io::Result<()> {
        let shared = self.shared;
        // Files that the kernel makes up say 0 and hold more.
        let known = (length > 0).then_some(length);
        let window = shared.sizes.window(known);
        let grant = (window > KEPT_BUFFER && known.is_some()).then(|| shared.budget.take(window));
        let provenance = Provenance::file(shown_path(path));
        let worker = self.worker.get_or_insert_with(|| shared.receiver.worker());
        let name = Provenance { kind: ContentKind::FileName, ..provenance.clone() };
        worker.chunk(&Chunk::whole(name.path.as_bytes(), &name));
        let target = (&mut self.buffer, &mut **worker as &mut dyn Worker);
        let result = shared.archives.hand_out(file, known, shared.sizes, &provenance, target);
        self.buffer.shrink(KEPT_BUFFER);
        drop(grant);
        if let Some(covered) = result? {
            worker.covered(&Coverage { mode: ScanMode::Tree, ..covered });
        }
        Ok(())
    }
}

/// What an entry is; for a link that somebody named, what it leads to, which the two ways to walk see differently.
fn kind_of(entry: &DirEntry) -> Option<FileType> {
    match entry.file_type() {
        Some(kind) if kind.is_symlink() && entry.depth() == 0 => {
            fs::metadata(entry.path()).ok().map(|metadata| metadata.file_type())
        }
        kind => kind,
    }
}

/// What the walk itself could not do; trouble with a rule file only means that more is scanned.
fn walk_problem(error: &ignore::Error) -> Option<Problem> {
    error.depth()?;
    let message = error.io_error().map_or_else(|| "the directory could not be walked".to_owned(), words);
    let path = error_path(error).map_or_else(|| FilePath::from("."), shown_path);
    Some(Problem::at(ProblemKind::Unreadable, path, message))
}

fn error_path(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } => error_path(err),
        ignore::Error::Loop { child, .. } => Some(child),
        _ => None,
    }
}

fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "it vanished while it was scanned".to_owned(),
        io::ErrorKind::PermissionDenied => "no permission to read it".to_owned(),
        io::ErrorKind::InvalidFilename => "its path is longer than the system can open".to_owned(),
        kind => format!("it could not be read: {kind}"),
    }
}

/// The path as people know it: as typed, without a leading `./`.
fn shown_path(path: &Path) -> FilePath {
    let shown = FilePath::from_path(path);
    let mut bytes = shown.as_bytes();
    while let Some(rest) = bytes.strip_prefix(b"./") {
        let first = rest.iter().position(|&byte| byte != b'/').unwrap_or(rest.len());
        bytes = &rest[first..];
    }
    if bytes.is_empty() { FilePath::from(".") } else { FilePath::from_bytes(bytes) }
}
