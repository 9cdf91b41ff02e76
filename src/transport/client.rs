//! An HTTP client that is replaced after the connections of its region were discarded.

use std::sync::Arc;

use object_store::client::{HttpClient, HttpConnector};
use object_store::{ClientOptions, Result};
use parking_lot::Mutex;

use crate::transport::connections::Connections;

#[derive(Debug)]
pub(super) struct RenewableClient {
    connector: Arc<dyn HttpConnector>,
    options: ClientOptions,
    connections: Connections,
    current: Mutex<CurrentClient>,
}

#[derive(Debug)]
struct CurrentClient {
    generation: u64,
    client: HttpClient,
}

impl RenewableClient {
    pub(super) fn new(
        connector: &Arc<dyn HttpConnector>,
        options: &ClientOptions,
        connections: &Connections,
    ) -> Result<Self> {
        let current = CurrentClient {
            generation: connections.generation(),
            client: connector.connect(options)?,
        };
        Ok(Self {
            connector: Arc::clone(connector),
            options: options.clone(),
            connections: connections.clone(),
            current: Mutex::new(current),
        })
    }

    /// The client for a request that starts now. Creating one takes some milliseconds, once; other
    /// requests wait for it, because each would have to create its own.
    pub(super) fn current(&self) -> HttpClient {
        let generation = self.connections.generation();
        let mut current = self.current.lock();
        if current.generation != generation {
            // Also after an error: it is logged once, and retried at the next generation.
            current.generation = generation;
            match self.connector.connect(&self.options) {
                Ok(client) => current.client = client,
                Err(error) => {
                    let region = self.connections.region();
                    tracing::warn!(
                        region, %error,
                        "cannot create an HTTP client; the previous one stays in use"
                    );
                }
            }
        }
        current.client.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

    use async_trait::async_trait;
    use object_store::Error;
    use object_store::client::{
        HttpError, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse, HttpService,
    };

    use super::*;

    /// Creates clients that respond with 200 plus their number, the first with 201; or fails.
    #[derive(Debug, Default)]
    struct CountingConnector {
        calls: AtomicU32,
        failing: AtomicBool,
    }

    #[derive(Debug)]
    struct Numbered(u32);

    impl HttpConnector for CountingConnector {
        fn connect(&self, _: &ClientOptions) -> Result<HttpClient> {
            let number = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
            let failing = self.failing.load(Ordering::Relaxed);
            if failing {
                Err(Error::NotImplemented {
                    operation: "a client".into(),
                    implementer: "CountingConnector".into(),
                })
            } else {
                Ok(HttpClient::new(Numbered(number)))
            }
        }
    }

    #[async_trait]
    impl HttpService for Numbered {
        async fn call(&self, _: HttpRequest) -> Result<HttpResponse, HttpError> {
            let response = http::Response::builder()
                .status(200 + self.0 as u16)
                .body(Vec::new().into());
            response.map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))
        }
    }

    async fn number(client: HttpClient) -> u16 {
        client
            .execute(HttpRequest::new(HttpRequestBody::empty()))
            .await
            .unwrap()
            .status()
            .as_u16()
            - 200
    }

    #[tokio::test]
    async fn client_is_replaced_once_when_next_needed() {
        let (connector, connections) = (
            Arc::new(CountingConnector::default()),
            Connections::of("a", None),
        );
        let client = RenewableClient::new(
            &(Arc::clone(&connector) as Arc<dyn HttpConnector>),
            &ClientOptions::new(),
            &connections,
        )
        .unwrap();
        let in_flight = client.current();
        assert_eq!(
            (
                number(client.current()).await,
                number(client.current()).await
            ),
            (1, 1)
        );
        connections.renew();
        connections.renew();
        assert_eq!(connector.calls.load(Ordering::Relaxed), 1, "no request yet");
        assert_eq!(
            (
                number(client.current()).await,
                number(client.current()).await
            ),
            (2, 2)
        );
        assert_eq!(number(in_flight).await, 1, "requests in flight keep theirs");
    }

    #[tokio::test]
    async fn failed_replacement_keeps_the_previous_client() {
        let (connector, connections) = (
            Arc::new(CountingConnector::default()),
            Connections::of("a", None),
        );
        let client = RenewableClient::new(
            &(Arc::clone(&connector) as Arc<dyn HttpConnector>),
            &ClientOptions::new(),
            &connections,
        )
        .unwrap();
        connector.failing.store(true, Ordering::Relaxed);
        connections.renew();
        for _ in 0..3 {
            assert_eq!(number(client.current()).await, 1);
        }
        assert_eq!(
            connector.calls.load(Ordering::Relaxed),
            2,
            "tried and logged once per generation"
        );
        connector.failing.store(false, Ordering::Relaxed);
        assert_eq!(number(client.current()).await, 1);
        connections.renew();
        assert_eq!(number(client.current()).await, 3);
    }
}
