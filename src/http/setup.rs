//! First run: organisation and admin.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::PoisonError;
use utoipa::ToSchema;

use crate::auth::password::check_strength;
use crate::cluster::fresh;
use crate::domain::command::{Command, NewPerson, Outcome};
use crate::domain::id::PersonId;
use crate::domain::person::Role;
use crate::domain::refusal::{Code, FieldError, Refusal};
use crate::domain::text::{self, Email};

use super::account;
use super::app::Shared;
use super::body::Write;
use super::error::Error;

/// What the first run asks for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SetupBody {
    /// The one-time token that the node printed.
    token: String,
    organisation: String,
    email: String,
    display_name: String,
    password: String,
}

pub(super) async fn show(State(app): State<Shared>) -> Result<Json<Value>, Error> {
    Ok(Json(json!({"needed": !app.look_whether_set_up().await?})))
}

pub(super) async fn create(
    State(app): State<Shared>,
    write: Write<SetupBody>,
) -> Result<Response, Error> {
    // It happens once, so that all who try it share its keys.
    let write = write.under(&app, "setup".to_owned())?;
    let done = write.run(&app, async || command(&app, &write.body).await).await?;
    app.note_set_up();
    match &done.outcome {
        Outcome::SignedIn { person, session } => {
            Ok(account::signed_in(&app, &done, StatusCode::CREATED, person, session))
        }
        _ => Err(Refusal::new(Code::SetupDone, "setup was done before; sign in instead").into()),
    }
}

async fn command(app: &Shared, body: &SetupBody) -> Result<Command, Error> {
    if app.look_whether_set_up().await? {
        let detail = "setup was done before; sign in instead";
        return Err(Refusal::new(Code::SetupDone, detail).into());
    }
    let expected = app.setup_token.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if expected.as_deref() != Some(body.token.trim()) {
        return Err(Refusal::new(
            Code::AuthInvalid,
            "the setup token is not the one that this node printed; it is also in the file \
             `setup-token` in the data directory",
        )
        .into());
    }
    let email = Email::parse("email", &body.email);
    let name = text::name("display_name", &body.display_name);
    let organisation = text::name("organisation", &body.organisation);
    let strength =
        check_strength(&body.password, &body.email, &[&body.display_name, &body.organisation]);
    let mut wrong: Vec<FieldError> = Vec::new();
    wrong.extend(organisation.as_ref().err().cloned());
    wrong.extend(email.as_ref().err().cloned());
    wrong.extend(name.as_ref().err().cloned());
    wrong.extend(strength.err());
    let (Ok(email), Ok(display_name), Ok(organisation), true) =
        (email, name, organisation, wrong.is_empty())
    else {
        return Err(Refusal::fields(wrong).into());
    };
    let password_hash = Some(app.passwords.hash(body.password.clone()).await?);
    let id = PersonId(fresh());
    let role = Role::Admin;
    let admin = NewPerson { id, email, display_name, role, password_hash, invite_expires_at: None };
    let session = account::new_session(app, id);
    Ok(Command::SetUp { organisation, admin: Box::new(admin), session })
}
