//! TLS with engines that do it wrong, or are not told what they need.

use std::sync::Arc;
use std::time::Duration;

use longshore::config::Tls;
use longshore::{ConnectOptions, Deadlines, Docker, Environment, Error, ErrorKind};
use longshore_testkit::certificates::{Authority, ENCRYPTED_KEY, Identity, Key, Usage, Validity};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio_rustls::server::TlsStream;

use crate::bad_input::assert_error;

fn certificates(pem: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>().unwrap()
}

/// An engine's side of TLS; with `clients`, it lets in only whom that authority has signed.
pub(crate) fn acceptor(
    server: &Identity,
    clients: Option<&Authority>,
    version: &'static SupportedProtocolVersion,
) -> TlsAcceptor {
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone()).with_protocol_versions(&[version]).unwrap();
    let builder = match clients {
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(certificates(authority.certificate()));
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        }
        None => builder.with_no_client_auth(),
    };
    let key = PrivateKeyDer::from_pem_slice(server.key.as_bytes()).unwrap();
    Arc::new(builder.with_single_cert(certificates(&server.certificate), key).unwrap()).into()
}

pub(crate) async fn read_head<S: AsyncReadExt + Unpin>(stream: &mut S) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    Ok(())
}

const PONG: &[u8] = b"HTTP/1.1 200 OK\r\nApi-Version: 1.44\r\nContent-Length: 0\r\n\r\n";

/// Listens, and lets `serve` have every connection that has come through the handshake.
async fn listen<F>(acceptor: TlsAcceptor, serve: impl Fn(TlsStream<TcpStream>) -> F + Send + 'static) -> u16
where
    F: Future<Output = std::io::Result<()>> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            if let Ok(stream) = acceptor.accept(stream).await {
                let _ = serve(stream).await;
            }
        }
    });
    port
}

/// An engine that answers pings.
async fn engine(acceptor: TlsAcceptor) -> u16 {
    listen(acceptor, |mut stream| async move {
        loop {
            read_head(&mut stream).await?;
            stream.write_all(PONG).await?;
        }
    })
    .await
}

fn client(port: u16, tls: &Tls) -> Result<Docker, Error> {
    let deadlines = Deadlines::default().total(Duration::from_secs(10));
    let options = ConnectOptions::default().host(format!("tcp://localhost:{port}")).deadlines(deadlines);
    Docker::connect_with(&options.tls(tls.clone()))
}

async fn ping(port: u16, tls: &Tls) -> Result<(), Error> {
    client(port, tls)?.ping().await.map(drop)
}

pub(crate) fn trusting(authority: &Authority) -> Tls {
    Tls::default().authority(authority.certificate())
}

pub(crate) fn sign(authority: &Authority, usage: Usage, key: Key) -> Identity {
    authority.sign(usage, Validity::Now, key).unwrap()
}

#[tokio::test]
async fn every_kind_of_key_serves_both_sides() {
    let authority = Authority::new().unwrap();
    for key in Key::ALL {
        for version in [&TLS12, &TLS13] {
            let server = sign(&authority, Usage::Server, key);
            let port = engine(acceptor(&server, Some(&authority), version)).await;
            let identity = sign(&authority, Usage::Client, key);
            let tls = trusting(&authority).identity(identity.certificate, identity.key);
            ping(port, &tls).await.unwrap_or_else(|error| panic!("{key:?}: {error}"));
        }
    }
}

#[tokio::test]
async fn the_program_may_choose_a_provider_of_its_own() {
    let authority = Authority::new().unwrap();
    let [server, client] = [Usage::Server, Usage::Client].map(|usage| sign(&authority, usage, Key::ALL[0]));
    let port = engine(acceptor(&server, Some(&authority), &TLS13)).await;
    let tls = trusting(&authority).identity(client.certificate, client.key);
    ping(port, &tls).await.unwrap();
    let unable = CryptoProvider { cipher_suites: Vec::new(), kx_groups: Vec::new(), ..ring::default_provider() };
    unable.install_default().expect("a provider for all of the process was chosen before");
    ping(port, &tls).await.unwrap();
}

#[tokio::test]
async fn what_is_wrong_with_the_engine_s_certificate_is_told() {
    let (authority, other) = (Authority::new().unwrap(), Authority::new().unwrap());
    let server = |validity| authority.sign(Usage::Server, validity, Key::Ec).unwrap();
    let cases = [
        (server(Validity::Past), trusting(&authority), "has expired"),
        (server(Validity::Future), trusting(&authority), "not valid yet"),
        (server(Validity::Now), trusting(&other), "not signed by an authority that is trusted here"),
        (server(Validity::Now), trusting(&authority).server_name("engine.example"), "is for another name"),
    ];
    for (server, tls, expected) in cases {
        let port = engine(acceptor(&server, None, &TLS13)).await;
        assert_error(&ping(port, &tls).await.unwrap_err(), ErrorKind::Connect, expected);
        // Only by name is none of this looked at.
        ping(port, &tls.without_verification()).await.unwrap();
    }
    let port = engine(acceptor(&server(Validity::Now), None, &TLS13)).await;
    ping(port, &trusting(&authority).server_name("127.0.0.1")).await.unwrap();
}

#[tokio::test]
async fn an_engine_that_does_not_let_the_client_in_is_told() {
    let (authority, other) = (Authority::new().unwrap(), Authority::new().unwrap());
    let server = sign(&authority, Usage::Server, Key::Ec);
    let foreign = sign(&other, Usage::Client, Key::Ec);
    let expired = authority.sign(Usage::Client, Validity::Past, Key::Ec).unwrap();
    for version in [&TLS12, &TLS13] {
        let port = engine(acceptor(&server, Some(&authority), version)).await;
        let cases = [
            (trusting(&authority), "wants a certificate of the client's"),
            (trusting(&authority).identity(&*foreign.certificate, &*foreign.key), "does not trust the client's"),
            (trusting(&authority).identity(&*expired.certificate, &*expired.key), "client's certificate has expired"),
        ];
        for (tls, expected) in cases {
            assert_error(&ping(port, &tls).await.unwrap_err(), ErrorKind::Connect, expected);
        }
    }
}

#[tokio::test]
async fn a_large_first_request_does_not_hide_why_the_client_is_not_let_in() {
    let authority = Authority::new().unwrap();
    let server = sign(&authority, Usage::Server, Key::Ec);
    let port = engine(acceptor(&server, Some(&authority), &TLS13)).await;
    let options = ConnectOptions::default().host(format!("tcp://localhost:{port}")).tls(trusting(&authority));
    let docker = Docker::connect_with(&options.version(longshore::ApiVersion::new(1, 44))).unwrap();
    for _ in 0..20 {
        let put = docker.container("web").put_archive("/", vec![0; 1 << 20]).await;
        assert_error(&put.unwrap_err(), ErrorKind::Connect, "wants a certificate of the client's");
    }
}

#[test]
fn an_address_without_tls_is_not_used_where_tls_is_wanted() {
    let options = ConnectOptions::default().host("http://localhost:1").tls(Tls::default().without_verification());
    assert_error(&Docker::connect_with(&options).unwrap_err(), ErrorKind::Config, "there is no TLS");
}

#[tokio::test]
async fn a_port_without_tls_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut begin = [0; 64];
            let _ = stream.read(&mut begin).await;
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n400 Bad Request").await;
        }
    });
    let error = ping(port, &Tls::default().without_verification()).await.unwrap_err();
    assert_error(&error, ErrorKind::Connect, "does not speak TLS");
}

#[tokio::test]
async fn bad_material_is_told_before_anything_is_sent() {
    let authority = Authority::new().unwrap();
    let (ec, rsa) = (sign(&authority, Usage::Client, Key::Ec), sign(&authority, Usage::Client, Key::Rsa));
    let cases = [
        (Tls::default().authority("no PEM"), "there is no PEM in the certificate of the authority"),
        (
            Tls::default().authority("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"),
            "authority is no PEM",
        ),
        (trusting(&authority).identity("", &*ec.key), "there is no PEM in the client's certificate"),
        (trusting(&authority).identity(&*ec.certificate, "none"), "private key can't be used: there is none"),
        (trusting(&authority).identity(&*ec.certificate, ENCRYPTED_KEY), "private key can't be used: it is encrypted"),
        (trusting(&authority).identity(&*ec.certificate, &*rsa.key), "can't be used together"),
        (trusting(&authority).server_name("not a name"), "can't be the name in a certificate"),
    ];
    for (tls, expected) in cases {
        assert_error(&client(1, &tls).map(drop).unwrap_err(), ErrorKind::Config, expected);
    }
}

/// How a connection ends.
#[derive(Clone, Copy)]
enum End {
    Told,
    Cut,
}

/// An engine that sends a log until the connection ends, told or not.
async fn logs(end: End) -> Result<usize, Error> {
    let authority = Authority::new().unwrap();
    let server = sign(&authority, Usage::Server, Key::Ec);
    let serve = move |mut stream: TlsStream<TcpStream>| async move {
        read_head(&mut stream).await?;
        stream.write_all(PONG).await?;
        read_head(&mut stream).await?;
        let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\n\r\n";
        stream.write_all(head).await?;
        stream.write_all(b"\x01\0\0\0\0\0\0\x04one\n").await?;
        stream.flush().await?;
        if let End::Told = end {
            stream.shutdown().await?;
        }
        Ok(())
    };
    let port = listen(acceptor(&server, None, &TLS13), serve).await;
    let docker = client(port, &trusting(&authority))?;
    Ok(docker.container("web").logs().await?.collect().await?.stdout.text().len())
}

#[tokio::test]
async fn an_end_that_was_not_told_is_no_end() {
    assert_eq!(logs(End::Told).await.unwrap(), 4);
    assert_error(&logs(End::Cut).await.unwrap_err(), ErrorKind::Truncated, "");
}

#[test]
fn tls_of_the_program_s_own_needs_none_of_the_environment_s() {
    let variables = [("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", "/nowhere/at/all")];
    let environment = variables.iter().fold(Environment::default(), |all, (name, value)| all.variable(*name, *value));
    let options = ConnectOptions::default().host("tcp://engine:2376").environment(environment);
    assert_eq!(Docker::connect_with(&options).unwrap_err().kind(), ErrorKind::Config);
    assert!(Docker::connect_with(&options.tls(Tls::default())).is_ok());
}
