//! No core dumps: what a scan has read would stand in them.
//!
//! Must not know: what is being done.
//! Invariant: asked for before anything is read. Where the system refuses, the program goes on: it is a second fence.

/// Keeps the system from writing this process's memory anywhere, whatever ends it.
pub(crate) fn forbid() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    }
    // A program that collects dumps is started whatever the limit is, but not for a process that may not be dumped.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}
