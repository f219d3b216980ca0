//! Engine endpoints, as in `DOCKER_HOST`.

use std::fmt;
use std::net::Ipv6Addr;
use std::path::PathBuf;
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Names the place where an engine listens.
///
/// | written | means |
/// |---|---|
/// | `unix:///run/docker.sock`, `/run/docker.sock` | a Unix socket |
/// | `tcp://host:2375/prefix`, `host:2375` | HTTP, with or without TLS by other settings |
/// | `http://host`, `https://host` | HTTP without TLS, with TLS |
/// | `ssh://user@host:22/run/docker.sock` | the engine of another machine, over its ssh server |
/// | `npipe:////./pipe/docker_engine` | a named pipe of Windows |
///
/// Displays in one canonical form, which reads back as the same endpoint.
///
/// ```
/// use longshore_wire::endpoint::{Endpoint, Scheme};
///
/// let endpoint: Endpoint = "tcp://[::1]:2375".parse()?;
/// let Endpoint::Tcp { scheme, host, port, .. } = endpoint else { unreachable!() };
/// assert_eq!((scheme, host.as_str(), port), (Scheme::Tcp, "::1", Some(2375)));
/// # Ok::<(), longshore_wire::endpoint::EndpointError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// A Unix socket, by its absolute path.
    Unix(PathBuf),
    /// HTTP over TCP.
    Tcp {
        /// What was written before `://`, which may settle the question of TLS.
        scheme: Scheme,
        /// A host name or an address; an IPv6 address is without brackets.
        host: String,
        /// The port, if one is written; else see [`Scheme::default_port`].
        port: Option<u16>,
        /// What goes before every request path, already encoded: empty, or with a slash in front and none behind.
        path_prefix: String,
    },
    /// The engine of another machine, over ssh.
    Ssh {
        /// The user to log in as, if one is written.
        user: Option<String>,
        /// A host name, an address (IPv6 without brackets) or an alias from ssh's configuration.
        host: String,
        /// The port, if one is written.
        port: Option<u16>,
        /// The absolute path of the engine's socket on that machine, if one is written. Quote it for the remote shell.
        path: Option<String>,
    },
    /// A named pipe of Windows, such as `\\.\pipe\docker_engine`.
    NamedPipe(String),
}

/// Tells what was written before `://` of a TCP endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `tcp`: TLS is decided by other settings.
    Tcp,
    /// `http`: no TLS.
    Http,
    /// `https`: TLS.
    Https,
}

impl Scheme {
    /// Returns the scheme in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Scheme::Tcp => "tcp",
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }

    /// Returns the port that is meant if none is written; for `tcp` the one without TLS even where other settings ask for
    /// TLS, as the official CLI has it.
    pub fn default_port(self) -> u16 {
        match self {
            Scheme::Tcp => 2375,
            Scheme::Http => 80,
            Scheme::Https => 443,
        }
    }
}

impl Endpoint {
    /// Reads an endpoint. Spaces around it are ignored.
    ///
    /// # Errors
    /// [`EndpointError`], which says what is missing or wrong. It never repeats user names or passwords.
    pub fn parse(text: &str) -> Result<Endpoint, EndpointError> {
        let text = text.trim();
        let Some((scheme, rest)) = text.split_once("://").filter(|_| !text.starts_with('/')) else {
            return without_scheme(text);
        };
        match scheme.to_ascii_lowercase().as_str() {
            "unix" => unix(rest),
            "tcp" => tcp(Scheme::Tcp, rest),
            "http" => tcp(Scheme::Http, rest),
            "https" => tcp(Scheme::Https, rest),
            "ssh" => ssh(rest),
            "npipe" => named_pipe(rest),
            other if is_scheme(other) => {
                Err(EndpointError(format!("unknown endpoint scheme `{other}`; use one of {SCHEMES}")))
            }
            _ => Err(EndpointError(format!("endpoint has no valid scheme before `://`; use one of {SCHEMES}"))),
        }
    }
}

/// Writes `host:port` as URLs and the `Host` header want it, with an IPv6 address in brackets.
///
/// ```
/// assert_eq!(longshore_wire::endpoint::authority("::1", Some(2375)), "[::1]:2375");
/// ```
pub fn authority(host: &str, port: Option<u16>) -> String {
    let host = if host.contains(':') { format!("[{}]", host.replace('%', "%25")) } else { host.to_owned() };
    match port {
        Some(port) => format!("{host}:{port}"),
        None => host,
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Unix(path) => write!(f, "unix://{}", path.display()),
            Endpoint::Tcp { scheme, host, port, path_prefix } => {
                write!(f, "{}://{}{path_prefix}", scheme.as_str(), authority(host, *port))
            }
            Endpoint::Ssh { user, host, port, path } => {
                f.write_str("ssh://")?;
                if let Some(user) = user {
                    write!(f, "{}@", utf8_percent_encode(user, IN_USER))?;
                }
                f.write_str(&authority(host, *port))?;
                let path = path.as_deref().unwrap_or_default();
                write!(f, "{}", utf8_percent_encode(path, IN_PATH))
            }
            Endpoint::NamedPipe(path) => write!(f, "npipe://{}", path.replace('\\', "/")),
        }
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Endpoint, EndpointError> {
        Endpoint::parse(text)
    }
}

const SCHEMES: &str = "unix, tcp, http, https, ssh, npipe";

const IN_USER: &AsciiSet = crate::path::RESERVED;
const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b':')
    .remove(b'+')
    .remove(b',')
    .remove(b'=');

fn without_scheme(text: &str) -> Result<Endpoint, EndpointError> {
    if text.is_empty() {
        return Err(EndpointError("endpoint is empty".into()));
    }
    if text.starts_with(['/', '.']) {
        return unix(text);
    }
    if text.starts_with(r"\\") {
        return named_pipe(text);
    }
    match text.split_once(':') {
        Some((scheme, _)) if SCHEMES.split(", ").any(|s| s.eq_ignore_ascii_case(scheme)) => {
            Err(EndpointError(format!("endpoint scheme `{scheme}` must be followed by `://`")))
        }
        // `host:port`, which the official CLI takes as well.
        Some(_) => tcp(Scheme::Tcp, text),
        None => Err(EndpointError(format!("endpoint has no scheme; use one of {SCHEMES}, followed by `://`"))),
    }
}

fn is_scheme(text: &str) -> bool {
    text.len() <= 20
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+-.".contains(&b))
}

fn unix(path: &str) -> Result<Endpoint, EndpointError> {
    if !path.starts_with('/') {
        return Err(EndpointError("unix endpoint needs an absolute path, as in unix:///var/run/docker.sock".into()));
    }
    no_control_characters("unix", "path", path)?;
    Ok(Endpoint::Unix(PathBuf::from(path)))
}

fn named_pipe(path: &str) -> Result<Endpoint, EndpointError> {
    let path = path.replace('/', r"\");
    let mut parts = path.strip_prefix(r"\\").unwrap_or_default().splitn(3, '\\');
    let server = parts.next().unwrap_or_default();
    let pipe = parts.next().unwrap_or_default();
    let name = parts.next().unwrap_or_default();
    if server.is_empty() || !pipe.eq_ignore_ascii_case("pipe") || name.is_empty() {
        return Err(EndpointError(
            "npipe endpoint needs the path of a pipe, as in npipe:////./pipe/docker_engine".into(),
        ));
    }
    no_control_characters("npipe", "path", &path)?;
    Ok(Endpoint::NamedPipe(path))
}

fn tcp(scheme: Scheme, rest: &str) -> Result<Endpoint, EndpointError> {
    let name = scheme.as_str();
    let parts = Parts::split(name, rest)?;
    if parts.user.is_some() {
        return Err(EndpointError(format!(
            "{name} endpoint must not hold a user or a password: an engine takes none here; use TLS certificates or ssh"
        )));
    }
    let path_prefix = parts.path.trim_end_matches('/');
    if !is_encoded_path(path_prefix) {
        return Err(EndpointError(format!("{name} endpoint has a path prefix that is not percent-encoded")));
    }
    Ok(Endpoint::Tcp { scheme, host: parts.host, port: parts.port, path_prefix: path_prefix.to_owned() })
}

fn ssh(rest: &str) -> Result<Endpoint, EndpointError> {
    let parts = Parts::split("ssh", rest)?;
    let path = match parts.path {
        "" | "/" => None,
        path => Some(decoded("path", path)?),
    };
    Ok(Endpoint::Ssh { user: parts.user.map(ssh_user).transpose()?, host: parts.host, port: parts.port, path })
}

/// Checks a user as strictly as OpenSSH does, because it can reach a shell through ssh's configuration.
fn ssh_user(user: &str) -> Result<String, EndpointError> {
    if user.contains(':') {
        return Err(EndpointError("ssh endpoint must not hold a password; use a key or an agent".into()));
    }
    let user = decoded("user", user)?;
    let allowed = |c: char| !c.is_whitespace() && !"'`\";&<>|(){}".contains(c);
    if user.is_empty() || user.starts_with('-') || user.ends_with('\\') || !user.chars().all(allowed) {
        return Err(EndpointError("ssh endpoint has an invalid user".into()));
    }
    Ok(user)
}

fn decoded(part: &str, text: &str) -> Result<String, EndpointError> {
    let Ok(decoded) = percent_decode_str(text).decode_utf8() else {
        return Err(EndpointError(format!("ssh endpoint has a {part} that is not UTF-8")));
    };
    no_control_characters("ssh", part, &decoded)?;
    Ok(decoded.into_owned())
}

fn no_control_characters(scheme: &str, part: &str, text: &str) -> Result<(), EndpointError> {
    if text.contains(char::is_control) {
        return Err(EndpointError(format!("{scheme} endpoint has a control character in its {part}")));
    }
    Ok(())
}

fn is_encoded_path(path: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:".contains(&b);
    let mut pieces = path.split('%');
    let first_is_plain = pieces.next().is_none_or(|piece| piece.bytes().all(plain));
    first_is_plain
        && pieces.all(|piece| {
            let mut bytes = piece.bytes();
            let is_hex = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_hexdigit());
            is_hex(bytes.next()) && is_hex(bytes.next()) && bytes.all(plain)
        })
}

/// The parts of `user@host:port/path`.
struct Parts<'a> {
    user: Option<&'a str>,
    host: String,
    port: Option<u16>,
    path: &'a str,
}

impl<'a> Parts<'a> {
    fn split(scheme: &str, rest: &'a str) -> Result<Parts<'a>, EndpointError> {
        let fail = |reason: &str| Err(EndpointError(format!("{scheme} endpoint {reason}")));
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if path.contains(['?', '#']) {
            return fail("must not have a query or a fragment");
        }
        // A password with an unencoded slash would end up here, and be taken for a path.
        if path.contains('@') {
            return fail("has an `@` after the first `/`; write %40 if it belongs there");
        }
        let (user, host_and_port) = match authority.rsplit_once('@') {
            Some((user, host_and_port)) => (Some(user), host_and_port),
            None => (None, authority),
        };
        let (host, port) = match host_and_port.strip_prefix('[') {
            Some(address) => match address.split_once(']') {
                Some((address, port)) => (ipv6(scheme, address)?, port),
                None => return fail("has a `[` without `]`"),
            },
            None if host_and_port.matches(':').count() > 1 => {
                return fail("needs brackets around an IPv6 address, as in [::1]:2375");
            }
            None => {
                let end = host_and_port.find(':').unwrap_or(host_and_port.len());
                let (host, port) = host_and_port.split_at(end);
                (host_name(scheme, host)?, port)
            }
        };
        Ok(Parts { user, host, port: port_number(scheme, port)?, path })
    }
}

fn host_name(scheme: &str, host: &str) -> Result<String, EndpointError> {
    let fail = |reason: &str| Err(EndpointError(format!("{scheme} endpoint {reason}")));
    if host.is_empty() {
        return fail("has no host");
    }
    // ssh would take such a host for an option.
    if host.starts_with('-') {
        return fail("has a host that begins with `-`");
    }
    if !host.is_ascii() {
        return fail("has a host with characters beyond ASCII; write it in its xn-- form");
    }
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    match host.bytes().find(|b| !allowed(*b)) {
        Some(wrong) => fail(&format!("has {:?} in its host", char::from(wrong))),
        None => Ok(host.to_owned()),
    }
}

/// Reads an address without its brackets; the zone of a link-local address follows `%` or `%25`.
fn ipv6(scheme: &str, text: &str) -> Result<String, EndpointError> {
    let (address, zone) = match text.split_once('%') {
        Some((address, zone)) => (address, Some(zone.strip_prefix("25").unwrap_or(zone))),
        None => (text, None),
    };
    let zone_is_valid = zone.is_none_or(|zone| {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        !zone.is_empty() && zone.bytes().all(allowed)
    });
    match address.parse::<Ipv6Addr>() {
        Ok(address) if zone_is_valid => Ok(match zone {
            Some(zone) => format!("{address}%{zone}"),
            None => address.to_string(),
        }),
        _ => Err(EndpointError(format!("{scheme} endpoint has brackets around something that is not an IPv6 address"))),
    }
}

/// Reads what follows the host: nothing, `:` or `:2375`.
fn port_number(scheme: &str, text: &str) -> Result<Option<u16>, EndpointError> {
    let fail = |reason: &str| Err(EndpointError(format!("{scheme} endpoint {reason}")));
    if text.is_empty() || text == ":" {
        return Ok(None);
    }
    let Some(digits) = text.strip_prefix(':') else {
        return fail("has something else than a port after `]`");
    };
    match digits.parse() {
        Ok(port) if port != 0 && !digits.starts_with('+') => Ok(Some(port)),
        _ => fail("has a port that is not a number from 1 to 65535"),
    }
}

/// Says what is missing or wrong in an endpoint, without repeating what may be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointError(String);

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for EndpointError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::random::Random;

    fn parse(text: &str) -> Endpoint {
        Endpoint::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn refusal(text: &str) -> String {
        match Endpoint::parse(text) {
            Err(error) => error.to_string(),
            Ok(endpoint) => panic!("{text} was read as {endpoint:?}"),
        }
    }

    fn tcp(scheme: Scheme, host: &str, port: Option<u16>, path_prefix: &str) -> Endpoint {
        Endpoint::Tcp { scheme, host: host.into(), port, path_prefix: path_prefix.into() }
    }

    fn ssh(user: Option<&str>, host: &str, port: Option<u16>, path: Option<&str>) -> Endpoint {
        Endpoint::Ssh { user: user.map(str::to_owned), host: host.into(), port, path: path.map(str::to_owned) }
    }

    #[test]
    fn unix_sockets() {
        let socket = Endpoint::Unix(PathBuf::from("/run/my docker.sock"));
        assert_eq!(parse("unix:///run/my docker.sock"), socket);
        assert_eq!(parse("/run/my docker.sock"), socket);
        assert_eq!(parse(" UNIX:///run/my docker.sock\n"), socket);
        assert_eq!(socket.to_string(), "unix:///run/my docker.sock");
        assert_eq!(parse("/a://b"), Endpoint::Unix("/a://b".into()));
        assert_eq!(parse("unix:///a?b#c%20@d:e"), Endpoint::Unix("/a?b#c%20@d:e".into()));
        for text in ["unix://", "unix://run/docker.sock", "./docker.sock", "unix://tcp://h"] {
            assert!(refusal(text).starts_with("unix endpoint needs an absolute path"), "{text}");
        }
        assert_eq!(refusal("unix:///a\0b"), "unix endpoint has a control character in its path");
        assert_eq!(refusal("unix:/run/docker.sock"), "endpoint scheme `unix` must be followed by `://`");
    }

    #[test]
    fn tcp_endpoints() {
        use Scheme::{Http, Https, Tcp};
        let cases = [
            ("tcp://docker.example:2375", tcp(Tcp, "docker.example", Some(2375), "")),
            ("tcp://host", tcp(Tcp, "host", None, "")),
            ("tcp://host:", tcp(Tcp, "host", None, "")),
            ("host:1", tcp(Tcp, "host", Some(1), "")),
            ("127.0.0.1:65535/", tcp(Tcp, "127.0.0.1", Some(65535), "")),
            ("tcp://my_host:1/a/b%20c/", tcp(Tcp, "my_host", Some(1), "/a/b%20c")),
            ("HTTP://h", tcp(Http, "h", None, "")),
            ("https://h:8443/docker", tcp(Https, "h", Some(8443), "/docker")),
            ("tcp://[::1]:2375", tcp(Tcp, "::1", Some(2375), "")),
            ("tcp://[0:0:0:0:0:0:0:1]", tcp(Tcp, "::1", None, "")),
            ("[fe80::1%25eth0]:1/x", tcp(Tcp, "fe80::1%eth0", Some(1), "/x")),
            ("tcp://[fe80::1%eth0]:", tcp(Tcp, "fe80::1%eth0", None, "")),
        ];
        for (text, endpoint) in cases {
            assert_eq!(parse(text), endpoint, "{text}");
            assert_eq!(parse(&endpoint.to_string()), endpoint, "{text}");
        }
        assert_eq!(parse("tcp://[fe80::1%eth0]:1/x/").to_string(), "tcp://[fe80::1%25eth0]:1/x");
        assert_eq!(Tcp.default_port(), 2375);
        assert_eq!((Http.default_port(), Https.default_port()), (80, 443));
    }

    #[test]
    fn ssh_endpoints() {
        let cases = [
            ("ssh://h", ssh(None, "h", None, None)),
            ("ssh://h/", ssh(None, "h", None, None)),
            ("ssh://me@h:22", ssh(Some("me"), "h", Some(22), None)),
            ("ssh://me@[::1]:22/run/d.sock", ssh(Some("me"), "::1", Some(22), Some("/run/d.sock"))),
            ("ssh://me%40corp@h", ssh(Some("me@corp"), "h", None, None)),
            ("ssh://me@corp@h", ssh(Some("me@corp"), "h", None, None)),
            ("ssh://corp%5Cme@h/a%20b", ssh(Some("corp\\me"), "h", None, Some("/a b"))),
        ];
        for (text, endpoint) in cases {
            assert_eq!(parse(text), endpoint, "{text}");
            assert_eq!(parse(&endpoint.to_string()), endpoint, "{text}");
        }
        for text in ["ssh://@h", "ssh://-oX@h", "ssh://a b@h", "ssh://a;b@h", "ssh://a%60b@h", "ssh://a%5C@h"] {
            assert_eq!(refusal(text), "ssh endpoint has an invalid user", "{text}");
        }
        assert_eq!(refusal("ssh://%ff@h"), "ssh endpoint has a user that is not UTF-8");
        assert_eq!(refusal("ssh://h/a%0ab"), "ssh endpoint has a control character in its path");
    }

    #[test]
    fn named_pipes() {
        let pipe = Endpoint::NamedPipe(r"\\.\pipe\docker_engine".into());
        assert_eq!(parse("npipe:////./pipe/docker_engine"), pipe);
        assert_eq!(parse(r"npipe://\\.\pipe\docker_engine"), pipe);
        assert_eq!(parse(r"\\.\pipe\docker_engine"), pipe);
        assert_eq!(pipe.to_string(), "npipe:////./pipe/docker_engine");
        for text in ["npipe://", "npipe://./pipe/x", "npipe:////./pipe/", "npipe:////./file/x"] {
            assert!(refusal(text).starts_with("npipe endpoint needs the path"), "{text}");
        }
    }

    #[test]
    fn refusals_say_what_is_wrong() {
        let cases = [
            ("", "endpoint is empty"),
            (" ", "endpoint is empty"),
            ("docker", "endpoint has no scheme; use one of unix, tcp, http, https, ssh, npipe, followed by `://`"),
            ("fd://3", "unknown endpoint scheme `fd`; use one of unix, tcp, http, https, ssh, npipe"),
            ("://h", "endpoint has no valid scheme before `://`; use one of unix, tcp, http, https, ssh, npipe"),
            ("tcp:h", "endpoint scheme `tcp` must be followed by `://`"),
            ("tcp://", "tcp endpoint has no host"),
            ("tcp://:2375", "tcp endpoint has no host"),
            ("ssh:///path", "ssh endpoint has no host"),
            ("ssh://-oProxyCommand=x", "ssh endpoint has a host that begins with `-`"),
            ("tcp://a b", "tcp endpoint has ' ' in its host"),
            ("tcp://a\nb", "tcp endpoint has '\\n' in its host"),
            ("http://é", "http endpoint has a host with characters beyond ASCII; write it in its xn-- form"),
            ("tcp://h:0", "tcp endpoint has a port that is not a number from 1 to 65535"),
            ("tcp://h:65536", "tcp endpoint has a port that is not a number from 1 to 65535"),
            ("tcp://h:+1", "tcp endpoint has a port that is not a number from 1 to 65535"),
            ("tcp://h:port", "tcp endpoint has a port that is not a number from 1 to 65535"),
            ("tcp://::1:2375", "tcp endpoint needs brackets around an IPv6 address, as in [::1]:2375"),
            ("tcp://fe80::1", "tcp endpoint needs brackets around an IPv6 address, as in [::1]:2375"),
            ("tcp://[::1", "tcp endpoint has a `[` without `]`"),
            ("tcp://[::1]2375", "tcp endpoint has something else than a port after `]`"),
            ("tcp://[h]", "tcp endpoint has brackets around something that is not an IPv6 address"),
            ("tcp://[::1%]", "tcp endpoint has brackets around something that is not an IPv6 address"),
            ("tcp://h?x", "tcp endpoint must not have a query or a fragment"),
            ("ssh://h/x#y", "ssh endpoint must not have a query or a fragment"),
            ("tcp://h/a b", "tcp endpoint has a path prefix that is not percent-encoded"),
            ("tcp://h/a%2", "tcp endpoint has a path prefix that is not percent-encoded"),
        ];
        for (text, message) in cases {
            assert_eq!(refusal(text), message, "{text}");
        }
    }

    #[test]
    fn secrets_are_refused_and_not_repeated() {
        for scheme in ["tcp", "http", "https", "ssh"] {
            for secret in ["s3cret", "s3/cret", "s3@cret", "s3:cret", "s3?cret", "s3#cret", "3/s3cret"] {
                for tail in ["h", "h:1", "h/x", "[::1]:1"] {
                    let message = refusal(&format!("{scheme}://jane:{secret}@{tail}"));
                    assert!(!message.contains("cret"), "{message}");
                    assert!(!message.contains("jane"), "{message}");
                }
            }
        }
        assert_eq!(refusal("ssh://jane:s3cret@h"), "ssh endpoint must not hold a password; use a key or an agent");
        assert!(refusal("https://jane:s3cret@h").contains("must not hold a user or a password"));
        assert!(refusal("jane:s3cret@h").contains("must not hold a user or a password"));
    }

    #[test]
    fn authorities_have_brackets_where_needed() {
        assert_eq!(authority("h", None), "h");
        assert_eq!(authority("h", Some(1)), "h:1");
        assert_eq!(authority("fe80::1%eth0", Some(1)), "[fe80::1%25eth0]:1");
    }

    #[test]
    fn whatever_is_read_displays_as_the_same_endpoint() {
        let mut random = Random::new(7);
        let starts = ["unix://", "tcp://", "http://", "ssh://", "npipe://", "npipe:////./pipe/", "/", ""];
        let mut read = 0;
        for _ in 0..100_000 {
            let mut text = random.pick(&starts).to_owned();
            for _ in 0..random.below(6) {
                text += random
                    .pick(&["h", "::1", "[::1]", ":", "22", "/", "@", "%25", "%41", "a b", "é", "\\", "-", "?", "\n"]);
            }
            if let Ok(endpoint) = Endpoint::parse(&text) {
                read += 1;
                assert_eq!(parse(&endpoint.to_string()), endpoint, "{text:?}");
            }
        }
        assert!(read > 10_000, "only {read} endpoints were valid");
    }
}
