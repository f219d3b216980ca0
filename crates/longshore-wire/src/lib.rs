//! The Docker Engine API on the wire, without I/O.
//!
//! Everything here turns bytes into values or values into bytes, and never touches a socket:
//!
//! | module | does |
//! |---|---|
//! | [`request`] | writes an HTTP/1.1 request head |
//! | [`head`] | reads an HTTP/1.1 response head |
//! | [`body`] | undoes the framing of a response body: content-length, chunked, until close |
//! | [`demux`] | takes stdout and stderr apart |
//! | [`json`] | finds the ends of JSON values that follow one another |
//! | [`path`], [`query`], [`filters`] | build a request's target |
//! | [`endpoint`], [`reference`](mod@reference), [`version`] | parse `DOCKER_HOST`, image references, API versions |
//! | [`auth`] | writes registry credentials into headers |
//! | [`buildkit`] | reads what BuildKit tells of its progress |
//! | [`ignore`] | decides by a `.dockerignore` which files a build leaves out |
//! | [`sanitize`](mod@sanitize) | takes what a terminal would obey out of a text |
//! | [`words`] | splits a command line as a shell does |
//!
//! The crate is the part of `longshore` that can be fuzzed and tested at every split point of its input; programs
//! use it through `longshore`.

pub mod auth;
pub mod body;
pub mod buildkit;
pub mod demux;
pub mod endpoint;
pub mod filters;
pub mod head;
pub mod ignore;
pub mod json;
pub mod json_path;
pub mod path;
pub mod query;
pub mod reference;
pub mod request;
pub mod sanitize;
pub mod version;
pub mod words;
