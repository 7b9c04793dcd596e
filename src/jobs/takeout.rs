//! Everything that is kept about one person as one ZIP file.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::Semaphore;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::cluster::{Replica, fresh};
use crate::domain::id::{InterviewId, PersonId};
use crate::domain::limit;
use crate::insight::report::Report;
use crate::store::query::{self, Connection};
use crate::store::{Fault, backup};

use super::export::{self, Format};

/// What stands at the beginning of the archive.
const README: &str = "\
Everything that Greenroom keeps about you.

account.json, context.json    your account; your CV and job description as text
cv/                           the CV as you uploaded it
sign-ins.json                 when you signed in
feedback.json                 what you said about reports
consents.json                 what you agreed to or declined, with the sentence that was shown
audit.json                    what you did to accounts and shares, as the audit log has it
interviews/ID/                one folder for each interview that you are a member of:
  interview, members, questions, events, answers   as they are kept
  notes, shares               those that you made
  report.json, report.html    the report of a practice

Not in here: passwords and tokens (only their hashes are kept), what interviewers noted about you,
questions that were not asked yet, and backups, which hold the same data as this file.
Times are UTC. Numbers that end in _ms are milliseconds.
";

/// Makes such files, one at a time.
pub struct Takeout {
    replica: Replica,
    /// A folder whose files go when this node starts.
    work: PathBuf,
    place: Arc<Semaphore>,
}

/// A finished file. It has no name, so nothing is left of it when it was sent.
pub struct Archive {
    /// Its size.
    pub bytes: u64,
    file: File,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum NotMade {
    /// Others are being made.
    #[error("other exports are being made; try again in a minute")]
    Busy,
    /// It would be larger than is reasonable.
    #[error(
        "your data are more than {} MB; take your interviews one by one from their pages",
        limit::EXPORT_BYTES_MAX >> 20
    )]
    TooLarge,
    /// Ours.
    #[error("{0}")]
    Fault(#[from] Fault),
}

impl Takeout {
    /// Makes them in a folder for unfinished work.
    pub fn new(replica: Replica, work: PathBuf) -> Takeout {
        Takeout { replica, work, place: Arc::new(Semaphore::new(1)) }
    }

    /// Everything about one person, as of one moment.
    pub async fn of(&self, person: PersonId) -> Result<Archive, NotMade> {
        let Ok(place) = self.place.clone().try_acquire_owned() else { return Err(NotMade::Busy) };
        let work = self.work.clone();
        let read = move |db: &Connection| {
            let _place = place;
            Ok(archive(db, person, &work))
        };
        self.replica.read(read).await?
    }
}

impl Archive {
    /// The file from its beginning.
    pub fn into_reader(self) -> impl Read + Send + 'static {
        self.file
    }
}

fn archive(db: &Connection, person: PersonId, work: &Path) -> Result<Archive, NotMade> {
    let mut zip = Zip { writer: ZipWriter::new(unnamed(work)?), bytes: 0 };
    zip.add("README.txt", README.as_bytes())?;
    for (name, rows) in query::takeout::account(db, person)? {
        // There is one account and one context, and any number of the rest.
        let value = match (name, rows.len()) {
            ("account" | "context", 1) => rows.into_iter().next().unwrap_or_default(),
            _ => Value::Array(rows),
        };
        zip.json(&format!("{name}.json"), &value)?;
    }
    if let Some(file) = query::file::of(db, person, query::file::CV)? {
        let name: String = file.name.chars().map(plain).collect();
        zip.add(&format!("cv/{name}"), &query::file::content(db, &file)?)?;
    }
    for interview in query::takeout::interviews(db, person)? {
        add_interview(db, &mut zip, interview, person)?;
    }
    zip.finish()
}

fn add_interview(
    db: &Connection,
    zip: &mut Zip,
    interview: InterviewId,
    person: PersonId,
) -> Result<(), NotMade> {
    let folder = format!("interviews/{interview}");
    let mut practice = false;
    for (name, rows) in query::takeout::interview(db, interview, person)? {
        practice |= name == "interview" && rows.iter().any(|row| row["kind"] == "practice");
        zip.json(&format!("{folder}/{name}.json"), &Value::Array(rows))?;
    }
    // What an engine says in a live interview is for those who decide, after their own cards.
    if practice && let Some(body) = query::report::body(db, interview)? {
        zip.add(&format!("{folder}/report.json"), body.as_bytes())?;
        let report: Report = serde_json::from_str(&body).map_err(Fault::from)?;
        zip.add(
            &format!("{folder}/report.html"),
            export::render(&report, Format::Html).as_bytes(),
        )?;
    }
    Ok(())
}

struct Zip {
    writer: ZipWriter<File>,
    /// Before packing, which bounds the file and what a reader of it has to unpack.
    bytes: u64,
}

impl Zip {
    fn json(&mut self, name: &str, value: &Value) -> Result<(), NotMade> {
        let text = serde_json::to_string_pretty(value).map_err(Fault::from)?;
        self.add(name, text.as_bytes())
    }

    fn add(&mut self, name: &str, content: &[u8]) -> Result<(), NotMade> {
        self.bytes += content.len() as u64;
        if self.bytes > limit::EXPORT_BYTES_MAX {
            return Err(NotMade::TooLarge);
        }
        let options = SimpleFileOptions::default().unix_permissions(0o600);
        let fault = |error: String| Fault::new("the export could not be written", error);
        self.writer.start_file(name, options).map_err(|e| fault(e.to_string()))?;
        self.writer.write_all(content).map_err(|e| fault(e.to_string()))?;
        Ok(())
    }

    fn finish(self) -> Result<Archive, NotMade> {
        let fault = |error: String| Fault::new("the export could not be written", error);
        let mut file = self.writer.finish().map_err(|e| fault(e.to_string()))?;
        let bytes = file.stream_position().map_err(|e| fault(e.to_string()))?;
        file.seek(SeekFrom::Start(0)).map_err(|e| fault(e.to_string()))?;
        Ok(Archive { bytes, file })
    }
}

/// A file that has lost its name at once: however this ends, nothing of it stays.
fn unnamed(work: &Path) -> Result<File, Fault> {
    backup::make_folder(work)?;
    let path = work.join(format!("export-{}", fresh()));
    let open = || -> std::io::Result<File> {
        let mut options = File::options();
        let file = options.read(true).write(true).create_new(true).mode(0o600).open(&path)?;
        std::fs::remove_file(&path)?;
        Ok(file)
    };
    open().map_err(|e| Fault::new(format!("cannot write in {}", work.display()), e))
}

/// A name from a stranger's machine, without what leads out of a folder.
fn plain(c: char) -> char {
    if c.is_control() || matches!(c, '/' | '\\' | ':') { '_' } else { c }
}
