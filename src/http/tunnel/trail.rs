//! What a tunnel remembers, so that it can go on at another leader as if nothing had been.

use std::collections::VecDeque;

use crate::domain::limit;
use crate::room::protocol::peer::{Keeping, Passing, Rehello, Seated, frame, keeping};

/// What went through one tunnel.
pub(super) struct Trail {
    /// The client's `hello`, until it was sent.
    hello: Option<String>,
    after: Option<u64>,
    seated: Option<Seated>,
    epoch: Option<String>,
    /// The last event that was passed on.
    cursor: u64,
    /// Frames that are not answered yet, in their order.
    waiting: VecDeque<(String, String)>,
    waiting_bytes: usize,
    /// More waited than is kept.
    overflowed: bool,
    setting: Option<String>,
    greeted: bool,
}

/// What becomes of a frame of the leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It goes on to the client.
    Pass,
    /// It was meant for this node.
    Swallow,
    /// The leader is leader no more.
    Move,
    /// The client has to begin again: what it had is not what the leader has.
    Reset,
}

impl Trail {
    /// Of a client that says this, and wants what came after this event.
    pub(super) fn new(hello: String, after: Option<u64>) -> Trail {
        Trail {
            hello: Some(hello),
            after,
            seated: None,
            epoch: None,
            cursor: 0,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            overflowed: false,
            setting: None,
            greeted: false,
        }
    }

    /// Whether a leader can be asked: with the `hello`, or in its place.
    pub(super) fn can_go_on(&self) -> bool {
        let known = self.hello.is_some() || (self.seated.is_some() && self.epoch.is_some());
        known && !self.overflowed
    }

    /// What is said first to a leader.
    pub(super) fn opening(&mut self) -> Vec<String> {
        self.greeted = false;
        if let Some(hello) = self.hello.take() {
            return vec![hello];
        }
        let Some(Seated { person_id, session_id, until }) = self.seated else { return Vec::new() };
        let rehello = Rehello { person_id, session_id, until, after: self.cursor };
        let setting = self.setting.iter().cloned();
        let waiting = self.waiting.iter().map(|(_, text)| text.clone());
        std::iter::once(frame(&rehello)).chain(setting).chain(waiting).collect()
    }

    /// Whether the leader that was asked last has let us in.
    pub(super) fn is_greeted(&self) -> bool {
        self.greeted
    }

    /// Notes a frame of the client, before it is sent.
    pub(super) fn note_sent(&mut self, text: &str) {
        match keeping(text) {
            Keeping::Act(id) => {
                // Copied: the text is a part of the socket's buffer, which it would hold on to.
                self.waiting.push_back((id, text.to_owned()));
                self.waiting_bytes += text.len();
                self.overflowed |= self.waiting.len() > limit::TUNNEL_KEPT_FRAMES_MAX
                    || self.waiting_bytes > limit::TUNNEL_KEPT_BYTES_MAX;
                if self.overflowed {
                    self.waiting.clear();
                    self.waiting_bytes = 0;
                }
            }
            Keeping::Setting => self.setting = Some(text.to_owned()),
            Keeping::Nothing => {}
        }
    }

    /// Looks at a frame of the leader, before it is passed on.
    pub(super) fn judge(&mut self, passing: &Passing) -> Fate {
        match passing {
            Passing::Moved => Fate::Move,
            Passing::Seated(seated) => {
                self.seated = Some(*seated);
                Fate::Swallow
            }
            Passing::Welcome { seq, epoch, missed } => {
                self.greeted = true;
                match &self.epoch {
                    Some(known) if known == epoch && !missed => Fate::Swallow,
                    Some(_) => Fate::Reset,
                    None => {
                        self.epoch = Some(epoch.clone());
                        self.cursor = self.after.filter(|after| after <= seq).unwrap_or(*seq);
                        Fate::Pass
                    }
                }
            }
            Passing::Event(_) | Passing::Answer(_) | Passing::Other => Fate::Pass,
        }
    }

    /// Notes a frame that was passed on.
    pub(super) fn note_passed(&mut self, passing: &Passing) {
        match passing {
            Passing::Event(seq) => self.cursor = *seq,
            Passing::Answer(id) => {
                let at = self.waiting.iter().position(|(waiting, _)| waiting == id);
                if let Some((_, text)) = at.and_then(|at| self.waiting.remove(at)) {
                    self.waiting_bytes -= text.len();
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::PersonId;
    use crate::room::protocol::peer::passing;
    use uuid::Uuid;

    const SEATED: Seated =
        Seated { person_id: PersonId(Uuid::from_u128(1)), session_id: None, until: None };

    fn greeted(after: Option<u64>, seq: u64) -> Trail {
        let mut trail = Trail::new("hello".to_owned(), after);
        assert_eq!(trail.opening(), ["hello"]);
        assert!(!trail.can_go_on(), "the ticket is used up and nobody has said who has it");
        assert_eq!(trail.judge(&Passing::Seated(SEATED)), Fate::Swallow);
        assert_eq!(trail.judge(&welcome(seq, "one", false)), Fate::Pass);
        assert!(trail.can_go_on() && trail.is_greeted());
        trail
    }

    fn welcome(seq: u64, epoch: &str, missed: bool) -> Passing {
        Passing::Welcome { seq, epoch: epoch.to_owned(), missed }
    }

    fn say(id: &str) -> String {
        format!(r#"{{"type":"say","id":"{id}","text":"Word."}}"#)
    }

    #[test]
    fn the_next_leader_hears_what_was_not_answered_and_from_where() {
        let mut trail = greeted(Some(2), 9);
        let set = |n: u8| format!(r#"{{"type":"set","assist_intensity":{n}}}"#);
        let sent = [say("a"), set(1), say("b"), set(3), say("c")];
        for text in sent.iter().map(String::as_str).chain([r#"{"type":"partial","text":"I"}"#]) {
            trail.note_sent(text);
        }
        for text in [r#"{"type":"event","seq":3}"#, r#"{"type":"ack","id":"b","seq":3}"#] {
            trail.note_passed(&passing(text));
        }
        let rehello = frame(&Rehello {
            person_id: SEATED.person_id,
            session_id: None,
            until: None,
            after: 3,
        });
        assert_eq!(trail.opening(), [rehello, set(3), say("a"), say("c")]);
        assert!(!trail.is_greeted(), "not yet by this one");
        assert_eq!(trail.judge(&welcome(12, "one", false)), Fate::Swallow);
        assert!(trail.is_greeted());
    }

    #[test]
    fn it_goes_on_after_what_the_client_asked_for() {
        for (after, seq, from) in [(Some(2), 9, 2), (None, 9, 9), (Some(0), 9, 0), (Some(12), 9, 9)]
        {
            assert_eq!(greeted(after, seq).cursor, from, "after {after:?} of {seq}");
        }
    }

    #[test]
    fn another_history_is_not_passed_off_as_the_same() {
        let mut trail = greeted(None, 9);
        trail.opening();
        assert_eq!(trail.judge(&welcome(9, "two", false)), Fate::Reset);
        assert_eq!(trail.judge(&welcome(1, "one", true)), Fate::Reset);
        assert_eq!(trail.judge(&Passing::Moved), Fate::Move);
    }

    #[test]
    fn a_client_with_more_on_its_way_than_is_kept_comes_back_by_itself() {
        let mut trail = greeted(None, 9);
        for n in 0..limit::TUNNEL_KEPT_FRAMES_MAX {
            trail.note_sent(&say(&n.to_string()));
        }
        trail.note_passed(&Passing::Answer("0".to_owned()));
        trail.note_sent(&say("last"));
        assert!(trail.can_go_on());
        trail.note_sent(&say("one too many"));
        assert!(!trail.can_go_on());
        let long = "x".repeat(limit::TUNNEL_KEPT_BYTES_MAX);
        let mut trail = greeted(None, 9);
        trail.note_sent(&say(&"x".repeat(65)));
        assert_eq!(trail.waiting.len(), 0, "what has no good id is not answered under it");
        trail.note_sent(&format!(r#"{{"type":"note","id":"1","text":"{long}"}}"#));
        assert!(!trail.can_go_on());
    }
}
