//! A child process on a port of its own, which ends with this process, even after SIGKILL.
//!
//! A shell supervises the program. It knows the program's id and reads a pipe whose other end this
//! process holds. When the pipe closes, because the [`Process`] is dropped or this process is
//! killed, the shell ends the program. No code of this process has to run for that.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

/// `$@` is the program with its arguments. It gets SIGTERM, and SIGKILL after a second. If the
/// program ends by itself, the shell ends too.
const SUPERVISOR: &str = r#"
exec 3<&0
"$@" 3<&- </dev/null & program=$!
(cat >/dev/null; kill -TERM $program; sleep 1; kill -KILL $program) <&3 2>/dev/null & watch=$!
exec 3<&-
wait $program; code=$?
kill $watch 2>/dev/null
exit $code
"#;

/// Both proxies start in 0.1 s; a busy machine takes longer.
const STARTING: Duration = Duration::from_secs(10);
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// Characters of the program's output in an error.
const OUTPUT_IN_ERROR: usize = 600;

/// A running program. Dropping it ends the program and removes its folder.
pub(super) struct Process {
    address: SocketAddr,
    supervisor: Child,
    _folder: Folder,
    _reservation: Socket,
}

/// The port and the folder of a program that is to be started.
pub(super) struct Workspace {
    pub(super) address: SocketAddr,
    folder: Folder,
    reservation: Socket,
}

/// A temporary folder.
struct Folder(PathBuf);

impl Workspace {
    pub(super) fn new(name: &str) -> Result<Self, String> {
        let (reservation, address) =
            reserve_port().map_err(|error| format!("no port for {name}: {error}"))?;
        // Unique, because the port is reserved.
        let path = std::env::temp_dir().join(format!(
            "drill-{name}-{}-{}",
            std::process::id(),
            address.port()
        ));
        fs::create_dir(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self {
            address,
            folder: Folder(path),
            reservation,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.folder.0
    }

    /// Writes a file into the folder.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<PathBuf, String> {
        let path = self.path().join(name);
        fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(path)
    }

    /// Starts the program; returns when it accepts connections.
    pub(super) async fn start(
        self,
        program: &Path,
        arguments: &[String],
    ) -> Result<Process, String> {
        let name = program.display();
        let log = self.path().join("output");
        let output =
            fs::File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
        let errors = output
            .try_clone()
            .map_err(|error| format!("{}: {error}", log.display()))?;
        let mut command = Command::new("/bin/sh");
        command
            .arg("-c")
            .arg(SUPERVISOR)
            .arg("supervisor")
            .arg(program)
            .args(arguments);
        command.stdin(Stdio::piped()).stdout(output).stderr(errors);
        // Another process group: Ctrl-C reaches only this process, which ends the program.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let supervisor = command
            .spawn()
            .map_err(|error| format!("cannot start {name}: {error}"))?;
        let mut process = Process {
            address: self.address,
            supervisor,
            _folder: self.folder,
            _reservation: self.reservation,
        };
        process
            .ready()
            .await
            .map_err(|why| format!("{name} {why}{}", output_of(&log)))?;
        Ok(process)
    }
}

impl Process {
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    async fn ready(&mut self) -> Result<(), String> {
        let latest = Instant::now() + STARTING;
        while Instant::now() < latest {
            if let Some(status) = self
                .supervisor
                .try_wait()
                .map_err(|error| error.to_string())?
            {
                return Err(format!("ended immediately: {status}"));
            }
            let connecting = timeout(POLL_INTERVAL * 10, TcpStream::connect(self.address));
            if let Ok(Ok(_)) = connecting.await {
                return Ok(());
            }
            sleep(POLL_INTERVAL).await;
        }
        Err(format!(
            "accepts no connections after {} s",
            STARTING.as_secs()
        ))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        // At most about a second, see `SUPERVISOR`. The folder is removed after the program ended.
        let _ = self.supervisor.wait();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The path of an installed program.
pub(super) fn found(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    // Debian installs servers there, and not every user has it on PATH.
    let folders =
        std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    folders
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// The path of a program that Debian packages under the same name.
pub(super) fn installed(program: &str) -> Result<PathBuf, String> {
    found(program).ok_or_else(|| {
        format!("{program} is not installed; `apt-get install {program}` (as root) installs it")
    })
}

/// The version that the program prints after `mark`, on stdout or stderr.
pub(super) fn version(program: &Path, flag: &str, mark: &str) -> String {
    let output = Command::new(program)
        .arg(flag)
        .stdin(Stdio::null())
        .output();
    let text = output
        .map(|output| [output.stdout, output.stderr].concat())
        .unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let number = text.split_once(mark).map(|(_, rest)| {
        rest.split(|c: char| c != '.' && !c.is_ascii_digit())
            .next()
            .unwrap_or_default()
    });
    number
        .filter(|number| !number.is_empty())
        .unwrap_or("of unknown version")
        .to_owned()
}

/// Reserves a port: the socket is bound and never listens, so the system gives the port to no other
/// process, and a child can listen on it.
pub fn reserve_port() -> std::io::Result<(Socket, SocketAddr)> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    let address = socket
        .local_addr()?
        .as_socket()
        .ok_or(std::io::ErrorKind::AddrNotAvailable)?;
    Ok((socket, address))
}

fn output_of(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let text: String = text.trim().chars().take(OUTPUT_IN_ERROR).collect();
    if text.is_empty() {
        text
    } else {
        format!("; its output: {text}")
    }
}
