//! Bytes that are a text in standard base64 on the wire, as Go writes them. A text that is no base64 stands for itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serializer;

use crate::decode::{Decode, Place};

pub(crate) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(bytes))
}

/// The bytes as they are decoded.
#[derive(Default)]
pub(crate) struct Base64(String);

impl Decode for Base64 {
    fn place(&mut self) -> Place<'_> {
        self.0.place()
    }
}

impl From<Base64> for Vec<u8> {
    fn from(Base64(text): Base64) -> Self {
        STANDARD.decode(&text).unwrap_or_else(|_| text.into_bytes())
    }
}
