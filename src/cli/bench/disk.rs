//! What the disk does without us: the figures beside which ours stand.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::cli::exit::Error;
use crate::store::plain::PlainRows;

use super::drive::{Figure, Work, repeat};

/// A file that is written over and over, so that no sync changes its size: as a log is that has
/// made its room beforehand.
const FILE_BYTES: u64 = 8 << 20;

/// Writes of one sync, as in our journal.
const WRITES_PER_SYNC_MAX: usize = 1_024;

type Told = oneshot::Sender<Result<(), String>>;

/// One of those who share syncs.
pub(super) struct Member {
    group: SyncSender<Told>,
}

/// A file with its room made.
struct Log {
    file: File,
    at: u64,
}

/// One write and one sync at a time.
pub(super) fn syncs(folder: &Path, bytes: usize, time: Duration) -> Result<Figure, Error> {
    let mut log = Log::make(&folder.join("one")).map_err(|e| unwritten(&e))?;
    let payload = payload(bytes);
    repeat(time, || log.add(&payload).map_err(|e| unwritten(&e)))
}

/// One row in one transaction at a time.
pub(super) fn rows(folder: &Path, bytes: usize, time: Duration) -> Result<Figure, Error> {
    let rows = PlainRows::open(&folder.join("plain.db"))?;
    let payload = payload(bytes);
    repeat(time, || Ok(rows.add(&payload)?))
}

/// Writers who share syncs: one thread takes all that waits, writes it, syncs once, tells all.
pub(super) fn group(folder: &Path, bytes: usize, writers: usize) -> Result<Vec<Member>, Error> {
    let log = Log::make(&folder.join("group")).map_err(|e| unwritten(&e))?;
    let (group, received) = sync_channel(WRITES_PER_SYNC_MAX);
    let payload = payload(bytes);
    std::thread::Builder::new()
        .name("group".to_owned())
        .spawn(move || serve(log, &received, &payload))
        .map_err(|e| Error::fault("no thread can be started").why(e.to_string()))?;
    Ok((0..writers).map(|_| Member { group: group.clone() }).collect())
}

impl Work for Member {
    async fn write(&mut self) -> Result<(), Error> {
        let (tell, told) = oneshot::channel();
        let gone = || Error::fault("the control's thread has ended");
        self.group.try_send(tell).map_err(|_| gone())?;
        told.await.map_err(|_| gone())?.map_err(|why| Error::fault("no sync").why(why))
    }
}

impl Log {
    fn make(path: &Path) -> std::io::Result<Log> {
        let mut file = File::options().create(true).truncate(true).write(true).open(path)?;
        let chunk = vec![0; 1 << 20];
        for _ in 0..FILE_BYTES >> 20 {
            file.write_all(&chunk)?;
        }
        file.sync_all()?;
        Ok(Log { file, at: 0 })
    }

    fn add(&mut self, payload: &[u8]) -> std::io::Result<()> {
        if self.at + payload.len() as u64 > FILE_BYTES {
            self.at = 0;
        }
        self.file.write_all_at(payload, self.at)?;
        self.at += payload.len() as u64;
        self.file.sync_data()
    }
}

/// Ends with the last writer.
fn serve(mut log: Log, received: &Receiver<Told>, payload: &Arc<[u8]>) {
    let mut bytes = Vec::new();
    while let Ok(first) = received.recv() {
        let mut batch = vec![first];
        batch.extend(received.try_iter().take(WRITES_PER_SYNC_MAX - 1));
        bytes.clear();
        batch.iter().for_each(|_| bytes.extend_from_slice(payload));
        let done = log.add(&bytes).map_err(|error| error.to_string());
        for told in batch {
            // A writer that has gone needs no answer.
            let _ = told.send(done.clone());
        }
    }
}

fn payload(bytes: usize) -> Arc<[u8]> {
    vec![b'x'; bytes].into()
}

fn unwritten(error: &std::io::Error) -> Error {
    Error::refused("the disk does not take what the controls write").why(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::bench::drive::drive;

    #[test]
    fn a_log_begins_again_where_its_room_ends() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = Log::make(&dir.path().join("log")).unwrap();
        log.at = FILE_BYTES - 3;
        log.add(b"abc").unwrap();
        log.add(b"d").unwrap();
        assert_eq!(log.at, 1);
        assert_eq!(dir.path().join("log").metadata().unwrap().len(), FILE_BYTES);
    }

    #[tokio::test]
    async fn everybody_who_shares_syncs_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let members = group(dir.path(), 300, 4).unwrap();
        let figure = drive(members, Duration::from_millis(50)).await.unwrap();
        assert!(figure.per_second > 0.0 && figure.p50_ms > 0.0);
    }
}
