use longshore_models::SortedMap;

use super::ConfigFile;

impl ConfigFile {
    /// The build arguments by which the commands of a build on the engine at `host` know the proxies: those of this
    /// engine if the file names it, else the default ones. Every name is there in capitals and in small letters.
    pub(crate) fn proxy_arguments(&self, host: &str) -> SortedMap<String, String> {
        let Some(proxies) = self.proxies.get(host).or_else(|| self.proxies.get("default")) else {
            return SortedMap::new();
        };
        let named = [
            ("HTTP_PROXY", &proxies.http_proxy),
            ("HTTPS_PROXY", &proxies.https_proxy),
            ("NO_PROXY", &proxies.no_proxy),
            ("FTP_PROXY", &proxies.ftp_proxy),
            ("ALL_PROXY", &proxies.all_proxy),
        ];
        let set = named.into_iter().filter(|(_, proxy)| !proxy.is_empty());
        set.flat_map(|(name, proxy)| [name.to_owned(), name.to_lowercase()].map(|name| (name, proxy.clone()))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(host: &str) -> Vec<String> {
        let json = r#"{"proxies": {
            "default": {"httpProxy": "http://a:1", "noProxy": "localhost", "ftpProxy": null},
            "tcp://engine:2375": {"httpsProxy": "http://b:2", "ftpProxy": "http://c:3", "allProxy": "socks5://d:4"},
            "tcp://other:2375": {}
        }}"#;
        let file: ConfigFile = longshore_models::decode::from_str(json).unwrap();
        file.proxy_arguments(host).into_iter().map(|(name, value)| format!("{name}={value}")).collect()
    }

    #[test]
    fn an_engine_has_proxies_of_its_own_or_the_default_ones() {
        let default = ["HTTP_PROXY=http://a:1", "NO_PROXY=localhost", "http_proxy=http://a:1", "no_proxy=localhost"];
        assert_eq!(arguments("unix:///var/run/docker.sock"), default);
        let own = [
            "ALL_PROXY=socks5://d:4",
            "FTP_PROXY=http://c:3",
            "HTTPS_PROXY=http://b:2",
            "all_proxy=socks5://d:4",
            "ftp_proxy=http://c:3",
            "https_proxy=http://b:2",
        ];
        assert_eq!(arguments("tcp://engine:2375"), own);
        assert_eq!(arguments("tcp://other:2375"), Vec::<String>::new());
        assert!(ConfigFile::default().proxy_arguments("tcp://engine:2375").is_empty());
    }
}
