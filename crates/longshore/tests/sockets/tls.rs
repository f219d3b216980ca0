//! The same over TLS, where a fault is one of what was encrypted.

use std::sync::Arc;

use longshore::config::Tls;
use longshore::transport::Io;
use longshore_testkit::FaultProxy;
use longshore_testkit::certificates::{Authority, Key, Usage, Validity};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::alone;
use crate::served::Served;
use crate::way::{Way, try_all};

fn acceptor(authority: &Authority) -> TlsAcceptor {
    let server = authority.sign(Usage::Server, Validity::Now, Key::Ec).unwrap();
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let certificates = CertificateDer::pem_slice_iter(server.certificate.as_bytes());
    let certificates = certificates.collect::<Result<_, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_slice(server.key.as_bytes()).unwrap();
    Arc::new(builder.with_single_cert(certificates, key).unwrap()).into()
}

#[test]
fn over_tls() {
    alone(async {
        let authority = Authority::new().unwrap();
        let acceptor = acceptor(&authority);
        let served = Served::through(move |stream| {
            let accepting = acceptor.accept(stream);
            Box::pin(async { Ok(Box::new(accepting.await?) as Box<dyn Io>) })
        });
        let proxy = FaultProxy::tcp(served.socket()).await.unwrap();
        let tls = Tls::default().authority(authority.certificate()).server_name("localhost");
        try_all(&Way::new(&served, &proxy).with(|options| options.tls(tls))).await;
    });
}
