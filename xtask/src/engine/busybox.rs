//! An image without a registry: the root file system of a static busybox, as a tar to import.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::catalog::Engine;
use super::command::{find, output};
use super::state::Lock;
use super::{apt, install};
use crate::error::{Context, Error, Result};

/// The repository of the image; its tag is `latest`.
pub(crate) const IMAGE: &str = "busybox";

/// Counts the changes of this module that make older tars unfit.
const RECIPE: u32 = 1;

/// Finds the tar of the image's root, or makes it: a shell with its applets in `/bin`, an `/etc/passwd`, a `/tmp`.
///
/// It needs neither root nor an engine of this project, only a static busybox: that of an installed engine, of the
/// `PATH`, or of Debian.
pub(crate) fn busybox_root() -> Result<PathBuf> {
    let folder = install::cache_folder()?.join("images");
    let tar = folder.join(format!("{IMAGE}-{RECIPE}-{}.tar", std::env::consts::ARCH));
    if tar.exists() {
        return Ok(tar);
    }
    let _lock = Lock::take(folder.join("lock"))?;
    let partial = folder.join("partial");
    let _ = fs::remove_dir_all(&partial);
    fs::create_dir_all(&partial).context(|| format!("create {}", partial.display()))?;
    let busybox = static_busybox(&partial)?;
    let applets = output(Command::new(&busybox).arg("--list"))?;
    let program = fs::read(&busybox).context(|| format!("read {}", busybox.display()))?;
    let whole = partial.join("root.tar");
    fs::write(&whole, archive(&program, applets.lines())?).context(|| format!("write {}", whole.display()))?;
    fs::rename(&whole, &tar).context(|| format!("put {} into its place", tar.display()))?;
    let _ = fs::remove_dir_all(&partial);
    Ok(tar)
}

fn static_busybox(work: &Path) -> Result<PathBuf> {
    let of_engine =
        Engine::ALL.into_iter().find_map(|engine| Some(install::installed(engine.root())?.join("bin/busybox")));
    if let Some(path) = of_engine {
        return Ok(path);
    }
    if let Some(path) = find("busybox").filter(|path| fs::read(path).is_ok_and(|program| is_static(&program))) {
        return Ok(path);
    }
    download(work).map_err(|error| {
        Error::new(format!(
            "an image needs a static busybox, and there is none on PATH (Debian: busybox-static): {error}"
        ))
    })
}

fn download(work: &Path) -> Result<PathBuf> {
    let debs = apt::download(work, "bookworm", &["busybox-static"])?;
    let unpacked = work.join("unpacked");
    for deb in &debs {
        output(Command::new("dpkg-deb").arg("-x").arg(deb).arg(&unpacked))?;
    }
    ["bin/busybox", "usr/bin/busybox"]
        .map(|path| unpacked.join(path))
        .into_iter()
        .find(|path| path.exists())
        .ok_or_else(|| Error::new("the package busybox-static has no busybox where it is expected"))
}

/// Whether an ELF program names no dynamic loader.
fn is_static(program: &[u8]) -> bool {
    const LOADER: u32 = 3;
    let number = |at: usize, length: usize| -> Option<u64> {
        let bytes = program.get(at..at.checked_add(length)?)?;
        Some(bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    };
    let segments = || -> Option<Vec<u64>> {
        // A 64-bit little-endian ELF: the table's offset, the size of an entry, their count.
        let head = program.get(..6)?;
        if head != b"\x7fELF\x02\x01" {
            return None;
        }
        let (table, size, count) = (number(0x20, 8)?, number(0x36, 2)?, number(0x38, 2)?);
        (0..count).map(|index| number(usize::try_from(table.checked_add(index * size)?).ok()?, 4)).collect()
    };
    segments().is_some_and(|kinds| !kinds.contains(&u64::from(LOADER)))
}

/// Writes the tar; the same bytes whenever the program is the same.
fn archive<'a>(program: &[u8], applets: impl Iterator<Item = &'a str>) -> Result<Vec<u8>> {
    let mut tar = Vec::with_capacity(program.len() + (1 << 19));
    for (folder, mode) in [
        ("bin/", 0o755),
        ("dev/", 0o755),
        ("etc/", 0o755),
        ("proc/", 0o755),
        ("root/", 0o700),
        ("sys/", 0o755),
        ("tmp/", 0o1777),
        ("var/", 0o755),
    ] {
        entry(&mut tar, folder, Entry::Folder, mode)?;
    }
    entry(&mut tar, "bin/busybox", Entry::File(program), 0o755)?;
    for applet in applets.filter(|applet| *applet != "busybox") {
        entry(&mut tar, &format!("bin/{applet}"), Entry::Link("busybox"), 0o777)?;
    }
    let passwd = b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n";
    entry(&mut tar, "etc/passwd", Entry::File(passwd), 0o644)?;
    entry(&mut tar, "etc/group", Entry::File(b"root:x:0:\nnobody:x:65534:\n"), 0o644)?;
    tar.resize(tar.len() + 1024, 0);
    Ok(tar)
}

enum Entry<'a> {
    Folder,
    File(&'a [u8]),
    Link(&'a str),
}

/// Appends one member in the ustar format.
fn entry(tar: &mut Vec<u8>, name: &str, entry: Entry<'_>, mode: u32) -> Result<()> {
    let (kind, content, target) = match entry {
        Entry::Folder => (b'5', &[][..], ""),
        Entry::File(content) => (b'0', content, ""),
        Entry::Link(target) => (b'2', &[][..], target),
    };
    if name.len() > 100 || target.len() > 100 {
        return Err(Error::new(format!("{name} has too long a name for the image")));
    }
    let size = content.len();
    // Name, mode, owner, group, size, time, checksum (spaces while it is computed), kind, link target.
    let mut head = Vec::with_capacity(512);
    write!(head, "{name:\0<100}{mode:07o}\0{0:07o}\0{0:07o}\0{size:011o}\0{0:011o}\0        ", 0)?;
    head.push(kind);
    write!(head, "{target:\0<100}ustar\x0000")?;
    head.resize(512, 0);
    let sum: u32 = head.iter().map(|byte| u32::from(*byte)).sum();
    head.splice(148..156, format!("{sum:06o}\0 ").into_bytes());
    tar.extend_from_slice(&head);
    tar.extend_from_slice(content);
    tar.resize(tar.len().next_multiple_of(512), 0);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tar_reads_the_archive() {
        let path = std::env::temp_dir().join(format!("xtask-busybox-{}.tar", std::process::id()));
        fs::write(&path, archive(b"#!program", ["sh", "busybox", "[", "["].into_iter()).unwrap()).unwrap();
        let listing = output(Command::new("tar").args(["--numeric-owner", "-tvf"]).arg(&path)).unwrap();
        let content = output(Command::new("tar").args(["-xOf"]).arg(&path).arg("bin/busybox")).unwrap();
        fs::remove_file(&path).unwrap();
        assert_eq!(content, "#!program");
        assert!(listing.contains("bin/sh -> busybox"), "{listing}");
        assert!(listing.contains("drwxrwxrwt 0/0"), "{listing}");
    }

    #[test]
    fn names_that_do_not_fit_are_refused() {
        let long = "x".repeat(100);
        assert!(archive(b"", [long.as_str()].into_iter()).is_err());
    }

    #[test]
    fn the_loader_tells_dynamic_from_static() {
        let running = fs::read("/proc/self/exe").unwrap();
        assert!(cfg!(target_env = "musl") || !is_static(&running));
        assert!(!is_static(b""));
        assert!(!is_static(b"\x7fELF\x02\x01"));
        let mut program = vec![0; 0x60];
        program[..6].copy_from_slice(b"\x7fELF\x02\x01");
        (program[0x20], program[0x36], program[0x38]) = (0x40, 0x10, 2);
        assert!(is_static(&program));
        program[0x50] = 3;
        assert!(!is_static(&program));
        program[0x27] = 0xff;
        assert!(!is_static(&program));
    }
}
