//! The names of containers while they are being replaced, and what is done about those that were left with one.

use super::{Inspect, Replacement, stop};
use crate::api::container::{ListOptions, RemoveOptions};
use crate::error::Result;
use crate::flow::random_word;

/// The names that a container has before, while and after it is replaced.
pub(super) struct Names<'a> {
    own: &'a str,
    random: String,
}

/// What a container that was left under another name was to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// It was being replaced.
    Old,
    /// It was to take the place.
    New,
}

impl<'a> Names<'a> {
    pub(super) fn new(own: &'a str) -> Self {
        Names { own, random: random_word() }
    }

    pub(super) fn own(&self) -> &str {
        self.own
    }

    pub(super) fn old_name(&self) -> String {
        format!("{}.longshore-old-{}", self.own, self.random)
    }

    pub(super) fn new_name(&self) -> String {
        format!("{}.longshore-new-{}", self.own, self.random)
    }

    /// What the container of this name was, if it is one that a replacement of ours left.
    fn role_of(&self, name: &str) -> Option<Role> {
        let rest = name.strip_prefix('/').unwrap_or(name).strip_prefix(self.own)?.strip_prefix(".longshore-")?;
        let (word, random) = rest.split_once('-')?;
        let ours = random.len() == 16 && random.bytes().all(|byte| byte.is_ascii_hexdigit());
        match word {
            "old" if ours => Some(Role::Old),
            "new" if ours => Some(Role::New),
            _ => None,
        }
    }
}

impl Replacement<'_> {
    /// Finds the container, and clears up what earlier calls left that did not come to their end.
    pub(super) async fn recover(&self) -> Result<Option<Inspect>> {
        let mut existing = self.find(self.names.own()).await?;
        for (id, role) in self.left_behind().await? {
            let container = self.handle(&id);
            match (role, &existing) {
                (Role::New, _) => self.discard(&container).await,
                (Role::Old, None) => {
                    container.rename(self.names.own()).await?;
                    existing = Some(container.inspect().await?);
                }
                (Role::Old, Some(_)) => self.retire(&id).await,
            }
        }
        Ok(existing)
    }

    /// The container of this name. What the engine finds may be another one whose id begins like this.
    async fn find(&self, name: &str) -> Result<Option<Inspect>> {
        match self.handle(name).inspect().await {
            Ok(inspect) if inspect.name() == name => Ok(Some(inspect)),
            Ok(_) => Ok(None),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The ids of the containers that earlier calls left, those that run first, then the ones created last.
    async fn left_behind(&self) -> Result<Vec<(String, Role)>> {
        let options = ListOptions::default().all().filter("name", format!("{}.longshore-", self.names.own()));
        let mut listed = self.containers.list_with(&options).await?;
        listed.sort_by_key(|container| container.state.as_str() != "running");
        let role = |names: &[String]| names.iter().find_map(|name| self.names.role_of(name));
        Ok(listed.into_iter().filter_map(|container| Some((container.id, role(&container.names)?))).collect())
    }

    /// Stops and removes an old container whose place has been taken.
    async fn retire(&self, id: &str) {
        let container = self.handle(id);
        let stopped = async { stop(&container, &container.inspect().await?).await };
        match stopped.await {
            Ok(()) => self.remove(&container, &RemoveOptions::default().force()).await,
            Err(error) => tracing::warn!(container = id, %error, "a container that was replaced can't be stopped"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_we_left_is_recognised() {
        let names = Names::new("web");
        assert_eq!(names.role_of(&names.old_name()), Some(Role::Old));
        assert_eq!(names.role_of(&format!("/{}", names.new_name())), Some(Role::New));
        for other in [
            "web",
            "/web",
            "web.longshore-old-",
            "web.longshore-old-0123456789abcdeg",
            "web.longshore-older-0123456789abcdef",
            "web.longshore-old-0123456789abcdef0",
            "my-web.longshore-old-0123456789abcdef",
            "web2.longshore-old-0123456789abcdef",
            "web.longshore-old-0123456789abcdef/alias",
        ] {
            assert_eq!(names.role_of(other), None, "{other}");
        }
        assert_ne!(Names::new("web").old_name(), names.old_name());
    }
}
