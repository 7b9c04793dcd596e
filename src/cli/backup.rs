//! `greenroom backup`: one file with everything, made from a running node, checked and restored
//! without one.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use uuid::Uuid;

use crate::cluster::anew;
use crate::domain::id::PersonId;
use crate::domain::limit;
use crate::store::Fault;
use crate::store::backup::{self, Manifest, Unfit, Verdict};
use crate::store::directory::{Directory, DirectoryError};

use super::Context;
use super::exit::Error;
use super::output;

/// What to do with backups.
#[derive(clap::Subcommand)]
pub enum Backup {
    /// Writes everything that a running node holds into one file
    Create {
        /// Where to; it must not be there yet
        file: PathBuf,
        /// Replaces a file that is there
        #[arg(long)]
        force: bool,
        /// Prints what is in it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Restores a backup into a temporary directory and checks all of it
    Verify {
        /// The backup
        file: PathBuf,
        /// Prints every check as JSON
        #[arg(long)]
        json: bool,
    },
    /// Restores a backup into an empty data directory, as a new cluster of one node
    Restore {
        /// The backup
        file: PathBuf,
        /// Receipts as `greenroom person erased --json` prints them: whoever was erased after the
        /// backup was made is taken out of it before the first start
        #[arg(long, value_name = "FILE")]
        erasures: Option<PathBuf>,
        /// Prints what was restored as JSON
        #[arg(long)]
        json: bool,
    },
    /// Lists the backups that a running node makes by its schedule
    List {
        /// Prints `{"items": […]}`
        #[arg(long)]
        json: bool,
    },
}

/// What a file system of its own has at its top, and what is nobody's data.
const LOST_AND_FOUND: &str = "lost+found";

pub(super) async fn run(context: &Context, command: Backup) -> Result<(), Error> {
    match command {
        Backup::Create { file, force, json } => create(context, &file, force, json).await,
        Backup::Verify { file, json } => verify(&file, json),
        Backup::Restore { file, erasures, json } => {
            let erased = erasures.as_deref().map(people_of).transpose()?.unwrap_or_default();
            restore(&context.settings()?.data_dir, &file, &erased, json)
        }
        Backup::List { json } => list(context, json).await,
    }
}

async fn create(context: &Context, file: &Path, force: bool, json: bool) -> Result<(), Error> {
    let settings = context.settings()?;
    let client = context.client(&settings)?;
    check_free(file, force)?;
    let unfinished = with_suffix(file, &format!(".unfinished-{}", std::process::id()));
    let unfinished = Unfinished(unfinished);
    let mut output = BufWriter::new(backup::create(&unfinished.0).map_err(unwritable)?);
    client.download("/api/v1/admin/backup", &mut output).await?;
    let output = output
        .into_inner()
        .map_err(|error| unwritable(Fault::new("the end was not written", error.into_error())))?;
    let manifest = backup::check_sum(&unfinished.0).map_err(|unfit| match unfit {
        Unfit::Refused(why) => Error::unavailable("the backup did not arrive whole").why(why),
        Unfit::Fault(fault) => fault.into(),
    })?;
    // Somebody may have put a file there meanwhile.
    check_free(file, force)?;
    backup::keep(&output, &unfinished.0, file).map_err(unwritable)?;
    match json {
        true => output::json(&json!({"file": file, "manifest": manifest}))?,
        false => output::text(&facts(file, &manifest))?,
    }
    output::note(&format!(
        "It holds the keys of the cluster: keep it as secret as the data directory.\n\
         `greenroom backup verify {}` checks that it can be restored.",
        file.display()
    ));
    Ok(())
}

fn verify(file: &Path, json: bool) -> Result<(), Error> {
    let work = std::env::temp_dir().join(format!("greenroom-verify-{}", Uuid::now_v7()));
    let folder = Removed(work);
    let verdict = backup::verify(file, &folder.0).map_err(|unfit| refused(file, unfit))?;
    drop(folder);
    tell(file, &verdict, json)?;
    judge(file, &verdict)
}

fn restore(data_dir: &Path, file: &Path, erased: &[PersonId], json: bool) -> Result<(), Error> {
    let was_there = check_empty(data_dir)?;
    // A file that is no backup is told before anything is made.
    backup::manifest(file).map_err(|unfit| refused(file, unfit))?;
    let directory = Directory::open(data_dir).map_err(|error| match error {
        DirectoryError::InUse(_) => Error::refused(error.to_string()),
        DirectoryError::Fault(fault) => fault.into(),
    })?;
    let unfinished = directory.root().join("unfinished-restore.db");
    let restored = place(&directory, file, erased, &unfinished);
    let verdict = match restored {
        Ok(verdict) => verdict,
        Err(error) => {
            take_back(&directory, &unfinished, was_there);
            return Err(error);
        }
    };
    tell(file, &verdict, json)?;
    output::note(&format!(
        "Restored into {} as a new cluster of one node. Next:\n\n  \
         greenroom --data-dir {} serve\n\n\
         People sign in again with the passwords that they had. Nodes of the old cluster stay \
         strangers: add new ones with `greenroom cluster token`.",
        data_dir.display(),
        data_dir.display()
    ));
    Ok(())
}

/// Puts the state in its place, if it passes every check, and makes a new cluster of it.
fn place(
    directory: &Directory,
    file: &Path,
    erased: &[PersonId],
    unfinished: &Path,
) -> Result<Verdict, Error> {
    let verdict = backup::unpack(file, unfinished).map_err(|unfit| refused(file, unfit))?;
    judge(file, &verdict)?;
    let gone = backup::clean(unfinished, erased)?;
    if !erased.is_empty() {
        output::note(&format!("{gone} of {} erased people were in it.", erased.len()));
    }
    let state = File::open(unfinished).map_err(|e| Fault::new("the state is gone", e))?;
    backup::keep(&state, unfinished, &directory.state())?;
    let made_at = verdict.manifest.created_at;
    let loss = format!("restored from a backup of {made_at}; whatever was written later is lost");
    anew::begin_anew(directory, "restore", &loss)?;
    backup::sync_folder(directory.root())?;
    Ok(verdict)
}

/// Whom a list of receipts names.
fn people_of(file: &Path) -> Result<Vec<PersonId>, Error> {
    let refused = |why: String| {
        Error::refused(format!("{} is no list of receipts", file.display()))
            .why(why)
            .next("`greenroom person erased --json` prints one, on a node that knows of them")
    };
    let text = std::fs::read_to_string(file).map_err(|error| refused(error.to_string()))?;
    let list: Value = serde_json::from_str(&text).map_err(|error| refused(error.to_string()))?;
    let Some(items) = list["items"].as_array() else {
        return Err(refused("it has no `items`".to_owned()));
    };
    // Receipts of retention name nobody.
    let named = items.iter().filter_map(|item| item["person_id"].as_str());
    named.map(|id| id.parse().map_err(|_| refused(format!("`{id}` is no id")))).collect()
}

/// Leaves the directory as it was: nothing that we put there stays.
fn take_back(directory: &Directory, unfinished: &Path, was_there: bool) {
    let state = directory.state();
    let journal = directory.journal();
    let of = |path: &Path| ["", "-wal", "-shm", "-journal"].map(|end| with_suffix(path, end));
    let fresh = journal.with_extension("new");
    let files = [of(unfinished), of(&state), of(&journal), of(&fresh)];
    let others = [directory.node(), directory.root().join("lock")];
    for file in files.as_flattened().iter().chain(&others) {
        // Most of them are not there.
        let _ = std::fs::remove_file(file);
    }
    let _ = std::fs::remove_dir(directory.snapshots());
    if !was_there {
        let _ = std::fs::remove_dir(directory.root());
    }
}

async fn list(context: &Context, json: bool) -> Result<(), Error> {
    let settings = context.settings()?;
    let reply = context.client(&settings)?.get("/api/v1/admin/backups").await?;
    if json {
        return output::json(&reply);
    }
    let items = reply["items"].as_array().map_or(&[][..], Vec::as_slice);
    let rows: Vec<_> = items
        .iter()
        .take(limit::BACKUPS_LISTED_MAX)
        .map(|item| {
            let text = |field: &str| item[field].as_str().unwrap_or_default().to_owned();
            let verified = if item["verified"] == true { "yes" } else { "NO" };
            [text("created_at"), item["bytes"].to_string(), verified.to_owned(), text("path")]
        })
        .collect();
    output::text(&output::table(["made at", "bytes", "verified", "file"], &rows))
}

fn tell(file: &Path, verdict: &Verdict, json: bool) -> Result<(), Error> {
    if json {
        let checks: Vec<Value> = verdict
            .checks
            .iter()
            .map(|check| json!({"name": check.name, "ok": check.ok, "detail": check.detail}))
            .collect();
        let manifest = &verdict.manifest;
        let ok = verdict.ok();
        return output::json(
            &json!({"file": file, "ok": ok, "checks": checks, "manifest": manifest}),
        );
    }
    let rows: Vec<_> = verdict
        .checks
        .iter()
        .map(|check| {
            let word = if check.ok { "ok" } else { "FAILED" };
            [check.name.to_owned(), word.to_owned(), check.detail.clone()]
        })
        .collect();
    let facts = facts(file, &verdict.manifest);
    output::text(&format!("{facts}\n{}", output::table(["check", "", "found"], &rows)))
}

fn judge(file: &Path, verdict: &Verdict) -> Result<(), Error> {
    if verdict.ok() {
        return Ok(());
    }
    let what = format!("{} cannot be relied on", file.display());
    Err(Error::refused(what).why(verdict.failures()).next("use another backup"))
}

fn facts(file: &Path, manifest: &Manifest) -> String {
    let none = || "none".to_owned();
    let text = |text: &Option<String>| text.clone().unwrap_or_else(none);
    output::facts(&[
        ("file", file.display().to_string()),
        ("made at", manifest.created_at.to_string()),
        ("newest write", manifest.newest_at.to_string()),
        ("by greenroom", manifest.greenroom.clone()),
        ("organisation", text(&manifest.organisation)),
        ("cluster", manifest.cluster_id.map_or_else(none, |id| id.to_string())),
        ("people", manifest.rows.get("person").copied().unwrap_or(0).to_string()),
        ("interviews", manifest.rows.get("interview").copied().unwrap_or(0).to_string()),
        ("bytes", manifest.payload.bytes.to_string()),
        ("sha256", manifest.payload.sha256.clone()),
    ])
}

fn refused(file: &Path, unfit: Unfit) -> Error {
    match unfit {
        Unfit::Refused(why) => {
            Error::refused(format!("{} cannot be used", file.display())).why(why)
        }
        Unfit::Fault(fault) => fault.into(),
    }
}

/// Says whether the directory is there; one with something in it is refused.
fn check_empty(data_dir: &Path) -> Result<bool, Error> {
    let unreadable = |error: std::io::Error| {
        Error::refused(format!("cannot look into {}", data_dir.display())).why(error.to_string())
    };
    let entries = match std::fs::read_dir(data_dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(unreadable(error)),
    };
    for entry in entries {
        let name = entry.map_err(unreadable)?.file_name();
        if name != LOST_AND_FOUND {
            let what = format!("{} is not empty: it has {}", data_dir.display(), name.display());
            return Err(Error::refused(what)
                .why("a restore never writes over data")
                .next("name an empty or a new directory with --data-dir"));
        }
    }
    Ok(true)
}

fn check_free(file: &Path, force: bool) -> Result<(), Error> {
    if force || !file.exists() {
        return Ok(());
    }
    let what = format!("{} is there already", file.display());
    Err(Error::refused(what).next("choose another name, or replace it with --force"))
}

fn unwritable(fault: Fault) -> Error {
    Error::refused("the backup cannot be written").why(fault.to_string())
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// A file that goes unless it got its name.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A folder that goes with everything in it.
struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
