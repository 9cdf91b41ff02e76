//! One MinIO process: its port, its log, and its end.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use parking_lot::Mutex;
use socket2::{Domain, Socket, Type};

use super::keeper;

#[derive(Debug)]
pub(super) struct Node {
    address: SocketAddr,
    /// None while the process is dead.
    process: Mutex<Option<Process>>,
    program: PathBuf,
    arguments: Vec<OsString>,
    variables: Vec<(&'static str, String)>,
    log: PathBuf,
    group: i32,
    claim: Mutex<Claim>,
}

/// A port of 127.0.0.1, bound and never listening: while the server is dead connecting is refused, and the port is given to nobody
/// else. Linux lets a server listen beside it.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) address: SocketAddr,
    socket: Option<Socket>,
}

/// Dropping it is SIGKILL, and waits for the exit.
#[derive(Debug)]
struct Process(Child);

impl Node {
    /// Does not start it. `variables` are its environment, besides what we were given.
    pub(super) fn new(program: &Path, claim: Claim, arguments: Vec<OsString>, log: PathBuf, group: i32) -> Self {
        let (address, process) = (claim.address, Mutex::new(None));
        let claim = Mutex::new(claim);
        Self { address, process, program: program.to_owned(), arguments, variables: Vec::new(), log, group, claim }
    }

    pub(super) fn with_variables(mut self, variables: Vec<(&'static str, String)>) -> Self {
        self.variables = variables;
        self
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Starts it, unless it runs.
    pub(super) fn spawn(&self) -> Result<(), String> {
        let mut process = self.process.lock();
        if process.as_mut().is_some_and(Process::runs) {
            return Ok(());
        }
        let refuse = |error| format!("{}: {error}", self.program.display());
        let log = OpenOptions::new().create(true).append(true).open(&self.log).map_err(refuse)?;
        let errors = log.try_clone().map_err(refuse)?;
        let mut command = Command::new(&self.program);
        for (name, _) in std::env::vars_os().filter(|(name, _)| is_minio(name.as_encoded_bytes())) {
            command.env_remove(name);
        }
        command.args(&self.arguments).envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(log).stderr(errors).process_group(self.group);
        self.claim.lock().make_way();
        *process = Some(Process(command.spawn().map_err(refuse)?));
        Ok(())
    }

    /// SIGKILL; returns when it has exited.
    pub(super) async fn kill(&self) {
        let process = self.process.lock().take();
        // The exit is waited for, which is not for a worker of the runtime. It fails only if that ends, and drops it as well.
        let _ = tokio::task::spawn_blocking(move || drop(process)).await;
    }

    /// The process that there is, for a signal. None if it is dead.
    pub(super) fn id(&self) -> Option<u32> {
        self.process.lock().as_mut().and_then(|process| process.runs().then(|| process.0.id()))
    }

    /// What it said last.
    pub(super) fn last_words(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        match lines.get(lines.len().saturating_sub(LAST_LINES)..) {
            None | Some([]) => "it said nothing".to_owned(),
            Some(last) => format!("it said: {}", last.join(" | ")),
        }
    }
}

impl Claim {
    pub(super) fn new() -> Result<Self, String> {
        let socket = bind((Ipv4Addr::LOCALHOST, 0).into()).map_err(|error| format!("no free port on 127.0.0.1: {error}"))?;
        let address = socket.local_addr().ok().and_then(|address| address.as_socket());
        let address = address.ok_or("a port of 127.0.0.1 has no address")?;
        Ok(Self { address, socket: Some(socket) })
    }

    /// Elsewhere nobody may listen beside us.
    fn make_way(&mut self) {
        if cfg!(not(target_os = "linux")) {
            self.socket = None;
        }
    }
}

impl Process {
    fn runs(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        keeper::end(&mut self.0);
    }
}

fn bind(address: SocketAddr) -> std::io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// What somebody has set for another MinIO is not meant for this one.
fn is_minio(name: &[u8]) -> bool {
    name.starts_with(b"MINIO_") || name.starts_with(b"_MINIO_")
}

const LAST_LINES: usize = 6;
