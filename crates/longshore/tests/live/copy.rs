//! Files and folders into and out of containers, as `cp` copies them.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use longshore::ErrorKind;
use longshore_testkit::live::Live;

use crate::harness::{Outcome, Test, test};
use crate::support::{refused, text_of};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test(a_folder_goes_in_and_out_as_it_is),
        test(a_file_goes_where_the_target_says),
        test(contents_go_in_without_their_folder),
        test(files_come_out_where_the_target_says),
        test(links_that_are_named_are_followed),
        test(what_is_not_there_is_an_error),
        test(a_container_that_never_ran_takes_and_gives_files),
        test(megabytes_go_in_and_out),
    ]
}

/// A folder of this machine for one test, removed with it.
struct Folder(PathBuf);

impl Folder {
    fn new(live: &Live) -> Self {
        let path = std::env::temp_dir().join(live.name());
        fs::create_dir(&path).expect("a new folder");
        Folder(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file, and the folders that it is in.
    fn write(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder above")).expect("a folder");
        fs::write(&path, content).expect("a file");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What can't be removed stays among the temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A folder with two files, one of them in a folder of its own, and a link.
fn site(folder: &Folder) -> PathBuf {
    let script = folder.write("site/run me.sh", b"#!/bin/sh\necho ran\n");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o750)).expect("permissions");
    let page = folder.write("site/deep/ä.html", b"<p>");
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000);
    fs::File::options().write(true).open(page).and_then(|file| file.set_modified(old)).expect("a time");
    symlink("deep/ä.html", folder.path("site/link")).expect("a link");
    folder.path("site")
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.as_ref().display()))
}

async fn a_folder_goes_in_and_out_as_it_is(live: Live) -> Outcome {
    let folder = Folder::new(&live);
    let container = live.start(live.spec("sleep 1000")).await?;
    container.copy_in(site(&folder), "/var/www").await?;
    let script =
        "cd /var/www; './run me.sh'; stat -c '%a %u:%g' 'run me.sh'; stat -c %Y deep/*; readlink link; cat link";
    assert_eq!(text_of(&container, script).await?, "ran\n750 0:0\n1600000000\ndeep/ä.html\n<p>");
    container.copy_out("/var/www", folder.path("back")).await?;
    assert_eq!(read(folder.path("back/run me.sh")), "#!/bin/sh\necho ran\n");
    assert_eq!(fs::metadata(folder.path("back/run me.sh"))?.mode() & 0o7777, 0o750);
    assert_eq!(fs::metadata(folder.path("back/deep/ä.html"))?.mtime(), 1_600_000_000);
    assert_eq!(fs::read_link(folder.path("back/link"))?, Path::new("deep/ä.html"));
    Ok(())
}

async fn a_file_goes_where_the_target_says(live: Live) -> Outcome {
    let folder = Folder::new(&live);
    let file = folder.write("file", b"new");
    let container = live.start(live.spec("sleep 1000")).await?;
    text_of(&container, "mkdir /var/d; echo old >/var/old").await?;
    for target in ["/var/d", "/var/d/", "/var/d/other", "/var/old"] {
        container.copy_in(&file, target).await?;
    }
    assert_eq!(text_of(&container, "cd /var; tail -n 1 d/file d/other old").await?.matches("new").count(), 3);
    refused(container.copy_in(&file, "/var/missing/").await, &[ErrorKind::NotFound]);
    refused(container.copy_in(&file, "/var/missing/file").await, &[ErrorKind::NotFound]);
    refused(container.copy_in(&file, "/var/old/").await, &[ErrorKind::Invalid]);
    refused(container.copy_in(&folder.0, "/var/old").await, &[ErrorKind::Invalid]);
    assert_eq!(text_of(&container, "ls /var/d; cat /var/old").await?, "file\nother\nnew");
    Ok(())
}

async fn contents_go_in_without_their_folder(live: Live) -> Outcome {
    let folder = Folder::new(&live);
    let site = site(&folder);
    let container = live.start(live.spec("sleep 1000")).await?;
    text_of(&container, "mkdir /var/a /var/b; touch /var/a/kept").await?;
    container.copy_in(site.join("."), "/var/a").await?;
    container.copy_in(&site, "/var/b").await?;
    assert_eq!(
        text_of(&container, "ls /var/a /var/b").await?,
        "/var/a:\ndeep\nkept\nlink\nrun me.sh\n\n/var/b:\nsite\n"
    );
    Ok(())
}

async fn files_come_out_where_the_target_says(live: Live) -> Outcome {
    let folder = Folder::new(&live);
    let container = live.start(live.spec("sleep 1000")).await?;
    text_of(&container, "mkdir -p /var/d/e; echo one >/var/d/one; echo two >/var/d/e/two").await?;
    folder.write("d/kept", b"kept");
    folder.write("old", b"old");
    container.copy_out("/var/d/one", folder.path("d")).await?;
    container.copy_out("/var/d/one", folder.path("new")).await?;
    container.copy_out("/var/d/one", folder.path("old")).await?;
    container.copy_out("/var/d/.", folder.path("contents")).await?;
    container.copy_out("/var/d", folder.path("d")).await?;
    for name in ["d/one", "new", "old", "contents/one", "d/d/one"] {
        assert_eq!(read(folder.path(name)), "one\n", "{name}");
    }
    for name in ["contents/e/two", "d/d/e/two"] {
        assert_eq!(read(folder.path(name)), "two\n", "{name}");
    }
    assert_eq!(read(folder.path("d/kept")), "kept");
    refused(container.copy_out("/var/d", folder.path("old")).await, &[ErrorKind::Io]);
    refused(container.copy_out("/var/d/one", folder.path("missing/one")).await, &[ErrorKind::Io]);
    refused(container.copy_out("/var/d/one/", folder.path("d")).await, &[ErrorKind::Invalid]);
    Ok(())
}

async fn links_that_are_named_are_followed(live: Live) -> Outcome {
    let folder = Folder::new(&live);
    let container = live.start(live.spec("sleep 1000")).await?;
    text_of(&container, "mkdir /var/d; echo one >/var/d/one; cd /var; ln -s d folder; ln -s d/one file").await?;
    container.copy_out("/var/file", folder.path("file")).await?;
    container.copy_out("/var/folder", folder.path("folder")).await?;
    assert_eq!(read(folder.path("file")), "one\n");
    assert!(fs::symlink_metadata(folder.path("file"))?.is_file());
    assert_eq!(read(folder.path("folder/one")), "one\n");
    symlink(folder.write("target", b"two"), folder.path("link"))?;
    container.copy_in(folder.path("link"), "/var/folder").await?;
    assert_eq!(text_of(&container, "cat /var/d/link; test -L /var/d/link || echo plain").await?, "twoplain\n");
    Ok(())
}

async fn what_is_not_there_is_an_error(live: Live) -> Outcome {
    let folder = Folder::new(&live);
    let file = folder.write("file", b"");
    let container = live.start(live.spec("sleep 1000")).await?;
    let error = refused(container.copy_in(folder.path("missing"), "/var").await, &[ErrorKind::Io]);
    assert!(error.message().contains("missing"), "{error}");
    refused(container.copy_out("/no/such/path", folder.path("x")).await, &[ErrorKind::NotFound]);
    let unknown = live.container(live.name());
    refused(unknown.copy_in(&file, "/var").await, &[ErrorKind::NotFound]);
    refused(unknown.copy_out("/etc", folder.path("x")).await, &[ErrorKind::NotFound]);
    assert!(!folder.path("x").exists());
    Ok(())
}

async fn a_container_that_never_ran_takes_and_gives_files(live: Live) -> Outcome {
    let folder = Folder::new(&live);
    let container = live.create(live.spec("cat /greeting")).await?;
    container.copy_in(folder.write("file", b"hello\n"), "/greeting").await?;
    container.copy_out("/greeting", folder.path("back")).await?;
    assert_eq!(read(folder.path("back")), "hello\n");
    let session = container.attach().await?;
    container.start().await?;
    assert!(session.into_output().collect().await?.stdout == "hello\n");
    Ok(())
}

async fn megabytes_go_in_and_out(live: Live) -> Outcome {
    let folder = Folder::new(&live);
    let content: Vec<u8> = (0..2_500_000_u32).flat_map(u32::to_le_bytes).collect();
    let container = live.create(live.spec("true")).await?;
    container.copy_in(folder.write("large", &content), "/var").await?;
    container.copy_out("/var/large", folder.path("back")).await?;
    assert!(fs::read(folder.path("back"))? == content);
    Ok(())
}
