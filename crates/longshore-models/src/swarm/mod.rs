pub(crate) mod cluster;
pub(crate) mod config;
pub(crate) mod node;
pub(crate) mod object;
pub(crate) mod resource;
pub(crate) mod secret;
pub(crate) mod secret_text;
