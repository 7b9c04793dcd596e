//! What is made from the table: the help, the commented template, the reference, and what is in
//! force.

use std::fmt::Write;

use serde_json::json;

use super::settings::Settings;
use super::table::{SETTINGS, Setting, Takes};
use super::value::Value;

/// Columns of the comments in the template.
const COLUMNS: usize = 90;

/// One line for each setting: key, variable and what it is.
pub fn help() -> String {
    let keys = SETTINGS.iter().map(|setting| setting.key.len()).max().unwrap_or(0);
    let names = SETTINGS.iter().map(|setting| setting.env.len()).max().unwrap_or(0);
    let lines = SETTINGS.iter().map(|setting| {
        let default = setting.default.map_or(String::new(), |text| format!(" [default: {text}]"));
        format!("{:keys$}  {:names$}  {}{default}\n", setting.key, setting.env, setting.brief)
    });
    lines.collect()
}

/// A settings file in which every setting is commented out, so that it sets nothing.
pub fn template() -> String {
    let head = "The settings of Greenroom. A line such as `#listen = ...` sets nothing until its \
        `#` is taken away. A flag wins over the environment, and the environment over this file.";
    let mut page = comment(head);
    for setting in SETTINGS {
        let flag = setting.flag.map_or(String::new(), |flag| format!("; flag: {flag}"));
        page.push('\n');
        page += &comment(&format!("{}. {}", setting.brief, setting.long));
        page += &comment(&format!("Environment: {}{flag}.", setting.env));
        if setting.default.is_none() {
            page += &comment("Not set by default; for example:");
        }
        page += &format!("#{} = {}\n", setting.key, sample(setting));
    }
    page
}

/// The reference page, in Markdown.
pub fn reference_markdown() -> String {
    let mut page =
        "# Settings\n\nA flag wins over the environment, the environment over the file, \
        and the file over the default. The file is `greenroom.toml` in the working directory, or \
        the one that `--config` names. Names that are not on this page are refused, and a variable \
        that is set to nothing counts as not set. `greenroom config init` writes a template, \
        `greenroom config show --origin` prints what is in force and where it comes from.\n\n\
        | key | environment | flag | takes | default |\n|---|---|---|---|---|\n"
            .to_owned();
    for setting in SETTINGS {
        let flag = setting.flag.map_or("none".to_owned(), |flag| format!("`{flag}`"));
        let default =
            setting.default.map_or("none".to_owned(), |_| format!("`{}`", sample(setting)));
        let row = [&format!("`{}`", setting.key), &format!("`{}`", setting.env), &flag];
        let row = row.map(String::as_str).join(" | ");
        page += &format!("| {row} | {} | {default} |\n", takes(setting.takes));
    }
    for setting in SETTINGS {
        page += &format!("\n## {}\n\n{}. {}\n", setting.key, setting.brief, setting.long);
    }
    page
}

/// What is in force, as lines that a settings file takes; with where each came from, if wanted.
pub fn show(settings: &Settings, origin: bool) -> String {
    let mut page = String::new();
    for setting in SETTINGS {
        // A setting without a value cannot be written in TOML, so it stands there as a comment.
        let line = match (setting.get)(settings) {
            Some(value) => format!("{} = {}", setting.key, toml_of(&value)),
            None => format!("#{} is not set", setting.key),
        };
        page += &line;
        if origin {
            let _ = write!(page, "  # {}", settings.origins[setting.key]);
        }
        page.push('\n');
    }
    page
}

/// The same for programs: `{"settings": [{"key", "value", "origin"}]}`, where no value is `null`.
pub fn show_json(settings: &Settings) -> serde_json::Value {
    let rows = SETTINGS.iter().map(|setting| {
        let value = match (setting.get)(settings) {
            None => serde_json::Value::Null,
            Some(Value::Text(text)) => json!(text),
            Some(Value::List(texts)) => json!(texts),
            Some(Value::Number(number)) => json!(number),
            Some(Value::Switch(on)) => json!(on),
            Some(Value::Tables(tables)) => tables,
        };
        let origin = settings.origins[setting.key].to_string();
        json!({"key": setting.key, "value": value, "origin": origin})
    });
    json!({"settings": rows.collect::<Vec<_>>()})
}

/// The default as it stands in a file, else the example.
fn sample(setting: &Setting) -> String {
    let value = setting.default_value().unwrap_or_else(|| setting.read_words(setting.example));
    toml_of(&value)
}

fn toml_of(value: &Value) -> String {
    match value {
        Value::Text(text) => toml::Value::from(text.as_str()).to_string(),
        Value::List(texts) => toml::Value::from(texts.clone()).to_string(),
        Value::Number(number) => number.to_string(),
        Value::Switch(on) => on.to_string(),
        Value::Tables(tables) => {
            toml::Value::try_from(tables).map_or_else(|e| format!("# {e}"), |v| v.to_string())
        }
    }
}

fn takes(takes: Takes) -> String {
    match takes {
        Takes::Address => "address and port".to_owned(),
        Takes::Path => "path".to_owned(),
        Takes::Origin => "scheme, host and port".to_owned(),
        Takes::Origins => "list of origins".to_owned(),
        Takes::Networks => "list of networks".to_owned(),
        Takes::Names => "list of names and addresses".to_owned(),
        Takes::Tables => "tables".to_owned(),
        Takes::Switch => "`true` or `false`".to_owned(),
        Takes::Choice(words) => {
            words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" or ")
        }
        Takes::Text => "text".to_owned(),
        Takes::Number(min, max) => format!("{min} to {max}"),
    }
}

/// The words as lines of comment.
fn comment(text: &str) -> String {
    let (mut page, mut columns) = (String::new(), COLUMNS);
    for word in text.split_whitespace() {
        let chars = 1 + word.chars().count();
        if columns + chars > COLUMNS {
            page += if page.is_empty() { "#" } else { "\n#" };
            columns = 1;
        }
        page.push(' ');
        page += word;
        columns += chars;
    }
    page + "\n"
}

#[cfg(test)]
mod tests {
    use super::super::settings::{Flags, Origin};
    use super::*;

    /// The page in the repository is the one that the table makes; `BLESS=1` writes it.
    #[test]
    fn the_reference_is_what_the_table_says() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/settings.md");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(path, reference_markdown()).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap(), reference_markdown());
    }

    fn from_file(text: &str) -> Settings {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("g.toml");
        std::fs::write(&path, text).unwrap();
        Settings::load(Flags::default(), std::iter::empty(), Some(path)).unwrap()
    }

    /// The lines that set something, without their `#`, for settings with or without a default.
    fn uncommented(defaults: bool) -> String {
        let template = template();
        let lines = template.lines().filter_map(|line| {
            let line = line.strip_prefix('#')?;
            let setting =
                SETTINGS.iter().find(|row| line.starts_with(&format!("{} = ", row.key)))?;
            (setting.default.is_some() == defaults).then(|| format!("{line}\n"))
        });
        lines.collect()
    }

    #[test]
    fn the_template_sets_nothing_and_shows_the_defaults() {
        let defaults = from_file("");
        assert_eq!(from_file(&template()), defaults);
        assert!(template().lines().all(|line| line.chars().count() <= COLUMNS));

        let mut written = from_file(&uncommented(true));
        for setting in SETTINGS.iter().filter(|setting| setting.default.is_some()) {
            let origin = written.origins.insert(setting.key, Origin::Default);
            assert!(matches!(origin, Some(Origin::File { .. })), "{} is in it", setting.key);
        }
        assert_eq!(written, defaults);

        let examples = from_file(&uncommented(false));
        let set = |row: &&Setting| examples.origins[row.key] != Origin::Default;
        let wanted = SETTINGS.iter().filter(|row| row.default.is_none()).count();
        assert_eq!(SETTINGS.iter().filter(set).count(), wanted, "every example is valid");
    }

    #[test]
    fn what_is_shown_can_be_read_again() {
        let text = "data_dir = 'C:\\odd \"name\"'\nallowed_origins = ['https://a.example']\n";
        let settings = from_file(text);
        let again = from_file(&show(&settings, true));
        for setting in SETTINGS {
            assert_eq!((setting.get)(&again), (setting.get)(&settings), "{}", setting.key);
        }
        let shown = show(&settings, true);
        assert!(shown.contains("listen = \"127.0.0.1:8080\"  # default\n"), "{shown}");
        assert!(
            shown.contains("g.toml:2\n") && shown.contains("#public_url is not set  # default\n")
        );
        assert!(!show(&settings, false).contains("# default"));

        let json = show_json(&settings);
        assert_eq!(
            json["settings"][0],
            json!({"key": "listen", "value": "127.0.0.1:8080", "origin": "default"})
        );
        let of = |key: &str| {
            json["settings"].as_array().unwrap().iter().find(|s| s["key"] == key).unwrap()
        };
        assert_eq!(of("public_url")["value"], serde_json::Value::Null);
        assert_eq!(of("allowed_origins")["value"], json!(["https://a.example"]));
    }

    #[test]
    fn help_and_reference_have_every_setting() {
        let (help, reference) = (help(), reference_markdown());
        assert_eq!(help.lines().count(), SETTINGS.len());
        for setting in SETTINGS {
            assert!(help.contains(setting.env) && help.contains(setting.brief));
            assert!(reference.contains(&format!("| `{}` | `{}` |", setting.key, setting.env)));
            assert!(reference.contains(&format!("\n## {}\n", setting.key)));
        }
    }
}
