/** Datagrams to a reader on the same machine, over real Unix sockets. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { openLocalDatagrams } from '../../../src/platform/net/unixDatagrams.js'
import type { LocalDatagrams } from '../../../src/ports/listener.js'
import { LocalReader } from '../../support/manager/localReader.js'

let home = ''
let path = ''
let problems: string[] = []
let datagrams: LocalDatagrams
let nowMs = 0
const clock = { monotonicMs: () => nowMs }

const text = (parts: readonly Buffer[]): readonly string[] => parts.map(String)
const retried = (): void => {
  nowMs += limits.readerRetryMs
}

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'muster-'))
  path = join(home, 'queue')
  problems = []
  datagrams = openLocalDatagrams(path, clock, (sentence) => problems.push(sentence))
})

afterEach(() => {
  datagrams.close()
  rmSync(home, { recursive: true })
})

describe('datagrams to a local reader', () => {
  it('arrive whole, up to the largest event with its header, and from within a larger buffer', () => {
    const reader = new LocalReader(path)
    const large = Buffer.alloc(66_000, 'x')
    expect([datagrams.send(Buffer.from('..hello..').subarray(2, 7)), datagrams.send(large)]).toEqual(['sent', 'sent'])
    const [hello, rest] = reader.read()
    expect([String(hello), rest?.equals(large), problems]).toEqual(['hello', true, []])
    reader.close()
  })

  it('never wait: a reader that takes nothing is full, and goes on when it takes something', () => {
    const reader = new LocalReader(path)
    let sent = 0
    while (datagrams.send(Buffer.from(String(sent))) === 'sent') sent++
    expect(sent).toBeGreaterThan(0)
    expect(datagrams.send(Buffer.from('lost'))).toBe('full')
    expect(text(reader.read())).toEqual(Array.from({ length: sent }, (_, i) => String(i)))
    expect(datagrams.send(Buffer.from('more'))).toBe('sent')
    expect(text(reader.read())).toEqual(['more'])
    reader.close()
  })

  it('find a reader that comes, goes and comes back, and say nothing of it', () => {
    expect(datagrams.send(Buffer.from('a'))).toBe('absent')
    const first = new LocalReader(path)
    expect(datagrams.send(Buffer.from('b'))).toBe('absent')
    retried()
    expect(datagrams.send(Buffer.from('c'))).toBe('sent')
    expect(text(first.read())).toEqual(['c'])
    first.close()
    expect(datagrams.send(Buffer.from('d'))).toBe('absent')
    rmSync(path)
    const second = new LocalReader(path)
    retried()
    expect(datagrams.send(Buffer.from('e'))).toBe('sent')
    second.close()
    rmSync(path)
    const third = new LocalReader(path)
    expect(datagrams.send(Buffer.from('f'))).toBe('sent')
    expect([text(third.read()), problems]).toEqual([['f'], []])
    third.close()
  })

  const nothing = { close: () => {} }
  const obstacles: readonly (readonly [string, string, () => { close(): void }])[] = [
    [
      'a file',
      'it is not a socket',
      () => {
        writeFileSync(path, '')
        return nothing
      },
    ],
    [
      'a link',
      'it is a link',
      () => {
        symlinkSync(join(home, 'other'), path)
        return nothing
      },
    ],
    ['a socket of streams', 'it is a socket of another kind', () => new LocalReader(path, 'streams')],
  ]

  it.each(obstacles)('take %s for absent: %s', (_, reason, make) => {
    const made = make()
    for (let i = 0; i < 3; i++) {
      retried()
      expect(datagrams.send(Buffer.from('a'))).toBe('absent')
    }
    expect(problems).toEqual([`Events cannot be sent to ${path}: ${reason}`])
    made.close()
  })

  it('reach a socket whose path is longer than an address may be', () => {
    const deep = join(home, 'd'.repeat(120))
    mkdirSync(deep)
    const short = join(home, 'short')
    symlinkSync(deep, short)
    const reader = new LocalReader(join(short, 'queue'))
    const far = openLocalDatagrams(join(deep, 'queue'), clock, (sentence) => problems.push(sentence))
    expect([far.send(Buffer.from('a')), text(reader.read()), problems]).toEqual(['sent', ['a'], []])
    far.close()
    reader.close()
  })

  it('send nothing once they are closed', () => {
    const reader = new LocalReader(path)
    datagrams.close()
    retried()
    expect([datagrams.send(Buffer.from('a')), reader.read()]).toEqual(['absent', []])
    reader.close()
  })
})
