//! The people of the organisation, for admins and the operator.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::auth::password::check_strength;
use crate::auth::secret::Purpose;
use crate::cluster::fresh;
use crate::domain::command::{Command, NewPerson, Outcome};
use crate::domain::id::PersonId;
use crate::domain::limit;
use crate::domain::person::{Person, Role};
use crate::domain::refusal::{FieldError, Refusal};
use crate::domain::text::{self, Email};
use crate::store::query;

use super::app::{App, Shared};
use super::body::{Done, Empty, Write};
use super::error::Error;
use super::paging::{Paging, page};

/// Somebody new; without a password an invite link is made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PersonBody {
    email: String,
    display_name: String,
    /// admin, manager, interviewer, candidate, observer or service
    role: String,
    #[serde(default)]
    password: Option<String>,
}

/// What of an account an admin can change.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeBody {
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default)]
    role: Option<String>,
    #[serde(default)]
    disabled: Option<bool>,
}

pub(super) async fn list(
    State(app): State<Shared>,
    Query(paging): Query<Paging>,
) -> Result<Json<Value>, Error> {
    let (limit, after) = (paging.limit()?, paging.cursor::<PersonId>()?);
    let people = app.replica.read(move |db| query::person::list(db, after, limit)).await?;
    let items: Vec<Value> = people.iter().map(view).collect();
    Ok(page(items, limit, |item| item["id"].as_str().unwrap_or_default().to_owned()))
}

pub(super) async fn show(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Error> {
    let id = person_id(&id)?;
    let person = app.replica.read(move |db| query::person::by_id(db, id)).await?;
    let person = person.ok_or_else(|| Refusal::not_found("person"))?;
    Ok(Json(view(&person)))
}

pub(super) async fn create(
    State(app): State<Shared>,
    write: Write<PersonBody>,
) -> Result<Response, Error> {
    let command = async || {
        let mut new = checked(&write.body)?;
        if new.role == Role::Admin {
            write.caller.in_person()?;
        }
        match &write.body.password {
            // A program has tokens, and nothing else.
            None if new.role == Role::Service => {}
            Some(_) if new.role == Role::Service => {
                let detail = "a service account has no password; give its program a token";
                return Err(Refusal::field("password", detail).into());
            }
            Some(password) => {
                new.password_hash = Some(app.passwords.hash(password.clone()).await?);
            }
            None => new.invite_expires_at = Some(invite_end(&app)),
        }
        Ok(Command::AddPerson { person: Box::new(new) })
    };
    let done = write.run(&app, command).await?;
    answer(&app, done, StatusCode::CREATED)
}

pub(super) async fn change(
    State(app): State<Shared>,
    Path(id): Path<String>,
    write: Write<ChangeBody>,
) -> Result<Response, Error> {
    let person = person_id(&id)?;
    let body = &write.body;
    let display_name = text::optional_name("display_name", body.display_name.as_deref())?;
    let role = body.role.as_deref().map(role).transpose()?;
    let disabled = body.disabled;
    if role == Some(Role::Admin) {
        write.caller.in_person()?;
    }
    let command = async || Ok(Command::ChangePerson { person, display_name, role, disabled });
    let done = write.run(&app, command).await?;
    answer(&app, done, StatusCode::OK)
}

/// A new invite link, or for somebody who has joined a link to set a new password.
pub(super) async fn invite(
    State(app): State<Shared>,
    Path(id): Path<String>,
    write: Write<Empty>,
) -> Result<Response, Error> {
    let person = person_id(&id)?;
    let expires_at = invite_end(&app);
    let done = write.run(&app, async || Ok(Command::RenewInvite { person, expires_at })).await?;
    answer(&app, done, StatusCode::OK)
}

fn answer(app: &App, done: Done, status: StatusCode) -> Result<Response, Error> {
    let Outcome::Person { person } = &done.outcome else {
        return Err(Refusal::not_found("person").into());
    };
    let mut body = view(person);
    // Only who makes a link sees it; it is derived, so that it is stored nowhere.
    if let Some(end) = person.invite_expires_at {
        let token = app.secrets.link(Purpose::Invite, person.id.0, person.invite_generation);
        body["invite_url"] = json!(format!("{}/invite#{token}", app.public_url));
        body["invite_expires_at"] = json!(end);
    }
    Ok(done.response(status, Json(body)))
}

fn view(person: &Person) -> Value {
    let state = match (person.disabled, person.joined || person.role == Role::Service) {
        (true, _) => "disabled",
        (false, true) => "active",
        (false, false) => "invited",
    };
    json!({
        "id": person.id,
        "email": person.email,
        "display_name": person.display_name,
        "role": person.role,
        "state": state,
        "disabled": person.disabled,
        "created_at": person.created_at,
    })
}

fn checked(body: &PersonBody) -> Result<NewPerson, Refusal> {
    let email = Email::parse("email", &body.email);
    let name = text::name("display_name", &body.display_name);
    let role = role(&body.role);
    let mut wrong: Vec<FieldError> = Vec::new();
    wrong.extend(email.as_ref().err().cloned());
    wrong.extend(name.as_ref().err().cloned());
    wrong.extend(role.as_ref().err().cloned());
    if let Some(password) = &body.password {
        wrong.extend(check_strength(password, &body.email, &[&body.display_name]).err());
    }
    match (email, name, role, wrong.is_empty()) {
        (Ok(email), Ok(display_name), Ok(role), true) => Ok(NewPerson {
            id: PersonId(fresh()),
            email,
            display_name,
            role,
            password_hash: None,
            invite_expires_at: None,
        }),
        _ => Err(Refusal::fields(wrong)),
    }
}

fn role(text: &str) -> Result<Role, FieldError> {
    let roles = "must be admin, manager, interviewer, candidate, observer or service";
    Role::parse(text).ok_or_else(|| text::wrong("role", roles))
}

fn invite_end(app: &App) -> crate::domain::time::Time {
    app.replica.now().plus_ms(limit::INVITE_SECONDS * 1_000)
}

pub(super) fn person_id(text: &str) -> Result<PersonId, Refusal> {
    text.parse().map_err(|_| Refusal::not_found("person"))
}
