/** Links over any network of byte streams: the real one, a simulated one, or a pair in memory. */
import { asClusterError, ClusterError } from '../base/errors.js'
import { limits as allLimits } from '../base/limits.js'
import type { AdmissionPolicy, Link, Transport } from '../ports/link.js'
import type { Clock, Random } from '../ports/machine.js'
import type { ByteStream, Endpoint, Listener, Network } from '../ports/network.js'
import type { Cipher } from '../wire/muster/cipherState.js'
import { pskOf } from '../wire/muster/clusterKey.js'
import { encodeRequest, requestTypeOf } from '../wire/muster/codec.js'
import { type Hello, protocolRange } from '../wire/muster/messages.js'
import type { VersionRange } from '../wire/muster/preamble.js'
import { Acceptor } from './acceptor.js'
import { Admission } from './admission.js'
import type { CertifiedPeers } from './certifiedPeers.js'
import { Dialer } from './dialer.js'
import type { HandshakeOptions } from './handshake.js'
import { NodeSending } from './nodeSending.js'
import { SeenOpenings } from './seenOpenings.js'
import { type SessionLimits, sessionLimits } from './session.js'
import { RestingPeers } from './workShare.js'

export interface TransportOptions {
  readonly network: Network
  readonly clock: Clock
  readonly random: Random
  /** As configured. Peers may prove either; the current one is tried first. */
  readonly keys: { readonly current: string; readonly previous?: string | undefined }
  readonly limits?: Partial<SessionLimits> | undefined
  /** Of a node that has certificates; `network` is then one of TLS. */
  readonly certified?: (CertifiedPeers & { readonly plain: Network }) | undefined
  /** What this build speaks, unless a test says otherwise. */
  readonly protocol?: VersionRange | undefined
  /** Simulations only, whose wires nobody taps: makes what takes the place of the cipher of each direction once the peer has proved the key. */
  readonly plainCipher?: (() => Cipher) | undefined
}

export const createTransport = ({
  network,
  clock,
  random,
  keys,
  limits,
  certified,
  protocol = protocolRange,
  plainCipher,
}: TransportOptions): Transport => {
  const ownLimits = { ...sessionLimits, ...limits }
  const handshakeOptions: HandshakeOptions = {
    clock,
    random,
    limits: ownLimits,
    sending: new NodeSending(ownLimits.sendQueuesBytesMax),
    resting: new RestingPeers(),
    protocol,
    certified,
    plainCipher,
    psks: [
      { name: 'current', psk: pskOf(keys.current) },
      ...(keys.previous === undefined ? [] : [{ name: 'previous' as const, psk: pskOf(keys.previous) }]),
    ],
  }

  /** A master without TLS is dialled without it where that is allowed: a cluster is switched on node by node. */
  const dialStream = async (endpoint: Endpoint, signal: AbortSignal): Promise<ByteStream> => {
    try {
      return await network.dial(endpoint, signal)
    } catch (thrown) {
      if (!certified || certified.requires || !isPlain(thrown)) throw thrown
      return await certified.plain.dial(endpoint, signal)
    }
  }

  const dialWith = async (key: HandshakeOptions['psks'][number], endpoint: Endpoint, hello: Hello, signal: AbortSignal): Promise<Link> => {
    if (signal.aborted) throw new ClusterError('aborted', { message: 'Dialing was stopped' })
    let stream: ByteStream
    try {
      stream = await dialStream(endpoint, signal)
    } catch (thrown) {
      throw asClusterError(thrown, 'dialFailed')
    }
    return await new Promise<Link>((done, failed) => {
      new Dialer({ handshakeOptions, stream, key, hello, signal, done, failed })
    })
  }

  const dial = async (endpoint: Endpoint, hello: Hello, signal: AbortSignal): Promise<Link> => {
    const helloBytes = encodeRequest(requestTypeOf('session.hello'), 1, hello).byteLength
    if (helloBytes > handshakeOptions.limits.helloBytesMax)
      throw new ClusterError('tooLarge', {
        message: `A hello of ${helloBytes} bytes is over the limit of ${handshakeOptions.limits.helloBytesMax}`,
      })
    let refusal: unknown
    for (const key of handshakeOptions.psks) {
      try {
        return await dialWith(key, endpoint, hello, signal)
      } catch (thrown) {
        // Silence is what a master with another key says; it may still have the one before.
        if (!(thrown instanceof ClusterError) || thrown.code !== 'handshakeRefused') throw thrown
        refusal ??= thrown
      }
    }
    throw refusal
  }

  const listen = async (endpoint: Endpoint, policy: AdmissionPolicy): Promise<Listener> => {
    const door = { admission: new Admission(handshakeOptions.limits, random), seenOpenings: new SeenOpenings(allLimits.openingsSeenMax) }
    let listening = true
    const onConnection = (stream: ByteStream): void => {
      const acceptor = new Acceptor(handshakeOptions, stream, door, policy)
      if (!listening) acceptor.evict()
    }
    const onAcceptError = (error: ClusterError): void => policy.onRefusal({ address: 'an unknown address', error })
    const listener = await network.listen(endpoint, onConnection, onAcceptError)
    return {
      address: listener.address,
      port: listener.port,
      close: async () => {
        listening = false
        door.admission.close()
        await listener.close()
      },
    }
  }

  return { dial, listen }
}

/** The peer did not answer with TLS. */
const isPlain = (thrown: unknown): boolean => thrown instanceof ClusterError && thrown.context['isPlain'] === true
