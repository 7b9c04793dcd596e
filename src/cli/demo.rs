//! `greenroom demo`: a sample interview, replayed on an instance that is thrown away afterwards.
//!
//! Everything goes the way that people and browsers go: HTTP, a ticket, a WebSocket. Nothing is
//! put into the store behind the product's back, so what is shown is what the product does.

mod instance;
mod script;

mod cast;
mod replay;
mod summary;

use std::time::Duration;

use serde_json::{Value, json};

use crate::insight::report::Report;

use super::client::Client;
use super::exit::Error;
use super::output::{self, note};
use cast::{Cast, Login};
use instance::{Instance, Interrupt};
use replay::{Progress, Replay};
use script::Script;
use summary::Origin;

/// How the demo runs.
#[derive(clap::Args)]
pub struct Args {
    /// Ends after the replay, with a summary of the report on stdout
    #[arg(long)]
    once: bool,
    /// Prints the whole report as JSON instead of the summary
    #[arg(long, requires = "once")]
    json: bool,
    /// Address and port of the instance; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: String,
}

/// Between two pieces of typed text: as fast as a replay can be and still be seen.
const PACE: Duration = Duration::from_millis(15);

/// Shares of the report hold for a day; the instance ends sooner.
const SHARE_SECONDS: u64 = 86_400;

pub(super) async fn run(args: Args) -> Result<(), Error> {
    let script = Script::built_in();
    // From here on a signal ends the demo in order, so that nothing stays behind.
    let mut interrupt = Interrupt::new()?;
    let instance = tokio::select! {
        started = Instance::start(&args.listen) => started?,
        () = interrupt.wait() => return Err(interrupted()),
    };
    let shown = tokio::select! {
        shown = show(&args, &script, &instance) => shown,
        () = interrupt.wait() => Err(interrupted()),
    };
    if shown.is_ok() && !args.once {
        interrupt.wait().await;
    }
    instance.stop().await;
    shown
}

fn interrupted() -> Error {
    Error::refused("the demo was stopped before its end; its instance is removed")
}

async fn show(args: &Args, script: &Script, instance: &Instance) -> Result<(), Error> {
    let client = Client::to_address(instance.address());
    let cast = Cast::settle(&client, script, instance.setup_token()).await?;
    let candidate = client.signed_in(cast.candidate()?.token.as_str());
    candidate.put("/api/v1/me/context", &json!(script.context)).await?;
    let kit = kit(&candidate, script).await?;

    for (title, questions) in &script.earlier() {
        let texts: Vec<&str> = questions.iter().filter_map(|id| kit.text(id)).collect();
        let body = script.practice(title, json!({"questions": texts}));
        let progress = Progress::silent();
        replayed(instance, &candidate, body, &kit, Duration::ZERO, progress).await?;
    }
    let body = script.practice(&script.interview.title, json!({"kit_id": script.interview.kit}));
    let pace = if args.once { Duration::ZERO } else { PACE };
    let progress = Progress::shown(script.answers.len());
    let (id, replay) = replayed(instance, &candidate, body, &kit, pace, progress).await?;

    let document = candidate.get(&format!("/api/v1/interviews/{id}/report")).await?;
    if args.once && args.json {
        return output::json(&document);
    }
    let report: Report = serde_json::from_value(document)
        .map_err(|error| Error::fault("the report cannot be read").why(error.to_string()))?;
    if args.once {
        let title = &script.interview.title;
        let candidate = &cast.candidate()?.display_name;
        let origin = Origin { title, candidate, kit: &kit.name, replay: &replay };
        return output::text(&summary::print(&report, &origin));
    }
    let share = json!({"expires_in": SHARE_SECONDS});
    let share = candidate.post(&format!("/api/v1/interviews/{id}/shares"), &share).await?;
    let shared = share["url"].as_str().unwrap_or_default();
    output::text(&links(instance.url(), &id, shared, &cast.logins))?;
    note("Ctrl-C stops the demo and removes everything that belongs to it.");
    Ok(())
}

/// A practice from its making to its report.
async fn replayed(
    instance: &Instance,
    candidate: &Client,
    body: Value,
    kit: &Kit<'_>,
    pace: Duration,
    progress: Progress,
) -> Result<(String, Replay), Error> {
    let interview = candidate.post("/api/v1/interviews", &body).await?;
    let id = interview["id"].as_str().unwrap_or_default().to_owned();
    let ticket = candidate.post(&format!("/api/v1/interviews/{id}/ticket"), &json!({})).await?;
    let replay = replay::play(instance.address(), &ticket, &kit.answers, pace, progress);
    Ok((id, replay.await?))
}

/// The kit's questions beside the script's answers to them.
struct Kit<'a> {
    name: String,
    /// Question and answer, both as texts.
    answers: Vec<(String, &'a str)>,
    ids: Vec<&'a str>,
}

impl Kit<'_> {
    fn text(&self, id: &str) -> Option<&str> {
        let n = self.ids.iter().position(|known| *known == id)?;
        Some(&self.answers[n].0)
    }
}

async fn kit<'a>(client: &Client, script: &'a Script) -> Result<Kit<'a>, Error> {
    let id = &script.interview.kit;
    let kit = client.get(&format!("/api/v1/kits/{id}")).await?;
    let text = |id: &str| {
        let mut questions = kit["questions"].as_array()?.iter();
        questions.find(|question| question["id"] == id)?["text"].as_str()
    };
    let (mut answers, mut ids) = (Vec::new(), Vec::new());
    for answer in &script.answers {
        let question = text(&answer.question).ok_or_else(|| {
            let what = format!("the kit {id} has no question `{}`", answer.question);
            Error::fault(what).why("the demo's script and the kit do not fit together")
        })?;
        answers.push((question.to_owned(), answer.text.as_str()));
        ids.push(answer.question.as_str());
    }
    Ok(Kit { name: format!("{id}, version {}", kit["version"]), answers, ids })
}

fn links(url: &str, id: &str, shared: &str, logins: &[Login]) -> String {
    let links = [
        ("start page", format!("{url}/")),
        ("report", format!("{url}/reports/{id}")),
        ("shared report", shared.to_owned()),
    ];
    let row = |login: &Login| {
        let Login { email, password, role, display_name, .. } = login;
        [email, password, role, display_name].map(String::clone)
    };
    let rows: Vec<_> = logins.iter().map(row).collect();
    let people = output::table(["e-mail", "password", "role", "name"], &rows);
    format!("{}\n{people}", output::facts(&links))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_logins_are_whole() {
        let login = Login {
            email: "linh@example.org".into(),
            display_name: "Linh".into(),
            role: "candidate".into(),
            password: "secret-secret".into(),
            token: "t".into(),
        };
        let page = links("http://127.0.0.1:1", "7", "http://127.0.0.1:1/shared#x", &[login]);
        for wanted in [
            "http://127.0.0.1:1/\n",
            "http://127.0.0.1:1/reports/7\n",
            "http://127.0.0.1:1/shared#x\n",
            "linh@example.org  secret-secret  candidate  Linh\n",
        ] {
            assert!(page.contains(wanted), "{page}");
        }
    }
}
