use longshore_models::decode::{self, Decode};

use crate::error::{Error, ErrorKind, Operation};

/// The error of an answer that refuses a request, from its status, content type, reason and body.
pub(crate) fn refusal(
    operation: &Operation,
    status: u16,
    content_type: Option<&str>,
    reason: &str,
    body: &[u8],
) -> Error {
    #[derive(Default, Decode)]
    struct Refusal {
        message: Option<String>,
        cause: String,
    }
    if status == 404 && is_unknown_path(body) {
        return operation.error(ErrorKind::Unsupported, "the engine does not have this operation");
    }
    if status == 400 && body.trim_ascii() == b"Client sent an HTTP request to an HTTPS server." {
        let message = "the port speaks TLS: set DOCKER_TLS_VERIFY and DOCKER_CERT_PATH, give the context its \
                       certificates, or give the options TLS";
        return operation.error(ErrorKind::Connect, message);
    }
    let error = match decode::from_slice(body) {
        // Podman's words for the first part of a path that it does not know.
        Ok(Refusal { message: Some(message), .. })
            if status == 404 && message.starts_with("Path /") && message.ends_with(" is not supported") =>
        {
            operation.error(ErrorKind::Unsupported, "the engine does not have this operation")
        }
        Ok(Refusal { message: Some(message), cause }) => {
            operation.refused_for(status, message.trim().to_owned(), &cause)
        }
        _ => operation.refused(status, words(body, content_type, reason)),
    };
    match status == 400 && is_of_version(error.message()) {
        true => error.with_kind(ErrorKind::Unsupported),
        false => error,
    }
}

/// Whether a 404 says that the path leads nowhere, rather than to an object that is not there.
fn is_unknown_path(body: &[u8]) -> bool {
    matches!(body.trim_ascii(), br#"{"message":"page not found"}"# | b"404 page not found" | b"Not Found")
}

/// Whether a 400 says that the version of the API is too old or too new for the engine; it names both versions.
fn is_of_version(message: &str) -> bool {
    message.starts_with("client version ") && (message.contains(" is too old") || message.contains(" is too new"))
}

/// The words of an answer that is no JSON message: plain text or a page of a proxy.
fn words(body: &[u8], content_type: Option<&str>, reason: &str) -> String {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    let page = content_type == Some("text/html") || text.starts_with('<');
    match (text, reason) {
        ("", "") => "the engine gave no reason".to_owned(),
        ("", reason) => reason.to_owned(),
        (_, reason) if page => format!("not the engine's answer but a page of a server before it: {reason}"),
        (text, _) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, content_type: &str, body: &str) -> (ErrorKind, String) {
        let operation = Operation::on("stop container", "web");
        let error = refusal(&operation, status, Some(content_type), "Reason", body.as_bytes());
        (error.kind(), error.message().to_owned())
    }

    #[test]
    fn a_port_that_speaks_tls_is_told_as_such() {
        let (kind, message) = refused(400, "text/plain", "Client sent an HTTP request to an HTTPS server.\n");
        assert!(kind == ErrorKind::Connect && message.contains("speaks TLS"), "{message}");
    }

    #[test]
    fn the_engine_s_own_words_are_kept() {
        let json = r#"{"message":"No such container: web\n"}"#;
        assert_eq!(refused(404, "application/json", json), (ErrorKind::NotFound, "No such container: web".to_owned()));
        assert_eq!(refused(409, "text/plain", "in use\r\n"), (ErrorKind::Conflict, "in use".to_owned()));
        let json = r#"{"cause":"container state improper","message":"it is paused","response":500}"#;
        assert_eq!(refused(500, "application/json", json), (ErrorKind::Conflict, "it is paused".to_owned()));
        assert_eq!(refused(500, "application/json", ""), (ErrorKind::Server, "Reason".to_owned()));
        assert_eq!(refused(500, "application/json", r#"{"a":1}"#), (ErrorKind::Server, r#"{"a":1}"#.to_owned()));
    }

    #[test]
    fn what_a_swarm_refuses_for_its_state_is_a_conflict() {
        let kind =
            |status, message: &str| refused(status, "application/json", &format!("{{\"message\":\"{message}\"}}\n")).0;
        for (status, message) in [
            (500, "rpc error: code = Unknown desc = update out of sequence"),
            (400, "rpc error: code = FailedPrecondition desc = attempting to demote the last manager of the swarm"),
            (400, "rpc error: code = InvalidArgument desc = secret 'a' is in use by the following service: b"),
            (503, "This node is already part of a swarm. Use 'docker swarm leave' to leave this swarm"),
            (503, "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state."),
            (503, "You are attempting to leave the swarm on a node that is participating as a manager. "),
            (503, "Swarm is encrypted and needs to be unlocked before it can be used."),
        ] {
            assert_eq!(kind(status, message), ErrorKind::Conflict, "{message}");
        }
        assert_eq!(kind(400, "rpc error: code = InvalidArgument desc = invalid name"), ErrorKind::Invalid);
        assert_eq!(kind(500, "rpc error: code = Unknown desc = raft: stopped"), ErrorKind::Server);
        assert_eq!(kind(503, "The swarm does not have a leader."), ErrorKind::Unavailable);
        let json = r#"{"cause":"Podman does not support service: /swarm/init","message":"no","response":503}"#;
        assert_eq!(refused(503, "application/json", json).0, ErrorKind::Unsupported);
    }

    #[test]
    fn a_version_that_the_engine_does_not_speak_is_unsupported() {
        for message in [
            "client version 1.41 is too old. Minimum supported API version is 1.44, please upgrade your client to a newer version",
            "client version 1.55 is too new. Maximum supported API version is 1.41",
        ] {
            // As JSON and, where the version is older than the engine's JSON errors, as text.
            for body in [format!("{{\"message\":\"{message}\"}}"), format!("{message}\n")] {
                let error = refusal(&Operation::new("ping"), 400, None, "Bad Request", body.as_bytes());
                assert!(error.is_refused_for_version() && error.message() == message, "{error:?}");
            }
        }
        let json = r#"{"message":"client version is a strange name"}"#;
        assert_eq!(refused(400, "application/json", json).0, ErrorKind::Invalid);
    }

    #[test]
    fn a_page_of_a_proxy_is_not_told_whole() {
        let (kind, message) = refused(502, "text/html", "<html>much</html>");
        assert_eq!(kind, ErrorKind::Unavailable);
        assert_eq!(message, "not the engine's answer but a page of a server before it: Reason");
    }

    #[test]
    fn an_operation_that_the_engine_lacks_is_not_an_object_that_it_lacks() {
        let podman = r#"{"cause":"","message":"Path /v1.41/plugins is not supported","response":0}"#;
        for body in [r#"{"message":"page not found"}"#, "404 page not found\n", "Not Found\n", podman] {
            assert_eq!(refused(404, "text/plain", body).0, ErrorKind::Unsupported, "{body}");
        }
        assert_eq!(refused(404, "text/plain", "no such container").0, ErrorKind::NotFound);
    }
}
