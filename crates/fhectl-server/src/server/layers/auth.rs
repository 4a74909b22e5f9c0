//! Who sent a request, and that it may be served. In two steps, so that the rate limit stands between them.

use super::open_paths::{is_health_check, is_page};
use crate::server::caller::{Caller, Peer};
use crate::server::rate_limiter::Client;
use crate::server::reload::Reloading;
use crate::server::reply::Failure;
use crate::server::tokens::TokenSet;
use crate::store::Owner;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use fhectl_core::error::Result;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// What a request's `Authorization` header came to; between the two steps.
#[derive(Debug, Clone)]
pub(super) struct Identified {
    peer: IpAddr,
    owner: Result<Owner>,
    /// Whom the request counts against, if anyone.
    pub client: Option<Client>,
}

/// The first step: finds out who it is, and refuses nobody.
pub(super) async fn identify(
    State(tokens): State<Option<Arc<Reloading<TokenSet>>>>,
    mut request: Request,
    next: Next,
) -> Response {
    let peer = request.extensions().get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0);
    let authorization = request.headers().get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    let identified = match &tokens {
        _ if is_health_check(&request) => Identified { peer, owner: Ok(Owner::anyone()), client: None },
        _ if is_page(&request) => Identified { peer, owner: Ok(Owner::anyone()), client: Some(Client::peer(peer)) },
        None => Identified { peer, owner: Ok(Owner::anyone()), client: Some(Client::peer(peer)) },
        Some(tokens) => {
            let owner = tokens.current().check(authorization);
            // A wrong token counts against its address, so that guessing is slow.
            let client = owner.as_ref().map_or_else(|_| Client::peer(peer), |owner| Client::Token(owner.clone()));
            Identified { peer, owner, client: Some(client) }
        }
    };
    request.extensions_mut().insert(identified);
    next.run(request).await
}

/// The second step: refuses whom the first one did not know.
pub(super) async fn require(mut request: Request, next: Next) -> Result<Response, Failure> {
    if let Some(Identified { owner, peer, .. }) = request.extensions_mut().remove() {
        request.extensions_mut().insert(Caller { owner: owner?, peer });
    }
    Ok(next.run(request).await)
}
