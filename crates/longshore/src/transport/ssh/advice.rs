use std::io;

/// What `ssh`, Docker's CLI and servers say, and what can be done about it; the first that fits counts.
const ADVICE: [(&[&str], &str); 21] = [
    (&["permission denied while trying to connect to the docker"], NOT_ALLOWED),
    (&["raw stream connection", "permission denied"], NOT_ALLOWED),
    (&["raw stream connection"], NOT_RUNNING),
    (&["cannot connect to the docker daemon"], NOT_RUNNING),
    (&["identification has changed"], CHANGED),
    (&["has changed and you have requested"], CHANGED),
    (&["host key is known for"], UNKNOWN),
    (&["host key verification failed"], UNKNOWN),
    (
        &["permission denied ("],
        "the far side takes none of the keys that were offered: is the right one in the agent, or named in ssh's \
         configuration, and are user and host right?",
    ),
    (
        &["too many authentication failures"],
        "the agent offers more keys than the far side takes: name the right one in ssh's configuration, with \
         IdentitiesOnly",
    ),
    (&["could not resolve hostname"], "no such host is known: is its name right?"),
    (&["connection refused"], "no ssh server listens there: are host and port right?"),
    (&["timed out"], SILENT),
    (&["no route to host"], SILENT),
    (
        &["session open refused by peer"],
        "the far side allows no more sessions on one connection: see MaxSessions of its sshd_config",
    ),
    (
        &["administratively prohibited"],
        "the far side does not forward sockets: see AllowStreamLocalForwarding of its sshd_config",
    ),
    (
        &["open failed: connect failed"],
        "there is no engine's socket at that place of the far side, or the user may not open it, or sockets are not \
         forwarded there: see AllowStreamLocalForwarding of its sshd_config",
    ),
    (
        &["does not answer as an engine"],
        "the shell there may write something of its own: is there an `echo` in its start-up files?",
    ),
    // Said too where a host on the way could not be reached, behind what says why.
    (&["exchange_identification: "], TURNED_AWAY),
    (&["connection closed by ", " port "], TURNED_AWAY),
    (&["connection reset by ", " port "], TURNED_AWAY),
];

const NOT_ALLOWED: &str = "the user may not use the engine of the far side: is it in the group `docker` there?";

const NOT_RUNNING: &str = "the engine of the far side does not answer: does it run, and is it where Docker's CLI there \
                           looks for it?";

const CHANGED: &str = "the host shows another key than the one that is known: if it was changed on purpose, remove the \
                       old one by `ssh-keygen -R`, and log in once with `ssh`";

const UNKNOWN: &str = "the host's key is not known: log in once with `ssh` to check and keep it; it is never accepted \
                       unseen";

const SILENT: &str = "the host does not answer: is it on, and can it be reached from here?";

const TURNED_AWAY: &str = "the host ends connections before anybody has logged in: does it take any from here, and are too \
                           many logins under way (see MaxStartups of its sshd_config)?";

/// What a person can do about it.
pub(super) fn advice(error: &io::Error) -> Option<String> {
    if error.kind() == io::ErrorKind::NotFound {
        return Some("the program `ssh` is needed: is OpenSSH installed, and on PATH?".to_owned());
    }
    let said = error.to_string().to_lowercase();
    let fits = |words: &[&str]| words.iter().all(|words| said.contains(words));
    ADVICE.iter().find(|(words, _)| fits(words)).map(|(_, advice)| (*advice).to_owned())
}

/// Whether the far side has ended a connection before anybody had logged in. A server with many logins under way does so,
/// by chance, and may take the next one.
#[cfg(unix)]
pub(super) fn is_turned_away(error: &io::Error) -> bool {
    advice(error).as_deref() == Some(TURNED_AWAY)
}

/// The same error with its advice, for where nothing else tells it.
pub(super) fn advised(error: io::Error) -> io::Error {
    match advice(&error) {
        Some(advice) => io::Error::new(error.kind(), format!("{error} ({advice})")),
        None => error,
    }
}

/// Whether the far side has no CLI of Docker's, or one that is too old to lead to the engine.
#[cfg(unix)]
pub(super) fn lacks_docker(code: Option<i32>, said: &str) -> bool {
    const WORDS: [&str; 7] = [
        "command not found",
        "is not a docker command",
        "is not recognized as",
        "unknown command",
        "unrecognized command",
        "usage:",
        // It takes what it is told for an address on the web, and this path does not fit into one.
        "failed to initialize: parse ",
    ];
    let said = said.to_lowercase();
    // Shells say so of what they don't find, or may not run.
    matches!(code, Some(126 | 127)) || (code != Some(255) && WORDS.iter().any(|words| said.contains(words)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_leads_to_advice() {
        let cases = [
            ("ssh: connect to host 127.0.0.1 port 1: Connection refused", "no ssh server listens there"),
            ("ssh: Could not resolve hostname no.invalid: Name or service not known", "no such host is known"),
            ("me@h: Permission denied (publickey,password).", "the far side takes none of the keys"),
            (
                "No ED25519 host key is known for h and you have requested strict checking.; Host key verification \
                 failed.",
                "the host's key is not known",
            ),
            (
                "Host key for [h]:2 has changed and you have requested strict checking.; Host key verification failed.",
                "the host shows another key",
            ),
            ("ssh: connect to host h port 22: Connection timed out", "the host does not answer"),
            ("kex_exchange_identification: Connection closed by remote host", "the host ends connections"),
            (
                "ssh: connect to host jump port 22: Connection timed out; Connection closed by UNKNOWN port 65535",
                "the host does not answer",
            ),
            (
                "channel 0: open failed: administratively prohibited: open failed; stdio forwarding failed; \
                 kex_exchange_identification: Connection closed by remote host",
                "the far side does not forward",
            ),
            (
                "ssh ended with 1: permission denied while trying to connect to the Docker daemon socket at \
                 unix:///var/run/docker.sock",
                "the user may not use the engine",
            ),
            (
                "ssh ended with 1: failed to open the raw stream connection: dial unix /var/run/docker.sock: connect: \
                 permission denied",
                "the user may not use the engine",
            ),
            (
                "ssh ended with 1: failed to open the raw stream connection: dial unix /var/run/docker.sock: connect: \
                 connection refused",
                "the engine of the far side does not answer",
            ),
            ("channel 2: open failed: connect failed: open failed", "there is no engine's socket"),
            (
                "ssh ended with 1: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker \
                 daemon running?",
                "the engine of the far side does not answer",
            ),
            ("mux_client_request_session: session request failed: Session open refused by peer", "the far side allows"),
            ("channel 2: open failed: administratively prohibited: open failed", "the far side does not forward"),
        ];
        for (said, expected) in cases {
            let advice = advice(&io::Error::other(said)).unwrap_or_default();
            assert!(advice.starts_with(expected), "{said}: {advice}");
        }
        assert!(advice(&io::ErrorKind::NotFound.into()).unwrap_or_default().contains("OpenSSH"));
        assert_eq!(advice(&io::Error::other("anything else")), None);
    }

    #[cfg(unix)]
    #[test]
    fn only_who_was_turned_away_may_come_again() {
        for said in [
            "kex_exchange_identification: Connection closed by remote host; Connection closed by 127.0.0.1 port 22",
            "kex_exchange_identification: read: Connection reset by peer; Connection reset by 127.0.0.1 port 22",
            "kex_exchange_identification: banner line 0: Not allowed at this time",
            "Connection closed by 127.0.0.1 port 22",
        ] {
            assert!(is_turned_away(&io::Error::other(said)), "{said}");
        }
        for said in [
            "me@h: Permission denied (publickey).",
            "ssh: connect to host h port 22: Connection refused",
            "Host key verification failed.",
            "ssh: connect to host h port 22: Connection timed out",
            "ssh: Could not resolve hostname jump; kex_exchange_identification: Connection closed by remote host",
            "ssh: connect to host jump port 22: No route to host; Connection closed by UNKNOWN port 65535",
        ] {
            assert!(!is_turned_away(&io::Error::other(said)), "{said}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn shells_say_in_their_own_ways_that_there_is_no_docker() {
        for (code, said) in [
            (127, "sh: docker: not found"),
            (127, "bash: line 1: docker: command not found"),
            (126, "sh: docker: Permission denied"),
            (1, "docker: Command not found."),
            (1, "'docker' is not recognized as an internal or external command"),
            (0, "Usage:  docker system COMMAND"),
            (1, "docker: 'system dial-stdio' is not a docker command."),
            (125, "Error: unrecognized command `podman system dial-stdio`"),
        ] {
            assert!(lacks_docker(Some(code), said), "{said}");
        }
        assert!(!lacks_docker(Some(1), "Cannot connect to the Docker daemon"));
        assert!(!lacks_docker(Some(255), "ProxyCommand: nc: command not found"));
        assert!(!lacks_docker(None, "killed"));
    }
}
