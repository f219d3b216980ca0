//! The roots of the engines and programs: folders of unpacked packages in the user's cache, shared by all checkouts
//! and never written to once they are complete.
//!
//! A root is made in a folder beside its place and renamed into it when it is whole; an interrupted installation is
//! therefore done again. `stamp` tells which recipe it was made by. To get a newer Docker of Debian unstable, remove
//! its root while the engine is down.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use super::apt;
use super::catalog::Root;
use super::state::Lock;
use crate::error::{Context, Error, Result};

/// Counts the changes of this module that make older roots unfit.
const RECIPE: u32 = 1;

/// The name of what runs a root's program as one of this machine.
pub(crate) const LAUNCHER: &str = "launch";

/// The launcher: it brings the root's own libraries, which the machine need not have.
const LAUNCH: &str = r#"#!/bin/sh
root=$(cd "$(dirname "$0")" && pwd)
libraries=$(echo "$root"/usr/lib/*-linux-gnu* | tr ' ' :)
for loader in "$root"/lib*/ld-linux*.so.*; do
    [ -e "$loader" ] && exec "$loader" --library-path "$libraries" "$root/PROGRAM" "$@"
done
exec "$root/PROGRAM" "$@"
"#;

/// Finds a root.
pub(crate) fn installed(root: Root) -> Option<PathBuf> {
    let folder = roots_folder().ok()?.join(root.name);
    let stamp = fs::read_to_string(folder.join("stamp")).ok()?;
    (stamp == recipe(root)).then_some(folder)
}

/// Finds a root, or makes it, which takes half a minute and the network.
pub(crate) fn ensure(root: Root) -> Result<PathBuf> {
    if let Some(folder) = installed(root) {
        return Ok(folder);
    }
    let (name, roots) = (root.name, roots_folder()?);
    let _lock = Lock::take(roots.join(format!("{name}.lock")))?;
    if let Some(folder) = installed(root) {
        return Ok(folder);
    }
    eprintln!("{name}: installing from Debian {} into {}", root.suite, roots.display());
    let partial = roots.join(format!("{name}.partial"));
    let folder = roots.join(name);
    remove(&partial)?;
    let work = partial.join("work");
    let fresh = partial.join("root");
    for folder in [&work, &fresh] {
        fs::create_dir_all(folder).context(|| format!("create {}", folder.display()))?;
    }
    let debs = apt::download(&work, root.suite, root.packages)?;
    lay_out(&fresh)?;
    unpack(&debs, &fresh)?;
    complete(&fresh, root)?;
    remove(&folder)?;
    fs::rename(&fresh, &folder).context(|| format!("put {} into its place", folder.display()))?;
    remove(&partial)?;
    Ok(folder)
}

/// The folder of this project in the user's cache.
pub(crate) fn cache_folder() -> Result<PathBuf> {
    let absolute = |variable| std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_CACHE_HOME")
        .or_else(|| Some(absolute("HOME")?.join(".cache")))
        .map(|cache| cache.join("longshore"))
        .ok_or_else(|| Error::new("neither XDG_CACHE_HOME nor HOME names a folder to keep engines in"))
}

fn roots_folder() -> Result<PathBuf> {
    Ok(cache_folder()?.join("roots"))
}

fn recipe(root: Root) -> String {
    let program = root.program.map(|program| format!(" {program}")).unwrap_or_default();
    format!("{RECIPE} {} {}{program}\n", root.suite, root.packages.join(" "))
}

/// Makes what must be there before packages are unpacked: Debian's links from `/bin` to `/usr/bin` and so on, which
/// no package brings in every release, and the places where the boot script mounts something.
fn lay_out(root: &Path) -> Result<()> {
    for name in ["bin", "sbin", "lib", "lib64"] {
        make_folder(&root.join("usr").join(name))?;
        let link = root.join(name);
        symlink(format!("usr/{name}"), &link).context(|| format!("link {}", link.display()))?;
    }
    for name in ["dev", "engine", "etc", "opt/containerd/bin", "opt/containerd/lib", "proc", "run", "sys", "tmp", "var"]
    {
        make_folder(&root.join(name))?;
    }
    Ok(())
}

/// Adds what maintainer scripts would have made, and marks the root as whole.
fn complete(folder: &Path, root: Root) -> Result<()> {
    let shell = folder.join("bin/sh");
    if !shell.exists() {
        symlink("busybox", &shell).context(|| format!("link {}", shell.display()))?;
    }
    if let Some(program) = root.program {
        let launcher = folder.join(LAUNCHER);
        let doing = || format!("write {}", launcher.display());
        fs::write(&launcher, LAUNCH.replace("PROGRAM", program)).context(doing)?;
        fs::set_permissions(&launcher, fs::Permissions::from_mode(0o755)).context(doing)?;
    }
    for (path, text) in [
        ("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n"),
        ("etc/group", "root:x:0:\nnogroup:x:65534:\n"),
        ("etc/hosts", "127.0.0.1 localhost\n::1 localhost\n"),
        ("stamp", &recipe(root)),
    ] {
        let path = folder.join(path);
        fs::write(&path, text).context(|| format!("write {}", path.display()))?;
    }
    Ok(())
}

/// Unpacks packages, several at a time; each is decompressed by a single thread.
fn unpack(debs: &[PathBuf], root: &Path) -> Result<()> {
    let queue = Mutex::new(debs.iter());
    let next = || queue.lock().ok()?.next();
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(8);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers)
            .map(|_| scope.spawn(|| std::iter::from_fn(next).try_for_each(|deb| unpack_one(deb, root))))
            .collect();
        workers.into_iter().try_for_each(|worker| {
            let panicked = |_| Err(Error::new("a thread that unpacks has panicked"));
            worker.join().unwrap_or_else(panicked)
        })
    })
}

/// Unpacks one package. `dpkg-deb -x` would replace the links of [`lay_out`] by folders, and a package that brings
/// those links itself would take them away for a moment; tar can be told not to.
fn unpack_one(deb: &Path, root: &Path) -> Result<()> {
    const UNUSED: [&str; 7] = ["bash-completion", "doc", "info", "lintian", "locale", "man", "zsh"];
    let doing = || format!("unpack {}", deb.display());
    let mut archive = Command::new("dpkg-deb")
        .arg("--fsys-tarfile")
        .arg(deb)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context(doing)?;
    let input = archive.stdout.take().map_or_else(Stdio::null, Stdio::from);
    let unpacked = Command::new("tar")
        .args(["-x", "-f", "-", "--keep-directory-symlink", "--skip-old-files", "-C"])
        .arg(root)
        .args(UNUSED.map(|name| format!("--exclude=./usr/share/{name}")))
        .stdin(input)
        .status();
    let read = archive.wait().context(doing)?;
    let unpacked = unpacked.context(doing)?;
    if read.success() && unpacked.success() {
        Ok(())
    } else {
        Err(Error::new(format!("{}: dpkg-deb: {read}, tar: {unpacked}", doing())))
    }
}

fn make_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).context(|| format!("create {}", path.display()))
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).context(|| format!("remove {}", folder.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Engine;

    #[test]
    fn recipes_differ_where_the_roots_do() {
        assert_ne!(recipe(Engine::Docker20.root()), recipe(Engine::Docker26.root()));
        assert_ne!(recipe(Engine::Docker20.root()), recipe(Engine::Podman.root()));
        assert_eq!(Engine::Swarm20.root(), Engine::Docker20.root());
    }

    #[test]
    fn a_root_is_laid_out_before_it_is_unpacked() {
        let root = std::env::temp_dir().join(format!("xtask-root-{}", std::process::id()));
        lay_out(&root).unwrap();
        complete(&root, Engine::Podman.root()).unwrap();
        assert_eq!(fs::read_link(root.join("bin")).unwrap(), Path::new("usr/bin"));
        assert_eq!(fs::read_to_string(root.join("stamp")).unwrap(), recipe(Engine::Podman.root()));
        fs::remove_dir_all(&root).unwrap();
    }
}
