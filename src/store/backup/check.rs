//! Whether what is inside a backup is a state that a node can go on with.
//!
//! The file's sum says that nobody changed it since it was written. These checks say that what was
//! written was good: whoever needs a backup cannot ask the state that it was made from.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::Connection;

use super::super::apply::audit;
use super::super::schema::{self, STATE};
use super::super::state::open_reader;
use super::super::{Fault, query};
use super::header::{Manifest, SchemaStep};

/// What the checks found.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// What is in the backup, by its own words.
    pub manifest: Manifest,
    /// The checks that were made, in order.
    pub checks: Vec<Check>,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was looked at, in a word or two.
    pub name: &'static str,
    /// Whether it is as it should be.
    pub ok: bool,
    /// What was found.
    pub detail: String,
}

/// Columns that hold JSON, with their tables.
const DOCUMENTS: [(&str, &str); 7] = [
    ("answer", "analysis"),
    ("answer", "words"),
    ("event", "data"),
    ("kit", "body"),
    ("once", "outcome"),
    ("question", "focus"),
    ("report", "body"),
];

/// Complaints of SQLite that are shown; a broken file has thousands.
const COMPLAINTS_MAX: u32 = 5;

impl Verdict {
    /// Whether everything is as it should be.
    pub fn ok(&self) -> bool {
        self.checks.iter().all(|check| check.ok)
    }

    /// The checks that failed, in words; nothing if none did.
    pub fn failures(&self) -> String {
        let failed = self.checks.iter().filter(|check| !check.ok);
        let lines = failed.map(|check| format!("{}: {}", check.name, check.detail));
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// Checks a state that was taken out of a backup.
pub(super) fn database(path: &Path, manifest: &Manifest) -> Vec<Check> {
    let size = format!("{} bytes with the promised SHA-256", manifest.payload.bytes);
    let mut checks = vec![Check { name: "payload", ok: true, detail: size }];
    let mut note = |name, found: Result<String, String>| {
        let ok = found.is_ok();
        let detail = found.unwrap_or_else(|why| why);
        checks.push(Check { name, ok, detail });
        ok
    };
    let db = match open_reader(path) {
        Ok(db) => db,
        Err(fault) => {
            note("integrity", Err(fault.to_string()));
            return checks;
        }
    };
    // Nothing after it means anything on a database that is not whole.
    if note("integrity", integrity(&db)) && note("schema", schema_is_known(&db, manifest)) {
        note("references", references(&db));
        note("rows", counts(&db, manifest));
        note("audit chain", chain(&db, manifest));
        note("documents", documents(&db));
        note("identity", identity(&db, manifest));
    }
    checks
}

/// What made the tables of a database.
pub(super) fn schema(db: &Connection) -> Result<Vec<SchemaStep>, Fault> {
    let mut statement = db.prepare("SELECT name, sha256 FROM migration ORDER BY version")?;
    let steps = statement
        .query_map([], |row| Ok(SchemaStep { name: row.get(0)?, sha256: row.get(1)? }))?
        .collect::<Result<_, _>>()?;
    Ok(steps)
}

/// How many rows each table has.
pub(super) fn rows(db: &Connection) -> Result<BTreeMap<String, u64>, Fault> {
    let mut statement = db.prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    )?;
    let names: Vec<String> =
        statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut rows = BTreeMap::new();
    for name in names {
        let quoted = name.replace('"', "\"\"");
        let count = format!("SELECT count(*) FROM \"{quoted}\"");
        let count: i64 = db.query_row(&count, [], |row| row.get(0))?;
        rows.insert(name, count as u64);
    }
    Ok(rows)
}

fn integrity(db: &Connection) -> Result<String, String> {
    let ask = || -> Result<Vec<String>, rusqlite::Error> {
        let mut statement = db.prepare(&format!("PRAGMA integrity_check({COMPLAINTS_MAX})"))?;
        statement.query_map([], |row| row.get(0))?.collect()
    };
    let complaints = ask().map_err(|error| error.to_string())?;
    match complaints.as_slice() {
        [only] if only == "ok" => Ok("every page and index is whole".to_owned()),
        _ => Err(complaints.join("; ")),
    }
}

/// The migrations are ours, as far as they go, and the tables are what they make: a file with
/// other tables or triggers in it is not the state of a Greenroom.
fn schema_is_known(db: &Connection, manifest: &Manifest) -> Result<String, String> {
    let steps = schema(db).map_err(|fault| fault.to_string())?;
    if steps != manifest.schema {
        return Err("the migrations inside are not those that the header names".to_owned());
    }
    let known = STATE.iter().map(|migration| {
        let (name, sha256) = migration.identity();
        SchemaStep { name, sha256 }
    });
    let known: Vec<SchemaStep> = known.collect();
    if steps.len() > known.len() {
        return Err(format!(
            "it was written by a newer Greenroom (schema {}, this one knows {}); use that one",
            steps.len(),
            known.len()
        ));
    }
    if steps != known[..steps.len()] {
        return Err("its migrations are not those of this Greenroom".to_owned());
    }
    let mut model = Connection::open_in_memory().map_err(|error| error.to_string())?;
    schema::migrate(&mut model, &STATE[..steps.len()]).map_err(|fault| fault.to_string())?;
    let (wanted, found) = (tables(&model), tables(db));
    match (wanted, found) {
        (Ok(wanted), Ok(found)) if wanted == found => {
            Ok(format!("level {}, as this Greenroom makes it", steps.len()))
        }
        (Err(error), _) | (_, Err(error)) => Err(error.to_string()),
        _ => Err("its tables are not those that its migrations make".to_owned()),
    }
}

/// The text of everything that a schema has.
fn tables(db: &Connection) -> Result<Vec<(String, String, Option<String>)>, rusqlite::Error> {
    let mut statement =
        db.prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name")?;
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
}

fn references(db: &Connection) -> Result<String, String> {
    let ask = || -> Result<Vec<String>, rusqlite::Error> {
        let mut statement = db.prepare("PRAGMA foreign_key_check")?;
        let broken = statement.query_map([], |row| {
            let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
            Ok(format!("a row of {table} refers to one of {parent} that is not there"))
        })?;
        broken.take(COMPLAINTS_MAX as usize).collect()
    };
    let broken = ask().map_err(|error| error.to_string())?;
    match broken.is_empty() {
        true => Ok("every row refers to rows that are there".to_owned()),
        false => Err(broken.join("; ")),
    }
}

fn counts(db: &Connection, manifest: &Manifest) -> Result<String, String> {
    let found = rows(db).map_err(|fault| fault.to_string())?;
    if found == manifest.rows {
        let all: u64 = found.values().sum();
        return Ok(format!("{all} in {} tables, as counted when it was made", found.len()));
    }
    let names = found.keys().chain(manifest.rows.keys());
    let differs = names.filter(|name| found.get(*name) != manifest.rows.get(*name));
    let differs: std::collections::BTreeSet<&str> = differs.map(String::as_str).collect();
    let differs: Vec<&str> = differs.into_iter().collect();
    Err(format!("the counts differ from the header's in {}", differs.join(", ")))
}

fn chain(db: &Connection, manifest: &Manifest) -> Result<String, String> {
    let chain = audit::follow(db).map_err(|fault| fault.to_string())?;
    if let Some(seq) = chain.broken_at {
        return Err(format!("row {seq} of the audit log does not follow from the one before"));
    }
    if (chain.rows, &chain.head) != (manifest.audit.rows, &manifest.audit.hash) {
        return Err("the audit log does not end where the header says".to_owned());
    }
    Ok(format!("{} rows, each follows from the one before", chain.rows))
}

fn documents(db: &Connection) -> Result<String, String> {
    for (table, column) in DOCUMENTS {
        let count = format!(
            "SELECT count(*) FROM {table} WHERE {column} IS NOT NULL AND NOT json_valid({column})"
        );
        let wrong: Result<i64, _> = db.query_row(&count, [], |row| row.get(0));
        match wrong {
            Ok(0) => {}
            Ok(wrong) => return Err(format!("{wrong} rows of {table} hold no JSON in {column}")),
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(format!("all JSON in {} columns can be read", DOCUMENTS.len()))
}

fn identity(db: &Connection, manifest: &Manifest) -> Result<String, String> {
    let found = query::cluster::identity(db).map_err(|fault| fault.to_string())?;
    let Some(found) = found else { return Err("it has no cluster in it".to_owned()) };
    if Some(found.cluster_id) != manifest.cluster_id {
        return Err("the cluster inside is not the one that the header names".to_owned());
    }
    Ok(format!("cluster {}", found.cluster_id))
}
