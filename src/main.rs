//! The `keyfence` program: everything is in the library's `cli` room.
//!
//! Must not know: anything but that room.

fn main() -> std::process::ExitCode {
    keyfence::cli::main()
}
