//! A node of its own in this process, on a directory that is removed when the demo ends.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::cli::exit::Error;
use crate::cli::output::note;
use crate::cli::serve::{self, Running};
use crate::cli::temporary::Temporary;
use crate::config::settings::{Flags, Settings};

/// The node and its directory.
pub(super) struct Instance {
    running: Running,
    directory: Temporary,
}

/// What asks a process to end.
pub(super) struct Interrupt {
    signals: [Signal; 3],
}

/// A node has let go of its connections by then; what is removed needs no more care.
const STOP_SECONDS: u64 = 15;

impl Instance {
    /// Starts a node on an empty directory. Settings of the machine do not apply to it.
    pub(super) async fn start(listen: &str) -> Result<Instance, Error> {
        let directory = Temporary::new(
            &std::env::temp_dir(),
            "greenroom-demo",
            "name a directory that can be written with the variable TMPDIR",
        )?;
        let settings = settings(directory.path(), listen)?;
        let running = serve::start(settings).await?;
        Ok(Instance { running, directory })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.running.address
    }

    /// What its links begin with.
    pub(super) fn url(&self) -> &str {
        &self.running.public_url
    }

    /// The token of its first run.
    pub(super) fn setup_token(&self) -> Option<&str> {
        self.running.setup_token.as_deref()
    }

    /// Stops the node and removes its directory.
    pub(super) async fn stop(self) {
        let stopped = tokio::time::timeout(Duration::from_secs(STOP_SECONDS), self.running.stop());
        if stopped.await.is_err() {
            note(&format!("the node took more than {STOP_SECONDS} seconds to stop"));
        }
        drop(self.directory);
    }
}

impl Interrupt {
    /// Takes over Ctrl-C, a polite kill and the closing of the terminal.
    pub(super) fn new() -> Result<Interrupt, Error> {
        let listen = |kind| {
            let failed = |error: std::io::Error| {
                Error::fault("signals cannot be listened for").why(error.to_string())
            };
            signal(kind).map_err(failed)
        };
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let [a, b, c] = kinds.map(listen);
        Ok(Interrupt { signals: [a?, b?, c?] })
    }

    /// Until one of them comes.
    pub(super) async fn wait(&mut self) {
        let [a, b, c] = &mut self.signals;
        tokio::select! {
            _ = a.recv() => {}
            _ = b.recv() => {}
            _ = c.recv() => {}
        }
    }
}

/// Only flags count: an empty file stands in for the one that may lie in the working directory.
fn settings(directory: &Path, listen: &str) -> Result<Settings, Error> {
    let file = directory.join("greenroom.toml");
    std::fs::write(&file, "")
        .map_err(|error| Error::refused("the demo cannot write").why(error.to_string()))?;
    let flags = Flags {
        listen: Some(listen.to_owned()),
        cluster_listen: Some("127.0.0.1:0".to_owned()),
        data_dir: Some(directory.join("data").display().to_string()),
    };
    Ok(Settings::load(flags, std::iter::empty(), Some(file))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_instance_lies_in_its_own_directory() {
        let parent = tempfile::tempdir().unwrap();
        let settings = settings(parent.path(), "127.0.0.1:0").unwrap();
        assert_eq!(settings.data_dir, parent.path().join("data"));
        assert_eq!(settings.listen.port(), 0);
        let error = super::settings(parent.path(), "nowhere").unwrap_err();
        assert_eq!(error.exit(), crate::cli::exit::Exit::Usage);
    }
}
