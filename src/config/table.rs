//! The table of settings: a row for each, and everything else about settings is made from the rows.
//!
//! The order of the rows is the order in the help, the template and the reference.

mod backup;
mod chat;
mod door;
mod login;
mod privacy;
mod rooms;
mod tls;

use super::settings::{Environment, Flags, Settings};
use super::value::{self, Value};
use crate::telemetry::{self, LogFormat};

/// One setting.
pub struct Setting {
    /// The key in the file, with dots between tables.
    pub key: &'static str,
    /// The variable of the environment.
    pub env: &'static str,
    /// The flag of the command line, where there is one.
    pub flag: Option<&'static str>,
    /// What it takes.
    pub takes: Takes,
    /// What holds if nobody sets it, as it would stand in the file; `None`: nothing.
    pub default: Option<&'static str>,
    /// A value for the template where there is no default.
    pub example: &'static str,
    /// What it is, in one line without a full stop.
    pub brief: &'static str,
    /// What there is to know about it, in sentences.
    pub long: &'static str,
    /// Checks a value and puts it in its place; the error says what is wrong and what would be
    /// right.
    pub(super) set: fn(&mut Settings, &Value) -> Result<(), String>,
    /// What is in force.
    pub(super) get: fn(&Settings) -> Option<Value>,
    /// What the command line says.
    pub(super) flagged: fn(&Flags) -> Option<&str>,
}

/// What a setting takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// An address and a port.
    Address,
    /// A path.
    Path,
    /// Scheme, host and port.
    Origin,
    /// Some origins; commas stand between them in the environment.
    Origins,
    /// Some networks; likewise.
    Networks,
    /// Some hosts; likewise.
    Names,
    /// Some tables; a JSON list in the environment.
    Tables,
    /// `true` or `false`.
    Switch,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A text.
    Text,
    /// A whole number between these.
    Number(u64, u64),
}

/// Further origins: an installation is embedded in a few portals, not in hundreds.
const ORIGINS_MAX: usize = 32;

const FORMATS: [(&str, LogFormat); 2] = [("text", LogFormat::Text), ("json", LogFormat::Json)];

const ENVIRONMENTS: [(&str, Environment); 2] =
    [("production", Environment::Production), ("development", Environment::Development)];

/// Every setting.
pub const SETTINGS: &[Setting] = &[
    LISTEN,
    CLUSTER_LISTEN,
    DATA_DIR,
    PUBLIC_URL,
    ALLOWED_ORIGINS,
    LOG_FORMAT,
    LOG_FILTER,
    ENVIRONMENT,
    METRICS_TOKEN_FILE,
    backup::DIR,
    backup::EVERY_HOURS,
    backup::KEEP_LAST,
    backup::KEEP_WEEKLY,
    chat::URL,
    chat::MODEL,
    chat::API_KEY_FILE,
    chat::CA_FILE,
    chat::REPHRASE,
    chat::TIMEOUT,
    chat::MAX_BYTES,
    login::SECONDS,
    privacy::CONSENT_TEXT,
    rooms::FRAMES_PER_SECOND,
    rooms::QUIET_SECONDS,
    rooms::WAIT_SECONDS,
    tls::CERTIFICATE_FILE,
    tls::KEY_FILE,
    tls::LOCAL_AUTHORITY,
    tls::NAMES,
    tls::REDIRECT_LISTEN,
    tls::HSTS_SECONDS,
    door::CONNECTIONS_PER_ADDRESS,
    door::TRUSTED_PROXIES,
    door::RATE_LIMIT_ENABLED,
    door::RATE_LIMIT_WINDOW_SEC,
    door::RATE_LIMIT_MAX_REQUESTS,
    door::ISSUERS,
    door::PROVIDERS,
    door::ALLOW_UNVERIFIED_JWT_DEV,
];

/// Names that begin like ours but are read elsewhere: this one says at build time where the pages
/// come from.
pub(super) const BUILD_TIME: [&str; 1] = ["GREENROOM_UI"];

const LISTEN: Setting = Setting {
    key: "listen",
    env: "GREENROOM_LISTEN",
    flag: Some("--listen"),
    takes: Takes::Address,
    default: Some("127.0.0.1:8080"),
    example: "",
    brief: "Address and port for browsers and programs",
    long: "The default can be reached from this machine only, which is right behind a proxy on \
        the same machine. `0.0.0.0:8080` listens on every interface. Port 0 takes a free \
        port, which `greenroom serve` prints. `:PORT` and `localhost:PORT` mean 127.0.0.1.",
    set: |settings, value| value::address(value).map(|address| settings.listen = address),
    get: |settings| Some(Value::Text(settings.listen.to_string())),
    flagged: |flags| flags.listen.as_deref(),
};

const CLUSTER_LISTEN: Setting = Setting {
    key: "cluster_listen",
    env: "GREENROOM_CLUSTER_LISTEN",
    flag: Some("--cluster-listen"),
    takes: Takes::Address,
    default: None,
    example: "10.0.0.1:8081",
    brief: "Address and port for the other nodes",
    long: "Without it, this is the port after that of `listen`, on the same address; if \
        `listen` has port 0, or if this one has, it is a free port that is remembered. It speaks \
        TLS with the cluster's own certificates; see docs/cluster.md.",
    set: |settings, value| value::address(value).map(|at| settings.cluster_listen = Some(at)),
    get: |settings| settings.cluster_listen.map(|address| Value::Text(address.to_string())),
    flagged: |flags| flags.cluster_listen.as_deref(),
};

const DATA_DIR: Setting = Setting {
    key: "data_dir",
    env: "GREENROOM_DATA_DIR",
    flag: Some("--data-dir"),
    takes: Takes::Path,
    default: Some("./greenroom-data"),
    example: "",
    brief: "Directory for everything durable",
    long: "It is made if it does not exist, readable by its owner only. A relative path counts \
        from the working directory. One node owns one directory; a second one that is \
        started on it stops with an error. Packages set /var/lib/greenroom.",
    set: |settings, value| value::path(value).map(|path| settings.data_dir = path),
    get: |settings| Some(Value::Text(settings.data_dir.display().to_string())),
    flagged: |flags| flags.data_dir.as_deref(),
};

const PUBLIC_URL: Setting = Setting {
    key: "public_url",
    env: "GREENROOM_PUBLIC_URL",
    flag: None,
    takes: Takes::Origin,
    default: None,
    example: "https://rooms.example.org",
    brief: "What people type to get here",
    long: "Invite and share links begin with it, and pages from it may open sockets. Set it if \
        a proxy stands in front of Greenroom. Without it, links begin with the address that \
        the node listens on. Greenroom has a host name for itself, so there is no path.",
    set: |settings, value| {
        value::origin(value.text()?).map(|origin| settings.public_url = Some(origin))
    },
    get: |settings| settings.public_url.clone().map(Value::Text),
    flagged: |_| None,
};

const ALLOWED_ORIGINS: Setting = Setting {
    key: "allowed_origins",
    env: "GREENROOM_ALLOWED_ORIGINS",
    flag: None,
    takes: Takes::Origins,
    default: Some("[]"),
    example: "",
    brief: "Further origins whose pages may open sockets",
    long: "The node's own origin and `public_url` are always allowed. Each one here is another \
        site whose pages may talk to the rooms with the login of whoever visits it, so name \
        only sites that you run. In the environment, put commas between them.",
    set: |settings, value| origins(value).map(|origins| settings.allowed_origins = origins),
    get: |settings| Some(Value::List(settings.allowed_origins.clone())),
    flagged: |_| None,
};

const LOG_FORMAT: Setting = Setting {
    key: "log.format",
    env: "GREENROOM_LOG_FORMAT",
    flag: None,
    takes: Takes::Choice(&["text", "json"]),
    default: Some("text"),
    example: "",
    brief: "How log lines look",
    long: "`text` is for people, `json` is one object a line for programs that collect logs. \
        Log lines go to stderr. Colour is used at a terminal only, and not if NO_COLOR is \
        set.",
    set: |settings, value| {
        value::choice(value, &FORMATS).map(|format| settings.log_format = format)
    },
    get: |settings| name_of(&FORMATS, settings.log_format),
    flagged: |_| None,
};

const LOG_FILTER: Setting = Setting {
    key: "log.filter",
    env: "GREENROOM_LOG_FILTER",
    flag: None,
    takes: Takes::Text,
    default: Some("info,openraft=error"),
    example: "",
    brief: "Which log lines there are",
    long: "A level (`error`, `warn`, `info`, `debug`, `trace`, `off`), or levels for parts of \
        the program with commas between them: `info,greenroom::room=debug`. Consensus tells \
        little unless it is asked, for instance with `openraft=info`.",
    set: |settings, value| {
        let filter = value.text()?;
        telemetry::check_filter(filter).map_err(|error| error.to_string())?;
        settings.log_filter = filter.to_owned();
        Ok(())
    },
    get: |settings| Some(Value::Text(settings.log_filter.clone())),
    flagged: |_| None,
};

const ENVIRONMENT: Setting = Setting {
    key: "env",
    env: "GREENROOM_ENV",
    flag: None,
    takes: Takes::Choice(&["production", "development"]),
    default: Some("production"),
    example: "",
    brief: "Whether this node is for real use",
    long: "`development` permits settings that would be dangerous where people rely on the \
        node. It permits them only; each of them still has to be switched on.",
    set: |settings, value| {
        value::choice(value, &ENVIRONMENTS).map(|chosen| settings.environment = chosen)
    },
    get: |settings| name_of(&ENVIRONMENTS, settings.environment),
    flagged: |_| None,
};

const METRICS_TOKEN_FILE: Setting = Setting {
    key: "metrics.token_file",
    env: "GREENROOM_METRICS_TOKEN_FILE",
    flag: None,
    takes: Takes::Path,
    default: None,
    example: "/etc/greenroom/metrics-token",
    brief: "File with the token that may read /metrics",
    long: "A collector on another machine sends the first line of this file as a bearer token. \
        Without it, only this machine and admins can read the metrics.",
    set: |settings, value| value::path(value).map(|at| settings.metrics_token_file = Some(at)),
    get: |settings| {
        let path = settings.metrics_token_file.as_ref();
        path.map(|path| Value::Text(path.display().to_string()))
    },
    flagged: |_| None,
};

impl Setting {
    /// The default as a value.
    pub(super) fn default_value(&self) -> Option<Value> {
        self.default.map(|default| match default {
            "[]" => Value::List(Vec::new()),
            text => self.read_words(text),
        })
    }

    /// What a variable of the environment means: a text, or texts with commas between them.
    pub(super) fn read_words(&self, words: &str) -> Value {
        match self.takes {
            Takes::Origins | Takes::Networks | Takes::Names => {
                let parts = words.split(',').map(str::trim).filter(|part| !part.is_empty());
                Value::List(parts.map(str::to_owned).collect())
            }
            // What is no number stays a text, and is refused with the bounds.
            Takes::Number(..) => match words.trim().parse() {
                Ok(number) => Value::Number(number),
                Err(_) => Value::Text(words.to_owned()),
            },
            // What is no JSON stays a text, and is refused with what would be right.
            Takes::Tables => match serde_json::from_str(words) {
                Ok(tables) => Value::Tables(tables),
                Err(_) => Value::Text(words.to_owned()),
            },
            Takes::Switch => value::switch(words),
            _ => Value::Text(words.to_owned()),
        }
    }
}

fn origins(value: &Value) -> Result<Vec<String>, String> {
    let texts = value.list()?;
    if texts.len() > ORIGINS_MAX {
        return Err(format!("{} origins where {ORIGINS_MAX} are allowed", texts.len()));
    }
    texts.iter().map(|text| value::origin(text)).collect()
}

fn name_of<T: Copy + PartialEq>(names: &[(&str, T)], value: T) -> Option<Value> {
    let found = names.iter().find(|(_, named)| *named == value);
    found.map(|(name, _)| Value::Text((*name).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_well_formed() {
        for (n, row) in SETTINGS.iter().enumerate() {
            let derived = format!("GREENROOM_{}", row.key.replace('.', "_").to_uppercase());
            let many = row.takes == Takes::Tables && row.env == format!("{derived}S");
            assert!(row.env == derived || many, "one name in two spellings");
            let flag = format!("--{}", row.key.replace(['.', '_'], "-"));
            assert!(row.flag.is_none_or(|given| given == flag), "{}", row.key);
            assert!(row.default.is_some() == row.example.is_empty(), "{}: one of both", row.key);
            assert!(!row.brief.ends_with('.') && row.long.ends_with('.'), "{}", row.key);
            assert!(SETTINGS[..n].iter().all(|other| other.key != row.key));
        }
    }

    #[test]
    fn defaults_come_back_as_they_were_given() {
        for row in SETTINGS {
            let mut settings = Settings::blank();
            let given = row.default_value().or_else(|| {
                assert_eq!((row.get)(&settings), None, "{} is unset", row.key);
                Some(row.read_words(row.example))
            });
            (row.set)(&mut settings, given.as_ref().unwrap()).unwrap();
            assert_eq!((row.get)(&settings), given, "{}", row.key);
        }
    }

    #[test]
    fn the_words_of_a_choice_are_the_ones_that_are_taken() {
        for row in SETTINGS {
            let Takes::Choice(words) = row.takes else {
                continue;
            };
            let mut settings = Settings::blank();
            for word in words {
                (row.set)(&mut settings, &row.read_words(word)).unwrap();
                assert_eq!((row.get)(&settings), Some(Value::Text((*word).to_owned())));
            }
            let refused = (row.set)(&mut settings, &row.read_words("other")).unwrap_err();
            assert!(words.iter().all(|word| refused.contains(word)), "{refused}");
        }
    }
}
