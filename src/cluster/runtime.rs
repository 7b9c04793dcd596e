//! What consensus runs on: threads and clocks here; one thread and a clock of its own in the
//! simulation, which is the only reason why this can be chosen.

use std::fmt::Debug;
use std::io;

use openraft::AsyncRuntime;

/// Where tasks run, what time it is for them, and who waits for the disk.
pub(super) trait Runtime: Copy + Debug + Default + Ord + Send + Sync + 'static {
    /// Tasks, timers and channels, as openraft wants them.
    type Tasks: AsyncRuntime;

    /// Runs work that waits for a disk where it holds up no other task.
    fn blocking<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> impl Future<Output = io::Result<T>> + Send;

    /// The same for work that somebody waits for, without the way to another thread and back where
    /// that can be.
    fn in_place<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> impl Future<Output = io::Result<T>> + Send {
        self.blocking(work)
    }
}

/// The runtime of the product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Threads;

impl Runtime for Threads {
    type Tasks = openraft::impls::TokioRuntime;

    async fn blocking<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<T> {
        tokio::task::spawn_blocking(work).await.map_err(io::Error::other)
    }

    async fn in_place<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<T> {
        use tokio::runtime::{Handle, RuntimeFlavor};
        match Handle::current().runtime_flavor() {
            // The runtime lets another thread look after the other tasks meanwhile.
            RuntimeFlavor::MultiThread => Ok(tokio::task::block_in_place(work)),
            // There is no other thread.
            _ => self.blocking(work).await,
        }
    }
}
