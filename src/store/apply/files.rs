//! Files that people brought along: part by part, then the whole.
//!
//! **Invariant:** a part belongs to a file or to an upload that is under way. An upload that nobody
//! finished goes with the next one of the same person, or with anybody's after an hour, so what was
//! given up never adds up.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::command::{Envelope, Outcome};
use crate::domain::file::NewFile;
use crate::domain::id::{FileId, PersonId};
use crate::domain::limit;
use crate::domain::person::CandidateContext;
use crate::domain::refusal::Refusal;
use crate::domain::time::Time;

use super::super::query;
use super::{Step, people};

pub(super) fn keep_part(
    db: &Connection,
    envelope: &Envelope,
    person: PersonId,
    file: FileId,
    number: u32,
    content: &str,
) -> Step<Outcome> {
    let Ok(content) = STANDARD.decode(content) else {
        return Err(Refusal::field("content", "the part is not base64").into());
    };
    let fits = (1..=limit::FILE_PART_BYTES).contains(&content.len());
    if !fits || number as usize >= limit::CV_FILE_BYTES_MAX.div_ceil(limit::FILE_PART_BYTES) {
        return Err(Refusal::field("content", "the part is too large, or one too many").into());
    }
    if number == 0 {
        begin(db, envelope.at, person, file)?;
    } else if upload_of(db, person)? != Some(file) {
        return Err(given_up());
    }
    db.prepare_cached(
        "INSERT OR REPLACE INTO file_part (file, number, content) VALUES (?1, ?2, ?3)",
    )?
    .execute(params![file.to_string(), number, content])?;
    Ok(Outcome::Done)
}

/// The parts are all there: they are the person's CV from now on, and the text in it is what the
/// engine reads.
pub(super) fn keep_cv(
    db: &Connection,
    envelope: &Envelope,
    person: PersonId,
    new: &NewFile,
    text: &str,
) -> Step<Outcome> {
    const PURPOSE: &str = query::file::CV;
    if upload_of(db, person)? != Some(new.id) {
        return Err(given_up());
    }
    let (parts, bytes): (i64, i64) = db
        .prepare_cached(
            "SELECT count(*), coalesce(sum(length(content)), 0) FROM file_part WHERE file = ?1",
        )?
        .query_row([new.id.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let wanted = new.bytes.div_ceil(limit::FILE_PART_BYTES as u64);
    if (parts as u64, bytes as u64) != (wanted, new.bytes) {
        return Err(given_up());
    }
    if let Some(old) = query::file::of(db, person, PURPOSE)? {
        remove_parts(db, old.id)?;
        db.prepare_cached("DELETE FROM file WHERE id = ?1")?.execute([old.id.to_string()])?;
    }
    db.prepare_cached("DELETE FROM upload WHERE file = ?1")?.execute([new.id.to_string()])?;
    db.prepare_cached(
        "INSERT INTO file (id, owner, purpose, name, media_type, bytes, sha256, at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        new.id.to_string(),
        person.to_string(),
        PURPOSE,
        new.name,
        new.media_type,
        new.bytes as i64,
        new.sha256,
        envelope.at.0
    ])?;
    let context = query::person::context(db, person)?.unwrap_or_else(CandidateContext::blank);
    let context = CandidateContext { cv_text: text.to_owned(), ..context };
    people::set_context(db, envelope.at, person, &context)?;
    Ok(Outcome::FileKept { file: new.id, characters: text.chars().count() as u64 })
}

fn begin(db: &Connection, at: Time, person: PersonId, file: FileId) -> Step<()> {
    if let Some(old) = upload_of(db, person)? {
        remove_upload(db, old)?;
    }
    let forgotten: Option<String> = db
        .prepare_cached(
            "SELECT file FROM upload WHERE begun_at <= ?1 ORDER BY begun_at, file LIMIT 1",
        )?
        .query_row([at.plus_ms(-limit::UPLOAD_FORGOTTEN_MS).0], |row| row.get(0))
        .optional()?;
    if let Some(Ok(forgotten)) = forgotten.map(|id| id.parse()) {
        remove_upload(db, forgotten)?;
    }
    db.prepare_cached("INSERT INTO upload (file, owner, begun_at) VALUES (?1, ?2, ?3)")?
        .execute(params![file.to_string(), person.to_string(), at.0])?;
    Ok(())
}

fn upload_of(db: &Connection, person: PersonId) -> Step<Option<FileId>> {
    let id: Option<String> = db
        .prepare_cached("SELECT file FROM upload WHERE owner = ?1")?
        .query_row([person.to_string()], |row| row.get(0))
        .optional()?;
    Ok(id.and_then(|id| id.parse().ok()))
}

fn remove_upload(db: &Connection, file: FileId) -> Step<()> {
    remove_parts(db, file)?;
    db.prepare_cached("DELETE FROM upload WHERE file = ?1")?.execute([file.to_string()])?;
    Ok(())
}

fn remove_parts(db: &Connection, file: FileId) -> Step<()> {
    db.prepare_cached("DELETE FROM file_part WHERE file = ?1")?.execute([file.to_string()])?;
    Ok(())
}

fn given_up() -> super::Stop {
    let detail = "another upload of yours has taken the place of this one; upload the file again";
    Refusal::conflict(detail).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::command::{Command, NewPerson};
    use crate::domain::person::Role;
    use crate::domain::refusal::Code;
    use crate::domain::text::Email;
    use crate::store::state::{Entry, Payload, State};

    fn id<T: std::str::FromStr>(n: u8) -> T
    where
        T::Err: std::fmt::Debug,
    {
        format!("019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a{n:02x}").parse().unwrap()
    }

    fn apply(state: &State, at: i64, command: Command) -> Outcome {
        let envelope = Envelope::own(Time(at), command);
        let entry = Entry { log_id: vec![1], what: Payload::Command(&envelope) };
        state.apply(&[entry]).unwrap().remove(0).outcome.unwrap()
    }

    fn part(state: &State, at: i64, (person, file): (u8, u8), number: u32) -> Outcome {
        let content = STANDARD.encode("bytes");
        let (person, file) = (id(person), id(file));
        apply(state, at, Command::KeepFilePart { person, file, number, content })
    }

    fn count(state: &State, table: &str) -> i64 {
        let count = format!("SELECT count(*) FROM {table}");
        state.read(|db| Ok(db.query_row(&count, [], |row| row.get(0))?)).unwrap()
    }

    #[test]
    fn what_was_given_up_goes_and_what_is_under_way_stays() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::open(&dir.path().join("state.db")).unwrap();
        apply(&state, 0, Command::RaiseLevel { to: 3 });
        for n in 1..=3 {
            let person = NewPerson {
                id: id(n),
                email: Email::parse("email", &format!("p{n}@example.org")).unwrap(),
                display_name: "P".to_owned(),
                role: Role::Candidate,
                password_hash: None,
                invite_expires_at: None,
            };
            apply(&state, 0, Command::AddPerson { person: Box::new(person) });
        }
        let hour = limit::UPLOAD_FORGOTTEN_MS;
        for number in 0..3 {
            assert_eq!(part(&state, 0, (1, 11), number), Outcome::Done);
        }
        assert_eq!(part(&state, hour - 1, (2, 12), 0), Outcome::Done);
        assert_eq!((count(&state, "upload"), count(&state, "file_part")), (2, 4));
        // An hour after the first one somebody else begins, and only the first one goes.
        assert_eq!(part(&state, hour, (3, 13), 0), Outcome::Done);
        assert_eq!((count(&state, "upload"), count(&state, "file_part")), (2, 2));
        let Outcome::Refused { refusal } = part(&state, hour, (1, 11), 3) else { panic!("kept") };
        assert_eq!(refusal.code, Code::ConflictState);
        // One's own next upload takes the place of the one that was not finished.
        assert_eq!(part(&state, hour, (2, 14), 0), Outcome::Done);
        assert_eq!((count(&state, "upload"), count(&state, "file_part")), (2, 2));
        // Whoever says more bytes than there are has no file.
        let file = NewFile {
            id: id(14),
            name: "cv.txt".to_owned(),
            media_type: "text/plain".to_owned(),
            bytes: 6,
            sha256: String::new(),
        };
        let (person, text) = (id(2), "bytes".to_owned());
        let keep = Command::KeepCv { person, file: Box::new(file), text };
        assert!(matches!(apply(&state, hour, keep), Outcome::Refused { .. }));
        assert_eq!(count(&state, "file"), 0);
    }
}
