//! Finds the Debian mirror of this machine in its own apt sources, both in the classic one-line format and in deb822.

use std::fs;
use std::path::Path;

/// Where this machine gets Debian from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mirror {
    /// The address, as apt wants it.
    pub(crate) uri: String,
    /// The value of `Signed-By`: a path, or a key block whose lines begin with a space.
    pub(crate) signed_by: Option<String>,
}

/// Reads `/etc/apt/sources.list` and `/etc/apt/sources.list.d`; the first source of a plain Debian release wins.
pub(crate) fn mirror(apt: &Path) -> Option<Mirror> {
    let mut files = vec![apt.join("sources.list")];
    let mut parts: Vec<_> = fs::read_dir(apt.join("sources.list.d"))
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    parts.sort();
    files.extend(parts);
    files.iter().find_map(|file| {
        let text = fs::read_to_string(file).ok()?;
        match file.extension()?.to_str()? {
            "list" => one_line(&text),
            "sources" => deb822(&text),
            _ => None,
        }
    })
}

/// `deb [option=value …] URI suite component …`
fn one_line(text: &str) -> Option<Mirror> {
    text.lines().find_map(|line| {
        let line = line.split('#').next()?.trim();
        let mut rest = line.strip_prefix("deb")?;
        if !rest.starts_with(char::is_whitespace) {
            return None;
        }
        rest = rest.trim_start();
        let mut signed_by = None;
        if let Some(bracket) = rest.strip_prefix('[') {
            let (options, after) = bracket.split_once(']')?;
            signed_by =
                options.split_whitespace().find_map(|option| option.strip_prefix("signed-by=")).map(str::to_owned);
            rest = after;
        }
        let mut words = rest.split_whitespace();
        let (uri, suite) = (words.next()?, words.next()?);
        usable(uri, [suite], words).then(|| Mirror { uri: uri.to_owned(), signed_by })
    })
}

/// Stanzas of `Field: value` lines, a value continued on lines that begin with a space.
fn deb822(text: &str) -> Option<Mirror> {
    let text: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    text.split(|line| line.trim().is_empty()).find_map(|stanza| {
        let field = |name: &str| field(stanza, name);
        if field("Enabled").is_some_and(|enabled| enabled.eq_ignore_ascii_case("no")) {
            return None;
        }
        if !field("Types")?.split_whitespace().any(|kind| kind == "deb") {
            return None;
        }
        let (uris, suites, components) = (field("URIs")?, field("Suites")?, field("Components")?);
        let uri = uris
            .split_whitespace()
            .find(|uri| usable(uri, suites.split_whitespace(), components.split_whitespace()))?;
        Some(Mirror { uri: uri.to_owned(), signed_by: field("Signed-By") })
    })
}

fn field(stanza: &[&str], name: &str) -> Option<String> {
    let mut lines = stanza.iter().skip_while(|line| {
        line.split_once(':').is_none_or(|(key, _)| line.starts_with(' ') || !key.eq_ignore_ascii_case(name))
    });
    let mut value = lines.next()?.split_once(':')?.1.trim().to_owned();
    for line in lines.take_while(|line| line.starts_with([' ', '\t'])) {
        value.push('\n');
        value.push_str(line);
    }
    Some(value)
}

/// Whether a source is the main archive of some Debian release, hence most likely of all of them.
fn usable<'a>(
    uri: &str,
    suites: impl IntoIterator<Item = &'a str>,
    components: impl IntoIterator<Item = &'a str>,
) -> bool {
    const SUITES: [&str; 12] = [
        "bullseye",
        "bookworm",
        "trixie",
        "forky",
        "duke",
        "sid",
        "oldoldstable",
        "oldstable",
        "stable",
        "testing",
        "unstable",
        "experimental",
    ];
    !uri.starts_with("cdrom:")
        && suites.into_iter().any(|suite| SUITES.contains(&suite))
        && components.into_iter().any(|component| component == "main")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(uri: &str, signed_by: Option<&str>) -> Option<Mirror> {
        Some(Mirror { uri: uri.into(), signed_by: signed_by.map(str::to_owned) })
    }

    #[test]
    fn one_line_sources() {
        assert_eq!(one_line("deb http://m.example/debian bookworm main\n"), found("http://m.example/debian", None));
        assert_eq!(
            one_line(
                "# deb http://no.example/debian sid main\ndeb-src http://no.example/debian sid main\n\
                      deb cdrom:[Debian]/ bookworm main\n\
                      deb http://s.example/debian-security bookworm-security main\n\
                      deb\t[ arch=amd64 signed-by=/k.gpg ]  http://m.example/debian  trixie  main contrib # ours\n"
            ),
            found("http://m.example/debian", Some("/k.gpg"))
        );
        assert_eq!(one_line("deb http://m.example/debian bookworm contrib"), None);
        assert_eq!(one_line("deb [arch=amd64 http://m.example/debian bookworm main"), None);
        assert_eq!(one_line("deb"), None);
        assert_eq!(one_line("debris http://m.example/debian bookworm main"), None);
    }

    #[test]
    fn deb822_sources() {
        let text = "\
Types: deb
URIs: http://s.example/debian-security
Suites: bookworm-security
Components: main

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main

# a comment
types: deb-src deb
URIs: http://m.example/debian
# another
Suites: bookworm bookworm-updates
Components: contrib main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
";
        assert_eq!(
            deb822(text),
            found("http://m.example/debian", Some("/usr/share/keyrings/debian-archive-keyring.gpg"))
        );
        assert_eq!(deb822("Types: deb\nURIs: http://m.example\nSuites: ./\n"), None);
        assert_eq!(deb822(""), None);
    }

    #[test]
    fn a_key_block_is_kept_whole() {
        let text = "Types: deb\nURIs: http://m.example/debian\nSuites: sid\nComponents: main\nSigned-By:\n -----BEGIN\n .\n x:y\n";
        assert_eq!(deb822(text), found("http://m.example/debian", Some("\n -----BEGIN\n .\n x:y")));
    }

    #[test]
    fn files_of_other_kinds_are_ignored() {
        let folder = std::env::temp_dir().join(format!("xtask-sources-{}", std::process::id()));
        let parts = folder.join("sources.list.d");
        fs::create_dir_all(&parts).unwrap();
        fs::write(parts.join("a.list.disabled"), "deb http://no.example/debian sid main").unwrap();
        assert_eq!(mirror(&folder), None);
        fs::write(parts.join("b.list"), "deb http://m.example/debian sid main").unwrap();
        assert_eq!(mirror(&folder), found("http://m.example/debian", None));
        fs::remove_dir_all(&folder).unwrap();
    }
}
