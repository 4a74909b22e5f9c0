//! `/metrics`, on the operators' own listener.

use super::reply::Answer;
use super::state::AppState;
use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;

/// What Prometheus asks for.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The one route of that listener.
pub(super) fn router(state: AppState) -> Router {
    Router::new().route("/metrics", get(scrape)).with_state(state)
}

async fn scrape(State(state): State<AppState>) -> Answer {
    let text = state.metrics.render(&state.levels())?;
    Ok(([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response())
}
