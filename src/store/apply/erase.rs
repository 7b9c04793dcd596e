//! Erasing: everything of a person, or whole interviews, out of every table.
//!
//! What is about somebody goes with its row. Where a row has to stay because others need it, the
//! words in it go and [`GONE`] stands in their place. What names only an id stays: the audit log,
//! who asked a question, whose kit it was.
//!
//! **Invariant:** works on a state of any level, because backups of older levels are cleaned with
//! it too (`backup::shelf`).

use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::id::PersonId;
use crate::domain::privacy::Counts;

use super::super::Fault;
use super::super::query::privacy::NOBODY;

/// What stands where words were that somebody took back.
pub(super) const GONE: &str = "[erased]";

/// Tables that are about one interview, in an order in which their rows can go.
const OF_INTERVIEW: [&str; 9] =
    ["consent", "hold", "feedback", "share", "report", "note", "answer", "question", "event"];

/// Tables that are about one person and nobody else, with their columns.
const OF_PERSON: [(&str, &str); 10] = [
    ("api_token", "person"),
    ("totp", "person"),
    ("consent", "person"),
    ("hold", "person"),
    ("feedback", "person"),
    ("share", "by"),
    ("note", "by"),
    ("context", "person"),
    ("session", "person"),
    ("outside_identity", "person"),
];

/// Removes a person and all that is theirs. Nothing, if there is no such person.
pub(in crate::store) fn person(db: &Connection, person: PersonId) -> Result<Counts, Fault> {
    let mut counts = Counts::new();
    let id = person.to_string();
    let there: i64 =
        db.query_row("SELECT count(*) FROM person WHERE id = ?1", [&id], |row| row.get(0))?;
    if there == 0 {
        return Ok(counts);
    }
    for interview in own_interviews(db, &id)? {
        interview_rows(db, &interview, &mut counts)?;
    }
    words_elsewhere(db, &id, &mut counts)?;
    files(db, &id, &mut counts)?;
    for (table, column) in OF_PERSON {
        delete(db, table, column, &id, &mut counts)?;
    }
    delete(db, "member", "person", &id, &mut counts)?;
    hand_over(db, &id)?;
    forget_requests(db, &format!("person:{id}"), &id)?;
    delete(db, "person", "id", &id, &mut counts)?;
    Ok(counts)
}

/// Removes one interview and all that is in it.
pub(in crate::store) fn interview_rows(
    db: &Connection,
    interview: &str,
    counts: &mut Counts,
) -> Result<(), Fault> {
    for table in OF_INTERVIEW {
        delete(db, table, "interview", interview, counts)?;
    }
    delete(db, "member", "interview", interview, &mut Counts::new())?;
    // What a frame's id led to, for everybody in this room.
    let (from, to) = (format!("room:{interview}:"), format!("room:{interview};"));
    db.prepare_cached("DELETE FROM once WHERE scope >= ?1 AND scope < ?2")?.execute([from, to])?;
    delete(db, "interview", "id", interview, counts)
}

/// Removes a CV as text and as a file, and the job description.
pub(in crate::store) fn context(
    db: &Connection,
    person: PersonId,
    counts: &mut Counts,
) -> Result<(), Fault> {
    let id = person.to_string();
    files(db, &id, counts)?;
    delete(db, "context", "person", &id, counts)
}

/// Interviews that are about this person and nobody else: the own practices, and live ones without
/// another candidate.
fn own_interviews(db: &Connection, person: &str) -> Result<Vec<String>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT id FROM interview WHERE owner = ?1 AND kind = 'practice'
         UNION SELECT m.interview FROM member AS m WHERE m.person = ?1 AND m.part = 'candidate'
           AND NOT EXISTS (SELECT 1 FROM member AS o WHERE o.interview = m.interview
                           AND o.person <> m.person AND o.part = 'candidate')",
    )?;
    let found = statement.query_map([person], |row| row.get(0))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Takes out what somebody said, answered and noted in interviews that stay because they are about
/// others too. Their reports are made again from what is left.
fn words_elsewhere(db: &Connection, person: &str, counts: &mut Counts) -> Result<(), Fault> {
    let words = "UPDATE event SET data = json_remove(json_set(data, '$.text', ?2), '$.words')
                 WHERE by = ?1 AND kind = 'transcript.final'";
    note(counts, "event", db.prepare_cached(words)?.execute([person, GONE])?);
    let answered = "UPDATE event
         SET data = json_set(data, '$.text', ?2, '$.analysis', json('null'))
         WHERE kind = 'answer.analysed' AND (interview, seq) IN
               (SELECT interview, seq FROM answer WHERE person = ?1)";
    note(counts, "event", db.prepare_cached(answered)?.execute([person, GONE])?);
    db.prepare_cached(
        "DELETE FROM report WHERE interview IN (SELECT interview FROM answer WHERE person = ?1)",
    )?
    .execute([person])?;
    // Who answered stays unknown; that there was an answer does not.
    let answers = "UPDATE answer SET person = ?3, text = ?2, words = NULL, duration_ms = NULL,
                   analysis = NULL WHERE person = ?1";
    stand_in(db)?;
    note(counts, "answer", db.prepare_cached(answers)?.execute([person, GONE, NOBODY])?);
    Ok(())
}

fn files(db: &Connection, person: &str, counts: &mut Counts) -> Result<(), Fault> {
    if !has(db, "file")? {
        return Ok(());
    }
    db.prepare_cached(
        "DELETE FROM file_part WHERE file IN (SELECT id FROM file WHERE owner = ?1
         UNION SELECT file FROM upload WHERE owner = ?1)",
    )?
    .execute([person])?;
    delete(db, "upload", "owner", person, &mut Counts::new())?;
    delete(db, "file", "owner", person, counts)
}

/// What the organisation keeps has another owner now, or none.
fn hand_over(db: &Connection, person: &str) -> Result<(), Fault> {
    stand_in(db)?;
    let heir = "SELECT m.person FROM member AS m WHERE m.interview = interview.id
                AND m.part = 'interviewer' ORDER BY m.person LIMIT 1";
    let sql = format!("UPDATE interview SET owner = coalesce(({heir}), ?2) WHERE owner = ?1");
    db.execute(&sql, [person, NOBODY])?;
    db.execute("UPDATE kit SET by = ?2 WHERE by = ?1", [person, NOBODY])?;
    for table in ["calibration", "calibration_in_force"] {
        if has(db, table)? {
            db.execute(&format!("UPDATE {table} SET by = NULL WHERE by = ?1"), [person])?;
        }
    }
    Ok(())
}

/// A row to which references lead that cannot be empty. It is no account: it cannot sign in, and no
/// list shows it.
fn stand_in(db: &Connection) -> Result<(), Fault> {
    db.prepare_cached(
        "INSERT OR IGNORE INTO person (id, email, display_name, role, disabled, created_at)
         VALUES (?1, 'nobody@erased.invalid', 'Erased person', 'observer', 1, 0)",
    )?
    .execute([NOBODY])?;
    Ok(())
}

/// The first results of this person's requests, and of requests of others that made or changed the
/// account: they hold its name and address.
fn forget_requests(db: &Connection, scope: &str, person: &str) -> Result<(), Fault> {
    db.prepare_cached("DELETE FROM once WHERE scope = ?1")?.execute([scope])?;
    db.prepare_cached("DELETE FROM once WHERE expires_at IS NOT NULL AND instr(outcome, ?1) > 0")?
        .execute([person])?;
    Ok(())
}

fn delete(
    db: &Connection,
    table: &str,
    column: &str,
    id: &str,
    counts: &mut Counts,
) -> Result<(), Fault> {
    if has(db, table)? {
        let sql = format!("DELETE FROM {table} WHERE {column} = ?1");
        note(counts, table, db.prepare_cached(&sql)?.execute(params![id])?);
    }
    Ok(())
}

/// Whether this level of the data has such a table.
fn has(db: &Connection, table: &str) -> Result<bool, Fault> {
    let found: Option<i64> = db
        .prepare_cached("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1")?
        .query_row([table], |row| row.get(0))
        .optional()?;
    Ok(found.is_some())
}

fn note(counts: &mut Counts, what: &str, rows: usize) {
    if rows > 0 {
        *counts.entry(what.to_owned()).or_default() += rows as u64;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::store::schema;

    /// Tables that refer to people or interviews and are seen to by name above.
    const BY_NAME: [&str; 7] =
        ["member", "interview", "kit", "calibration", "calibration_in_force", "file", "upload"];

    /// A table that comes later and refers to somebody must be thought of here: it would keep what
    /// somebody was promised to be gone, or the reference would forbid the erasure.
    #[test]
    fn every_table_that_refers_to_people_is_thought_of() {
        let mut db = Connection::open_in_memory().unwrap();
        schema::migrate(&mut db, schema::STATE).unwrap();
        let mut known: BTreeSet<&str> = OF_INTERVIEW.into_iter().chain(BY_NAME).collect();
        known.extend(OF_PERSON.map(|(table, _)| table));
        let referring: Vec<(String, String)> = db
            .prepare(
                "SELECT DISTINCT t.name, f.\"table\" FROM sqlite_schema AS t,
                 pragma_foreign_key_list(t.name) AS f
                 WHERE t.type = 'table' AND f.\"table\" IN ('person', 'interview', 'question')",
            )
            .unwrap()
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert!(referring.len() > 15, "{referring:?}");
        for (table, parent) in &referring {
            assert!(known.contains(table.as_str()), "{table} refers to {parent}");
            if parent == "interview" && table != "member" {
                assert!(OF_INTERVIEW.contains(&table.as_str()), "{table} refers to an interview");
            }
        }
    }

    #[test]
    fn what_was_removed_is_on_no_page_of_a_state_that_was_written_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.db");
        let state = crate::store::state::State::open(&path).unwrap();
        let db = Connection::open(&path).unwrap();
        let id = |n: u32| format!("019a0b1c-2d3e-7f40-8a5b-{n:012x}");
        for n in 0..200_u32 {
            db.execute(
                "INSERT INTO person (id, email, display_name, role, created_at)
                 VALUES (?1, ?1 || '@example.org', 'P', 'candidate', 1)",
                [id(n)],
            )
            .unwrap();
            // Sizes that split and fill pages in many ways.
            let cv = format!("Mark{n}end ").repeat(1 + (n as usize * 37) % 900);
            db.execute("INSERT INTO context VALUES (?1, ?2, '', '', 'general', 1, 1)", [id(n), cv])
                .unwrap();
        }
        for n in (0..200).filter(|n| n % 3 == 0) {
            let counts = person(&db, PersonId(id(n).parse().unwrap())).unwrap();
            assert_eq!(counts["context"], 1, "{counts:?}");
        }
        drop(db);
        assert!(state.scrub().unwrap());
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.extend(std::fs::read(path.with_extension("db-wal")).unwrap_or_default());
        for n in 0..200 {
            let mark = format!("Mark{n}end");
            let there = bytes.windows(mark.len()).any(|window| window == mark.as_bytes());
            assert_eq!(there, n % 3 != 0, "{mark}");
        }
    }
}
