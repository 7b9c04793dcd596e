//! Schemas and their migrations: embedded, in order, each with its checksum.
//!
//! The journal belongs to one node and is brought to the newest schema when it is opened. The state
//! is replicated, and so is its schema: its **level** is the number of migrations in it, it begins
//! at [`FIRST`] whatever the build, and only commands in the log change it, on every node at the
//! same place.
//!
//! **Invariant:** a migration that was released never changes; a database that was made by another
//! text, or by a newer Greenroom, is refused instead of guessed at.

use rusqlite::{Connection, TransactionBehavior, params};
use sha2::{Digest, Sha256};

use super::Fault;

/// One step from a schema to the next.
#[derive(Debug)]
pub(super) struct Migration {
    name: &'static str,
    sql: &'static str,
    /// What takes it back; `None` where nothing can.
    down: Option<&'static str>,
    /// What it brings, for people.
    about: &'static str,
}

impl Migration {
    /// Its name and the checksum of its text, as a database that it made keeps them.
    pub(super) fn identity(&self) -> (String, String) {
        (self.name.to_owned(), checksum(self.sql))
    }
}

/// The journal's migrations.
pub(super) const JOURNAL: &[Migration] = &[
    Migration {
        name: "0001_log",
        sql: include_str!("../../migrations/journal/0001_log.sql"),
        down: None,
        about: "the log",
    },
    Migration {
        name: "0002_sums",
        sql: include_str!("../../migrations/journal/0002_sums.sql"),
        down: Some(include_str!("../../migrations/journal/0002_sums.down.sql")),
        about: "a checksum for every row",
    },
];

/// The state's migrations: the n-th one leads to level n.
pub(super) const STATE: &[Migration] = &[
    Migration {
        name: "0001_spine",
        sql: include_str!("../../migrations/state/0001_spine.sql"),
        down: None,
        about: "one node: people, interviews, reports, shares",
    },
    Migration {
        name: "0002_cluster",
        sql: include_str!("../../migrations/state/0002_cluster.sql"),
        down: Some(include_str!("../../migrations/state/0002_cluster.down.sql")),
        about: "more than one node: the cluster's authority, its nodes, join tokens",
    },
    Migration {
        name: "0003_files",
        sql: include_str!("../../migrations/state/0003_files.sql"),
        down: Some(include_str!("../../migrations/state/0003_files.down.sql")),
        about: "files: CVs as they were uploaded",
    },
    Migration {
        name: "0004_turns",
        sql: include_str!("../../migrations/state/0004_turns.sql"),
        down: Some(include_str!("../../migrations/state/0004_turns.down.sql")),
        about: "rooms: questions that were skipped, interviews that were forgotten",
    },
    Migration {
        name: "0005_calibrations",
        sql: include_str!("../../migrations/state/0005_calibrations.sql"),
        down: Some(include_str!("../../migrations/state/0005_calibrations.down.sql")),
        about: "calibrations of the organisation, and which one is in force",
    },
    Migration {
        name: "0006_doors",
        sql: include_str!("../../migrations/state/0006_doors.sql"),
        down: Some(include_str!("../../migrations/state/0006_doors.down.sql")),
        about: "rate policies, people whom outside issuers vouch for, questions that were chosen",
    },
    Migration {
        name: "0007_trust",
        sql: include_str!("../../migrations/state/0007_trust.sql"),
        down: Some(include_str!("../../migrations/state/0007_trust.down.sql")),
        about: "second factors, consents, retention, legal holds, receipts of what was erased",
    },
    Migration {
        name: "0008_keys",
        sql: include_str!("../../migrations/state/0008_keys.sql"),
        down: Some(include_str!("../../migrations/state/0008_keys.down.sql")),
        about: "tokens of programs, service accounts, signing keys that follow each other",
    },
    Migration {
        name: "0009_successors",
        sql: include_str!("../../migrations/state/0009_successors.sql"),
        down: Some(include_str!("../../migrations/state/0009_successors.down.sql")),
        about: "signing keys that are told before they sign, days on which tokens were used",
    },
];

/// How many of the journal's migrations the last release at each level knew, from level 1 on: as
/// far the journal goes back with the state. A level without an entry takes nothing back.
const JOURNAL_AT: &[usize] = &[1];

/// The level of a new state: a node that joins may replay a log from its beginning.
pub const FIRST: u32 = 1;

/// The highest level that this build can run.
pub const NEWEST: u32 = STATE.len() as u32;

/// What raising the state by one level brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The level that it leads to.
    pub level: u32,
    /// What it brings.
    pub about: &'static str,
    /// Whether it can be taken back.
    pub can_undo: bool,
}

/// Something that lowering the level would destroy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The table, or `table.column`.
    pub what: String,
    /// How many rows have something there.
    pub rows: u64,
}

/// The steps above one level, as far as this build knows them.
pub fn steps_above(level: u32) -> Vec<Step> {
    let steps = (1..).zip(STATE).map(|(level, migration): (u32, _)| Step {
        level,
        about: migration.about,
        can_undo: migration.down.is_some(),
    });
    steps.filter(|step| step.level > level).collect()
}

/// Opens a journal's schema: the newest one, in one transaction.
pub(super) fn migrate(db: &mut Connection, migrations: &[Migration]) -> Result<(), Fault> {
    let tx = db.transaction()?;
    let done = opened(&tx, migrations)?;
    raise(&tx, migrations, done, migrations.len())?;
    tx.commit()?;
    Ok(())
}

/// Opens a state's schema: one that is there stays at its level, a new one begins at [`FIRST`].
pub(super) fn open_state(db: &mut Connection) -> Result<(), Fault> {
    let tx = db.transaction()?;
    if opened(&tx, STATE)? == 0 {
        raise(&tx, STATE, 0, FIRST as usize)?;
    }
    tx.commit()?;
    Ok(())
}

/// Checks that a whole state, for instance a snapshot's, is one that this build can run.
pub(super) fn check_state(db: &Connection) -> Result<(), Fault> {
    verified(db, STATE).map(|_| ())
}

/// The level of a state.
pub(super) fn level(db: &Connection) -> Result<u32, rusqlite::Error> {
    db.prepare_cached("SELECT count(*) FROM migration")?.query_row([], |row| row.get(0))
}

/// Raises a state. The caller has a transaction and has looked at the bounds.
pub(super) fn raise_state(db: &Connection, from: u32, to: u32) -> Result<(), rusqlite::Error> {
    raise(db, STATE, from as usize, to as usize)
}

/// Lowers a state. The caller has a transaction and has looked at [`steps_above`].
pub(super) fn lower_state(db: &Connection, from: u32, to: u32) -> Result<(), Fault> {
    lower(db, STATE, from as usize, to as usize)
}

/// Takes the journal back to what the last release at a level of the state knew, so that it can
/// open it. Nobody may write to it meanwhile.
pub fn lower_journal(path: &std::path::Path, level: u32) -> Result<(), Fault> {
    let mut db = Connection::open(path)?;
    let Some(to) = JOURNAL_AT.get(level as usize - 1) else { return Ok(()) };
    // The last write of a node that stops may still be under way; it is waited for.
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let from = verified(&tx, JOURNAL)?;
    if *to < from {
        super::journal::prepare_lowering(&tx, path)?;
    }
    lower(&tx, JOURNAL, from, *to)?;
    tx.commit()?;
    Ok(())
}

/// What lowering a state to a level would destroy: whatever the schema of that level has no place
/// for.
pub(super) fn losses(db: &Connection, to: u32) -> Result<Vec<Loss>, Fault> {
    let lower = Connection::open_in_memory()?;
    opened(&lower, STATE)?;
    raise_state(&lower, 0, to)?;
    let kept = columns(&lower)?;
    let mut losses = Vec::new();
    let mut add = |what: String, count: String| -> Result<(), Fault> {
        let rows = db.query_row(&count, [], |row| row.get::<_, i64>(0))? as u64;
        losses.push(Loss { what, rows });
        Ok(())
    };
    let mut gone: Option<String> = None;
    for (table, column) in columns(db)? {
        if !kept.iter().any(|(known, _)| *known == table) {
            if gone.as_ref() != Some(&table) {
                add(table.clone(), format!("SELECT count(*) FROM \"{table}\""))?;
                gone = Some(table);
            }
        } else if !kept.contains(&(table.clone(), column.clone())) {
            let count = format!("SELECT count(\"{column}\") FROM \"{table}\"");
            add(format!("{table}.{column}"), count)?;
        }
    }
    Ok(losses)
}

/// Tables with their columns, in order.
fn columns(db: &Connection) -> Result<Vec<(String, String)>, rusqlite::Error> {
    db.prepare(
        "SELECT t.name, c.name FROM sqlite_schema AS t, pragma_table_info(t.name) AS c
         WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' ORDER BY t.name, c.cid",
    )?
    .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
    .collect()
}

/// How many of the migrations are in a database that may be new.
fn opened(db: &Connection, migrations: &[Migration]) -> Result<usize, Fault> {
    db.execute_batch(
        "CREATE TABLE IF NOT EXISTS migration (
            version INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL) STRICT",
    )?;
    verified(db, migrations)
}

/// How many of the migrations are in a database, if they are all ours.
fn verified(db: &Connection, migrations: &[Migration]) -> Result<usize, Fault> {
    let done: Vec<(String, String)> = db
        .prepare("SELECT name, sha256 FROM migration ORDER BY version")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    if done.len() > migrations.len() {
        return Err(Fault::plain(format!(
            "the data was written by a newer Greenroom (schema {}, this one knows {}); \
             install that one again",
            done.len(),
            migrations.len()
        )));
    }
    for (migration, (name, sum)) in migrations.iter().zip(&done) {
        if name != migration.name || *sum != checksum(migration.sql) {
            return Err(Fault::plain(format!(
                "migration {name} of this data is not the one that this Greenroom knows; \
                 it was made by another build"
            )));
        }
    }
    Ok(done.len())
}

fn raise(
    db: &Connection,
    migrations: &[Migration],
    from: usize,
    to: usize,
) -> Result<(), rusqlite::Error> {
    for (version, migration) in (1_i64..).zip(migrations).take(to).skip(from) {
        db.execute_batch(migration.sql)?;
        db.execute(
            "INSERT INTO migration (version, name, sha256) VALUES (?1, ?2, ?3)",
            params![version, migration.name, checksum(migration.sql)],
        )?;
    }
    Ok(())
}

fn lower(db: &Connection, migrations: &[Migration], from: usize, to: usize) -> Result<(), Fault> {
    let steps: Vec<_> = (1_i64..).zip(migrations).take(from).skip(to).collect();
    for (version, migration) in steps.into_iter().rev() {
        let Some(down) = migration.down else {
            let name = migration.name;
            return Err(Fault::plain(format!("migration {name} cannot be taken back")));
        };
        db.execute_batch(down)?;
        db.execute("DELETE FROM migration WHERE version = ?1", [version])?;
    }
    Ok(())
}

fn checksum(text: &str) -> String {
    hexadecimal(&Sha256::digest(text.as_bytes()))
}

/// Bytes as lower-case hexadecimal digits.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory() -> Connection {
        Connection::open_in_memory().unwrap()
    }

    /// Every statement of a database's schema, in order.
    fn text(db: &Connection) -> Vec<String> {
        let sql = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type, name";
        let mut statement = db.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    const BROKEN: &[Migration] = &[
        Migration { name: "1", sql: "CREATE TABLE a (x)", down: Some("DROP TABLE a"), about: "" },
        Migration { name: "2", sql: "CREATE TABLE b (x); nonsense", down: None, about: "" },
    ];

    #[test]
    fn migrating_twice_changes_nothing() {
        for migrations in [JOURNAL, STATE] {
            let mut db = memory();
            migrate(&mut db, migrations).unwrap();
            let once = text(&db);
            migrate(&mut db, migrations).unwrap();
            assert_eq!(text(&db), once);
        }
    }

    #[test]
    fn a_migration_that_breaks_leaves_nothing() {
        let mut db = memory();
        migrate(&mut db, &BROKEN[..1]).unwrap();
        let before = text(&db);
        migrate(&mut db, BROKEN).unwrap_err();
        assert_eq!(text(&db), before);
        assert_eq!(level(&db).unwrap(), 1);
    }

    #[test]
    fn a_new_state_begins_at_the_first_level_and_stays_where_it_is() {
        let mut db = memory();
        open_state(&mut db).unwrap();
        assert_eq!(level(&db).unwrap(), FIRST);
        raise_state(&db, FIRST, NEWEST).unwrap();
        open_state(&mut db).unwrap();
        assert_eq!(level(&db).unwrap(), NEWEST);
    }

    /// Every step down leads to the schema that the step up began from, to the letter.
    #[test]
    fn what_can_be_taken_back_leaves_the_schema_of_before() {
        let steps = steps_above(0);
        assert!(steps.iter().map(|step| step.level).eq(1..=NEWEST));
        for step in steps.iter().filter(|step| step.can_undo) {
            let mut db = memory();
            open_state(&mut db).unwrap();
            raise_state(&db, FIRST, step.level - 1).unwrap();
            let before = text(&db);
            raise_state(&db, step.level - 1, step.level).unwrap();
            assert_ne!(text(&db), before);
            lower_state(&db, step.level, step.level - 1).unwrap();
            assert_eq!(text(&db), before, "{step:?}");
            assert_eq!(level(&db).unwrap(), step.level - 1);
        }
        let db = memory();
        opened(&db, BROKEN).unwrap();
        raise(&db, BROKEN, 0, 1).unwrap();
        lower(&db, BROKEN, 1, 0).unwrap();
        assert!(lower(&db, BROKEN, 2, 0).unwrap_err().to_string().contains("cannot be taken back"));
    }

    #[test]
    fn what_lowering_destroys_is_counted() {
        let mut db = memory();
        open_state(&mut db).unwrap();
        assert_eq!(losses(&db, FIRST).unwrap(), []);
        db.execute_batch(
            "CREATE TABLE later (x); INSERT INTO later VALUES (1), (NULL);
             ALTER TABLE raft ADD COLUMN extra TEXT;
             INSERT INTO raft (name, payload, extra) VALUES ('a', x'', NULL), ('b', x'', 'c');",
        )
        .unwrap();
        let loss = |what: &str, rows| Loss { what: what.to_owned(), rows };
        assert_eq!(losses(&db, FIRST).unwrap(), [loss("later", 2), loss("raft.extra", 1)]);
    }

    #[test]
    fn a_journal_goes_back_to_what_a_level_knew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.db");
        migrate(&mut Connection::open(&path).unwrap(), JOURNAL).unwrap();
        lower_journal(&path, 1).unwrap();
        let db = Connection::open(&path).unwrap();
        assert_eq!(verified(&db, JOURNAL).unwrap(), JOURNAL_AT[0]);
        let mut old = memory();
        migrate(&mut old, &JOURNAL[..JOURNAL_AT[0]]).unwrap();
        assert_eq!(text(&db), text(&old));
    }

    #[test]
    fn a_changed_migration_and_newer_data_are_refused() {
        let mut db = memory();
        migrate(&mut db, STATE).unwrap();
        db.execute("UPDATE migration SET sha256 = 'x'", []).unwrap();
        assert!(migrate(&mut db, STATE).unwrap_err().to_string().contains("another build"));

        let mut db = memory();
        migrate(&mut db, STATE).unwrap();
        db.execute("INSERT INTO migration VALUES (99, '0099_later', 'x')", []).unwrap();
        assert!(migrate(&mut db, STATE).unwrap_err().to_string().contains("newer Greenroom"));
    }
}
