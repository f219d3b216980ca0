use longshore_wire::path::Path;

use super::{Image, Images, push_platforms, request};
use crate::error::{ErrorKind, Operation, Result};
use crate::http::{Method, Request};
use crate::stream::ByteStream;

/// How to save images.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct SaveOptions {
    /// The platforms that are saved, such as `linux/arm64/v8`; all that are there unless set. One with API 1.48+,
    /// several with API 1.52+.
    pub platforms: Vec<String>,
}

impl SaveOptions {
    /// Saves only what the images have for this platform, such as `linux/arm64/v8`. API 1.48+; may be called for several
    /// with API 1.52+.
    #[must_use]
    pub fn platform(mut self, platform: impl Into<String>) -> Self {
        self.platforms.push(platform.into());
        self
    }
}

impl Image {
    /// Downloads the image as a tar that [`load`](Images::load) takes: its layers, its configuration and, if the handle
    /// has a name and not an id, its name.
    ///
    /// `GET /images/{name}/get`, API 1.24+. It is streamed: memory stays flat however large it is.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut file = tokio::fs::File::create("alpine.tar").await?;
    /// let mut tar = docker.image("alpine:3").save().await?;
    /// tar.copy_to(&mut file).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound). The stream fails with [`Truncated`](ErrorKind::Truncated) when it is cut, and
    /// with [`InStream`](ErrorKind::InStream) when the engine fails on the way: what has come is no archive then.
    ///
    /// # Cancel safety
    /// Dropping the future or the stream closes the connection.
    #[doc(alias = "export")]
    pub async fn save(&self) -> Result<ByteStream> {
        self.save_with(&SaveOptions::default()).await
    }

    /// Downloads the image as a tar, as `options` say; see [`save`](Image::save).
    ///
    /// # Errors
    /// As [`save`](Image::save), and [`Invalid`](ErrorKind::Invalid) for what is no platform,
    /// [`NotFound`](ErrorKind::NotFound) or [`Server`](ErrorKind::Server), by engine, for one that the image does not
    /// have, [`Unsupported`](ErrorKind::Unsupported) for a platform below API 1.48 and for several below API 1.52.
    ///
    /// # Cancel safety
    /// As [`save`](Image::save).
    pub async fn save_with(&self, options: &SaveOptions) -> Result<ByteStream> {
        Ok(ByteStream::with_ending(self.docker.send(save(&self.name, options)?).await?))
    }
}

impl Images {
    /// Downloads images, by their names or ids, as one tar that [`load`](Images::load) takes; layers that several of them
    /// have are in it once.
    ///
    /// `GET /images/get`, API 1.24+. It is streamed: memory stays flat however large it is.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut file = tokio::fs::File::create("shop.tar").await?;
    /// let mut tar = docker.images().save(["shop/web:2", "shop/database:2"]).await?;
    /// tar.copy_to(&mut file).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Image::save`], and [`Invalid`](ErrorKind::Invalid) when no image is named, before anything is sent.
    ///
    /// # Cancel safety
    /// As [`Image::save`].
    pub async fn save(&self, names: impl IntoIterator<Item = impl AsRef<str>>) -> Result<ByteStream> {
        self.save_with(names, &SaveOptions::default()).await
    }

    /// Downloads images as one tar, as `options` say; see [`save`](Images::save).
    ///
    /// # Errors
    /// As [`save`](Images::save) and [`Image::save_with`].
    ///
    /// # Cancel safety
    /// As [`Image::save`].
    pub async fn save_with(
        &self,
        names: impl IntoIterator<Item = impl AsRef<str>>,
        options: &SaveOptions,
    ) -> Result<ByteStream> {
        Ok(ByteStream::with_ending(self.docker.send(save_all(names, options)?).await?))
    }
}

fn save(name: &str, options: &SaveOptions) -> Result<Request> {
    let mut request = request(Method::Get, "save image", name, "get")?.unbounded();
    push_platforms(&mut request, &options.platforms)?;
    Ok(request)
}

fn save_all(names: impl IntoIterator<Item = impl AsRef<str>>, options: &SaveOptions) -> Result<Request> {
    let mut request = Request::new(Method::Get, Path::new("images/get"), Operation::new("save images")).unbounded();
    for name in names {
        let name = name.as_ref();
        // What could not be saved alone is not saved among others either.
        save(name, &SaveOptions::default())?;
        request.query.push("names", name);
    }
    if request.query.is_empty() {
        // Docker would give an empty tar.
        return Err(request.operation.error(ErrorKind::Invalid, "no image is named"));
    }
    push_platforms(&mut request, &options.platforms)?;
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::super::progress::canned::engine;
    use super::*;
    use crate::api::golden::text;
    use longshore_wire::version::ApiVersion;
    use tokio::io::AsyncReadExt;

    const AMD64: &str = "%7B%22architecture%22%3A%22amd64%22%2C%22os%22%3A%22linux%22%7D";
    const ARM64: &str = "%7B%22architecture%22%3A%22arm64%22%2C%22os%22%3A%22linux%22%7D";

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(text(save("a/b:1", &SaveOptions::default())), "GET /images/a/b:1/get");
        assert_eq!(
            text(save_all(["a/b:1", "sha256:0f"], &SaveOptions::default())),
            "GET /images/get?names=a%2Fb%3A1&names=sha256%3A0f"
        );
        let one = SaveOptions::default().platform("linux/amd64");
        let request = save("a", &one).unwrap();
        assert_eq!(request.needs, [("the platform of an archive of images", ApiVersion::new(1, 48))]);
        assert_eq!(text(Ok(request)), format!("GET /images/a/get?platform={AMD64}"));
        let request = save_all(["a"], &one.platform("linux/arm64")).unwrap();
        assert_eq!(request.needs[1], ("several platforms of an archive of images", ApiVersion::new(1, 52)));
        assert_eq!(text(Ok(request)), format!("GET /images/get?names=a&platform={AMD64}&platform={ARM64}"));
    }

    #[test]
    fn what_names_no_image_is_refused() {
        let all = |names: &[&str]| save_all(names, &SaveOptions::default()).unwrap_err();
        for names in [&[][..], &[""], &["a", ""], &["a", "../b"], &["a//b"]] {
            assert_eq!(all(names).kind(), ErrorKind::Invalid, "{names:?}");
        }
        assert_eq!(all(&[]).to_string(), "save images: no image is named");
        assert_eq!(save("a", &SaveOptions::default().platform("linux")).unwrap_err().kind(), ErrorKind::Invalid);
    }

    const FAILURE: &str = "{\"errorDetail\":{\"message\":\"no space left\"},\"error\":\"no space left\"}\r\n";

    #[tokio::test]
    async fn a_failure_behind_the_tar_is_raised() {
        let body = format!("3\r\ntar\r\n{:x}\r\n{FAILURE}\r\n0\r\n\r\n", FAILURE.len());
        let docker = engine("Transfer-Encoding: chunked", &body);
        let mut tar = docker.image("a").save().await.unwrap();
        assert_eq!(tar.next().await.unwrap().unwrap(), "tar");
        assert_eq!(tar.next().await.unwrap().unwrap(), FAILURE);
        let error = tar.next().await.unwrap().unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::InStream, "save image `a`: no space left"));
        assert!(tar.next().await.is_none());

        let mut tar = docker.images().save(["a", "b"]).await.unwrap();
        let error = tar.copy_to(&mut Vec::new()).await.unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::InStream, "save images: no space left"));

        let mut tar = docker.image("a").save().await.unwrap();
        let error = tar.read_to_end(&mut Vec::new()).await.unwrap_err();
        assert!(error.to_string().contains("no space left"), "{error}");
    }

    #[tokio::test]
    async fn a_cut_tar_is_an_error() {
        for body in ["3\r\ntar\r\n", "3\r\nta", "ff\r\n{\"errorDetail\":{\"message\":\"no\"}}"] {
            let docker = engine("Transfer-Encoding: chunked", body);
            let mut tar = docker.image("a").save().await.unwrap();
            assert_eq!(tar.copy_to(&mut Vec::new()).await.unwrap_err().kind(), ErrorKind::Truncated, "{body}");
            assert!(tar.next().await.is_none());
        }
    }
}
