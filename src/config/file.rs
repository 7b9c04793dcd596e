//! Reads the settings file: TOML with the line of each key, so that an error can point at it.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::settings::Problem;
use super::suggest;
use super::table::{SETTINGS, Setting, Takes};
use super::value::Value;

/// The file that is read if no other one is named.
pub(super) const FILE_NAME: &str = "greenroom.toml";

/// What a file sets: each setting with its value and its line.
pub(super) type Entries = Vec<(&'static Setting, Value, usize)>;

/// The whole table with all its comments has a hundredth of it.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Reads the named file, or [`FILE_NAME`] from the working directory if it is there.
pub(super) fn read(named: Option<PathBuf>) -> Result<Option<(String, String)>, Problem> {
    match named {
        Some(path) => read_at(&path).map(Some),
        None => read_if_there(Path::new(FILE_NAME)),
    }
}

/// Takes the entries out of a file's text, with everything that is wrong with it.
pub(super) fn parse(place: &str, text: &str) -> (Entries, Vec<Problem>) {
    let (root, errors) = DeTable::parse_recoverable(text);
    let mut reading = Reading { place, text, entries: Vec::new(), problems: Vec::new() };
    for error in errors {
        let start = error.span().map_or(0, |span| span.start);
        reading.problem(start, format!("not valid TOML: {}", error.message()));
    }
    // What an unreadable file seems to say is a guess, and a guess leads to errors that are none.
    if reading.problems.is_empty() {
        reading.table("", root.get_ref());
    }
    reading.entries.sort_by_key(|(_, _, line)| *line);
    (reading.entries, reading.problems)
}

struct Reading<'a> {
    place: &'a str,
    text: &'a str,
    entries: Entries,
    problems: Vec<Problem>,
}

impl Reading<'_> {
    /// Goes down only into tables that the settings have, so its depth is theirs.
    fn table(&mut self, above: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let start = key.span().start;
            let name = match above {
                "" => key.get_ref().to_string(),
                _ => format!("{above}.{}", key.get_ref()),
            };
            let setting = SETTINGS.iter().find(|setting| setting.key == name);
            let is_table = SETTINGS.iter().any(|setting| inside(setting.key, &name));
            match (setting, value.get_ref()) {
                (Some(setting), _) => match read_value(setting, value) {
                    Ok(plain) => self.entries.push((setting, plain, self.line(start))),
                    Err(found) => self.problem(start, format!("`{name}` {found}")),
                },
                (None, DeValue::Table(inner)) if is_table => self.table(&name, inner),
                (None, _) if is_table => {
                    self.problem(start, format!("`{name}` is a table; write it as [{name}]"));
                }
                (None, _) => self.problem(start, unknown(&name)),
            }
        }
    }

    fn problem(&mut self, start: usize, detail: String) {
        let line = self.line(start);
        let place = format!("{}:{line}", self.place);
        self.problems.push(Problem { line: Some(line), ..Problem::new(place, detail) });
    }

    fn line(&self, start: usize) -> usize {
        let before = self.text.as_bytes().iter().take(start);
        1 + before.filter(|byte| **byte == b'\n').count()
    }
}

/// Whether a key stands in a table.
fn inside(key: &str, table: &str) -> bool {
    key.strip_prefix(table).is_some_and(|rest| rest.starts_with('.'))
}

fn unknown(name: &str) -> String {
    match suggest::nearest(name, SETTINGS.iter().map(|setting| setting.key)) {
        Some(meant) => format!("there is no setting `{name}`; did you mean `{meant}`?"),
        None => {
            format!("there is no setting `{name}`; docs/settings.md lists all")
        }
    }
}

fn read_value(setting: &Setting, value: &Spanned<DeValue<'_>>) -> Result<Value, String> {
    if setting.takes != Takes::Tables {
        return plain(value);
    }
    match value.get_ref() {
        DeValue::Array(_) => as_json(value.get_ref()).map(Value::Tables),
        other => Err(format!(
            "expected a list of tables, found {}; write each as [[{}]]",
            kind(other),
            setting.key
        )),
    }
}

/// Tables as the same JSON that the environment has. Its depth is bounded by the parser.
fn as_json(value: &DeValue<'_>) -> Result<serde_json::Value, String> {
    Ok(match value {
        DeValue::String(text) => text.to_string().into(),
        DeValue::Boolean(on) => (*on).into(),
        DeValue::Array(items) => {
            let items = items.iter().map(|item| as_json(item.get_ref()));
            serde_json::Value::Array(items.collect::<Result<_, _>>()?)
        }
        DeValue::Table(table) => {
            let rows = table.iter().map(|(key, value)| {
                Ok::<_, String>((key.get_ref().to_string(), as_json(value.get_ref())?))
            });
            serde_json::Value::Object(rows.collect::<Result<_, _>>()?)
        }
        other => return Err(format!("expected texts in its tables, found {}", kind(other))),
    })
}

/// Every other setting is a text, a list of texts, a whole number, or yes or no.
fn plain(value: &Spanned<DeValue<'_>>) -> Result<Value, String> {
    match value.get_ref() {
        DeValue::String(text) => Ok(Value::Text(text.to_string())),
        DeValue::Array(items) => {
            let texts = items.iter().map(|item| match item.get_ref() {
                DeValue::String(text) => Ok(text.to_string()),
                other => Err(format!("expected a list of texts, found {}", kind(other))),
            });
            texts.collect::<Result<_, _>>().map(Value::List)
        }
        DeValue::Integer(digits) => i64::from_str_radix(digits.as_str(), digits.radix())
            .map(Value::Number)
            .map_err(|_| "is too large a number".to_owned()),
        DeValue::Boolean(on) => Ok(Value::Switch(*on)),
        other => Err(format!("expected a text in quotes, found {}", kind(other))),
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn read_if_there(path: &Path) -> Result<Option<(String, String)>, Problem> {
    // Only a file that is not there may be passed over; one that cannot be read was meant.
    match path.try_exists() {
        Ok(false) => Ok(None),
        _ => read_at(path).map(Some),
    }
}

fn read_at(path: &Path) -> Result<(String, String), Problem> {
    let place = path.display().to_string();
    match read_text(path) {
        Ok(text) => Ok((place, text)),
        Err(error) => Err(Problem::new(place, format!("cannot be read: {error}"))),
    }
}

fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::other(format!("it is larger than {FILE_BYTES_MAX} bytes")));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let (_, problems) = parse("f.toml", text);
        problems.iter().map(|problem| format!("{}: {}", problem.place, problem.detail)).collect()
    }

    #[test]
    fn entries_come_with_their_lines() {
        let text = "# a note\nlisten = \"127.0.0.1:1\"\n\n[log]\nfilter = \"debug\"\n";
        let (entries, problems) = parse("f.toml", text);
        let found: Vec<_> =
            entries.iter().map(|(row, value, line)| (row.key, value.clone(), *line)).collect();
        let text = |text: &str| Value::Text(text.to_owned());
        assert_eq!(found, [("listen", text("127.0.0.1:1"), 2), ("log.filter", text("debug"), 5)]);
        assert_eq!(problems, []);
        let (dotted, _) = parse("f.toml", "log.filter = \"debug\"");
        assert_eq!((dotted[0].0.key, dotted[0].2), ("log.filter", 1));
    }

    #[test]
    fn mistakes_are_told_with_their_lines_all_at_once() {
        let text = "lisen = \"x\"\ncolour = 1\nmetrics = 2\nenv = 1.5\nallowed_origins = [1]\n\
            [log]\nfromat = \"x\"\n[log2]\nformat = \"json\"\n";
        let mut found = problems(text);
        found.sort();
        assert_eq!(
            found,
            [
                "f.toml:1: there is no setting `lisen`; did you mean `listen`?",
                "f.toml:2: there is no setting `colour`; docs/settings.md lists all",
                "f.toml:3: `metrics` is a table; write it as [metrics]",
                "f.toml:4: `env` expected a text in quotes, found a number",
                "f.toml:5: `allowed_origins` expected a list of texts, found a number",
                "f.toml:7: there is no setting `log.fromat`; did you mean `log.format`?",
                "f.toml:8: there is no setting `log2`; docs/settings.md lists all",
            ]
        );
    }

    #[test]
    fn broken_toml_is_told_by_its_line() {
        let found = problems("listen = \"127.0.0.1:1\"\nenv = production\n");
        assert!(
            !found.is_empty() && found[0].starts_with("f.toml:2: not valid TOML: "),
            "{found:?}"
        );
        let guessed = problems("colour = 1\nenv = production\n");
        assert!(guessed.iter().all(|line| !line.contains("colour")), "{guessed:?}");
        let twice = problems("env = \"production\"\nenv = \"development\"\n");
        assert!(twice[0].starts_with("f.toml:2: not valid TOML: "), "{twice:?}");
    }

    #[test]
    fn a_named_file_must_be_there_and_be_readable() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("g.toml");
        assert_eq!(read_if_there(&path), Ok(None));
        assert!(read_if_there(dir.path()).is_err(), "a directory");
        let missing = read(Some(path.clone())).unwrap_err();
        assert_eq!(missing.place, path.display().to_string());
        std::fs::write(&path, [0xff, 0xfe]).unwrap();
        assert!(read(Some(path.clone())).is_err(), "not UTF-8");
        std::fs::write(&path, vec![b'#'; (1 << 20) + 1]).unwrap();
        assert!(read(Some(path.clone())).unwrap_err().detail.contains("larger"));
        std::fs::write(&path, "env = \"production\"").unwrap();
        let (_, text) = read(Some(path)).unwrap().unwrap();
        assert_eq!(text, "env = \"production\"");
    }
}
