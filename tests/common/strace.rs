//! Whether system calls can be watched here.
//!
//! Must not know: which.

use std::process::Command;

/// Whether strace is there and may trace what it starts. apt-get installs it where it can; a container that lets nobody
/// trace needs `--cap-add SYS_PTRACE`.
pub fn works() -> bool {
    let apt = |arguments: &[&str]| succeeds(Command::new("apt-get").arg("-qq").args(arguments));
    let traces = || succeeds(Command::new("strace").args(["-qq", "-o", "/dev/null", "--trace=none", "true"]));
    traces() || (apt(&["update"]) && apt(&["install", "-y", "strace"]) && traces())
}

fn succeeds(command: &mut Command) -> bool {
    let told = command.env("DEBIAN_FRONTEND", "noninteractive").output();
    told.is_ok_and(|output| output.status.success())
}
