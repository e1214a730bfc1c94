/** From the key that operators configure to the secret that the Noise handshake mixes in. */
import { hkdfSync } from 'node:crypto'

/** 32 bytes. The configured text is a shared secret already; HKDF gives it the length and ties it to this use. */
export const pskOf = (clusterKey: string): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', Buffer.from(clusterKey, 'utf8'), Buffer.alloc(0), 'muster cluster key v1', 32))
