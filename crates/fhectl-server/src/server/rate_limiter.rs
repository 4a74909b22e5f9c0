//! How often one client may ask.

use crate::store::Owner;
use fhectl_core::error::{Error, ErrorCode, Result};
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

/// Requests of one client: `burst` at once, then one every `every`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    pub every: Duration,
    pub burst: NonZeroU32,
}

/// Who is counted: a token, or an address where there is none.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Client {
    Token(Owner),
    Peer(IpAddr),
}

impl Client {
    /// One household has a /64 of IPv6 addresses, so that is what counts as one.
    pub fn peer(address: IpAddr) -> Self {
        Self::Peer(match address.to_canonical() {
            IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
            v4 @ IpAddr::V4(_) => v4,
        })
    }
}

/// Counts requests by client.
pub(super) struct ClientLimiter(Option<DefaultKeyedRateLimiter<Client>>);

impl ClientLimiter {
    pub fn new(limit: Option<RateLimit>) -> Self {
        Self(limit.and_then(|limit| {
            let quota = Quota::with_period(limit.every)?.allow_burst(limit.burst);
            Some(RateLimiter::keyed(quota))
        }))
    }

    /// # Errors
    /// `rate_limited`, with the time until the next request is let through.
    pub fn check(&self, client: &Client) -> Result<()> {
        let Some(limiter) = &self.0 else { return Ok(()) };
        limiter.check_key(client).map_err(|not_until| {
            Error::new(ErrorCode::RateLimited, "this client sends more requests than it may")
                .hint("wait as long as Retry-After says; several rows can go in one batch")
                .retry_after(not_until.wait_time_from(DefaultClock::default().now()))
        })
    }

    /// Forgets clients that have not asked for a while.
    pub fn forget(&self) {
        if let Some(limiter) = &self.0 {
            limiter.retain_recent();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_let_through_and_others_are_not_touched() {
        let limit = RateLimit { every: Duration::from_secs(100), burst: NonZeroU32::new(3).unwrap() };
        let limiter = ClientLimiter::new(Some(limit));
        let (one, two) = (Client::peer([10, 0, 0, 1].into()), Client::Token(Owner::of_token("two")));
        for _ in 0..3 {
            limiter.check(&one).unwrap();
        }
        let error = limiter.check(&one).unwrap_err();
        assert_eq!(error.code, ErrorCode::RateLimited);
        assert!(error.retry_after.is_some_and(|wait| wait > Duration::from_secs(90)));
        limiter.forget();
        assert!(limiter.check(&one).is_err());
        limiter.check(&two).unwrap();
        ClientLimiter::new(None).check(&one).unwrap();
    }

    #[test]
    fn addresses_of_one_network_count_as_one() {
        let peer = |text: &str| Client::peer(text.parse().unwrap());
        assert_eq!(peer("2001:db8::1"), peer("2001:db8::ffff"));
        assert_ne!(peer("2001:db8::1"), peer("2001:db8:0:1::1"));
        assert_eq!(peer("::ffff:10.0.0.1"), peer("10.0.0.1"));
        assert_ne!(peer("10.0.0.1"), peer("10.0.0.2"));
    }
}
