//! `greenroom upgrade`: the level of the data, on a running node.

use serde_json::{Value, json};

use super::Context;
use super::exit::Error;
use super::output;

/// What to do with the level of the data.
#[derive(clap::Subcommand)]
pub enum Upgrade {
    /// Says whether every node can run the newest level; exit code 1 if one cannot
    Check {
        /// Prints the same document as `status`
        #[arg(long)]
        json: bool,
    },
    /// Shows the level of the data, what each node can run, and what finalizing would change
    Status {
        /// Prints the document of `/api/v1/admin/upgrade`
        #[arg(long)]
        json: bool,
    },
    /// Raises the data to the newest level; with more than one node there is no way back
    Finalize {
        /// Prints the new status as JSON
        #[arg(long)]
        json: bool,
    },
    /// Takes the last raise back, so that the release before can open the data; one node only
    Undo {
        /// Accepts that what the lower level has no place for is destroyed
        #[arg(long)]
        yes: bool,
        /// Prints the new status as JSON
        #[arg(long)]
        json: bool,
    },
}

const PATH: &str = "/api/v1/admin/upgrade";

pub(super) async fn run(context: &Context, command: Upgrade) -> Result<(), Error> {
    let settings = context.settings()?;
    let client = context.client(&settings)?;
    let status = client.get(PATH).await?;
    match command {
        Upgrade::Check { json } => {
            if json {
                output::json(&status)?;
            }
            check(&status)
        }
        Upgrade::Status { json } => show(&status, json),
        Upgrade::Finalize { json } => {
            let raised = client.post(&format!("{PATH}/finalize"), &json!({})).await?;
            output::note(&format!("The data are of level {}.", raised["level"]));
            show(&raised, json)
        }
        Upgrade::Undo { yes, json } => {
            may_lose(&status, yes)?;
            let body = json!({"accept_loss": true});
            let lowered = client.post(&format!("{PATH}/undo"), &body).await?;
            output::note(&format!(
                "The data are of level {} and stay there. Now stop this node, install the release \
                 before, and start that. To go up again: `greenroom upgrade finalize`.",
                lowered["level"]
            ));
            show(&lowered, json)
        }
    }
}

fn show(status: &Value, json: bool) -> Result<(), Error> {
    if json { output::json(status) } else { output::text(&page(status)) }
}

fn check(status: &Value) -> Result<(), Error> {
    let obstacles: Vec<String> = list(status, "obstacles")
        .iter()
        .map(|found| format!("node {}: {}", found["node"], word(&found["why"])))
        .collect();
    if !obstacles.is_empty() {
        let what = format!("not every node can run level {}", status["target"]);
        return Err(Error::refused(what)
            .why(obstacles.join("\n"))
            .next("bring each to the new release, then ask again"));
    }
    output::note(&match status["waits"] == true {
        true => format!(
            "Every node can run level {}; the data are of level {}. Next: `greenroom upgrade \
             finalize`.",
            status["target"], status["level"]
        ),
        false => format!("The data are of level {}; there is nothing to do.", status["level"]),
    });
    Ok(())
}

/// What undoing costs is said before it is asked for.
fn may_lose(status: &Value, yes: bool) -> Result<(), Error> {
    let undo = &status["undo"];
    // Without a way back, the node says why.
    if yes || undo.is_null() || !undo["obstacle"].is_null() {
        return Ok(());
    }
    let losses = list(undo, "losses");
    let lost = losses.iter().map(|loss| format!("{} ({} rows)", word(&loss["what"]), loss["rows"]));
    let lost = lost.collect::<Vec<_>>().join("\n");
    let what = format!("going back to level {} destroys data; nothing was done", undo["to"]);
    Err(Error::refused(what)
        .why(if lost.is_empty() { "nothing would be lost".to_owned() } else { lost })
        .next("make a backup, then say --yes"))
}

fn page(status: &Value) -> String {
    let mut facts = vec![("level", status["level"].to_string())];
    let waits = status["waits"] == true;
    let (target, held) = (&status["target"], status["held"] == true);
    facts.push(match (waits, held) {
        (false, _) => ("waits", "no".to_owned()),
        (true, false) => ("waits", format!("yes, for `greenroom upgrade finalize` to {target}")),
        (true, true) => ("waits", format!("yes: undone; `greenroom upgrade finalize` to {target}")),
    });
    for step in list(status, "changes") {
        facts.push(("brings", format!("{}: {}", step["level"], word(&step["about"]))));
    }
    let undo = &status["undo"];
    facts.push(match (undo["to"].as_u64(), undo["obstacle"].as_str()) {
        (None, _) => ("undo", "nothing to undo".to_owned()),
        (Some(to), None) => ("undo", format!("leads to level {to}")),
        (Some(to), Some(why)) => ("undo", format!("not to level {to}: {why}")),
    });
    let rows: Vec<[String; 4]> = list(status, "nodes")
        .iter()
        .map(|node| {
            let or = |value: &Value, none: &str| match value {
                Value::Null => none.to_owned(),
                value => word(value),
            };
            let why = list(status, "obstacles").into_iter().find(|o| o["node"] == node["node"]);
            let why = why.map_or_else(String::new, |obstacle| word(&obstacle["why"]));
            [node["node"].to_string(), or(&node["version"], "-"), or(&node["level"], "-"), why]
        })
        .collect();
    output::facts(&facts) + "\n" + &output::table(["node", "release", "level", "obstacle"], &rows)
}

fn list(value: &Value, name: &str) -> Vec<Value> {
    value[name].as_array().cloned().unwrap_or_default()
}

/// A text without its quotes; anything else as it is.
fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::exit::Exit;

    fn status() -> Value {
        json!({
            "level": 1, "target": 2, "waits": true, "held": false,
            "nodes": [
                {"node": 1, "reachable": true, "version": "1.2.3", "level": 2},
                {"node": 2, "reachable": false, "version": null, "level": null},
            ],
            "obstacles": [{"node": 2, "why": "it does not answer"}],
            "changes": [{"level": 2, "about": "more nodes", "can_undo": true}],
            "undo": null,
        })
    }

    #[test]
    fn the_page_names_each_node_and_what_keeps_it() {
        let shown = page(&status());
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[0], "level   1");
        assert!(lines.contains(&"brings  2: more nodes"), "{shown}");
        assert!(lines.contains(&"1     1.2.3    2"), "{shown}");
        assert!(lines.contains(&"2     -        -      it does not answer"), "{shown}");
    }

    #[test]
    fn a_check_fails_while_a_node_is_in_the_way() {
        let error = check(&status()).unwrap_err();
        assert_eq!(error.exit(), Exit::Refused);
        assert!(error.to_string().contains("node 2: it does not answer"), "{error}");
        let mut ready = status();
        ready["obstacles"] = json!([]);
        assert!(check(&ready).is_ok());
    }

    #[test]
    fn what_is_lost_is_said_before_it_is() {
        let mut status = status();
        assert!(may_lose(&status, false).is_ok(), "the node says that there is nothing to undo");
        status["undo"] =
            json!({"to": 1, "obstacle": null, "losses": [{"what": "node", "rows": 2}]});
        let error = may_lose(&status, false).unwrap_err().to_string();
        assert!(error.contains("node (2 rows)") && error.contains("--yes"), "{error}");
        assert!(may_lose(&status, true).is_ok());
    }
}
