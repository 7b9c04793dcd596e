//! Reading the state, one file a noun. All functions take a connection, so that several of them see
//! one state, and so that applying and reading share them.

pub mod calibration;
pub mod cluster;
pub mod doors;
pub mod event;
pub mod feedback;
pub mod file;
pub mod interview;
pub mod keys;
pub mod kit;
pub mod level;
pub mod node;
pub mod once;
pub mod person;
pub mod privacy;
pub mod report;
pub mod room;
pub mod share;
pub mod stats;
pub mod takeout;
pub mod totp;

use std::str::FromStr;

use rusqlite::Row;

/// A connection that reads one state; floors above hold it without naming the database's crate.
pub use rusqlite::Connection;

use crate::domain::time::Time;

/// The audit log, read where it is written.
pub use super::apply::audit;

use super::Fault;

/// Reads a column that holds an id.
fn id<T: FromStr>(row: &Row<'_>, column: &str) -> Result<T, rusqlite::Error>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let text: String = row.get(column)?;
    parse(&text)
}

/// Reads a column that may hold an id.
fn optional_id<T: FromStr>(row: &Row<'_>, column: &str) -> Result<Option<T>, rusqlite::Error>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let text: Option<String> = row.get(column)?;
    text.map(|text| parse(&text)).transpose()
}

fn parse<T: FromStr>(text: &str) -> Result<T, rusqlite::Error>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    text.parse().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
    })
}

/// Reads a column that holds one of a closed set of words.
fn word<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: &str) -> Result<T, rusqlite::Error> {
    let text: String = row.get(column)?;
    serde_json::from_value(serde_json::Value::String(text)).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
    })
}

fn time(row: &Row<'_>, column: &str) -> Result<Time, rusqlite::Error> {
    row.get(column).map(Time)
}

fn optional_time(row: &Row<'_>, column: &str) -> Result<Option<Time>, rusqlite::Error> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Time))
}
