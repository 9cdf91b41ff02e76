//! The operator's hand: `POST /regions/{name}/{action}`, for people in a hurry and for the page's buttons.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use humantime_serde::re::humantime;
use object_store_failover::{FailoverStore, UnknownRegion};
use url::form_urlencoded;

use crate::guard::{bearer, is_cross_origin};
use crate::journal::Level;
use crate::service::Service;
use crate::stage::Act;

/// What an action calls: what is until further notice, and what may be for a while.
#[derive(Clone, Copy)]
enum Hand {
    Now(fn(&FailoverStore, &str) -> Result<(), UnknownRegion>),
    For(fn(&FailoverStore, &str, Option<Duration>) -> Result<(), UnknownRegion>),
}

/// Everything that an operator can do. A new action of the store is a line here: the page shows it by itself.
const HANDS: &[(&str, Hand)] = &[
    ("drain", Hand::Now(FailoverStore::drain)),
    ("undrain", Hand::Now(FailoverStore::undrain)),
    ("force_open", Hand::For(FailoverStore::force_open)),
    ("force_closed", Hand::For(FailoverStore::force_closed)),
    ("metrics_only", Hand::For(FailoverStore::metrics_only)),
    ("reset", Hand::Now(FailoverStore::reset)),
];

/// Why an action was not done.
struct Refusal(StatusCode, String);

/// What came with the request, from the address or a form.
#[derive(Default)]
struct Words {
    token: Option<String>,
    time: Option<String>,
}

/// The actions of the store as the page needs them; those that may be for a while end in `:for`.
pub(crate) fn actions() -> String {
    let words = HANDS.iter().map(|(name, hand)| match hand {
        Hand::Now(_) => (*name).to_owned(),
        Hand::For(_) => format!("{name}:for"),
    });
    words.collect::<Vec<_>>().join(" ")
}

pub(crate) async fn act(
    State(service): State<Arc<Service>>,
    Path((region, action)): Path<(String, String)>,
    headers: HeaderMap,
    uri: Uri,
    body: Bytes,
) -> Response {
    let words = Words::of(&uri, &body);
    let done = permit(&service, &headers, &words).and_then(|()| perform(&service, &region, &action, words.time.as_deref()));
    match done {
        Ok(text) => format!("{region}: {text}\n").into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

fn permit(service: &Service, headers: &HeaderMap, words: &Words) -> Result<(), Refusal> {
    if is_cross_origin(headers) {
        return Err(Refusal(StatusCode::FORBIDDEN, "this came from a page of another origin; act on the page of this service".into()));
    }
    match bearer(headers).or(words.token.as_deref()) {
        Some(token) if service.token.is(token) => Ok(()),
        Some(_) => Err(Refusal(StatusCode::UNAUTHORIZED, "this is not the token that the service was started with".into())),
        None => Err(Refusal(StatusCode::UNAUTHORIZED, "show the token: Authorization: Bearer TOKEN".into())),
    }
}

/// What was done, in words.
fn perform(service: &Service, region: &str, action: &str, time: Option<&str>) -> Result<String, Refusal> {
    let known = service.store.health().regions;
    if !known.iter().any(|known| *known.name == *region) {
        let names: Vec<_> = known.iter().map(|region| region.name.to_string()).collect();
        return Err(not_found(format!("no region is named \"{region}\"; there are {}", names.join(", "))));
    }
    match HANDS.iter().find(|(name, _)| *name == action) {
        Some((_, Hand::For(hand))) => {
            let limit = time.map(parse).transpose()?;
            hand(&service.store, region, limit)?;
            Ok(limit.map_or_else(|| action.to_owned(), |limit| format!("{action} for {}", humantime::format_duration(limit))))
        }
        Some(_) if time.is_some() => Err(Refusal(StatusCode::BAD_REQUEST, format!("{action} takes no time: leave out \"for\""))),
        Some((_, Hand::Now(hand))) => {
            hand(&service.store, region)?;
            Ok(action.to_owned())
        }
        None => break_it(service, region, action),
    }
}

/// What may be done only to servers of our own.
fn break_it(service: &Service, region: &str, action: &str) -> Result<String, Refusal> {
    let Some((_, act)) = Act::ALL.iter().find(|(name, _)| *name == action) else {
        let known: Vec<_> = HANDS.iter().map(|(name, _)| *name).collect();
        return Err(not_found(format!("no action is named \"{action}\"; there are {}", known.join(", "))));
    };
    match &service.stage {
        Some(stage) if stage.act(region, *act) => {
            // The store tells of its operators by itself, and knows nothing of this.
            service.journal.note(Level::Info, Some(region), format!("its server: {action}"));
            Ok(action.to_owned())
        }
        _ => Err(not_found(format!("{action}: the servers of this region do not belong to this process"))),
    }
}

fn parse(time: &str) -> Result<Duration, Refusal> {
    let refuse = |why: String| Refusal(StatusCode::BAD_REQUEST, format!("for={time}: {why}; write it like 10m or 1h30m"));
    match humantime::parse_duration(time) {
        Ok(time) if time.is_zero() => Err(refuse("that is no time at all".into())),
        // Beyond this a moment cannot be told any more, and "for good" is what is meant.
        Ok(time) if time > LONGEST => Err(refuse("that is over a year: leave it out for good".into())),
        Ok(time) => Ok(time),
        Err(error) => Err(refuse(error.to_string())),
    }
}

fn not_found(why: String) -> Refusal {
    Refusal(StatusCode::NOT_FOUND, why)
}

const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

impl Words {
    /// A token is taken from the form only: addresses are logged.
    fn of(uri: &Uri, body: &[u8]) -> Self {
        let mut words = Self::default();
        let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).filter(|(key, _)| key == "for");
        for (key, value) in query.chain(form_urlencoded::parse(body)) {
            match &*key {
                "token" => words.token = Some(value.into_owned()),
                "for" if !value.is_empty() => words.time = Some(value.into_owned()),
                _ => {}
            }
        }
        words
    }
}

impl From<UnknownRegion> for Refusal {
    fn from(error: UnknownRegion) -> Self {
        not_found(error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(status, why) = self;
        let text = format!("{why}\n");
        match status {
            StatusCode::UNAUTHORIZED => (status, [(WWW_AUTHENTICATE, "Bearer")], text).into_response(),
            _ => (status, text).into_response(),
        }
    }
}
