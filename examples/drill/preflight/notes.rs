//! What a region's client sees of its answers, and object_store tells nobody.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use http::HeaderMap;
use object_store::ClientOptions;
use object_store::client::{HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpService, ReqwestConnector};
use parking_lot::Mutex;

use crate::clock::{now, wall};

/// The heads of a region's answers, in their order.
#[derive(Debug, Default)]
pub(super) struct Notes(Mutex<Vec<Seen>>);

#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) headers: HeaderMap,
    /// Until the head was here.
    pub(super) took: Duration,
    /// By our clock.
    pub(super) at: SystemTime,
}

impl Notes {
    pub(super) fn first(&self) -> Option<Seen> {
        self.0.lock().first().cloned()
    }

    pub(super) fn last(&self) -> Option<Seen> {
        self.0.lock().last().cloned()
    }
}

/// Makes object_store's own clients, and notes what they see.
#[derive(Debug)]
pub(super) struct Noting(Arc<Notes>);

#[derive(Debug)]
struct Client {
    below: HttpClient,
    notes: Arc<Notes>,
}

impl Noting {
    pub(super) fn new(notes: Arc<Notes>) -> Self {
        Self(notes)
    }
}

impl HttpConnector for Noting {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Client { below: ReqwestConnector::default().connect(options)?, notes: Arc::clone(&self.0) }))
    }
}

#[async_trait]
impl HttpService for Client {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let began = now();
        let answer = self.below.execute(request).await?;
        let seen = Seen { headers: answer.headers().clone(), took: now() - began, at: wall() };
        self.notes.0.lock().push(seen);
        Ok(answer)
    }
}
