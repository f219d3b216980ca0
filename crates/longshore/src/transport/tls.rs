use std::io;
use std::sync::Arc;

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore,
    SignatureScheme,
};

use super::tcp::Tcp;
use super::{Dial, Dialing, Io};
use crate::config::Tls;
use crate::error::{Error, ErrorKind, Operation, Result};

/// An engine behind a TCP port, over TLS.
pub(crate) struct TlsOverTcp {
    tcp: Tcp,
    connector: TlsConnector,
    name: ServerName<'static>,
    has_identity: bool,
}

impl TlsOverTcp {
    /// Everything that can be wrong with what `tls` says is found here, before the first connection.
    pub(crate) fn new(tcp: Tcp, tls: &Tls) -> Result<Self> {
        // The zone of an IPv6 address is this machine's matter.
        let host = tcp.name().split('%').next().unwrap_or_default();
        let name = tls.server_name.as_deref().unwrap_or(host).to_owned();
        let name = ServerName::try_from(name.clone())
            .map_err(|error| failure(format!("`{name}` can't be the name in a certificate: {error}"), error))?;
        let connector = TlsConnector::from(Arc::new(configuration(tls)?));
        Ok(TlsOverTcp { tcp, connector, name, has_identity: tls.key.is_some() })
    }
}

impl Dial for TlsOverTcp {
    fn dial(&self) -> Dialing<'_> {
        Box::pin(async {
            let stream = self.tcp.connect().await?;
            let stream = self.connector.connect(self.name.clone(), stream).await?;
            Ok(Box::new(stream) as Box<dyn Io>)
        })
    }

    fn describe(&self) -> String {
        self.tcp.describe()
    }

    fn host(&self) -> String {
        self.tcp.host()
    }

    fn path_prefix(&self) -> String {
        self.tcp.path_prefix()
    }

    fn advice(&self, error: &io::Error) -> Option<String> {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>()) {
            Some(error) => advice(error, self.has_identity).map(str::to_owned),
            None if error.kind() == io::ErrorKind::UnexpectedEof => {
                Some("the port closed the connection instead of agreeing on TLS: is it the right one?".to_owned())
            }
            None => self.tcp.advice(error),
        }
    }
}

fn advice(error: &TlsError, has_identity: bool) -> Option<&'static str> {
    use AlertDescription as Alert;
    use CertificateError as Bad;
    Some(match error {
        TlsError::InvalidMessage(_) => {
            "the port does not speak TLS: is it the right one, and is DOCKER_TLS_VERIFY or the context meant for it?"
        }
        TlsError::InvalidCertificate(bad) => match bad {
            Bad::Expired | Bad::ExpiredContext { .. } => "the engine's certificate has expired: it needs a new one",
            Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
                "the engine's certificate is not valid yet: are both clocks right?"
            }
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
                "the engine's certificate is for another name: use that in the address, or say it as the server name"
            }
            Bad::UnknownIssuer | Bad::BadSignature => {
                "the engine's certificate is not signed by an authority that is trusted here: is it the right ca.pem?"
            }
            Bad::Other(_) => "the engine's certificate is not one for a server: an authority's own can't serve as one",
            Bad::Revoked => "the engine's certificate was revoked",
            _ => return None,
        },
        TlsError::AlertReceived(alert) => match alert {
            // Engines differ in how they say it.
            Alert::CertificateRequired | Alert::HandshakeFailure | Alert::BadCertificate if !has_identity => {
                "the engine wants a certificate of the client's: are cert.pem and key.pem there?"
            }
            Alert::AccessDenied
            | Alert::BadCertificate
            | Alert::CertificateUnknown
            | Alert::DecryptError
            | Alert::UnknownCA
            | Alert::UnsupportedCertificate => {
                "the engine does not trust the client's certificate: was it signed by the engine's authority, and is it one \
                 for clients?"
            }
            Alert::CertificateExpired => "the client's certificate has expired: it needs a new one",
            _ => return None,
        },
        _ => return None,
    })
}

fn configuration(tls: &Tls) -> Result<ClientConfig> {
    // Given by hand, so that no other choice in the process matters.
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| failure(format!("TLS can't be set up: {error}"), error))?;
    let builder = match tls.verifies() {
        true => builder.with_root_certificates(authorities(tls)?),
        false => builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate(provider))),
    };
    match (&tls.certificate, &tls.key) {
        (None, None) => Ok(builder.with_no_client_auth()),
        (Some(certificate), Some(key)) => {
            let chain = certificates(certificate, "the client's certificate")?;
            builder.with_client_auth_cert(chain, private_key(key.as_slice())?).map_err(|error| {
                let message = format!("the client's certificate and private key can't be used together: {error}");
                failure(message, error)
            })
        }
        (Some(_), None) => Err(incomplete("certificate, but no private key")),
        (None, Some(_)) => Err(incomplete("private key, but no certificate")),
    }
}

fn authorities(tls: &Tls) -> Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    if let Some(authority) = &tls.authority {
        for certificate in certificates(authority, "the certificate of the authority")? {
            let unusable = |error| failure(format!("the certificate of the authority can't be used: {error}"), error);
            store.add(certificate).map_err(unusable)?;
        }
        return Ok(store);
    }
    let system = rustls_native_certs::load_native_certs();
    // A system has some that nobody can read, and one is enough.
    store.add_parsable_certificates(system.certs);
    match store.is_empty() {
        true => Err(Operation::new("connect").error(
            ErrorKind::Config,
            "no authority is known that could have signed the engine's certificate: give its ca.pem",
        )),
        false => Ok(store),
    }
}

fn certificates(text: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(text)
        .collect::<Result<_, pem::Error>>()
        .map_err(|error| failure(format!("{what} is no PEM: {error}"), error))?;
    match certificates.is_empty() {
        true => Err(Operation::new("connect").error(ErrorKind::Config, format!("there is no PEM in {what}"))),
        false => Ok(certificates),
    }
}

fn private_key(text: &[u8]) -> Result<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_slice(text).map_err(|error| {
        let is_encrypted = text.windows(ENCRYPTED.len()).any(|window| window == ENCRYPTED);
        let why = match (&error, is_encrypted) {
            (_, true) => "it is encrypted, and nobody is there to ask for the passphrase".to_owned(),
            (pem::Error::NoItemsFound, _) => "there is none in the PEM".to_owned(),
            (error, _) => error.to_string(),
        };
        failure(format!("the client's private key can't be used: {why}"), error)
    })
}

const ENCRYPTED: &[u8] = b"ENCRYPTED";

fn incomplete(what: &str) -> Error {
    let message = format!("there is a client's {what}: an engine needs both");
    Operation::new("connect").error(ErrorKind::Config, message)
}

fn failure(message: String, source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Operation::new("connect").error_from(ErrorKind::Config, message, source)
}

/// Takes any certificate, for users who have said by name that they want that.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
