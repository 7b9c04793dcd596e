//! How many connections each address has.
//!
//! **Invariant:** an address that has none is not remembered, so the book is never longer than the
//! connections of the node.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::network::Network;

/// The connections of a node by address.
pub struct Crowd {
    most: u64,
    /// Many people stand behind each of these.
    uncounted: Vec<Network>,
    there: Mutex<HashMap<IpAddr, u64>>,
}

/// A connection that counts until it is dropped.
pub(super) struct Counted {
    crowd: Arc<Crowd>,
    address: IpAddr,
}

/// What keeps a connection counted: a socket outlives the request that it began as.
#[derive(Clone)]
pub(super) struct Held {
    _counted: Option<Arc<Counted>>,
}

impl From<Option<Counted>> for Held {
    fn from(counted: Option<Counted>) -> Held {
        Held { _counted: counted.map(Arc::new) }
    }
}

impl Crowd {
    /// Nobody yet; `most` for each address but this machine's and those of proxies.
    pub fn new(most: u64, proxies: &[Network]) -> Arc<Crowd> {
        Arc::new(Crowd { most, uncounted: proxies.to_vec(), there: Mutex::default() })
    }

    /// Counts one more; the error is that there are too many. `None` for whoever is not counted.
    pub(super) fn enter(self: &Arc<Crowd>, address: IpAddr) -> Result<Option<Counted>, Full> {
        let address = address.to_canonical();
        let proxy = self.uncounted.iter().any(|network| network.contains(address));
        if address.is_loopback() || proxy {
            return Ok(None);
        }
        let address = one_holder(address);
        let mut there = self.there.lock().unwrap_or_else(PoisonError::into_inner);
        let count = there.entry(address).or_default();
        if *count >= self.most {
            return Err(Full);
        }
        *count += 1;
        Ok(Some(Counted { crowd: self.clone(), address }))
    }
}

/// The address has as many as it may.
#[derive(Debug)]
pub(super) struct Full;

impl Drop for Counted {
    fn drop(&mut self) {
        let mut there = self.crowd.there.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = there.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                there.remove(&self.address);
            }
        }
    }
}

/// Who holds one address of IPv6 holds its whole /64.
fn one_holder(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).into(),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_has_its_share_and_no_other_one_pays_for_it() {
        let crowd = Crowd::new(2, &[Network::parse("10.9.0.0/16").unwrap()]);
        let held: Vec<_> =
            ["192.0.2.1", "::ffff:192.0.2.1"].map(|a| crowd.enter(at(a)).unwrap()).into();
        assert!(crowd.enter(at("192.0.2.1")).is_err(), "a third one, in whichever spelling");
        assert!(crowd.enter(at("192.0.2.2")).is_ok());
        let _two = ["2001:db8::1", "2001:db8::2"].map(|a| crowd.enter(at(a)).unwrap());
        assert!(crowd.enter(at("2001:db8::3")).is_err(), "the same /64");
        assert!(crowd.enter(at("2001:db8:0:1::1")).is_ok());
        for free in ["127.0.0.1", "::1", "10.9.1.1"] {
            assert!((0..5).all(|_| matches!(crowd.enter(at(free)), Ok(None))), "{free}");
        }
        drop(held);
        assert!(crowd.enter(at("192.0.2.1")).is_ok(), "places come back");
        drop(_two);
        assert!(crowd.there.lock().unwrap().is_empty(), "who has none is forgotten");
    }
}
