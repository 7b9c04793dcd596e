//! Where a request really comes from: the far end of the connection, or the client that a trusted
//! proxy names.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request};
use axum::http::{Extensions, HeaderMap, HeaderName};

use crate::config::network::Network;
use crate::domain::limit::door as limit;

use super::serve::Peer;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Puts the client's address in the place of the proxy's, so that everything behind sees the
/// client: what is open to this machine only is not open to whoever comes through a proxy on it.
pub(super) fn settle(request: &mut Request, trusted: &[Network]) {
    let peer = request.extensions().get::<ConnectInfo<Peer>>();
    let Some(near) = peer.and_then(|ConnectInfo(peer)| peer.address()) else { return };
    let client = client(near.ip(), request.headers(), trusted);
    if client != near.ip() {
        let address = SocketAddr::new(client, 0);
        request.extensions_mut().insert(ConnectInfo(Peer::elsewhere(Some(address))));
    }
}

/// The address that a request is counted under.
pub(super) fn of(extensions: &Extensions) -> IpAddr {
    let peer = extensions.get::<ConnectInfo<Peer>>();
    let address = peer.and_then(|ConnectInfo(peer)| peer.address());
    address.map_or(IpAddr::from([0, 0, 0, 0]), |address| address.ip())
}

/// The network of a request as the audit log keeps it: enough to tell an office from elsewhere, and
/// too coarse to tell one person from the next. None where nobody came over a network.
pub(super) fn network(extensions: &Extensions) -> Option<String> {
    let peer = extensions.get::<ConnectInfo<Peer>>();
    let address = peer.and_then(|ConnectInfo(peer)| peer.address())?.ip().to_canonical();
    Some(match address {
        IpAddr::V4(v4) => format!("{}/24", std::net::Ipv4Addr::from_bits(v4.to_bits() & !0xff)),
        IpAddr::V6(v6) => {
            let bits = v6.to_bits() & !(u128::MAX >> 48);
            format!("{}/48", std::net::Ipv6Addr::from_bits(bits))
        }
    })
}

/// Walks from the near end to the first address that no proxy of ours has.
fn client(near: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut at = near;
    // Several lines of one header are one list, in their order.
    let lines = headers.get_all(FORWARDED_FOR);
    let lines: Vec<&str> = lines.iter().map(|line| line.to_str().unwrap_or_default()).collect();
    let hops = lines.iter().rev().flat_map(|line| line.rsplit(','));
    for hop in hops.take(limit::PROXY_HOPS_MAX) {
        if !is_trusted(at) {
            break;
        }
        // A proxy that writes something else is as far as anybody can be believed.
        let Some(address) = parse(hop.trim()) else { break };
        at = address;
    }
    at.to_canonical()
}

/// An address, with or without a port.
fn parse(hop: &str) -> Option<IpAddr> {
    if let Ok(address) = hop.parse() {
        return Some(address);
    }
    if let Ok(address) = hop.parse::<SocketAddr>() {
        return Some(address.ip());
    }
    hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn found(near: &str, lines: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, HeaderValue::from_str(line).unwrap());
        }
        let trusted: Vec<Network> = trusted.iter().map(|n| Network::parse(n).unwrap()).collect();
        client(near.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn the_header_counts_only_from_a_trusted_proxy_and_from_its_right_end() {
        let proxies = ["10.0.0.0/8", "::1"];
        for (near, lines, trusted, wanted) in [
            ("192.0.2.1", vec!["198.51.100.9"], &proxies[..0], "192.0.2.1"),
            ("192.0.2.1", vec!["198.51.100.9"], &proxies, "192.0.2.1"),
            ("10.0.0.1", vec!["198.51.100.9"], &proxies, "198.51.100.9"),
            ("10.0.0.1", vec!["203.0.113.5, 198.51.100.9"], &proxies, "198.51.100.9"),
            ("10.0.0.1", vec!["203.0.113.5", "198.51.100.9,10.2.0.1"], &proxies, "198.51.100.9"),
            ("10.0.0.1", vec!["10.3.0.1, 10.2.0.1"], &proxies, "10.3.0.1"),
            ("10.0.0.1", vec![], &proxies, "10.0.0.1"),
            ("10.0.0.1", vec!["garbage"], &proxies, "10.0.0.1"),
            ("10.0.0.1", vec!["198.51.100.9, garbage, 10.2.0.1"], &proxies, "10.2.0.1"),
            ("::1", vec!["198.51.100.9:5000"], &proxies, "198.51.100.9"),
            ("::1", vec!["[2001:db8::7]:5000"], &proxies, "2001:db8::7"),
            ("::1", vec!["[2001:db8::7]"], &proxies, "2001:db8::7"),
            ("::ffff:10.0.0.1", vec!["::ffff:198.51.100.9"], &proxies, "198.51.100.9"),
        ] {
            assert_eq!(found(near, &lines, trusted), wanted, "{near} {lines:?} {trusted:?}");
        }
        let long = vec!["10.0.0.2"; 10_000].join(",");
        assert_eq!(found("10.0.0.1", &[&long], &proxies), "10.0.0.2");
    }
}
