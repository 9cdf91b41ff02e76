//! A region: the cheapest server that a real S3 client takes for one, so that what the client costs is seen.
//!
//! It answers GET from memory, in one write, and checks no signature. One thread serves all of it. It knows no ranges and no conditions:
//! nothing here breaks a body, so nobody asks for them. Nobody here sends a request before the last one was answered either, so a request
//! is whole when what came ends like one.

use std::fmt::Write;
use std::io;
use std::net::SocketAddr;

use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::getppid;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// One of the objects that every region holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) key: &'static str,
    pub(crate) size: usize,
}

pub(crate) const KIB: Object = Object { key: "1KiB", size: 1 << 10 };
pub(crate) const MIB: Object = Object { key: "1MiB", size: 1 << 20 };

/// Answers, ready to be sent.
struct Answers {
    objects: [(Object, Vec<u8>); 2],
    missing: Vec<u8>,
}

/// The longest head is that of a signed request, which has some 700 bytes.
const HEAD_MAX: usize = 64 << 10;
/// More than there are readers.
const BACKLOG: u32 = 1024;

/// Serves until the process is ended; the kernel ends it with its parent, also while it is stopped.
pub(super) fn serve(addresses: &[SocketAddr], parent: i32) -> io::Result<()> {
    set_pdeathsig(Signal::SIGKILL)?;
    if getppid().as_raw() != parent {
        return Ok(());
    }
    let answers: &'static Answers = Box::leak(Box::new(Answers::new()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        for address in addresses {
            tokio::spawn(accept(listen(*address)?, answers));
        }
        std::future::pending().await
    })
}

/// Beside the socket that keeps the port while no region runs on it.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

async fn accept(listener: TcpListener, answers: &'static Answers) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(async move {
            // A client that has gone is no concern of the server's.
            let _ = converse(stream, answers).await;
        });
    }
}

async fn converse(mut stream: TcpStream, answers: &Answers) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut head = Vec::with_capacity(4096);
    while stream.read_buf(&mut head).await? > 0 && head.len() < HEAD_MAX {
        if head.ends_with(b"\r\n\r\n") {
            stream.write_all(answers.to(&head)).await?;
            head.clear();
        }
    }
    Ok(())
}

impl Answers {
    fn new() -> Self {
        let objects = [KIB, MIB].map(|object| (object, answer("200 OK", &vec![7; object.size])));
        Self { objects, missing: answer("404 Not Found", b"<Error><Code>NoSuchKey</Code></Error>") }
    }

    /// The last segment of the path is the key.
    fn to(&self, head: &[u8]) -> &[u8] {
        let path = head.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
        let key = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        let found = self.objects.iter().find(|(object, _)| object.key.as_bytes() == key);
        found.map_or(&self.missing, |(_, answer)| answer)
    }
}

fn answer(status: &str, body: &[u8]) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n", body.len());
    // A String takes every write.
    let _ = write!(head, "ETag: \"{:032x}\"\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n", body.len());
    head.push_str("Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: application/octet-stream\r\n\r\n");
    [head.as_bytes(), body].concat()
}
