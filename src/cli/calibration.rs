//! `greenroom calibration`: the weights of scores, on a running node; a file without one.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::insight::calibration::golden;
use crate::insight::{Calibration as Weights, Engine, FILE_BYTES_MAX};

use super::Context;
use super::client::{Client, query_value};
use super::exit::Error;
use super::output;

/// What to do with calibrations.
#[derive(clap::Subcommand)]
pub enum Calibration {
    /// Lists them, and which one is in force
    List {
        /// Prints the document of `/api/v1/calibrations`
        #[arg(long)]
        json: bool,
    },
    /// Prints the file of one of them
    Show {
        /// Its version
        version: String,
        /// Prints the document with weights, modes and golden results
        #[arg(long)]
        json: bool,
    },
    /// Checks a file by every rule, and says what it makes of the golden set; needs no node
    Check {
        /// The file
        file: PathBuf,
        /// Prints version, hash and golden differences as JSON
        #[arg(long)]
        json: bool,
    },
    /// Takes a file in as a version that never changes; it weighs nothing until it is activated
    Add {
        /// The file
        file: PathBuf,
        /// Prints it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Weighs answers by it from now on; results that are stored stay as they are
    Activate {
        /// Its version
        version: String,
        /// Prints it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Activates the one again that was in force before
    Rollback {
        /// Prints it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Says what the second would change against the first, over stored answers
    Drift {
        /// The version to compare against
        from: String,
        /// The version that is asked about
        to: String,
        /// Prints the whole report as JSON
        #[arg(long)]
        json: bool,
    },
}

const PATH: &str = "/api/v1/calibrations";

/// Golden differences that are shown to people; all are in the JSON.
const DIFFERENCES_SHOWN: usize = 20;

pub(super) async fn run(context: &Context, command: Calibration) -> Result<(), Error> {
    if let Calibration::Check { file, json } = &command {
        return check(file, *json);
    }
    let settings = context.settings()?;
    let client = context.client(&settings)?;
    match command {
        Calibration::Check { .. } => Ok(()),
        Calibration::List { json } => {
            let all = client.get(PATH).await?;
            if json { output::json(&all) } else { output::text(&list(&all)) }
        }
        Calibration::Show { version, json } => {
            let one = client.get(&path(&version, "")).await?;
            match one["toml"].as_str() {
                Some(file) if !json => output::text(file),
                _ => output::json(&one),
            }
        }
        Calibration::Add { file, json } => {
            let (weights, text) = read(&file)?;
            let version = weights.id().version.clone();
            let added = client.post(PATH, &json!({"version": version, "toml": text})).await?;
            output::note(&format!(
                "Taken in. Next: `greenroom calibration drift {} {version}`, then `activate`.",
                client.get(PATH).await?["active"].as_str().unwrap_or_default()
            ));
            told(&added, json)
        }
        Calibration::Activate { version, json } => activate(&client, &version, json).await,
        Calibration::Rollback { json } => {
            let all = client.get(PATH).await?;
            activate(&client, &before(&all)?, json).await
        }
        Calibration::Drift { from, to, json } => {
            let query = format!("/drift?against={}", query_value(&from));
            let drift = client.get(&path(&to, &query)).await?;
            if json { output::json(&drift) } else { output::text(&report(&drift)) }
        }
    }
}

async fn activate(client: &Client, version: &str, json: bool) -> Result<(), Error> {
    let active = client.post(&path(version, "/activate"), &json!({})).await?;
    output::note(&format!("Answers are weighed by {version} from now on."));
    told(&active, json)
}

fn told(one: &Value, json: bool) -> Result<(), Error> {
    match json {
        true => output::json(one),
        false => output::text(&list(&json!({"items": [one]}))),
    }
}

fn path(version: &str, rest: &str) -> String {
    format!("{PATH}/{}{rest}", query_value(version))
}

/// The version that was in force before the one that is.
fn before(all: &Value) -> Result<String, Error> {
    let activations = all["activations"].as_array().cloned().unwrap_or_default();
    let mut versions = activations.iter().filter_map(|one| one["version"].as_str());
    let now = versions.next();
    let earlier = versions.next().or_else(|| {
        // Before the first activation the first built-in one was in force.
        let first = all["items"].as_array()?.iter().find(|one| one["built_in"] == true)?;
        first["version"].as_str()
    });
    match (now, earlier) {
        (Some(now), Some(earlier)) if now != earlier => Ok(earlier.to_owned()),
        _ => Err(Error::refused("nobody activated another calibration before this one")),
    }
}

fn check(file: &Path, json: bool) -> Result<(), Error> {
    let (weights, _) = read(file)?;
    let id = weights.id().clone();
    let usual = Engine::built_in();
    let found =
        golden::differences(&golden::snapshot(&usual), &golden::snapshot(&usual.under(weights)));
    let against = &usual.calibration().id().version;
    if json {
        return output::json(&json!({
            "version": id.version, "sha256": id.sha256,
            "golden": {"against": against, "differences": found},
        }));
    }
    let scores = found.iter().filter(|one| one.what == "score").count();
    let mut page = output::facts(&[
        ("version", id.version),
        ("sha256", id.sha256),
        ("golden", format!("{scores} scores differ from those of {against}")),
    ]);
    page += &differences(&json!(found));
    output::text(&page)
}

/// Reads and checks a file.
pub(super) fn read(path: &Path) -> Result<(Weights, String), Error> {
    let wrong = |why: String| {
        Error::refused(format!("{} is not a calibration", path.display()))
            .why(why)
            .next("`greenroom calibration show core-1` prints one to begin with")
    };
    let mut text = String::new();
    let file = File::open(path).map_err(|error| wrong(error.to_string()))?;
    let read = file.take(FILE_BYTES_MAX as u64 + 1).read_to_string(&mut text);
    read.map_err(|error| wrong(error.to_string()))?;
    let weights = Weights::parse(&text).map_err(|error| wrong(error.to_string()))?;
    Ok((weights, text))
}

fn list(all: &Value) -> String {
    let items = all["items"].as_array().cloned().unwrap_or_default();
    let rows = items.iter().map(|one| {
        let state = match (one["active"] == true, one["usable"] == false) {
            (true, _) => "in force",
            (_, true) => "of another engine",
            _ => "",
        };
        let at = one["at"].as_str().unwrap_or("built in");
        [word(&one["version"]), state.to_owned(), at.to_owned(), word(&one["sha256"])]
    });
    output::table(["version", "state", "since", "sha256"], &rows.collect::<Vec<_>>())
}

fn report(drift: &Value) -> String {
    let shift = |of: &Value| {
        let parts = ["mean", "p05", "p50", "p95", "largest"].map(|part| word(&of[part]));
        let [mean, low, middle, high, largest] = parts;
        format!("mean {mean}, 5 % {low}, median {middle}, 95 % {high}, largest {largest}")
    };
    let newest = if drift["truncated"] == true { ", the newest" } else { "" };
    let mut page = output::facts(&[
        ("from", format!("{} {}", word(&drift["from"]["version"]), word(&drift["from"]["sha256"]))),
        ("to", format!("{} {}", word(&drift["to"]["version"]), word(&drift["to"]["sha256"]))),
        ("answers", format!("{}{newest}; {} with a score", drift["answers"], drift["scored"])),
        ("score", shift(&drift["score"])),
        ("ranks", format!("correlation {}", word(&drift["rank_correlation"]))),
        ("bands", format!("{} answers change theirs", drift["changed_bands"])),
    ]);
    let list = |name: &str| drift[name].as_array().cloned().unwrap_or_default();
    for moved in list("bands") {
        let (from, to) = (word(&moved["from"]), word(&moved["to"]));
        page += &format!("       {} from {from} to {to}\n", moved["answers"]);
    }
    let rows: Vec<[String; 5]> = list("signals")
        .iter()
        .map(|signal| {
            let (from, to) = (word(&signal["weight_from"]), word(&signal["weight_to"]));
            let weight = if from == to { from } else { format!("{from} -> {to}") };
            let points = &signal["points"];
            [
                word(&signal["signal"]),
                weight,
                word(&points["mean"]),
                word(&points["largest"]),
                word(&signal["value"]["largest"]),
            ]
        })
        .collect();
    let header = ["signal", "weight", "points: mean", "largest", "value against stored: largest"];
    page += "\n";
    page += &output::table(header, &rows);
    page + &differences(&drift["golden"])
}

/// The scores of the golden set that differ.
fn differences(golden: &Value) -> String {
    let all: Vec<Row> = golden.as_array().into_iter().flatten().filter_map(score).collect();
    if all.is_empty() {
        return "\nNo score of the golden set differs.\n".to_owned();
    }
    let more = all.len().saturating_sub(DIFFERENCES_SHOWN);
    let rows: Vec<Row> = all.into_iter().take(DIFFERENCES_SHOWN).collect();
    let mut page = format!("\n{}", output::table(["golden answer", "score", "becomes"], &rows));
    if more > 0 {
        page += &format!("and {more} more; --json shows all\n");
    }
    page
}

type Row = [String; 3];

fn score(difference: &Value) -> Option<Row> {
    let of = |name: &str| word(&difference[name]);
    (difference["what"] == "score").then(|| [of("id"), of("from"), of("to")])
}

/// A text without its quotes, a dash for nothing, anything else as it is.
fn word(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::exit::Exit;

    #[test]
    fn the_way_back_is_the_version_before() {
        let items = json!([{"version": "core-1", "built_in": true}, {"version": "own-1"}]);
        let all = |activations: Value| json!({"items": items, "activations": activations});
        let one = |version: &str| json!({"version": version});
        let back = |activations| before(&all(activations)).unwrap();
        assert_eq!(back(json!([one("own-1")])), "core-1");
        assert_eq!(back(json!([one("own-2"), one("own-1")])), "own-1");
        for none in [json!([]), json!([one("core-1")])] {
            assert_eq!(before(&all(none)).unwrap_err().exit(), Exit::Refused);
        }
    }

    #[test]
    fn a_file_is_checked_without_a_node() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("own.toml");
        let core = crate::insight::calibration::built_in::DEFAULT;
        std::fs::write(&path, core.replacen("core-1", "own-1", 2)).unwrap();
        check(&path, false).unwrap();
        std::fs::write(&path, core.replacen("weight = 22", "weight = 90", 1)).unwrap();
        let error = check(&path, false).unwrap_err();
        assert_eq!(error.exit(), Exit::Refused);
        assert!(error.to_string().contains("add up to 168"), "{error}");
        assert!(check(&dir.path().join("none"), true).is_err());
    }
}
