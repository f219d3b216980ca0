//! Engines that don't let a client in, and clients that don't speak as the engine does. What works is in `conformance`.

use longshore::config::Tls;
use longshore::{ConnectOptions, Docker, ErrorKind};
use longshore_testkit::FaultProxy;
use longshore_testkit::certificates::{Authority, Key, Usage, Validity};
use longshore_testkit::live::Live;
use longshore_testkit::tls::{TlsDoor, TlsPort};

use crate::harness::{Outcome, Test, test};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test(a_client_that_the_engine_does_not_know_is_told),
        test(a_client_without_tls_is_told),
        test(an_engine_without_tls_is_told),
    ]
}

/// What comes of a ping with this TLS.
async fn refusal(host: &str, tls: &Tls) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let docker = Docker::connect_with(&ConnectOptions::default().host(host).tls(tls.clone()))?;
    let error = docker.ping().await.map(drop).expect_err("an engine that is not reached");
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
    Ok(error.to_string())
}

async fn a_client_that_the_engine_does_not_know_is_told(live: Live) -> Outcome {
    let port = TlsPort::of(live.shared_engine()).await?;
    let authority = std::fs::read_to_string(port.certificates().join("ca.pem"))?;
    let foreign = Authority::new()?.sign(Usage::Client, Validity::Now, Key::Ec)?;
    let nobody = Tls::default().authority(authority);
    let stranger = nobody.clone().identity(foreign.certificate, foreign.key);
    for (tls, expected) in [(nobody, "wants a certificate of the client's"), (stranger, "does not trust the client's")]
    {
        let told = refusal(port.host(), &tls).await?;
        assert!(told.contains(expected), "{told}");
    }
    Ok(())
}

async fn a_client_without_tls_is_told(live: Live) -> Outcome {
    // Podman 4 has no TLS of its own, and a proxy does not tell of it.
    let Some(door) = TlsDoor::to(live.shared_engine()).await? else { return Ok(()) };
    let error = Docker::connect_to(door.host())?.ping().await.map(drop).expect_err("an engine that speaks TLS");
    assert!(error.kind() == ErrorKind::Connect && error.message().contains("the port speaks TLS"), "{error}");
    Ok(())
}

async fn an_engine_without_tls_is_told(live: Live) -> Outcome {
    let Some(socket) = live.engine().socket() else { return Ok(()) };
    let proxy = FaultProxy::tcp(socket).await?;
    let told = refusal(&proxy.host(), &Tls::default().without_verification()).await?;
    assert!(told.contains("does not speak TLS"), "{told}");
    Ok(())
}
