//! Names of images.

use longshore_wire::path::Path;
use longshore_wire::reference::Reference;

/// Reads a name, writes it in full and as short as can be, and reads these.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let reference = match Reference::parse(text) {
        Ok(reference) => reference,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let full = reference.canonical();
    for written in [full.clone(), reference.familiar()] {
        let again = Reference::parse(&written).unwrap_or_else(|error| panic!("{written:?}: {error}"));
        assert_eq!(again.canonical(), full, "{written:?}");
        assert_eq!((again.registry(), again.repository()), (reference.registry(), reference.repository()));
        assert_eq!((again.tag(), again.digest()), (reference.tag(), reference.digest()));
    }
    let (name, tag) = reference.pull_parameters();
    assert!(!tag.is_empty() && full.starts_with(&name), "{name:?} {tag:?}");
    let path = Path::new("images").reference(&full);
    assert!(path.is_ok_and(|path| !path.as_str().contains(['?', '#', ' '])), "{full:?}");
}
