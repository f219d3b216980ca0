use std::ops::{Deref, DerefMut};

use longshore_models::Timestamp;
use longshore_models::decode::Decode;
use longshore_wire::auth::decode_path_stat;
use longshore_wire::head::ResponseHead;

use super::{Container, request};
use crate::error::{ErrorKind, Operation, Result};
use crate::http::{Method, Payload, Request};
use crate::stream::ByteStream;

/// What a path in a container leads to.
#[derive(Clone, Debug, Default, PartialEq, Decode)]
#[non_exhaustive]
pub struct PathStat {
    /// The last part of the path; on Podman of the path where a symbolic link leads to.
    pub name: String,
    /// The size in bytes.
    pub size: u64,
    /// The kind of the file and its permissions, with the bits of Go's `FileMode`.
    pub mode: u32,
    /// When it was last written to.
    #[serde(rename = "mtime")]
    pub modified: Timestamp,
    /// Where a symbolic link leads to; empty for anything else.
    #[serde(rename = "linkTarget")]
    pub link_target: String,
}

impl PathStat {
    /// Whether it is a folder.
    pub fn is_dir(&self) -> bool {
        self.mode & 1 << 31 != 0
    }

    /// Whether it is a symbolic link.
    pub fn is_symlink(&self) -> bool {
        self.mode & 1 << 27 != 0
    }

    /// Whether it is an ordinary file: no folder, link, device, pipe or socket.
    pub fn is_file(&self) -> bool {
        const KINDS: u32 = 1 << 31 | 1 << 27 | 1 << 26 | 1 << 25 | 1 << 24 | 1 << 21 | 1 << 19;
        self.mode & KINDS == 0
    }

    /// The permissions, such as `0o644`.
    pub fn permissions(&self) -> u32 {
        self.mode & 0o777
    }

    fn from_head(operation: &Operation, head: &ResponseHead) -> Result<Self> {
        let Some(header) = head.header("x-docker-container-path-stat") else {
            return Err(operation.error(ErrorKind::Decode, "the engine's answer does not tell what the path leads to"));
        };
        let json = decode_path_stat(header).map_err(|source| {
            let message = format!("what the path leads to can't be read: {source}");
            operation.error_from(ErrorKind::Decode, message, source)
        })?;
        operation.decode(&json)
    }
}

/// A tar of a path in a container, as it comes: the [`ByteStream`] of its bytes, and what the path leads to.
#[derive(Debug)]
pub struct Archive {
    stat: PathStat,
    bytes: ByteStream,
}

impl Archive {
    /// What the path leads to.
    pub fn stat(&self) -> &PathStat {
        &self.stat
    }

    /// The bytes of the tar alone.
    pub fn into_bytes(self) -> ByteStream {
        self.bytes
    }
}

impl Deref for Archive {
    type Target = ByteStream;

    fn deref(&self) -> &ByteStream {
        &self.bytes
    }
}

impl DerefMut for Archive {
    fn deref_mut(&mut self) -> &mut ByteStream {
        &mut self.bytes
    }
}

/// How to unpack a tar into a container.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct UploadOptions {
    /// Whether to refuse to put a file where there is a folder, or a folder where there is a file.
    pub no_overwrite_dir_non_dir: bool,
    /// Whether the files belong to the user of the container instead of the owners that the tar names.
    pub copy_uid_gid: bool,
}

impl UploadOptions {
    /// Refuses to put a file where there is a folder, or a folder where there is a file.
    #[must_use]
    pub fn no_overwrite_dir_non_dir(mut self) -> Self {
        self.no_overwrite_dir_non_dir = true;
        self
    }

    /// Gives the files to the user that the container runs as, if it names one, instead of the owners that the tar names.
    ///
    /// Docker 26 and older look the user up by name on the engine's machine.
    #[must_use]
    pub fn copy_uid_gid(mut self) -> Self {
        self.copy_uid_gid = true;
        self
    }
}

impl Container {
    /// Downloads a path of the container's filesystem as a tar.
    ///
    /// `GET /containers/{id}/archive`, API 1.24+. The tar is not compressed, and a folder's entries begin with its
    /// name. It is streamed: memory stays flat however large it is.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when there is no such container or path.
    ///
    /// # Cancel safety
    /// Dropping the future or the archive closes the connection.
    #[doc(alias = "get_archive")]
    pub async fn archive(&self, path: &str) -> Result<Archive> {
        let request = archive(Method::Get, "download from container", &self.id, path)?.unbounded();
        let operation = request.operation.clone();
        let response = self.docker.send(request).await?;
        let stat = PathStat::from_head(&operation, response.head())?;
        Ok(Archive { stat, bytes: ByteStream::new(response) })
    }

    /// Tells what a path of the container's filesystem leads to.
    ///
    /// `HEAD /containers/{id}/archive`, API 1.24+.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when there is no such container or path.
    ///
    /// # Cancel safety
    /// Reads only.
    pub async fn archive_info(&self, path: &str) -> Result<PathStat> {
        let request = archive(Method::Head, "look up path in container", &self.id, path)?;
        let operation = request.operation.clone();
        let response = self.docker.send(request).await?;
        PathStat::from_head(&operation, response.head())
    }

    /// Unpacks a tar into a folder of the container, which must exist; Podman makes it.
    ///
    /// `PUT /containers/{id}/archive`, API 1.24+. The tar may be compressed with gzip, bzip2, xz or, with most engines,
    /// zstd. It is streamed from its [`Payload`].
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when there is no such container or folder,
    /// [`Invalid`](ErrorKind::Invalid) or [`Server`](ErrorKind::Server), by engine, when it is no tar, when it is cut
    /// inside a file, and when the filesystem is read-only,
    /// [`Io`](ErrorKind::Io) when the payload can't be read.
    ///
    /// # Cancel safety
    /// When the future is dropped, a part may have been unpacked.
    pub async fn put_archive(&self, path: &str, tar: impl Into<Payload>) -> Result<()> {
        self.put_archive_with(path, tar, &UploadOptions::default()).await
    }

    /// Unpacks a tar into a folder of the container, as `options` say; see [`put_archive`](Container::put_archive).
    ///
    /// # Errors
    /// As [`put_archive`](Container::put_archive).
    ///
    /// # Cancel safety
    /// As [`put_archive`](Container::put_archive).
    pub async fn put_archive_with(&self, path: &str, tar: impl Into<Payload>, options: &UploadOptions) -> Result<()> {
        let request = put_archive(&self.id, path, options)?.payload("application/x-tar", tar.into());
        self.docker.send(request).await?.finish().await
    }

    /// Downloads the container's whole filesystem as a tar, without its volumes.
    ///
    /// `GET /containers/{id}/export`, API 1.24+. It is streamed: memory stays flat however large it is.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound).
    ///
    /// # Cancel safety
    /// Dropping the future or the stream closes the connection.
    pub async fn export(&self) -> Result<ByteStream> {
        let response = self.docker.send(export(&self.id)?).await?;
        Ok(ByteStream::new(response))
    }
}

fn archive(method: Method, name: &'static str, id: &str, path: &str) -> Result<Request> {
    let mut request = request(method, name, id, "archive")?;
    request.query.push("path", path);
    Ok(request)
}

fn put_archive(id: &str, path: &str, options: &UploadOptions) -> Result<Request> {
    let mut request = archive(Method::Put, "upload into container", id, path)?.unbounded();
    request
        .query
        .flag("noOverwriteDirNonDir", options.no_overwrite_dir_non_dir)
        .flag("copyUIDGID", options.copy_uid_gid);
    Ok(request)
}

fn export(id: &str) -> Result<Request> {
    Ok(request(Method::Get, "export container", id, "export")?.unbounded())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(
            text(archive(Method::Get, "download", "web", "/etc/a b")),
            "GET /containers/web/archive?path=%2Fetc%2Fa%20b"
        );
        assert_eq!(text(archive(Method::Head, "look up", "web", "/")), "HEAD /containers/web/archive?path=%2F");
        assert_eq!(text(put_archive("web", "/", &UploadOptions::default())), "PUT /containers/web/archive?path=%2F");
        let options = UploadOptions::default().no_overwrite_dir_non_dir().copy_uid_gid();
        assert_eq!(
            text(put_archive("web", "/", &options).map(|request| request.payload("application/x-tar", "tar".into()))),
            "PUT /containers/web/archive?path=%2F&noOverwriteDirNonDir=1&copyUIDGID=1\n\
             Content-Type: application/x-tar\n\ntar"
        );
        assert_eq!(text(export("web")), "GET /containers/web/export");
    }

    #[test]
    fn the_kind_of_a_path_is_read_from_its_mode() {
        let operation = Operation::new("x");
        let stat = |json: &str| operation.decode::<PathStat>(json.as_bytes()).unwrap();
        let folder =
            stat(r#"{"name":"etc","size":4096,"mode":2147484141,"mtime":"2026-01-02T03:04:05Z","linkTarget":""}"#);
        assert!(folder.is_dir() && !folder.is_file() && !folder.is_symlink());
        assert_eq!(folder.permissions(), 0o755);
        assert_eq!(folder.modified.unix_seconds(), Some(1_767_323_045));
        let link = stat(r#"{"name":"a","mode":134218239,"linkTarget":"/b"}"#);
        assert!(link.is_symlink() && !link.is_file());
        assert!(stat(r#"{"mode":420}"#).is_file());
    }
}
