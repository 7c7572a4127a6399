//! Name lookup, and the hand-over of checked addresses to the HTTP client.
//!
//! A name is looked up once per request, by us; the answer is checked as a whole; and the client's own resolver serves
//! nothing but what was checked. So a name that changes its mind between check and dial (DNS rebinding) changes nothing.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

/// Looks names up. The default asks the system.
#[async_trait]
pub trait Resolve: Send + Sync + 'static {
    /// Every address of `host`, a domain name without port. Called once per request, only for hosts that the manifest
    /// declares and the operator granted; never for IP literals. No caching is expected: the answer serves one request.
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The system's resolver (`getaddrinfo`, with `/etc/hosts` and search domains as the system is set up).
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// The addresses that were checked for requests under way in one lane, by host.
#[derive(Clone, Default)]
pub(super) struct CheckedAddresses {
    hosts: Arc<Mutex<HashMap<String, Vec<Checked>>>>,
}

struct Checked {
    id: u64,
    port: u16,
    addresses: Vec<IpAddr>,
}

impl CheckedAddresses {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<Checked>>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves `addresses` for `host` until the guard is dropped.
    pub(super) fn publish(&self, host: &str, port: u16, addresses: Vec<IpAddr>) -> Published {
        let mut hosts = self.lock();
        let entries = hosts.entry(host.to_owned()).or_default();
        let id = entries.iter().map(|entry| entry.id).max().unwrap_or(0) + 1;
        entries.push(Checked { id, port, addresses });
        Published { within: self.clone(), host: host.to_owned(), id }
    }

    /// The client asks by host only, without the port, while the check knows the port (the host's own listeners are
    /// addresses with a port). So where requests to several ports of one host are under way, only addresses that were
    /// checked for each of these ports are served.
    fn serve(&self, host: &str) -> Vec<IpAddr> {
        let hosts = self.lock();
        let Some(entries) = hosts.get(host) else { return Vec::new() };
        let good_for = |address: IpAddr, port: u16| {
            entries.iter().any(|entry| entry.port == port && entry.addresses.contains(&address))
        };
        let mut served = Vec::new();
        for address in entries.iter().rev().flat_map(|entry| &entry.addresses) {
            if !served.contains(address) && entries.iter().all(|entry| good_for(*address, entry.port)) {
                served.push(*address);
            }
        }
        served
    }
}

impl reqwest::dns::Resolve for CheckedAddresses {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let served = self.serve(name.as_str());
        Box::pin(async move {
            if served.is_empty() {
                return Err("no address was checked for this host".into());
            }
            // Port 0: the client fills in the URL's.
            let addresses = served.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as reqwest::dns::Addrs)
        })
    }
}

/// Keeps checked addresses served while a request is under way.
pub(super) struct Published {
    within: CheckedAddresses,
    host: String,
    id: u64,
}

impl Drop for Published {
    fn drop(&mut self) {
        let mut hosts = self.within.lock();
        if let Some(entries) = hosts.get_mut(&self.host) {
            entries.retain(|entry| entry.id != self.id);
            if entries.is_empty() {
                hosts.remove(&self.host);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn only_published_addresses_are_served_and_only_while_published() {
        let checked = CheckedAddresses::default();
        assert!(checked.serve("shop.example").is_empty());
        let first = checked.publish("shop.example", 443, addresses(&["1.1.1.1"]));
        let second = checked.publish("shop.example", 443, addresses(&["1.1.1.2"]));
        assert_eq!(checked.serve("shop.example"), addresses(&["1.1.1.2", "1.1.1.1"]));
        assert!(checked.serve("other.example").is_empty());
        drop(first);
        assert_eq!(checked.serve("shop.example"), addresses(&["1.1.1.2"]));
        drop(second);
        assert!(checked.serve("shop.example").is_empty());
        assert!(checked.lock().is_empty(), "nothing is kept for hosts that are not in use");
    }

    #[test]
    fn an_address_checked_for_one_port_is_not_served_to_another() {
        let checked = CheckedAddresses::default();
        let _a = checked.publish("shop.example", 443, addresses(&["1.1.1.1", "1.1.1.2"]));
        let _b = checked.publish("shop.example", 9090, addresses(&["1.1.1.2"]));
        assert_eq!(checked.serve("shop.example"), addresses(&["1.1.1.2"]));
    }
}
