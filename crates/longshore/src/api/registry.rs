//! Registries, as the engine sees them: whether they take credentials, and what they have.

use longshore_models::{AuthResponse, DistributionInspect, Raw};
use longshore_wire::auth::RegistryAuth;
use longshore_wire::path::Path;

use crate::api::image::Image;
use crate::docker::Docker;
use crate::error::{Error, ErrorKind, Operation, Result};
use crate::http::{Method, Request};

/// How to ask a registry for an image.
///
/// ```
/// use longshore::{DistributionOptions, RegistryAuth};
///
/// let options = DistributionOptions::default().auth(RegistryAuth::default().username("jane").password("s3cret"));
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct DistributionOptions {
    /// The credentials for the image's registry; those that the user has stored for it unless set.
    pub auth: Option<RegistryAuth>,
}

impl DistributionOptions {
    /// Shows the registry these credentials instead of those that the user has stored for it;
    /// [`RegistryAuth::anonymous`] for none.
    #[must_use]
    pub fn auth(mut self, auth: RegistryAuth) -> Self {
        self.auth = Some(auth);
        self
    }
}

impl Docker {
    /// Asks a registry whether it takes these credentials: the one that their server address names, or Docker Hub.
    ///
    /// `POST /auth`, API 1.24+. Neither the engine nor longshore keeps them: each pull and push is given its own, or those
    /// that the user has stored by other means. Some
    /// registries answer with an identity token, which serves in place of the password. Podman speaks TLS with every
    /// registry but those whose address begins with `localhost:`.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// use longshore::RegistryAuth;
    ///
    /// let auth = RegistryAuth::default().username("jane").password("s3cret").server_address("ghcr.io");
    /// println!("{}", docker.login(&auth).await?.status);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Unauthorized`](ErrorKind::Unauthorized) when the registry refuses them; [`Server`](ErrorKind::Server) when it
    /// can't be reached.
    ///
    /// # Cancel safety
    /// Nothing happens when the future is dropped.
    #[doc(alias = "auth")]
    pub async fn login(&self, auth: &RegistryAuth) -> Result<AuthResponse> {
        let response = self.send(login(auth)).await.map_err(by_registry)?;
        let (operation, bytes) = response.bytes().await?;
        // Older engines answer 204 where there is no token.
        if bytes.is_empty() { Ok(AuthResponse::default()) } else { operation.decode(&bytes) }
    }
}

impl Docker {
    /// Finds the credentials that the user has stored for a registry, such as `ghcr.io`, `localhost:5000` or `docker.io`:
    /// those that pulls from it are given unless others are set. `None` if there are none. Nothing is sent.
    ///
    /// They are where the official command line tool keeps them, and read anew each time: in the variable
    /// `DOCKER_AUTH_CONFIG`; with the helper that `config.json` names for the registry, or else for all; in `config.json`
    /// itself. What the environment is, [`ConnectOptions`](crate::ConnectOptions) say.
    ///
    /// A helper is a program `docker-credential-…`, found on `PATH`. It may take as long as the
    /// [deadline](crate::Deadlines) for credentials, has no terminal, and is ended with all that it has started when that
    /// has passed or the future is dropped. Nothing that it writes is shown in an error.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// match docker.registry_auth("ghcr.io").await? {
    ///     Some(auth) => println!("logged in to ghcr.io as {}", auth.username.as_deref().unwrap_or("somebody")),
    ///     None => println!("not logged in to ghcr.io"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Config`](ErrorKind::Config) when `config.json` or the credentials in it can't be read, or when the helper is
    /// missing, fails, or answers something else than credentials; [`Timeout`](ErrorKind::Timeout) when it does not
    /// answer.
    ///
    /// # Cancel safety
    /// Nothing is left behind when the future is dropped.
    pub async fn registry_auth(&self, registry: &str) -> Result<Option<RegistryAuth>> {
        Ok(self.credentials().await?.of(registry).await?.map(|found| found.auth))
    }
}

impl Image {
    /// Finds the credentials that the user has stored for the image's registry; see [`Docker::registry_auth`].
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// use longshore::image::PullOptions;
    ///
    /// let image = docker.image("ghcr.io/shop/web:2");
    /// if let Some(auth) = image.registry_auth().await? {
    ///     let elsewhere = longshore::Docker::connect_to("tcp://10.0.0.2:2375")?;
    ///     elsewhere.images().pull_with(image.name(), &PullOptions::default().auth(auth)).await?.finish().await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Docker::registry_auth`]; [`Invalid`](ErrorKind::Invalid) for an id, which no registry knows.
    ///
    /// # Cancel safety
    /// As [`Docker::registry_auth`].
    pub async fn registry_auth(&self) -> Result<Option<RegistryAuth>> {
        let operation = Operation::on("get credentials for image", self.name());
        let reference = super::image::reference(self.name(), &operation)?;
        self.docker().registry_auth(reference.registry()).await.map_err(|error| error.within(operation))
    }

    /// Asks the image's registry for its digest, size and platforms, without pulling it. The tag is `latest` unless
    /// the handle's name has a tag or a digest. The registry is shown the credentials that the user has stored for it, as
    /// [`Docker::registry_auth`] finds them.
    ///
    /// `GET /distribution/{name}/json`, API 1.30+; Podman does not have it.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// let newest = docker.image("alpine:3").inspect_distribution().await?;
    /// println!("{}", newest.descriptor.digest);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when the registry does not have it; [`Unauthorized`](ErrorKind::Unauthorized)
    /// or [`Forbidden`](ErrorKind::Forbidden) when it wants other credentials; [`Server`](ErrorKind::Server) when it
    /// can't be reached; [`Invalid`](ErrorKind::Invalid) for an id, which no registry knows, before anything is sent; those
    /// of [`registry_auth`](Docker::registry_auth).
    ///
    /// # Cancel safety
    /// Nothing happens when the future is dropped.
    #[doc(alias = "distribution")]
    pub async fn inspect_distribution(&self) -> Result<Raw<DistributionInspect>> {
        self.inspect_distribution_with(&DistributionOptions::default()).await
    }

    /// Asks the image's registry for it, as `options` say; see [`inspect_distribution`](Image::inspect_distribution).
    ///
    /// # Errors
    /// As [`inspect_distribution`](Image::inspect_distribution).
    ///
    /// # Cancel safety
    /// As [`inspect_distribution`](Image::inspect_distribution).
    pub async fn inspect_distribution_with(&self, options: &DistributionOptions) -> Result<Raw<DistributionInspect>> {
        let request = inspect_distribution(self.name(), options)?;
        self.docker().send(request).await.map_err(by_registry)?.raw().await
    }
}

fn login(auth: &RegistryAuth) -> Request {
    let operation = match &auth.server_address {
        Some(address) => Operation::on("log in to registry", address),
        None => Operation::new("log in to Docker Hub"),
    };
    Request::new(Method::Post, Path::new("auth"), operation)
        .unbounded()
        .payload("application/json", auth.to_json().into())
}

fn inspect_distribution(name: &str, options: &DistributionOptions) -> Result<Request> {
    let operation = Operation::on("inspect image in its registry", name);
    let reference = super::image::reference(name, &operation)?.with_default_tag();
    let path = Path::new("distribution").reference(&reference.canonical());
    let path = path.map_err(|source| operation.bad_name(source))?.literal("json");
    let request = Request::new(Method::Get, path, operation).unbounded();
    Ok(request.auth(options.auth.as_ref(), reference.registry()))
}

/// Tells the kind of an error that the registry, not the engine, is the cause of, and whose credentials it has refused.
pub(crate) fn by_registry(error: Error) -> Error {
    let error = match kind_by_registry(&error) {
        Some(kind) => error.with_kind(kind),
        None => error,
    };
    let is_refused = matches!(error.kind(), ErrorKind::Unauthorized | ErrorKind::Forbidden);
    let note = error.credentials().map(|origin| format!("the credentials were those of {origin}"));
    match note.filter(|_| is_refused) {
        Some(note) => error.with_note(&note),
        None => error,
    }
}

/// The kind of an error that the registry is the cause of; `None` of any other.
///
/// Engines answer 500 to much of it, or 200 and put it into the stream. What the registry said stands at the end of
/// their message, behind colons: the code of the error as a word, then its explanation.
fn kind_by_registry(error: &Error) -> Option<ErrorKind> {
    if !matches!(error.kind(), ErrorKind::Server | ErrorKind::InStream) {
        return None;
    }
    error.message().split(": ").find_map(|part| match part.trim() {
        "unauthorized" | "no basic auth credentials" | "401 Unauthorized" => Some(ErrorKind::Unauthorized),
        "denied" | "403 Forbidden" => Some(ErrorKind::Forbidden),
        "manifest unknown" | "name unknown" => Some(ErrorKind::NotFound),
        part if part.starts_with("An image does not exist locally with the tag") => Some(ErrorKind::NotFound),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    fn jane() -> RegistryAuth {
        RegistryAuth::default().username("jane").password("s3cret")
    }

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(
            text(Ok(login(&jane().server_address("ghcr.io")))),
            "POST /auth\nContent-Type: application/json\n\n\
             {\"password\":\"s3cret\",\"serveraddress\":\"ghcr.io\",\"username\":\"jane\"}"
        );
        let inspect = |name| text(inspect_distribution(name, &DistributionOptions::default()));
        assert_eq!(inspect("alpine"), "GET /distribution/docker.io/library/alpine:latest/json");
        let digest = format!("sha256:{}", "0f".repeat(32));
        assert_eq!(inspect(&format!("ghcr.io/a@{digest}")), format!("GET /distribution/ghcr.io/a@{digest}/json"));
        assert_eq!(
            text(inspect_distribution("ghcr.io/a/b:2", &DistributionOptions::default().auth(jane()))),
            "GET /distribution/ghcr.io/a/b:2/json\n\
             X-Registry-Auth: eyJwYXNzd29yZCI6InMzY3JldCIsInVzZXJuYW1lIjoiamFuZSJ9"
        );
    }

    #[test]
    fn what_no_registry_can_have_is_refused() {
        for bad in ["", "A b", &"0f".repeat(32)] {
            let error = inspect_distribution(bad, &DistributionOptions::default()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{bad}");
        }
    }

    #[test]
    fn nothing_shows_the_secrets() {
        let request = login(&jane());
        let shown = format!("{request:?} {:?} {:?}", request.operation, DistributionOptions::default().auth(jane()));
        assert!(!shown.contains("s3cret"), "{shown}");
    }

    #[test]
    fn what_the_registry_said_decides_the_kind() {
        let kind = |kind, message: &str| by_registry(Operation::new("pull image").error(kind, message)).kind();
        for (message, expected) in [
            ("unauthorized: authentication required", ErrorKind::Unauthorized),
            ("Head \"http://127.0.0.1:1/v2/a/manifests/1\": no basic auth credentials", ErrorKind::Unauthorized),
            ("login attempt to http://a/v2/ failed with status: 401 Unauthorized", ErrorKind::Unauthorized),
            ("checking whether a blob exists in a/b: unauthorized: authentication required", ErrorKind::Unauthorized),
            ("denied: requested access to the resource is denied", ErrorKind::Forbidden),
            ("reading manifest 1 in a/b: manifest unknown: manifest unknown", ErrorKind::NotFound),
            ("name unknown: repository name not known to registry", ErrorKind::NotFound),
            ("An image does not exist locally with the tag: a/b", ErrorKind::NotFound),
            ("reading manifest 1 in a/unauthorized: connection refused", ErrorKind::Server),
            ("write /tmp/denied: no space left on device", ErrorKind::Server),
        ] {
            assert_eq!(kind(ErrorKind::Server, message), expected, "{message}");
        }
        assert_eq!(kind(ErrorKind::InStream, "unauthorized: no"), ErrorKind::Unauthorized);
        assert_eq!(kind(ErrorKind::InStream, "unexpected EOF"), ErrorKind::InStream);
        assert_eq!(kind(ErrorKind::Timeout, "unauthorized: no"), ErrorKind::Timeout);
    }
}
