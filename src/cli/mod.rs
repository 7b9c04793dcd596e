//! The operator's hands: the command line.
//!
//! One file a command. `client` talks to a running node, `output` prints, `exit` says how it ended.
//!
//! **Invariant:** data goes to stdout and everything else to stderr; the exit code is one of five.

pub mod exit;
mod output;

pub mod serve;

mod audit;
mod backup;
mod bench;
mod calibration;
mod client;
mod cluster;
mod config;
mod demo;
mod openapi;
mod person;
mod score;
mod setup;
mod temporary;
mod upgrade;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::config::load;
use crate::config::settings::{Flags, Settings};
use crate::jobs::document;

use client::Client;
use exit::{Error, Exit};

/// Interview rooms with live, explainable intelligence.
#[derive(Parser)]
#[command(name = "greenroom", version, arg_required_else_help = true, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done, 1 refused, 2 usage or settings, 3 unavailable (try \
    again), 4 fault in Greenroom.")]
pub struct Cli {
    /// Settings file [default: greenroom.toml in the working directory, if it is there]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Global options")]
    pub config: Option<PathBuf>,
    /// Data directory; commands find the node that runs on it [default: ./greenroom-data]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global options")]
    pub data_dir: Option<String>,
    /// Node elsewhere, for commands that talk to a running one: https://HOST:PORT
    #[arg(long, global = true, value_name = "URL", help_heading = "Global options")]
    pub url: Option<String>,
    /// Access token of a person, with --url
    #[arg(long, global = true, value_name = "TOKEN", help_heading = "Global options")]
    pub token: Option<String>,
    /// Certificate authority of that node [default: those that this machine trusts]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Global options")]
    pub ca: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What `greenroom` can do.
#[derive(Subcommand)]
pub enum Command {
    /// Runs the node
    Serve {
        /// Address and port for browsers and programs; port 0 takes a free one
        /// [default: 127.0.0.1:8080]
        #[arg(long, value_name = "ADDR")]
        listen: Option<String>,
        /// Address and port for other nodes [default: the port after that of --listen]
        #[arg(long, value_name = "ADDR")]
        cluster_listen: Option<String>,
    },
    /// Sets a running node up without a browser: organisation and first admin
    Setup(setup::Args),
    /// Replays a sample interview on an instance that is thrown away afterwards
    Demo(demo::Args),
    /// Scores answers: one JSON object a line on stdin, one result a line on stdout
    Score(score::Args),
    /// People, on a running node
    #[command(subcommand)]
    Person(person::Person),
    /// Nodes: how they stand, letting one in, removing one
    #[command(subcommand)]
    Cluster(cluster::Cluster),
    /// The level of the data: check, raise, take back
    #[command(subcommand)]
    Upgrade(upgrade::Upgrade),
    /// Backups: made, checked, restored
    #[command(subcommand)]
    Backup(backup::Backup),
    /// The audit log: who did what, row by row, each with a hash over the one before
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Measures what this machine's disk and this program do, on a node that is thrown away
    Bench(bench::Args),
    /// Weights of scores: versions, checks, which one is in force, what another would change
    #[command(subcommand)]
    Calibration(calibration::Calibration),
    /// The settings
    #[command(subcommand)]
    Config(config::Config),
    /// Reads a document on stdin within bounds; the node starts this for each upload
    #[command(name = document::COMMAND, hide = true)]
    ReadDocument {
        /// pdf or docx
        kind: String,
    },
    /// Prints the OpenAPI document of the HTTP interface
    Openapi,
}

/// The global options as commands use them.
struct Context {
    config: Option<PathBuf>,
    flags: Flags,
    url: Option<String>,
    token: Option<String>,
    ca: Option<PathBuf>,
}

/// Does what the command line says. What goes wrong is told on stderr.
pub async fn run(cli: Cli) -> Exit {
    match dispatch(cli).await {
        Ok(()) => Exit::Done,
        Err(error) => {
            error.print();
            error.exit()
        }
    }
}

async fn dispatch(cli: Cli) -> Result<(), Error> {
    let Cli { config, data_dir, url, token, ca, command } = cli;
    let flags = Flags { data_dir, ..Flags::default() };
    let mut context = Context { config, flags, url, token, ca };
    // A machine that joins names the node as an argument, and its token is of another kind.
    let joins = matches!(command, Command::Cluster(cluster::Cluster::Join { .. }));
    if context.token.is_some() && context.url.is_none() && !joins {
        let why = "on the data directory's own socket nobody needs one";
        return Err(Error::usage("--token goes with --url").why(why));
    }
    match command {
        Command::Serve { listen, cluster_listen } => {
            context.flags.listen = listen;
            context.flags.cluster_listen = cluster_listen;
            serve::run(context.settings()?).await
        }
        Command::Setup(args) => setup::run(&context, args).await,
        Command::Demo(args) => demo::run(args).await,
        Command::Score(args) => score::run(&args),
        Command::Person(command) => person::run(&context, command).await,
        Command::Cluster(command) => cluster::run(&context, command).await,
        Command::Upgrade(command) => upgrade::run(&context, command).await,
        Command::Backup(command) => backup::run(&context, command).await,
        Command::Audit(command) => audit::run(&context, command).await,
        Command::Bench(args) => bench::run(&context, args).await,
        Command::Calibration(command) => calibration::run(&context, command).await,
        Command::Config(command) => config::run(&context, &command),
        Command::ReadDocument { kind } => document::read(&kind)
            .map_err(|error| Error::fault("the document was not read").why(error.to_string())),
        Command::Openapi => openapi::run(),
    }
}

impl Context {
    /// What is in force: flag over environment over file over default.
    fn settings(&self) -> Result<Settings, Error> {
        let settings = Settings::load(self.flags.clone(), load::environment(), self.config.clone());
        Ok(settings?)
    }

    /// The node that the command is for.
    fn client(&self, settings: &Settings) -> Result<Client, Error> {
        match &self.url {
            Some(url) => Client::to_url(url, self.token.clone(), self.ca.as_deref()),
            None => Ok(Client::to_data_dir(&settings.data_dir)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;
    use clap::error::ErrorKind;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn global_options_stand_before_or_after_the_command() {
        for line in [
            "greenroom --config c.toml --data-dir d person list --json",
            "greenroom person list --json --config c.toml --data-dir d",
            "greenroom --data-dir d person --config c.toml list --json",
        ] {
            let cli = parse(line).unwrap();
            assert_eq!(cli.config, Some(PathBuf::from("c.toml")), "{line}");
            assert_eq!(cli.data_dir.as_deref(), Some("d"), "{line}");
            assert!(matches!(cli.command, Command::Person(person::Person::List { json: true })));
        }
    }

    #[test]
    fn a_wrong_line_is_a_usage_error() {
        for (line, kind) in [
            ("greenroom", ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand),
            ("greenroom srve", ErrorKind::InvalidSubcommand),
            ("greenroom serve --lisen :0", ErrorKind::UnknownArgument),
            ("greenroom serve extra", ErrorKind::UnknownArgument),
            ("greenroom setup --email a@b.c", ErrorKind::MissingRequiredArgument),
            ("greenroom person add --email a --name b --role boss", ErrorKind::InvalidValue),
            ("greenroom person disable", ErrorKind::MissingRequiredArgument),
            ("greenroom config show --config", ErrorKind::InvalidValue),
        ] {
            let error = parse(line).err().unwrap_or_else(|| panic!("`{line}` was taken"));
            assert_eq!(error.kind(), kind, "{line}");
            assert_eq!(error.exit_code(), i32::from(Exit::Usage.code()), "{line}");
        }
        assert_eq!(parse("greenroom --version").err().map(|error| error.exit_code()), Some(0));
    }

    #[tokio::test]
    async fn a_token_without_a_url_is_a_usage_error() {
        let cli = parse("greenroom --token t person list").unwrap();
        assert_eq!(dispatch(cli).await.unwrap_err().exit(), Exit::Usage);
    }

    #[tokio::test]
    async fn without_a_node_commands_are_unavailable() {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("g.toml");
        std::fs::write(&config, "").unwrap();
        let place = format!("--config {} --data-dir {}", config.display(), dir.path().display());
        for command in ["person list", "person disable a@b.c", "person reset-link a@b.c"] {
            let cli = parse(&format!("greenroom {place} {command}")).unwrap();
            let error = dispatch(cli).await.unwrap_err();
            assert_eq!(error.exit(), Exit::Unavailable, "{command}");
            assert!(error.to_string().contains("greenroom serve"), "{error}");
        }
        std::fs::write(&config, "lisen = \"x\"").unwrap();
        let cli = parse(&format!("greenroom {place} person list")).unwrap();
        let error = dispatch(cli).await.unwrap_err();
        assert_eq!(error.exit(), Exit::Usage);
        assert!(error.to_string().contains("did you mean `listen`"), "{error}");
    }
}
