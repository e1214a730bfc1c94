/** What anybody may ask in the clear: whether a listener is there. Framed like a message over TCP, one datagram over UDP. */

const ping = Buffer.from('#ping')
export const pong: Uint8Array = Buffer.from('#pong')
export const pingMessage: Uint8Array = ping

/** Whatever follows, as Wazuh has it. */
export const isPing = (message: Uint8Array): boolean => ping.equals(message.subarray(0, ping.byteLength))
