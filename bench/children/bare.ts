/** The peers that the session is measured against: TCP with nothing on it, and a stream sealed frame by frame with nothing else. */
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomFillSync } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { answerParent } from '../answerParent.js'
import { systemMs } from '../systemClock.js'

const frameBytes = 256 * 1024
const tagBytes = 16
const key = createSecretKey(Buffer.alloc(32, 7))

const listen = async (onSocket: (socket: Socket) => void): Promise<number> => {
  const server: Server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {})
    onSocket(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}

const dial = async (port: number): Promise<Socket> => {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  await once(socket, 'connect')
  return socket
}

class Nonces {
  readonly #nonce = Buffer.alloc(12)
  #count = 0n

  next(): Buffer {
    this.#nonce.writeBigUInt64BE(this.#count++, 4)
    return this.#nonce
  }
}

const seal = (secret: KeyObject, nonce: Buffer, plain: Buffer): readonly Buffer[] => {
  const header = Buffer.allocUnsafe(4)
  header.writeUInt32BE(plain.byteLength + tagBytes)
  const cipher = createCipheriv('aes-256-gcm', secret, nonce)
  cipher.setAAD(header)
  const sealed = cipher.update(plain)
  cipher.final()
  return [header, sealed, cipher.getAuthTag()]
}

const open = (secret: KeyObject, nonce: Buffer, header: Buffer, sealed: Buffer): Buffer => {
  const decipher = createDecipheriv('aes-256-gcm', secret, nonce)
  decipher.setAAD(header)
  decipher.setAuthTag(sealed.subarray(sealed.byteLength - tagBytes))
  const plain = decipher.update(sealed.subarray(0, sealed.byteLength - tagBytes))
  decipher.final()
  return plain
}

/** Gathers whole frames out of what comes in, and opens them. */
const openFrames = (onPlain: (plain: Buffer) => void): ((bytes: Buffer) => void) => {
  const nonces = new Nonces()
  let parts: Buffer[] = []
  let have = 0
  return (bytes) => {
    parts.push(bytes)
    have += bytes.byteLength
    const wholeBytes = 4 + frameBytes + tagBytes
    while (have >= wholeBytes) {
      const joined = Buffer.concat(parts, have)
      onPlain(open(key, nonces.next(), joined.subarray(0, 4), joined.subarray(4, wholeBytes)))
      have -= wholeBytes
      parts = have > 0 ? [joined.subarray(wholeBytes)] : []
    }
  }
}

const calls = {
  echoServer: (_: undefined) => listen((socket) => socket.on('data', (bytes) => socket.write(bytes))),

  /** Round trips a second, one after the other. */
  echoClient: async ({ port, bytes, seconds }: { port: number; bytes: number; seconds: number }) => {
    const socket = await dial(port)
    const payload = Buffer.alloc(bytes, 1)
    const endMs = systemMs() + seconds * 1000
    const startMs = systemMs()
    let trips = 0
    await new Promise<void>((resolve) => {
      let missing = bytes
      socket.on('data', (part) => {
        missing -= part.byteLength
        if (missing > 0) return
        trips += 1
        missing = bytes
        if (systemMs() >= endMs) resolve()
        else socket.write(payload)
      })
      socket.write(payload)
    })
    const took = (systemMs() - startMs) / 1000
    socket.destroy()
    return trips / took
  },

  /** Answers each connection with one byte once it has all. */
  sealedReceiver: ({ bytes }: { bytes: number }) =>
    listen((socket) => {
      let received = 0
      const gather = openFrames((plain) => {
        received += plain.byteLength
        if (received >= bytes) socket.write(Buffer.alloc(1))
      })
      socket.on('data', gather)
    }),

  /** Seconds that the bytes took, until the last was opened at the other end. */
  sealedSender: async ({ port, bytes }: { port: number; bytes: number }) => {
    const socket = await dial(port)
    const done = once(socket, 'data')
    const pool = randomFillSync(Buffer.allocUnsafe(16 * frameBytes))
    const nonces = new Nonces()
    const startMs = systemMs()
    for (let sent = 0, frame = 0; sent < bytes; sent += frameBytes, frame++) {
      const start = (frame % 16) * frameBytes
      let more = true
      socket.cork()
      for (const part of seal(key, nonces.next(), pool.subarray(start, start + frameBytes))) more = socket.write(part)
      socket.uncork()
      if (!more) await once(socket, 'drain')
    }
    await done
    socket.destroy()
    return (systemMs() - startMs) / 1000
  },
}

export type BareCalls = typeof calls

answerParent(calls)
