//! `greenroom cluster`: who is in it.

use serde_json::{Value, json};

use crate::auth::join::{Side, is_proven, prove, token_id};
use crate::cluster::authority;
use crate::cluster::identity::{Identity, Neighbour, Papers};
use crate::config::settings::Settings;
use crate::domain::id::ClusterId;
use crate::store::directory::{Directory, DirectoryError};

use super::Context;
use super::client::Client;
use super::exit::{Error, Exit};
use super::output;

mod recover;

/// What to do with the cluster.
#[derive(clap::Subcommand)]
pub enum Cluster {
    /// Shows every node: what it is, how far behind, when it was heard of last
    Status {
        /// Prints `{"leader": …, "term": …, "nodes": […]}`
        #[arg(long)]
        json: bool,
    },
    /// Prints a token that lets one machine in, once, within an hour
    Token {
        /// Prints the token with its end as JSON
        #[arg(long)]
        json: bool,
    },
    /// Makes an empty data directory that of a new node, with --token TOKEN from `greenroom cluster
    /// token`; `greenroom serve` then brings it in
    Join {
        /// HTTP address of any node of the cluster: http://HOST:PORT
        node_url: String,
        /// Prints the node's identity as JSON
        #[arg(long)]
        json: bool,
    },
    /// Removes a node for good; its id is never given again
    Remove {
        /// Its id, as `greenroom cluster status` shows it
        id: u64,
    },
    /// Hands leadership to another node
    Stepdown {
        /// To this node [default: the one that is least behind]
        #[arg(long, value_name = "ID")]
        to: Option<u64>,
        /// Prints `{"leader": …}`
        #[arg(long)]
        json: bool,
    },
    /// After most nodes were lost for good: makes the stopped node in the data directory a cluster
    /// of its own
    Recover(recover::Args),
}

pub(super) async fn run(context: &Context, command: Cluster) -> Result<(), Error> {
    let settings = context.settings()?;
    match command {
        Cluster::Status { json } => status(&context.client(&settings)?, json).await,
        Cluster::Token { json } => token(&context.client(&settings)?, json).await,
        Cluster::Join { node_url, json } => {
            let token = context.token.as_deref().ok_or_else(|| {
                Error::usage("a machine joins with --token TOKEN")
                    .next("`greenroom cluster token` on a node of the cluster prints one")
            })?;
            let client = Client::to_url(&node_url, None, context.ca.as_deref())?;
            join(&settings, &client, token, json).await
        }
        Cluster::Remove { id } => remove(&context.client(&settings)?, id).await,
        Cluster::Stepdown { to, json } => {
            let body = json!({"to": to});
            let client = context.client(&settings)?;
            let reply = client.post("/api/v1/admin/cluster/stepdown", &body).await?;
            match json {
                true => output::json(&reply),
                false => output::text(&format!("node {} leads now\n", reply["leader"])),
            }
        }
        Cluster::Recover(args) => recover::run(&settings, &args),
    }
}

async fn status(client: &Client, json: bool) -> Result<(), Error> {
    const PATH: &str = "/api/v1/admin/cluster";
    let (overview, trouble) = match client.get(PATH).await {
        Ok(overview) => (overview, None),
        // Without a leader this node alone says what it knows; the exit code stays that of the
        // failure.
        Err(error) if error.exit() == Exit::Unavailable => {
            match client.get(&format!("{PATH}?stale=ok")).await {
                Ok(overview) => (overview, Some(error)),
                Err(_) => return Err(error),
            }
        }
        Err(error) => return Err(error),
    };
    match json {
        true => output::json(&overview)?,
        false => output::text(&page(&overview))?,
    }
    trouble.map_or(Ok(()), Err)
}

fn page(overview: &Value) -> String {
    let cell = |node: &Value, field: &str| match &node[field] {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    const FIELDS: [&str; 8] =
        ["id", "role", "address", "http", "matched", "lag", "last_contact_ms", "version"];
    let nodes = overview["nodes"].as_array().map(Vec::as_slice).unwrap_or_default();
    let rows: Vec<_> = nodes.iter().map(|node| FIELDS.map(|field| cell(node, field))).collect();
    let header =
        ["node", "role", "for nodes", "for people", "matched", "lag", "heard ms", "release"];
    let leader = match overview["leader"].as_u64() {
        Some(leader) => format!("node {leader} leads, term {}", overview["term"]),
        None => format!("nobody leads, term {}", overview["term"]),
    };
    format!("{leader}\n\n{}", output::table(header, &rows))
}

async fn token(client: &Client, json: bool) -> Result<(), Error> {
    let reply = client.post("/api/v1/admin/cluster/tokens", &json!({})).await?;
    if json {
        return output::json(&reply);
    }
    let of = |field: &str| reply[field].as_str().unwrap_or_default();
    output::note(&format!(
        "It lets one machine in, once, until {}. On that machine:\n\n  greenroom cluster join {} \
         --token {}\n  greenroom serve\n",
        of("expires_at"),
        of("url"),
        of("token"),
    ));
    output::text(&format!("{}\n", of("token")))
}

async fn remove(client: &Client, id: u64) -> Result<(), Error> {
    client.delete(&format!("/api/v1/admin/cluster/nodes/{id}")).await?;
    output::note(&format!("Node {id} was removed. Its machine may be switched off."));
    Ok(())
}

async fn join(settings: &Settings, client: &Client, token: &str, json: bool) -> Result<(), Error> {
    let (node, cluster_id) = enter(settings, client, token).await?;
    if json {
        return output::json(&json!({"node": node, "cluster_id": cluster_id}));
    }
    output::text(&output::facts(&[
        ("node", node.to_string()),
        ("cluster", cluster_id.to_string()),
    ]))?;
    output::note("Start it with `greenroom serve`: it receives everything and then votes.");
    Ok(())
}

/// Shows the token to the cluster and keeps what it grants in the data directory.
pub(super) async fn enter(
    settings: &Settings,
    client: &Client,
    token: &str,
) -> Result<(u64, ClusterId), Error> {
    let Some(id) = token_id(token) else {
        return Err(Error::refused("this is not a join token")
            .next("make one with `greenroom cluster token` on a node of the cluster"));
    };
    let directory = empty_directory(settings)?;
    // The same key at every try: if the answer was lost, the cluster recognises the machine.
    let key = kept_key(&directory)?;
    let said = [id.to_string(), key.public.clone()];
    let said: Vec<&str> = said.iter().map(String::as_str).collect();
    let proof = prove(token, Side::Machine, &said);
    let body = json!({"token_id": id, "public_key": key.public, "proof": proof});
    let reply = client.post("/api/v1/cluster/join", &body).await?;
    let granted = reply["granted"].as_str().unwrap_or_default();
    let proven = reply["proof"].as_str().unwrap_or_default();
    if !is_proven(token, Side::Cluster, &[&proof, granted], proven) {
        return Err(Error::refused("this is not a node of the cluster of this token")
            .why("its answer does not prove that it knows the token")
            .next("look whether the address is right; somebody may stand between"));
    }
    let granted: Granted = serde_json::from_str(granted)
        .map_err(|e| Error::fault("the cluster's answer cannot be read").why(e.to_string()))?;
    let mut identity = Identity::new(granted.node);
    identity.papers = Some(Papers {
        cluster: granted.cluster_id,
        key: key.private,
        certificate: granted.certificate,
        authority: granted.authority,
    });
    identity.peers = granted.peers;
    identity.save(&directory)?;
    let _ = std::fs::remove_file(directory.joining());
    Ok((granted.node, granted.cluster_id))
}

/// What the cluster grants to a machine.
#[derive(serde::Deserialize)]
struct Granted {
    node: u64,
    cluster_id: ClusterId,
    certificate: String,
    authority: String,
    peers: Vec<Neighbour>,
}

/// A machine's key while it joins.
#[derive(serde::Serialize, serde::Deserialize)]
struct Key {
    private: String,
    public: String,
}

/// Opens a directory that holds no node.
fn empty_directory(settings: &Settings) -> Result<Directory, Error> {
    let directory = open(settings)?;
    let taken = [directory.node(), directory.journal(), directory.state()];
    let Some(found) = taken.iter().find(|path| path.exists()) else { return Ok(directory) };
    let what = format!("{} is not an empty data directory", settings.data_dir.display());
    Err(Error::refused(what)
        .why(format!("there is {}", found.display()))
        .next("a node that has joined only needs `greenroom serve`; else name an empty directory"))
}

/// Opens a data directory that no node runs on.
fn open(settings: &Settings) -> Result<Directory, Error> {
    Directory::open(&settings.data_dir).map_err(|error| match error {
        DirectoryError::InUse(_) => Error::refused(error.to_string()),
        DirectoryError::Fault(fault) => fault.into(),
    })
}

fn kept_key(directory: &Directory) -> Result<Key, Error> {
    let path = directory.joining();
    if let Ok(text) = std::fs::read_to_string(&path)
        && let Ok(key) = serde_json::from_str(&text)
    {
        return Ok(key);
    }
    let made = authority::machine_key()?;
    let key = Key { private: made.private, public: made.public };
    let text = serde_json::to_string(&key).map_err(crate::store::Fault::from)?;
    directory.write_secret(&path, &text)?;
    Ok(key)
}
