//! Response headers and times, which `object_store` does not return.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use http::HeaderMap;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpService, ReqwestConnector,
};
use parking_lot::Mutex;
use tokio::time::Instant;

/// The responses of a region, in order.
#[derive(Debug, Default)]
pub(super) struct ResponseNotes(Mutex<Vec<ResponseNote>>);

#[derive(Debug, Clone)]
pub(super) struct ResponseNote {
    pub(super) headers: HeaderMap,
    /// Time to the response headers.
    pub(super) latency: Duration,
    /// When they arrived, by the local clock.
    pub(super) received_at: SystemTime,
}

impl ResponseNotes {
    pub(super) fn first(&self) -> Option<ResponseNote> {
        self.0.lock().first().cloned()
    }

    pub(super) fn last(&self) -> Option<ResponseNote> {
        self.0.lock().last().cloned()
    }
}

/// Builds `object_store`'s own clients and records their responses.
#[derive(Debug)]
pub(super) struct RecordingConnector(Arc<ResponseNotes>);

#[derive(Debug)]
struct Client {
    inner: HttpClient,
    notes: Arc<ResponseNotes>,
}

impl RecordingConnector {
    pub(super) fn new(notes: Arc<ResponseNotes>) -> Self {
        Self(notes)
    }
}

impl HttpConnector for RecordingConnector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Client {
            inner: ReqwestConnector::default().connect(options)?,
            notes: Arc::clone(&self.0),
        }))
    }
}

#[async_trait]
impl HttpService for Client {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let started_at = Instant::now();
        let response = self.inner.execute(request).await?;
        let note = ResponseNote {
            headers: response.headers().clone(),
            latency: Instant::now() - started_at,
            received_at: SystemTime::now(),
        };
        self.notes.0.lock().push(note);
        Ok(response)
    }
}
