/** Any text is a config.yml that is taken or refused in bounded sentences; whatever is taken can become certificates. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fuzzParser } from '../../../bench/fuzzing/fuzzParser.js'
import { parsers } from '../../../bench/fuzzing/parsers.js'
import { altNameOf, isPrivateAddress } from '../../../src/domain/certificates/altName.js'
import { checkCertificateConfig } from '../../../src/domain/certificates/checkCertificateConfig.js'
import { closestName } from '../../../src/domain/certificates/closestName.js'
import { readCertificateConfig } from '../../../src/domain/certificates/readCertificateConfig.js'
import { components } from '../../../src/domain/certificates/writtenConfig.js'
import { SeededRandom } from '../../../src/simulation/world/seededRandom.js'

const parser = parsers.find(({ name }) => name === 'certificates: config.yml')
if (!parser) throw new Error('the parser is gone')

describe('any config.yml', () => {
  it('of arbitrary bytes is taken or refused, never more', () =>
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void parser.parse(bytes))))

  it('made of pieces of real ones is taken or refused, never more', () => {
    const { counts, failures } = fuzzParser(parser, 1_500, new SeededRandom('config.yml'))
    expect(failures).toEqual([])
    expect([...counts.keys()].sort()).toEqual(['refused', 'taken'])
  })

  it('that is well written says what it says, in every way of writing it', () => {
    const label = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/)
    const address = fc.oneof(
      fc.ipV4(),
      fc.ipV6().filter((text) => altNameOf(text) !== undefined),
      fc.tuple(label, label).map(([host, domain]) => `${host}.${domain}`),
    )
    const node = fc.record({
      component: fc.constantFrom(...components),
      addresses: fc.uniqueArray(address, { minLength: 1, maxLength: 4, selector: (text) => altNameOf(text)?.value }),
      style: fc.constantFrom('repeated', 'block', 'flow'),
      quote: fc.constantFrom('"', "'"),
    })
    fc.assert(
      fc.property(fc.array(node, { minLength: 1, maxLength: 5 }), fc.constantFrom('\n', '\r\n'), (written, newline) => {
        const used = new Set<string>()
        const nodes = written.map((one, at) => ({
          ...one,
          name: `n${at}`,
          addresses: one.addresses.filter((text) => {
            const key = `${one.component} ${altNameOf(text)?.value}`
            return !used.has(key) && used.add(key)
          }),
        }))
        fc.pre(nodes.every(({ addresses }) => addresses.length > 0))
        const text = components
          .filter((component) => nodes.some((one) => one.component === component))
          .flatMap((component) => [`  ${component}:`, ...nodes.filter((one) => one.component === component).flatMap(linesOf)])
        const { mistakes, nodes: read } = checkCertificateConfig(readCertificateConfig(['nodes:', ...text, ''].join(newline)), {
          checksTypes: false,
        })
        expect(mistakes).toEqual([])
        expect(new Map(read.map(({ addresses, name }) => [name, addresses.map(({ value }) => value)]))).toEqual(
          new Map(nodes.map(({ addresses, name }) => [name, addresses.map((one) => altNameOf(one)?.value)])),
        )
      }),
    )
  })
})

interface WrittenStyle {
  readonly name: string
  readonly addresses: readonly string[]
  readonly style: string
  readonly quote: string
}

const linesOf = ({ addresses, name, quote, style }: WrittenStyle): readonly string[] => {
  const quoted = addresses.map((one) => `${quote}${one}${quote}`)
  const first = `    - name: ${name}`
  if (style === 'flow') return [first, `      ip: [${quoted.join(', ')}]`]
  if (style === 'block') return [first, '      ip:', ...quoted.map((one) => `        - ${one}`)]
  return [first, ...quoted.map((one) => `      ip: ${one}`)]
}

describe('an address', () => {
  it.each([
    ['10.0.0.1', { type: 'ip', value: '10.0.0.1' }],
    ['FD00:0:0::1', { type: 'ip', value: 'fd00::1' }],
    ['::ffff:10.0.0.1', { type: 'ip', value: '10.0.0.1' }],
    ['ip-172-31-31-95.us-west-1.compute.internal', { type: 'dns', value: 'ip-172-31-31-95.us-west-1.compute.internal' }],
    ['foo.bar1.com', { type: 'dns', value: 'foo.bar1.com' }],
    ['worker_1', { type: 'dns', value: 'worker_1' }],
    ['*.example.com', { type: 'dns', value: '*.example.com' }],
    ...[
      '',
      '1',
      '10.0.0',
      '10.0.0.256',
      'a..b',
      '.a',
      'a.',
      '-a',
      'a-',
      'a b',
      'a/b',
      '*',
      '*.*.a',
      'a.*',
      'é.com',
      'x'.repeat(64),
      '10.0.0.1/8',
    ].map((text) => [text, undefined] as const),
  ] as const)('%j is read as what it is', (text, address) => expect(altNameOf(text)).toEqual(address))

  it.each(['10.1.1.1', '172.31.0.1', '192.168.1.1', '127.0.0.1', '100.64.0.1', 'fd12::1', 'fe80::1', '::1'])('%s is private', (text) =>
    expect(isPrivateAddress(text)).toBe(true),
  )
  it.each(['8.8.8.8', '172.32.0.1', '2001:db8::1', '100.128.0.1'])('%s is not', (text) => expect(isPrivateAddress(text)).toBe(false))
})

describe('did you mean', () => {
  it('finds a name with one slip in it, and none for another word', () => {
    const known = ['indexer', 'server', 'dashboard']
    for (const [given, meant] of [
      ['Server', 'server'],
      ['sever', 'server'],
      ['indxeer', 'indexer'],
      ['dashboards', 'dashboard'],
      ['manager', undefined],
      ['', undefined],
      ['x'.repeat(10_000), undefined],
    ] as const)
      expect(closestName(given, known)).toBe(meant)
  })

  it('never takes longer for a name that is longer than any', () =>
    fc.assert(fc.property(fc.string({ maxLength: 60 }), (given) => [undefined, 'nodes'].includes(closestName(given, ['nodes'])))))
})
