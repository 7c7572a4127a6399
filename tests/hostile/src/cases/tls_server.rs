//! Servers with certificates that nobody should trust, and one that tells which protocols it was offered.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tokio::io::AsyncReadExt as _;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::Acceptor;
use tokio_rustls::{LazyConfigAcceptor, TlsAcceptor};

use crate::RawServer;
use crate::arena::locked;

/// What is wrong with a certificate, beside that nobody knows its authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// Nothing.
    UnknownAuthority,
    /// It is its own authority.
    SelfSigned,
    /// It ran out in 2020.
    Expired,
    /// It is somebody else's.
    WrongName,
    /// A hundred certificates lead to its authority.
    LongChain,
}

/// A server that speaks TLS, and what it saw.
pub(super) struct TlsServer {
    pub(super) server: RawServer,
    /// Bytes that came through a handshake.
    pub(super) received: Arc<AtomicUsize>,
}

impl TlsServer {
    /// Its root, such as `https://127.0.0.1:40123`.
    pub(super) fn url(&self) -> String {
        format!("https://{}", self.server.address())
    }
}

/// A server with a certificate that has this flaw.
pub(super) async fn flawed(flaw: Flaw) -> anyhow::Result<TlsServer> {
    let (chain, key) = certificates(flaw)?;
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key)?;
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let received = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&received);
    let server = RawServer::untouched(move |connection| {
        let (acceptor, counted) = (acceptor.clone(), Arc::clone(&counted));
        async move {
            if let Ok(mut stream) = acceptor.accept(connection).await {
                let mut bytes = [0; 1024];
                while let Ok(read @ 1..) = stream.read(&mut bytes).await {
                    counted.fetch_add(read, Ordering::SeqCst);
                }
            }
        }
    })
    .await;
    Ok(TlsServer { server, received })
}

/// A server that reads the client's first message, notes the protocols that it offers, and goes.
pub(super) async fn curious() -> (RawServer, Arc<Mutex<Vec<Vec<String>>>>) {
    let offers: Arc<Mutex<Vec<Vec<String>>>> = Arc::default();
    let noted = Arc::clone(&offers);
    let server = RawServer::untouched(move |connection| {
        let noted = Arc::clone(&noted);
        async move {
            if let Ok(start) = LazyConfigAcceptor::new(Acceptor::default(), connection).await {
                let hello = start.client_hello();
                let offered = hello.alpn().into_iter().flatten();
                locked(&noted).push(offered.map(|name| String::from_utf8_lossy(name).into_owned()).collect());
            }
        }
    })
    .await;
    (server, offers)
}

/// The chain that a server shows, its own certificate first, and its key.
fn certificates(flaw: Flaw) -> anyhow::Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)> {
    let name = if flaw == Flaw::WrongName { "other.example" } else { "127.0.0.1" };
    let mut params = CertificateParams::new(vec![name.to_owned()])?;
    if flaw == Flaw::Expired {
        (params.not_before, params.not_after) = (date_time_ymd(2019, 1, 1), date_time_ymd(2020, 1, 1));
    }
    let key = KeyPair::generate()?;
    let secret = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    if flaw == Flaw::SelfSigned {
        return Ok((vec![params.self_signed(&key)?.der().clone()], secret));
    }
    let authority = |number: usize| -> anyhow::Result<CertificateParams> {
        let mut params = CertificateParams::new(vec![format!("authority-{number}.example")])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Ok(params)
    };
    let mut chain = Vec::new();
    let mut issuer = CertifiedIssuer::self_signed(authority(0)?, KeyPair::generate()?)?;
    for number in 1..if flaw == Flaw::LongChain { 100 } else { 2 } {
        let next = CertifiedIssuer::signed_by(authority(number)?, KeyPair::generate()?, &issuer)?;
        chain.insert(0, next.der().clone());
        issuer = next;
    }
    chain.insert(0, params.signed_by(&key, &issuer)?.der().clone());
    Ok((chain, secret))
}
