//! Archives that a container sends, written to a folder.

use std::cell::RefCell;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use longshore::ErrorKind;
use longshore_testkit::transcript::wire::answer;
use longshore_testkit::{Answer, Exchange, Folder, ScriptedEngine};

use crate::pieces::cuts;
use crate::runtime::block_on;

/// `{"name":"site","size":4096,"mode":2147484141,…}`, as the engine tells of a folder.
const STAT: &str = "X-Docker-Container-Path-Stat: eyJuYW1lIjoic2l0ZSIsInNpemUiOjQwOTYsIm1vZGUiOjIxNDc0ODQxNDEsIm10aW1lIjoi\
    MjAyNC0wMy0wNVQxMDowMDowMFoiLCJsaW5rVGFyZ2V0IjoiIn0=";

/// A block of a tar, and where in a header the checksum and the size are.
const BLOCK: usize = 512;
const CHECKSUM: std::ops::Range<usize> = 148..156;
const SIZE: std::ops::Range<usize> = 124..136;

thread_local! {
    static FOLDER: RefCell<Folder> = RefCell::new(Folder::new());
}

/// Unpacks these bytes as they are, and with the checksums of a tar, both as a folder and as a whole file system.
pub fn check(bytes: &[u8]) {
    let summed = with_checksums(bytes);
    for tar in [bytes, &summed] {
        for path in ["/srv/site", "/"] {
            FOLDER.with_borrow(|folder| unpack(folder, path, tar));
        }
        if summed == bytes {
            break;
        }
    }
}

fn unpack(folder: &Folder, path: &str, tar: &[u8]) {
    let inside = folder.path().join("inside");
    let _ = fs::remove_dir_all(&inside);
    fs::create_dir(&inside).expect("a folder");
    folder.write("secret", "secret");
    folder.write("inside/kept", "kept");
    let encoded = path.replace('/', "%2F");
    let target = format!("/v1.44/containers/web/archive?path={encoded}");
    let head = answer("200 OK", &["Content-Type: application/x-tar", STAT, "Connection: close"], "");
    let places = cuts(tar)[2].iter().map(|cut| head.len() + cut).collect::<Vec<_>>();
    let body = Answer::new([&head, tar].concat()).split_at(places).then_close();
    let looked_up = answer("200 OK", &[STAT], "");
    let engine = ScriptedEngine::new([
        Exchange::new(format!("HEAD {target}"), looked_up),
        Exchange::new(format!("GET {target}"), body),
    ]);
    let docker = engine.docker();
    let outcome = block_on(docker.container("web").copy_out(path, inside.join("root")));
    docker.close();
    assert_eq!((engine.alive(), engine.problems()), (0, vec![]));
    if let Err(error) = outcome {
        let kind = error.kind();
        assert!(matches!(kind, ErrorKind::Protocol | ErrorKind::Truncated | ErrorKind::Io), "{error:?}");
    }
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap_or_default();
    assert_eq!((read("secret"), read("inside/kept")), (b"secret".to_vec(), b"kept".to_vec()), "written outside");
    let mut beside = names(folder.path());
    beside.extend(names(&inside));
    beside.retain(|name| name != "root");
    assert_eq!(beside, ["inside", "secret", "kept"], "made outside");
    inspect(&inside.join("root"));
}

/// What is in a folder, by name.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Checks that there are only files, folders and links, none of them unfinished or with the rights of its owner, and
/// lets all folders be removed.
fn inspect(path: &Path) {
    let Ok(metadata) = fs::symlink_metadata(path) else { return };
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let kind = metadata.file_type();
    assert!(kind.is_file() || kind.is_dir() || kind.is_symlink(), "{name:?} is {kind:?}");
    let mode = metadata.permissions().mode();
    assert!(kind.is_symlink() || mode & 0o6000 == 0, "{name:?} has {mode:o}");
    if kind.is_dir() {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).expect("a folder of one's own");
        for entry in fs::read_dir(path).expect("a folder").flatten() {
            inspect(&entry.path());
        }
    }
}

/// Puts right the checksums of what may be headers, so that what else is odd in them is looked at.
fn with_checksums(bytes: &[u8]) -> Vec<u8> {
    let mut tar = bytes.to_vec();
    let mut at = 0;
    while let Some(header) = tar.get_mut(at..at + BLOCK) {
        at += BLOCK;
        if header.iter().all(|byte| *byte == 0) {
            continue;
        }
        header[CHECKSUM].fill(b' ');
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[CHECKSUM].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let digits = header[SIZE].iter().filter(|byte| byte.is_ascii_digit()).copied().collect();
        let size = String::from_utf8(digits).ok().and_then(|digits| usize::from_str_radix(&digits, 8).ok());
        at = at.saturating_add(size.unwrap_or_default().div_ceil(BLOCK).saturating_mul(BLOCK)).min(tar.len());
    }
    tar
}
