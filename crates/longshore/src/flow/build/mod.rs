//! Building an image of a local folder.

mod context;
mod pack;

use std::path::Path;

use tokio::task::spawn_blocking;

use self::context::Context;
use crate::api::image::{BuildContext, BuildOptions, BuildProgress, Images, build_operation};
use crate::error::Result;
use crate::flow::bridge;
use crate::flow::files::in_thread;
use crate::http::Payload;

impl BuildContext {
    /// A Dockerfile without files beside it.
    ///
    /// ```
    /// use longshore::image::BuildContext;
    ///
    /// let context = BuildContext::dockerfile("FROM alpine:3\nRUN apk add curl\n");
    /// ```
    pub fn dockerfile(text: impl AsRef<[u8]>) -> Self {
        BuildContext::tar(pack::single_file("Dockerfile", text.as_ref()))
    }
}

impl Images {
    /// Builds an image of a folder and the `Dockerfile` in it, or `dockerfile` if there is none; it gets no name.
    ///
    /// `POST /build`, API 1.24+. The folder is streamed: memory stays flat however large it is. What its `.dockerignore`
    /// leaves out is neither read nor sent, by the rules of the official command line tool, with exceptions and `**`.
    /// See [`build`](Images::build) for what comes back.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// let image = docker.images().build_folder("shop/web").await?.finish().await?;
    /// println!("built {}", image.name());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// - Permissions and times are kept; everything belongs to root. Extended attributes are left out.
    /// - Symbolic links are sent as links, wherever they lead, and hard links as links to one another. Pipes and devices
    ///   are sent as such, sockets are left out.
    /// - The Dockerfile is sent even if it is to be left out; the classic builder and Podman keep it from the image then,
    ///   BuildKit does not.
    /// - A file `<Dockerfile>.dockerignore` beside the Dockerfile takes the place of `.dockerignore`, which is left out of
    ///   the image then.
    ///
    /// # Errors
    /// [`Io`](crate::ErrorKind::Io) for a folder or a Dockerfile that does not exist, and for a file that can't be read,
    /// also one that goes away meanwhile; the message names it. [`Invalid`](crate::ErrorKind::Invalid) for a pattern of
    /// the `.dockerignore` that can't be read. Then as [`build`](Images::build). Nothing is built of a part of the folder.
    ///
    /// # Cancel safety
    /// Dropping the future gives the build up.
    #[must_use = "a build is given up when its progress is dropped"]
    pub async fn build_folder(&self, folder: impl AsRef<Path>) -> Result<BuildProgress> {
        self.build_folder_with(folder, &BuildOptions::default()).await
    }

    /// Builds an image of a folder, as `options` say; see [`build_folder`](Images::build_folder).
    ///
    /// The path of the Dockerfile begins at the folder. It may lead out of it, or be absolute: then the Dockerfile is
    /// sent beside the files, and is not in the image.
    ///
    /// ```no_run
    /// # async fn example(docker: longshore::Docker) -> longshore::Result<()> {
    /// use longshore::image::BuildOptions;
    ///
    /// let options = BuildOptions::default().tag("shop/web:2").dockerfile("docker/web.Dockerfile").build_arg("VERSION", "2");
    /// let image = docker.images().build_folder_with("shop", &options).await?.finish().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`build_folder`](Images::build_folder) and [`build_with`](Images::build_with).
    ///
    /// # Cancel safety
    /// As [`build_folder`](Images::build_folder).
    pub async fn build_folder_with(&self, folder: impl AsRef<Path>, options: &BuildOptions) -> Result<BuildProgress> {
        let operation = build_operation(options);
        let (folder, dockerfile, buildkit) = (folder.as_ref().to_owned(), options.dockerfile.clone(), options.buildkit);
        let context = in_thread(move || Ok(Context::find(&folder, dockerfile.as_deref(), buildkit))).await;
        let context = context.map_err(context::Trouble::Local).and_then(|found| found);
        let context = context.map_err(|trouble| trouble.explain(&operation))?;
        let options = options.clone().dockerfile(context.dockerfile());
        let (mut writer, pieces) = bridge::from_thread();
        // Its end is that of `pieces`.
        drop(spawn_blocking(move || {
            let outcome = pack::pack(&context, &mut writer);
            writer.finish(outcome);
        }));
        self.build_with(Payload::stream(pieces), &options).await
    }
}
