"""Brings up the loopback interface of a new network namespace. Refuses if another interface is up, because that would be the machine's own network.

In Python because `ip` is not everywhere. The requests and `struct ifreq` (16 bytes of name, then the flags, 40 in all) are in netdevice(7).
"""

import fcntl
import socket
import struct
import sys

GET_FLAGS, SET_FLAGS, UP = 0x8913, 0x8914, 1
any_socket = socket.socket()


def flags(name):
    answer = fcntl.ioctl(any_socket, GET_FLAGS, struct.pack("16s24x", name.encode()))
    return struct.unpack("16xH22x", answer)[0]


up = [name for _, name in socket.if_nameindex() if name != "lo" and flags(name) & UP]
if up:
    sys.exit(f"not a network of its own: {', '.join(up)} is up")
fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sH22x", b"lo", UP))
