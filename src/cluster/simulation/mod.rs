//! A whole cluster in one process, on one thread, with one seed: our journal, state, snapshots and
//! adapters under the real openraft; network, time, chance, the scheduler and the moment of
//! durability are simulated. `docs/simulation.md` says how to run and replay it.
//!
//! **Invariant:** a run is a function of its seed.

mod chance;
mod disk;
mod runtime;

mod network;
mod node;
mod world;

mod chaos;
mod client;
mod history;

mod scenario;
mod tests;

use openraft::Raft;

use self::runtime::Simulated;
use super::machine_adapter::MachineAdapter;
use super::raft_types::TypesOn;

type SimTypes = TypesOn<Simulated>;
type SimRaft = Raft<SimTypes, MachineAdapter<Simulated>>;

/// Names that clients write and read.
const REGISTERS: usize = 3;

/// A fault built in on purpose, to see that it is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slip {
    None,
    /// The log says that a write is on disk before it is.
    TellsBeforeTheDisk,
    /// Commands come without their keys.
    ForgetsKeys,
    /// Reads take what the node has.
    ReadsWhatIsThere,
    /// A leader that starts again leads on in the same term.
    LeadsOnAfterStart,
    /// A state that is ahead of the journal gets no snapshot.
    LeavesStateAhead,
}
