//! The places where engines listen when nothing says where.

use std::path::{Path, PathBuf};

use super::Environment;

/// Where the engine listens unless something else is said, and where the official CLI looks.
#[cfg(not(windows))]
pub(super) const DEFAULT_HOST: &str = "unix:///var/run/docker.sock";
#[cfg(windows)]
pub(super) const DEFAULT_HOST: &str = "npipe:////./pipe/docker_engine";

/// The socket of [`DEFAULT_HOST`] where that is one.
const DOCKER: &str = "/var/run/docker.sock";

/// A place where an engine's socket may be.
pub(super) struct Place {
    pub(super) path: PathBuf,
    /// Whose socket is there.
    pub(super) of: &'static str,
}

/// The places, in the order in which they are looked at: that of the official CLI first.
pub(super) fn places(environment: &Environment) -> Vec<Place> {
    let below = |folder: &str, path: &str| environment.path(folder).map(|folder| folder.join(path));
    let home = |path: &str| below("HOME", path);
    let runtime = |path: &str| below("XDG_RUNTIME_DIR", path);
    let system = |path: &str| Some(environment.system_path(path));
    let places = [
        (system(DOCKER), "Docker"),
        (runtime("docker.sock"), "rootless Docker"),
        (home(".docker/run/docker.sock"), "Docker Desktop"),
        (home(".docker/desktop/docker.sock"), "Docker Desktop"),
        (below("COLIMA_HOME", "default/docker.sock"), "Colima"),
        (home(".colima/default/docker.sock"), "Colima"),
        (below("XDG_CONFIG_HOME", "colima/default/docker.sock"), "Colima"),
        (home(".config/colima/default/docker.sock"), "Colima"),
        (home(".rd/docker.sock"), "Rancher Desktop"),
        (home(".orbstack/run/docker.sock"), "OrbStack"),
        (system("/run/podman/podman.sock"), "Podman"),
        (runtime("podman/podman.sock"), "rootless Podman"),
        (home(".local/share/containers/podman/machine/podman.sock"), "a Podman machine"),
    ];
    places.into_iter().filter_map(|(path, of)| Some(Place { path: path?, of })).collect()
}

/// Whether there is a socket, behind any links; not whether anybody listens on it.
#[cfg(unix)]
pub(super) fn is_socket(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    std::fs::metadata(path).is_ok_and(|file| file.file_type().is_socket())
}

/// On Windows the usual place is a pipe, and no file is looked for.
#[cfg(not(unix))]
pub(super) fn is_socket(_: &Path) -> bool {
    false
}
