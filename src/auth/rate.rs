//! Counts requests against rate policies, in windows that begin with a caller's first request.
//!
//! The leader answers for all nodes, so its counts are the cluster's; a new leader begins anew.
//!
//! **Invariant:** what a hostile client can fill is bounded, and filling it makes nobody else wait:
//! people, addresses and sign-ins are kept apart, and in each the longest unseen go first.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::domain::id::PersonId;
use crate::domain::limit::door as limit;
use crate::domain::rate::{Class, Policy, Rule, Tier, by_default};

/// Who is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    /// Somebody with an account.
    Person(PersonId),
    /// Whoever uses this address.
    Address(Network),
    /// The operator's commands.
    Operator,
}

/// An address as it is counted: all of one IPv6 network of 64 bits, for one machine has all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network(IpAddr);

/// What may be tried too often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Attempt {
    /// A password for this account (its hash) from this network.
    Password(Network, [u8; 16]),
    /// A password for whatever account from this network.
    AnyPassword(Network),
    /// A share link from this network.
    Share(Network),
}

/// How a request stands against its policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The policy.
    pub policy: Policy,
    /// Requests that are left in this window.
    pub remaining: u32,
    /// Until it ends.
    pub reset: Duration,
    /// Whether this one was within it.
    pub within: bool,
}

/// Where a policy came from; the last one wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The product.
    Default,
    /// The settings of this node.
    Settings,
    /// An admin, for the whole cluster.
    Admin,
}

/// The counts of this node, and the policies in force.
pub struct Limiter {
    enabled: bool,
    settings: Option<Policy>,
    rules: Mutex<Vec<Rule>>,
    people: Mutex<Counts<(Option<PersonId>, Class)>>,
    addresses: Mutex<Counts<(Network, Class)>>,
    attempts: Mutex<Counts<Attempt>>,
}

/// Windows by key, in two generations: when the young one is full, the old one is forgotten.
struct Counts<K> {
    keys_max: usize,
    young: HashMap<K, Window>,
    old: HashMap<K, Window>,
}

#[derive(Clone, Copy)]
struct Window {
    began: Instant,
    count: u32,
}

impl Network {
    /// The network of an address.
    pub fn of(address: IpAddr) -> Network {
        match address.to_canonical() {
            IpAddr::V4(address) => Network(address.into()),
            IpAddr::V6(address) => {
                let network = address.to_bits() & !u128::from(u64::MAX);
                Network(std::net::Ipv6Addr::from_bits(network).into())
            }
        }
    }
}

impl Attempt {
    /// A password for the account with this address.
    pub fn password(from: Network, email: &str) -> Attempt {
        // Hashed, so that a long made-up address takes no more memory than a short one.
        let hash: [u8; 32] = Sha256::digest(email.trim().to_lowercase().as_bytes()).into();
        let mut name = [0; 16];
        name.copy_from_slice(&hash[..16]);
        Attempt::Password(from, name)
    }

    /// What holds for it.
    pub const fn policy(self) -> Policy {
        let requests = match self {
            Attempt::Password(..) => limit::LOGIN_ATTEMPTS_MAX,
            Attempt::AnyPassword(_) => limit::LOGIN_ATTEMPTS_OF_ADDRESS_MAX,
            Attempt::Share(_) => limit::SHARE_ATTEMPTS_MAX,
        };
        Policy { requests, window_seconds: limit::ATTEMPTS_SECONDS }
    }
}

impl Limiter {
    /// Counts nothing yet. `settings` is what the settings say for reading and writing.
    pub fn new(enabled: bool, settings: Option<Policy>) -> Limiter {
        Limiter {
            enabled,
            settings,
            rules: Mutex::default(),
            people: Mutex::new(Counts::new(limit::RATE_KEYS_MAX)),
            addresses: Mutex::new(Counts::new(limit::RATE_KEYS_MAX)),
            attempts: Mutex::new(Counts::new(limit::RATE_KEYS_MAX)),
        }
    }

    /// Whether anything is counted.
    pub fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// Takes over what an admin has set for the cluster.
    pub fn set_rules(&self, rules: Vec<Rule>) {
        *self.rules.lock().unwrap_or_else(PoisonError::into_inner) = rules;
    }

    /// The policy in force, and where it came from.
    pub fn policy(&self, class: Class, tier: Tier) -> (Policy, Origin) {
        let rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let of_admin = rules.iter().find(|rule| rule.class == class && rule.tier == tier);
        if let Some(Rule { requests, window_seconds, .. }) = of_admin.cloned() {
            return (Policy { requests, window_seconds }, Origin::Admin);
        }
        match self.settings {
            Some(policy) if matches!(class, Class::Read | Class::Write) => {
                (policy, Origin::Settings)
            }
            _ => (by_default(class, tier), Origin::Default),
        }
    }

    /// Counts a request; `None` if nothing is counted.
    pub fn count(&self, who: Who, tier: Tier, class: Class, now: Instant) -> Option<Standing> {
        if !self.enabled {
            return None;
        }
        let (policy, _) = self.policy(class, tier);
        Some(match who {
            Who::Person(id) => take(&self.people, (Some(id), class), policy, now),
            Who::Operator => take(&self.people, (None, class), policy, now),
            Who::Address(network) => take(&self.addresses, (network, class), policy, now),
        })
    }

    /// Counts an attempt before it is made, so that many at once cannot slip through.
    pub fn attempt(&self, attempt: Attempt, now: Instant) -> Option<Standing> {
        self.enabled.then(|| take(&self.attempts, attempt, attempt.policy(), now))
    }

    /// The attempt was a good one and does not count.
    pub fn succeeded(&self, attempt: Attempt) {
        let mut counts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(window) = counts.find(&attempt) {
            window.count = window.count.saturating_sub(1);
        }
    }
}

fn take<K: Copy + Eq + Hash>(
    counts: &Mutex<Counts<K>>,
    key: K,
    policy: Policy,
    now: Instant,
) -> Standing {
    // Nothing that runs under the lock panics half-way through a change.
    counts.lock().unwrap_or_else(PoisonError::into_inner).take(key, policy, now)
}

impl<K: Copy + Eq + Hash> Counts<K> {
    fn new(keys_max: usize) -> Counts<K> {
        Counts { keys_max, young: HashMap::new(), old: HashMap::new() }
    }

    fn find(&mut self, key: &K) -> Option<&mut Window> {
        match self.young.get_mut(key) {
            Some(window) => Some(window),
            None => self.old.get_mut(key),
        }
    }

    fn take(&mut self, key: K, policy: Policy, now: Instant) -> Standing {
        let long = Duration::from_secs(policy.window_seconds.into());
        let fresh = Window { began: now, count: 0 };
        let mut window = self.find(&key).copied().unwrap_or(fresh);
        if now.saturating_duration_since(window.began) >= long {
            window = fresh;
        }
        let within = window.count < policy.requests;
        window.count += u32::from(within);
        self.put(key, window);
        Standing {
            policy,
            remaining: policy.requests.saturating_sub(window.count),
            reset: long.saturating_sub(now.saturating_duration_since(window.began)),
            within,
        }
    }

    fn put(&mut self, key: K, window: Window) {
        if self.young.len() >= self.keys_max / 2 && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.old.remove(&key);
        self.young.insert(key, window);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn limiter(requests: u32) -> Limiter {
        Limiter::new(true, Some(Policy { requests, window_seconds: 60 }))
    }

    fn network(text: &str) -> Network {
        Network::of(text.parse().unwrap())
    }

    const ADA: Who = Who::Person(PersonId(Uuid::from_u128(1)));

    #[test]
    fn a_window_holds_so_many_and_then_begins_anew() {
        let (limiter, start) = (limiter(5), Instant::now());
        let take = |who, class, ms| {
            let now = start + Duration::from_millis(ms);
            limiter.count(who, Tier::Candidate, class, now).unwrap()
        };
        for n in 0..5 {
            let standing = take(ADA, Class::Read, n);
            assert!(standing.within);
            assert_eq!(standing.remaining, 4 - n as u32);
            assert_eq!(standing.reset, Duration::from_millis(60_000 - n));
        }
        let sixth = take(ADA, Class::Read, 59_999);
        assert_eq!((sixth.within, sixth.remaining), (false, 0));
        assert_eq!(sixth.reset, Duration::from_millis(1));
        // Other people, other classes and addresses have windows of their own.
        assert!(take(ADA, Class::Write, 59_999).within);
        assert!(take(Who::Operator, Class::Read, 59_999).within);
        assert!(take(Who::Address(network("192.0.2.1")), Class::Read, 59_999).within);
        assert!(take(ADA, Class::Read, 60_000).within);
    }

    #[test]
    fn the_strongest_source_sets_the_policy() {
        let limiter = limiter(7);
        let policy = |class| limiter.policy(class, Tier::Candidate);
        assert_eq!(policy(Class::Write).1, Origin::Settings);
        let of_default = by_default(Class::Auth, Tier::Candidate);
        assert_eq!(policy(Class::Auth), (of_default, Origin::Default));
        let (class, tier) = (Class::Write, Tier::Candidate);
        limiter.set_rules(vec![Rule { class, tier, requests: 2, window_seconds: 3 }]);
        let of_admin = Policy { requests: 2, window_seconds: 3 };
        assert_eq!(policy(Class::Write), (of_admin, Origin::Admin));
        assert_eq!(policy(Class::Read).1, Origin::Settings);
        limiter.set_rules(Vec::new());
        assert_eq!(policy(Class::Write).1, Origin::Settings);
    }

    #[test]
    fn switched_off_it_counts_nothing() {
        let limiter = Limiter::new(false, Some(Policy { requests: 1, window_seconds: 60 }));
        let now = Instant::now();
        for _ in 0..3 {
            assert_eq!(limiter.count(ADA, Tier::Admin, Class::Read, now), None);
            assert_eq!(limiter.attempt(Attempt::Share(network("192.0.2.1")), now), None);
        }
    }

    #[test]
    fn one_machine_is_one_address() {
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:0:0:1"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    }

    #[test]
    fn many_keys_take_no_more_memory_and_a_busy_one_stays() {
        let (mut counts, now) = (Counts::new(100), Instant::now());
        let policy = Policy { requests: 1_000_000, window_seconds: 60 };
        for n in 0..10_000_u32 {
            let busy = counts.take(u32::MAX, policy, now);
            assert_eq!(policy.requests - busy.remaining, n + 1, "it was never forgotten");
            counts.take(n, policy, now);
            assert!(counts.young.len() + counts.old.len() <= 100);
        }
        assert!(counts.find(&0).is_none() && counts.find(&9_999).is_some());
    }

    #[test]
    fn nobody_locks_somebody_else_out() {
        let (limiter, now) = (limiter(1), Instant::now());
        let (attacker, owner) = (network("192.0.2.1"), network("192.0.2.2"));
        let try_from = |from| limiter.attempt(Attempt::password(from, "Ada@example.org"), now);
        for _ in 0..limit::LOGIN_ATTEMPTS_MAX {
            assert!(try_from(attacker).unwrap().within);
        }
        assert!(!try_from(attacker).unwrap().within);
        assert!(try_from(owner).unwrap().within);
        let other = Attempt::password(attacker, "sam@example.org");
        assert!(limiter.attempt(other, now).unwrap().within);
    }

    #[test]
    fn good_attempts_do_not_count() {
        let (limiter, now) = (limiter(1), Instant::now());
        let attempt = Attempt::AnyPassword(network("192.0.2.1"));
        for _ in 0..3 * limit::LOGIN_ATTEMPTS_OF_ADDRESS_MAX {
            assert!(limiter.attempt(attempt, now).unwrap().within);
            limiter.succeeded(attempt);
        }
    }
}
