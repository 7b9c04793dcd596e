//! What clients did and saw, and whether one copy that does one thing at a time could have answered
//! the same (linearizability, after Wing and Gong, with the places already tried remembered).

use std::collections::{BTreeMap, BTreeSet};

/// What a client did to one register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    Write(u64),
    Read(u64),
}

/// From when to when; without an end it may have happened at any moment since, or not at all.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) began: u64,
    pub(super) ended: Option<u64>,
    pub(super) deed: Deed,
}

/// Something said in the room.
#[derive(Clone, Debug)]
pub(super) struct Saying {
    pub(super) began: u64,
    pub(super) ended: Option<u64>,
    pub(super) text: String,
    /// The place that was acknowledged.
    pub(super) seq: Option<u64>,
}

/// One look at the room: every event's text, in order.
#[derive(Clone, Debug)]
pub(super) struct Look {
    pub(super) began: u64,
    pub(super) ended: u64,
    pub(super) texts: Vec<String>,
}

/// Everything that clients did and saw.
#[derive(Default)]
pub(super) struct History {
    moment: u64,
    pub(super) registers: BTreeMap<usize, Vec<Operation>>,
    pub(super) sayings: Vec<Saying>,
    pub(super) looks: Vec<Look>,
}

impl History {
    /// A moment after all before.
    pub(super) fn moment(&mut self) -> u64 {
        self.moment += 1;
        self.moment
    }

    /// Every register behaves like one; the value at the start is 0.
    pub(super) fn check_registers(&self) -> Result<(), String> {
        for (register, operations) in &self.registers {
            if !is_linearizable(operations) {
                let mut page = format!("register {register} is not linearizable:");
                for operation in operations {
                    page.push_str(&format!("\n  {operation:?}"));
                }
                return Err(page);
            }
        }
        Ok(())
    }

    /// The room holds every acknowledged saying once, at its place, none twice, nothing else, in an
    /// order that agrees with time; every look saw a beginning of it that is not too old.
    pub(super) fn check_room(&self, texts: &[String]) -> Result<(), String> {
        let mut places: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        for (n, text) in texts.iter().enumerate() {
            places.entry(text).or_default().push(n as u64 + 1);
        }
        let place =
            |saying: &Saying| places.get(saying.text.as_str()).map_or(&[][..], Vec::as_slice);
        for saying in &self.sayings {
            match (saying.seq, place(saying)) {
                (Some(seq), [at]) if seq == *at => {}
                (None, [] | [_]) => {}
                (acknowledged, found) => {
                    return Err(format!(
                        "'{}' was acknowledged at {acknowledged:?} and stands at {found:?}",
                        saying.text
                    ));
                }
            }
        }
        for earlier in &self.sayings {
            for later in &self.sayings {
                let is_before = earlier.ended.is_some_and(|ended| ended < later.began);
                if is_before
                    && place(later).first() < place(earlier).first()
                    && !place(later).is_empty()
                {
                    return Err(format!(
                        "'{}' was acknowledged before '{}' was said, and stands after it",
                        earlier.text, later.text
                    ));
                }
            }
        }
        self.looks.iter().try_for_each(|look| self.check_look(look, texts))?;
        self.check_order_of_looks()
    }

    fn check_look(&self, look: &Look, texts: &[String]) -> Result<(), String> {
        let length = look.texts.len();
        if texts.len() < length || texts[..length] != look.texts[..] {
            return Err(format!("a look at {} saw {length} events that are no more", look.began));
        }
        for saying in &self.sayings {
            let is_seen = look.texts.contains(&saying.text);
            if !is_seen && saying.ended.is_some_and(|ended| ended < look.began) {
                return Err(format!(
                    "'{}' was acknowledged at {:?}, and a look that began at {} did not see it",
                    saying.text, saying.ended, look.began
                ));
            }
            if is_seen && look.ended < saying.began {
                return Err(format!("a look saw '{}' before it was said", saying.text));
            }
        }
        Ok(())
    }

    fn check_order_of_looks(&self) -> Result<(), String> {
        for earlier in &self.looks {
            for later in &self.looks {
                if earlier.ended < later.began && later.texts.len() < earlier.texts.len() {
                    return Err(format!(
                        "a look at {} saw {} events, one at {} only {}",
                        earlier.began,
                        earlier.texts.len(),
                        later.began,
                        later.texts.len()
                    ));
                }
            }
        }
        Ok(())
    }
}

/// Whether some order of the operations, each at a moment between its begin and its end, gives
/// every read the value written last before it.
pub(super) fn is_linearizable(operations: &[Operation]) -> bool {
    // An operation without an end that nobody needs may as well never have happened.
    let must = operations.iter().filter(|operation| operation.ended.is_some()).count();
    let mut tried = BTreeSet::new();
    let mut stack = vec![(vec![0_u64; operations.len().div_ceil(64)], 0_u64, must)];
    while let Some((done, value, left)) = stack.pop() {
        if left == 0 {
            return true;
        }
        if !tried.insert((done.clone(), value)) {
            continue;
        }
        let is_done = |n: usize| done[n / 64] >> (n % 64) & 1 == 1;
        let open = || operations.iter().enumerate().filter(|(n, _)| !is_done(*n));
        // What begins after something else has ended comes after it.
        let bound = open().filter_map(|(_, operation)| operation.ended).min().unwrap_or(u64::MAX);
        for (n, operation) in open().filter(|(_, operation)| operation.began < bound) {
            let next = match operation.deed {
                Deed::Write(written) => written,
                Deed::Read(seen) if seen == value => value,
                Deed::Read(_) => continue,
            };
            let mut done = done.clone();
            done[n / 64] |= 1 << (n % 64);
            stack.push((done, next, left - usize::from(operation.ended.is_some())));
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(began: u64, ended: u64, value: u64) -> Operation {
        Operation { began, ended: (ended > 0).then_some(ended), deed: Deed::Write(value) }
    }

    fn read(began: u64, ended: u64, value: u64) -> Operation {
        Operation { began, ended: Some(ended), deed: Deed::Read(value) }
    }

    #[test]
    fn histories_of_one_register_are_judged() {
        for (holds, operations) in [
            (true, vec![]),
            (true, vec![read(1, 2, 0)]),
            (false, vec![read(1, 2, 5)]),
            (true, vec![write(1, 4, 5), read(2, 3, 0)]),
            (true, vec![write(1, 4, 5), read(2, 3, 5)]),
            (false, vec![write(1, 2, 5), read(3, 4, 0)]),
            // Once seen, a value stays.
            (false, vec![write(1, 9, 5), read(2, 3, 5), read(4, 5, 0)]),
            // An unknown write may come late, or never.
            (true, vec![write(1, 0, 5), read(2, 3, 0), read(4, 5, 5)]),
            (true, vec![write(1, 0, 5), read(2, 3, 0), read(4, 5, 0)]),
            (false, vec![write(1, 0, 5), read(2, 3, 5), read(4, 5, 0)]),
            // Two at once: both orders, but one order for all.
            (true, vec![write(1, 4, 5), write(2, 3, 6), read(5, 6, 5), read(7, 8, 5)]),
            (false, vec![write(1, 4, 5), write(2, 3, 6), read(5, 6, 5), read(7, 8, 6)]),
            // A write that happened twice.
            (false, vec![write(1, 2, 5), write(3, 4, 6), read(5, 6, 6), read(7, 8, 5)]),
        ] {
            assert_eq!(is_linearizable(&operations), holds, "{operations:?}");
        }
    }

    #[test]
    fn histories_of_a_room_are_judged() {
        let said = |began, ended, text: &str, seq| Saying {
            began,
            ended: (ended > 0).then_some(ended),
            text: text.to_owned(),
            seq: (seq > 0).then_some(seq),
        };
        let texts = |all: &str| -> Vec<String> { all.chars().map(String::from).collect() };
        let look = |began, ended, all: &str| Look { began, ended, texts: texts(all) };
        let sayings = vec![said(1, 4, "a", 1), said(5, 0, "b", 0), said(6, 8, "c", 2)];
        for (holds, end, looks) in [
            (true, "ac", vec![]),
            (true, "acb", vec![]),
            (false, "c", vec![]),
            (false, "ca", vec![]),
            (false, "aac", vec![]),
            (false, "acbb", vec![]),
            (true, "ac", vec![look(2, 3, ""), look(7, 9, "ac")]),
            (false, "ac", vec![look(5, 6, "")]),
            (false, "ac", vec![look(2, 3, "ac")]),
            (false, "ac", vec![look(9, 10, "a")]),
            (false, "acb", vec![look(7, 9, "acb"), look(10, 11, "ac")]),
            (false, "ac", vec![look(7, 9, "acx")]),
        ] {
            let history = History { sayings: sayings.clone(), looks, ..History::default() };
            assert_eq!(history.check_room(&texts(end)).is_ok(), holds, "{end} {:?}", history.looks);
        }
    }
}
