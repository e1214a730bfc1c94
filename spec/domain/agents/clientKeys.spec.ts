import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { ClientKeys, type KeysDelta } from '../../../src/domain/agents/clientKeys.js'
import type { KeyEntry, KeysChange } from '../../../src/domain/agents/keyEntry.js'
import { claimedIdOf, keyLineText, readKeyLine } from '../../../src/domain/agents/keyLine.js'
import { changeKeys as changeKeysInParts } from '../../../src/domain/agents/keys/keysChange.js'

const changeKeys = (keys: ClientKeys, changes: readonly KeysChange[], managerName: string) => {
  const { answers, parts } = changeKeysInParts(keys, changes, managerName)
  return { answers, bytes: parts && Buffer.concat(parts) }
}

const take = (keys: ClientKeys, text: string | Uint8Array): KeysDelta => {
  const delta = keys.replace(Buffer.from(text), false)
  if (typeof delta === 'string') throw new Error(delta)
  return delta
}

const keysOf = (text: string | Uint8Array): ClientKeys => {
  const keys = new ClientKeys()
  take(keys, text)
  return keys
}

const entriesOf = (keys: ClientKeys): Map<number, KeyEntry> => new Map([...keys.entries()].map((entry) => [entry.id, entry]))

/** Few IDs and names, so that lines often name the same agent; and some that cannot be used. */
const ids = fc.integer({ min: 1, max: 12 })
const names = fc.constantFrom('web', 'db', 'mail', 'proxy-1', 'a.b_c')
const keyTexts = fc.constantFrom('aa', 'bb', 'cc')
const entries: fc.Arbitrary<KeyEntry> = fc.record({ id: ids, name: names, ip: fc.constantFrom('any', '10.0.0.1'), key: keyTexts })
const liveLines = entries.map(keyLineText)
const removedLines = entries.map((entry) => keyLineText({ ...entry, name: `!${entry.name}` }))
const oddLines = fc.oneof(
  fc.constantFrom(
    '',
    '# comment',
    '#',
    ' ',
    '\t',
    '001',
    '001 web',
    '002 web any',
    '0 web any aa',
    '3 web any aa',
    '004  any aa',
    'x y z w',
  ),
  fc.constantFrom(`005 web any ${'k'.repeat(limits.keysLineBytesMax)}`, '006 .web any aa', '007 web 300.1.1.1 aa', '008 web any a a'),
  fc.string({ unit: fc.constantFrom('0', '1', ' ', '!', '#', 'w', 'é', '\t'), maxLength: 12 }),
)
const lines = fc.oneof({ weight: 6, arbitrary: liveLines }, { weight: 2, arbitrary: removedLines }, { weight: 1, arbitrary: oddLines })
const ends = fc.constantFrom('\n', '\n', '\n', '\r\n')
const texts = fc
  .tuple(fc.array(fc.tuple(lines, ends), { maxLength: 12 }), fc.boolean())
  .map(([parts, isEnded]) => parts.map(([line, end], index) => line + (isEnded || index < parts.length - 1 ? end : '')).join(''))

/** What the file means, by the simplest reading of the rules. */
const model = (text: string): { live: Map<number, KeyEntry>; removed: Set<number>; highestId: number } => {
  const live = new Map<number, KeyEntry>()
  const removed = new Set<number>()
  const decided = new Set<number>()
  let highestId = 0
  for (const line of text.split('\n')) {
    const read = Buffer.from(line).length > limits.keysLineBytesMax ? undefined : readKeyLine(Buffer.from(line).toString('latin1'))
    const start = /^(\d{3,}) /.exec(line)?.[1]
    if (start !== undefined && !/^0{3,}$|^0\d{3,}/.test(start)) highestId = Math.max(highestId, Number(start))
    if (read?.kind !== 'live' && read?.kind !== 'removed') continue
    const { id, name } = read.entry
    if (decided.has(id)) continue
    decided.add(id)
    if (read.kind === 'removed') removed.add(id)
    else if (![...live.values()].some((other) => other.name === name)) live.set(id, read.entry)
  }
  return { live, removed, highestId }
}

describe('a line of client.keys', () => {
  it.each([
    ['001 web any 0123', { id: 1, name: 'web', ip: 'any', key: '0123' }],
    ['1000000 a-b_c.d 10.0.0.0/8 ~!', { id: 1_000_000, name: 'a-b_c.d', ip: '10.0.0.0/8', key: '~!' }],
    ['100 web 10.8.0.0/255.255.0.0 k', { id: 100, name: 'web', ip: '10.8.0.0/255.255.0.0', key: 'k' }],
    ['099 -x ::1/128 k\r', { id: 99, name: '-x', ip: '::1/128', key: 'k' }],
    ['100 web ::ffff:1.2.3.4 k', { id: 100, name: 'web', ip: '::ffff:1.2.3.4', key: 'k' }],
    ['100 web 1:2:3:4:5:6:7:8 k', { id: 100, name: 'web', ip: '1:2:3:4:5:6:7:8', key: 'k' }],
  ])('names an agent: %s', (line, entry) => expect(readKeyLine(line)).toEqual({ kind: 'live', entry }))

  it.each([
    ['01 web any k', /its ID/],
    ['0001 web any k', /its ID/],
    ['000 web any k', /its ID/],
    ['2147483648 web any k', /its ID/],
    ['99999999999999999999 web any k', /its ID/],
    ['-01 web any k', /its ID/],
    ['001 w any k', /its name/],
    ['001 .web any k', /its name/],
    [`001 ${'w'.repeat(129)} any k`, /its name/],
    ['001 we:b any k', /its name/],
    ['001 !!web any k', /its name/],
    ['001 web Any k', /its address/],
    ['001 web 10.0.0 k', /its address/],
    ['001 web 10.0.0.256 k', /its address/],
    ['001 web 10.0.0.1/33 k', /its address/],
    ['001 web 10.0.0.1/ k', /its address/],
    ['001 web ::1/129 k', /its address/],
    ['001 web ::1/255.255.0.0 k', /its address/],
    ['001 web 1:2:3 k', /its address/],
    ['001 web 1::2::3 k', /its address/],
    ['001 web 1.2.3.4::1 k', /its address/],
    ['001 web :: : k', /its key/],
    ['001 web any k k', /its key/],
    ['001 web any ', /its key/],
    [`001 web any ${'k'.repeat(129)}`, /its key/],
    ['001 web any k\u00e9', /its key/],
    ['001 web any', /form/],
    ['001', /form/],
    [' 001 web any k', /form|its ID/],
  ])('cannot be used: %s', (line, reason) => {
    const read = readKeyLine(line)
    expect(read).toMatchObject({ kind: 'unusable', reason: expect.stringMatching(reason) })
  })

  it.each(['', '\r', '   ', '\t', '# 001 web any k', ' # indented'])('says nothing: %j', (line) =>
    expect(readKeyLine(line).kind).toBe('blank'),
  )
})

describe('client.keys', () => {
  it('names the agents of its usable lines, the first of duplicates, and the highest ID of all lines', () =>
    fc.assert(
      fc.property(texts, (text) => {
        const keys = keysOf(text)
        const { highestId, live, removed } = model(text)
        expect(entriesOf(keys)).toEqual(live)
        expect(new Set(keys.markedIds())).toEqual(removed)
        expect(keys.highestId).toBe(highestId)
      }),
      { numRuns: 1000 },
    ))

  it('ends as if only the last of any series of versions was read, and reports the changes', () =>
    fc.assert(
      fc.property(fc.array(texts, { minLength: 1, maxLength: 5 }), (versions) => {
        const keys = new ClientKeys()
        let before = model('')
        for (const version of versions) {
          const { marked, upserts, vanished } = take(keys, version)
          const after = model(version)
          expect(entriesOf(keys)).toEqual(after.live)
          expect(new Set(keys.markedIds())).toEqual(after.removed)
          const changed = [...after.live.values()].filter((entry) => JSON.stringify(before.live.get(entry.id)) !== JSON.stringify(entry))
          expect(new Map(upserts.map((entry) => [entry.id, entry]))).toEqual(new Map(changed.map((entry) => [entry.id, entry])))
          expect(new Set(marked)).toEqual(new Set([...after.removed].filter((id) => !before.removed.has(id))))
          expect(new Set(vanished.map(({ id }) => id))).toEqual(
            new Set([...before.live.keys()].filter((id) => !after.live.has(id) && !after.removed.has(id))),
          )
          before = after
        }
        expect(keys.unusableLines).toEqual(keysOf(versions.at(-1) ?? '').unusableLines)
      }),
      { numRuns: 1000 },
    ))

  /** Usable lines of different agents: a file that only grows and shrinks in places. */
  it('says the same after an edit in the middle of a clean file as when it is read from the start', () =>
    fc.assert(
      fc.property(
        fc.uniqueArray(ids, { maxLength: 12 }),
        fc.array(fc.tuple(ids, fc.constantFrom('keep', 'drop', 'mark', 'rekey', 'swap'))),
        (present, edits) => {
          let all = present.map((id) => ({ id, name: `agent-${id}`, ip: 'any', key: 'aa' }))
          const render = (list: readonly KeyEntry[]): string => list.map((entry) => `${keyLineText(entry)}\n`).join('')
          const keys = keysOf(render(all))
          for (const [id, edit] of edits) {
            if (edit === 'drop') all = all.filter((entry) => entry.id !== id)
            if (edit === 'mark') all = all.map((entry) => (entry.id === id ? { ...entry, name: `!${entry.name.replace('!', '')}` } : entry))
            if (edit === 'rekey') all = all.map((entry) => (entry.id === id ? { ...entry, key: `${entry.key}b` } : entry))
            if (edit === 'swap') all = [...all.slice(id), ...all.slice(0, id)]
            take(keys, render(all))
            const { live, removed } = model(render(all))
            expect(entriesOf(keys)).toEqual(live)
            expect(new Set(keys.markedIds())).toEqual(removed)
            for (const entry of live.values()) expect(keys.idOf(entry.name)).toBe(entry.id)
          }
        },
      ),
      { numRuns: 500 },
    ))

  it('of random bytes never fails, and takes no version with control characters', () =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, isAnyoneKnown) => {
        const keys = keysOf('001 web any aa\n')
        const isNoise = bytes.some((byte) => byte < 0x20 && ![9, 10, 13].includes(byte))
        const delta = keys.replace(Buffer.from(bytes), isAnyoneKnown)
        if (isNoise) expect(delta).toBe('noise')
        if (typeof delta === 'string') expect([...keys.entries()]).toHaveLength(1)
        if (isAnyoneKnown) expect(keys.isEmpty).toBe(false)
      }),
    ))

  it('names lines that cannot be used by number and reason, and never shows what is in them', () => {
    const secret = 'f00dbabe'.repeat(8)
    const keys = keysOf(
      `# c\n001 web any ${secret} x\n002 db any ${secret}\n002 db2 any ${secret}\n003 db any ${secret}\n${secret.repeat(200)}\n`,
    )
    expect(keys.unusableLines.map(({ sentence }) => sentence)).toEqual([
      'line 2: its key is not valid',
      'line 4: a line before it has the same ID',
      'line 5: a line before it has the same name',
      'line 6: it is longer than 1024 bytes',
    ])
    expect(JSON.stringify(keys.unusableLines)).not.toContain('f00dbabe')
  })
})

const changes: fc.Arbitrary<KeysChange> = fc.oneof(
  fc.record({
    kind: fc.constant('add' as const),
    name: fc.oneof(names, fc.constantFrom('new-1', 'new-2', 'x', 'manager', '.n')),
    ip: fc.constantFrom('any', '10.0.0.1', '10.0.0.2', 'nowhere'),
    key: fc.oneof(keyTexts, fc.constantFrom('', 'a b')),
    idFloor: fc.constantFrom(0, 5, 100),
  }),
  fc.record({ kind: fc.constant('remove' as const), id: ids }),
)

/** Of agents that enrol in place of others. */
const replacements: fc.Arbitrary<KeysChange> = fc.oneof(
  fc.record({
    kind: fc.constant('add' as const),
    name: fc.oneof(names, fc.constantFrom('new-1', 'new-2')),
    ip: fc.constantFrom('any', '10.0.0.1', '10.0.0.2'),
    key: keyTexts,
    idFloor: fc.constantFrom(0, 5),
    replaces: fc.oneof(fc.array(ids), fc.constant(Array.from({ length: 200 }, (_, id) => id))),
    purge: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('remove' as const), id: ids, purge: fc.boolean() }),
)

describe('a change of client.keys', () => {
  it('leaves every line that it does not change as it was, byte for byte, and in its place', () =>
    fc.assert(
      fc.property(texts, fc.array(changes, { maxLength: 6 }), (text, wanted) => {
        const before = Buffer.from(text)
        const keys = keysOf(before)
        const { answers, bytes } = changeKeys(keys, wanted, 'manager')
        const removed = answers.filter((answer, index) => answer.ok && wanted[index]?.kind === 'remove').length
        if (!bytes) {
          expect(removed).toBe(0)
          return
        }
        const oldLines = before.toString('latin1').split('\n')
        const newLines = bytes.toString('latin1').split('\n')
        let marked = 0
        for (const [index, line] of oldLines.entries()) {
          if (index === oldLines.length - 1 && line === '') continue
          if (newLines[index] === line) continue
          expect(newLines[index]).toBe(line.replace(' ', ' !'))
          marked += 1
        }
        expect(marked).toBe(removed)
      }),
      { numRuns: 1000 },
    ))

  it('does what its answers say: added agents have new IDs, removed ones are gone, the others stay', () =>
    fc.assert(
      fc.property(texts, fc.array(changes, { maxLength: 6 }), (text, wanted) => {
        const keys = keysOf(text)
        const usedIds = new Set([...keys.entries()].map(({ id }) => id).concat(...keys.markedIds()))
        const { answers, bytes } = changeKeys(keys, wanted, 'manager')
        const after = keysOf(bytes ?? text)
        const expected = entriesOf(keys)
        const removed = new Set<number>()
        for (const [index, answer] of answers.entries()) {
          const change = wanted[index]
          if (!answer.ok || !change) continue
          if (change.kind === 'remove') {
            expected.delete(change.id)
            removed.add(change.id)
          } else {
            expect(answer.entry).toMatchObject({ name: change.name, ip: change.ip, key: change.key })
            if (!expected.has(answer.entry.id)) {
              expect(usedIds.has(answer.entry.id)).toBe(false)
              expect(answer.entry.id).toBeGreaterThan(Math.max(keys.highestId, change.idFloor))
            }
            expected.set(answer.entry.id, answer.entry)
          }
        }
        // Removing one may make a line count that was a duplicate of it.
        for (const [id, entry] of expected) expect(after.get(id)).toEqual(entry)
        for (const id of removed) expect(after.get(id)).toBeUndefined()
        for (const id of removed) expect(new Set(after.markedIds())).toContain(id)
        for (const { id } of after.entries()) expect(expected.has(id) || text.includes(`${String(id).padStart(3, '0')} `)).toBe(true)
      }),
      { numRuns: 1000 },
    ))

  it('replaces all or none of those that have the name or the address, and drops lines when it is to', () =>
    fc.assert(
      fc.property(texts, fc.array(replacements, { maxLength: 6 }), (text, wanted) => {
        const keys = keysOf(text)
        const { answers, dropped, parts } = changeKeysInParts(keys, wanted, 'manager')
        const after = Buffer.concat(parts ?? [Buffer.from(text)])
        const expected = entriesOf(keys)
        const gone = new Set<number>()
        for (const [index, answer] of answers.entries()) {
          const change = wanted[index]
          if (change?.kind === 'remove' && answer.ok) {
            expected.delete(change.id)
            gone.add(change.id)
          }
          if (change?.kind !== 'add') continue
          const holders = [...expected.values()].filter(({ ip, name }) => name === change.name || (ip !== 'any' && ip === change.ip))
          if (!answer.ok && answer.holders) {
            expect(answer.holders.map(({ id }) => id).sort()).toEqual(holders.map(({ id }) => id).sort())
            expect(holders.some(({ id }) => change.replaces?.includes(id) !== true || keys.get(id) === undefined)).toBe(true)
          }
          if (!answer.ok || expected.has(answer.entry.id)) continue
          for (const { id } of holders) {
            expect(change.replaces).toContain(id)
            expect(keys.get(id)).toBeDefined()
            expected.delete(id)
            gone.add(id)
          }
          expected.set(answer.entry.id, answer.entry)
        }
        const live = keysOf(after)
        for (const [id, entry] of expected) expect(live.get(id)).toEqual(entry)
        for (const id of gone) expect(live.get(id)).toBeUndefined()
        const lines = after.toString('latin1').split('\n')
        for (const id of gone) expect(new Set(live.markedIds()).has(id)).toBe(!dropped.includes(id))
        // What shows that the highest ID was given out stays.
        if (parts) expect(Math.max(0, ...lines.map((line) => claimedIdOf(line) ?? 0))).toBeGreaterThanOrEqual(keys.highestId)
      }),
      { numRuns: 1000 },
    ))

  it('that was made before is answered with the existing agent, and changes nothing', () => {
    const add: KeysChange = { kind: 'add', name: 'new', ip: '10.0.0.9', key: 'kk', idFloor: 0 }
    const first = changeKeys(keysOf('001 web any aa\n'), [add, add], 'manager')
    expect(first.bytes?.toString()).toBe('001 web any aa\n002 new 10.0.0.9 kk\n')
    expect(first.answers).toEqual([first.answers[0], first.answers[0]])
    const again = changeKeys(keysOf(first.bytes ?? ''), [add], 'manager')
    expect(again).toEqual({ answers: [first.answers[0]], bytes: undefined })
  })

  it('shows only the beginning of a name that is too long, and that it goes on', () => {
    const longest = 'n'.repeat(limits.agentNameCharsMax)
    const [taken, refused] = changeKeys(
      keysOf(''),
      [longest, `${longest}n`].map((name) => add(name)),
      'manager',
    ).answers
    expect(taken).toMatchObject({ ok: true, entry: { name: longest } })
    expect(refused).toMatchObject({ ok: false, message: expect.stringMatching(`: ${longest}… \\(allowed are`) })
  })

  const start = '007 web 10.0.0.1 aa\n008 !old any bb\n009 db any cc\nx\n010 db any dd\n'
  const add = (name: string, ip = 'any', key = 'kk', idFloor = 0): KeysChange => ({ kind: 'add', name, ip, key, idFloor })
  it.each<[string, KeysChange[], (string | number)[]]>([
    ['an invalid name', [add('.x'), add('w'), add('a b'), add('')], Array(4).fill('agentNameInvalid')],
    ["the manager's own name", [add('manager')], ['agentNameInvalid']],
    ['an invalid address', [add('new', 'ANY'), add('new', '')], Array(2).fill('agentIpInvalid')],
    ['an invalid key', [add('new', 'any', ''), add('new', 'any', 'a\nb')], Array(2).fill('agentKeyInvalid')],
    ['a name that is taken', [add('web'), add('new'), add('new', 'any', 'other')], ['duplicateAgentName', 11, 'duplicateAgentName']],
    ['a name that a duplicate line has, once it is free', [{ kind: 'remove', id: 9 }, add('db')], [9, 'duplicateAgentName']],
    [
      'an address that is taken',
      [add('new', '10.0.0.1'), add('n2', '10.0.0.2'), add('n3', '10.0.0.2')],
      ['duplicateAgentIp', 11, 'duplicateAgentIp'],
    ],
    ['an address and a name once they are free', [{ kind: 'remove', id: 7 }, add('web', '10.0.0.1')], [7, 11]],
    [
      'an agent that is not there',
      [
        { kind: 'remove', id: 8 },
        { kind: 'remove', id: 10 },
        { kind: 'remove', id: 1 },
      ],
      Array(3).fill('unknownAgent'),
    ],
    [
      'an agent twice',
      [
        { kind: 'remove', id: 7 },
        { kind: 'remove', id: 7 },
      ],
      [7, 'unknownAgent'],
    ],
    ['an ID above the floor', [add('new', 'any', 'kk', 500), add('n2')], [501, 502]],
    ['no ID that is left', [add('new', 'any', 'kk', limits.agentIdMax)], ['tooManyAgents']],
  ])('answers: %s', (_, wanted, expected) => {
    const { answers, bytes } = changeKeys(keysOf(start), wanted, 'manager')
    expect(answers.map((answer) => (answer.ok ? answer.entry.id : answer.code))).toEqual(expected)
    expect(bytes !== undefined).toBe(answers.some((answer) => answer.ok))
  })

  it('names the ID that is in the way when none is left', () => {
    const { answers } = changeKeys(keysOf(`${start}2147483647 typo any kk\n`), [add('new')], 'manager')
    expect(answers).toMatchObject([{ ok: false, message: expect.stringMatching(/^No ID is left: 2147483647 was used once/) }])
  })
})
