//! How a command ends: five exit codes, and the error that carries one with its words.
//!
//! **Invariant:** an error says what could not be done; where they are known, it also says why and
//! what to do next.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use crate::config::settings::ConfigError;
use crate::store::Fault;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It did what it was asked.
    Done,
    /// The request cannot be granted as it is.
    Refused,
    /// The command line or the settings are wrong.
    Usage,
    /// The node is down, has no leader or takes too long: trying again may help.
    Unavailable,
    /// Something is wrong in Greenroom.
    Fault,
}

/// Why a command did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    exit: Exit,
    what: String,
    why: Option<String>,
    next: Option<String>,
}

impl Exit {
    /// The number that the shell sees.
    pub const fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Refused => 1,
            Exit::Usage => 2,
            Exit::Unavailable => 3,
            Exit::Fault => 4,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

impl Error {
    /// The request cannot be granted.
    pub fn refused(what: impl Into<String>) -> Error {
        Error::new(Exit::Refused, what)
    }

    /// The command line or the settings are wrong.
    pub fn usage(what: impl Into<String>) -> Error {
        Error::new(Exit::Usage, what)
    }

    /// Trying again may help.
    pub fn unavailable(what: impl Into<String>) -> Error {
        Error::new(Exit::Unavailable, what)
    }

    /// Something is wrong in Greenroom.
    pub fn fault(what: impl Into<String>) -> Error {
        Error::new(Exit::Fault, what)
    }

    /// An error with the code that goes with it.
    pub fn new(exit: Exit, what: impl Into<String>) -> Error {
        let (why, next) = (None, None);
        Error { exit, what: what.into(), why, next }
    }

    /// Adds the cause.
    pub fn why(self, why: impl Into<String>) -> Error {
        Error { why: Some(why.into()), ..self }
    }

    /// Adds what to do next.
    pub fn next(self, next: impl Into<String>) -> Error {
        Error { next: Some(next.into()), ..self }
    }

    /// The exit code that goes with it.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// Standard output could not be written. That its reader went away (`greenroom … | head`) is
    /// no mistake of anybody: the command ends without a word.
    pub(super) fn output(error: &io::Error) -> Error {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Error::new(Exit::Done, "");
        }
        Error::refused("standard output cannot be written").why(error.to_string())
    }

    /// Prints it on stderr, in red where that helps.
    pub(super) fn print(&self) {
        if self.what.is_empty() {
            return;
        }
        let mut stderr = io::stderr().lock();
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let text = if stderr.is_terminal() && !no_color {
            format!("\x1b[1;31merror:\x1b[0m {self}\n")
        } else {
            format!("error: {self}\n")
        };
        // There is nowhere left to tell that stderr is gone; the exit code still says it.
        let _ = stderr.write_all(text.as_bytes());
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        for (label, text) in [("why: ", &self.why), ("next:", &self.next)] {
            let lines = text.iter().flat_map(|text| text.lines());
            for (n, line) in lines.enumerate() {
                let label = if n == 0 { label } else { "     " };
                write!(f, "\n  {label} {line}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Error {
        Error::usage("the settings are not valid").why(error.to_string())
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Error {
        Error::fault(fault.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_contract() {
        let all = [Exit::Done, Exit::Refused, Exit::Usage, Exit::Unavailable, Exit::Fault];
        assert_eq!(all.map(Exit::code), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn an_error_tells_what_why_and_next() {
        let error = Error::unavailable("no node answers").why("one\ntwo").next("start it");
        let wanted = "no node answers\n  why:  one\n        two\n  next: start it";
        assert_eq!(error.to_string(), wanted);
        assert_eq!(error.exit(), Exit::Unavailable);
        assert_eq!(Error::refused("no").to_string(), "no");
    }

    #[test]
    fn a_reader_that_went_away_is_no_error() {
        let gone = Error::output(&io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!((gone.exit(), gone.to_string().as_str()), (Exit::Done, ""));
        let full = Error::output(&io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!(full.exit(), Exit::Refused);
    }
}
