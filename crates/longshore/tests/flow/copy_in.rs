//! Files and folders into a container: what is asked, and the tar that is sent.

use std::fs;
use std::future::Future;
use std::io::Read;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::pin::pin;

use longshore::{ErrorKind, Result};
use longshore_testkit::transcript::wire::{answer, json};
use longshore_testkit::{Answer, Exchange, Fault, ScriptedEngine, Transcript, Upload, never_hangs, poll_n};

use crate::folder::{FILE, FOLDER, Folder, LINK, Tree, engine, look_up, refusal, tree};

fn put(folder: &str, answer: impl Into<Answer>) -> Exchange {
    Exchange::new(format!("PUT /v1.44/containers/web/archive?path={folder}&noOverwriteDirNonDir=1"), answer)
}

fn unpacked() -> Vec<u8> {
    answer("200 OK", &["Content-Length: 0"], "")
}

/// A folder with a page, and a script and a link in a folder of its own.
fn site(folder: &Folder) -> PathBuf {
    let site = folder.make("site", 0o750);
    folder.write("site/page", "<p>", 0o640);
    folder.make("site/deep", 0o1777);
    folder.write("site/deep/run", "#!/bin/sh\n".repeat(100), 0o4755);
    symlink("../page", folder.path("site/deep/link")).unwrap();
    site
}

/// What [`site`] is in a container, under a name.
fn site_as(name: &str) -> Tree {
    let script = "#!/bin/sh\n".repeat(100);
    let site = tree(&[
        ("", 'd', 0o750, ""),
        ("/page", 'f', 0o640, "<p>"),
        ("/deep", 'd', 0o1777, ""),
        ("/deep/run", 'f', 0o755, &script),
        ("/deep/link", 'l', 0, "../page"),
    ]);
    let named = |path: String| match (name, path.as_str()) {
        ("", "") => None,
        ("", path) => Some(path[1..].to_owned()),
        (name, path) => Some(format!("{name}{path}")),
    };
    site.into_iter().filter_map(|(path, facts)| Some((named(path)?, facts))).collect()
}

/// What is in a tar. Everything in it belongs to root.
fn unpack(tar: &[u8]) -> Tree {
    assert!(tar.len().is_multiple_of(512) && tar.ends_with(&[0; 1024]), "a tar of {} bytes", tar.len());
    let mut tree = Tree::new();
    for entry in tar::Archive::new(tar).entries().unwrap() {
        let mut entry = entry.unwrap();
        let header = entry.header().clone();
        assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
        let (kind, mode) = match header.entry_type() {
            tar::EntryType::Directory => ('d', header.mode().unwrap()),
            tar::EntryType::Symlink => ('l', 0),
            tar::EntryType::Regular => ('f', header.mode().unwrap()),
            other => panic!("{other:?}"),
        };
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        if let Some(link) = entry.link_name().unwrap() {
            text = link.display().to_string();
        }
        let path = entry.path().unwrap().display().to_string();
        let previous = tree.insert(path.trim_end_matches('/').to_owned(), (kind, mode, text));
        assert!(previous.is_none(), "`{path}` is there twice");
    }
    tree
}

async fn copy(engine: &ScriptedEngine, local: impl AsRef<Path>, target: &str) -> Result<()> {
    let docker = engine.docker();
    let outcome = never_hangs(docker.container("web").copy_in(local, target), "a copy").await;
    docker.close();
    assert_eq!((engine.alive(), engine.problems()), (0, vec![]));
    if let Err(error) = &outcome {
        assert_eq!((error.operation(), error.target()), ("copy into container", Some("web")));
    }
    outcome
}

/// Copies `local` to `target` and compares the questions with `script` and the tar with `expected`.
async fn assert_sent(local: impl AsRef<Path>, target: &str, script: Vec<Exchange>, expected: Tree) {
    let engine = ScriptedEngine::new(script);
    copy(&engine, local, target).await.unwrap();
    engine.assert_finished();
    let upload = engine.received().pop().unwrap();
    assert_eq!(upload.header("content-type"), Some("application/x-tar"));
    assert!(upload.complete);
    assert_eq!(unpack(&upload.body), expected, "to {target}");
}

#[tokio::test]
async fn a_file_is_sent_under_the_name_that_the_target_says() {
    let folder = Folder::new();
    let page = folder.write("page", "hello", 0o4640);
    let as_page = || tree(&[("page", 'f', 0o640, "hello")]);
    let as_index = || tree(&[("index", 'f', 0o640, "hello")]);
    assert_sent(&page, "/srv", vec![look_up("%2Fsrv", Some(FOLDER)), put("%2Fsrv", unpacked())], as_page()).await;
    assert_sent(&page, "srv/", vec![look_up("%2Fsrv", Some(FOLDER)), put("%2Fsrv", unpacked())], as_page()).await;
    let new = vec![look_up("%2Fsrv%2Findex", None), look_up("%2Fsrv", Some(FOLDER)), put("%2Fsrv", unpacked())];
    assert_sent(&page, "/srv/index", new, as_index()).await;
    let there = vec![look_up("%2Fsrv%2Findex", Some(FILE)), put("%2Fsrv", unpacked())];
    assert_sent(&page, "/srv/index", there, as_index()).await;
    let linked = vec![
        look_up("%2Fsrv%2Fcurrent", Some(LINK)),
        look_up("%2Fsrv%2Fsite", Some(FOLDER)),
        put("%2Fsrv%2Fsite", unpacked()),
    ];
    assert_sent(&page, "/srv/current", linked, as_page()).await;
    symlink(&page, folder.path("link")).unwrap();
    let linked = vec![look_up("%2F", Some(FOLDER)), put("%2F", unpacked())];
    assert_sent(folder.path("link"), "/", linked, tree(&[("link", 'f', 0o640, "hello")])).await;
}

#[tokio::test]
async fn a_folder_is_sent_with_all_that_is_in_it_or_its_contents_alone() {
    let folder = Folder::new();
    let site = site(&folder);
    let contents = format!("{}/.", site.display());
    let into = || vec![look_up("%2Fsrv", Some(FOLDER)), put("%2Fsrv", unpacked())];
    assert_sent(&site, "/srv", into(), site_as("site")).await;
    assert_sent(&contents, "/srv", into(), site_as("")).await;
    let new = || vec![look_up("%2Fsrv%2Fwww", None), look_up("%2Fsrv", Some(FOLDER)), put("%2Fsrv", unpacked())];
    for target in ["/srv/www", "/srv/www/"] {
        assert_sent(&site, target, new(), site_as("www")).await;
        assert_sent(&contents, target, new(), site_as("www")).await;
    }
}

#[tokio::test]
async fn what_can_be_checked_is_checked_before_anything_is_sent() {
    let folder = Folder::new();
    let (site, page) = (site(&folder), folder.path("site/page"));
    let inspected = |answer: Vec<u8>| Exchange::new("GET /v1.44/containers/web/json", answer);
    let there = || inspected(json("200 OK", r#"{"Id":"1"}"#));
    let gone = || inspected(refusal("404 Not Found", "No such container: web"));
    let file = || look_up("%2Fsrv", Some(FILE));
    let nothing = || look_up("%2Fsrv", None);
    let cases = [
        (&site, "/srv", vec![file()], ErrorKind::Invalid, "it is not a folder"),
        (&page, "/srv/", vec![file()], ErrorKind::Invalid, "it is not a folder"),
        (&page, "/srv/", vec![nothing(), there()], ErrorKind::NotFound, "there is no such folder"),
        (&page, "/srv/", vec![nothing(), gone()], ErrorKind::NotFound, "No such container: web"),
        (&site, "/srv/a", vec![look_up("%2Fsrv%2Fa", None), file()], ErrorKind::Invalid, "it is not a folder"),
        (
            &page,
            "/srv/a",
            vec![look_up("%2Fsrv%2Fa", None), nothing(), gone()],
            ErrorKind::NotFound,
            "No such container",
        ),
    ];
    for (local, target, script, kind, words) in cases {
        let engine = ScriptedEngine::new(script);
        let error = copy(&engine, local, target).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{target}: {error}");
        assert!(error.to_string().contains(words), "{target}: {error}");
        engine.assert_finished();
    }
    let engine = ScriptedEngine::default();
    let error = copy(&engine, folder.path("missing"), "/srv").await.unwrap_err();
    assert_eq!((error.kind(), engine.opened()), (ErrorKind::Io, 0));
    assert!(error.message().contains("missing"), "{error}");
}

#[tokio::test]
async fn the_tar_is_the_same_however_it_is_taken_and_answered() {
    let folder = Folder::new();
    let site = site(&folder);
    let copied = async |script: Vec<Exchange>, taken: usize| {
        let engine = ScriptedEngine::new(script);
        engine.write_pieces(taken);
        copy(&engine, &site, "/srv").await.unwrap();
        engine.assert_finished();
        assert_eq!(unpack(&engine.received().pop().unwrap().body), site_as("site"));
    };
    let script = |change: fn(Answer, usize) -> Answer, at: usize| {
        [look_up("%2Fsrv", Some(FOLDER)), put("%2Fsrv", unpacked())].map(|exchange| exchange.map(|a| change(a, at)))
    };
    for taken in [1, 7, 512, 1000] {
        copied(script(Answer::pieces, 1).into(), taken).await;
    }
    for split in 1..look_up("", Some(FOLDER)).answer().len() {
        copied(script(|answer, at| answer.split_at([at]), split).into(), usize::MAX).await;
    }
}

#[tokio::test]
async fn an_answer_that_comes_during_the_upload_counts() {
    let folder = Folder::new();
    let large = folder.write("large", vec![b'x'; 900_000], 0o644);
    for rest in [Upload::Take, Upload::Break, Upload::Stall] {
        for after in [0, 1, 600, 70_000, 500_000] {
            for (status, words, kind) in [
                ("404 Not Found", "No such container: web", ErrorKind::NotFound),
                ("400 Bad Request", "cannot overwrite directory", ErrorKind::Invalid),
                ("500 Internal Server Error", "no space left on device", ErrorKind::Server),
            ] {
                let answer = Answer::new(refusal(status, words)).early(after, rest);
                let engine = ScriptedEngine::new([look_up("%2Fsrv", Some(FOLDER)), put("%2Fsrv", answer)]);
                let error = copy(&engine, &large, "/srv").await.unwrap_err();
                assert_eq!(error.kind(), kind, "{rest:?} after {after}: {error}");
                assert!(error.to_string().contains(words), "{error}");
                engine.assert_finished();
            }
        }
    }
}

#[tokio::test]
async fn an_upload_whose_answer_is_lost_is_an_error() {
    let folder = Folder::new();
    let page = folder.write("page", "hello", 0o644);
    for position in 0..unpacked().len() {
        for fault in [Fault::Cut, Fault::Reset] {
            let answer = Answer::new(unpacked()).fails_after(position, fault);
            let engine = ScriptedEngine::new([look_up("%2Fsrv", Some(FOLDER)), put("%2Fsrv", answer)]);
            let error = copy(&engine, &page, "/srv").await.unwrap_err();
            let expected = if fault == Fault::Cut && position > 0 { ErrorKind::Truncated } else { ErrorKind::Closed };
            assert_eq!(error.kind(), expected, "{fault:?} after {position}: {error}");
        }
    }
}

#[tokio::test]
async fn an_upload_that_breaks_anywhere_is_an_error() {
    let folder = Folder::new();
    let page = folder.write("page", "hello", 0o644);
    for fault in [Fault::Cut, Fault::Reset] {
        for position in 0.. {
            let engine = ScriptedEngine::new([look_up("%2Fsrv", Some(FOLDER)), put("%2Fsrv", unpacked())]);
            engine.requests_fail_after(position, fault);
            let outcome = copy(&engine, &page, "/srv").await;
            if engine.taken(0) < position {
                outcome.unwrap();
                assert!(position > 2000, "{position} bytes are no upload");
                break;
            }
            match outcome {
                // The last byte had been sent.
                Ok(()) => engine.assert_finished(),
                Err(error) => assert_eq!(error.kind(), ErrorKind::Closed, "{fault:?} after {position}: {error}"),
            }
        }
    }
}

#[tokio::test]
async fn a_file_that_shrinks_meanwhile_ends_the_upload_before_its_end() {
    let folder = Folder::new();
    let large = folder.write("large", vec![b'x'; 2_000_000], 0o644);
    let engine = ScriptedEngine::new([look_up("%2Fsrv", Some(FOLDER)), put("%2Fsrv", unpacked())]);
    engine.write_pieces(1000);
    let copying = copy(&engine, &large, "/srv");
    let mut copying = pin!(copying);
    // Only some pieces are made before they are taken.
    while engine.opened() == 0 || engine.taken(0) < 10_000 {
        assert!(poll_n(copying.as_mut(), 1).await.is_none());
        tokio::task::yield_now().await;
    }
    fs::File::options().write(true).open(&large).unwrap().set_len(1_000_000).unwrap();
    let error = copying.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("it shrank"), "{error}");
    assert!(!engine.received().pop().unwrap().complete, "half a file looks whole");
}

/// Drops a copy after each number of polls.
async fn drop_at_every_poll<F: Future<Output = Result<()>>>(
    script: impl Fn() -> Vec<Exchange>,
    copy: impl Fn(longshore::Container) -> F,
) {
    for polls in 0.. {
        let engine = engine(script());
        engine.write_pieces(256);
        let docker = engine.docker();
        let outcome = never_hangs(poll_n(copy(docker.container("web")), polls), "a dropped copy").await;
        Transcript::good_call(&docker).await.unwrap();
        docker.close();
        assert_eq!((engine.alive(), engine.problems()), (0, vec![]), "dropped after {polls} polls");
        if let Some(outcome) = outcome {
            outcome.unwrap();
            assert!(polls > 20, "{polls} polls are no test");
            return;
        }
    }
}

#[tokio::test]
async fn a_copy_that_is_dropped_at_any_poll_leaves_the_client_usable() {
    let folder = Folder::new();
    let site = site(&folder);
    let script = || vec![look_up("%2Fsrv", Some(FOLDER)), put("%2Fsrv", Answer::new(unpacked()).pieces(9))];
    let site = &site;
    drop_at_every_poll(script, |web| async move { web.copy_in(site, "/srv").await }).await;
}
