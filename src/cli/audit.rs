//! `greenroom audit`: the hash-chained log of who did what.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::domain::limit;
use crate::store::query::audit::{Chain, Entry};

use super::Context;
use super::client::Client;
use super::exit::Error;
use super::output;

/// What to do with the log.
#[derive(clap::Subcommand)]
pub enum Audit {
    /// Writes every row, one JSON object a line, in order and with its hash
    Export {
        /// Where; a new file [default: stdout]
        file: Option<PathBuf>,
    },
    /// Computes every hash again and says where the first row does not follow from the one before
    Verify {
        /// An exported file; needs no node [default: the log of the running node]
        file: Option<PathBuf>,
        /// Prints `{rows, head, broken_at}`
        #[arg(long)]
        json: bool,
    },
}

/// The longest row: an action, some ids, a hash. A longer line is none of ours.
const LINE_BYTES_MAX: usize = 64 << 10;

pub(super) async fn run(context: &Context, command: Audit) -> Result<(), Error> {
    match command {
        Audit::Export { file } => export(context, file.as_deref()).await,
        Audit::Verify { file: Some(file), json } => judge(&of_file(&file)?, json),
        Audit::Verify { file: None, json } => {
            let mut chain = Chain::default();
            each(context, |entry| Ok(chain.take(entry)?)).await?;
            judge(&chain, json)
        }
    }
}

async fn export(context: &Context, file: Option<&Path>) -> Result<(), Error> {
    let mut to: Box<dyn Write> = match file {
        None => Box::new(std::io::stdout()),
        Some(path) => Box::new(File::create_new(path).map_err(|error| {
            Error::refused(format!("cannot write {}", path.display())).why(error.to_string())
        })?),
    };
    let mut to = BufWriter::new(&mut to);
    let mut rows = 0;
    each(context, |entry| {
        serde_json::to_writer(&mut to, entry).map_err(std::io::Error::from)?;
        to.write_all(b"\n")?;
        rows += 1;
        Ok(true)
    })
    .await?;
    to.flush().map_err(|error| Error::output(&error))?;
    if let Some(path) = file {
        output::note(&format!("{rows} rows in {}", path.display()));
    }
    Ok(())
}

/// What can go wrong with one row.
enum Trouble {
    Write(std::io::Error),
    Fault(crate::store::Fault),
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Trouble {
        Trouble::Write(error)
    }
}

impl From<crate::store::Fault> for Trouble {
    fn from(fault: crate::store::Fault) -> Trouble {
        Trouble::Fault(fault)
    }
}

impl From<Trouble> for Error {
    fn from(trouble: Trouble) -> Error {
        match trouble {
            Trouble::Write(error) => Error::output(&error),
            Trouble::Fault(fault) => fault.into(),
        }
    }
}

/// Hands over the running node's rows in order, until somebody has seen enough.
async fn each(
    context: &Context,
    mut take: impl FnMut(&Entry) -> Result<bool, Trouble>,
) -> Result<(), Error> {
    let settings = context.settings()?;
    let client: Client = context.client(&settings)?;
    let mut after = 0;
    loop {
        let most = limit::AUDIT_PAGE_ITEMS_MAX;
        let mut page =
            client.get(&format!("/api/v1/admin/audit?after={after}&limit={most}")).await?;
        let entries: Vec<Entry> = serde_json::from_value(page["items"].take())
            .map_err(|error| Error::fault("the node gave no audit log").why(error.to_string()))?;
        let Some(last) = entries.last() else { return Ok(()) };
        // Each page must lead on, or this would never end.
        if last.seq <= after {
            return Err(Error::fault("the node gave the same rows twice"));
        }
        after = last.seq;
        for entry in &entries {
            if !take(entry)? {
                return Ok(());
            }
        }
    }
}

fn of_file(path: &Path) -> Result<Chain, Error> {
    let refused = |line: usize, why: String| {
        Error::refused(format!("line {line} of {} is no row of an audit log", path.display()))
            .why(why)
    };
    let file = File::open(path).map_err(|error| {
        Error::refused(format!("cannot read {}", path.display())).why(error.to_string())
    })?;
    let (mut chain, mut input) = (Chain::default(), BufReader::new(file));
    for line in 1.. {
        let mut text = String::new();
        let mut bounded = std::io::Read::take(&mut input, LINE_BYTES_MAX as u64);
        let read =
            bounded.read_line(&mut text).map_err(|error| refused(line, error.to_string()))?;
        if read == 0 {
            break;
        }
        let entry: Entry =
            serde_json::from_str(&text).map_err(|error| refused(line, error.to_string()))?;
        if !chain.take(&entry)? {
            break;
        }
    }
    Ok(chain)
}

fn judge(chain: &Chain, json: bool) -> Result<(), Error> {
    if json {
        let (rows, head, broken_at) = (chain.rows, &chain.head, chain.broken_at);
        output::json(&json!({"rows": rows, "head": head, "broken_at": broken_at}))?;
    }
    match chain.broken_at {
        Some(seq) => Err(Error::refused(format!("row {seq} does not follow from the one before"))
            .why("it was changed, or rows before it were taken out")
            .next("compare with an export or a backup from before")),
        None if json => Ok(()),
        None => output::text(&format!(
            "{} rows, each follows from the one before\nhead {}\n",
            chain.rows, chain.head
        )),
    }
}
