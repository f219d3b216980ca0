use longshore_models::ImageHistoryItem;
use longshore_wire::version::ApiVersion;

use super::{Image, platform_json, request};
use crate::error::Result;
use crate::http::{Method, Request};

/// How to tell an image's history.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ImageHistoryOptions {
    /// The platform to tell the history of, such as `linux/arm64/v8`; the one that the engine likes best unless set. API
    /// 1.48+.
    pub platform: Option<String>,
}

impl ImageHistoryOptions {
    /// Tells the history of what the image has for this platform, such as `linux/arm64/v8`. API 1.48+.
    #[must_use]
    pub fn platform(mut self, platform: impl Into<String>) -> Self {
        self.platform = Some(platform.into());
        self
    }
}

impl Image {
    /// Tells the steps that made the image, the last one first.
    ///
    /// `GET /images/{name}/history`, API 1.24+.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// for step in docker.image("alpine:3").history().await? {
    ///     println!("{:>12} {}", step.size, step.created_by);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound).
    ///
    /// # Cancel safety
    /// Reads only.
    pub async fn history(&self) -> Result<Vec<ImageHistoryItem>> {
        self.history_with(&ImageHistoryOptions::default()).await
    }

    /// Tells the steps that made the image, as `options` say; see [`history`](Image::history).
    ///
    /// # Errors
    /// As [`history`](Image::history), and [`Invalid`](crate::ErrorKind::Invalid) for what is no platform,
    /// [`Unsupported`](crate::ErrorKind::Unsupported) for a platform below API 1.48.
    ///
    /// # Cancel safety
    /// As [`history`](Image::history).
    pub async fn history_with(&self, options: &ImageHistoryOptions) -> Result<Vec<ImageHistoryItem>> {
        self.docker.send(history(&self.name, options)?).await?.list().await
    }
}

fn history(name: &str, options: &ImageHistoryOptions) -> Result<Request> {
    let mut request = request(Method::Get, "read history of image", name, "history")?;
    if let Some(platform) = &options.platform {
        request.query.push("platform", platform_json(platform, &request.operation)?);
        request.needs("the platform of a history", ApiVersion::new(1, 48));
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(text(history("a/b:1", &ImageHistoryOptions::default())), "GET /images/a/b:1/history");
        let request = history("a", &ImageHistoryOptions::default().platform("linux/amd64")).unwrap();
        assert_eq!(request.needs, [("the platform of a history", ApiVersion::new(1, 48))]);
        assert_eq!(
            text(Ok(request)),
            "GET /images/a/history?platform=%7B%22architecture%22%3A%22amd64%22%2C%22os%22%3A%22linux%22%7D"
        );
        let error = history("a", &ImageHistoryOptions::default().platform("linux")).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Invalid);
    }
}
