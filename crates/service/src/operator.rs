//! `POST /regions/{name}/{action}`: overrides, reset, and faults of the demo servers.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use object_store_failover::{FailoverStore, UnknownRegion};
use url::form_urlencoded;

use crate::auth::{bearer_token, is_cross_origin};
use crate::demo_servers::ServerAction;
use crate::event_log::Level;
use crate::service::Service;

/// Longest override duration: later instants overflow. Without a duration there is no limit.
const DURATION_MAX: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// An action of the store.
#[derive(Clone, Copy)]
enum Action {
    /// Takes no duration.
    Untimed(fn(&FailoverStore, &str) -> Result<(), UnknownRegion>),
    /// Takes an optional override duration.
    Timed(fn(&FailoverStore, &str, Option<Duration>) -> Result<(), UnknownRegion>),
}

/// The actions of the store. The page shows a button for each.
const ACTIONS: &[(&str, Action)] = &[
    ("drain", Action::Untimed(FailoverStore::drain)),
    ("undrain", Action::Untimed(FailoverStore::undrain)),
    ("force_open", Action::Timed(FailoverStore::force_open)),
    ("force_closed", Action::Timed(FailoverStore::force_closed)),
    ("metrics_only", Action::Timed(FailoverStore::metrics_only)),
    ("reset", Action::Untimed(FailoverStore::reset)),
];

/// Status and reason of a rejected action.
struct ActionError(StatusCode, String);

/// Parameters of the query and of the form.
#[derive(Default)]
struct Parameters {
    token: Option<String>,
    duration: Option<String>,
}

/// The actions for the page, separated by spaces; those that take a duration end with `:for`.
pub fn action_list() -> String {
    let names = ACTIONS.iter().map(|(name, action)| match action {
        Action::Untimed(_) => (*name).to_owned(),
        Action::Timed(_) => format!("{name}:for"),
    });
    names.collect::<Vec<_>>().join(" ")
}

pub async fn act(
    State(service): State<Arc<Service>>,
    Path((region, action)): Path<(String, String)>,
    headers: HeaderMap,
    uri: Uri,
    body: Bytes,
) -> Response {
    let parameters = Parameters::parse(&uri, &body);
    let result = authorize(&service, &headers, &parameters)
        .and_then(|()| perform(&service, &region, &action, parameters.duration.as_deref()));
    match result {
        Ok(text) => format!("{region}: {text}\n").into_response(),
        Err(error) => error.into_response(),
    }
}

fn authorize(
    service: &Service,
    headers: &HeaderMap,
    parameters: &Parameters,
) -> Result<(), ActionError> {
    if is_cross_origin(headers) {
        return Err(ActionError(
            StatusCode::FORBIDDEN,
            "cross-origin request; use the page of this service".into(),
        ));
    }
    let error = match bearer_token(headers).or(parameters.token.as_deref()) {
        Some(token) if service.token.matches(token) => return Ok(()),
        Some(_) => "wrong token",
        None => "token missing: send Authorization: Bearer TOKEN",
    };
    Err(ActionError(StatusCode::UNAUTHORIZED, error.into()))
}

/// Performs an action. Returns the text of the response.
fn perform(
    service: &Service,
    region: &str,
    action: &str,
    duration: Option<&str>,
) -> Result<String, ActionError> {
    check_region(service, region)?;
    match ACTIONS.iter().find(|(name, _)| *name == action) {
        Some((_, Action::Timed(apply))) => {
            let duration = duration.map(parse_duration).transpose()?;
            apply(&service.store, region, duration)?;
            Ok(duration.map_or_else(
                || action.to_owned(),
                |duration| format!("{action} for {}", humantime::format_duration(duration)),
            ))
        }
        Some(_) if duration.is_some() => Err(ActionError(
            StatusCode::BAD_REQUEST,
            format!("{action} takes no override duration; omit \"for\""),
        )),
        Some((_, Action::Untimed(apply))) => {
            apply(&service.store, region)?;
            Ok(action.to_owned())
        }
        None => act_on_demo_server(service, region, action),
    }
}

/// A 404 that lists the configured regions, unless the region is one of them.
fn check_region(service: &Service, region: &str) -> Result<(), ActionError> {
    let regions = service.store.health().regions;
    if regions.iter().any(|known| *known.name == *region) {
        return Ok(());
    }
    let names: Vec<_> = regions.iter().map(|known| &*known.name).collect();
    Err(not_found(format!(
        "unknown region \"{region}\"; configured: {}",
        names.join(", ")
    )))
}

/// Kills, hangs or revives a demo server. 404 over real regions.
fn act_on_demo_server(
    service: &Service,
    region: &str,
    action: &str,
) -> Result<String, ActionError> {
    let Some(server_action) = ServerAction::parse(action) else {
        let known: Vec<_> = ACTIONS.iter().map(|(name, _)| *name).collect();
        return Err(not_found(format!(
            "unknown action \"{action}\"; available: {}",
            known.join(", ")
        )));
    };
    match &service.demo {
        Some(servers) if servers.apply(region, server_action) => {
            // The store emits events for overrides; it does not know about the demo servers.
            let text = format!("demo server {}", server_action.past_tense());
            service.event_log.push(Level::Info, Some(region), text);
            Ok(action.to_owned())
        }
        _ => Err(not_found(format!(
            "{action} is available only for the demo servers of the first instance"
        ))),
    }
}

fn parse_duration(text: &str) -> Result<Duration, ActionError> {
    let invalid = |reason: String| {
        ActionError(
            StatusCode::BAD_REQUEST,
            format!("for={text}: {reason}; write a duration like 10m or 1h30m"),
        )
    };
    match humantime::parse_duration(text) {
        Ok(duration) if duration.is_zero() => Err(invalid("must be above zero".into())),
        Ok(duration) if duration > DURATION_MAX => {
            Err(invalid("longer than a year, omit it for no limit".into()))
        }
        Ok(duration) => Ok(duration),
        Err(error) => Err(invalid(error.to_string())),
    }
}

fn not_found(reason: String) -> ActionError {
    ActionError(StatusCode::NOT_FOUND, reason)
}

impl Parameters {
    /// The token is read from the form only: URLs end up in access logs.
    fn parse(uri: &Uri, body: &[u8]) -> Self {
        let mut parameters = Self::default();
        let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
            .filter(|(key, _)| key == "for");
        for (key, value) in query.chain(form_urlencoded::parse(body)) {
            match &*key {
                "token" => parameters.token = Some(value.into_owned()),
                "for" if !value.is_empty() => parameters.duration = Some(value.into_owned()),
                _ => {}
            }
        }
        parameters
    }
}

impl From<UnknownRegion> for ActionError {
    fn from(error: UnknownRegion) -> Self {
        not_found(error.to_string())
    }
}

impl IntoResponse for ActionError {
    fn into_response(self) -> Response {
        let Self(status, reason) = self;
        let text = format!("{reason}\n");
        match status {
            StatusCode::UNAUTHORIZED => {
                (status, [(WWW_AUTHENTICATE, "Bearer")], text).into_response()
            }
            _ => (status, text).into_response(),
        }
    }
}
