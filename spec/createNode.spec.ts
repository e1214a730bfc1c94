import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ClusterError } from '../src/base/errors.js'
import { createNode, type NodeOptions } from '../src/createNode.js'
import { defaultEnrolmentRules } from '../src/domain/agents/replacement.js'
import { defaultTimings } from '../src/domain/cluster/timings.js'
import { defaultSyncedItems } from '../src/domain/files/syncedItems.js'
import { validSettings } from './config/renderedConfig.js'

const root = mkdtempSync(join(tmpdir(), 'muster-node-'))
const home = join(root, 'home')
const file = join(root, 'file')
const key = 'c98b62a9b6169ac5f67dae55ae4a9088'
const valid = { home, type: 'worker', node: 'w1', key, master: { host: '192.0.2.1', port: 1516 } } as const

beforeAll(() => {
  mkdirSync(home)
  writeFileSync(file, '')
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** As a JavaScript program calls it, without types. */
const create = (options: unknown) => createNode(options as NodeOptions)

const refusalOf = (options: unknown): ClusterError => {
  try {
    create(options)
  } catch (thrown) {
    if (thrown instanceof ClusterError) return thrown
    throw thrown
  }
  throw new Error('The options were taken')
}

const [item] = defaultSyncedItems.items
const withItem = (change: object) => ({ synced: { ...defaultSyncedItems, items: [{ ...item, ...change }] } })
const withForce = (change: object) => ({
  enrolmentRules: { ...defaultEnrolmentRules, force: { ...defaultEnrolmentRules.force, ...change } },
})
const notTexts = fc.constantFrom<unknown>(7, null, true, {}, [], Number.NaN, 1n, () => 7, Symbol('x'))
const notNumbers = fc.constantFrom<unknown>('1', null, true, {}, [], Number.NaN, Number.POSITIVE_INFINITY, -1, 1n)
const notBooleans = fc.constantFrom<unknown>('yes', 1, null, {}, Number.NaN)
const notObjects = fc.constantFrom<unknown>('x', 7, null, true, [], () => 7)
const texts = (...invalid: unknown[]) => fc.oneof(notTexts, fc.constantFrom(...invalid))

const untouched = (): void => {
  expect(readdirSync(root).sort()).toEqual(['file', 'home'])
  expect(readdirSync(home)).toEqual([])
}

/** An option, values that are not allowed, and where in the options they are. */
const invalid: readonly (readonly [place: string, value: fc.Arbitrary<unknown>, given: (value: unknown) => object])[] = [
  ['home', texts('', join(root, 'none'), file, '\0'), (value) => ({ home: value })],
  ['type', texts('', 'client', 'Master'), (value) => ({ type: value })],
  ['node', texts('', 'a b', '..', 'a/b', '../x', 'x'.repeat(129)), (value) => ({ node: value })],
  ['cluster', texts('', 'a\nb', 'x'.repeat(129)), (value) => ({ cluster: value })],
  ['key', texts('', 'a'.repeat(31), 'a'.repeat(33), `${'a'.repeat(31)}-`), (value) => ({ key: value })],
  ['previousKey', texts('', 'a'.repeat(31), key), (value) => ({ previousKey: value })],
  ['master', notObjects, (value) => ({ master: value })],
  ['master.host', texts('', 'localhost', 'NODE_IP', '0.0.0.0', '1.2.3.256', 'a b'), (value) => ({ master: { host: value } })],
  ['master.port', notNumbers, (value) => ({ master: { ...valid.master, port: value } })],
  ['master.port', fc.constantFrom(0, 80, 65_535, 1516.5), (value) => ({ master: { ...valid.master, port: value } })],
  ['bindAddress', texts('', 'localhost', '256.0.0.1'), (value) => ({ bindAddress: value })],
  ['compression', texts('', 'yes'), (value) => ({ compression: value })],
  ['manager', texts('', 'ossec'), (value) => ({ manager: value })],
  ['apiBridge', texts('', 'on'), (value) => ({ apiBridge: value })],
  ['workersMax', fc.oneof(notNumbers, fc.constantFrom(0, 1.5, 10_001)), (value) => ({ workersMax: value })],
  ['enrolmentRules', notObjects, (value) => ({ enrolmentRules: value })],
  ['enrolmentRules.purge', notBooleans, (value) => ({ enrolmentRules: { ...defaultEnrolmentRules, purge: value } })],
  ['enrolmentRules.force', notObjects, (value) => ({ enrolmentRules: { ...defaultEnrolmentRules, force: value } })],
  ['enrolmentRules.force.enabled', notBooleans, (value) => withForce({ enabled: value })],
  ['enrolmentRules.force.keyMismatch', notBooleans, (value) => withForce({ keyMismatch: value })],
  ['enrolmentRules.force.disconnectedMs', notNumbers, (value) => withForce({ disconnectedMs: value })],
  ['enrolmentRules.force.afterRegistrationMs', notNumbers, (value) => withForce({ afterRegistrationMs: value })],
  ['timings', notObjects, (value) => ({ timings: value })],
  ...Object.keys(defaultTimings).map(
    (name) =>
      [
        `timings.${name}`,
        fc.oneof(notNumbers, fc.constantFrom(2 ** 60, name.endsWith('Max') && !name.endsWith('MsMax') ? 1.5 : -0.5)),
        (value: unknown) => ({ timings: { [name]: value } }),
      ] as const,
  ),
  ['synced', notObjects, (value) => ({ synced: value })],
  ['synced.items', fc.constantFrom<unknown>('x', 7, null, {}), (value) => ({ synced: { ...defaultSyncedItems, items: value } })],
  ['synced.items[0]', notObjects, (value) => ({ synced: { ...defaultSyncedItems, items: [value] } })],
  ['synced.items[0].dir', texts('', '/etc', '../x', 'etc/', 'queue/db', 'a//b', 'logs'), (value) => withItem({ dir: value })],
  ['synced.items[0].files', fc.constantFrom<unknown>('some', 7, null, [], ['a/b'], [7]), (value) => withItem({ files: value })],
  ['synced.items[0].mode', fc.oneof(notNumbers, fc.constantFrom(0, 0o077, 0o1000, 0.5)), (value) => withItem({ mode: value })],
  ...['recursive', 'removeEmptyDirectories', 'reload'].map(
    (name) => [`synced.items[0].${name}`, notBooleans, (value: unknown) => withItem({ [name]: value })] as const,
  ),
  ...['excludedNames', 'excludedEndings'].map(
    (name) =>
      [
        `synced.${name}`,
        fc.constantFrom<unknown>('x', 7, null, [7], [''], ['a/b']),
        (value: unknown) => ({ synced: { ...defaultSyncedItems, [name]: value } }),
      ] as const,
  ),
  ...['enrolment', 'listener', 'events'].map((name) => [name, notObjects, (value: unknown) => ({ [name]: value })] as const),
  ...['usesSourceIp', 'usesPassword', 'verifiesHost', 'ipv6', 'allowHigherVersions'].map(
    (name) => [`enrolment.${name}`, notBooleans, (value: unknown) => ({ enrolment: { [name]: value } })] as const,
  ),
  ['enrolment.port', fc.oneof(notNumbers, fc.constantFrom(65_536, 1.5)), (value) => ({ enrolment: { port: value } })],
  ['listener.port', fc.oneof(notNumbers, fc.constantFrom(65_536, 1.5)), (value) => ({ listener: { port: value } })],
  [
    'listener.further',
    fc.constantFrom<unknown>({}, [{ port: 0, transports: ['tcp'], localIp: '', ipv6: false }], [{ port: 1600, transports: ['tcp'] }]),
    (value) => ({ listener: { further: value } }),
  ],
  ['listener.transports', fc.constantFrom<unknown>('tcp', [], ['sctp'], [7], null), (value) => ({ listener: { transports: value } })],
  ['listener.localIp', texts('localhost', '1.2.3'), (value) => ({ listener: { localIp: value } })],
  ['events.segmentBytesMax', fc.oneof(notNumbers, fc.constantFrom(0, 2 ** 40)), (value) => ({ events: { segmentBytesMax: value } })],
  ['events.toReader', notBooleans, (value) => ({ events: { toReader: value } })],
  ['verifiesCounters', notBooleans, (value) => ({ verifiesCounters: value })],
  ['hidden', notBooleans, (value) => ({ hidden: value })],
  ['proxies', fc.constantFrom<unknown>('10.0.0.1', ['any'], [7], {}, ['10.0.0.0/33']), (value) => ({ proxies: value })],
  ['ports', notObjects, (value) => ({ ports: value })],
  ...['clock', 'random', 'log', 'transport', 'files', 'agentStore', 'agentFiles', 'nodeStates', 'listener', 'enrolment'].map(
    (name) => [`ports.${name}`, notObjects, (value: unknown) => ({ ports: { [name]: value } })] as const,
  ),
]

describe('createNode', () => {
  it('refuses any single invalid option at once, with its value and what is allowed, and touches nothing', () =>
    fc.assert(
      fc.property(
        fc.constantFrom(...invalid).chain(([place, value, given]) => fc.tuple(fc.constant(place), value.map(given), value)),
        ([place, given]) => {
          const refusal = refusalOf({ ...valid, ...given })
          expect(refusal.code).toBe('configInvalid')
          expect(refusal.message).toMatch(/^createNode: [^\n]+: must be [^\n]+$/)
          expect(refusal.message).toContain(`createNode: ${place} is `)
          expect(refusal.message).not.toContain('aaaa')
          expect(refusal.message).not.toContain(key)
          untouched()
        },
      ),
      { numRuns: 500 },
    ))

  it('refuses missing and unknown options at every level, and reports all mistakes at once', () => {
    for (const name of ['home', 'type', 'node', 'key', 'master'])
      expect(refusalOf({ ...valid, [name]: undefined }).message).toContain(`${name} is missing: must be `)
    for (const options of [undefined, null, 7, 'x', []]) expect(refusalOf(options).message).toContain('must be an object')
    for (const [given, place] of [
      [{ nodes: 1 }, 'nodes'],
      [{ ['__proto__']: 1 }, '__proto__'],
      [{ master: { ...valid.master, address: 1 } }, 'master.address'],
      [{ timings: { keepAlive: 1 } }, 'timings.keepAlive'],
      [{ timings: { constructor: 1 } }, 'timings.constructor'],
      [{ synced: { ...defaultSyncedItems, excluded: 1 } }, 'synced.excluded'],
      [withItem({ directory: 1 }), 'synced.items[0].directory'],
      [{ ports: { disk: {} } }, 'ports.disk'],
      [{ listener: { protocol: 'tcp' } }, 'listener.protocol'],
      [{ enrolment: { use_password: true } }, 'enrolment.use_password'],
    ] as const)
      expect(refusalOf({ ...valid, ...given }).message).toContain(`createNode: ${place} is not an option: must be `)
    const many = refusalOf({ ...valid, node: 'a b', key: 'x', timings: { keepAliveMs: 0 } }).message
    for (const place of ['node', 'key', 'timings.keepAliveMs']) expect(many).toContain(`${place} is `)
    untouched()
  })

  it('refuses two items of one directory, and one inside a recursive one', () => {
    const [etc, shared] = defaultSyncedItems.items
    expect(refusalOf({ ...valid, synced: { ...defaultSyncedItems, items: [shared, shared] } }).message).toBe(
      'createNode: synced.items[1].dir is "etc/shared": must be another directory than that of every other item',
    )
    const items = [{ ...etc, recursive: true }, shared]
    expect(refusalOf({ ...valid, synced: { ...defaultSyncedItems, items } }).message).toContain('synced.items[0] is recursive and holds')
  })

  it('accepts whatever the daemon accepts, and does nothing before it is started', () =>
    fc.assert(
      fc.property(validSettings, (settings) => {
        const {
          bindAddress,
          compression,
          key,
          manager,
          masterAddress,
          name,
          nodeName,
          nodeType,
          port,
          previousKey,
          synced,
          timings,
          workersMax,
        } = settings
        const { enrolment, enrolmentRules, events, hidden, listener, proxies, verifiesCounters } = settings
        const master = { host: masterAddress, port }
        create({
          home,
          type: nodeType,
          node: nodeName,
          cluster: name,
          key,
          previousKey,
          master,
          bindAddress,
          synced,
          compression,
          manager,
          workersMax,
          timings,
          ...{ enrolment, enrolmentRules, events, hidden, listener, proxies, verifiesCounters },
        })
        untouched()
      }),
    ))

  it('accepts port 0 on a master, and needs no home when no given port uses one', () => {
    create({ ...valid, type: 'master', master: { host: '127.0.0.1', port: 0 } })
    const ports = { agentStore: {}, agentFiles: {}, files: {}, nodeStates: {} }
    create({ ...valid, home: join(root, 'none'), ports })
    expect(refusalOf({ ...valid, home: join(root, 'none'), ports: { ...ports, files: undefined } }).message).toContain('home is ')
    untouched()
  })
})
