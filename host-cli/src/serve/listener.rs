//! The socket that `serve` listens on.

use crate::exit::CommandError;
use std::{
    io,
    net::{IpAddr, SocketAddr},
};
use tokio::net::{TcpListener, TcpSocket};

/// Bytes of a response that the system buffers for a client that does not read. The rest stays in this process, where it is counted.
const SEND_BUFFER_BYTES: u32 = 128 << 10;
/// Connections that wait to be accepted.
const BACKLOG: u32 = 4096;

/// Listens on the first address that is available.
pub fn bind(addresses: &[SocketAddr]) -> Result<TcpListener, CommandError> {
    let mut error = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        match listen(*address) {
            Ok(listener) => return Ok(listener),
            Err(reason) => error = reason,
        }
    }
    Err(cannot_listen(addresses, &error))
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address.ip() {
        IpAddr::V4(_) => TcpSocket::new_v4()?,
        IpAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // As the standard library's listener does: a server can be restarted immediately.
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// The failure to listen, with what to do about it.
pub fn cannot_listen(addresses: &[SocketAddr], error: &io::Error) -> CommandError {
    let address = addresses
        .first()
        .map(ToString::to_string)
        .unwrap_or_default();
    match error.kind() {
        io::ErrorKind::AddrInUse => CommandError::environment(format_args!(
            "address `{address}` is in use by another program"
        ))
        .hint("end that program, or use a free port with `--listen 127.0.0.1:0`"),
        io::ErrorKind::PermissionDenied => {
            CommandError::environment(format_args!("not allowed to listen on `{address}`"))
                .hint("use a port above 1023")
        }
        io::ErrorKind::AddrNotAvailable => CommandError::environment(format_args!(
            "address `{address}` does not belong to this machine"
        ))
        .hint("listen on `127.0.0.1`, or on `0.0.0.0` for all of the machine's addresses"),
        _ => CommandError::environment(format_args!("failed to listen on `{address}`: {error}")),
    }
}

/// A warning if other machines can reach the server.
pub fn warning(address: IpAddr) -> Option<String> {
    (!address.to_canonical().is_loopback()).then(|| {
        format!(
            "warning: other machines can reach `{address}`, without TLS and without authentication"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_others_can_reach_is_warned_of() {
        for own in ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(warning(own.parse().unwrap()), None, "{own}");
        }
        for other in ["0.0.0.0", "::", "192.168.1.7"] {
            let warning = warning(other.parse().unwrap()).unwrap();
            assert!(warning.contains(other), "{warning}");
        }
    }
}
