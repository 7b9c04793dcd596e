//! What a running node tells its operator: log lines, metrics, and a note left behind by a crash.
//!
//! **Invariant:** stdout belongs to the data that a command prints, so nothing here writes there.

pub mod metrics;

use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::panic::PanicHookInfo;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For a person at a terminal.
    #[default]
    Text,
    /// One JSON object a line, for a program that collects them.
    Json,
}

/// Why logging cannot begin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The filter is not one.
    #[error("not a log filter: {0}; an example is `info,greenroom::room=debug`")]
    Filter(String),
    /// Somebody was faster.
    #[error("logging was set up before; it is set up once in a process")]
    Twice,
}

/// Where crash notes go, once that is known.
static CRASH_DIR: OnceLock<PathBuf> = OnceLock::new();

/// Sends log lines to stderr. `ansi` says whether stderr is a terminal; `NO_COLOR` wins over it.
pub fn init(format: LogFormat, filter: &str, ansi: bool) -> Result<(), LogError> {
    let ansi = ansi && !forbids_colour(std::env::var_os("NO_COLOR").as_deref());
    let subscriber = subscriber(format, filter, ansi, io::stderr)?;
    tracing::subscriber::set_global_default(subscriber).map_err(|_| LogError::Twice)
}

/// Whether a text is a log filter.
pub fn check_filter(filter: &str) -> Result<(), LogError> {
    parse_filter(filter).map(drop)
}

/// Makes every panic a crash: its place goes into the log and into a note, and the process ends.
///
/// A node whose invariant broke must not go on answering; it starts again from what is on disk.
pub fn crash_on_panic() {
    std::panic::set_hook(Box::new(|info| {
        // A panic of the hook itself, or of a second thread, must not hide the first one.
        static CRASHING: AtomicBool = AtomicBool::new(false);
        if !CRASHING.swap(true, Ordering::SeqCst) {
            leave_note(info);
        }
        std::process::abort();
    }));
}

/// Tells where crash notes go. Only the first call counts: a process has one data directory.
pub fn keep_crashes_in(data_dir: &Path) {
    let _ = CRASH_DIR.set(data_dir.to_owned());
}

fn subscriber<W>(
    format: LogFormat,
    filter: &str,
    ansi: bool,
    writer: W,
) -> Result<Box<dyn tracing::Subscriber + Send + Sync>, LogError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt()
        .with_env_filter(parse_filter(filter)?)
        .with_ansi(ansi)
        .with_writer(writer);
    Ok(match format {
        LogFormat::Text => Box::new(lines.finish()),
        // Fields stand beside message and level, under the names that the code gives them.
        LogFormat::Json => {
            Box::new(lines.json().flatten_event(true).with_span_list(false).finish())
        }
    })
}

fn parse_filter(filter: &str) -> Result<EnvFilter, LogError> {
    EnvFilter::builder().parse(filter).map_err(|error| LogError::Filter(error.to_string()))
}

/// Any value but the empty one asks for no colour.
fn forbids_colour(no_color: Option<&OsStr>) -> bool {
    no_color.is_some_and(|value| !value.is_empty())
}

fn leave_note(info: &PanicHookInfo<'_>) {
    let place = info.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    let what = info.payload_as_str().unwrap_or("a panic without words");
    let thread = std::thread::current().name().unwrap_or("unnamed").to_owned();
    tracing::error!(place, thread, "Greenroom stops: {what}");
    let Some(dir) = CRASH_DIR.get() else { return };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let version = env!("CARGO_PKG_VERSION");
    let trace = std::backtrace::Backtrace::force_capture();
    let note = format!(
        "Greenroom {version} stopped because one of its own invariants broke.\n\
        What:   {what}\nWhere:  {place}\nThread: {thread}\n\n{trace}\n"
    );
    match write_note(dir, now, &note) {
        Ok(path) => tracing::error!(path = %path.display(), "the crash note is written"),
        Err(error) => {
            tracing::error!(%error, dir = %dir.display(), "no crash note could be written")
        }
    }
}

/// Writes the note so that only the service's own user reads it, and onto the disk before the
/// process ends.
fn write_note(dir: &Path, unix_ms: u128, note: &str) -> io::Result<PathBuf> {
    let path = dir.join(format!("crash-{unix_ms}.txt"));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    file.write_all(note.as_bytes())?;
    file.sync_all()?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;
    use std::process::Command;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, filter: &str, ansi: bool) -> String {
        let lines = Lines::default();
        let to = lines.clone();
        let subscriber = subscriber(format, filter, ansi, move || to.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(request_id = "r-1", took_ms = 7, "answered");
            tracing::debug!("quiet");
        });
        String::from_utf8(lines.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn log_lines_have_the_fields_that_the_code_gives() {
        let text = logged(LogFormat::Text, "info", false);
        assert!(
            text.contains("INFO") && text.contains("answered request_id=\"r-1\" took_ms=7"),
            "{text}"
        );
        assert!(!text.contains("quiet") && !text.contains('\u{1b}'), "{text}");
        assert!(logged(LogFormat::Text, "info", true).contains('\u{1b}'));

        let json = logged(LogFormat::Json, "debug", false);
        assert_eq!(json.lines().count(), 2, "{json}");
        let line: serde_json::Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
        assert_eq!(
            (&line["message"], &line["request_id"], &line["took_ms"]),
            (&"answered".into(), &"r-1".into(), &7.into())
        );
        assert_eq!(logged(LogFormat::Text, "off", false), "");
    }

    #[test]
    fn a_wrong_filter_is_an_error_and_no_colour_is_obeyed() {
        assert!(matches!(check_filter("info,room=loud"), Err(LogError::Filter(_))));
        assert_eq!(check_filter("info,greenroom::room=debug"), Ok(()));
        assert!(forbids_colour(Some(OsStr::new("1"))));
        assert!(!forbids_colour(Some(OsStr::new(""))) && !forbids_colour(None));
    }

    /// The process that panics is this test, started again by itself.
    #[test]
    fn a_panic_ends_the_process_and_leaves_a_note() {
        const DIR: &str = "TELEMETRY_TEST_CRASH_DIR";
        if let Some(dir) = std::env::var_os(DIR) {
            crash_on_panic();
            keep_crashes_in(Path::new(&dir));
            panic!("the sum of {} is off", "drivers");
        }
        let dir = tempfile::tempdir().unwrap();
        let (_, module) = module_path!().split_once("::").unwrap();
        let name = format!("{module}::a_panic_ends_the_process_and_leaves_a_note");
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", &name, "--nocapture"])
            .env(DIR, dir.path())
            .output()
            .unwrap();
        const SIGABRT: i32 = 6;
        assert_eq!(child.status.signal(), Some(SIGABRT), "{child:?}");
        let notes: Vec<_> = dir.path().read_dir().unwrap().map(|entry| entry.unwrap()).collect();
        let [note] = notes.as_slice() else { panic!("one note: {notes:?}") };
        let file = note.file_name().into_string().unwrap();
        let stamp = file.strip_prefix("crash-").and_then(|rest| rest.strip_suffix(".txt")).unwrap();
        assert!(stamp.parse::<u64>().unwrap() > 1_600_000_000_000, "{file}");
        let text = std::fs::read_to_string(note.path()).unwrap();
        assert!(
            text.contains("the sum of drivers is off") && text.contains("telemetry.rs:"),
            "{text}"
        );
        assert_eq!(std::os::unix::fs::MetadataExt::mode(&note.metadata().unwrap()) & 0o777, 0o600);
    }
}
