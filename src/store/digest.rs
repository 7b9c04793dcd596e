//! What a state holds, as text and as one sum: states at the same place of the log have the same
//! sum, on every node and after every restart.
//!
//! **Invariant:** no table is left out. What belongs to one node only has no place in the state.

use std::fmt::Write;

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use sha2::{Digest, Sha256};

use super::Fault;
use super::schema::hexadecimal;

/// SHA-256 over every row of every table, as hexadecimal digits.
pub fn digest(db: &Connection) -> Result<String, Fault> {
    let mut hash = Sha256::new();
    visit(db, &mut |line| hash.update(line))?;
    Ok(hexadecimal(&hash.finalize()))
}

/// The same rows as text, one a line, to see what differs.
pub fn dump(db: &Connection) -> Result<String, Fault> {
    let mut page = String::new();
    visit(db, &mut |line| page.push_str(line))?;
    Ok(page)
}

/// Every table by name, every row by primary key.
fn visit(db: &Connection, tell: &mut dyn FnMut(&str)) -> Result<(), Fault> {
    for table in texts(db, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")? {
        let key = format!("SELECT name FROM pragma_table_info('{table}') WHERE pk > 0 ORDER BY pk");
        let key = texts(db, &key)?.join(", ");
        if key.is_empty() {
            return Err(Fault::plain(format!("the table {table} has no primary key to order by")));
        }
        tell(&format!("{table}\n"));
        let mut rows = db.prepare(&format!("SELECT * FROM {table} ORDER BY {key}"))?;
        let columns = rows.column_count();
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            let mut line = String::new();
            for column in 0..columns {
                show(&mut line, row.get_ref(column)?);
            }
            line.push('\n');
            tell(&line);
        }
    }
    Ok(())
}

/// Every value as it can be told from every other one.
fn show(line: &mut String, value: ValueRef<'_>) {
    let _ = match value {
        ValueRef::Null => write!(line, " -"),
        ValueRef::Integer(n) => write!(line, " {n}"),
        ValueRef::Real(n) => write!(line, " {n:?}"),
        ValueRef::Text(text) => write!(line, " {:?}", String::from_utf8_lossy(text)),
        ValueRef::Blob(bytes) => write!(line, " {bytes:?}"),
    };
}

fn texts(db: &Connection, sql: &str) -> Result<Vec<String>, Fault> {
    let mut statement = db.prepare(sql)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(sql: &str) -> String {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch("CREATE TABLE t (a INTEGER PRIMARY KEY, b ANY) STRICT").unwrap();
        db.execute_batch(sql).unwrap();
        digest(&db).unwrap()
    }

    #[test]
    fn the_sum_tells_rows_and_not_how_they_came_about() {
        let one = sum("INSERT INTO t VALUES (1, 'x'), (2, NULL)");
        assert_eq!(one, sum("INSERT INTO t VALUES (2, NULL); INSERT INTO t VALUES (1, 'x')"));
        for other in ["(1, 'x')", "(1, 'x'), (2, '-')", "(1, x'78'), (2, NULL)", "(1, 1), (2, 1.0)"]
        {
            assert_ne!(one, sum(&format!("INSERT INTO t VALUES {other}")), "{other}");
        }
    }
}
