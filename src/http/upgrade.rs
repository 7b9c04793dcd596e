//! The level of the data: how it stands, raising it when every node can run it, taking it back.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::cluster::{Standing, Undo};
use crate::domain::command::Command;
use crate::domain::refusal::Refusal;
use crate::store::Fault;

use super::app::Shared;
use super::body::{Done, Empty, Write};
use super::error::Error;

/// What undoing asks for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UndoBody {
    /// Whether what the lower level has no place for may be destroyed.
    #[serde(default)]
    accept_loss: bool,
}

pub(super) async fn show(State(app): State<Shared>) -> Result<Json<Value>, Error> {
    Ok(Json(view(&app.replica.standing().await?)))
}

pub(super) async fn finalize(
    State(app): State<Shared>,
    write: Write<Empty>,
) -> Result<Response, Error> {
    to_its_end(async move {
        let done = write.run(&app, async || {
            let standing = app.replica.standing().await?;
            may_be_raised(&standing)?;
            if app.replica.shows_void_papers().await? {
                let detail = "restart this node first: an undo has made its papers void";
                return Err(Refusal::conflict(detail).into());
            }
            let to = standing.target;
            // Only a node alone can go back; for the others a copy would be of no use.
            if standing.waits() && standing.nodes.len() == 1 {
                app.replica.keep_copy(to).await?;
            }
            Ok(Command::RaiseLevel { to })
        });
        let done = done.await?;
        // An undo may have come between; a repeated request must not take it back.
        if !done.is_replayed() {
            app.replica.release_level().await?;
            app.replica.certify_founder().await?;
        }
        answer(&app, &done).await
    })
    .await
}

pub(super) async fn undo(
    State(app): State<Shared>,
    write: Write<UndoBody>,
) -> Result<Response, Error> {
    to_its_end(async move {
        let mut held = false;
        let command = async || {
            let standing = app.replica.standing().await?;
            let to = match may_be_undone(&standing)? {
                undo if write.body.accept_loss => undo.to,
                undo => return Err(Refusal::field("accept_loss", price(undo)).into()),
            };
            // First of all: a start between the two would otherwise raise the level again.
            app.replica.hold_level().await?;
            held = true;
            Ok(Command::LowerLevel { to })
        };
        let done = match write.run(&app, command).await {
            Err(Error::Refused(refusal)) if held => {
                app.replica.release_level().await?;
                return Err(refusal.into());
            }
            Err(Error::Refused(refusal)) => {
                return match is_half_undone(&app).await? {
                    true => Ok(Json(empty_log(&app).await?).into_response()),
                    false => Err(refusal.into()),
                };
            }
            done => done?,
        };
        // The level may have been raised since; a repeated request must not touch what is new.
        if done.is_replayed() && !is_half_undone(&app).await? {
            return answer(&app, &done).await;
        }
        empty_log(&app).await?;
        answer(&app, &done).await
    })
    .await
}

/// Whether an undo ended half way: only the log is to be emptied.
async fn is_half_undone(app: &Shared) -> Result<bool, Error> {
    let standing = app.replica.standing().await?;
    Ok(may_be_undone(&standing).is_err() && standing.held && standing.waits())
}

async fn empty_log(app: &Shared) -> Result<Value, Error> {
    app.replica.drop_papers().await?;
    app.replica.forget_log().await?;
    Ok(view(&app.replica.standing().await?))
}

/// Goes on when the caller has gone: half of an upgrade is worse than one that nobody waits for.
async fn to_its_end(
    work: impl Future<Output = Result<Response, Error>> + Send + 'static,
) -> Result<Response, Error> {
    let ended = tokio::spawn(work).await;
    ended.map_err(|e| Fault::new("the upgrade did not come to its end", e))?
}

fn may_be_raised(standing: &Standing) -> Result<(), Refusal> {
    let obstacles = standing.obstacles();
    if obstacles.is_empty() {
        return Ok(());
    }
    let each = obstacles.iter().map(|obstacle| format!("node {}: {}", obstacle.node, obstacle.why));
    let each = each.collect::<Vec<_>>().join("; ");
    let target = standing.target;
    Err(Refusal::conflict(format!("not every node can run level {target} yet: {each}")))
}

fn may_be_undone(standing: &Standing) -> Result<&Undo, Refusal> {
    match &standing.undo {
        None => Err(Refusal::conflict(format!(
            "the data are of level {}, and there is nothing to undo",
            standing.level
        ))),
        Some(Undo { obstacle: Some(why), .. }) => Err(Refusal::conflict(why)),
        Some(undo) => Ok(undo),
    }
}

fn price(undo: &Undo) -> String {
    let each = undo.losses.iter().map(|loss| format!("{} ({} rows)", loss.what, loss.rows));
    let each: Vec<String> = each.collect();
    let lost = if each.is_empty() { "nothing".to_owned() } else { each.join(", ") };
    format!("must be true: going back to level {} destroys {lost}", undo.to)
}

async fn answer(app: &Shared, done: &Done) -> Result<Response, Error> {
    Ok(done.response(StatusCode::OK, Json(view(&app.replica.standing().await?))))
}

fn view(standing: &Standing) -> Value {
    let nodes = standing.nodes.iter().map(|member| {
        let build = member.build.as_ref();
        json!({
            "node": member.node,
            "reachable": build.is_some(),
            "version": build.map(|build| &build.version),
            "level": build.map(|build| build.level),
        })
    });
    let obstacles = standing.obstacles().into_iter();
    let obstacles = obstacles.map(|found| json!({"node": found.node, "why": found.why}));
    let changes = standing
        .changes
        .iter()
        .map(|step| json!({"level": step.level, "about": step.about, "can_undo": step.can_undo}));
    let undo = standing.undo.as_ref().map(|undo| {
        let losses = undo.losses.iter().map(|loss| json!({"what": loss.what, "rows": loss.rows}));
        json!({
            "to": undo.to,
            "obstacle": undo.obstacle,
            "losses": losses.collect::<Vec<_>>(),
        })
    });
    json!({
        "level": standing.level,
        "target": standing.target,
        "waits": standing.waits(),
        "held": standing.held,
        "nodes": nodes.collect::<Vec<_>>(),
        "obstacles": obstacles.collect::<Vec<_>>(),
        "changes": changes.collect::<Vec<_>>(),
        "undo": undo,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Build, Capability};
    use crate::store::schema::Loss;

    fn standing(builds: &[Option<u32>]) -> Standing {
        let build = |level| Build { version: "1.2.3".to_owned(), level };
        let nodes = (1..).zip(builds);
        let nodes = nodes.map(|(node, level)| Capability { node, build: level.map(build) });
        let target = builds.iter().flatten().copied().max().unwrap_or(1);
        let (nodes, changes) = (nodes.collect(), Vec::new());
        Standing { level: 1, target, held: false, nodes, changes, undo: None }
    }

    #[test]
    fn only_when_every_node_can_run_it_may_the_level_be_raised() {
        assert!(may_be_raised(&standing(&[Some(2), Some(2), Some(2)])).is_ok());
        let refusal = may_be_raised(&standing(&[Some(2), Some(1), None])).unwrap_err();
        assert!(!refusal.detail.contains("node 1:"), "{refusal}");
        assert!(refusal.detail.contains("node 2: it runs 1.2.3, which knows level 1"), "{refusal}");
        assert!(refusal.detail.contains("node 3: it does not answer"), "{refusal}");
        let view = view(&standing(&[Some(2), None]));
        assert_eq!((&view["waits"], &view["obstacles"][0]["node"]), (&json!(true), &json!(2)));
        assert_eq!(
            view["nodes"][1],
            json!({"node": 2, "reachable": false, "version": null,
            "level": null})
        );
    }

    #[test]
    fn undoing_says_its_price_or_what_stands_against_it() {
        let mut standing = standing(&[Some(2)]);
        assert!(may_be_undone(&standing).unwrap_err().detail.contains("nothing to undo"));
        let losses = vec![Loss { what: "node".to_owned(), rows: 3 }];
        standing.undo = Some(Undo { to: 1, losses, obstacle: Some("two nodes".to_owned()) });
        assert_eq!(may_be_undone(&standing).unwrap_err().detail, "two nodes");
        let undo = Undo { obstacle: None, ..standing.undo.unwrap() };
        assert!(price(&undo).contains("level 1 destroys node (3 rows)"), "{}", price(&undo));
    }
}
