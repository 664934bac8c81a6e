//! Where a request comes from: the peer, or whom the proxies in between name.
//!
//! Any client may send `X-Forwarded-For` or `Forwarded`, so they are read only where the peer is a trusted proxy, and
//! from the right: each proxy adds whom it was asked by, and the first that isn't trusted is the client.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use ipnet::{IpNet, Ipv6Net};
use rfc7239::NodeName;

/// What is known of a request's sender: in the extensions of every request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// None where the request came over no network.
    pub address: Option<IpAddr>,
    /// The scheme that a trusted proxy was asked by, in lower case.
    pub scheme: Option<String>,
    /// The host that was asked: as a trusted proxy says, else as the request does.
    pub host: Option<String>,
}

impl Client {
    /// Who sent `request`, where `trusted` are the proxies to believe.
    pub fn of(request: &Request, trusted: &[IpNet]) -> Self {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let headers = request.headers();
        let direct = Self {
            address: peer.map(|ConnectInfo(peer)| peer.ip().to_canonical()),
            scheme: None,
            // HTTP/2 has the host in the request's target.
            host: request.uri().authority().map(|host| host.as_str().to_owned()).or_else(|| {
                let host = headers.get(header::HOST)?.to_str().ok()?;
                Some(host.to_owned())
            }),
        };
        match direct.address {
            Some(peer) if trusts(trusted, peer) => direct.forwarded(headers, peer, trusted),
            _ => direct,
        }
    }

    fn forwarded(self, headers: &HeaderMap, proxy: IpAddr, trusted: &[IpNet]) -> Self {
        let legacy = legacy_hops(headers);
        let standard = standard_hops(headers);
        let hops = match (legacy, standard) {
            (hops, None) | (None, hops) => hops,
            // A proxy that writes one header may pass on the other as the client sent it. Two that name different
            // clients can't both be the proxy's, and there is no telling which is.
            (Some(legacy), Some(standard)) => {
                let client = |hops: &[Hop]| sender(hops, proxy, trusted).0;
                if client(&legacy) != client(&standard) {
                    return self;
                }
                Some(merged(legacy, standard))
            }
        };
        let Some(hops) = hops else { return self };
        let (address, hop) = sender(&hops, proxy, trusted);
        Self {
            address: Some(address),
            scheme: hop.and_then(|hop| hop.scheme.clone()),
            host: hop.and_then(|hop| hop.host.clone()).or(self.host),
        }
    }

    /// What to count attempts by: the address, or for IPv6 its network of 64 bits, of which one customer has all.
    pub fn throttle_key(&self) -> String {
        match self.address {
            Some(IpAddr::V4(address)) => address.to_string(),
            Some(IpAddr::V6(address)) => Ipv6Net::new_assert(address, 64).trunc().to_string(),
            None => "unknown".into(),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let unknown = Self { address: None, scheme: None, host: None };
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or(unknown))
    }
}

fn trusts(trusted: &[IpNet], address: IpAddr) -> bool {
    trusted.iter().any(|network| network.contains(&address))
}

/// What one proxy says of the request it got.
#[derive(Clone, Debug, Default)]
struct Hop {
    /// Whom the proxy was asked by; none where it doesn't say.
    from: Option<IpAddr>,
    scheme: Option<String>,
    host: Option<String>,
}

/// Walks the hops from the nearest proxy on: the first address that isn't a trusted proxy's, and what was said there.
fn sender<'a>(hops: &'a [Hop], proxy: IpAddr, trusted: &[IpNet]) -> (IpAddr, Option<&'a Hop>) {
    let (mut address, mut said) = (proxy, None);
    for hop in hops.iter().rev() {
        said = Some(hop);
        let Some(from) = hop.from else { break };
        address = from;
        if !trusts(trusted, from) {
            break;
        }
    }
    (address, said)
}

/// The values of a header that is a list, over all its lines.
fn list<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a str> {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim).filter(|value| !value.is_empty()).collect()
}

/// `X-Forwarded-For`, `-Proto` and `-Host`, farthest hop first. Proxies often write one scheme and one host for
/// however many addresses: that one is every hop's.
fn legacy_hops(headers: &HeaderMap) -> Option<Vec<Hop>> {
    let [addresses, schemes, hosts] =
        ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"].map(|name| list(headers, name));
    let length = [&addresses, &schemes, &hosts].map(|values| values.len()).into_iter().max()?;
    if length == 0 {
        return None;
    }
    let hop = |from_right: usize| {
        let of = |values: &[&str]| {
            let index = values.len().checked_sub(1)?.saturating_sub(from_right);
            Some(values[index].to_owned())
        };
        let address = addresses.len().checked_sub(from_right + 1).map(|index| addresses[index]);
        Hop {
            from: address.and_then(parse_address),
            scheme: of(&schemes).map(|scheme| scheme.to_ascii_lowercase()),
            host: of(&hosts),
        }
    };
    Some((0..length).rev().map(hop).collect())
}

/// An address as proxies write it: bare, or with a port.
fn parse_address(text: &str) -> Option<IpAddr> {
    let address = text.parse::<IpAddr>().or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    address.ok().map(|address| address.to_canonical())
}

/// `Forwarded` (RFC 7239), farthest hop first. A hop that can't be read says nothing.
fn standard_hops(headers: &HeaderMap) -> Option<Vec<Hop>> {
    let unquoted = |text: Option<&str>| text.map(|text| text.trim_matches('"').to_owned());
    let hops: Vec<Hop> = list(headers, header::FORWARDED.as_str())
        .into_iter()
        .map(|element| {
            let Some(Ok(said)) = rfc7239::parse(element).next() else { return Hop::default() };
            Hop {
                from: said.forwarded_for.and_then(|node| match node.name {
                    NodeName::Ip(address) => Some(address.to_canonical()),
                    _ => None,
                }),
                scheme: unquoted(said.protocol).map(|scheme| scheme.to_ascii_lowercase()),
                host: unquoted(said.host),
            }
        })
        .collect();
    (!hops.is_empty()).then_some(hops)
}

/// Two accounts of the same way: the standard one, completed by the other.
fn merged(legacy: Vec<Hop>, standard: Vec<Hop>) -> Vec<Hop> {
    let mut legacy = legacy.into_iter().rev();
    let mut hops: Vec<Hop> = standard
        .into_iter()
        .rev()
        .map(|hop| {
            let other = legacy.next().unwrap_or_default();
            Hop { from: hop.from, scheme: hop.scheme.or(other.scheme), host: hop.host.or(other.host) }
        })
        .collect();
    hops.reverse();
    hops
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    const PROXY: &str = "10.0.0.1";

    fn client(peer: &str, headers: &[(&str, &str)]) -> Client {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let mut request = Request::get("/").header("host", "inside:3000");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::empty()).unwrap();
        let peer = SocketAddr::new(peer.parse().unwrap(), 4000);
        request.extensions_mut().insert(ConnectInfo(peer));
        Client::of(&request, &trusted)
    }

    fn address(peer: &str, headers: &[(&str, &str)]) -> String {
        client(peer, headers).address.unwrap().to_string()
    }

    #[test]
    fn a_peer_that_is_no_proxy_is_the_client_whatever_it_says() {
        for headers in [
            &[("x-forwarded-for", "1.2.3.4")][..],
            &[("forwarded", "for=1.2.3.4;proto=https")],
            &[("x-forwarded-proto", "https"), ("x-forwarded-host", "evil.example")],
        ] {
            let client = client("203.0.113.9", headers);
            assert_eq!(client.address.unwrap().to_string(), "203.0.113.9");
            assert_eq!((client.scheme, client.host.as_deref()), (None, Some("inside:3000")));
        }
    }

    #[test]
    fn the_first_address_from_the_right_that_is_no_proxy_is_the_client() {
        for (headers, expected) in [
            (&[("x-forwarded-for", "1.2.3.4")][..], "1.2.3.4"),
            (&[("x-forwarded-for", "6.6.6.6, 1.2.3.4")], "1.2.3.4"),
            (&[("x-forwarded-for", "6.6.6.6, 1.2.3.4, 10.0.0.2")], "1.2.3.4"),
            (&[("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "1.2.3.4:5555")], "1.2.3.4"),
            (&[("x-forwarded-for", "10.0.0.3, 10.0.0.2")], "10.0.0.3"),
            (&[("x-forwarded-for", "1.2.3.4, nonsense")], PROXY),
            (&[("x-forwarded-for", "1.2.3.4, nonsense, 10.0.0.2")], "10.0.0.2"),
            (&[("forwarded", "for=1.2.3.4")], "1.2.3.4"),
            (
                &[("forwarded", "for=6.6.6.6, for=\"[2001:db8::7]:80\";proto=https, For=10.0.0.2")],
                "2001:db8::7",
            ),
            (&[("forwarded", "for=1.2.3.4, for=unknown")], PROXY),
            (&[("forwarded", "for=\"6.6.6.6, for=1.2.3.4")], "1.2.3.4"),
            (&[("x-forwarded-for", "::ffff:1.2.3.4")], "1.2.3.4"),
            (&[], PROXY),
        ] {
            assert_eq!(address(PROXY, headers), expected, "{headers:?}");
        }
    }

    #[test]
    fn headers_that_contradict_each_other_are_not_believed() {
        let both = |standard: &'static str| [("x-forwarded-for", "1.2.3.4"), ("forwarded", standard)];
        assert_eq!(address(PROXY, &both("for=6.6.6.6")), PROXY);
        assert_eq!(address(PROXY, &both("for=1.2.3.4;proto=https")), "1.2.3.4");
    }

    #[test]
    fn scheme_and_host_are_what_the_outermost_trusted_proxy_was_asked() {
        let said = |headers: &[(&str, &str)]| {
            let client = client(PROXY, headers);
            (client.scheme.unwrap_or_default(), client.host.unwrap_or_default())
        };
        let outside = ("https".to_owned(), "tollgate.example".to_owned());
        assert_eq!(
            said(&[
                ("x-forwarded-for", "1.2.3.4"),
                ("x-forwarded-proto", "HTTPS"),
                ("x-forwarded-host", "tollgate.example"),
            ]),
            outside
        );
        assert_eq!(
            said(&[
                ("x-forwarded-for", "1.2.3.4, 10.0.0.2"),
                ("x-forwarded-proto", "gopher, https, http"),
                ("x-forwarded-host", "evil.example, tollgate.example, inside"),
            ]),
            outside
        );
        assert_eq!(
            said(&[("forwarded", "host=evil.example, for=1.2.3.4;proto=https;host=\"tollgate.example\"")]),
            outside
        );
        assert_eq!(said(&[("x-forwarded-proto", "https")]), ("https".into(), "inside:3000".into()));
    }

    #[test]
    fn an_ipv6_customer_is_counted_as_one() {
        let key = |address: &str| client(address, &[]).throttle_key();
        assert_eq!(key("2001:db8:1:2:3:4:5:6"), key("2001:db8:1:2::9"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_eq!(key("203.0.113.9"), "203.0.113.9");
    }
}
