//! The cluster at the door: how it stands, join tokens, letting machines in, handing over, removal.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;
use utoipa::ToSchema;

use crate::auth::join::{Side, is_proven, prove};
use crate::auth::secret::Purpose;
use crate::cluster::{NodeView, Overview, Role, Unavailable, authority, fresh};
use crate::domain::command::{Command, Envelope, Outcome};
use crate::domain::limit;
use crate::domain::refusal::{Code, Refusal};

use super::app::Shared;
use super::body::{Empty, Write};
use super::caller::setup_needed;
use super::error::Error;

/// What a machine sends that wants to become a node.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct JoinBody {
    /// The id in its join token; the token itself stays secret.
    #[schema(value_type = String)]
    token_id: uuid::Uuid,
    /// Its Ed25519 public key: 32 bytes in base64.
    public_key: String,
    /// HMAC-SHA-256 over both with the token as the key, in base64url.
    proof: String,
}

/// To whom leadership is to go.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StepDownBody {
    /// A voter; without it, the one that has most of the log.
    #[serde(default)]
    to: Option<u64>,
}

/// How long a removal is waited for.
const REMOVAL_TIME: Duration = Duration::from_secs(10);

/// Between two looks whether it is done.
const LOOK: Duration = Duration::from_millis(20);

pub(super) async fn show(State(app): State<Shared>) -> Result<Json<Value>, Error> {
    Ok(Json(document(&app.replica.overview().await?)))
}

fn document(overview: &Overview) -> Value {
    let nodes: Vec<Value> = overview.nodes.iter().map(node).collect();
    json!({"leader": overview.leader, "term": overview.term, "nodes": nodes})
}

fn node(node: &NodeView) -> Value {
    json!({
        "id": node.id,
        "address": node.address,
        "http": node.http,
        "role": node.role.as_str(),
        "matched": node.matched,
        "lag": node.lag,
        "last_contact_ms": node.last_contact_ms,
        "version": node.version,
        "level": node.level,
    })
}

pub(super) async fn token(
    State(app): State<Shared>,
    write: Write<Empty>,
) -> Result<Response, Error> {
    let command = async || {
        let expires_at = app.replica.now().plus_ms(limit::JOIN_TOKEN_SECONDS * 1_000);
        Ok(Command::InviteNode { token: fresh(), expires_at })
    };
    let done = write.run(&app, command).await?;
    let Outcome::Invited { token, expires_at } = done.outcome else {
        return Err(unexpected(&done.outcome));
    };
    let token = app.secrets.link(Purpose::Join, token, 0);
    let body = Json(json!({"token": token, "expires_at": expires_at, "url": app.public_url}));
    Ok(done.response(StatusCode::CREATED, body))
}

/// Lets a machine in that knows a token. Before setup nobody else hears more than on other routes.
pub(super) async fn join(
    State(app): State<Shared>,
    write: Result<Write<JoinBody>, Error>,
) -> Result<Response, Error> {
    match write {
        Ok(write) => admit(&app, &write.body).await,
        Err(_) if !app.is_set_up() => Err(setup_needed().into()),
        Err(error) => Err(error),
    }
}

/// The machine proves that it knows the token, and so do we.
async fn admit(app: &Shared, body: &JoinBody) -> Result<Response, Error> {
    let token = app.secrets.link(Purpose::Join, body.token_id, 0);
    let said = [&body.token_id.to_string(), body.public_key.as_str()];
    if !is_proven(&token, Side::Machine, &said, &body.proof) {
        if !app.is_set_up() {
            return Err(setup_needed().into());
        }
        let detail = "this is not a join token of this cluster; make one with `greenroom cluster \
            token` on a node of it";
        return Err(Refusal::new(Code::AuthInvalid, detail).into());
    }
    let Some(public_key) = authority::fingerprint(&body.public_key) else {
        return Err(Refusal::field("public_key", "not 32 bytes in base64").into());
    };
    let command = Command::AdmitNode {
        token: body.token_id,
        public_key,
        cluster: String::new(),
        http: String::new(),
    };
    let envelope = Envelope::own(app.replica.now(), command);
    let node = match app.replica.propose(envelope).await? {
        Outcome::Admitted { node } => node,
        Outcome::Refused { refusal } => return Err(refusal.into()),
        other => return Err(unexpected(&other)),
    };
    let admission = app.replica.admission(node, &body.public_key).await?;
    let peers: Vec<Value> = admission
        .peers
        .iter()
        .map(|peer| json!({"node": peer.node, "cluster": peer.cluster, "http": peer.http}))
        .collect();
    let granted = json!({
        "node": admission.node,
        "cluster_id": admission.cluster,
        "certificate": admission.certificate,
        "authority": admission.authority,
        "peers": peers,
    })
    .to_string();
    let proof = prove(&token, Side::Cluster, &[&body.proof, &granted]);
    // As text: what is proven must be the very bytes that are read.
    Ok((StatusCode::CREATED, Json(json!({"granted": granted, "proof": proof}))).into_response())
}

pub(super) async fn step_down(
    State(app): State<Shared>,
    write: Write<StepDownBody>,
) -> Result<Json<Value>, Error> {
    // Who leads is no part of the state: there is nothing that a first result could be kept with.
    let write = write.without_key();
    if let Some(to) = write.body.to
        && (to == app.replica.node() || !app.replica.voters().contains(&to))
    {
        let detail = format!("node {to} is not another voter of this cluster");
        return Err(Refusal::field("to", detail).into());
    }
    match app.replica.hand_over(write.body.to).await? {
        Some(leader) => Ok(Json(json!({"leader": leader, "before": app.replica.node()}))),
        None => {
            let detail = "this is the only voter; add a node before this one steps down";
            Err(Refusal::conflict(detail).into())
        }
    }
}

pub(super) async fn remove(
    State(app): State<Shared>,
    Path(id): Path<u64>,
    write: Write<Empty>,
) -> Result<Response, Error> {
    let overview = app.replica.overview().await?;
    let Some(gone) = overview.nodes.iter().find(|node| node.id == id) else {
        return Err(Refusal::not_found("node").into());
    };
    if is_voter(gone) {
        if app.replica.voters().len() == 1 {
            return Err(Refusal::conflict("this is the last node; stop it instead").into());
        }
        app.replica.check_removal(id).await.map_err(Refusal::conflict)?;
    }
    write.run(&app, async || Ok(Command::RetireNode { node: id })).await?;
    if id == app.replica.node() {
        // The next leader carries it out.
        app.replica.hand_over(None).await?;
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let removed = async {
        while app.replica.is_member(id) {
            tokio::time::sleep(LOOK).await;
        }
    };
    match tokio::time::timeout(REMOVAL_TIME, removed).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT.into_response()),
        Err(_) => Err(Unavailable::Unknown.into()),
    }
}

fn is_voter(node: &NodeView) -> bool {
    matches!(node.role, Role::Leader | Role::Voter)
}

fn unexpected(outcome: &Outcome) -> Error {
    crate::store::Fault::plain(format!("an unexpected outcome: {outcome:?}")).into()
}
