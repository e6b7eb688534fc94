//! The `keyfence` program: everything is in the library's `cli` room.

fn main() -> std::process::ExitCode {
    keyfence::cli::main()
}
