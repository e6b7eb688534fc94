//! What describes the program to shells and to `man`, made from the arguments themselves.
//!
//! Must not know: what the arguments mean. Invariant: nothing here is written by hand, so nothing here goes stale.

use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use super::arguments::Arguments;
use super::failure::{Ending, Failure};
use super::output::say;
use super::text;

/// The name under which the program is called.
const NAME: &str = "keyfence";

/// Says the completions for a shell.
pub(crate) fn completions(shell: Shell) -> Result<Ending, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), NAME, &mut script);
    say(&String::from_utf8_lossy(&script))?;
    Ok(Ending::Clean)
}

/// Says the page of the program, or writes the pages of all commands to a directory.
pub(crate) fn manual(directory: Option<&Path>) -> Result<Ending, Failure> {
    let Some(directory) = directory else {
        let mut page = Vec::new();
        Man::new(Arguments::command()).render(&mut page).expect("writing to memory cannot fail");
        say(&String::from_utf8_lossy(&page))?;
        return Ok(Ending::Clean);
    };
    let failed = |error: &std::io::Error| {
        Failure::file(format!("write the manual pages to {}", text::path(directory)), error)
    };
    std::fs::create_dir_all(directory).map_err(|error| failed(&error))?;
    clap_mangen::generate_to(Arguments::command(), directory).map_err(|error| failed(&error))?;
    Ok(Ending::Clean)
}
