//! Whether a proxy stands between client and server.

use std::net::IpAddr;
use ureq::http::Uri;
use ureq::{Proxy, ProxyProtocol};

/// The variables that name a proxy, in the order in which they count.
const VARIABLES: [&str; 6] = ["ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"];

/// The proxy that the environment names for a server; none for this machine's own.
pub(super) fn proxy_for(base: &str) -> Option<Proxy> {
    let uri: Uri = base.parse().ok()?;
    if is_loopback(uri.host()?) {
        return None;
    }
    let proxy = Proxy::try_from_env()?;
    let speaks_http = matches!(proxy.protocol(), ProxyProtocol::Http | ProxyProtocol::Https);
    (speaks_http && !proxy.is_no_proxy(&uri)).then_some(proxy)
}

/// What a person is told of a proxy, without its password.
pub(super) fn name_of(proxy: &Proxy) -> String {
    let variable = VARIABLES.iter().find(|name| std::env::var(name).is_ok_and(|value| Proxy::new(&value).is_ok()));
    let from = variable.map_or(String::new(), |variable| format!(" ({variable})"));
    format!("the proxy {}:{}{from}", proxy.host(), proxy.port())
}

/// Whether a URL's host is this machine, by name or by address.
fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost") || host.parse().is_ok_and(is_own)
}

/// Loopback addresses, also as IPv6 writes those of IPv4, and the one that stands for all of this machine's.
fn is_own(address: IpAddr) -> bool {
    let address = address.to_canonical();
    address.is_loopback() || address.is_unspecified()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_known_by_its_names() {
        let loopback = |url: &str| is_loopback(url.parse::<Uri>().unwrap().host().unwrap());
        let own = [
            "127.0.0.1:8000",
            "127.9.9.9",
            "localhost:1",
            "[::1]:8000",
            "LocalHost./",
            "0.0.0.0:1",
            "[::ffff:127.0.0.1]",
        ];
        for url in own.map(|host| format!("http://{host}")) {
            assert!(loopback(&url), "{url}");
        }
        for url in ["http://10.0.0.1", "http://localhost.example.com", "http://notlocalhost", "http://[fe80::1]:1"] {
            assert!(!loopback(url), "{url}");
        }
    }
}
