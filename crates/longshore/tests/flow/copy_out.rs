//! Files and folders out of a container: what is written here, and what never is.

use std::path::Path;
use std::time::Duration;

use longshore::{Deadlines, ErrorKind, Result};
use longshore_testkit::transcript::wire::{answer, chunked, head_length};
use longshore_testkit::{Answer, Exchange, Fault, ScriptedEngine, Transcript, never_hangs, poll_n};

use crate::folder::{FILE, FOLDER, Folder, LINK, Tree, engine, look_up, refusal, stat_field, tree};

/// A name in a tar, what it is, its permissions, and its contents or where it leads.
type Member<'a> = (&'a str, char, u32, &'a str);

/// A tar of these: path, kind, permissions, and contents or where a link leads.
fn tar(entries: &[Member<'_>]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, kind, mode, text) in entries {
        let mut header = tar::Header::new_ustar();
        header.as_ustar_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_mode(*mode);
        header.set_mtime(1_600_000_000);
        header.set_size(0);
        let content = match kind {
            'f' => {
                header.set_entry_type(tar::EntryType::Regular);
                header.set_size(text.len() as u64);
                text.as_bytes()
            }
            'd' => {
                header.set_entry_type(tar::EntryType::Directory);
                &[]
            }
            'c' | 'b' | 'p' => {
                let kinds = [('c', tar::EntryType::Char), ('b', tar::EntryType::Block), ('p', tar::EntryType::Fifo)];
                header.set_entry_type(kinds.into_iter().find(|(letter, _)| letter == kind).unwrap().1);
                header.set_device_major(1).unwrap();
                header.set_device_minor(3).unwrap();
                &[]
            }
            link => {
                header.set_entry_type(if *link == 'l' { tar::EntryType::Symlink } else { tar::EntryType::Link });
                header.as_ustar_mut().unwrap().linkname[..text.len()].copy_from_slice(text.as_bytes());
                &[]
            }
        };
        header.set_cksum();
        builder.append(&header, content).unwrap();
    }
    builder.into_inner().unwrap()
}

/// A folder in a container, with a page, a link, and a script in a folder of its own.
fn site() -> Vec<u8> {
    let script = "#!/bin/sh\n".repeat(40);
    tar(&[
        ("site/", 'd', 0o750, ""),
        ("site/page", 'f', 0o640, "<p>"),
        ("site/link", 'l', 0o777, "page"),
        ("site/deep/", 'd', 0o711, ""),
        ("site/deep/run", 'f', 0o4755, &script),
    ])
}

/// What [`site`] is here, under a name.
fn site_as(name: &str) -> Tree {
    let script = "#!/bin/sh\n".repeat(40);
    let site = tree(&[
        ("", 'd', 0o750, ""),
        ("/page", 'f', 0o640, "<p>"),
        ("/link", 'l', 0, "page"),
        ("/deep", 'd', 0o711, ""),
        ("/deep/run", 'f', 0o755, &script),
    ]);
    site.into_iter().map(|(path, facts)| (format!("{name}{path}"), facts)).collect()
}

/// A folder with only a page, to be tried at every byte.
fn small_site() -> Vec<u8> {
    tar(&[("site/", 'd', 0o750, ""), ("site/page", 'f', 0o640, "<p>")])
}

/// What [`small_site`] is here.
fn small_site_as_www() -> Tree {
    tree(&[("www", 'd', 0o750, ""), ("www/page", 'f', 0o640, "<p>")])
}

/// How the end of a download is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Chunk,
    Length,
    Close,
}

/// A tar as an engine sends it.
fn download(stat: &str, tar: &[u8], end: End) -> Answer {
    let stat = stat_field(stat);
    let length = format!("Content-Length: {}", tar.len());
    let (framing, body) = match end {
        End::Chunk => ("Transfer-Encoding: chunked", chunked(&tar.chunks(300).collect::<Vec<_>>())),
        End::Length => (length.as_str(), tar.to_vec()),
        End::Close => ("Connection: close", tar.to_vec()),
    };
    let answer = Answer::new(answer("200 OK", &["Content-Type: application/x-tar", &stat, framing], body));
    if end == End::Close { answer.then_close() } else { answer }
}

fn get(path: &str, answer: impl Into<Answer>) -> Exchange {
    Exchange::new(format!("GET /v1.44/containers/web/archive?path={path}"), answer)
}

/// The questions for the folder `/srv/site`, and the answers to them.
fn script(answer: Answer) -> Vec<Exchange> {
    vec![look_up("%2Fsrv%2Fsite", Some(FOLDER)), get("%2Fsrv%2Fsite", answer)]
}

async fn copy(engine: &ScriptedEngine, path: &str, local: impl AsRef<Path>) -> Result<()> {
    let docker = engine.docker();
    let outcome = never_hangs(docker.container("web").copy_out(path, local), "a copy").await;
    docker.close();
    assert_eq!((engine.alive(), engine.problems()), (0, vec![]));
    if let Err(error) = &outcome {
        assert_eq!((error.operation(), error.target()), ("copy out of container", Some("web")));
    }
    outcome
}

#[tokio::test]
async fn a_folder_comes_out_as_it_is_at_every_split() {
    for end in [End::Chunk, End::Length, End::Close] {
        let (whole, small) = (download(FOLDER, &site(), end), download(FOLDER, &small_site(), end));
        let pieces = [whole.clone(), whole.clone().pieces(1), whole.pieces(7)].map(|answer| (answer, site_as("www")));
        let splits = (1..small.len()).map(|split| (small.clone().split_at([split]), small_site_as_www()));
        for (answer, expected) in splits.chain(pieces) {
            let (folder, engine) = (Folder::new(), ScriptedEngine::new(script(answer.clone())));
            copy(&engine, "/srv/site", folder.path("www")).await.unwrap();
            assert_eq!(folder.tree(), expected, "{end:?}: {answer:?}");
            engine.assert_finished();
        }
    }
}

#[tokio::test]
async fn it_goes_where_the_target_says() {
    let page = || tar(&[("page", 'f', 0o644, "hello")]);
    let page_script = || {
        let answer = download(FILE, &page(), End::Length);
        vec![look_up("%2Fsrv%2Fpage", Some(FILE)), get("%2Fsrv%2Fpage", answer)]
    };
    let folder_script = || script(download(FOLDER, &site(), End::Length));
    let linked = || {
        let answer = download(FOLDER, &site(), End::Length);
        vec![
            look_up("%2Fsrv%2Fcurrent", Some(LINK)),
            look_up("%2Fsrv%2Fsite", Some(FOLDER)),
            get("%2Fsrv%2Fsite", answer),
        ]
    };
    let there = ("there", 'd', 0o755, "");
    let file = |path: &str| tree(&[there, (path, 'f', 0o644, "hello")]);
    let with_folder = |site: Tree| tree(&[there]).into_iter().chain(site).collect::<Tree>();
    let contents: Tree = site_as("there").into_iter().filter(|(path, _)| path != "there").collect();
    let cases = [
        (page_script(), "/srv/page", "there", file("there/page")),
        (page_script(), "/srv/page", "there/index", file("there/index")),
        (page_script(), "/srv/page", "index", file("index")),
        (folder_script(), "/srv/site", "there", with_folder(site_as("there/site"))),
        (folder_script(), "/srv/site/", "there", with_folder(site_as("there/site"))),
        (folder_script(), "/srv/site/.", "there", with_folder(contents)),
        (folder_script(), "/srv/site", "there/www", with_folder(site_as("there/www"))),
        (folder_script(), "/srv/site/.", "www", with_folder(site_as("www"))),
        (linked(), "/srv/current", "there", with_folder(site_as("there/current"))),
    ];
    for (script, path, local, expected) in cases {
        let folder = Folder::new();
        folder.make("there", 0o755);
        let engine = ScriptedEngine::new(script);
        copy(&engine, path, folder.path(local)).await.unwrap();
        assert_eq!(folder.tree(), expected, "{path} to {local}");
        engine.assert_finished();
    }
}

/// What may be there after a download of [`site`] that failed: whole files, and the folders that they are in.
fn assert_no_half_file(found: &Tree, circumstance: &str) {
    let whole = site_as("www");
    for (path, (kind, _, text)) in found {
        let expected = whole.get(path).unwrap_or_else(|| panic!("{circumstance}: `{path}` was left behind"));
        assert_eq!((kind, text), (&expected.0, &expected.2), "{circumstance}: {path}");
    }
}

#[tokio::test]
async fn a_download_that_is_cut_anywhere_is_an_error_and_leaves_no_half_file() {
    for end in [End::Chunk, End::Length, End::Close] {
        // What a length tells is told as well by the last chunk: every byte of both would take long.
        let every = if end == End::Length { 7 } else { 1 };
        fails_anywhere(end, Fault::Cut, every).await;
    }
}

#[tokio::test]
async fn a_download_that_is_reset_anywhere_is_an_error_and_leaves_no_half_file() {
    for end in [End::Chunk, End::Length, End::Close] {
        fails_anywhere(end, Fault::Reset, 7).await;
    }
}

async fn fails_anywhere(end: End, fault: Fault, every: usize) {
    let whole = download(FOLDER, &small_site(), end);
    let head = head_length(&whole.bytes());
    // Without a length only the tar tells its end: its first empty block.
    let told = whole.len() - 512;
    for position in (0..whole.len()).step_by(every) {
        let circumstance = format!("{end:?}, {fault:?} after {position}");
        let engine = ScriptedEngine::new(script(whole.clone().fails_after(position, fault)));
        // A kept connection that ends without an answer is no reason to give up.
        engine.expect(get("%2Fsrv%2Fsite", whole.clone().fails_after(position, fault)));
        let folder = Folder::new();
        let outcome = copy(&engine, "/srv/site", folder.path("www")).await;
        if end == End::Close && fault == Fault::Cut && position >= told {
            outcome.unwrap_or_else(|error| panic!("{circumstance}: {error}"));
            assert_eq!(folder.tree(), small_site_as_www(), "{circumstance}");
            continue;
        }
        let kind = outcome.expect_err(&circumstance).kind();
        let expected = match fault {
            _ if position >= head => ErrorKind::Truncated,
            Fault::Cut if position > 0 => ErrorKind::Truncated,
            _ => ErrorKind::Closed,
        };
        assert_eq!(kind, expected, "{circumstance}");
        assert_no_half_file(&folder.tree(), &circumstance);
    }
}

#[tokio::test]
async fn a_download_that_falls_silent_ends_at_its_deadline() {
    let whole = download(FOLDER, &site(), End::Chunk);
    for position in [head_length(&whole.bytes()), 900, 1500, 3000, whole.len() - 1] {
        let engine = ScriptedEngine::new(script(whole.clone().fails_after(position, Fault::Stall)));
        let docker = engine.docker().with_deadlines(Deadlines::default().idle(Duration::from_millis(20)));
        let folder = Folder::new();
        let error = docker.container("web").copy_out("/srv/site", folder.path("www")).await.unwrap_err();
        assert_eq!((error.kind(), engine.alive()), (ErrorKind::Timeout, 0), "{position}: {error}");
        assert_no_half_file(&folder.tree(), &format!("silent after {position}"));
    }
}

#[tokio::test]
async fn an_old_file_stays_until_the_new_one_is_complete() {
    let new = "new ".repeat(300);
    let whole = download(FILE, &tar(&[("page", 'f', 0o600, &new)]), End::Chunk);
    for position in 0..=whole.len() {
        let answer =
            if position == whole.len() { whole.clone() } else { whole.clone().fails_after(position, Fault::Cut) };
        let script =
            [look_up("%2Fsrv%2Fpage", Some(FILE)), get("%2Fsrv%2Fpage", answer.clone()), get("%2Fsrv%2Fpage", answer)];
        let (engine, folder) = (ScriptedEngine::new(script), Folder::new());
        folder.write("page", "old", 0o644);
        let outcome = copy(&engine, "/srv/page", folder.path("page")).await;
        let old = tree(&[("page", 'f', 0o644, "old")]);
        let complete = tree(&[("page", 'f', 0o600, &new)]);
        match outcome {
            Ok(()) => assert_eq!((folder.tree(), position), (complete, whole.len())),
            Err(_) => assert!([old, complete].contains(&folder.tree()), "cut after {position}: {:?}", folder.tree()),
        }
    }
}

#[tokio::test]
async fn a_refusal_is_told_in_the_engine_s_words_and_nothing_is_written() {
    let missing = || refusal("404 Not Found", "Could not find the file /srv/site in container web");
    let gone = || vec![look_up("%2Fsrv%2Fsite", None), get("%2Fsrv%2Fsite", missing())];
    let late = || vec![look_up("%2Fsrv%2Fsite", Some(FOLDER)), get("%2Fsrv%2Fsite", missing())];
    for script in [gone(), late()] {
        let (engine, folder) = (ScriptedEngine::new(script), Folder::new());
        let error = copy(&engine, "/srv/site", folder.path("www")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains("Could not find the file"), "{error}");
        assert_eq!(folder.tree(), Tree::new());
        engine.assert_finished();
    }
}

#[tokio::test]
async fn a_tar_that_wants_to_be_written_elsewhere_is_refused() {
    let hostile: [(&str, &[Member<'_>]); 8] = [
        ("a name with ..", &[("site/", 'd', 0o755, ""), ("site/../evil", 'f', 0o644, "x")]),
        ("a name beside the root", &[("site/", 'd', 0o755, ""), ("evil", 'f', 0o644, "x")]),
        ("an absolute name", &[("site/", 'd', 0o755, ""), ("/evil", 'f', 0o644, "x")]),
        ("a link to above", &[("site/", 'd', 0o755, ""), ("site/up", 'l', 0, ".."), ("site/up/evil", 'f', 0o644, "x")]),
        (
            "an absolute link",
            &[("site/", 'd', 0o755, ""), ("site/tmp", 'l', 0, "/tmp"), ("site/tmp/evil", 'f', 0o644, "x")],
        ),
        ("a root that is a link", &[("site", 'l', 0, ".."), ("site/evil", 'f', 0o644, "x")]),
        ("a hard link to elsewhere", &[("site/", 'd', 0o755, ""), ("site/a", 'h', 0, "../kept")]),
        (
            "a hard link through a link",
            &[("site/", 'd', 0o755, ""), ("site/u", 'l', 0, ".."), ("site/a", 'h', 0, "site/u/kept")],
        ),
    ];
    for (what, entries) in hostile {
        let whole = download(FOLDER, &tar(entries), End::Chunk);
        let splits = (1..whole.len()).step_by(11).map(|split| whole.clone().split_at([split]));
        for answer in splits.chain([whole.clone()]) {
            let (engine, folder) = (ScriptedEngine::new(script(answer)), Folder::new());
            folder.write("kept", "kept", 0o644);
            let error = copy(&engine, "/srv/site", folder.path("www")).await.expect_err(what);
            assert!(matches!(error.kind(), ErrorKind::Protocol | ErrorKind::Io), "{what}: {error:?}");
            let outside: Tree = folder.tree().into_iter().filter(|(path, _)| !path.starts_with("www")).collect();
            assert_eq!(outside, tree(&[("kept", 'f', 0o644, "kept")]), "{what}");
            assert!(!Path::new("/tmp/evil").exists() && !Path::new("/evil").exists(), "{what}");
        }
    }
}

#[tokio::test]
async fn devices_and_the_rights_of_owners_stay_behind() {
    let entries: &[Member<'_>] = &[
        ("site/", 'd', 0o7755, ""),
        ("site/null", 'c', 0o666, ""),
        ("site/disk", 'b', 0o666, ""),
        ("site/pipe", 'p', 0o666, ""),
        ("site/su", 'f', 0o4755, "#!"),
        ("site/group", 'f', 0o2755, "#!"),
        ("site/sticky", 'f', 0o1644, "x"),
        ("site/same", 'h', 0o4755, "site/su"),
        ("site/open/", 'd', 0o6777, ""),
    ];
    let expected = tree(&[
        ("www", 'd', 0o1755, ""),
        ("www/su", 'f', 0o755, "#!"),
        ("www/group", 'f', 0o755, "#!"),
        ("www/sticky", 'f', 0o644, "x"),
        ("www/same", 'f', 0o755, "#!"),
        ("www/open", 'd', 0o777, ""),
    ]);
    let (engine, folder) = (ScriptedEngine::new(script(download(FOLDER, &tar(entries), End::Chunk))), Folder::new());
    copy(&engine, "/srv/site", folder.path("www")).await.unwrap();
    assert_eq!(folder.tree(), expected);
}

#[tokio::test]
async fn sizes_and_names_that_a_tar_only_claims_take_neither_memory_nor_disk() {
    let claimed = |size: u64| {
        let mut header = tar::Header::new_gnu();
        header.set_path("site/large").unwrap();
        header.set_mode(0o644);
        header.set_mtime(1);
        header.set_size(size);
        header.set_cksum();
        [tar(&[("site/", 'd', 0o755, "")])[..512].to_vec(), header.as_bytes().to_vec(), vec![b'x'; 1024]].concat()
    };
    let named = |kind: tar::EntryType, size: u64, name: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_cksum();
        [header.as_bytes().to_vec(), name.to_vec()].concat()
    };
    let sparse = tar(&[("site/", 'd', 0o755, "")])[..512].to_vec();
    let sparse = [sparse, named(tar::EntryType::GNUSparse, 1 << 50, &[])].concat();
    let pax = b"27 size=9999999999999999999\n";
    let cases = [
        ("a file of 8 GiB", claimed(8 << 30)),
        ("a file of 8 EiB", claimed(u64::MAX / 2)),
        ("a file of 16 EiB", claimed(u64::MAX)),
        ("a name of 1 TiB", named(tar::EntryType::GNULongName, 1 << 40, b"nnn")),
        ("a name of 2 MiB", named(tar::EntryType::GNULongName, 2 << 20, &vec![b'n'; 2 << 20])),
        ("a name of a link of 16 EiB", named(tar::EntryType::GNULongLink, u64::MAX, b"nnn")),
        ("more to know of 1 TiB", named(tar::EntryType::XHeader, 1 << 40, pax)),
        ("a sparse file of 1 PiB", sparse),
    ];
    for (what, tar) in cases {
        let (engine, folder) = (ScriptedEngine::new(script(download(FOLDER, &tar, End::Chunk))), Folder::new());
        let error = copy(&engine, "/srv/site", folder.path("www")).await.expect_err(what);
        assert!(matches!(error.kind(), ErrorKind::Protocol | ErrorKind::Truncated), "{what}: {error:?}");
        assert!(folder.tree().keys().all(|path| path == "www"), "{what}: {:?}", folder.tree());
    }
}

#[test]
fn a_copy_that_is_dropped_at_any_poll_leaves_the_client_usable_and_no_half_file() {
    for polls in 0.. {
        let circumstance = format!("dropped after {polls} polls");
        let folder = Folder::new();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let outcome = runtime.block_on(dropped_after(polls, &folder, &circumstance));
        // The thread learns that nobody waits any more, and clears up. A runtime ends after its threads.
        drop(runtime);
        if let Some(outcome) = outcome {
            outcome.unwrap();
            assert_eq!(folder.tree(), site_as("www"));
            assert!(polls > 50, "{polls} polls are no test");
            return;
        }
        assert_no_half_file(&folder.tree(), &circumstance);
    }
}

async fn dropped_after(polls: usize, folder: &Folder, circumstance: &str) -> Option<Result<()>> {
    let engine = engine(script(download(FOLDER, &site(), End::Chunk).pieces(50)));
    let docker = engine.docker();
    let copying = docker.container("web");
    let copying = poll_n(copying.copy_out("/srv/site", folder.path("www")), polls);
    let outcome = never_hangs(copying, circumstance).await;
    Transcript::good_call(&docker).await.unwrap();
    docker.close();
    assert_eq!((engine.alive(), engine.problems()), (0, vec![]), "{circumstance}");
    outcome
}
