//! What must hold whatever bytes come: for the fuzzers in `fuzz/`, and for the ordinary tests, which run every target
//! over its corpus and for two seconds.
//!
//! A target takes any bytes, and panics when something is wrong with what longshore makes of them. The bytes are the
//! plain thing that is read: an answer, a `config.json`, a tar; so a corpus can be read and written by hand.
//!
//! | target | checks |
//! |---|---|
//! | [`http`] | answers are read as hyper reads them, in whatever pieces they come |
//! | [`answers`] | a call gives what the decoders of answers say |
//! | [`output`] | a container's output is the same in whatever pieces it comes, as chunks, lines and text |
//! | [`demux`], [`json`] | frames and JSON values are the same in whatever pieces they come |
//! | [`events`], [`list`] | events and lists are the same in whatever pieces they come |
//! | [`models`] | decoding what engines send never panics, nor what is reckoned from it |
//! | [`settings`] | what `inspect` gives back as `create` took it can go out again |
//! | [`endpoint`], [`reference`](mod@reference), [`versions`], [`ports`] | what is read is written so that it is read again |
//! | [`ignore`] | the rules of a `.dockerignore`, walking down or not |
//! | [`words`], [`paths`] | what is quoted or encoded can be read back |
//! | [`config`], [`contexts`] | files of the official CLI's |
//! | [`credentials`] | credentials in headers |
//! | [`unpack`] | `copy_out` writes nowhere but in its target, and nothing but files, folders and links |
//! | [`sanitize`] | a terminal finds nothing to obey in what was sanitized |
//! | [`buildkit`] | BuildKit's traces |
//!
//! Mounts have no target: longshore takes them as values, and reads none from a text.

pub mod answers;
pub mod buildkit;
pub mod config;
pub mod contexts;
pub mod credentials;
pub mod demux;
pub mod endpoint;
pub mod events;
pub mod http;
pub mod ignore;
pub mod json;
pub mod list;
pub mod models;
pub mod mutation;
pub mod output;
pub mod paths;
mod pieces;
pub mod ports;
pub mod reference;
mod runtime;
pub mod sanitize;
pub mod settings;
pub mod unpack;
pub mod versions;
pub mod words;

/// A check that takes any bytes.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name: that of its module, of its fuzzer, and of the folder of its corpus.
    pub name: &'static str,
    /// Panics when something is wrong.
    pub check: fn(&[u8]),
}

/// All targets, by name.
pub const TARGETS: [Target; 22] = [
    Target { name: "answers", check: answers::check },
    Target { name: "buildkit", check: buildkit::check },
    Target { name: "config", check: config::check },
    Target { name: "contexts", check: contexts::check },
    Target { name: "credentials", check: credentials::check },
    Target { name: "demux", check: demux::check },
    Target { name: "endpoint", check: endpoint::check },
    Target { name: "events", check: events::check },
    Target { name: "http", check: http::check },
    Target { name: "ignore", check: ignore::check },
    Target { name: "json", check: json::check },
    Target { name: "list", check: list::check },
    Target { name: "models", check: models::check },
    Target { name: "output", check: output::check },
    Target { name: "paths", check: paths::check },
    Target { name: "ports", check: ports::check },
    Target { name: "reference", check: reference::check },
    Target { name: "sanitize", check: sanitize::check },
    Target { name: "settings", check: settings::check },
    Target { name: "unpack", check: unpack::check },
    Target { name: "versions", check: versions::check },
    Target { name: "words", check: words::check },
];
