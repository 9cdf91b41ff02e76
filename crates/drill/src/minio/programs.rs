//! The paths of `minio` and `mc`, installed by `go install` in tested versions.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

#[derive(Debug, Clone)]
pub(crate) struct Programs {
    pub(super) minio: PathBuf,
    pub(super) mc: PathBuf,
}

impl Programs {
    /// Searches PATH and the folders of `go install`.
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
    let gobin = env::var_os("GOBIN")
        .filter(|value| !value.is_empty())
        .map(PathBuf::from);
    let home = env::home_dir().map(|home| home.join("go/bin"));
    env::split_paths(&path)
        .chain(gobin)
        .chain(gopath())
        .chain(home)
        .collect()
}

/// From `go env`, because GOPATH may be set in a file of `go`.
fn gopath() -> Option<PathBuf> {
    let output = Command::new("go")
        .args(["env", "GOPATH"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let output = String::from_utf8(output.stdout).ok()?;
    env::split_paths(output.trim())
        .next()
        .filter(|path| path.is_absolute())
        .map(|path| path.join("bin"))
}

fn find(program: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    folders
        .iter()
        .map(|folder| folder.join(program))
        .find(|path| path.is_file() && (program != "mc" || is_minio_client(path)))
}

/// Midnight Commander is called `mc` too. Both print their name without a terminal.
fn is_minio_client(mc: &Path) -> bool {
    let output = Command::new(mc)
        .arg("--version")
        .stdin(Stdio::null())
        .output();
    output.is_ok_and(|output| output.status.success() && output.stdout.starts_with(b"mc version"))
}

fn missing(minio: bool, mc: bool) -> String {
    let wanted = [(minio, "minio", MINIO), (mc, "mc", MC)];
    let wanted: Vec<_> = wanted
        .into_iter()
        .filter(|(missing, ..)| *missing)
        .collect();
    let names: Vec<_> = wanted.iter().map(|(_, name, _)| *name).collect();
    let commands: Vec<_> = wanted
        .iter()
        .map(|(.., module)| format!("go install {module}"))
        .collect();
    format!(
        "MinIO's {} not found on PATH, in $GOBIN or in $(go env GOPATH)/bin; install with: {}",
        names.join(" and "),
        commands.join(" && ")
    )
}

const MINIO: &str = "github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c";
const MC: &str = "github.com/minio/mc@v0.0.0-20250313080218-cf909e1063a9";
