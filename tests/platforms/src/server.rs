//! The accept loop: one task per connection, all of them ended together, and a real TCP reset when a fault asks for one.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::Response;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::body::{AnswerBody, Cut};
use crate::site::Site;

/// How long to wait after the machine refused a connection, for instance because too many files are open.
const PAUSE_AFTER_REFUSAL: Duration = Duration::from_millis(20);

/// Accepts connections for ever. Dropping the future closes every connection.
pub(crate) async fn accept(listener: TcpListener, site: Arc<Site>) -> Infallible {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream, Arc::clone(&site)));
                }
                Err(_) => tokio::time::sleep(PAUSE_AFTER_REFUSAL).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Serves one connection to its end. An error ends it too: the client is gone, or a fault cut it off.
async fn serve(stream: TcpStream, site: Arc<Site>) {
    // Small answers must not wait for an acknowledgement.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let site = Arc::clone(&site);
        async move { site.answer(request).await }
    });
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    if let Err(error) = (&mut connection).await
        && is_reset(&error)
    {
        // With no time to linger, closing sends RST in place of FIN and drops what is unsent.
        let stream = connection.into_parts().io.into_inner();
        let _ = stream.set_zero_linger();
    }
}

fn is_reset(error: &hyper::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(cut) = cause.downcast_ref::<Cut>() {
            return *cut == Cut::Reset;
        }
        source = cause.source();
    }
    false
}

/// An answer ready to be sent.
pub(crate) type Outgoing = Result<Response<AnswerBody>, Cut>;
