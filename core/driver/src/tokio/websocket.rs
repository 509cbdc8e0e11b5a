//! WebSocket (RFC 7118): one message each, subprotocol `sip`.

use std::io;
use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::Told;
use super::link::{Duplex, Served, both};

/// The subprotocol (RFC 7118 §4).
const SIP: &str = "sip";
const PROTOCOLS: &str = "Sec-WebSocket-Protocol";

/// The largest message that is taken: as much as a datagram could carry.
const LARGEST: usize = 65_535;

/// A WebSocket over TCP or TLS.
pub(super) type WebSocket = WebSocketStream<Box<dyn Duplex>>;

fn config() -> WebSocketConfig {
    WebSocketConfig::default().max_message_size(Some(LARGEST)).max_frame_size(Some(LARGEST))
}

fn broken(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake | ProtocolError::SendAfterClosing) => {
            io::ErrorKind::UnexpectedEof.into()
        }
        other => io::Error::other(other),
    }
}

/// The handshake of a server: a client that does not offer `sip` is refused.
pub(super) async fn accept(stream: Box<dyn Duplex>) -> io::Result<WebSocket> {
    #[expect(clippy::result_large_err, reason = "the type is that of the crate")]
    let choose = |request: &Request, mut response: Response| {
        let offered = request.headers().get_all(PROTOCOLS).into_iter().filter_map(|value| value.to_str().ok());
        let is_sip = |offer: &str| offer.split(',').any(|protocol| protocol.trim().eq_ignore_ascii_case(SIP));
        if !offered.into_iter().any(is_sip) {
            let mut refusal = ErrorResponse::new(Some("the subprotocol sip is needed".into()));
            *refusal.status_mut() = StatusCode::BAD_REQUEST;
            return Err(refusal);
        }
        response.headers_mut().insert(PROTOCOLS, HeaderValue::from_static(SIP));
        Ok(response)
    };
    tokio_tungstenite::accept_hdr_async_with_config(stream, choose, Some(config())).await.map_err(broken)
}

/// The handshake of a client.
pub(super) async fn open(
    stream: Box<dyn Duplex>,
    remote: SocketAddr,
    server_name: Option<&str>,
) -> io::Result<WebSocket> {
    let host = server_name.map_or_else(|| remote.to_string(), |name| format!("{name}:{}", remote.port()));
    // TLS, if there is any, is beneath the stream.
    let mut request = format!("ws://{host}/").into_client_request().map_err(broken)?;
    request.headers_mut().insert(PROTOCOLS, HeaderValue::from_static(SIP));
    let (socket, _) =
        tokio_tungstenite::client_async_with_config(request, stream, Some(config())).await.map_err(broken)?;
    Ok(socket)
}

/// Serves a WebSocket; an error if it is no more. Pings are answered by the crate.
pub(super) async fn serve(served: &Served, socket: WebSocket) -> io::Result<()> {
    let (mut writer, mut reader) = socket.split();
    let read = async {
        while let Some(message) = reader.next().await {
            let bytes = match message.map_err(broken)? {
                Message::Text(text) => text.as_bytes().to_vec(),
                Message::Binary(bytes) => bytes.to_vec(),
                _ => continue,
            };
            let _ = served.tell.send(Told::Message { connection: served.id, bytes }).await;
        }
        // A WebSocket has no half that stays open.
        Err(io::ErrorKind::UnexpectedEof.into())
    };
    let write = async {
        while let Some(messages) = served.queue.first().await {
            for bytes in &messages {
                let message = match std::str::from_utf8(bytes) {
                    Ok(text) => Message::text(text),
                    Err(_) => Message::binary(bytes.to_vec()),
                };
                writer.feed(message).await.map_err(broken)?;
            }
            writer.flush().await.map_err(broken)?;
            served.has_written(&messages).await;
        }
        writer.close().await.map_err(broken)
    };
    both(read, write).await
}
