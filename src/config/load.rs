//! Lays the sources over each other: flag over environment over file over default.

use std::path::PathBuf;

use super::file;
use super::settings::{ConfigError, Flags, Origin, Problem, Settings};
use super::suggest;
use super::table::{BUILD_TIME, SETTINGS, Setting};
use super::value::Value;

/// What the names of our variables begin with.
const PREFIX: &str = "GREENROOM_";

/// Names of the replaced system that are still taken: ours without the prefix.
const OLD_NAMES: [&str; 4] = [
    "RATE_LIMIT_ENABLED",
    "RATE_LIMIT_WINDOW_SEC",
    "RATE_LIMIT_MAX_REQUESTS",
    "ALLOW_UNVERIFIED_JWT_DEV",
];

impl Settings {
    /// What this text would set if it were the only file and nothing else were set.
    ///
    /// # Errors
    /// With everything that is wrong with it.
    pub fn of_text(place: &str, text: &str) -> Result<Settings, ConfigError> {
        layered(&Flags::default(), std::iter::empty(), Some((place, text)))
    }

    /// Reads the settings. `file` is what `--config` names; without it `greenroom.toml` in the
    /// working directory is read if it is there. A variable that is set to nothing counts as not
    /// set.
    pub fn load(
        flags: Flags,
        env: impl Iterator<Item = (String, String)>,
        file: Option<PathBuf>,
    ) -> Result<Settings, ConfigError> {
        match file::read(file) {
            Ok(file) => layered(&flags, env, file.as_ref().map(|(p, t)| (p.as_str(), t.as_str()))),
            Err(unreadable) => {
                // The other sources may be wrong too, and nobody likes to learn that one by one.
                let mut problems = vec![unreadable];
                problems
                    .extend(layered(&flags, env, None).err().into_iter().flat_map(|e| e.problems));
                Err(ConfigError { problems })
            }
        }
    }
}

/// The environment's variables that may be settings, as text. What is no text cannot be any setting
/// and comes with the sign for it, by which it is refused.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    let text = |os: std::ffi::OsString| os.to_string_lossy().into_owned();
    std::env::vars_os().map(move |(name, value)| (text(name), text(value)))
}

fn layered(
    flags: &Flags,
    env: impl Iterator<Item = (String, String)>,
    file: Option<(&str, &str)>,
) -> Result<Settings, ConfigError> {
    let mut layers = Layers { settings: Settings::blank(), problems: Vec::new() };
    for setting in SETTINGS {
        layers.settings.origins.insert(setting.key, Origin::Default);
        if let Some(value) = setting.default_value() {
            layers.set(setting, &value, Origin::Default);
        }
    }
    if let Some((path, text)) = file {
        let (entries, problems) = file::parse(path, text);
        layers.problems.extend(problems);
        for (setting, value, line) in entries {
            let path = path.to_owned();
            layers.set(setting, &value, Origin::File { path, line });
        }
        layers.problems.sort_by_key(|problem| problem.line);
    }
    layers.environment(env);
    for setting in SETTINGS {
        if let (Some(name), Some(text)) = (setting.flag, (setting.flagged)(flags)) {
            layers.set(setting, &setting.read_words(text), Origin::Flag(name));
        }
    }
    if layers.problems.is_empty() {
        layers.problems.extend(layers.settings.check());
    }
    if layers.problems.is_empty() {
        Ok(layers.settings)
    } else {
        Err(ConfigError { problems: layers.problems })
    }
}

struct Layers {
    settings: Settings,
    problems: Vec<Problem>,
}

impl Layers {
    /// A wrong value is an error even if a stronger source covers it: it would bite on the day the
    /// stronger one goes.
    fn set(&mut self, setting: &'static Setting, value: &Value, origin: Origin) {
        match (setting.set)(&mut self.settings, value) {
            Ok(()) => {
                self.settings.origins.insert(setting.key, origin);
            }
            Err(detail) => {
                let detail = format!("`{}`: {detail}", setting.key);
                let line = match origin {
                    Origin::File { line, .. } => Some(line),
                    _ => None,
                };
                self.problems.push(Problem { line, ..Problem::new(origin.to_string(), detail) });
            }
        }
    }

    fn environment(&mut self, env: impl Iterator<Item = (String, String)>) {
        let mut ours: Vec<(String, String)> =
            env.filter(|(name, _)| name.starts_with(PREFIX) || is_old(name)).collect();
        // The environment has no order, and two runs should report in the same one.
        // An old name goes first, so that the new one wins.
        ours.sort_by_key(|(name, _)| (!is_old(name), name.clone()));
        for (name, text) in ours {
            let meant = |setting: &&Setting| {
                setting.env == name || is_old(&name) && setting.env.ends_with(&name)
            };
            match SETTINGS.iter().find(meant) {
                Some(_) if text.is_empty() => {}
                Some(_) if text.contains(char::REPLACEMENT_CHARACTER) => {
                    self.problems.push(Problem::new(name, "is not UTF-8 text"));
                }
                Some(setting) => {
                    let value = setting.read_words(&text);
                    let old = OLD_NAMES.into_iter().find(|old| *old == name);
                    self.set(setting, &value, Origin::Environment(old.unwrap_or(setting.env)));
                }
                None if BUILD_TIME.contains(&name.as_str()) => {}
                None => {
                    let detail = unknown(&name);
                    self.problems.push(Problem::new(name, detail));
                }
            }
        }
    }
}

fn is_old(name: &str) -> bool {
    OLD_NAMES.contains(&name)
}

fn unknown(name: &str) -> String {
    // Without the part that all have in common, or every name would be near to every other.
    let known = SETTINGS.iter().map(|setting| setting.env.trim_start_matches(PREFIX));
    match suggest::nearest(name.trim_start_matches(PREFIX), known) {
        Some(meant) => format!("there is no such setting; did you mean {PREFIX}{meant}?"),
        None => "there is no such setting; docs/settings.md lists all".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::Takes;
    use super::*;
    use proptest::prelude::*;

    fn load(env: &[(&str, &str)], file: &str) -> Result<Settings, Vec<String>> {
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let loaded = layered(&Flags::default(), env, Some(("g.toml", file)));
        loaded.map_err(|error| error.to_string().lines().map(str::to_owned).collect())
    }

    /// A valid value that differs from the default and from those of the other sources.
    fn sample(setting: &Setting, source: usize) -> String {
        match setting.takes {
            Takes::Address => format!("127.0.0.1:{}", 1_000 + source),
            Takes::Path => format!("/srv/{source}"),
            Takes::Origin | Takes::Origins => format!("https://s{source}.example.org"),
            Takes::Choice(words) => words[source % words.len()].to_owned(),
            Takes::Text if setting.key == "chat.url" => format!("http://s{source}.example.org/v1"),
            Takes::Text => ["warn", "debug", "trace"][source].to_owned(),
            Takes::Number(min, _) => (min + 1 + source as u64).to_string(),
            Takes::Networks => format!("10.{source}.0.0/16"),
            Takes::Names => format!("s{source}.example.org"),
            Takes::Tables => setting.example.replace("example.org", &format!("s{source}.org")),
            // The one that is dangerous would be refused where it is on.
            Takes::Switch => (setting.key != "allow_unverified_jwt_dev" && source == 0).to_string(),
        }
    }

    fn flags_of(set: &[bool]) -> Flags {
        let flag = |key: &str| {
            let at = SETTINGS.iter().position(|setting| setting.key == key).unwrap();
            set[at].then(|| sample(&SETTINGS[at], 2))
        };
        Flags {
            listen: flag("listen"),
            cluster_listen: flag("cluster_listen"),
            data_dir: flag("data_dir"),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]
        #[test]
        fn the_strongest_source_wins_for_each_setting_by_itself(
            sources in prop::collection::vec(any::<[bool; 3]>(), SETTINGS.len()),
        ) {
            let (mut file, mut env) = (String::new(), Vec::new());
            for (setting, [in_file, in_env, _]) in SETTINGS.iter().zip(&sources) {
                if *in_file {
                    let sample = sample(setting, 0);
                    let text = match setting.takes {
                        Takes::Origins | Takes::Networks | Takes::Names => {
                            format!("[{sample:?}]")
                        }
                        Takes::Number(..) | Takes::Switch => sample,
                        Takes::Tables => {
                            let tables: serde_json::Value = serde_json::from_str(&sample).unwrap();
                            toml::Value::try_from(tables).unwrap().to_string()
                        }
                        _ => format!("{sample:?}"),
                    };
                    file += &format!("{} = {text}\n", setting.key);
                }
                if *in_env {
                    env.push((setting.env.to_owned(), sample(setting, 1)));
                }
            }
            let flags = flags_of(&sources.iter().map(|source| source[2]).collect::<Vec<_>>());
            let settings = layered(&flags, env.into_iter(), Some(("g.toml", &file))).unwrap();
            let mut line = 0;
            for (setting, [in_file, in_env, in_flag]) in SETTINGS.iter().zip(&sources) {
                line += usize::from(*in_file);
                let from = |source| Some(setting.read_words(&sample(setting, source)));
                let (value, origin) = match (setting.flag, in_flag, in_env, in_file) {
                    (Some(flag), true, ..) => (from(2), Origin::Flag(flag)),
                    (_, _, true, _) => (from(1), Origin::Environment(setting.env)),
                    (.., true) => (from(0), Origin::File { path: "g.toml".to_owned(), line }),
                    _ => (setting.default_value(), Origin::Default),
                };
                prop_assert_eq!((setting.get)(&settings), value, "{}", setting.key);
                prop_assert_eq!(&settings.origins[setting.key], &origin, "{}", setting.key);
            }
        }
    }

    #[test]
    fn unknown_variables_are_refused_with_a_suggestion() {
        let found = load(&[("GREENROOM_LISTN", "x"), ("GREENROOM_COLOUR", "x")], "").unwrap_err();
        assert_eq!(
            found,
            [
                "GREENROOM_COLOUR: there is no such setting; docs/settings.md lists all",
                "GREENROOM_LISTN: there is no such setting; did you mean GREENROOM_LISTEN?",
            ]
        );
        let fine = [
            ("PATH", "/bin"),
            ("GREENROOM_UI", "x"),
            ("GREENROOM_PUBLIC_URL", ""),
            ("greenroom", ""),
        ];
        assert_eq!(load(&fine, ""), load(&[], ""));
    }

    #[test]
    fn names_of_the_replaced_system_are_taken_and_ours_win() {
        let old = [("RATE_LIMIT_ENABLED", "False"), ("RATE_LIMIT_MAX_REQUESTS", "1")];
        let settings = load(&old, "rate_limit.max_requests = 9").unwrap();
        assert!(!settings.rate_limit_enabled);
        assert_eq!(settings.rate_limit_max_requests, Some(1));
        let origin = &settings.origins["rate_limit.enabled"];
        assert_eq!(*origin, Origin::Environment("RATE_LIMIT_ENABLED"));
        let both = [("RATE_LIMIT_WINDOW_SEC", "5"), ("GREENROOM_RATE_LIMIT_WINDOW_SEC", "6")];
        assert_eq!(load(&both, "").unwrap().rate_limit_window_seconds, Some(6));
        for (name, text) in [
            ("RATE_LIMIT_MAX_REQUESTS", "0"),
            ("RATE_LIMIT_WINDOW_SEC", "-1"),
            ("RATE_LIMIT_ENABLED", "maybe"),
            ("GREENROOM_TRUSTED_PROXIES", "10.0.0.1/8"),
            ("GREENROOM_AUTH_ISSUERS", "{"),
            ("GREENROOM_AUTH_OIDC", "[{}]"),
        ] {
            assert_eq!(load(&[(name, text)], "").unwrap_err().len(), 1, "{name}={text}");
        }
    }

    #[test]
    fn unsigned_tokens_need_a_place_where_they_hurt_nobody() {
        let on = ("ALLOW_UNVERIFIED_JWT_DEV", "true");
        let development = ("GREENROOM_ENV", "development");
        assert!(load(&[on, development], "").is_ok());
        assert!(load(&[on, development], "listen = \"[::1]:0\"").is_ok());
        for (env, file) in [
            (vec![on], ""),
            (vec![on, development], "listen = \"0.0.0.0:0\""),
            (vec![on, ("GREENROOM_ENV", "production")], ""),
        ] {
            let refused = load(&env, file).unwrap_err();
            assert!(refused[0].contains("GREENROOM_ENV=development"), "{refused:?}");
        }
        assert!(load(&[("ALLOW_UNVERIFIED_JWT_DEV", "false")], "").is_ok());
    }

    #[test]
    fn tables_are_the_same_from_file_and_environment() {
        let file = "[[auth.issuer]]\nissuer = \"https://a.example\"\naudience = \"g\"\n\
            jwks_file = \"k\"\nrole_claim = \"r\"\n[auth.issuer.roles]\nboss = \"admin\"\n";
        let env = r#"[{"issuer":"https://a.example","audience":"g","jwks_file":"k",
            "role_claim":"r","roles":{"boss":"admin"}}]"#;
        let from_file = load(&[], file).unwrap().issuers;
        let from_env = load(&[("GREENROOM_AUTH_ISSUERS", env)], "").unwrap().issuers;
        assert_eq!((from_file.len(), &from_file), (1, &from_env));
        let single = load(&[], "[auth.issuer]\nissuer = \"i\"\n").unwrap_err();
        assert!(single[0].contains("[[auth.issuer]]"), "{single:?}");
    }

    #[test]
    fn every_mistake_is_told_with_its_place() {
        let env = [("GREENROOM_ENV", "staging"), ("GREENROOM_LOG_FILTER", "a\u{fffd}")];
        let file = "listen = \"8080\"\nlog.filter = \"room=loud\"\nlog.level = \"x\"\n";
        let found = load(&env, file).unwrap_err();
        let places: Vec<&str> = found.iter().map(|line| line.split(": ").next().unwrap()).collect();
        assert_eq!(
            places,
            ["g.toml:1", "g.toml:2", "g.toml:3", "GREENROOM_ENV", "GREENROOM_LOG_FILTER"]
        );
        assert_eq!(
            found[3],
            "GREENROOM_ENV: `env`: `staging` is not one of production, development"
        );
    }

    #[test]
    fn a_long_list_of_mistakes_is_cut() {
        let file: String = (0..50).map(|n| format!("key_{n} = 1\n")).collect();
        let found = load(&[], &file).unwrap_err();
        assert_eq!((found.len(), found.last().unwrap().as_str()), (21, "and 30 more"));
    }

    #[test]
    fn a_missing_file_does_not_hide_other_mistakes() {
        let dir = tempfile::tempdir().unwrap();
        let env = [("GREENROOM_LISTN".to_owned(), "x".to_owned())];
        let missing = Some(dir.path().join("none.toml"));
        let error = Settings::load(Flags::default(), env.into_iter(), missing).unwrap_err();
        assert_eq!(error.problems.len(), 2, "{error}");
    }
}
