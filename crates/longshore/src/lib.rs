//! An asynchronous client for the Docker Engine API.
//!
//! It speaks with Docker and Podman over a unix socket, TCP, TLS, ssh or a transport of your own, in the version of the
//! API that both sides know. Everything begins with a [`Docker`]:
//!
//! ```no_run
//! use longshore::{Docker, Spec};
//!
//! # async fn example() -> longshore::Result<()> {
//! let docker = Docker::connect()?;
//!
//! // Run a command in a container of its own, to its end.
//! let out = docker.containers().output(Spec::image("alpine").cmd(["echo", "hi"])).await?;
//! assert!(out.status.success() && out.stdout == "hi\n");
//!
//! // Start a service, and follow what it writes, stdout and stderr apart.
//! let web = docker.containers().run(Spec::image("nginx:1.27").name("web")).await?;
//! let mut lines = web.logs().follow().tail(100).await?.lines();
//! while let Some(line) = lines.next().await {
//!     let line = line?;
//!     println!("{}: {line}", line.source);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Which engine
//! [`Docker::connect`] finds the engine that the official CLI would use in the same shell: by `DOCKER_HOST`, by its contexts,
//! or at the usual socket; [`Docker::endpoint`] tells which and why. [`ConnectOptions`] name another engine, context,
//! version of the API or [`Environment`].
//!
//! # Handles and calls
//! [`Docker::containers`] is the collection, [`Docker::container`] a handle to one, made without I/O; images and execs
//! are alike. A verb such as [`Container::stop`] does what most want, [`Container::stop_with`] takes options. Calls with
//! a stream behind them, such as [`Container::logs`] and [`Container::exec`], are put together and then awaited or
//! started.
//!
//! # Streams
//! What comes piece by piece is a named type with a `next` method, and a [`futures_core::Stream`]. The call that makes
//! it returns once the engine has answered, so that a [`Container::wait`] is armed, and an [`Container::attach`]
//! connected, before the container is started. After its first error, a stream has ended. Memory stays flat: the engine
//! waits while nobody reads. Dropping a stream closes exactly its connection. Output is given as it came; what is shown on
//! a terminal should be [`sanitized`](Line::sanitized) before.
//!
//! # Errors
//! [`Error`] says which operation failed on what and why, in the engine's words; [`Error::kind`] is for programs. A cut
//! connection is always an error, never a short success; a container that ends with a code other than 0 never is one.
//!
//! # Cleaning up
//! A [`Guard`] removes a container, network, volume or image when it is dropped, also by a panic or a cancellation. An
//! [`Owner`] creates things so, and finds what a process has left that was killed. See [`guard`].
//!
//! # Credentials
//! What asks a registry, such as [`Images::pull`], shows it the credentials that the user has stored for it, found as the
//! official tool finds them: see [`Docker::registry_auth`]. Options take others, or [`RegistryAuth::anonymous`].
//!
//! # Deadlines
//! Connecting, the head of an answer, silence and the whole call have [`Deadlines`] of their own. Streams, and calls
//! that take as long as they take, have none unless it is set.
//!
//! # Features
//! | feature | adds |
//! |---|---|
//! | `archive` | `copy_in` and `copy_out` of files and folders |
//! | `build` | `build_folder`, and a build of a Dockerfile's text |
//! | `ssh` | engines of other machines by the system's `ssh`: `ssh://user@host` |
//! | `tls` | TLS with engines, for `DOCKER_TLS_VERIFY`, contexts and `https://` |
//! | `websocket` | attaching to a container over a WebSocket |

mod api;
pub mod config;
mod docker;
mod error;
mod flow;
mod http;
pub mod stream;
pub mod transport;

pub use api::container::{self, *};
pub use api::exec::{self, *};
pub use api::image::{self, *};
pub use api::network::{self, *};
pub use api::plugin::{self, *};
pub use api::registry::{self, *};
pub use api::swarm::{self, *};
pub use api::system::{self, *};
pub use api::volume::{self, *};
pub use api::{Call, CustomRequest, CustomResponse, SessionOptions, Size};
pub use config::Environment;
pub use docker::{ConnectOptions, Docker};
pub use error::{Error, ErrorKind, Result};
pub use flow::guard::{self, Guard, Owner};
pub use flow::ready::condition;
pub use flow::{
    Change, Missed, Ready, ResumeEvents, ResumeLogs, Resumed, Resuming, ResumingEvents, ResumingLines, Run, WaitUntil,
};
pub use http::{Deadlines, Method, Payload};
pub use longshore_models as models;
pub use longshore_models::{
    ContainerInspect, ContainerState, ContainerStats, ContainerSummary, EndpointSettings, HealthConfig, HealthStatus,
    ImageSummary, IpamConfig, Mount, NetworkInspect, NetworkSummary, ParsePortError, ParseSubnetError, Port,
    PortBinding, Publish, Raw, RestartPolicy, SortedMap, Subnet, Timestamp, VolumeInspect,
};
pub use longshore_wire::auth::RegistryAuth;
pub use longshore_wire::filters::Filters;
pub use longshore_wire::sanitize::{Sanitizer, sanitize};
pub use longshore_wire::version::ApiVersion;
pub use stream::{
    ByteStream, Captured, Chunk, Collected, Delivery, FanOut, JsonStream, Line, Lines, OutputStream, RawConnection,
    Session, Source, Stdin, Subscription, Text, TextChunk,
};

/// The examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
