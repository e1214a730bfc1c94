/** The parsers of what comes before a conversation: the header of a proxy, addresses and networks; and of who is in the cluster. */
import { invariant } from '../../src/base/invariant.js'
import { limits } from '../../src/base/limits.js'
import { nodeStatesText, parseNodeStates } from '../../src/domain/cluster/nodeState.js'
import { addressBytes, addressNetwork, addressText, isInNetwork } from '../../src/domain/kit/addressInNetwork.js'
import { dnsNamesIn } from '../../src/platform/net/certificateNames.js'
import { decodeEarlyRefusal, encodeEarlyRefusal } from '../../src/wire/muster/earlyRefusal.js'
import { proxyHeaderBytes, proxyHeaderLine, readProxyHeader } from '../../src/wire/proxy/proxyHeader.js'
import type { FuzzedParser } from './fuzzParser.js'

const bytesOf = (address: string): readonly number[] => addressBytes(address) ?? []

const lines = [
  proxyHeaderLine({ address: '192.0.2.7', port: 40_000 }, { address: '10.0.0.1', port: 1_514 }),
  proxyHeaderLine({ address: '2001:db8::7', port: 40_000 }, { address: '2001:db8::1', port: 1_514 }),
  Buffer.from('PROXY UNKNOWN\r\n'),
]

const binaries = [
  proxyHeaderBytes({ bytes: bytesOf('192.0.2.7'), port: 40_000 }, { bytes: bytesOf('10.0.0.1'), port: 1_514 }),
  proxyHeaderBytes({ bytes: bytesOf('2001:db8::7'), port: 1 }, { bytes: bytesOf('2001:db8::1'), port: 2 }, Buffer.alloc(100, 4)),
]

/** As it comes, in two parts: what the first decides, the whole decides too. */
const readInParts = (bytes: Uint8Array): string => {
  const first = readProxyHeader(bytes.subarray(0, Math.floor(bytes.length / 2)))
  const whole = readProxyHeader(bytes)
  invariant(first.kind === 'incomplete' || first.kind === whole.kind, 'a decision stays')
  invariant(whole.kind !== 'incomplete' || bytes.length < limits.proxyHeaderBytesMax, 'a header is decided within its bound')
  if (whole.kind !== 'header') return whole.kind
  invariant(whole.byteCount <= bytes.length, 'a header is part of what came')
  if (!whole.source) return 'of nobody'
  invariant(addressBytes(whole.source.address) !== undefined && whole.source.port <= 65_535, 'a source is an address')
  return 'taken'
}

export const networkParsers: readonly FuzzedParser[] = [
  {
    name: 'a file: states of nodes',
    examples: () => [
      Buffer.from(
        nodeStatesText(
          new Map([
            ['w1', 'drained'],
            ['w.2', 'removed'],
            ['master', 'ready'],
          ]),
        ),
      ),
    ],
    parse: (bytes) => {
      const parsed = parseNodeStates(bytes)
      if (!parsed.ok) return 'refused'
      const again = parseNodeStates(Buffer.from(nodeStatesText(parsed.value)))
      invariant(again.ok && nodeStatesText(again.value) === nodeStatesText(parsed.value), 'states can be written and read')
      return 'taken'
    },
  },
  {
    name: 'network: names of a certificate',
    examples: () =>
      ['DNS:w1, IP Address:10.0.0.1', 'URI:"http://x/, DNS:w2", DNS:w1', 'DNS:"a, DNS:b", email:x'].map((text) => Buffer.from(text)),
    parse: (bytes) => {
      const names = dnsNamesIn(Buffer.from(bytes).toString('latin1'))
      invariant(names.length <= limits.certificateNamesMax + 1, 'names have a bound')
      return names.length > 0 ? 'taken' : 'refused'
    },
  },
  {
    name: 'session: early refusal',
    examples: () => (['tlsRequired', 'missing', 'expired', 'early', 'untrusted'] as const).map(encodeEarlyRefusal),
    parse: (bytes) => {
      const reason = decodeEarlyRefusal(bytes)
      if (reason) invariant(Buffer.compare(encodeEarlyRefusal(reason), bytes) === 0, 'a refusal can be written and read')
      return reason ? 'taken' : 'refused'
    },
  },
  { name: 'network: header of a proxy', examples: () => [...lines, ...binaries], parse: readInParts },
  {
    name: 'network: address',
    examples: () =>
      ['10.1.2.3', '10.0.0.0/8', '10.0.0.0/255.0.0.0', '2001:db8::5', '::ffff:1.2.3.4/104', 'fe80::1%eth0'].map((text) =>
        Buffer.from(text),
      ),
    parse: (bytes) => {
      const text = Buffer.from(bytes).toString('latin1')
      const address = addressBytes(text)
      const network = addressNetwork(text)
      if (address) invariant(bytesOf(addressText(address)).join() === address.join(), 'an address can be written and read')
      if (network) invariant(isInNetwork(network.bytes, network), 'a network has its own address')
      return address ? 'address' : network ? 'network' : 'refused'
    },
  },
]
