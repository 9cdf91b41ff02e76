//! Servers of providers other than S3: one bucket with one object, and faults on demand.
//!
//! They implement only what object_store's reads need, and authenticate a request by a text that
//! its head must contain.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The content of the only object, `folder/key`.
pub const CONTENT: &str = "bytes";

/// The provider's protocol.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Google,
    Azure,
    Http,
}

/// A server on 127.0.0.1. Its bucket, container or folder is `bucket`, its Azure account `account`.
pub struct Provider {
    kind: Kind,
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

struct State {
    credential: &'static str,
    fault: Option<(u16, &'static str)>,
    heads: Vec<String>,
}

impl Provider {
    /// Serves requests whose head contains `credential`; others get a 403.
    pub async fn start(kind: Kind, credential: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State {
            credential,
            fault: None,
            heads: Vec::new(),
        }));
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(kind, socket, Arc::clone(&shared)));
            }
        });
        Self {
            kind,
            address,
            state,
        }
    }

    /// The endpoint for clients.
    pub fn endpoint(&self) -> String {
        let account = if self.kind == Kind::Azure {
            "/account"
        } else {
            ""
        };
        format!("http://{}{account}", self.address)
    }

    /// Sends this response to every request from now on.
    pub fn fail(&self, status: u16, body: &'static str) {
        self.state.lock().unwrap().fault = Some((status, body));
    }

    /// The heads of all requests.
    pub fn heads(&self) -> Vec<String> {
        self.state.lock().unwrap().heads.clone()
    }
}

async fn serve(kind: Kind, mut socket: TcpStream, state: Arc<Mutex<State>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = socket.read_u8().await else {
            return;
        };
        head.push(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let (status, body) = {
        let mut state = state.lock().unwrap();
        state.heads.push(head.clone());
        match state.fault {
            Some((status, body)) => (status, body.to_owned()),
            None if !head.contains(state.credential) => (403, error("AuthenticationFailed")),
            None => respond(kind, &head),
        }
    };
    let length = body.len();
    let sent_body = if head.starts_with("HEAD") { "" } else { &body };
    let response = format!(
        "HTTP/1.1 {status} Response\r\ncontent-length: {length}\r\netag: \"t\"\r\n\
         last-modified: {MODIFIED}\r\nx-ms-request-id: id-7\r\nconnection: close\r\n\r\n{sent_body}"
    );
    let _ = socket.write_all(response.as_bytes()).await;
    let _ = socket.shutdown().await;
}

fn respond(kind: Kind, head: &str) -> (u16, String) {
    let target = head.split(' ').nth(1).unwrap().replace("%2F", "/");
    let path = target.split('?').next().unwrap();
    let bucket = if kind == Kind::Azure {
        "/account/bucket"
    } else {
        "/bucket"
    };
    let lists = match kind {
        Kind::Google => target.contains("list-type=2"),
        Kind::Azure => target.contains("comp=list"),
        Kind::Http => head.starts_with("PROPFIND"),
    };
    match path.strip_prefix(bucket) {
        None => (404, error("NoSuchBucket")),
        Some(_) if lists => (if kind == Kind::Http { 207 } else { 200 }, listing(kind)),
        Some("/folder/key") => (200, CONTENT.into()),
        Some(_) => (404, error("NoSuchKey")),
    }
}

fn listing(kind: Kind) -> String {
    let size = CONTENT.len();
    match kind {
        Kind::Google => format!(
            "<ListBucketResult><Contents><Key>folder/key</Key>\
             <LastModified>2026-01-01T00:00:00.000Z</LastModified>\
             <ETag>\"t\"</ETag><Size>{size}</Size></Contents></ListBucketResult>"
        ),
        Kind::Azure => format!(
            "<EnumerationResults><Blobs><Blob><Name>folder/key</Name>\
             <Properties><Last-Modified>{MODIFIED}</Last-Modified>\
             <Etag>\"t\"</Etag><Content-Length>{size}</Content-Length>\
             <Content-Type>text/plain</Content-Type></Properties></Blob></Blobs>\
             <NextMarker/></EnumerationResults>"
        ),
        Kind::Http => format!(
            "<multistatus><response><href>/bucket/folder/key</href>\
             <propstat><prop><getlastmodified>{MODIFIED}</getlastmodified>\
             <getcontentlength>{size}</getcontentlength><resourcetype/>\
             <getetag>\"t\"</getetag></prop>\
             <status>HTTP/1.1 200 OK</status>\
             </propstat></response></multistatus>"
        ),
    }
}

/// An error body of S3, Google and Azure.
pub fn error(code: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
         <Error><Code>{code}</Code><Message>No.</Message></Error>"
    )
}

const MODIFIED: &str = "Thu, 01 Jan 2026 00:00:00 GMT";
