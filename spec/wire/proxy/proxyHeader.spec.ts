/** The header of the PROXY protocol: what goes in comes out, however it arrives, and nothing else is taken for one. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { addressBytes, addressText } from '../../../src/domain/kit/addressInNetwork.js'
import { proxyHeaderBytes, proxyHeaderLine, readProxyHeader } from '../../../src/wire/proxy/proxyHeader.js'

const port = fc.nat(65_535)
const bytesOf = (address: string): readonly number[] => addressBytes(address) ?? []
const plain = (address: string): string => addressText(bytesOf(address))
const pairs = fc
  .oneof(fc.tuple(fc.ipV4(), fc.ipV4()), fc.tuple(fc.ipV6(), fc.ipV6()))
  .filter(([from, to]) => bytesOf(from).length === bytesOf(to).length && bytesOf(from).length === (from.includes(':') ? 16 : 4))

const headers = fc
  .tuple(pairs, port, port, fc.option(fc.uint8Array({ maxLength: 200 }), { nil: undefined }))
  .map(([[from, to], a, b, extra]) => ({
    source: { address: plain(from), port: a },
    bytes: extra
      ? proxyHeaderBytes({ bytes: bytesOf(from), port: a }, { bytes: bytesOf(to), port: b }, extra)
      : proxyHeaderLine({ address: from, port: a }, { address: to, port: b }),
  }))

const unknown = Buffer.from('PROXY UNKNOWN\r\n')
const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n')
const binary = (command: number, family: number, rest: number, ...bytes: number[]): Buffer =>
  Buffer.concat([signature, Buffer.of(command, family, rest >> 8, rest & 0xff, ...bytes)])

const kindOf = (bytes: Uint8Array): string => readProxyHeader(bytes).kind

describe('the header of a proxy', () => {
  it('comes out as it went in, in both versions and families, and leaves what follows it', () =>
    fc.assert(
      fc.property(headers, fc.uint8Array({ maxLength: 300 }), ({ source, bytes }, rest) => {
        expect(readProxyHeader(Buffer.concat([bytes, rest]))).toEqual({ kind: 'header', byteCount: bytes.length, source })
      }),
    ))

  it('is incomplete at every truncation, and never anything else', () =>
    fc.assert(
      fc.property(headers, ({ bytes }) => {
        for (let length = 0; length < bytes.length; length++) expect(kindOf(bytes.subarray(0, length))).toBe('incomplete')
      }),
      { numRuns: 30 },
    ))

  it('is decided within its bound, whatever the bytes, and a decision stays when more bytes come', () =>
    fc.assert(
      fc.property(
        fc.constantFrom(Buffer.alloc(0), Buffer.from('PROXY '), Buffer.from('PROXY TCP4 1.2.3.4 '), signature, binary(0x21, 0x11, 12)),
        fc.uint8Array({ maxLength: 300 }),
        fc.uint8Array({ maxLength: 50 }),
        (start, garbage, more) => {
          const bytes = Buffer.concat([start, garbage])
          const read = readProxyHeader(bytes)
          if (read.kind !== 'incomplete') expect(readProxyHeader(Buffer.concat([bytes, more]))).toEqual(read)
          expect(kindOf(Buffer.concat([bytes, new Uint8Array(limits.proxyHeaderBytesMax)]))).not.toBe('incomplete')
          if (read.kind === 'header') expect(read.byteCount).toBeLessThanOrEqual(bytes.length)
        },
      ),
      { numRuns: 1_000 },
    ))

  it.each([
    ['PROXY UNKNOWN', unknown],
    ['UNKNOWN with addresses', Buffer.from('PROXY UNKNOWN ffff:f::1 ffff::2 65535 65535\r\n')],
    ['LOCAL', binary(0x20, 0x00, 0)],
    ['LOCAL with addresses', binary(0x20, 0x11, 12, ...Array.from({ length: 12 }, () => 9))],
    ['a family that is not known', binary(0x21, 0x00, 3, 1, 2, 3)],
    ['a Unix socket', binary(0x21, 0x31, 216, ...Array.from({ length: 216 }, () => 0))],
  ])('names nobody: %s', (_, bytes) => expect(readProxyHeader(bytes)).toEqual({ kind: 'header', byteCount: bytes.length }))

  it.each([
    ['another text', 'GET / HTTP/1.1\r\n'],
    ['small letters', 'proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n'],
    ['IPv6 as TCP4', 'PROXY TCP4 ::1 ::1 1 2\r\n'],
    ['IPv4 as TCP6', 'PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n'],
    ['UDP4', 'PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n'],
    ['a port too large', 'PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n'],
    ['a port with a zero before', 'PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n'],
    ['a port missing', 'PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n'],
    ['one more word', 'PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n'],
    ['two spaces', 'PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n'],
    ['no carriage return', 'PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n'],
    ['a zone', 'PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n'],
    ['a line of 108 bytes', `PROXY UNKNOWN ${'x'.repeat(92)}\r\n`],
  ])('is refused: %s', (_, text) => expect(kindOf(Buffer.from(text))).toBe('invalid'))

  it.each([
    ['version 1 in the form of 2', binary(0x11, 0x11, 12, ...Array.from({ length: 12 }, () => 9))],
    ['a command that is not known', binary(0x22, 0x11, 12)],
    ['datagrams', binary(0x21, 0x12, 12)],
    ['addresses cut short', binary(0x21, 0x11, 11)],
    ['IPv6 addresses cut short', binary(0x21, 0x21, 35)],
    ['one that is too long', binary(0x21, 0x11, limits.proxyHeaderBytesMax)],
  ])('is refused: %s', (_, bytes) => expect(kindOf(bytes)).toBe('invalid'))

  it('may fill a line of 107 bytes', () => expect(kindOf(Buffer.from(`PROXY UNKNOWN ${'x'.repeat(91)}\r\n`))).toBe('header'))
})
