//! Socket tickets: a browser cannot send a header with a socket, so it trades its login for a
//! ticket that opens one socket, once, soon.
//!
//! Tickets live in the memory of the node that gave them out. If it stops, its pages ask for new
//! ones.
//!
//! **Invariant:** a ticket is known here by its hash only, and it is gone after it was shown once.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::secret::random_token;
use crate::domain::id::{InterviewId, PersonId, SessionId};
use crate::domain::limit;
use crate::domain::time::Time;

/// Whom a ticket lets in, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Who.
    pub person: PersonId,
    /// By which login; its end ends the socket. A token of an outside issuer has none.
    pub session: Option<SessionId>,
    /// When that token ends, if it says so; its end ends the socket.
    pub until: Option<Time>,
    /// Into which room.
    pub interview: InterviewId,
}

/// The tickets of this node.
#[derive(Default)]
pub struct TicketBook {
    pages: Mutex<Pages>,
}

/// A ticket as it is kept: the SHA-256 of what the holder has.
type Key = [u8; 32];

#[derive(Default)]
struct Pages {
    tickets: HashMap<Key, Ticket>,
    /// The same tickets by their end, so that sweeping never looks at one that is still good.
    ends: BTreeSet<(Instant, Key)>,
}

struct Ticket {
    holder: Holder,
    ends_at: Instant,
}

/// Expired tickets that one issue removes: more than the one it adds, so that they always shrink.
const SWEEP_MAX: usize = 16;

impl TicketBook {
    /// An empty book.
    pub fn new() -> TicketBook {
        TicketBook::default()
    }

    /// Gives out a ticket that holds for [`limit::TICKET_SECONDS`]; `None` if
    /// [`limit::TICKETS_MAX`] are alive.
    pub fn issue(&self, holder: Holder, now: Instant) -> Option<String> {
        let token = random_token();
        let key = key(&token);
        let ends_at = now + Duration::from_secs(limit::TICKET_SECONDS);
        let mut pages = self.open();
        pages.sweep(now);
        if pages.tickets.len() >= limit::TICKETS_MAX {
            return None;
        }
        pages.tickets.insert(key, Ticket { holder, ends_at });
        pages.ends.insert((ends_at, key));
        Some(token)
    }

    /// Takes a ticket back and says whom it lets in. It is used up even if it is shown at the wrong
    /// room or too late.
    pub fn redeem(&self, ticket: &str, interview: InterviewId, now: Instant) -> Option<Holder> {
        let key = key(ticket);
        let mut pages = self.open();
        let ticket = pages.tickets.remove(&key)?;
        pages.ends.remove(&(ticket.ends_at, key));
        (now < ticket.ends_at && ticket.holder.interview == interview).then_some(ticket.holder)
    }

    fn open(&self) -> MutexGuard<'_, Pages> {
        // Nothing that runs under the lock panics half-way through a change.
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    fn sweep(&mut self, now: Instant) {
        for _ in 0..SWEEP_MAX {
            match self.ends.first() {
                Some(&(ends_at, key)) if ends_at <= now => {
                    self.ends.pop_first();
                    self.tickets.remove(&key);
                }
                _ => return,
            }
        }
    }
}

fn key(token: &str) -> Key {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const ROOM: InterviewId = InterviewId(Uuid::from_u128(3));
    const HOLDER: Holder = Holder {
        person: PersonId(Uuid::from_u128(1)),
        until: None,
        session: Some(SessionId(Uuid::from_u128(2))),
        interview: ROOM,
    };

    fn after(start: Instant, ms: u64) -> Instant {
        start + Duration::from_millis(ms)
    }

    #[test]
    fn a_ticket_lets_in_once() {
        let (book, now) = (TicketBook::new(), Instant::now());
        let one = book.issue(HOLDER, now).unwrap();
        let two = book.issue(HOLDER, now).unwrap();
        assert_ne!(one, two);
        assert_eq!(book.redeem(&one, ROOM, now), Some(HOLDER));
        assert_eq!(book.redeem(&one, ROOM, now), None);
        assert_eq!(book.redeem(&two, ROOM, now), Some(HOLDER));
        assert_eq!(book.redeem("", ROOM, now), None);
        let pages = book.open();
        assert_eq!((pages.tickets.len(), pages.ends.len()), (0, 0), "nothing is left behind");
    }

    #[test]
    fn a_ticket_ends_after_its_time() {
        let (book, now) = (TicketBook::new(), Instant::now());
        let ms = limit::TICKET_SECONDS * 1_000;
        let (early, late) = (book.issue(HOLDER, now).unwrap(), book.issue(HOLDER, now).unwrap());
        assert_eq!(book.redeem(&early, ROOM, after(now, ms - 1)), Some(HOLDER));
        assert_eq!(book.redeem(&late, ROOM, after(now, ms)), None);
    }

    #[test]
    fn a_ticket_at_the_wrong_room_is_used_up() {
        let (book, now) = (TicketBook::new(), Instant::now());
        let ticket = book.issue(HOLDER, now).unwrap();
        assert_eq!(book.redeem(&ticket, InterviewId(Uuid::from_u128(4)), now), None);
        assert_eq!(book.redeem(&ticket, ROOM, now), None);
    }

    #[test]
    fn the_book_is_full_until_tickets_are_used_or_end() {
        let (book, now) = (TicketBook::new(), Instant::now());
        let first = book.issue(HOLDER, now).unwrap();
        for _ in 1..limit::TICKETS_MAX {
            assert!(book.issue(HOLDER, now).is_some());
        }
        assert_eq!(book.issue(HOLDER, now), None);
        assert!(book.redeem(&first, ROOM, now).is_some());
        assert!(book.issue(HOLDER, now).is_some(), "a used one makes room");
        assert_eq!(book.issue(HOLDER, now), None);

        let later = after(now, limit::TICKET_SECONDS * 1_000);
        assert!(book.issue(HOLDER, later).is_some(), "ended ones make room");
        for _ in 0..limit::TICKETS_MAX {
            book.issue(HOLDER, later);
        }
        let pages = book.open();
        assert_eq!(pages.tickets.len(), pages.ends.len());
        assert!(pages.ends.iter().all(|&(ends_at, _)| ends_at > later), "the ended ones are gone");
    }
}
