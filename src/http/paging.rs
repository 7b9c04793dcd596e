//! Pages of lists: `?limit=&cursor=`.

use axum::Json;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::domain::limit;
use crate::domain::refusal::Refusal;

/// The query of a list.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Paging {
    limit: Option<usize>,
    cursor: Option<String>,
    /// Read by replication; on one node every read is fresh.
    #[serde(rename = "stale")]
    _stale: Option<String>,
}

impl Paging {
    /// How many items at most.
    pub(super) fn limit(&self) -> Result<usize, Refusal> {
        match self.limit {
            None => Ok(limit::PAGE_ITEMS),
            Some(0) => Err(Refusal::field("limit", "must be at least 1")),
            // `next` leads to the rest, so a page may be shorter than was asked for.
            Some(n) => Ok(n.min(limit::PAGE_ITEMS_MAX)),
        }
    }

    /// Where to go on.
    pub(super) fn cursor<T: std::str::FromStr>(&self) -> Result<Option<T>, Refusal> {
        let parse = |text: &String| {
            let detail = "not a cursor: use `next` of the page before";
            text.parse().map_err(|_| Refusal::field("cursor", detail))
        };
        self.cursor.as_ref().map(parse).transpose()
    }
}

/// A page; `next` is there if the page is full.
pub(super) fn page<T: Serialize>(
    items: Vec<T>,
    limit: usize,
    cursor: impl Fn(&T) -> String,
) -> Json<Value> {
    let next = if items.len() == limit { items.last().map(cursor) } else { None };
    Json(json!({"items": items, "next": next}))
}
