use longshore_models::{ImageInspect, Raw};
use longshore_wire::version::ApiVersion;

use super::{Image, platform_json, request};
use crate::error::Result;
use crate::http::{Method, Request};

/// What to tell of an image.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ImageInspectOptions {
    /// Whether to tell what it has for each platform; API 1.48+.
    pub manifests: bool,
    /// The platform to tell of, such as `linux/arm64/v8`; API 1.49+, and not together with the manifests.
    pub platform: Option<String>,
}

impl ImageInspectOptions {
    /// Tells what it has for each platform: fills `manifests` where the engine keeps such images. API 1.48+.
    #[must_use]
    pub fn manifests(mut self) -> Self {
        self.manifests = true;
        self
    }

    /// Tells of this platform's image, such as `linux/arm64/v8`. API 1.49+.
    #[must_use]
    pub fn platform(mut self, platform: impl Into<String>) -> Self {
        self.platform = Some(platform.into());
        self
    }
}

impl Image {
    /// Tells everything about the image.
    ///
    /// `GET /images/{name}/json`, API 1.24+. What the types don't have is in the JSON that the answer keeps.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound).
    ///
    /// # Cancel safety
    /// Nothing happens when the future is dropped.
    #[doc(alias = "show")]
    #[doc(alias = "get")]
    pub async fn inspect(&self) -> Result<Raw<ImageInspect>> {
        self.inspect_with(&ImageInspectOptions::default()).await
    }

    /// Tells everything about the image, as `options` say; see [`inspect`](Image::inspect).
    ///
    /// # Errors
    /// As [`inspect`](Image::inspect), also when it does not have the platform;
    /// [`Unsupported`](crate::ErrorKind::Unsupported) for options of a newer API;
    /// [`Invalid`](crate::ErrorKind::Invalid) for what is no platform, and for both options at once.
    ///
    /// # Cancel safety
    /// As [`inspect`](Image::inspect).
    pub async fn inspect_with(&self, options: &ImageInspectOptions) -> Result<Raw<ImageInspect>> {
        self.docker.send(inspect(&self.name, options)?).await?.raw().await
    }
}

fn inspect(name: &str, options: &ImageInspectOptions) -> Result<Request> {
    let mut request = request(Method::Get, "inspect image", name, "json")?;
    request.query.flag("manifests", options.manifests);
    if options.manifests {
        request.needs("the manifests of an image", ApiVersion::new(1, 48));
    }
    if let Some(platform) = &options.platform {
        request.query.push("platform", platform_json(platform, &request.operation)?);
        request.needs("the platform of an image to inspect", ApiVersion::new(1, 49));
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        let default = ImageInspectOptions::default();
        assert_eq!(text(inspect("alpine:3", &default)), "GET /images/alpine:3/json");
        assert_eq!(
            text(inspect("localhost:5000/a/b@sha256:0f", &default)),
            "GET /images/localhost:5000/a/b@sha256:0f/json"
        );
        assert_eq!(
            text(inspect("a", &default.clone().platform("linux/amd64"))),
            "GET /images/a/json?platform=%7B%22architecture%22%3A%22amd64%22%2C%22os%22%3A%22linux%22%7D"
        );
        let request = inspect("a", &default.manifests()).unwrap();
        assert_eq!(request.needs, [("the manifests of an image", ApiVersion::new(1, 48))]);
        assert_eq!(text(Ok(request)), "GET /images/a/json?manifests=1");
    }
}
