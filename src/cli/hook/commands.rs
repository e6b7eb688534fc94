//! `hook install`, `hook uninstall` and `hook status`.
//!
//! Must not know: what a script holds. Invariant: what is said was done; a stage that is not guarded is never
//! called so.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::super::arguments::Stage;
use super::super::failure::{Ending, Failure, tell};
use super::super::files::is_executable;
use super::super::output::say;
use super::super::request::HookPlace;
use super::super::text;
use super::managers::{self, Manager};
use super::place::Place;
use super::slot::{Installed, Ours, Slot, State, Uninstalled};

/// What a hook of that stage sees and what it does not.
fn covers(stage: Stage) -> &'static str {
    match stage {
        Stage::PreCommit | Stage::PreMergeCommit | Stage::CommitMsg => {
            "It looks at every `git commit`. git runs no such hook for rebase, cherry-pick, revert and `--no-verify`.\n"
        }
        Stage::PrePush => {
            "It looks at every `git push`, at what the remote does not have yet. `--no-verify` gets past.\n"
        }
        Stage::PreReceive | Stage::Update => {
            "It looks at every push that arrives here, before it is taken.\n"
        }
    }
}

/// Puts the hook in.
pub(crate) fn install(request: &HookPlace, force: bool) -> Result<Ending, Failure> {
    let place = Place::find(request.global, on_server(request))?;
    let slots = place.slots(&request.stages);
    if let Some(manager) = place.manager().filter(|_| !force && !all_ours(&slots)) {
        return Ok(leave_it_to(&manager, &request.stages));
    }
    let program = std::env::current_exe()
        .map_err(|error| Failure::file("tell where the keyfence program is", &error))?;
    for slot in &slots {
        let installed = slot.install(&program)?;
        say(&told(slot, installed))?;
    }
    if let Some(remark) = &place.remark {
        say(&format!("({remark})\n"))?;
    }
    request
        .stages
        .iter()
        .map(|&stage| covers(stage))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .try_for_each(say)?;
    match &place.left_to_do {
        None => Ok(Ending::Clean),
        Some(command) => {
            say(&format!("One step is left: git does not use this directory yet. Run\n    {command}\n"))?;
            Ok(Ending::Unfinished)
        }
    }
}

fn told(slot: &Slot, installed: Installed) -> String {
    let (stage, file) = (slot.stage.as_str(), text::path(&slot.file));
    match installed {
        Installed::New => format!("installed: {stage} ({file})\n"),
        Installed::Renewed => format!("renewed: {stage} ({file})\n"),
        Installed::Already => format!("already installed: {stage} ({file})\n"),
        Installed::Chained => format!(
            "installed: {stage} ({file}); the hook that was there is kept as {} and runs first\n",
            file_name(&slot.earlier)
        ),
    }
}

fn leave_it_to(manager: &Manager, stages: &[Stage]) -> Ending {
    tell(&format!(
        "not installed: {} manages the hooks of this repository ({}). Add\n{}\
         or use --force to install beside it.\n",
        manager.name,
        text::path(&manager.evidence),
        manager.advice(stages)
    ));
    Ending::Unfinished
}

fn all_ours(slots: &[Slot]) -> bool {
    slots.iter().all(|slot| matches!(slot.state(), Ok(State::Ours(_))))
}

/// Whether only hooks are meant that run where pushes arrive, which is a bare repository as a rule.
fn on_server(request: &HookPlace) -> bool {
    request.stages.iter().all(|stage| stage.is_on_server())
}

/// Takes the hook out.
pub(crate) fn uninstall(request: &HookPlace) -> Result<Ending, Failure> {
    let place = Place::find(request.global, on_server(request))?;
    for slot in place.slots(&request.stages) {
        let (stage, file) = (slot.stage.as_str(), text::path(&slot.file));
        say(&match slot.uninstall()? {
            Uninstalled::Removed => format!("removed: {stage} ({file})\n"),
            Uninstalled::Restored => {
                format!("removed: {stage}; the hook that was there before is back ({file})\n")
            }
            Uninstalled::NotThere => format!("not installed: {stage}\n"),
            Uninstalled::NotOurs => format!("left alone: {stage} is not from keyfence ({file})\n"),
        })?;
    }
    Ok(Ending::Clean)
}

/// What guards the stages of one place.
pub(crate) struct Guards {
    pub(crate) stages: Vec<Guard>,
    /// What else there is to know about the place.
    pub(crate) remark: Option<String>,
}

/// What guards one stage.
pub(crate) struct Guard {
    pub(crate) stage: &'static str,
    pub(crate) words: String,
    pub(crate) guards: bool,
}

/// What guards the stages that matter in this repository.
pub(crate) fn guards() -> Result<Guards, Failure> {
    let place = Place::find(false, false)?;
    Ok(Guards { stages: place.guards(&[Stage::PreCommit, Stage::CommitMsg])?, remark: place.remark })
}

/// Tells what guards each stage.
pub(crate) fn status(request: &HookPlace) -> Result<Ending, Failure> {
    let place = Place::find(request.global, on_server(request))?;
    let mut guarded = true;
    for guard in place.guards(&request.stages)? {
        say(&format!("{}: {}\n", guard.stage, guard.words))?;
        guarded &= guard.guards;
    }
    if let Some(command) = &place.left_to_do {
        say(&format!("git does not use this directory yet. Run\n    {command}\n"))?;
        guarded = false;
    }
    Ok(if guarded { Ending::Clean } else { Ending::Unfinished })
}

/// What our hook does when git calls it, and whether that looks at the commit.
fn ours_in_words(slot: &Slot, ours: &Ours) -> (String, bool) {
    let file = text::path(&slot.file);
    if !ours.executable {
        return (format!("installed but not executable, so git does not run it ({file})"), false);
    }
    let state = if ours.current { "installed" } else { "outdated" };
    let first = if ours.chained { format!(", after {}", file_name(&slot.earlier)) } else { String::new() };
    if is_executable(&ours.program) {
        let program = text::path(&ours.program);
        return (format!("{state} ({file}), runs {program}{first}{}", another(&ours.program)), true);
    }
    let gone = text::path(&ours.program);
    match on_path() {
        Some(program) => {
            let name = text::path(&program);
            let words = format!("{state} ({file}), runs {name} because {gone} is gone{first}");
            (words + &another(&program), true)
        }
        None => (format!("{state} ({file}), but {gone} is gone, so every commit is stopped"), false),
    }
}

/// Says so if the hook runs another program than this one, which may be older.
fn another(program: &Path) -> String {
    let same = |this: &Path| fs::canonicalize(this).ok() == fs::canonicalize(program).ok();
    match std::env::current_exe() {
        Ok(this) if !same(&this) => {
            ", which is not this program (`--version` tells how old it is)".to_owned()
        }
        _ => String::new(),
    }
}

/// The program that a shell would find.
fn on_path() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let name = format!("keyfence{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&path).map(|directory| directory.join(&name)).find(|file| is_executable(file))
}

fn file_name(path: &Path) -> String {
    path.file_name().map(Path::new).map(text::path).unwrap_or_default()
}

impl Place {
    fn guards(&self, stages: &[Stage]) -> Result<Vec<Guard>, Failure> {
        let manager = self.manager();
        let mut guards = Vec::new();
        for slot in self.slots(stages) {
            let (words, is_guarded) = match (slot.state()?, &manager) {
                (State::Ours(ours), _) => ours_in_words(&slot, &ours),
                (_, Some(manager)) if manager.calls_keyfence(slot.stage) => {
                    (format!("run by {} ({})", manager.name, text::path(&manager.evidence)), true)
                }
                (State::Absent, _) => ("not installed".to_owned(), false),
                (State::Foreign { executable }, _) => {
                    let idle =
                        if executable { "" } else { ", and git does not run it: it is not executable" };
                    (format!("foreign: {} is not from keyfence{idle}", text::path(&slot.file)), false)
                }
            };
            guards.push(Guard { stage: slot.stage.as_str(), words, guards: is_guarded });
        }
        Ok(guards)
    }

    fn slots(&self, stages: &[Stage]) -> Vec<Slot> {
        stages.iter().map(|&stage| Slot::new(&self.hooks, stage)).collect()
    }

    fn manager(&self) -> Option<Manager> {
        managers::detect(self.top.as_deref()?)
    }
}
