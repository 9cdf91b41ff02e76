//! One MinIO process: its port and its log.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use parking_lot::Mutex;
use socket2::{Domain, Socket, Type};

use super::watchdog;

#[derive(Debug)]
pub(super) struct Node {
    address: SocketAddr,
    /// `None` while the process is dead.
    process: Mutex<Option<Process>>,
    program: PathBuf,
    arguments: Vec<OsString>,
    variables: Vec<(&'static str, String)>,
    log: PathBuf,
    group: i32,
    reservation: Mutex<PortReservation>,
}

/// A reserved port of 127.0.0.1: bound, never listening. While the server is dead, connections are
/// refused and no other process gets the port. Linux allows the server to listen on it as well.
#[derive(Debug)]
pub(super) struct PortReservation {
    pub(super) address: SocketAddr,
    socket: Option<Socket>,
}

/// Dropping it sends SIGKILL and waits for the exit.
#[derive(Debug)]
struct Process(Child);

impl Node {
    /// Does not start the process. `variables` extend the environment of this process.
    pub(super) fn new(
        program: &Path,
        reservation: PortReservation,
        arguments: Vec<OsString>,
        log: PathBuf,
        group: i32,
    ) -> Self {
        let (address, process) = (reservation.address, Mutex::new(None));
        let reservation = Mutex::new(reservation);
        Self {
            address,
            process,
            program: program.to_owned(),
            arguments,
            variables: Vec::new(),
            log,
            group,
            reservation,
        }
    }

    pub(super) fn with_variables(mut self, variables: Vec<(&'static str, String)>) -> Self {
        self.variables = variables;
        self
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Starts the process, unless it is running.
    pub(super) fn spawn(&self) -> Result<(), String> {
        let mut process = self.process.lock();
        if process.as_mut().is_some_and(Process::runs) {
            return Ok(());
        }
        let refuse = |error| format!("{}: {error}", self.program.display());
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log)
            .map_err(refuse)?;
        let errors = log.try_clone().map_err(refuse)?;
        let mut command = Command::new(&self.program);
        for (name, _) in std::env::vars_os().filter(|(name, _)| is_minio(name.as_encoded_bytes())) {
            command.env_remove(name);
        }
        command
            .args(&self.arguments)
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .process_group(self.group);
        self.reservation.lock().make_way();
        *process = Some(Process(command.spawn().map_err(refuse)?));
        Ok(())
    }

    /// SIGKILL; returns after the exit.
    pub(super) async fn kill(&self) {
        let process = self.process.lock().take();
        // Waiting for the exit blocks. The task fails only if the runtime ends, which also drops
        // the process.
        let _ = tokio::task::spawn_blocking(move || drop(process)).await;
    }

    /// The id of the running process.
    pub(super) fn id(&self) -> Option<u32> {
        self.process
            .lock()
            .as_mut()
            .and_then(|process| process.runs().then(|| process.0.id()))
    }

    /// The last lines of the log, for errors.
    pub(super) fn last_log_lines(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        match lines.get(lines.len().saturating_sub(LAST_LINES)..) {
            None | Some([]) => "its log is empty".to_owned(),
            Some(last) => format!("its log ends with: {}", last.join(" | ")),
        }
    }
}

impl PortReservation {
    pub(super) fn new() -> Result<Self, String> {
        let socket = bind((Ipv4Addr::LOCALHOST, 0).into())
            .map_err(|error| format!("cannot reserve a port on 127.0.0.1: {error}"))?;
        let address = socket
            .local_addr()
            .ok()
            .and_then(|address| address.as_socket());
        let address = address.ok_or("a reserved port has no address")?;
        Ok(Self {
            address,
            socket: Some(socket),
        })
    }

    /// Only Linux allows a second socket to listen on the port.
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
        watchdog::end(&mut self.0);
    }
}

fn bind(address: SocketAddr) -> std::io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// Variables of the user's own MinIO, which must not configure this one.
fn is_minio(name: &[u8]) -> bool {
    name.starts_with(b"MINIO_") || name.starts_with(b"_MINIO_")
}

const LAST_LINES: usize = 6;
