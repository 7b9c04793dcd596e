//! The cluster's own authority, its nodes, and the tokens that let machines in.
//!
//! **Invariant:** a node's id is given once, for good: rows of `node` are never removed (law I9).

use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use crate::domain::command::{Envelope, Outcome};
use crate::domain::id::ClusterId;
use crate::domain::limit;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::time::Time;

use super::super::query;
use super::{Step, audit};

pub(super) fn keep_authority(
    db: &Connection,
    envelope: &Envelope,
    certificate: &str,
    key: &str,
    node: u64,
    public_key: &str,
) -> Step<Outcome> {
    if query::node::authority(db)?.is_some() {
        return Err(Refusal::conflict("this cluster has its authority already").into());
    }
    db.execute(
        "INSERT INTO authority (one, certificate, key) VALUES (1, ?1, ?2)",
        params![certificate, key],
    )?;
    insert(db, envelope, node, public_key, "", "")?;
    audit::record(db, envelope, "cluster.authority", &node.to_string())?;
    Ok(Outcome::Done)
}

pub(super) fn invite(
    db: &Connection,
    envelope: &Envelope,
    token: Uuid,
    expires_at: Time,
) -> Step<Outcome> {
    // Tokens that can let nobody in any more; used ones stay, to recognise a replay.
    db.execute(
        "DELETE FROM join_token WHERE node IS NULL AND expires_at <= ?1",
        params![envelope.at.0],
    )?;
    let open: i64 =
        db.query_row("SELECT count(*) FROM join_token WHERE node IS NULL", [], |row| row.get(0))?;
    if open >= limit::JOIN_TOKENS_MAX as i64 {
        let detail = "there are too many unused join tokens; use one, or wait until they expire";
        return Err(Refusal::conflict(detail).into());
    }
    db.execute(
        "INSERT INTO join_token (id, created_at, expires_at) VALUES (?1, ?2, ?3)",
        params![token.to_string(), envelope.at.0, expires_at.0],
    )?;
    audit::record(db, envelope, "cluster.token", &token.to_string())?;
    Ok(Outcome::Invited { token, expires_at })
}

/// Gives the next id. The same machine with the same token gets the same id again, because the
/// answer to it may have been lost.
pub(super) fn admit(
    db: &Connection,
    envelope: &Envelope,
    token: Uuid,
    public_key: &str,
    cluster: &str,
    http: &str,
) -> Step<Outcome> {
    let found: Option<(i64, Option<i64>)> = db
        .prepare_cached("SELECT expires_at, node FROM join_token WHERE id = ?1")?
        .query_row([token.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let refused = |detail: &str| Err(Refusal::new(Code::AuthInvalid, detail).into());
    let Some((expires_at, used_by)) = found else {
        return refused("this join token is not known here, or has expired; make a new one");
    };
    if let Some(id) = used_by {
        let node = query::node::by_id(db, id as u64)?;
        return match node {
            Some(node) if node.public_key == public_key && node.retired_at.is_none() => {
                Ok(Outcome::Admitted { node: node.id })
            }
            _ => refused("this join token was used by another machine; make a new one"),
        };
    }
    if expires_at <= envelope.at.0 {
        return refused("this join token has expired; make a new one");
    }
    if query::node::active(db)?.len() >= limit::NODES_MAX {
        let detail = format!(
            "this cluster has {} nodes, and more would only slow it; remove one first",
            limit::NODES_MAX
        );
        return Err(Refusal::conflict(detail).into());
    }
    let last: Option<i64> = db.query_row("SELECT max(id) FROM node", [], |row| row.get(0))?;
    let id = last.unwrap_or(0) as u64 + 1;
    insert(db, envelope, id, public_key, cluster, http)?;
    db.execute(
        "UPDATE join_token SET node = ?2 WHERE id = ?1",
        params![token.to_string(), id as i64],
    )?;
    audit::record(db, envelope, "cluster.admit", &id.to_string())?;
    Ok(Outcome::Admitted { node: id })
}

pub(super) fn place(
    db: &Connection,
    envelope: &Envelope,
    id: u64,
    cluster: &str,
    http: &str,
) -> Step<Outcome> {
    let node = active(db, id)?;
    if node.cluster == cluster && node.http == http {
        return Ok(Outcome::Done);
    }
    db.prepare_cached("UPDATE node SET cluster = ?2, http = ?3 WHERE id = ?1")?
        .execute(params![id as i64, cluster, http])?;
    audit::record(db, envelope, "cluster.place", &id.to_string())?;
    Ok(Outcome::Done)
}

pub(super) fn retire(db: &Connection, envelope: &Envelope, id: u64) -> Step<Outcome> {
    active(db, id)?;
    db.execute("UPDATE node SET retired_at = ?2 WHERE id = ?1", params![id as i64, envelope.at.0])?;
    audit::record(db, envelope, "cluster.remove", &id.to_string())?;
    Ok(Outcome::Done)
}

/// A new identity for the same state: the machines of the old cluster are strangers from now on,
/// and rooms begin a new epoch. A new authority is kept by the command after this one.
pub(super) fn refound(
    db: &Connection,
    envelope: &Envelope,
    cluster_id: ClusterId,
    reason: &str,
    loss: &str,
) -> Step<Outcome> {
    db.execute("UPDATE cluster SET id = ?1", params![cluster_id.to_string()])?;
    db.execute("DELETE FROM authority", [])?;
    db.execute("DELETE FROM join_token", [])?;
    db.execute("UPDATE node SET retired_at = ?1 WHERE retired_at IS NULL", params![envelope.at.0])?;
    audit::record(db, envelope, &format!("cluster.{reason}"), &format!("{cluster_id}: {loss}"))?;
    Ok(Outcome::Done)
}

fn insert(
    db: &Connection,
    envelope: &Envelope,
    id: u64,
    public_key: &str,
    cluster: &str,
    http: &str,
) -> Step<()> {
    db.execute(
        "INSERT INTO node (id, public_key, cluster, http, admitted_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![id as i64, public_key, cluster, http, envelope.at.0],
    )?;
    Ok(())
}

fn active(db: &Connection, id: u64) -> Step<query::node::Node> {
    match query::node::by_id(db, id)? {
        Some(node) if node.retired_at.is_none() => Ok(node),
        _ => Err(Refusal::not_found("node").into()),
    }
}
