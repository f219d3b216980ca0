//! The official CLI's contexts.

use std::cell::RefCell;

use longshore::{Environment, ErrorKind};
use longshore_testkit::Folder;

thread_local! {
    static FOLDER: RefCell<Folder> = RefCell::new(Folder::new());
}

/// Takes these bytes for the `meta.json` of a context: lists it, and asks which engine it means.
pub fn check(bytes: &[u8]) {
    FOLDER.with_borrow(|folder| {
        folder.write("contexts/meta/0a1b/meta.json", bytes);
        folder.write("contexts/meta/2c3d/meta.json", r#"{"Name":"good","Endpoints":{"docker":{"Host":"tcp://a:1"}}}"#);
        let environment = Environment::default().variable("DOCKER_CONFIG", folder.path().to_string_lossy());
        let environment = environment.root(folder.path());
        let contexts = environment.contexts().expect("the folder can be read");
        assert!(contexts.iter().any(|context| context.host == "tcp://a:1"), "a broken context hides another");
        assert!(contexts.len() <= 2 && contexts.is_sorted_by_key(|context| &context.name));
        for context in &contexts {
            let chosen = environment.clone().variable("DOCKER_CONTEXT", &context.name).endpoint();
            match chosen {
                Ok(endpoint) => assert!(!endpoint.to_string().contains('\n'), "{endpoint}"),
                Err(error) => assert_eq!(error.kind(), ErrorKind::Config, "{error}"),
            }
        }
        let error = environment.variable("DOCKER_CONTEXT", "not\u{1}there").endpoint();
        assert!(error.is_err_and(|error| error.kind() == ErrorKind::Config), "an engine that nobody named");
    });
}
