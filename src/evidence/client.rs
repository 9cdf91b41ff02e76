//! A client that is made anew once its region's connections were renewed.

use std::sync::Arc;

use object_store::client::{HttpClient, HttpConnector};
use object_store::{ClientOptions, Result};
use parking_lot::Mutex;

use crate::connections::Connections;

#[derive(Debug)]
pub(super) struct Renewable {
    maker: Arc<dyn HttpConnector>,
    options: ClientOptions,
    connections: Connections,
    made: Mutex<Made>,
}

#[derive(Debug)]
struct Made {
    generation: u64,
    client: HttpClient,
}

impl Renewable {
    pub(super) fn new(maker: &Arc<dyn HttpConnector>, options: &ClientOptions, connections: &Connections) -> Result<Self> {
        let made = Made { generation: connections.generation(), client: maker.connect(options)? };
        Ok(Self { maker: Arc::clone(maker), options: options.clone(), connections: connections.clone(), made: Mutex::new(made) })
    }

    /// The client for a request that begins now. One that is made takes some milliseconds, once, and meanwhile others wait for it:
    /// they would have to make their own.
    pub(super) fn current(&self) -> HttpClient {
        let generation = self.connections.generation();
        let mut made = self.made.lock();
        if made.generation != generation {
            made.generation = generation;
            match self.maker.connect(&self.options) {
                Ok(client) => made.client = client,
                // Said once: the next attempt to make one is that of the next renewal.
                Err(error) => {
                    let region = self.connections.region();
                    tracing::warn!(region, %error, "no new connections: a client could not be made, and the old one goes on");
                }
            }
        }
        made.client.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

    use async_trait::async_trait;
    use object_store::Error;
    use object_store::client::{HttpError, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse, HttpService};

    use super::*;

    /// Makes clients that answer with their number as a status, 201 the first of them; unless it breaks.
    #[derive(Debug, Default)]
    struct Maker {
        calls: AtomicU32,
        broken: AtomicBool,
    }

    #[derive(Debug)]
    struct Numbered(u32);

    impl HttpConnector for Maker {
        fn connect(&self, _: &ClientOptions) -> Result<HttpClient> {
            let number = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
            let broken = self.broken.load(Ordering::Relaxed);
            if broken {
                Err(Error::NotImplemented { operation: "a client".into(), implementer: "Maker".into() })
            } else {
                Ok(HttpClient::new(Numbered(number)))
            }
        }
    }

    #[async_trait]
    impl HttpService for Numbered {
        async fn call(&self, _: HttpRequest) -> Result<HttpResponse, HttpError> {
            let answer = http::Response::builder().status(200 + self.0 as u16).body(Vec::new().into());
            answer.map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))
        }
    }

    async fn number(client: HttpClient) -> u16 {
        client.execute(HttpRequest::new(HttpRequestBody::empty())).await.unwrap().status().as_u16() - 200
    }

    #[tokio::test]
    async fn a_client_is_made_anew_once_for_each_renewal_and_not_before_it_is_needed() {
        let (maker, connections) = (Arc::new(Maker::default()), Connections::of("a", None));
        let client = Renewable::new(&(Arc::clone(&maker) as Arc<dyn HttpConnector>), &ClientOptions::new(), &connections).unwrap();
        let begun = client.current();
        assert_eq!((number(client.current()).await, number(client.current()).await), (1, 1));
        connections.renew();
        connections.renew();
        assert_eq!(maker.calls.load(Ordering::Relaxed), 1, "nobody has asked");
        assert_eq!((number(client.current()).await, number(client.current()).await), (2, 2));
        assert_eq!(number(begun).await, 1, "what has begun goes on");
    }

    #[tokio::test]
    async fn where_none_can_be_made_the_old_one_goes_on_until_the_next_renewal() {
        let (maker, connections) = (Arc::new(Maker::default()), Connections::of("a", None));
        let client = Renewable::new(&(Arc::clone(&maker) as Arc<dyn HttpConnector>), &ClientOptions::new(), &connections).unwrap();
        maker.broken.store(true, Ordering::Relaxed);
        connections.renew();
        for _ in 0..3 {
            assert_eq!(number(client.current()).await, 1);
        }
        assert_eq!(maker.calls.load(Ordering::Relaxed), 2, "it was tried, and told, once");
        maker.broken.store(false, Ordering::Relaxed);
        assert_eq!(number(client.current()).await, 1);
        connections.renew();
        assert_eq!(number(client.current()).await, 3);
    }
}
