//! `greenroom cluster recover`: after a quorum was lost for good.

use serde_json::json;

use crate::cluster::anew::{self, Remains};
use crate::config::settings::Settings;

use super::super::exit::Error;
use super::super::output;

/// What the operator has to say.
#[derive(clap::Args)]
pub struct Args {
    /// Yes, what only the other nodes had is lost, and they must never be started again
    #[arg(long)]
    accept_data_loss: bool,
    /// Prints what was kept and given up as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(settings: &Settings, args: &Args) -> Result<(), Error> {
    if !settings.data_dir.join("state.db").exists() {
        let what = format!("there is no node in {}", settings.data_dir.display());
        return Err(Error::refused(what).next("name its data directory with --data-dir"));
    }
    let directory = super::open(settings)?;
    let remains = anew::remains(&directory)?;
    let statement = statement(&remains);
    if !args.accept_data_loss {
        output::note(&statement);
        return Err(Error::refused("nothing was changed").next(
            "if you agree, and the other nodes are switched off for good, add --accept-data-loss; \
             if a majority of them can be started, start those instead",
        ));
    }
    let lost: Vec<String> = given_up(&remains).map(|(id, _)| id.to_string()).collect();
    let mut loss = format!(
        "recovered from node {} alone at index {}; whatever only nodes {} had is lost",
        remains.was.unwrap_or_default(),
        remains.index,
        lost.join(", ")
    );
    if remains.damage.is_some() {
        loss.push_str("; the journal was damaged, and what only it had is lost too");
    }
    let begun = anew::begin_anew(&directory, "recover", &loss)?;
    if args.json {
        let lost: Vec<u64> = given_up(&begun).map(|(id, _)| *id).collect();
        return output::json(&json!({
            "node": begun.node,
            "index": begun.index,
            "newest_at": begun.newest,
            "given_up": lost,
        }));
    }
    output::text(&output::facts(&[
        ("node", begun.node.to_string()),
        ("up to entry", begun.index.to_string()),
        ("newest write", begun.newest.to_string()),
    ]))?;
    output::note("Start it with `greenroom serve`. New nodes join it with new tokens.");
    Ok(())
}

fn given_up(remains: &Remains) -> impl Iterator<Item = &(u64, String)> {
    remains.nodes.iter().filter(|(id, _)| Some(*id) != remains.was)
}

fn statement(remains: &Remains) -> String {
    let damage = remains.damage.as_ref().map_or_else(String::new, |damage| {
        format!("LOST: what only the journal of this node had, because {damage}.\n")
    });
    let others: Vec<String> =
        given_up(remains).map(|(id, address)| format!("  node {id} ({address})")).collect();
    format!(
        "This makes the copy in this directory a new cluster of one node.\n\
         It has everything up to entry {} of the log; its newest write is of {}.\n\
         LOST: every write after that which only these nodes have, even if somebody was told that \
         it is safe:\n{}\n{damage}\
         They belong to the old cluster and can never come back into this one. Access tokens of \
         programs end; rooms begin a new epoch; the audit log says so.\n",
        remains.index,
        remains.newest,
        if others.is_empty() { "  (no other node is known)".to_owned() } else { others.join("\n") },
    )
}
