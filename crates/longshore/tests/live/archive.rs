//! Files into and out of containers, as tars.

use std::io::{self, Read};

use longshore::container::UploadOptions;
use longshore::{ByteStream, ErrorKind, Payload, Result};
use longshore_testkit::live::Live;
use tokio::io::AsyncReadExt;

use crate::harness::{Outcome, Test, test};
use crate::support::{Entry, refused, tar, text_of};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test(what_is_put_in_comes_out_again),
        test(a_path_is_told_without_its_content),
        test(a_container_that_never_ran_takes_files),
        test(a_compressed_tar_is_unpacked),
        test(owners_are_those_of_the_tar_or_of_the_container),
        test(a_folder_is_not_overwritten_by_a_file_on_demand),
        test(what_is_no_tar_or_cut_is_refused),
        test(a_payload_that_fails_is_an_error_of_the_caller),
        test(a_missing_path_is_not_found),
        test(a_read_only_filesystem_is_refused),
        test(export_gives_the_whole_filesystem),
        test(a_download_that_is_dropped_leaves_the_client_usable),
    ]
}

async fn bytes_of(mut stream: ByteStream) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    stream.copy_to(&mut bytes).await?;
    Ok(bytes)
}

/// The paths and contents in a tar.
fn entries(tar: &[u8]) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut archive = tar::Archive::new(tar);
    let mut all = Vec::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        let mut content = Vec::new();
        entry.read_to_end(&mut content)?;
        // Podman writes no slash behind folders.
        let path = String::from_utf8_lossy(&entry.path_bytes()).trim_end_matches('/').to_owned();
        all.push((path, content));
    }
    Ok(all)
}

fn pair(path: &str, content: &[u8]) -> (String, Vec<u8>) {
    (path.to_owned(), content.to_vec())
}

async fn what_is_put_in_comes_out_again(live: Live) -> Outcome {
    let container = live.start(live.spec("sleep 1000")).await?;
    let long = "a long name ".repeat(12);
    let script = Entry { mode: 0o755, ..Entry::file("site/run me.sh", b"#!/bin/sh\necho ran\n") };
    let deep = format!("site/{long}/ä");
    let all = [Entry::folder("site"), script, Entry::file(&deep, b""), Entry::file("site/data", &[0xff; 10_000])];
    container.put_archive("/var", tar(&all)).await?;
    assert_eq!(text_of(&container, "cd /var/site; './run me.sh'; wc -c <data").await?, "ran\n10000\n");
    let archive = container.archive("/var/site").await?;
    assert!(archive.stat().is_dir() && archive.stat().name == "site", "{:?}", archive.stat());
    let mut found = entries(&bytes_of(archive.into_bytes()).await?)?;
    found.sort();
    let mut expected = vec![
        pair("site", b""),
        pair("site/run me.sh", b"#!/bin/sh\necho ran\n"),
        pair(&deep, b""),
        pair(&format!("site/{long}"), b""),
        pair("site/data", &[0xff; 10_000]),
    ];
    expected.sort();
    assert_eq!(found, expected);
    // It is an `AsyncRead` too.
    let mut archive = container.archive("/var/site/data").await?;
    let mut bytes = Vec::new();
    archive.read_to_end(&mut bytes).await?;
    assert_eq!(entries(&bytes)?, [pair("data", &[0xff; 10_000])]);
    Ok(())
}

async fn a_path_is_told_without_its_content(live: Live) -> Outcome {
    let container = live.start(live.spec("sleep 1000")).await?;
    text_of(&container, "ln -s /etc/group /link; echo 12345 >/file; chmod 640 /file").await?;
    let file = container.archive_info("/file").await?;
    assert!(file.is_file() && !file.is_dir() && !file.is_symlink(), "{file:?}");
    assert_eq!((file.name.as_str(), file.size, file.permissions()), ("file", 6, 0o640));
    assert!(file.modified.unix_seconds() > Some(1_600_000_000), "{file:?}");
    let folder = container.archive_info("/etc").await?;
    assert!(folder.is_dir() && !folder.is_file(), "{folder:?}");
    let link = container.archive_info("/link").await?;
    assert!(link.is_symlink() && link.link_target == "/etc/group", "{link:?}");
    assert_eq!(link.name, if live.engine().is_podman() { "group" } else { "link" });
    Ok(())
}

async fn a_container_that_never_ran_takes_files(live: Live) -> Outcome {
    let container = live.create(live.spec("cat /data/file")).await?;
    container.put_archive("/", tar(&[Entry::folder("data"), Entry::file("data/file", b"before\n")])).await?;
    let session = container.attach().await?;
    container.start().await?;
    assert!(session.into_output().collect().await?.stdout == "before\n");
    Ok(())
}

async fn a_compressed_tar_is_unpacked(live: Live) -> Outcome {
    let container = live.start(live.spec("sleep 1000")).await?;
    let packed = container.exec(["sh", "-c", "mkdir /a; echo hi >/a/file; tar -cz -C / a; rm -r /a"]).output().await?;
    assert!(packed.stdout.starts_with(&[0x1f, 0x8b]), "{packed:?}");
    container.put_archive("/var", Payload::from(packed.stdout.into_bytes())).await?;
    assert_eq!(text_of(&container, "cat /var/a/file").await?, "hi\n");
    Ok(())
}

async fn owners_are_those_of_the_tar_or_of_the_container(live: Live) -> Outcome {
    let container = live.start(live.spec("sleep 1000").user("root")).await?;
    let file = |path| tar(&[Entry { owner: 1234, ..Entry::file(path, b"") }]);
    container.put_archive("/var", file("plain")).await?;
    let options = UploadOptions::default().copy_uid_gid();
    container.put_archive_with("/var", file("owned"), &options).await?;
    let owners = text_of(&container, "stat -c %u:%g /var/plain /var/owned").await?;
    assert_eq!(owners, "1234:1234\n0:0\n");
    Ok(())
}

async fn a_folder_is_not_overwritten_by_a_file_on_demand(live: Live) -> Outcome {
    let container = live.start(live.spec("sleep 1000")).await?;
    text_of(&container, "mkdir /var/a; touch /var/b").await?;
    let options = UploadOptions::default().no_overwrite_dir_non_dir();
    let file_over_folder = container.put_archive_with("/var", tar(&[Entry::file("a", b"")]), &options).await;
    let folder_over_file = container.put_archive_with("/var", tar(&[Entry::folder("b")]), &options).await;
    for outcome in [file_over_folder, folder_over_file] {
        refused(outcome, &[ErrorKind::Invalid, ErrorKind::Server]);
    }
    assert_eq!(text_of(&container, "cd /var; test -d a && test -f b && echo same").await?, "same\n");
    Ok(())
}

async fn what_is_no_tar_or_cut_is_refused(live: Live) -> Outcome {
    let container = live.start(live.spec("sleep 1000")).await?;
    let whole = tar(&[Entry::file("file", &[b'x'; 100_000])]);
    let kinds = [ErrorKind::Invalid, ErrorKind::Server];
    for wrong in [whole[..50_000].to_vec(), whole[..300].to_vec(), vec![b'x'; 2000]] {
        let error = refused(container.put_archive("/var", wrong).await, &kinds);
        assert_eq!(error.operation(), "upload into container");
    }
    container.put_archive("/var", tar(&[])).await?;
    container.put_archive("/var", whole).await?;
    assert_eq!(text_of(&container, "wc -c </var/file").await?, "100000\n");
    Ok(())
}

async fn a_payload_that_fails_is_an_error_of_the_caller(live: Live) -> Outcome {
    /// Gives a good beginning and fails.
    struct Failing(bool);

    impl tokio::io::AsyncRead for Failing {
        fn poll_read(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
            buffer: &mut tokio::io::ReadBuf<'_>,
        ) -> std::task::Poll<io::Result<()>> {
            if std::mem::replace(&mut self.0, true) {
                return std::task::Poll::Ready(Err(io::Error::other("the disk is gone")));
            }
            buffer.put_slice(&tar(&[Entry::file("file", &[b'x'; 10_000])])[..5000]);
            std::task::Poll::Ready(Ok(()))
        }
    }

    let container = live.start(live.spec("sleep 1000")).await?;
    let error = refused(container.put_archive("/var", Payload::reader(Failing(false))).await, &[ErrorKind::Io]);
    assert!(error.message().contains("the disk is gone"), "{error}");
    assert!(container.inspect().await?.state.running);
    Ok(())
}

async fn a_missing_path_is_not_found(live: Live) -> Outcome {
    let container = live.start(live.spec("sleep 1000")).await?;
    refused(container.archive("/no/such/path").await, &[ErrorKind::NotFound]);
    refused(container.archive_info("/no/such/path").await, &[ErrorKind::NotFound]);
    let put = container.put_archive("/no/such/folder", tar(&[Entry::file("file", b"x")])).await;
    if live.engine().is_podman() {
        // Podman makes the folder.
        put?;
        assert_eq!(text_of(&container, "cat /no/such/folder/file").await?, "x");
        return Ok(());
    }
    refused(put, &[ErrorKind::NotFound]);
    Ok(())
}

async fn a_read_only_filesystem_is_refused(live: Live) -> Outcome {
    let mut spec = live.spec("sleep 1000");
    spec.host_config.readonly_rootfs = true;
    let container = live.start(spec).await?;
    let outcome = container.put_archive("/var", tar(&[Entry::file("file", b"")])).await;
    let error = refused(outcome, &[ErrorKind::Invalid, ErrorKind::Server]);
    assert!(error.message().contains("read-only"), "{error}");
    Ok(())
}

async fn export_gives_the_whole_filesystem(live: Live) -> Outcome {
    let container = live.start(live.spec("sleep 1000")).await?;
    text_of(&container, "echo hi >/file").await?;
    let entries = entries(&bytes_of(container.export().await?).await?)?;
    let file = entries.iter().find(|(path, _)| path.trim_start_matches("./") == "file");
    assert_eq!(file.map(|(_, content)| &content[..]), Some(&b"hi\n"[..]));
    assert!(entries.iter().any(|(path, content)| path.ends_with("bin/busybox") && content.len() > 500_000));
    Ok(())
}

async fn a_download_that_is_dropped_leaves_the_client_usable(live: Live) -> Outcome {
    let container = live.shared().await?;
    for _ in 0..3 {
        let mut archive = container.archive("/bin").await?;
        archive.next().await.expect("a piece")?;
        drop(archive);
        let mut export = container.export().await?;
        export.next().await.expect("a piece")?;
        drop(export);
    }
    assert_eq!(text_of(container, "echo alive").await?, "alive\n");
    Ok(())
}
