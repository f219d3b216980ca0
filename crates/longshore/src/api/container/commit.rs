use longshore_models::{ContainerConfig, IdResponse};
use longshore_wire::path::Path;
use longshore_wire::reference::Reference;

use super::Container;
use crate::api::image::{Image, made_name};
use crate::error::{ErrorKind, Operation, Result};
use crate::http::{Method, Request};

/// How to make an image of a container.
///
/// ```
/// use longshore::container::CommitOptions;
///
/// let options = CommitOptions::default().repository("shop/web").tag("patched").change("ENV STAGE=test");
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CommitOptions {
    /// The image's repository, such as `shop/web`; the image gets no name unless set.
    pub repository: Option<String>,
    /// The image's tag; `latest` unless set. Needs a repository.
    pub tag: Option<String>,
    /// What was changed, for people.
    pub message: Option<String>,
    /// Who changed it, for people.
    pub author: Option<String>,
    /// Instructions of a Dockerfile that are applied to the image, such as `CMD ["sh"]`.
    pub changes: Vec<String>,
    /// What containers of the image run; where it says nothing, what this container runs. Podman reads over it.
    pub config: Option<ContainerConfig>,
    /// Whether the container runs on while its files are read, which may tear what it writes in the meantime.
    pub without_pause: bool,
}

impl CommitOptions {
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

    /// Says what was changed.
    #[must_use]
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// Says who changed it.
    #[must_use]
    pub fn author(mut self, author: impl Into<String>) -> Self {
        self.author = Some(author.into());
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

    /// Says what containers of the image run; where it says nothing, it is what this container runs.
    #[must_use]
    pub fn config(mut self, config: ContainerConfig) -> Self {
        self.config = Some(config);
        self
    }

    /// Lets the container run on while its files are read, which may tear what it writes in the meantime.
    #[must_use]
    pub fn without_pause(mut self) -> Self {
        self.without_pause = true;
        self
    }
}

impl Container {
    /// Makes an image of the container's files, without a name. The handle holds its id.
    ///
    /// `POST /commit`, API 1.24+. A running container is paused meanwhile. Volumes are not part of it. The engine may
    /// take long.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound); [`Conflict`](ErrorKind::Conflict) when the container is being removed.
    ///
    /// # Cancel safety
    /// When the future is dropped after the request was sent, the image may be made all the same.
    pub async fn commit(&self) -> Result<Image> {
        self.commit_with(&CommitOptions::default()).await
    }

    /// Makes an image of the container's files, as `options` say; see [`commit`](Container::commit).
    ///
    /// # Errors
    /// As [`commit`](Container::commit), and [`Invalid`](ErrorKind::Invalid) for a name or an instruction that is
    /// wrong.
    ///
    /// # Cancel safety
    /// As [`commit`](Container::commit).
    pub async fn commit_with(&self, options: &CommitOptions) -> Result<Image> {
        let answer: IdResponse = self.docker.send(commit(&self.id, options)?).await?.json().await?;
        Ok(self.docker.image(answer.id))
    }
}

fn commit(id: &str, options: &CommitOptions) -> Result<Request> {
    let operation = Operation::on("commit container", id);
    if id.is_empty() {
        return Err(operation.error(ErrorKind::Invalid, "the name is empty"));
    }
    let name = made_name(options.repository.as_deref(), options.tag.as_deref(), &operation)?;
    let mut request = Request::new(Method::Post, Path::new("commit"), operation).unbounded();
    request
        .query
        .push("container", id)
        .optional("repo", name.as_ref().map(Reference::name))
        .optional("tag", name.as_ref().and_then(Reference::tag))
        .optional("comment", options.message.as_ref())
        .optional("author", options.author.as_ref())
        .bool("pause", !options.without_pause);
    if !options.changes.is_empty() {
        request.query.push("changes", options.changes.join("\n"));
    }
    // Podman wants a body; Docker takes an empty object for none.
    request.json(options.config.as_ref().unwrap_or(&ContainerConfig::default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        let minimal = "POST /commit?container=web&pause=1\nContent-Type: application/json\n\n{}";
        assert_eq!(text(commit("web", &CommitOptions::default())), minimal);
        let mut config = ContainerConfig::default();
        config.user = "nobody".to_owned();
        let options = CommitOptions::default()
            .repository("localhost:5000/shop/web")
            .tag("v2")
            .message("why not")
            .author("A <a@b>")
            .changes(["ENV A=1", "CMD [\"sh\"]"])
            .change("USER root")
            .config(config)
            .without_pause();
        assert_eq!(
            text(commit("a b", &options)),
            "POST /commit?container=a%20b&repo=localhost%3A5000%2Fshop%2Fweb&tag=v2&comment=why%20not\
             &author=A%20%3Ca%40b%3E&pause=0&changes=ENV%20A%3D1%0ACMD%20%5B%22sh%22%5D%0AUSER%20root\n\
             Content-Type: application/json\n\n{\"User\":\"nobody\"}"
        );
        let empty = CommitOptions::default().config(ContainerConfig::default());
        assert_eq!(text(commit("web", &empty)), minimal);
    }

    #[test]
    fn what_can_not_be_meant_is_refused() {
        assert_eq!(commit("", &CommitOptions::default()).unwrap_err().kind(), ErrorKind::Invalid);
        assert_eq!(commit("web", &CommitOptions::default().tag("v2")).unwrap_err().kind(), ErrorKind::Invalid);
        assert_eq!(commit("web", &CommitOptions::default().repository("BAD")).unwrap_err().kind(), ErrorKind::Invalid);
    }
}
