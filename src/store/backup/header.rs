//! What stands at the beginning of a backup: three lines of text that `head -3` shows.
//!
//! The first says what the file is and in which form it is written, the second is the manifest as
//! JSON, the third is the SHA-256 of the first two. The copy of the state follows and nothing else.
//!
//! **Invariant:** a form that was released is read for ever: `tests/golden/backup-header.txt`.

use std::collections::BTreeMap;
use std::io::{BufRead, Read};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::id::ClusterId;
use crate::domain::limit;
use crate::domain::time::Time;

use super::super::Fault;
use super::super::schema::hexadecimal;
use super::Unfit;

/// The form that this build writes.
const FORMAT: u32 = 1;

/// What the first line begins with; the form's number follows.
const MAGIC: &str = "greenroom-backup ";

/// The first line at most: the magic, ten digits, the end of the line.
const FIRST_LINE_BYTES_MAX: u64 = 32;

/// What is in a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of Greenroom that wrote it.
    pub greenroom: String,
    /// When it was made.
    pub created_at: Time,
    /// When the newest write in it was made: a node that was cut off has an older state.
    #[serde(default)]
    pub newest_at: Time,
    /// Of which cluster.
    pub cluster_id: Option<ClusterId>,
    /// Of which organisation, if it was set up.
    pub organisation: Option<String>,
    /// Up to which entry of the log, in the form of consensus, as hexadecimal digits.
    pub log_id: Option<String>,
    /// What made its tables, in order.
    pub schema: Vec<SchemaStep>,
    /// Rows of each table.
    pub rows: BTreeMap<String, u64>,
    /// The end of the audit log's chain.
    pub audit: AuditHead,
    /// The copy of the state.
    pub payload: Payload,
}

/// One migration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaStep {
    /// Its name.
    pub name: String,
    /// SHA-256 of its text.
    pub sha256: String,
}

/// The end of the audit log's chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditHead {
    /// How many rows it has.
    pub rows: i64,
    /// The hash of the last one.
    pub hash: String,
}

/// The copy of the state inside a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256.
    pub sha256: String,
}

/// The three lines.
pub fn header(manifest: &Manifest) -> Result<Vec<u8>, Fault> {
    let mut lines = format!("{MAGIC}{FORMAT}\n{}\n", serde_json::to_string(manifest)?);
    let sum = hexadecimal(&Sha256::digest(lines.as_bytes()));
    lines.push_str(&sum);
    lines.push('\n');
    Ok(lines.into_bytes())
}

/// Reads the three lines and leaves the input where the copy begins.
pub(super) fn read(input: &mut impl BufRead) -> Result<Manifest, Unfit> {
    let first = line(input, FIRST_LINE_BYTES_MAX)?;
    let stranger = || Unfit::refused("it is not a backup of Greenroom");
    let number = first.strip_prefix(MAGIC.as_bytes()).ok_or_else(stranger)?;
    let number = std::str::from_utf8(number).ok().and_then(|text| text.trim_end().parse().ok());
    match number.ok_or_else(stranger)? {
        FORMAT => {}
        newer @ FORMAT.. => {
            return Err(Unfit::refused(format!(
                "it was written by a newer Greenroom (form {newer}, this one reads {FORMAT}); \
                 use that one"
            )));
        }
        0_u32 => return Err(stranger()),
    }
    let second = line(input, limit::BACKUP_MANIFEST_BYTES_MAX)?;
    let third = line(input, limit::BACKUP_MANIFEST_BYTES_MAX)?;
    let mut sum = Sha256::new();
    sum.update(&first);
    sum.update(&second);
    if third != format!("{}\n", hexadecimal(&sum.finalize())).as_bytes() {
        return Err(Unfit::refused(
            "its header does not have the checksum that it was written with",
        ));
    }
    serde_json::from_slice(&second)
        .map_err(|error| Unfit::refused(format!("its manifest cannot be read: {error}")))
}

/// One line with its end.
fn line(input: &mut impl BufRead, bytes_max: u64) -> Result<Vec<u8>, Unfit> {
    let mut line = Vec::new();
    let read = input.by_ref().take(bytes_max).read_until(b'\n', &mut line);
    read.map_err(|e| Unfit::Fault(Fault::new("cannot read the backup", e)))?;
    if line.last() == Some(&b'\n') {
        return Ok(line);
    }
    let is_ours = line.starts_with(MAGIC.as_bytes()) || line.starts_with(b"{");
    Err(Unfit::refused(match is_ours {
        true => "it ends within its header",
        false => "it is not a backup of Greenroom",
    }))
}
