//! Rooms in memory, as they are after the last command, so that the next one need not read them.
//!
//! **Invariant:** a room here is equal to its rows. It is taken out while a command changes it and
//! comes back only when that has succeeded; whatever changes rows in another way forgets it, and a
//! batch that is rolled back forgets all. A debug build reads the rows and compares.

use std::collections::BTreeMap;

use rusqlite::Connection;

use crate::domain::id::InterviewId;
use crate::domain::room::Room;
use crate::store::{Fault, query};

/// The rooms that were used last.
#[derive(Default)]
pub(in crate::store) struct Rooms {
    held: BTreeMap<InterviewId, (u64, Room)>,
    /// Counts the uses.
    uses: u64,
}

/// Rooms at a time: some 5 KB each with the questions of a usual kit, 0.4 MB if somebody fills one
/// with the longest. More rooms than that rarely speak at once; the one beyond is read from its
/// rows.
const ROOMS_MAX: usize = 256;

impl Rooms {
    /// Takes a room out, from here or from its rows.
    pub(super) fn take(
        &mut self,
        db: &Connection,
        interview: InterviewId,
    ) -> Result<Option<Room>, Fault> {
        let Some((_, room)) = self.held.remove(&interview) else {
            return query::room::load(db, interview);
        };
        #[cfg(debug_assertions)]
        assert_eq!(query::room::load(db, interview)?.as_ref(), Some(&room), "a room in memory");
        Ok(Some(room))
    }

    /// Keeps a room that is as its rows are.
    pub(super) fn keep(&mut self, room: Room) {
        if self.held.len() >= ROOMS_MAX {
            let oldest = self.held.iter().min_by_key(|(_, (used, _))| *used).map(|(id, _)| *id);
            oldest.map(|id| self.held.remove(&id));
        }
        self.uses += 1;
        self.held.insert(room.plan.id, (self.uses, room));
    }

    /// Forgets every room.
    pub(in crate::store) fn forget(&mut self) {
        self.held.clear();
    }
}
