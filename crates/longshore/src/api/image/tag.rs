use longshore_wire::reference::DEFAULT_TAG;

use super::{Image, new_name, request};
use crate::error::Result;
use crate::http::{Method, Request};

impl Image {
    /// Gives the image one more name, such as `shop/web:2` or `localhost:5000/web`; the tag is `latest` unless it has
    /// one. The name is taken from the image that had it.
    ///
    /// `POST /images/{name}/tag`, API 1.24+.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound); [`Invalid`](crate::ErrorKind::Invalid) for what is no name, before
    /// anything is sent.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the image may have the name all the same.
    pub async fn tag(&self, name: &str) -> Result<()> {
        self.docker.send(tag(&self.name, name)?).await?.finish().await
    }
}

fn tag(image: &str, name: &str) -> Result<Request> {
    let mut request = request(Method::Post, "tag image", image, "tag")?;
    let name = new_name(name, &request.operation)?;
    request.query.push("repo", name.name()).push("tag", name.tag().unwrap_or(DEFAULT_TAG));
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(text(tag("sha256:0f", "web")), "POST /images/sha256:0f/tag?repo=web&tag=latest");
        assert_eq!(
            text(tag("a/b:1", "localhost:5000/web:2")),
            "POST /images/a/b:1/tag?repo=localhost%3A5000%2Fweb&tag=2"
        );
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let digest = format!("web@sha256:{}", "0".repeat(64));
        for bad in ["", "Web", "a b", &"0".repeat(64), &digest] {
            let error = tag("a", bad).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Invalid);
            assert!(error.to_string().starts_with("tag image `a`: "), "{error}");
        }
    }
}
