//! Addresses of engines.

use longshore_wire::endpoint::Endpoint;

/// Reads an address, writes it, and reads that.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Endpoint::parse(text) {
        Ok(endpoint) => {
            let written = endpoint.to_string();
            assert_eq!(Endpoint::parse(&written), Ok(endpoint), "{written:?}");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
