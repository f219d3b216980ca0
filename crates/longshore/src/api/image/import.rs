use longshore_models::ProgressMessage;
use longshore_wire::path::Path;
use longshore_wire::version::ApiVersion;

use super::progress::Messages;
use super::{Image, Images, made_name};
use crate::error::{ErrorKind, Operation, Result};
use crate::http::{Method, Payload, Request};

/// How to make an image of an archive.
///
/// ```
/// use longshore::image::ImportOptions;
///
/// let options = ImportOptions::default().repository("busybox").tag("1").change("CMD [\"sh\"]");
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ImportOptions {
    /// The image's repository, such as `shop/web`; the image gets no name unless set.
    pub repository: Option<String>,
    /// The image's tag; `latest` unless set. Needs a repository.
    pub tag: Option<String>,
    /// Where it comes from, for people.
    pub message: Option<String>,
    /// Instructions of a Dockerfile that are applied to the image, such as `CMD ["sh"]`.
    pub changes: Vec<String>,
    /// What the files are made for, such as `linux/arm64/v8`; the engine's own platform unless set. API 1.32+; Docker
    /// 20.10 heeds only the operating system.
    pub platform: Option<String>,
}

impl ImportOptions {
    /// Names the image's repository, such as `shop/web`.
    #[must_use]
    pub fn repository(mut self, repository: impl Into<String>) -> Self {
        self.repository = Some(repository.into());
        self
    }

    /// Tags the image; `latest` unless set. Needs a repository.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tag = Some(tag.into());
        self
    }

    /// Says where it comes from.
    #[must_use]
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// Applies an instruction of a Dockerfile, such as `CMD ["sh"]`; may be called for several.
    #[must_use]
    pub fn change(mut self, instruction: impl Into<String>) -> Self {
        self.changes.push(instruction.into());
        self
    }

    /// Applies instructions of a Dockerfile after those already there.
    #[must_use]
    pub fn changes(mut self, instructions: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.changes.extend(instructions.into_iter().map(Into::into));
        self
    }

    /// Says what the files are made for, such as `linux/arm64/v8`. API 1.32+.
    #[must_use]
    pub fn platform(mut self, platform: impl Into<String>) -> Self {
        self.platform = Some(platform.into());
        self
    }
}

impl Images {
    /// Makes an image of a tar archive of a root filesystem, without a name. The handle holds its id.
    ///
    /// `POST /images/create`, API 1.24+. The archive may be compressed with gzip, bzip2 or xz. An image saved by the
    /// engine is not such an archive.
    ///
    /// # Errors
    /// [`Invalid`](ErrorKind::Invalid), [`Server`](ErrorKind::Server) or [`InStream`](ErrorKind::InStream), by engine,
    /// when it is no archive or ends inside a file; [`Io`](ErrorKind::Io) when the payload can't be read. An archive
    /// that is cut between two files passes: engines don't ask for its end marks.
    ///
    /// # Cancel safety
    /// When the future is dropped before the archive was sent, no image is made.
    pub async fn import(&self, archive: impl Into<Payload>) -> Result<Image> {
        self.import_with(archive, &ImportOptions::default()).await
    }

    /// Makes an image of a tar archive of a root filesystem, as `options` say; see [`import`](Images::import).
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> Result<(), Box<dyn std::error::Error>> {
    /// use longshore::Payload;
    /// use longshore::image::ImportOptions;
    ///
    /// let archive = Payload::reader(tokio::fs::File::open("root.tar").await?);
    /// let options = ImportOptions::default().repository("mine").change("CMD [\"sh\"]");
    /// let image = docker.images().import_with(archive, &options).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`import`](Images::import); [`Invalid`](ErrorKind::Invalid) for a name, an instruction or a platform that is
    /// wrong; [`Unsupported`](ErrorKind::Unsupported) for a platform below API 1.32.
    ///
    /// # Cancel safety
    /// As [`import`](Images::import).
    pub async fn import_with(&self, archive: impl Into<Payload>, options: &ImportOptions) -> Result<Image> {
        self.made(import(archive.into(), options)?).await
    }

    /// Makes an image of a tar archive of a root filesystem that the engine downloads from `url`, without a name. The
    /// handle holds its id.
    ///
    /// `POST /images/create`, API 1.24+. The archive may be compressed with gzip, bzip2 or xz. The engine must reach the
    /// server; to Docker, a URL without a scheme is one of `http`.
    ///
    /// # Errors
    /// As [`import`](Images::import), and [`Invalid`](ErrorKind::Invalid) for an empty URL, before anything is sent;
    /// [`Invalid`](ErrorKind::Invalid), [`Server`](ErrorKind::Server) or [`InStream`](ErrorKind::InStream), by engine,
    /// when the server can't be reached or does not give the file.
    ///
    /// # Cancel safety
    /// When the future is dropped, the engine may make the image all the same.
    pub async fn import_url(&self, url: &str) -> Result<Image> {
        self.import_url_with(url, &ImportOptions::default()).await
    }

    /// Makes an image of a tar archive that the engine downloads, as `options` say; see
    /// [`import_url`](Images::import_url).
    ///
    /// # Errors
    /// As [`import_url`](Images::import_url) and [`import_with`](Images::import_with).
    ///
    /// # Cancel safety
    /// As [`import_url`](Images::import_url).
    pub async fn import_url_with(&self, url: &str, options: &ImportOptions) -> Result<Image> {
        self.made(import_url(url, options)?).await
    }

    /// Sends a request that makes an image and tells its id at the end.
    async fn made(&self, request: Request) -> Result<Image> {
        let mut messages = Messages::new(self.docker.send(request).await?);
        let mut id = None;
        while let Some(message) = messages.next().await {
            id = named_id(message?).or(id);
        }
        let id = id.ok_or_else(|| {
            messages.operation().error(ErrorKind::Decode, "the engine did not name the image that it made")
        })?;
        Ok(self.docker.image(id))
    }
}

/// The id of the new image, where a message tells it: Docker and Podman write it into the status.
fn named_id(message: ProgressMessage) -> Option<String> {
    let digits = message.status.strip_prefix("sha256:").unwrap_or(&message.status);
    let is_id = digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then_some(message.status)
}

fn import(archive: Payload, options: &ImportOptions) -> Result<Request> {
    Ok(create("-", options)?.payload("application/x-tar", archive))
}

fn import_url(url: &str, options: &ImportOptions) -> Result<Request> {
    let request = create(url, options)?;
    match url {
        // To the engine it would be an archive that follows.
        "" | "-" => Err(request.operation.error(ErrorKind::Invalid, format!("`{url}` is no URL"))),
        _ => Ok(request),
    }
}

fn create(source: &str, options: &ImportOptions) -> Result<Request> {
    let operation = match &options.repository {
        Some(repository) => Operation::on("import image", repository),
        None => Operation::new("import image"),
    };
    // Podman reads over a parameter `tag`; every engine takes the tag as part of the name.
    let name = made_name(options.repository.as_deref(), options.tag.as_deref(), &operation)?;
    let mut request = Request::new(Method::Post, Path::new("images/create"), operation).unbounded();
    request
        .query
        .push("fromSrc", source)
        .optional("repo", name)
        .optional("message", options.message.as_ref())
        .each("changes", &options.changes)
        .optional("platform", options.platform.as_ref());
    if options.platform.is_some() {
        request.needs("the platform of an import", ApiVersion::new(1, 32));
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(
            text(import("tar".into(), &ImportOptions::default())),
            "POST /images/create?fromSrc=-\nContent-Type: application/x-tar\n\ntar"
        );
        let options = ImportOptions::default()
            .repository("shop/web")
            .tag("2")
            .message("by hand")
            .change("CMD [\"sh\"]")
            .changes(["ENV A=1"])
            .platform("linux/arm64/v8");
        assert_eq!(
            text(import(Payload::reader(tokio::io::empty()), &options)),
            "POST /images/create?fromSrc=-&repo=shop%2Fweb%3A2&message=by%20hand\
             &changes=CMD%20%5B%22sh%22%5D&changes=ENV%20A%3D1&platform=linux%2Farm64%2Fv8\n\
             Content-Type: application/x-tar\n\n(streamed)"
        );
        assert_eq!(
            text(import_url("https://example.com/root.tar.gz", &options)),
            "POST /images/create?fromSrc=https%3A%2F%2Fexample.com%2Froot.tar.gz&repo=shop%2Fweb%3A2&message=by%20hand\
             &changes=CMD%20%5B%22sh%22%5D&changes=ENV%20A%3D1&platform=linux%2Farm64%2Fv8"
        );
        for nothing in ["", "-"] {
            let error = import_url(nothing, &ImportOptions::default()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
        }
        let error = import("".into(), &ImportOptions::default().repository("BAD")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }

    #[test]
    fn the_id_is_found_in_what_engines_say() {
        let id = |status: &str| {
            let mut message = ProgressMessage::default();
            message.status = status.to_owned();
            named_id(message)
        };
        let digits = "0f".repeat(32);
        assert_eq!(id(&format!("sha256:{digits}")), Some(format!("sha256:{digits}")));
        assert_eq!(id(&digits), Some(digits));
        assert_eq!(id("Importing"), None);
        assert_eq!(id(""), None);
    }
}
