//! Credentials in headers.

use std::collections::BTreeMap;

use longshore_wire::auth::{RegistryAuth, config_header_value, decode_basic, decode_path_stat};
use longshore_wire::request::check_field;

/// Reads these bytes as what is decoded of headers and files, and writes them as credentials.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok((user, password)) = decode_basic(text) {
        assert!(!user.is_empty() && !user.contains(':'), "{user:?}");
        assert!(!password.starts_with('\0') && !password.ends_with('\0'));
    }
    let _ = decode_path_stat(text);
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    let auth = RegistryAuth::default().username(user).password(password).server_address(text);
    let written: serde_json::Value = serde_json::from_str(&auth.to_json()).expect("JSON");
    for (name, value) in [("username", user), ("password", password), ("serveraddress", text)] {
        assert_eq!(written[name].as_str().unwrap_or_default(), value, "{name}");
    }
    let registries: BTreeMap<_, _> = [(text.to_owned(), auth.clone())].into();
    for value in [auth.header_value(), config_header_value(&registries)] {
        assert!(check_field("X-Registry-Auth", &value).is_ok(), "{value:?}");
    }
    // A secret that is long enough not to stand there by chance.
    if password.len() > 12 && !format!("{user:?}").contains(password) {
        let shown = format!("{:?}", RegistryAuth::default().username(user).password(password));
        assert!(!shown.contains(password), "a secret is shown");
    }
}
