//! Copies out of a container: 1 MB of files takes as much memory as 50 MB, as one file or as many.

use std::sync::Arc;

use longshore_testkit::transcript::wire::answer;
use longshore_testkit::{Folder, tally};

use crate::source::{Script, Source};
use crate::streams::{LAST_CHUNK, MOST, SLACK, STAT, TAR, chunk};
use crate::{alone, measured};

const SIZES: [u64; 2] = [1_000_000, 50_000_000];

/// How much of a file comes at a time, in bytes: whole blocks of a tar.
const PIECE: u64 = 32 * 1024;

/// How large one of many files is, in bytes.
const SMALL: u64 = 4 * 1024;

/// What stands before a file or a folder in a tar.
fn header(path: &str, size: u64) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.set_path(path).unwrap();
    header.set_mode(0o755);
    header.set_size(size);
    if path.ends_with('/') {
        header.set_entry_type(tar::EntryType::Directory);
    }
    header.set_cksum();
    header.as_bytes().to_vec()
}

/// A tar of a folder that begins so.
fn begun(entries: &[u8]) -> Script {
    let folder = chunk([header("etc/", 0).as_slice(), entries].concat());
    Script::new([answer("200 OK", &[TAR, STAT, "Transfer-Encoding: chunked"], ""), folder.to_vec()].concat())
        .then([&chunk([0; 1024]), LAST_CHUNK].concat())
}

/// A file of this size in pieces.
fn one_file(size: u64) -> Script {
    let pieces = size.div_ceil(PIECE);
    begun(&header("etc/file", pieces * PIECE)).repeated(chunk(vec![b'x'; PIECE as usize]), pieces)
}

/// Files of this size together.
fn many_files(size: u64) -> Script {
    let file = |before| chunk([header(&format!("etc/{before}"), SMALL), vec![b'x'; SMALL as usize]].concat());
    begun(&[]).made(Arc::new(file), size.div_ceil(SMALL))
}

/// Makes a tar of this size.
type Make = fn(u64) -> Script;

/// Copies a folder, and tells how much memory that took.
async fn copy_out(what: &str, script: Script, size: u64) -> u64 {
    let source = Source::new(move |request| match request.starts_with("HEAD ") {
        true => Script::new(answer("200 OK", &[STAT, "Connection: close"], "")),
        false => script.clone(),
    });
    let here = Folder::new();
    let web = source.docker().container("web");
    let (copied, taken) = measured(what, web.copy_out("/etc", here.path().join("copy"))).await;
    copied.unwrap();
    let files = std::fs::read_dir(here.path().join("copy")).unwrap();
    let written: u64 = files.map(|file| file.unwrap().metadata().unwrap().len()).sum();
    assert!(written >= size, "{what}: {written} bytes were written");
    assert!(taken < MOST, "{what} took {taken} bytes of memory");
    taken
}

#[tokio::test]
async fn memory_does_not_depend_on_how_much_is_copied() {
    let _alone = alone().await;
    let all: [(&str, Make); 2] = [("a copy of a file", one_file), ("a copy of many files", many_files)];
    for (name, make) in all {
        let mut taken = Vec::new();
        for size in [SIZES[0], SIZES[0], SIZES[1]] {
            taken.push(copy_out(&format!("{name} of {size} bytes"), make(size), size).await);
        }
        assert!(taken[2] <= taken[1] + SLACK, "{name}: {taken:?} bytes of memory");
    }
    tally("bounds", "streams measured", all.len() as u64);
}
