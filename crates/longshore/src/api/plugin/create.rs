use longshore_wire::path::Path;

use super::{Plugin, Plugins, new_name};
use crate::error::{Operation, Result};
use crate::http::{Method, Payload, Request};

impl Plugins {
    /// Makes a plugin of a tar with its `config.json` and a folder `rootfs` with its files, switched off.
    ///
    /// `POST /plugins/create`, API 1.25+. The tag is `latest` unless the name has one. The tar is not compressed, and is
    /// streamed from its [`Payload`]. What the plugin may do stands in its `config.json`; nobody is asked for consent.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> Result<(), Box<dyn std::error::Error>> {
    /// use longshore::Payload;
    ///
    /// let tar = Payload::reader(tokio::fs::File::open("driver.tar").await?);
    /// let driver = docker.plugins().create("shop/driver:1", tar).await?;
    /// driver.enable().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) for what is no name or has a digest, before anything is sent;
    /// [`Conflict`](crate::ErrorKind::Conflict) when there is a plugin of this name; `Conflict` or
    /// [`Server`](crate::ErrorKind::Server), by engine, when there is another with the same files;
    /// [`Server`](crate::ErrorKind::Server) when it is no such tar; [`Io`](crate::ErrorKind::Io) when the payload can't be
    /// read.
    ///
    /// # Cancel safety
    /// When the future is dropped before the tar was sent, no plugin is made.
    pub async fn create(&self, name: &str, tar: impl Into<Payload>) -> Result<Plugin> {
        self.docker.send(create(name, tar.into())?).await?.finish().await?;
        Ok(self.docker.plugin(name))
    }
}

fn create(name: &str, tar: Payload) -> Result<Request> {
    let operation = Operation::on("create plugin", name);
    let reference = new_name(name, &operation)?;
    let mut request = Request::new(Method::Post, Path::new("plugins/create"), operation).unbounded();
    request.query.push("name", reference);
    Ok(request.payload("application/x-tar", tar))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::api::golden::text;

    #[test]
    fn requests_are_as_the_engine_expects_them() {
        assert_eq!(
            text(create("shop/driver:1", "tar".into())),
            "POST /plugins/create?name=shop%2Fdriver%3A1\nContent-Type: application/x-tar\n\ntar"
        );
        assert_eq!(
            text(create("driver", Payload::reader(tokio::io::empty()))),
            "POST /plugins/create?name=driver\nContent-Type: application/x-tar\n\n(streamed)"
        );
        let digest = format!("driver@sha256:{}", "0".repeat(64));
        for bad in ["", "UPPER", "a b", &digest] {
            assert_eq!(create(bad, "".into()).unwrap_err().kind(), ErrorKind::Invalid, "{bad}");
        }
    }
}
