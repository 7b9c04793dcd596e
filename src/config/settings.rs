//! The settings of this process, checked and typed, each with the place that it came from.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::network::Network;
use super::outside::{Issuer, Provider};
use super::tls::Tls;
use crate::telemetry::LogFormat;

/// What is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where people and programs connect.
    pub listen: SocketAddr,
    /// Where other nodes connect; without it the port after [`Settings::listen`], or a free one.
    pub cluster_listen: Option<SocketAddr>,
    /// Where everything durable is.
    pub data_dir: PathBuf,
    /// What links begin with, as an origin.
    pub public_url: Option<String>,
    /// Further origins whose pages may open sockets.
    pub allowed_origins: Vec<String>,
    /// How log lines look.
    pub log_format: LogFormat,
    /// Which log lines there are.
    pub log_filter: String,
    /// Whether this is a place for trying things out.
    pub environment: Environment,
    /// The file with the token that may read the metrics.
    pub metrics_token_file: Option<PathBuf>,
    /// Where scheduled backups lie; without it `backups` in [`Settings::data_dir`].
    pub backup_dir: Option<PathBuf>,
    /// Hours between two scheduled backups; 0: none.
    pub backup_every_hours: u64,
    /// How many of the newest scheduled backups stay.
    pub backup_keep_last: u64,
    /// For how many weeks the newest scheduled backup of each stays too.
    pub backup_keep_weekly: u64,
    /// How long a login lasts without being used.
    pub login_seconds: u64,
    /// Frames a second that one socket may send.
    pub rooms_frames_per_second: u32,
    /// Seconds without an event after which a live interview is finished.
    pub rooms_quiet_seconds: u64,
    /// Seconds after which an interview that was never started is cancelled.
    pub rooms_wait_seconds: u64,
    /// TLS towards browsers and programs.
    pub tls: Tls,
    /// Connections that one address may have.
    pub connections_per_address: u64,
    /// Proxies that may say for whom they speak.
    pub trusted_proxies: Vec<Network>,
    /// Whether requests are counted.
    pub rate_limit_enabled: bool,
    /// The window for reading and writing.
    pub rate_limit_window_seconds: Option<u32>,
    /// Requests in it.
    pub rate_limit_max_requests: Option<u32>,
    /// Outside issuers whose bearer tokens are taken.
    pub issuers: Vec<Issuer>,
    /// OpenID providers to sign in with.
    pub providers: Vec<Provider>,
    /// Whether tokens that nobody signed are believed.
    pub allow_unverified_jwt_dev: bool,
    /// Base URL of the language model; without it there is none.
    pub chat_url: Option<String>,
    /// Its name.
    pub chat_model: Option<String>,
    /// The file with its key.
    pub chat_api_key_file: Option<PathBuf>,
    /// The file with the authorities that it is believed by.
    pub chat_ca_file: Option<PathBuf>,
    /// Whether it may put hints and follow-ups into other words.
    pub chat_rephrase: bool,
    /// Seconds that it may take.
    pub chat_timeout_seconds: u64,
    /// Bytes that it may answer.
    pub chat_max_bytes: u64,
    /// What candidates of a live interview agree to or decline.
    pub privacy_consent_text: Option<String>,
    /// Where each setting came from, by its key.
    pub origins: BTreeMap<&'static str, Origin>,
}

/// Whether a mistake would hurt somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// People rely on it.
    Production,
    /// Somebody develops or tries it.
    Development,
}

/// Where a setting came from, in the order in which they win.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A line of the file.
    File {
        /// The file as it was named.
        path: String,
        /// The line, from 1.
        line: usize,
    },
    /// A variable of the environment.
    Environment(&'static str),
    /// A flag of the command line.
    Flag(&'static str),
}

/// What the command line said; a flag that was not given is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// `--listen`.
    pub listen: Option<String>,
    /// `--cluster-listen`.
    pub cluster_listen: Option<String>,
    /// `--data-dir`.
    pub data_dir: Option<String>,
}

/// Everything that is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// At least one.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where: a file with its line, a variable or a flag.
    pub place: String,
    /// The line, where it is one of a file; what is wrong is told in its order.
    pub line: Option<usize>,
    /// What is wrong and what would be right.
    pub detail: String,
}

/// Problems that are printed; a file of another program has one on each line.
const PROBLEMS_SHOWN_MAX: usize = 20;

impl Settings {
    /// A base that the defaults of the table are laid on.
    pub(super) fn blank() -> Settings {
        Settings {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            cluster_listen: None,
            data_dir: PathBuf::new(),
            public_url: None,
            allowed_origins: Vec::new(),
            log_format: LogFormat::Text,
            log_filter: String::new(),
            environment: Environment::Production,
            metrics_token_file: None,
            backup_dir: None,
            backup_every_hours: 0,
            backup_keep_last: 1,
            backup_keep_weekly: 0,
            login_seconds: 1,
            rooms_frames_per_second: 1,
            rooms_quiet_seconds: 1,
            rooms_wait_seconds: 1,
            tls: Tls::default(),
            connections_per_address: 1,
            trusted_proxies: Vec::new(),
            rate_limit_enabled: true,
            rate_limit_window_seconds: None,
            rate_limit_max_requests: None,
            issuers: Vec::new(),
            providers: Vec::new(),
            allow_unverified_jwt_dev: false,
            chat_url: None,
            chat_model: None,
            chat_api_key_file: None,
            chat_ca_file: None,
            chat_rephrase: false,
            chat_timeout_seconds: 1,
            chat_max_bytes: 1_024,
            privacy_consent_text: None,
            origins: BTreeMap::new(),
        }
    }
}

impl Settings {
    /// What one setting permits only beside others.
    pub(super) fn check(&self) -> Option<Problem> {
        let harmless =
            self.environment == Environment::Development && self.listen.ip().is_loopback();
        if !self.allow_unverified_jwt_dev || harmless {
            return None;
        }
        let place = self.origins.get("allow_unverified_jwt_dev").map(Origin::to_string);
        let detail = "`allow_unverified_jwt_dev`: anybody could be anybody, so it needs \
            GREENROOM_ENV=development and a `listen` address that only this machine reaches; \
            switch it off, or set both";
        Some(Problem::new(place.unwrap_or_default(), detail))
    }
}

impl Problem {
    pub(super) fn new(place: impl Into<String>, detail: impl Into<String>) -> Problem {
        Problem { place: place.into(), line: None, detail: detail.into() }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File { path, line } => write!(f, "{path}:{line}"),
            Origin::Environment(name) | Origin::Flag(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, problem) in self.problems.iter().take(PROBLEMS_SHOWN_MAX).enumerate() {
            let end = if n == 0 { "" } else { "\n" };
            write!(f, "{end}{}: {}", problem.place, problem.detail)?;
        }
        match self.problems.len().saturating_sub(PROBLEMS_SHOWN_MAX) {
            0 => Ok(()),
            more => write!(f, "\nand {more} more"),
        }
    }
}

impl std::error::Error for ConfigError {}
