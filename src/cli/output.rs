//! Where a report or a message goes: standard output, standard error or a file.
//!
//! Must not know: what a report says.
//! Invariant: a reader who went away is no error; anything else that kept words from arriving is.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::Path;

use super::arguments::ColorArgument;
use super::failure::{Ending, Failure};
use super::files::{self, Access};
use super::text;

/// A place for a report.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target<'a> {
    /// Standard output.
    Output,
    /// Standard error, where hooks speak.
    Error,
    /// A file, replaced as a whole.
    File(&'a Path),
}

impl Target<'_> {
    /// Whether a report that goes here is coloured.
    pub(crate) fn is_colored(self, asked: ColorArgument) -> bool {
        match asked {
            ColorArgument::Always => true,
            ColorArgument::Never => false,
            ColorArgument::Auto => self.is_terminal() && !environment_says_plain(),
        }
    }

    /// Columns to write in; `None` if nobody watches.
    pub(crate) fn width(self) -> Option<u16> {
        let size = match self {
            Self::Output => terminal_size::terminal_size_of(io::stdout()),
            Self::Error => terminal_size::terminal_size_of(io::stderr()),
            Self::File(_) => None,
        };
        size.map(|(width, _)| width.0)
    }

    /// Whether somebody watches.
    pub(crate) fn is_terminal(self) -> bool {
        match self {
            Self::Output => io::stdout().is_terminal(),
            Self::Error => io::stderr().is_terminal(),
            Self::File(_) => false,
        }
    }

    /// Writes all of `content`. `ending` is how the run ends if it arrives.
    pub(crate) fn write(self, content: &[u8], ending: Ending) -> Result<(), Failure> {
        let (name, written) = match self {
            Self::Output => ("standard output".to_owned(), write_all(io::stdout().lock(), content)),
            Self::Error => ("standard error".to_owned(), write_all(io::stderr().lock(), content)),
            Self::File(path) => (text::path(path), files::replace(path, content, Access::Private)),
        };
        match written {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Failure::report(&name, &error, ending))
            }
            _ => Ok(()),
        }
    }
}

/// Says something on standard output that is no report.
pub(crate) fn say(words: &str) -> Result<(), Failure> {
    match write_all(io::stdout().lock(), words.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::file("write to standard output", &error))
        }
        _ => Ok(()),
    }
}

fn write_all(mut stream: impl Write, content: &[u8]) -> io::Result<()> {
    stream.write_all(content)?;
    stream.flush()
}

fn environment_says_plain() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    set("NO_COLOR") || std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}
