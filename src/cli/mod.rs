//! The command line: typed arguments → what was meant → one command → an exit code.
//!
//! Must not know: how anything is found. Invariant: every way to end goes through [`failure`], the only place that
//! knows exit codes; nothing is printed but through [`output`] and [`failure`].

mod arguments;
mod baseline;
mod ci;
mod config;
mod confinement;
mod core_dumps;
mod describe;
mod doctor;
mod failure;
mod files;
mod history;
mod hook;
mod init;
mod interrupt;
mod output;
mod policy;
mod progress;
mod project_arguments;
mod reports;
mod request;
mod rules;
mod scan;
mod text;
mod typed;

use std::ffi::OsString;
use std::panic;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use arguments::{Arguments, SHORT_HELP};
use failure::{Ending, Failure, tell};
use request::Request;

/// The whole program.
pub fn main() -> ExitCode {
    core_dumps::forbid();
    keep_panics_quiet();
    let code = panic::catch_unwind(|| run(std::env::args_os()));
    code.unwrap_or(Ending::Unfinished.code()).into()
}

/// From now on a panic says where it was raised and nothing else.
#[doc(hidden)]
pub fn keep_panics_quiet() {
    panic::set_hook(Box::new(tell_location));
}

/// Says where keyfence failed and nothing else: the payload of a panic can hold what was being read.
fn tell_location(information: &panic::PanicHookInfo<'_>) {
    if crate::source::is_attempt_to_start_threads() {
        return;
    }
    let place = information.location().map_or_else(String::new, |place| format!(" at {place}"));
    tell(&format!(
        "error: keyfence itself failed{place}\n  hint: please report this line; it holds nothing of yours\n"
    ));
}

/// The exit code.
fn run(words: impl IntoIterator<Item = OsString>) -> u8 {
    let arguments = match Arguments::try_parse_from(words) {
        Ok(arguments) => arguments,
        Err(error) => return explain(&error).code(),
    };
    let request = match Request::from_arguments(arguments) {
        Ok(request) => request,
        Err(failure) => return failure.tell().code(),
    };
    confinement::enter(&request);
    let for_findings = request.code_for_findings();
    let ending = perform(request).unwrap_or_else(|failure| failure.tell());
    ending.code_with(for_findings)
}

fn perform(request: Request) -> Result<Ending, Failure> {
    match request {
        Request::Explain => {
            tell(SHORT_HELP);
            Ok(Ending::Misused)
        }
        Request::Scan(request) => scan::perform(&request.what, &request.looking),
        Request::Ci(request) => ci::perform(&request),
        Request::Baseline(command) => baseline::perform(command),
        Request::Config(command) => config::perform(command),
        Request::Init(arguments) => init::perform(&arguments),
        Request::Doctor => doctor::perform(),
        Request::Rules(command) => rules::perform(command),
        Request::ExplainFinding(arguments) => rules::explain(arguments),
        Request::Install { place, force } => hook::install(&place, force),
        Request::Uninstall(place) => hook::uninstall(&place),
        Request::Status(place) => hook::status(&place),
        Request::RunHook(run) => hook::run(&run),
        Request::Completions(shell) => describe::completions(shell),
        Request::Manual(directory) => describe::manual(directory.as_deref()),
    }
}

/// Help and version were asked for; everything else is wrong usage.
fn explain(error: &clap::Error) -> Ending {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion if error.print().is_ok() => Ending::Clean,
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Ending::Misused,
        _ => {
            tell(&error.render().to_string());
            Ending::Misused
        }
    }
}
