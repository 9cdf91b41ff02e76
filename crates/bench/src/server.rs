//! A region: the cheapest server that an S3 client accepts, so that the cost of the client is
//! visible.
//!
//! It serves GET from memory with one write per response, on one thread, and checks no signature.
//! It knows no ranges and no conditions, because no bench interrupts a body. Clients do not
//! pipeline, so a request is complete when the received bytes end like one.

use std::fmt::Write;
use std::io;
use std::net::SocketAddr;

use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::getppid;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// An object that every region holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Object {
    pub key: &'static str,
    pub size: usize,
}

pub const KIB: Object = Object {
    key: "1KiB",
    size: 1 << 10,
};
pub const MIB: Object = Object {
    key: "1MiB",
    size: 1 << 20,
};

/// Complete responses, headers included.
struct Responses {
    objects: [(Object, Vec<u8>); 2],
    missing: Vec<u8>,
}

/// A signed request has about 700 bytes of headers.
const HEADERS_MAX: usize = 64 << 10;
/// More than there are readers.
const BACKLOG: u32 = 1024;

/// Serves until the process is killed. The kernel kills it with its parent, even while it is
/// stopped.
pub fn serve(addresses: &[SocketAddr], parent: i32) -> io::Result<()> {
    set_pdeathsig(Signal::SIGKILL)?;
    // The parent may have ended before the line above.
    if getppid().as_raw() != parent {
        return Ok(());
    }
    let responses: &'static Responses = Box::leak(Box::new(Responses::new()));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    runtime.block_on(async {
        for address in addresses {
            tokio::spawn(accept(listen(*address)?, responses));
        }
        std::future::pending().await
    })
}

/// Listens on a port that the parent reserved.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

async fn accept(listener: TcpListener, responses: &'static Responses) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(async move {
            // A disconnected client is not an error of the server.
            let _ = serve_connection(stream, responses).await;
        });
    }
}

async fn serve_connection(mut stream: TcpStream, responses: &Responses) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut request = Vec::with_capacity(4096);
    while stream.read_buf(&mut request).await? > 0 && request.len() < HEADERS_MAX {
        if request.ends_with(b"\r\n\r\n") {
            stream.write_all(responses.to(&request)).await?;
            request.clear();
        }
    }
    Ok(())
}

impl Responses {
    fn new() -> Self {
        let objects = [KIB, MIB].map(|object| (object, response("200 OK", &vec![7; object.size])));
        Self {
            objects,
            missing: response("404 Not Found", b"<Error><Code>NoSuchKey</Code></Error>"),
        }
    }

    /// The last segment of the path is the key.
    fn to(&self, request: &[u8]) -> &[u8] {
        let path = request
            .split(|byte| *byte == b' ')
            .nth(1)
            .unwrap_or_default();
        let key = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        let found = self
            .objects
            .iter()
            .find(|(object, _)| object.key.as_bytes() == key);
        found.map_or(&self.missing, |(_, response)| response)
    }
}

fn response(status: &str, body: &[u8]) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n", body.len());
    // Writing to a String cannot fail.
    let _ = write!(
        head,
        "ETag: \"{:032x}\"\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n",
        body.len()
    );
    head.push_str(
        "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: application/octet-stream\r\n\r\n",
    );
    [head.as_bytes(), body].concat()
}
