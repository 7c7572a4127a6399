//! The body of an answer: whole, or cut off half way for the faults that need it.

use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};

/// Why a connection ends before its answer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Cut {
    /// Closed in the ordinary way.
    #[error("the connection is closed before the answer is complete")]
    Close,
    /// Torn down with a TCP reset.
    #[error("the connection is reset")]
    Reset,
}

/// What is left to send.
#[derive(Debug)]
pub(crate) enum AnswerBody {
    /// All of it, at once.
    Whole(Option<Bytes>),
    /// A first part, then nothing: the header has promised more.
    Truncated {
        /// The part that is sent.
        part: Option<Bytes>,
        /// Whether the part has had its chance to reach the socket.
        flushed: bool,
    },
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        match self.get_mut() {
            Self::Whole(bytes) => {
                Poll::Ready(bytes.take().filter(|bytes| !bytes.is_empty()).map(|bytes| Ok(Frame::data(bytes))))
            }
            Self::Truncated { part, flushed } => {
                if let Some(bytes) = part.take() {
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                if !*flushed {
                    // hyper writes what it has when a body makes it wait; an error at once would throw the part away unsent.
                    *flushed = true;
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Poll::Ready(Some(Err(Cut::Close)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(bytes) if bytes.as_ref().is_none_or(Bytes::is_empty))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Truncated { .. } => SizeHint::default(),
        }
    }
}
