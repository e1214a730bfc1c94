import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { escapeText, safeJson } from '../../../src/base/escapeText.js'
import { momentText } from '../../../src/base/momentText.js'
import type { AnswerLine } from '../../../src/domain/queries/answerLine.js'
import type { FileRow, FilesSummary, NodeHealth, NodeView } from '../../../src/domain/queries/clusterAnswer.js'
import { printFiles, printFilesJson } from '../../../src/programs/clusterControl/printFiles.js'
import { printHealth, printHealthJson, printHealthMore } from '../../../src/programs/clusterControl/printHealth.js'
import { printNodes, printNodesJson } from '../../../src/programs/clusterControl/printNodes.js'
import { secondsText } from '../../../src/programs/kit/moment.js'
import { tableText } from '../../../src/programs/kit/table.js'

const stream = async function* (lines: Iterable<AnswerLine>) {
  yield* lines
}

const printed = async (
  print: (answer: AsyncIterable<AnswerLine>) => AsyncIterable<string>,
  lines: Iterable<AnswerLine>,
): Promise<string> => {
  let text = ''
  for await (const part of print(stream(lines))) text += part
  return text
}

/** Template text without its first newline; `·` stands for a blank that an editor might strip. */
const exactly = (text: string): string => text.slice(1).replaceAll('·', ' ')

const cluster: AnswerLine = { kind: 'cluster', name: 'wazuh_cluster', unknownNodes: [] }
const node = (name: string, type: NodeView['type'], address: string): NodeView => ({
  name,
  type,
  version: '4.12.0',
  muster: '0.1.0',
  address,
})
const at = (text: string): number => {
  const [, whole = '', microseconds = '0'] = /^(.*\.\d{3})(\d{3})Z$/.exec(text) ?? []
  return Date.parse(`${whole}Z`) + Number(microseconds) / 1_000
}

const master: NodeHealth = { ...node('wazuh-1', 'master', '172.16.1.13'), activeAgents: 1 }
const busy: NodeHealth = {
  ...node('wazuh-2', 'worker', '172.16.1.14'),
  activeAgents: 1,
  worker: {
    lastKeepAliveMs: at('2025-08-18T17:05:40.275469Z'),
    clockSkewMs: 5_000,
    integrityCheck: { startMs: at('2025-08-18T17:06:28.638405Z'), endMs: at('2025-08-18T17:06:28.651010Z') },
    integritySync: {
      startMs: at('2025-08-18T17:05:07.376177Z'),
      endMs: at('2025-08-18T17:05:07.390796Z'),
      shared: 1,
      missing: 2,
      extra: 3,
    },
    agentInfo: { startMs: at('2025-08-18T17:06:20.389530Z'), endMs: at('2025-08-18T17:06:20.397984Z'), chunks: 1 },
    agentGroupsFull: { startMs: at('2025-08-18T17:05:23.944439Z'), endMs: at('2025-08-18T17:05:23.954292Z'), chunks: 4 },
    integrityFree: false,
  },
}
const fresh: NodeHealth = { ...node('wazuh-3', 'worker', '172.16.1.15'), activeAgents: 0, worker: { integrityFree: true } }
const health = (...nodes: readonly NodeHealth[]): readonly AnswerLine[] => [
  cluster,
  ...nodes.map((one): AnswerLine => ({ kind: 'health', node: one })),
]

describe('the table of nodes', () => {
  const nodes: readonly AnswerLine[] = [
    cluster,
    { kind: 'node', node: { ...node('worker-node-2', 'worker', '192.168.1.220'), version: '4.1.5' } },
    { kind: 'node', node: { ...node('worker-node-1', 'worker', '192.168.1.210'), version: '4.1.5' } },
    { kind: 'node', node: { ...node('master-node', 'master', '192.168.1.200'), version: '4.1.5' } },
  ]

  it("is Wazuh's to the blank, the master first and the workers by name", async () =>
    expect(await printed(printNodes, nodes)).toBe(
      exactly(`
NAME           TYPE    VERSION  ADDRESS········
master-node    master  4.1.5    192.168.1.200··
worker-node-1  worker  4.1.5    192.168.1.210··
worker-node-2  worker  4.1.5    192.168.1.220··
`),
    ))

  it('has one column more, behind the others, while a node is not ready', async () => {
    const drained: readonly AnswerLine[] = [
      cluster,
      { kind: 'node', node: { ...node('w1', 'worker', '10.0.0.2'), version: '4.1.5', state: 'drained' } },
      { kind: 'node', node: { ...node('m', 'master', '10.0.0.1'), version: '4.1.5', state: 'ready' } },
      { kind: 'absent', node: 'w2', state: 'removed' },
    ]
    expect(await printed(printNodes, drained)).toBe(
      exactly(`
NAME  TYPE    VERSION  ADDRESS   STATE····
m     master  4.1.5    10.0.0.1  ready····
w1    worker  4.1.5    10.0.0.2  drained··
`),
    )
    const ready = drained.filter(({ kind }) => kind !== 'node').concat(nodes.slice(1))
    expect(await printed(printNodes, ready)).toBe(await printed(printNodes, nodes))
    expect(JSON.parse(await printed(printNodesJson, drained))).toMatchObject({
      items: [{ state: 'ready' }, { state: 'drained' }],
      not_connected: [{ name: 'w2', state: 'removed' }],
    })
  })

  it('has the same nodes in the same order as JSON', async () => {
    const json: unknown = JSON.parse(await printed(printNodesJson, nodes.slice(2)))
    expect(json).toEqual({
      items: [
        { name: 'master-node', type: 'master', version: '4.1.5', address: '192.168.1.200', muster_version: '0.1.0' },
        { name: 'worker-node-1', type: 'worker', version: '4.1.5', address: '192.168.1.210', muster_version: '0.1.0' },
      ],
      total: 2,
    })
  })

  it('cannot be broken by what a node says of itself', async () =>
    expect(await printed(printNodes, [{ kind: 'node', node: { ...node('w', 'worker', '1.2.3.4'), version: '\u001b[2J1\nNAME' } }])).toBe(
      exactly(`
NAME  TYPE    VERSION         ADDRESS··
w     worker  \\x1b[2J1\\nNAME  1.2.3.4··
`),
    ))
})

describe('any table', () => {
  const cell = fc.string({ unit: 'grapheme-composite', maxLength: 12 })
  const rows = fc.integer({ min: 1, max: 5 }).chain((columns) => {
    const row = fc.array(cell, { minLength: columns, maxLength: columns })
    return fc.tuple(row, fc.array(row, { maxLength: 8 }))
  })

  it('pads every column, the last too, to its longest value and two blanks', () =>
    fc.assert(
      fc.property(rows, ([headers, body]) => {
        const all = [headers.map((header) => header.toUpperCase()), ...body].map((row) => row.map((value) => [...value]))
        const starts = headers.map((_, column) =>
          Array.from({ length: column }, (_, before) => Math.max(...all.map((row) => row[before]?.length ?? 0)) + 2).reduce(
            (a, b) => a + b,
            0,
          ),
        )
        const lines = tableText(headers, body).split('\n')
        expect(lines.pop()).toBe('')
        expect(lines).toHaveLength(all.length)
        expect(new Set(lines.map((line) => [...line].length)).size).toBe(1)
        for (const [at, row] of all.entries())
          for (const [column, value] of row.entries()) {
            const shown = [...(lines[at] ?? '')].slice(starts[column], starts[column + 1])
            expect(shown.join('')).toBe([...value, ...Array<string>(shown.length - value.length).fill(' ')].join(''))
            expect(shown.length).toBeGreaterThanOrEqual(value.length + 2)
          }
      }),
    ))
})

describe('the health', () => {
  it('in short has a line a worker and none for the master', async () =>
    expect(await printed(printHealth, health(fresh, busy, master))).toBe(
      exactly(`
Cluster name: wazuh_cluster

Last completed synchronization for connected nodes (2):
    wazuh-2 (172.16.1.14): Integrity check: 2025-08-18T17:06:28.651010Z | Integrity sync: 2025-08-18T17:05:07.390796Z | Agents-info: 2025-08-18T17:06:20.397984Z | Agent-groups: n/a | Agent-groups full: 2025-08-18T17:05:23.954292Z | Last keep alive: 2025-08-18T17:05:40.275469Z.
    wazuh-3 (172.16.1.15): Integrity check: n/a | Integrity sync: n/a | Agents-info: n/a | Agent-groups: n/a | Agent-groups full: n/a | Last keep alive: n/a.

`),
    ))

  it("in full has every field of Wazuh's, and n/a for what never happened", async () =>
    expect(await printed(printHealthMore, health(fresh, busy, master))).toBe(
      exactly(`
Cluster name: wazuh_cluster

Connected nodes (2):

    wazuh-1 (172.16.1.13)
        Version: 4.12.0
        Muster version: 0.1.0
        Type: master
        Active agents: 1

    wazuh-2 (172.16.1.14)
        Version: 4.12.0
        Muster version: 0.1.0
        Type: worker
        Active agents: 1
        Status:
            Last keep Alive:
                Last received: 2025-08-18T17:05:40.275469Z.
            Integrity check:
                Last integrity check: 0.013s (2025-08-18T17:06:28.638405Z - 2025-08-18T17:06:28.651010Z).
                Permission to check integrity: False.
            Integrity sync:
                Last integrity synchronization: 0.015s (2025-08-18T17:05:07.376177Z - 2025-08-18T17:05:07.390796Z).
                Synchronized files: Shared: 1 | Missing: 2 | Extra: 3.
            Agents-info:
                Last synchronization: 0.008s (2025-08-18T17:06:20.389530Z - 2025-08-18T17:06:20.397984Z).
                Number of synchronized chunks: 1.
                Permission to synchronize agent-info: True.
            Agents-groups:
                Last synchronization: n/a (n/a - n/a).
                Number of synchronized chunks: 0.
            Agents-groups full:
                Last synchronization: 0.01s (2025-08-18T17:05:23.944439Z - 2025-08-18T17:05:23.954292Z).
                Number of synchronized chunks: 4.

    wazuh-3 (172.16.1.15)
        Version: 4.12.0
        Muster version: 0.1.0
        Type: worker
        Active agents: 0
        Status:
            Last keep Alive:
                Last received: n/a.
            Integrity check:
                Last integrity check: n/a (n/a - n/a).
                Permission to check integrity: True.
            Integrity sync:
                Last integrity synchronization: n/a (n/a - n/a).
                Synchronized files: Shared: 0 | Missing: 0 | Extra: 0.
            Agents-info:
                Last synchronization: n/a (n/a - n/a).
                Number of synchronized chunks: 0.
                Permission to synchronize agent-info: True.
            Agents-groups:
                Last synchronization: n/a (n/a - n/a).
                Number of synchronized chunks: 0.
            Agents-groups full:
                Last synchronization: n/a (n/a - n/a).
                Number of synchronized chunks: 0.

`),
    ))

  it.each([
    [5_001, 'Clock skew: 5.001s behind the master.'],
    [-7_200_000, 'Clock skew: 7200.0s ahead of the master.'],
  ])('says in full when a clock is off by more than five seconds: %d ms', async (clockSkewMs, sentence) =>
    expect(await printed(printHealthMore, health({ ...fresh, worker: { integrityFree: true, clockSkewMs } }))).toContain(
      `                Last received: n/a.\n                ${sentence}\n            Integrity check:\n`,
    ),
  )

  it('says in full and as JSON when the certificates under a connection end', async () => {
    const received = health({ ...fresh, worker: { integrityFree: true, certificateEndsMs: 4_102_444_800_000 } })
    expect(await printed(printHealthMore, received)).toContain('        Certificate: ends 2100-01-01T00:00:00.000000Z\n')
    expect(JSON.parse(await printed(printHealthJson, received))).toMatchObject({
      nodes: { 'wazuh-3': { info: { certificate_end: '2100-01-01T00:00:00.000000Z' } } },
    })
  })

  it.each(['current', 'previous'] as const)('says in full and as JSON that a worker came in with the %s key', async (key) => {
    const received = health({ ...fresh, worker: { integrityFree: true, key } })
    expect(await printed(printHealthMore, received)).toContain(`        Active agents: 0\n        Cluster key: ${key}\n        Status:\n`)
    expect(JSON.parse(await printed(printHealthJson, received))).toMatchObject({ nodes: { 'wazuh-3': { info: { cluster_key: key } } } })
  })

  it('says in full and as JSON where the integrity thread of a worker is, when the master says so', async () => {
    const applying = health({ ...fresh, worker: { integrityFree: true, integrity: 'applying' } })
    expect(await printed(printHealthMore, applying)).toContain('        Active agents: 0\n        Integrity: applying\n        Status:\n')
    expect(JSON.parse(await printed(printHealthJson, applying))).toMatchObject({
      nodes: { 'wazuh-3': { status: { integrity: 'applying' } } },
    })
  })

  it('has as JSON how many reports about unknown agents were dropped, when the master says so', async () => {
    const received = health({ ...fresh, worker: { integrityFree: true, unknownAgentReports: 3 } })
    const status = { unknown_agent_reports: 3 }
    expect(JSON.parse(await printed(printHealthJson, received))).toMatchObject({ nodes: { 'wazuh-3': { status } } })
  })

  it('says in full and as JSON what a worker chose by itself, when it is known', async () => {
    const chosen = { compressed: false, diskWrites: 'together' }
    const received = health({ ...fresh, worker: { integrityFree: true, ...chosen } })
    expect(await printed(printHealthMore, received)).toContain(
      '        Content: uncompressed\n        Disk writes: together\n        Status:\n',
    )
    const status = { content_compressed: false, disk_writes: 'together' }
    expect(JSON.parse(await printed(printHealthJson, received))).toMatchObject({ nodes: { 'wazuh-3': { status } } })
  })

  it('is Wazuh-like as JSON, with the skew beside it', async () => {
    const never = { date_start_master: 'n/a', date_end_master: 'n/a' }
    const noGroups = { date_start: 'n/a', date_end: 'n/a', n_synced_chunks: 0 }
    expect(JSON.parse(await printed(printHealthJson, health(busy, fresh, master)))).toEqual({
      cluster: 'wazuh_cluster',
      n_connected_nodes: 2,
      nodes: {
        'wazuh-1': {
          info: { name: 'wazuh-1', type: 'master', version: '4.12.0', muster_version: '0.1.0', ip: '172.16.1.13', n_active_agents: 1 },
        },
        'wazuh-2': {
          info: {
            name: 'wazuh-2',
            type: 'worker',
            version: '4.12.0',
            muster_version: '0.1.0',
            ip: '172.16.1.14',
            n_active_agents: 1,
            cluster_key: null,
          },
          status: {
            last_keep_alive: '2025-08-18T17:05:40.275469Z',
            clock_skew_seconds: 5,
            integrity: null,
            content_compressed: null,
            disk_writes: null,
            sync_integrity_free: false,
            last_check_integrity: { date_start_master: '2025-08-18T17:06:28.638405Z', date_end_master: '2025-08-18T17:06:28.651010Z' },
            last_sync_integrity: {
              date_start_master: '2025-08-18T17:05:07.376177Z',
              date_end_master: '2025-08-18T17:05:07.390796Z',
              total_files: { missing: 2, shared: 1, extra: 3 },
            },
            sync_agent_info_free: true,
            unknown_agent_reports: null,
            last_sync_agentinfo: {
              date_start_master: '2025-08-18T17:06:20.389530Z',
              date_end_master: '2025-08-18T17:06:20.397984Z',
              n_synced_chunks: 1,
            },
            last_sync_agentgroup: noGroups,
            last_sync_full_agentgroup: {
              date_start: '2025-08-18T17:05:23.944439Z',
              date_end: '2025-08-18T17:05:23.954292Z',
              n_synced_chunks: 4,
            },
          },
        },
        'wazuh-3': {
          info: {
            name: 'wazuh-3',
            type: 'worker',
            version: '4.12.0',
            muster_version: '0.1.0',
            ip: '172.16.1.15',
            n_active_agents: 0,
            cluster_key: null,
          },
          status: {
            last_keep_alive: 'n/a',
            clock_skew_seconds: null,
            integrity: null,
            content_compressed: null,
            disk_writes: null,
            sync_integrity_free: true,
            last_check_integrity: never,
            last_sync_integrity: { ...never, total_files: { missing: 0, shared: 0, extra: 0 } },
            sync_agent_info_free: true,
            unknown_agent_reports: null,
            last_sync_agentinfo: { ...never, n_synced_chunks: 0 },
            last_sync_agentgroup: noGroups,
            last_sync_full_agentgroup: noGroups,
          },
        },
      },
    })
  })

  it('as JSON keeps a worker whose name means something to JavaScript', async () =>
    expect(await printed(printHealthJson, health({ ...fresh, name: '__proto__' }))).toContain('"__proto__": {'))

  it.each([
    [0, '0.0s'],
    [13, '0.013s'],
    [12.605, '0.013s'],
    [100, '0.1s'],
    [1_000, '1.0s'],
    [61_250, '61.25s'],
  ])('prints %d ms as %s', (ms, text) => expect(secondsText(ms)).toBe(text))

  it('prints every moment to the microsecond, in UTC', () =>
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), fc.integer({ min: 0, max: 999 }), (ms, microseconds) => {
        const text = momentText(ms + microseconds / 1_000)
        expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
        expect(Date.parse(`${text.slice(0, -4)}Z`)).toBe(ms)
        expect(Number(text.slice(-4, -1))).toBe(microseconds)
      }),
    ))
})

const summary = (name: string, changed: Partial<FilesSummary> = {}): AnswerLine => ({
  kind: 'filesOf',
  summary: { node: name, inSync: false, files: 34, pending: 0, failed: 0, failuresLeftOut: 0, ...changed },
})
const file = (row: FileRow): AnswerLine => ({ kind: 'file', row })

describe('the files', () => {
  const answer: readonly AnswerLine[] = [
    cluster,
    summary('worker-1', { pending: 1, failed: 3, failuresLeftOut: 4 }),
    file({ node: 'worker-1', file: 'etc/rules/local_rules.xml', state: 'pending' }),
    file({ node: 'worker-1', file: 'etc/rules/a\n\u001b[31mb.xml', state: 'failed', code: 'diskFull', error: 'The disk is full' }),
    file({ node: 'worker-1', file: 'etc/rules/c.xml', state: 'failed', code: 'fileFailed' }),
    summary('worker-2', { inSync: true }),
    file({ node: 'worker-2', file: 'etc/client.keys', state: 'synced' }),
    summary('worker-3'),
  ]

  it('are those out of sync with the reason, and then a sentence for each other worker', async () =>
    expect(await printed(printFiles, answer)).toBe(
      exactly(`
NODE      FILE                        STATE    ERROR·············
worker-1  etc/rules/local_rules.xml   pending····················
worker-1  etc/rules/a\\n\\x1b[31mb.xml  failed   The disk is full··
worker-1  etc/rules/c.xml             failed   fileFailed········

5 more files of worker-1 are not in sync.
All 34 files of worker-2 are in sync.
The files of worker-3 have not been compared yet.
`),
    ))

  it('are one sentence a worker when all is in sync', async () =>
    expect(await printed(printFiles, [cluster, summary('w1', { inSync: true, files: 1 }), summary('w2', { inSync: true })])).toBe(
      'The file of w1 is in sync.\nAll 34 files of w2 are in sync.\n',
    ))

  it('come with what the manager of a worker said of its rules, when something is wrong with them', async () => {
    const atMs = Date.UTC(2026, 10, 26, 17, 8)
    const lines = [
      cluster,
      summary('w1', { inSync: true, ruleset: { atMs, isLoaded: true, messages: ['Rule 1\u001b[31m is old'] } }),
      summary('w2', { inSync: true, ruleset: { atMs, isLoaded: false, messages: ['Rule 2 is wrong', 'Rule 3 is wrong'] } }),
      summary('w3', { inSync: true, ruleset: { atMs, isLoaded: true, messages: [] } }),
    ]
    expect(await printed(printFiles, lines)).toBe(
      exactly(`
All 34 files of w1 are in sync.
The rules of w1 were loaded with warnings (2026-11-26 17:08 UTC):
  Rule 1\\x1b[31m is old
All 34 files of w2 are in sync.
The rules of w2 could not be loaded, and the previous ones are kept (2026-11-26 17:08 UTC):
  Rule 2 is wrong
  Rule 3 is wrong
All 34 files of w3 are in sync.
`),
    )
    expect(JSON.parse(await printed(printFilesJson, lines))).toMatchObject({
      nodes: [
        { name: 'w1', ruleset: { at: '2026-11-26T17:08:00.000Z', loaded: true, messages: ['Rule 1\u001b[31m is old'] } },
        { name: 'w2', ruleset: { loaded: false } },
        { name: 'w3', ruleset: { messages: [] } },
      ],
    })
  })

  it('are a sentence when there are no workers', async () =>
    expect(await printed(printFiles, [cluster])).toBe('There are no workers to show.\n'))

  it('are all there as JSON, also those in sync', async () => {
    const text = await printed(printFilesJson, answer)
    expect(text).not.toContain('\u001b')
    expect(JSON.parse(text)).toEqual({
      nodes: [
        {
          name: 'worker-1',
          in_sync: false,
          files: 34,
          pending: 1,
          failed: 3,
          failures_left_out: 4,
          items: [
            { file: 'etc/rules/local_rules.xml', state: 'pending' },
            { file: 'etc/rules/a\n\u001b[31mb.xml', state: 'failed', code: 'diskFull', error: 'The disk is full' },
            { file: 'etc/rules/c.xml', state: 'failed', code: 'fileFailed' },
          ],
        },
        {
          name: 'worker-2',
          in_sync: true,
          files: 34,
          pending: 0,
          failed: 0,
          failures_left_out: 0,
          items: [{ file: 'etc/client.keys', state: 'synced' }],
        },
        { name: 'worker-3', in_sync: false, files: 34, pending: 0, failed: 0, failures_left_out: 0, items: [] },
      ],
    })
    expect(JSON.parse(await printed(printFilesJson, [cluster]))).toEqual({ nodes: [] })
  })

  it('keep the layout of the first rows to the end', async () => {
    const many = function* (): Generator<AnswerLine> {
      for (let index = 3_000; index > 0; index--) yield file({ node: 'w', file: `etc/lists/${index}`, state: 'pending' })
    }
    const lines = (await printed(printFiles, many())).split('\n').slice(0, 3_001)
    expect(lines.at(-1)).toMatch(/^w {5}etc\/lists\/1 /)
    expect(new Set(lines.map((line) => line.length)).size).toBe(1)
  })

  it('are printed as they come: never much more than the first thousand rows wait', async () => {
    const rows = 100_000
    let asked = 0
    const many = function* (): Generator<AnswerLine> {
      yield summary('w', { pending: rows })
      for (; asked < rows; asked++) yield file({ node: 'w', file: `etc/lists/${asked}`, state: 'pending' })
    }
    for (const [print, waitMax] of [
      [printFiles, 1_001],
      [printFilesJson, 2],
    ] as const) {
      asked = 0
      let received = 0
      let waitedMost = 0
      for await (const part of print(stream(many()))) {
        received += part.includes('etc/lists/') ? 1 : 0
        waitedMost = Math.max(waitedMost, asked - received)
      }
      expect(received).toBe(rows)
      expect(waitedMost).toBeLessThanOrEqual(waitMax)
    }
  })
})

describe('texts of others', () => {
  const hostile = fc.string({
    unit: fc
      .oneof(fc.integer({ min: 0, max: 0x9f }), fc.constantFrom(0x5c, 0x202e, 0x2028, 0x200b, 0xd800, 0xfeff, 0xe9, 0x1f600))
      .map((code) => String.fromCodePoint(code)),
  })
  const unescaped = (text: string): string =>
    text.replace(/\\(?:x([0-9a-f]{2})|u\{([0-9a-f]+)\}|(.))/g, (_, byte?: string, code?: string, letter?: string) => {
      const hex = byte ?? code
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16))
      return { n: '\n', r: '\r', t: '\t' }[letter ?? ''] ?? letter ?? ''
    })

  it('lose every character that could act on a terminal, and nothing else', () =>
    fc.assert(
      fc.property(hostile, (text) => {
        const shown = escapeText(text)
        expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u)
        expect(unescaped(shown)).toBe(text)
      }),
    ))

  it('stay as they are in JSON, yet cannot act on a terminal', () =>
    fc.assert(
      fc.property(hostile, fc.constantFrom(0, 2), (text, indent) => {
        const shown = safeJson({ [text]: [text] }, indent)
        expect(shown.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u)
        expect(JSON.parse(shown)).toEqual(JSON.parse(JSON.stringify({ [text]: [text] })))
      }),
    ))
})
