//! A program beside us: started on a port of its own, watched until it takes connections, and ended with us, however we end.
//!
//! A shell stands between. It holds the program by its id and reads a pipe whose other end is ours: when the pipe ends, because this is
//! dropped, or because our process was killed, it ends the program. Nothing is left behind, and no code of ours has to run for that.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use tokio::net::TcpStream;

use crate::clock::{now, pause, within};

/// `$@` is the program with its arguments. It is asked to end first, and made to after a second. Should it end by itself, so does all.
const KEEPER: &str = r#"
exec 3<&0
"$@" 3<&- </dev/null & program=$!
(cat >/dev/null; kill -TERM $program; sleep 1; kill -KILL $program) <&3 2>/dev/null & watch=$!
exec 3<&-
wait $program; code=$?
kill $watch 2>/dev/null
exit $code
"#;

/// Both proxies take a tenth of a second; a busy machine takes longer.
const STARTING: Duration = Duration::from_secs(10);
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);
/// How much of a program's complaint is passed on.
const COMPLAINT: usize = 600;

/// A program that runs. It has ended, and its folder is gone, once this is dropped.
pub(super) struct Process {
    address: SocketAddr,
    keeper: Child,
    _folder: Folder,
    _claim: Socket,
}

/// A port and a folder for a program that is still to be started.
pub(super) struct Place {
    pub(super) address: SocketAddr,
    folder: Folder,
    claim: Socket,
}

/// A temporary folder.
struct Folder(PathBuf);

impl Place {
    pub(super) fn new(name: &str) -> Result<Self, String> {
        let (claim, address) = claim().map_err(|error| format!("no port for {name}: {error}"))?;
        // The port is ours alone while we hold it, so the name is, too.
        let path = std::env::temp_dir().join(format!("drill-{name}-{}-{}", std::process::id(), address.port()));
        fs::create_dir(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self { address, folder: Folder(path), claim })
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

    /// Starts the program, and returns when it takes connections.
    pub(super) async fn start(self, program: &Path, arguments: &[String]) -> Result<Process, String> {
        let name = program.display();
        let log = self.path().join("output");
        let output = fs::File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
        let errors = output.try_clone().map_err(|error| format!("{}: {error}", log.display()))?;
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(KEEPER).arg("keeper").arg(program).args(arguments);
        command.stdin(Stdio::piped()).stdout(output).stderr(errors);
        // Ctrl-C is for us: what it means for the program is decided here.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let keeper = command.spawn().map_err(|error| format!("{name} could not be started: {error}"))?;
        let mut process = Process { address: self.address, keeper, _folder: self.folder, _claim: self.claim };
        process.ready().await.map_err(|why| format!("{name} {why}{}", complaint(&log)))?;
        Ok(process)
    }
}

impl Process {
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    async fn ready(&mut self) -> Result<(), String> {
        let latest = now() + STARTING;
        while now() < latest {
            if let Some(status) = self.keeper.try_wait().map_err(|error| error.to_string())? {
                return Err(format!("ended at once: {status}"));
            }
            if let Some(Ok(_)) = within(BETWEEN_LOOKS * 10, TcpStream::connect(self.address)).await {
                return Ok(());
            }
            pause(BETWEEN_LOOKS).await;
        }
        Err(format!("takes no connections after {} s", STARTING.as_secs()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        // Not for long: see `KEEPER`. The folder must not go before the program.
        let _ = self.keeper.wait();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Where the program is.
pub(super) fn found(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    // Where Debian puts servers, which is not on everybody's path.
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// The same, for a package of Debian's that bears the program's name.
pub(super) fn installed(program: &str) -> Result<PathBuf, String> {
    found(program).ok_or_else(|| format!("{program} is not installed; `apt-get install {program}` (as root) installs it"))
}

/// What the program says about itself, on whichever of its outputs: the number after `mark`.
pub(super) fn version(program: &Path, flag: &str, mark: &str) -> String {
    let said = Command::new(program).arg(flag).stdin(Stdio::null()).output();
    let text = said.map(|said| [said.stdout, said.stderr].concat()).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let number = text.split_once(mark).map(|(_, rest)| rest.split(|c: char| c != '.' && !c.is_ascii_digit()).next().unwrap_or_default());
    number.filter(|number| !number.is_empty()).unwrap_or("of unknown version").to_owned()
}

/// A port that the system gives to nobody else while we hold it, on which the program may listen: bound, never listening.
pub(crate) fn claim() -> std::io::Result<(Socket, SocketAddr)> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    let address = socket.local_addr()?.as_socket().ok_or(std::io::ErrorKind::AddrNotAvailable)?;
    Ok((socket, address))
}

fn complaint(log: &Path) -> String {
    let said = fs::read_to_string(log).unwrap_or_default();
    let said: String = said.trim().chars().take(COMPLAINT).collect();
    if said.is_empty() { said } else { format!("; it said: {said}") }
}
