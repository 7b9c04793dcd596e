//! `greenroom config`: the settings file, and what is in force.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::config::show;

use super::Context;
use super::exit::Error;
use super::output;

/// What to do with the settings.
#[derive(clap::Subcommand)]
pub enum Config {
    /// Writes a settings file in which everything is explained and nothing is set
    Init {
        /// Replaces the file if there is one
        #[arg(long)]
        force: bool,
    },
    /// Checks file and environment, and tells every mistake at once
    Check,
    /// Prints what is in force
    Show {
        /// Adds where each setting comes from
        #[arg(long)]
        origin: bool,
        /// Prints `{"settings": [{"key", "value", "origin"}]}`
        #[arg(long)]
        json: bool,
    },
}

/// The file that `serve` reads too.
const FILE_NAME: &str = "greenroom.toml";

pub(super) fn run(context: &Context, command: &Config) -> Result<(), Error> {
    match command {
        Config::Init { force } => {
            let path = context.config.clone().unwrap_or_else(|| PathBuf::from(FILE_NAME));
            write(&path, &show::template(), *force)?;
            output::text(&format!("{}\n", path.display()))
        }
        Config::Check => {
            context.settings()?;
            output::note("The settings are valid.");
            Ok(())
        }
        Config::Show { origin, json } => {
            let settings = context.settings()?;
            match json {
                true => output::json(&show::show_json(&settings)),
                false => output::text(&show::show(&settings, *origin)),
            }
        }
    }
}

fn write(path: &Path, text: &str, force: bool) -> Result<(), Error> {
    let mut options = OpenOptions::new();
    options.write(true);
    if force {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Error::refused(format!("{} exists", path.display()))
            .next("--force replaces it, --config names another file"),
        _ => Error::refused(format!("{} cannot be written", path.display())).why(error.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::exit::Exit;

    #[test]
    fn a_settings_file_is_replaced_only_by_force() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("g.toml");
        write(&path, "# long enough to leave a rest", false).unwrap();
        let error = write(&path, "# two", false).unwrap_err();
        assert_eq!(error.exit(), Exit::Refused);
        assert!(error.to_string().contains("--force"), "{error}");
        write(&path, "# two", true).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "# two");
        let nowhere = dir.path().join("missing").join("g.toml");
        assert_eq!(write(&nowhere, "", true).unwrap_err().exit(), Exit::Refused);
    }
}
