use longshore_models::ImageDeleted;
use longshore_wire::version::ApiVersion;

use super::{Image, platform_json, request};
use crate::error::Result;
use crate::http::{Method, Request};

/// How to remove an image.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ImageRemoveOptions {
    /// Whether it is removed although stopped containers use it, or an id has several names.
    pub force: bool,
    /// Whether images without a name stay that it was built upon.
    pub no_prune: bool,
    /// The platforms that are removed of it, such as `linux/arm64/v8`; all unless set. API 1.50+.
    pub platforms: Vec<String>,
}

impl ImageRemoveOptions {
    /// Removes it although stopped containers use it, or an id has several names.
    #[must_use]
    pub fn force(mut self) -> Self {
        self.force = true;
        self
    }

    /// Keeps the images without a name that it was built upon.
    #[must_use]
    #[doc(alias = "noprune")]
    pub fn no_prune(mut self) -> Self {
        self.no_prune = true;
        self
    }

    /// Removes only what it has for this platform, such as `linux/arm64/v8`; may be called for several. API 1.50+.
    #[must_use]
    pub fn platform(mut self, platform: impl Into<String>) -> Self {
        self.platforms.push(platform.into());
        self
    }
}

impl Image {
    /// Takes the name off the image, and removes the image when it was its last one. Tells what was done.
    ///
    /// `DELETE /images/{name}`, API 1.24+.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound); [`Conflict`](crate::ErrorKind::Conflict) (on Podman also
    /// [`Server`](crate::ErrorKind::Server)) when a container uses it, or when the handle holds an id with several
    /// names.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the image may be removed all the same.
    #[doc(alias = "delete")]
    pub async fn remove(&self) -> Result<Vec<ImageDeleted>> {
        self.remove_with(&ImageRemoveOptions::default()).await
    }

    /// Removes the image, as `options` say; see [`remove`](Image::remove).
    ///
    /// # Errors
    /// As [`remove`](Image::remove), and [`Invalid`](crate::ErrorKind::Invalid) for what is no platform,
    /// [`Unsupported`](crate::ErrorKind::Unsupported) for platforms below API 1.50.
    ///
    /// # Cancel safety
    /// As [`remove`](Image::remove).
    pub async fn remove_with(&self, options: &ImageRemoveOptions) -> Result<Vec<ImageDeleted>> {
        self.docker.send(remove(&self.name, options)?).await?.json().await
    }
}

fn remove(name: &str, options: &ImageRemoveOptions) -> Result<Request> {
    let mut request = request(Method::Delete, "remove image", name, "")?.unbounded();
    request.query.flag("force", options.force).flag("noprune", options.no_prune);
    for platform in &options.platforms {
        request.query.push("platforms", platform_json(platform, &request.operation)?);
    }
    if !options.platforms.is_empty() {
        request.needs("removing an image by platform", ApiVersion::new(1, 50));
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(text(remove("a/b:1", &ImageRemoveOptions::default())), "DELETE /images/a/b:1");
        let options = ImageRemoveOptions::default().force().no_prune().platform("linux/amd64").platform("linux/arm/v7");
        let request = remove("a", &options).unwrap();
        assert_eq!(request.needs, [("removing an image by platform", ApiVersion::new(1, 50))]);
        assert_eq!(
            text(Ok(request)),
            "DELETE /images/a?force=1&noprune=1\
             &platforms=%7B%22architecture%22%3A%22amd64%22%2C%22os%22%3A%22linux%22%7D\
             &platforms=%7B%22architecture%22%3A%22arm%22%2C%22os%22%3A%22linux%22%2C%22variant%22%3A%22v7%22%7D"
        );
    }
}
