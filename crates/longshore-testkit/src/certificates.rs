//! Certificates for tests: an authority made anew each time, and what it signs.

use std::fs;
use std::io;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};

/// An authority that nobody trusts yet.
#[derive(Debug)]
pub struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and the key that belongs to it, as PEM.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The certificate.
    pub certificate: String,
    /// The private key.
    pub key: String,
}

/// What a certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// An engine at `localhost` and 127.0.0.1.
    Server,
    /// A client.
    Client,
}

/// When a certificate is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// Now, and for as long as these tests are run.
    Now,
    /// No more.
    Past,
    /// Not yet.
    Future,
}

/// A kind of key, and how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// An elliptic curve, in PKCS#8.
    Ec,
    /// An elliptic curve, in SEC1.
    EcSec1,
    /// RSA, in PKCS#8.
    Rsa,
    /// RSA, in PKCS#1.
    RsaPkcs1,
}

/// A private key that only its passphrase opens.
pub const ENCRYPTED_KEY: &str = include_str!("../keys/encrypted.pem");

impl Key {
    /// All of them.
    pub const ALL: [Key; 4] = [Key::Ec, Key::EcSec1, Key::Rsa, Key::RsaPkcs1];

    /// The key in PKCS#8, and as it is to be written.
    fn texts(self) -> (&'static str, &'static str) {
        const EC: &str = include_str!("../keys/ec-pkcs8.pem");
        const RSA: &str = include_str!("../keys/rsa-pkcs8.pem");
        match self {
            Key::Ec => (EC, EC),
            Key::EcSec1 => (EC, include_str!("../keys/ec-sec1.pem")),
            Key::Rsa => (RSA, RSA),
            Key::RsaPkcs1 => (RSA, include_str!("../keys/rsa-pkcs1.pem")),
        }
    }
}

impl Authority {
    /// Makes an authority.
    ///
    /// # Errors
    /// When no key can be made.
    pub fn new() -> Result<Self, rcgen::Error> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, "longshore's tests");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?.pem();
        Ok(Authority { certificate, issuer: Issuer::new(params, key) })
    }

    /// Its certificate, as PEM.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// Signs a certificate.
    ///
    /// # Errors
    /// When it can't be signed.
    pub fn sign(&self, usage: Usage, validity: Validity, key: Key) -> Result<Identity, rcgen::Error> {
        let (names, purpose) = match usage {
            Usage::Server => {
                (vec!["localhost".to_owned(), "127.0.0.1".to_owned()], ExtendedKeyUsagePurpose::ServerAuth)
            }
            Usage::Client => (Vec::new(), ExtendedKeyUsagePurpose::ClientAuth),
        };
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name.push(DnType::CommonName, "test");
        params.extended_key_usages = vec![purpose];
        (params.not_before, params.not_after) = match validity {
            Validity::Now => (date_time_ymd(2020, 1, 1), date_time_ymd(2120, 1, 1)),
            Validity::Past => (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1)),
            Validity::Future => (date_time_ymd(2119, 1, 1), date_time_ymd(2120, 1, 1)),
        };
        let (pkcs8, written) = key.texts();
        let certificate = params.signed_by(&KeyPair::from_pem(pkcs8)?, &self.issuer)?.pem();
        Ok(Identity { certificate, key: written.to_owned() })
    }

    /// Writes what a server needs that lets in whom this authority has signed, and what a client needs: `ca.pem`,
    /// `server-cert.pem`, `server-key.pem`, `cert.pem`, `key.pem`.
    ///
    /// # Errors
    /// When they can't be made or written.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        let sign = |usage| self.sign(usage, Validity::Now, Key::Ec).map_err(io::Error::other);
        let (server, client) = (sign(Usage::Server)?, sign(Usage::Client)?);
        fs::create_dir_all(folder)?;
        let files = [
            ("ca.pem", self.certificate()),
            ("server-cert.pem", &server.certificate),
            ("server-key.pem", &server.key),
            ("cert.pem", &client.certificate),
            ("key.pem", &client.key),
        ];
        files.into_iter().try_for_each(|(name, text)| fs::write(folder.join(name), text))
    }
}
