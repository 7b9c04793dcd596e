//! The people of the demo: each joins the way that people join.

use serde_json::{Value, json};

use crate::auth::secret::random_token;
use crate::cli::client::Client;
use crate::cli::exit::Error;

use super::script::{Script, Somebody};

/// Everybody, signed in.
pub(super) struct Cast {
    pub(super) logins: Vec<Login>,
}

/// Somebody who has joined.
pub(super) struct Login {
    pub(super) email: String,
    pub(super) display_name: String,
    pub(super) role: String,
    pub(super) password: String,
    /// The access token.
    pub(super) token: String,
}

/// Ninety-six bits of chance, and still short enough to be typed from the screen.
const PASSWORD_CHARS: usize = 16;

impl Cast {
    /// Sets the instance up and lets everybody join.
    pub(super) async fn settle(
        client: &Client,
        script: &Script,
        setup_token: Option<&str>,
    ) -> Result<Cast, Error> {
        let is_admin = |person: &&Somebody| person.role == "admin";
        let admin = script.people.iter().find(is_admin).ok_or_else(|| nobody("admin"))?;
        let token = setup_token.ok_or_else(|| Error::fault("the instance has no setup token"))?;
        let password = password();
        let body = json!({
            "token": token,
            "organisation": script.organisation.name,
            "email": admin.email,
            "display_name": admin.display_name,
            "password": password,
        });
        let first = client.post("/api/v1/setup", &body).await?;
        let first = login(admin, password, &first)?;
        let admins = client.signed_in(first.token.as_str());
        let mut logins = vec![first];
        for person in script.people.iter().filter(|person| person.email != admin.email) {
            logins.push(join(client, &admins, person).await?);
        }
        Ok(Cast { logins })
    }

    /// Who practises.
    pub(super) fn candidate(&self) -> Result<&Login, Error> {
        let found = self.logins.iter().find(|login| login.role == "candidate");
        found.ok_or_else(|| nobody("candidate"))
    }
}

/// Invited by the admin, accepted by the person.
async fn join(client: &Client, admin: &Client, person: &Somebody) -> Result<Login, Error> {
    let Somebody { email, display_name, role } = person;
    let body = json!({"email": email, "display_name": display_name, "role": role});
    let invited = admin.post("/api/v1/people", &body).await?;
    let token = invited["invite_url"].as_str().and_then(token_of);
    let token = token.ok_or_else(|| Error::fault(format!("the invite of {email} has no token")))?;
    let password = password();
    let body = json!({"token": token, "display_name": display_name, "password": password});
    let accepted = client.post("/api/v1/auth/accept", &body).await?;
    login(person, password, &accepted)
}

fn login(person: &Somebody, password: String, reply: &Value) -> Result<Login, Error> {
    let token = reply["access_token"].as_str();
    let token = token.ok_or_else(|| Error::fault("a login came without an access token"))?;
    Ok(Login {
        email: person.email.clone(),
        display_name: person.display_name.clone(),
        role: person.role.clone(),
        password,
        token: token.to_owned(),
    })
}

/// What stands behind the `#` of a link.
fn token_of(link: &str) -> Option<&str> {
    link.split_once('#').map(|(_, token)| token).filter(|token| !token.is_empty())
}

fn password() -> String {
    random_token().chars().take(PASSWORD_CHARS).collect()
}

fn nobody(role: &str) -> Error {
    Error::fault(format!("the demo's script has no {role}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_of_a_link_stands_behind_the_hash() {
        assert_eq!(token_of("http://a/invite#abc"), Some("abc"));
        assert_eq!(token_of("http://a/invite#"), None);
        assert_eq!(token_of("http://a/invite"), None);
    }

    #[test]
    fn passwords_are_long_and_differ() {
        let (one, two) = (password(), password());
        assert_eq!(one.chars().count(), PASSWORD_CHARS);
        assert!(PASSWORD_CHARS >= crate::domain::limit::PASSWORD_CHARS_MIN && one != two);
    }
}
