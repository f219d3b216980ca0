use longshore_models::AttestationStatement;
use longshore_wire::version::ApiVersion;

use super::{Image, platform_json, request};
use crate::error::Result;
use crate::http::{Method, Request};

/// Which statements about an image to tell, and how.
///
/// ```
/// use longshore::image::AttestationOptions;
///
/// let origin = AttestationOptions::default().predicate_type("https://slsa.dev/provenance/v1").statement();
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct AttestationOptions {
    /// The platform to tell of, such as `linux/arm64/v8`; the engine's own unless set.
    pub platform: Option<String>,
    /// The kinds of statements to tell, by their URIs; all unless set.
    pub predicate_types: Vec<String>,
    /// Whether to tell the statements themselves.
    pub statement: bool,
}

impl AttestationOptions {
    /// Tells of what the image has for this platform, such as `linux/arm64/v8`.
    #[must_use]
    pub fn platform(mut self, platform: impl Into<String>) -> Self {
        self.platform = Some(platform.into());
        self
    }

    /// Tells only statements of this kind, such as `https://spdx.dev/Document`; may be called for several.
    #[must_use]
    #[doc(alias = "type")]
    pub fn predicate_type(mut self, uri: impl Into<String>) -> Self {
        self.predicate_types.push(uri.into());
        self
    }

    /// Tells the statements themselves, not only which there are.
    #[must_use]
    pub fn statement(mut self) -> Self {
        self.statement = true;
        self
    }
}

impl Image {
    /// Tells which statements about the image there are, such as what it was built from; none for most images.
    ///
    /// `GET /images/{name}/attestations`, API 1.55+.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such image, or it has nothing for the platform;
    /// [`Unsupported`](crate::ErrorKind::Unsupported) below API 1.55, and when the engine does not keep its images in
    /// containerd.
    ///
    /// # Cancel safety
    /// Reads only.
    pub async fn attestations(&self) -> Result<Vec<AttestationStatement>> {
        self.attestations_with(&AttestationOptions::default()).await
    }

    /// Tells statements about the image, as `options` say; see [`attestations`](Image::attestations).
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// use longshore::image::AttestationOptions;
    ///
    /// let options = AttestationOptions::default().predicate_type("https://spdx.dev/Document").statement();
    /// for attestation in docker.image("shop/web").attestations_with(&options).await? {
    ///     println!("{:#}", attestation.statement);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`attestations`](Image::attestations), and [`Invalid`](crate::ErrorKind::Invalid) for what is no platform.
    ///
    /// # Cancel safety
    /// As [`attestations`](Image::attestations).
    pub async fn attestations_with(&self, options: &AttestationOptions) -> Result<Vec<AttestationStatement>> {
        self.docker.send(attestations(&self.name, options)?).await?.list().await
    }
}

fn attestations(name: &str, options: &AttestationOptions) -> Result<Request> {
    let mut request = request(Method::Get, "read attestations of image", name, "attestations")?;
    request.needs("the attestations of an image", ApiVersion::new(1, 55));
    if let Some(platform) = &options.platform {
        request.query.push("platform", platform_json(platform, &request.operation)?);
    }
    request.query.each("type", &options.predicate_types).flag("statement", options.statement);
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        let request = attestations("a/b:1", &AttestationOptions::default()).unwrap();
        assert_eq!(request.needs, [("the attestations of an image", ApiVersion::new(1, 55))]);
        assert_eq!(text(Ok(request)), "GET /images/a/b:1/attestations");
        let options = AttestationOptions::default()
            .platform("linux/amd64")
            .predicate_type("https://spdx.dev/Document")
            .predicate_type("b")
            .statement();
        assert_eq!(
            text(attestations("a", &options)),
            "GET /images/a/attestations\
             ?platform=%7B%22architecture%22%3A%22amd64%22%2C%22os%22%3A%22linux%22%7D\
             &type=https%3A%2F%2Fspdx.dev%2FDocument&type=b&statement=1"
        );
        let error = attestations("a", &AttestationOptions::default().platform("linux")).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Invalid);
    }
}
