//! `greenroom person`: the people of the organisation, on a running node.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::domain::limit;

use super::Context;
use super::client::{Client, query_value};
use super::exit::Error;
use super::output;

/// What to do with people.
#[derive(clap::Subcommand)]
pub enum Person {
    /// Adds a person and prints the invite link
    Add {
        /// E-mail address, with which the person will sign in
        #[arg(long)]
        email: String,
        /// Name that others see; the person can change it
        #[arg(long)]
        name: String,
        /// What the person may do
        #[arg(long, value_parser = ["admin", "manager", "interviewer", "candidate", "observer"])]
        role: String,
        /// Prints the person with the link as JSON
        #[arg(long)]
        json: bool,
    },
    /// Lists everybody
    List {
        /// Prints `{"items": […]}`
        #[arg(long)]
        json: bool,
    },
    /// Prints a new link to join, or to choose a new password; older links hold no longer
    ResetLink {
        /// E-mail address or id
        person: String,
        /// Prints the person with the link as JSON
        #[arg(long)]
        json: bool,
    },
    /// Closes an account: its logins end at once, its interviews stay
    Disable {
        /// E-mail address or id
        person: String,
        /// Prints the person as JSON
        #[arg(long)]
        json: bool,
    },
    /// Erases somebody for good: account, practices, CV, and from every file within a minute
    Erase {
        /// E-mail address or id
        person: String,
        /// Does it without asking
        #[arg(long)]
        yes: bool,
        /// Prints the receipt as JSON
        #[arg(long)]
        json: bool,
    },
    /// Lists the receipts of what was erased, the newest first
    Erased {
        /// Prints `{"items": […]}`, as `backup restore --erasures` takes it
        #[arg(long)]
        json: bool,
    },
    /// Opens a closed account again
    Enable {
        /// E-mail address or id
        person: String,
        /// Prints the person as JSON
        #[arg(long)]
        json: bool,
    },
}

/// Pages until everybody was seen.
const PAGES_MAX: usize = limit::PEOPLE_MAX / limit::PAGE_ITEMS_MAX + 1;

pub(super) async fn run(context: &Context, command: Person) -> Result<(), Error> {
    let settings = context.settings()?;
    let client = context.client(&settings)?;
    match command {
        Person::Add { email, name, role, json } => {
            let body = json!({"email": email, "display_name": name, "role": role});
            let reply = client.post("/api/v1/people", &body).await?;
            link(&reply, json)
        }
        Person::List { json } => {
            let people = all(&client).await?;
            match json {
                true => output::json(&json!({"items": people})),
                false => output::text(&table(&people)),
            }
        }
        Person::ResetLink { person, json } => {
            let id = id_of(&client, &person).await?;
            let reply = client.post(&format!("/api/v1/people/{id}/invite"), &json!({})).await?;
            link(&reply, json)
        }
        Person::Erase { person, yes, json } => erase(&client, &person, yes, json).await,
        Person::Erased { json } => {
            let receipts = every(&client, "/api/v1/admin/erasures").await?;
            match json {
                true => output::json(&json!({"items": receipts})),
                false => output::text(&receipts_table(&receipts)),
            }
        }
        Person::Disable { person, json } => switch(&client, &person, true, json).await,
        Person::Enable { person, json } => switch(&client, &person, false, json).await,
    }
}

async fn switch(client: &Client, person: &str, disabled: bool, json: bool) -> Result<(), Error> {
    let id = id_of(client, person).await?;
    let body = json!({"disabled": disabled});
    let changed = client.patch(&format!("/api/v1/people/{id}"), &body).await?;
    match json {
        true => output::json(&changed),
        false => output::text(&table(&[changed])),
    }
}

async fn erase(client: &Client, person: &str, yes: bool, json: bool) -> Result<(), Error> {
    let id = id_of(client, person).await?;
    if !yes {
        return Err(Error::refused(format!("this erases {person} and cannot be taken back"))
            .next("say --yes if you mean it; `person disable` only closes the account"));
    }
    let receipt = client.delete(&format!("/api/v1/people/{id}")).await?;
    match json {
        true => output::json(&receipt),
        false => output::text(&receipts_table(&[receipt])),
    }
}

fn receipts_table(receipts: &[Value]) -> String {
    let rows: Vec<_> = receipts
        .iter()
        .map(|receipt| {
            let of = |field: &str| receipt[field].as_str().unwrap_or_default().to_owned();
            let counts = receipt["counts"].as_object().into_iter().flatten();
            let counts: Vec<_> = counts.map(|(what, n)| format!("{n} {what}")).collect();
            [of("erased_at"), of("receipt_id"), of("person_id"), counts.join(", ")]
        })
        .collect();
    output::table(["erased", "receipt", "person", "what went"], &rows)
}

/// The link alone on stdout, so that a script can take it as it is.
fn link(person: &Value, json: bool) -> Result<(), Error> {
    if json {
        return output::json(person);
    }
    let of = |field: &str| person[field].as_str().unwrap_or_default();
    let Some(url) = person["invite_url"].as_str() else {
        return Err(Error::fault("the node gave no link"));
    };
    output::note(&format!(
        "Give this link to {} <{}>, and to nobody else. It holds until {}.",
        of("display_name"),
        of("email"),
        of("invite_expires_at"),
    ));
    output::text(&format!("{url}\n"))
}

fn table(people: &[Value]) -> String {
    const FIELDS: [&str; 6] = ["email", "display_name", "role", "state", "created_at", "id"];
    let of = |person: &Value, field: &str| person[field].as_str().unwrap_or_default().to_owned();
    let rows: Vec<_> = people.iter().map(|p| FIELDS.map(|field| of(p, field))).collect();
    output::table(["e-mail", "name", "role", "state", "since", "id"], &rows)
}

async fn all(client: &Client) -> Result<Vec<Value>, Error> {
    every(client, "/api/v1/people").await
}

/// A whole list.
async fn every(client: &Client, list: &str) -> Result<Vec<Value>, Error> {
    let mut people = Vec::new();
    let mut path = format!("{list}?limit={}", limit::PAGE_ITEMS_MAX);
    for _ in 0..PAGES_MAX {
        let mut page = client.get(&path).await?;
        if let Value::Array(items) = page["items"].take() {
            people.extend(items);
        }
        let Some(next) = page["next"].as_str() else { return Ok(people) };
        path = format!("{list}?limit={}&cursor={}", limit::PAGE_ITEMS_MAX, query_value(next));
    }
    Err(Error::fault(format!("the list has no end after {PAGES_MAX} pages")))
}

/// An id stands for itself; an e-mail address is looked up.
async fn id_of(client: &Client, person: &str) -> Result<Uuid, Error> {
    if let Ok(id) = Uuid::try_parse(person) {
        return Ok(id);
    }
    let wanted = person.trim().to_lowercase();
    let people = all(client).await?;
    let found = people.iter().find(|person| person["email"].as_str() == Some(&wanted));
    let id = found.and_then(|person| person["id"].as_str()?.parse().ok());
    id.ok_or_else(|| {
        Error::refused(format!("nobody here has the e-mail address or id `{person}`"))
            .next("`greenroom person list` shows everybody")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_shown_one_a_line() {
        let people = [json!({
            "id": "7", "email": "linh@example.org", "display_name": "Linh\nPham",
            "role": "observer", "state": "invited", "created_at": "2026-01-02T03:04:05.678Z",
        })];
        let shown = table(&people);
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines.len(), 2, "{shown}");
        assert!(lines[1].starts_with("linh@example.org  Linh Pham  observer  invited"), "{shown}");
    }
}
