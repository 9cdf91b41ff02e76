//! Where `minio` and `mc` are. Both come from their source by `go install`, in versions that are known to work here.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

#[derive(Debug, Clone)]
pub(crate) struct Programs {
    pub(super) minio: PathBuf,
    pub(super) mc: PathBuf,
}

impl Programs {
    /// Looks on the PATH, and where `go install` puts programs.
    pub(crate) fn find() -> Result<Self, String> {
        let folders = folders();
        match (find("minio", &folders), find("mc", &folders)) {
            (Some(minio), Some(mc)) => Ok(Self { minio, mc }),
            (minio, mc) => Err(missing(minio.is_none(), mc.is_none())),
        }
    }
}

fn folders() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let gobin = env::var_os("GOBIN").filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = env::home_dir().map(|home| home.join("go/bin"));
    env::split_paths(&path).chain(gobin).chain(gopath()).chain(home).collect()
}

/// As `go` itself says: it may be set in a file of its own.
fn gopath() -> Option<PathBuf> {
    let said = Command::new("go").args(["env", "GOPATH"]).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let said = String::from_utf8(said.stdout).ok()?;
    env::split_paths(said.trim()).next().filter(|path| path.is_absolute()).map(|path| path.join("bin"))
}

fn find(program: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    folders.iter().map(|folder| folder.join(program)).find(|path| path.is_file() && (program != "mc" || is_minios(path)))
}

/// Midnight Commander is called `mc`, too. Both tell their names without a screen.
fn is_minios(mc: &Path) -> bool {
    let said = Command::new(mc).arg("--version").stdin(Stdio::null()).output();
    said.is_ok_and(|said| said.status.success() && said.stdout.starts_with(b"mc version"))
}

fn missing(minio: bool, mc: bool) -> String {
    let wanted = [(minio, "minio", MINIO), (mc, "mc", MC)];
    let wanted: Vec<_> = wanted.into_iter().filter(|(missing, ..)| *missing).collect();
    let names: Vec<_> = wanted.iter().map(|(_, name, _)| *name).collect();
    let commands: Vec<_> = wanted.iter().map(|(.., module)| format!("go install {module}")).collect();
    format!(
        "MinIO's {} not found on PATH, in $GOBIN or in $(go env GOPATH)/bin; install with: {}",
        names.join(" and "),
        commands.join(" && ")
    )
}

const MINIO: &str = "github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c";
const MC: &str = "github.com/minio/mc@v0.0.0-20250313080218-cf909e1063a9";
