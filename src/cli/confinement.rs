//! What a run does not need, it gives up before it reads anything: starting programs, the network, and writing elsewhere
//! than where it was asked to.
//!
//! It does none of that anyway; should a file that it reads ever take it over, the system refuses. Linux only, by its
//! Landlock, as far as the kernel has it.
//!
//! Must not know: how it is done.
//! Invariant: where the system does not offer it, the program goes on: it is a second fence.

use std::path::PathBuf;

use super::request::{CiRequest, Request, ScanRequest, What};
use crate::source::git::{GitEnvironment, Layout};

/// Gives up what `request` does not need, for this thread and all that it starts.
pub(crate) fn enter(request: &Request) {
    confine(writes(request).as_deref());
}

/// Below which directories files are written, of what only scans; `None` if they can be anywhere.
fn writes(request: &Request) -> Option<Vec<PathBuf>> {
    match request {
        Request::Scan(ScanRequest { what, looking }) => {
            let mut places = looking.writing.places()?;
            if let What::History(history) = what
                && history.cache
            {
                let layout = Layout::discover(&history.repository, &GitEnvironment::from_process());
                places.push(layout.ok()?.common_dir);
            }
            Some(places)
        }
        Request::Ci(CiRequest { looking, .. }) => looking.writing.places(),
        Request::RunHook(_) => Some(Vec::new()),
        _ => None,
    }
}

fn confine(writes: Option<&[PathBuf]>) {
    #[cfg(target_os = "linux")]
    let _ = linux::confine(writes);
    #[cfg(not(target_os = "linux"))]
    let _ = writes;
}

#[cfg(target_os = "linux")]
mod linux {
    use std::path::PathBuf;

    use landlock::{
        ABI, Access, AccessFs, AccessNet, BitFlags, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError,
        Scope, path_beneath_rules,
    };

    /// The newest whose meaning is known here; an older kernel does what it can.
    const KNOWN: ABI = ABI::V6;

    pub(super) fn confine(writes: Option<&[PathBuf]>) -> Result<(), RulesetError> {
        let anywhere = [PathBuf::from("/")];
        let (writes, written) = match writes {
            Some(writes) => (writes, AccessFs::from_write(KNOWN)),
            // Moving files to other directories is refused by every set of rules that does not name it.
            None => (&anywhere[..], BitFlags::from(AccessFs::Refer)),
        };
        let ruleset = Ruleset::default()
            .handle_access(written | AccessFs::Execute)?
            .handle_access(AccessNet::from_all(KNOWN))?
            .scope(Scope::from_all(KNOWN))?
            .create()?;
        ruleset.add_rules(path_beneath_rules(writes, written))?.restrict_self()?;
        Ok(())
    }
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::ErrorKind;
    use std::net::TcpListener;
    use std::process::Command;

    use super::confine;

    /// Whether the kernel has it; what is below needs the part that came with 6.7.
    fn is_offered() -> bool {
        let release = fs::read_to_string("/proc/sys/kernel/osrelease").expect("Linux tells it");
        let mut numbers = release.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
        let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        let modules = fs::read_to_string("/sys/kernel/security/lsm").unwrap_or_default();
        version >= (6, 7) && modules.contains("landlock")
    }

    #[test]
    fn what_is_given_up_is_refused() {
        if !is_offered() {
            return;
        }
        let inside = tempfile::tempdir().expect("a temporary directory can be made");
        let outside = tempfile::tempdir().expect("a temporary directory can be made");
        let allowed = vec![inside.path().to_owned()];
        // Only the thread that asks is confined.
        let confined = std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                confine(Some(&allowed));
                let kind = |result: std::io::Result<()>| result.err().map(|error| error.kind());
                [
                    kind(fs::write(inside.path().join("report"), "one")),
                    kind(fs::rename(inside.path().join("report"), inside.path().join("renamed"))),
                    kind(fs::read_dir(outside.path()).map(drop)),
                    kind(fs::write(outside.path().join("elsewhere"), "two")),
                    kind(fs::create_dir(outside.path().join("directory"))),
                    kind(TcpListener::bind("127.0.0.1:0").map(drop)),
                    kind(Command::new("true").status().map(drop)),
                ]
            });
            thread.join().expect("it does not panic")
        });
        let refused = Some(ErrorKind::PermissionDenied);
        assert_eq!(confined, [None, None, None, refused, refused, refused, refused]);
    }

    #[test]
    fn writing_anywhere_can_be_kept() {
        if !is_offered() {
            return;
        }
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let thread = std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                confine(None);
                let in_directory = |name| directory.path().join(name);
                fs::write(in_directory("file"), "x").expect("it can be written");
                fs::create_dir(in_directory("other")).expect("it can be made");
                fs::rename(in_directory("file"), in_directory("other/file")).expect("it can be moved");
                Command::new("true").status().is_ok()
            });
            thread.join().expect("it does not panic")
        });
        assert!(!thread, "no program can be started");
    }
}
