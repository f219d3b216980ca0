use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;

use longshore_wire::words::quote;

use crate::config;

/// What every `ssh` is told, whatever the user's configuration says.
///
/// Nobody is there to answer a question. A host key that is not known is an error even where the user lets `ssh` add
/// new ones, and on this machine too. The far side gets neither the user's agent nor display, and none of the forwardings
/// that the user has set up for sessions of another kind. A connection that has gone silent is noticed within minutes.
const ALWAYS: [&str; 17] = [
    "-T",
    "-a",
    "-x",
    "-o",
    "BatchMode=yes",
    "-o",
    "ConnectTimeout=30",
    "-o",
    "StrictHostKeyChecking=yes",
    "-o",
    "NoHostAuthenticationForLocalhost=no",
    "-o",
    "ServerAliveInterval=30",
    "-o",
    "ClearAllForwardings=yes",
    "-o",
    "RemoteCommand=none",
];

/// A program that can't be, which `ssh` runs instead of opening a connection: any shell names it when it complains, and
/// so tells that there was no session.
pub(super) const NO_SESSION: &str = "/dev/null/no-session";

/// The command lines of `ssh` for one machine.
pub(super) struct Line {
    pub(super) options: config::Ssh,
    pub(super) user: Option<String>,
    pub(super) host: String,
    pub(super) port: Option<u16>,
}

impl Line {
    /// The program to run.
    pub(super) fn program(&self) -> &OsStr {
        self.options.program.as_deref().map_or(OsStr::new("ssh"), Path::as_os_str)
    }

    /// Opens the connection that others share by the socket `control`.
    #[cfg(unix)]
    pub(super) fn master(&self, control: &Path) -> io::Result<Vec<OsString>> {
        let mut words = self.beginning()?;
        // What is told at this level is why a forwarded socket could not be opened.
        words.extend(
            ["-N", "-o", "LogLevel=INFO", "-o", "ControlMaster=yes", "-o", "ControlPersist=no"].map(Into::into),
        );
        words.extend(["-S".into(), literal(control.as_os_str())?]);
        words.extend(self.destination());
        Ok(words)
    }

    /// Runs `remote` over the connection that is shared by `control`; over one of its own without it.
    pub(super) fn session(&self, control: Option<&Path>, remote: &str) -> io::Result<Vec<OsString>> {
        let mut words = self.beginning()?;
        words.extend(["-o", "LogLevel=ERROR", "-o", "ControlMaster=no"].map(Into::into));
        if let Some(control) = control {
            // Where the shared connection is gone, or takes no more, `ssh` would open one of its own.
            words.extend(["-o".into(), format!("ProxyCommand={NO_SESSION}").into()]);
            words.extend(["-S".into(), literal(control.as_os_str())?]);
        }
        words.extend(self.destination());
        words.push(remote.into());
        Ok(words)
    }

    /// Has the shared connection listen on `local`, and open `remote` on the far side for whoever connects.
    #[cfg(unix)]
    pub(super) fn forward(&self, control: &Path, local: &Path, remote: &str) -> io::Result<Vec<OsString>> {
        // No configuration: its forwardings would be asked for as well.
        let mut words: Vec<OsString> = vec!["-F".into(), "/dev/null".into(), "-O".into(), "forward".into()];
        words.extend(["-S".into(), literal(control.as_os_str())?]);
        let mut places = field(local.as_os_str())?;
        places.push(":");
        places.push(field(OsStr::new(remote))?);
        words.extend(["-L".into(), places, "--".into(), self.host.clone().into()]);
        Ok(words)
    }

    fn beginning(&self) -> io::Result<Vec<OsString>> {
        let mut words = Vec::new();
        if let Some(file) = &self.options.config_file {
            words.extend(["-F".into(), file.into()]);
        }
        if let Some(file) = &self.options.identity_file {
            words.extend(["-i".into(), literal(file.as_os_str())?]);
        }
        words.extend(ALWAYS.map(Into::into));
        Ok(words)
    }

    fn destination(&self) -> Vec<OsString> {
        let mut words: Vec<OsString> = Vec::new();
        if let Some(user) = &self.user {
            words.extend(["-l".into(), user.into()]);
        }
        if let Some(port) = self.port {
            words.extend(["-p".into(), port.to_string().into()]);
        }
        words.extend(["--".into(), self.host.clone().into()]);
        words
    }
}

/// What leads from a session to the engine, as the official CLI does it; quoted for the shell of the far side.
pub(super) fn dial_stdio(socket: Option<&str>) -> String {
    match socket {
        Some(path) => format!("docker --host {} system dial-stdio", quote(&format!("unix://{path}"))),
        None => "docker system dial-stdio".to_owned(),
    }
}

/// What tells the address by which Docker's CLI on the far side reaches its engine.
#[cfg(unix)]
pub(super) const TELL_ADDRESS: &str = "docker context inspect --format '{{.Endpoints.docker.Host}}'";

/// A path in which `ssh` is to expand nothing.
fn literal(path: &OsStr) -> io::Result<OsString> {
    let Some(text) = path.to_str() else {
        return if path.as_encoded_bytes().contains(&b'%') { Err(unfit(path)) } else { Ok(path.to_owned()) };
    };
    // There is no way to write this one otherwise.
    if text.contains("${") { Err(unfit(path)) } else { Ok(text.replace('%', "%%").into()) }
}

/// A path as one field among others that colons part.
#[cfg(unix)]
fn field(path: &OsStr) -> io::Result<OsString> {
    let literal = literal(path)?;
    let text = literal.to_str().ok_or_else(|| unfit(path))?;
    Ok(text.replace('\\', "\\\\").replace(':', "\\:").into())
}

fn unfit(path: &OsStr) -> io::Error {
    let message = format!("ssh can't be told of the path {}", path.display());
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: &str = "-T -a -x -o BatchMode=yes -o ConnectTimeout=30 -o StrictHostKeyChecking=yes \
                           -o NoHostAuthenticationForLocalhost=no -o ServerAliveInterval=30 \
                           -o ClearAllForwardings=yes -o RemoteCommand=none";

    fn line(user: Option<&str>, port: Option<u16>) -> Line {
        Line { options: config::Ssh::default(), user: user.map(str::to_owned), host: "h".to_owned(), port }
    }

    /// The words as a shell would want them.
    fn text(words: io::Result<Vec<OsString>>) -> String {
        let words = words.unwrap();
        words.iter().map(|word| quote(word.to_str().unwrap())).collect::<Vec<_>>().join(" ")
    }

    #[cfg(unix)]
    #[test]
    fn a_master_is_told_all_that_must_hold() {
        assert_eq!(
            text(line(Some("me"), Some(2222)).master(Path::new("/t/m"))),
            format!(
                "{OPTIONS} -N -o LogLevel=INFO -o ControlMaster=yes -o ControlPersist=no -S /t/m -l me -p 2222 -- h"
            )
        );
    }

    #[test]
    fn a_session_never_opens_a_connection_beside_the_shared_one() {
        let session = "-o LogLevel=ERROR -o ControlMaster=no";
        assert_eq!(
            text(line(None, None).session(Some(Path::new("/t/m")), "docker system dial-stdio")),
            format!("{OPTIONS} {session} -o ProxyCommand=/dev/null/no-session -S /t/m -- h 'docker system dial-stdio'")
        );
        assert_eq!(
            text(line(Some("corp\\me"), None).session(None, "true")),
            format!("{OPTIONS} {session} -l 'corp\\me' -- h true")
        );
    }

    #[test]
    fn options_of_the_caller_come_first() {
        let mut line = line(None, None);
        line.options = config::Ssh::default().program("/opt/ssh").config_file("/c f").identity_file("/k%1");
        assert_eq!(line.program(), "/opt/ssh");
        assert!(text(line.session(None, "true")).starts_with("-F '/c f' -i /k%%1 -T "));
    }

    #[cfg(unix)]
    #[test]
    fn a_forwarding_takes_no_path_for_something_else() {
        let forward = |remote| line(None, None).forward(Path::new("/t/m%"), Path::new("/t:x/s"), remote);
        assert_eq!(
            text(forward("/run/docker.sock")),
            "-F /dev/null -O forward -S /t/m%% -L '/t\\:x/s:/run/docker.sock' -- h"
        );
        assert!(text(forward("/a:b\\c%d")).contains("-L '/t\\:x/s:/a\\:b\\\\c%%d' "));
        assert_eq!(forward("/a${HOME}").unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }

    #[test]
    fn paths_are_quoted_for_the_far_shell() {
        assert_eq!(dial_stdio(None), "docker system dial-stdio");
        assert_eq!(dial_stdio(Some("/run/docker.sock")), "docker --host unix:///run/docker.sock system dial-stdio");
        for path in
            ["/a b", "/it's", "/$(reboot)", "/`reboot`", "/a;reboot", "/a\"b\\c", "/a&|>b", "/-x", "/~*?[a]{b,c}#!"]
        {
            let line = dial_stdio(Some(path));
            let expected = ["docker", "--host", &format!("unix://{path}"), "system", "dial-stdio"];
            assert_eq!(longshore_wire::words::split(&line).unwrap(), expected);
            #[cfg(unix)]
            assert_eq!(echoed(&line), expected.join("\n"));
        }
    }

    /// What a real shell makes of a line of words.
    #[cfg(unix)]
    fn echoed(line: &str) -> String {
        let script = format!("printf '%s\\n' {line}");
        let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }
}
