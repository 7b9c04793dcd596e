//! Schemas and their migrations: embedded, in order, each with its checksum.
//!
//! **Invariant:** a migration that was released never changes; a database that was made by another
//! text, or by a newer Greenroom, is refused instead of guessed at.

use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};

use super::Fault;

/// One step from a schema to the next.
#[derive(Debug)]
pub(super) struct Migration {
    name: &'static str,
    sql: &'static str,
}

/// The journal's migrations.
pub(super) const JOURNAL: &[Migration] =
    &[Migration { name: "0001_log", sql: include_str!("../../migrations/journal/0001_log.sql") }];

/// The state's migrations.
pub(super) const STATE: &[Migration] = &[
    Migration { name: "0001_spine", sql: include_str!("../../migrations/state/0001_spine.sql") },
    Migration {
        name: "0002_cluster",
        sql: include_str!("../../migrations/state/0002_cluster.sql"),
    },
];

/// The highest level of the state's schema that this build can run.
pub fn newest_level() -> u32 {
    STATE.len() as u32
}

/// Brings a database to the newest schema of this build, in one transaction.
pub(super) fn migrate(db: &mut Connection, migrations: &[Migration]) -> Result<(), Fault> {
    let tx = db.transaction()?;
    tx.execute_batch(
        "CREATE TABLE IF NOT EXISTS migration (
            version INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL) STRICT",
    )?;
    let done: Vec<(String, String)> = tx
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
    for (version, migration) in migrations.iter().enumerate() {
        let sum = checksum(migration.sql);
        match done.get(version) {
            Some((name, stored)) if *name == migration.name && *stored == sum => {}
            Some((name, _)) => {
                return Err(Fault::plain(format!(
                    "migration {name} of this data is not the one that this Greenroom knows; \
                     it was made by another build"
                )));
            }
            None => {
                tx.execute_batch(migration.sql)?;
                tx.execute(
                    "INSERT INTO migration (version, name, sha256) VALUES (?1, ?2, ?3)",
                    params![version as i64 + 1, migration.name, sum],
                )?;
            }
        }
    }
    tx.commit()?;
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

    #[test]
    fn migrating_twice_changes_nothing() {
        for migrations in [JOURNAL, STATE] {
            let mut db = memory();
            migrate(&mut db, migrations).unwrap();
            migrate(&mut db, migrations).unwrap();
        }
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
