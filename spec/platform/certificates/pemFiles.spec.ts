/** Files of keys appear whole, for their owner alone, or not at all. */
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import {
  addToDirectory,
  readPemFile,
  replaceInDirectory,
  writeNewDirectory,
  writeNewFile,
} from '../../../src/platform/certificates/pemFiles.js'

let home = ''
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'muster-pem-'))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const at = (...names: readonly string[]): string => join(home, ...names)
const pair = [
  { name: 'a-key.pem', content: 'key' },
  { name: 'a.pem', content: 'certificate' },
]
const textsIn = (directory: string) =>
  Object.fromEntries(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), 'utf8')]))
const failure = (message: string) => expect.objectContaining({ code: 'fileFailed', message: expect.stringContaining(message) })

describe('a directory of certificates', () => {
  it('is written as a whole, in place of nothing or an empty one', () => {
    const umask = process.umask(0)
    try {
      writeNewDirectory(at('new'), pair)
      mkdirSync(at('empty'))
      writeNewDirectory(at('empty'), pair)
    } finally {
      process.umask(umask)
    }
    for (const name of ['new', 'empty']) {
      expect(textsIn(at(name))).toEqual({ 'a-key.pem': 'key', 'a.pem': 'certificate' })
      expect(statSync(at(name)).mode & 0o777).toBe(0o700)
      expect(statSync(at(name, 'a-key.pem')).mode & 0o777).toBe(0o600)
    }
    expect(readdirSync(home).sort()).toEqual(['empty', 'new'])
  })

  it('is not written over anything, and then leaves nothing behind', () => {
    mkdirSync(at('full'))
    writeFileSync(at('full', 'x'), '')
    expect(() => writeNewDirectory(at('full'), pair)).toThrow(failure('is there already, and not empty'))
    expect(() => writeNewDirectory(at('other'), [...pair, { name: 'no/such', content: '' }])).toThrow(failure('does not exist'))
    expect(readdirSync(home)).toEqual(['full'])
    expect(readdirSync(at('full'))).toEqual(['x'])
  })

  it('gets all of the new files or none, and never loses one that it has', () => {
    writeFileSync(at('a.pem'), 'old')
    writeFileSync(at('.a-key.pem.new'), 'of a crash')
    expect(() => addToDirectory(home, pair)).toThrow(failure('a.pem cannot be written: it is there already'))
    expect(textsIn(home)).toEqual({ 'a.pem': 'old' })
    rmSync(at('a.pem'))
    addToDirectory(home, pair)
    expect(textsIn(home)).toEqual({ 'a-key.pem': 'key', 'a.pem': 'certificate' })
  })

  it('keeps what is replaced as .old, and the rights of it but those of strangers', () => {
    addToDirectory(home, pair)
    chmodSync(at('a-key.pem'), 0o744)
    chmodSync(at('a.pem'), 0o444)
    for (const content of ['second', 'third'])
      replaceInDirectory(
        home,
        pair.map(({ name }) => ({ name, content })),
      )
    expect(textsIn(home)).toEqual({ 'a-key.pem': 'third', 'a-key.pem.old': 'second', 'a.pem': 'third', 'a.pem.old': 'second' })
    expect(['a-key.pem', 'a.pem'].map((name) => statSync(at(name)).mode & 0o777)).toEqual([0o640, 0o444])
    expect(() => replaceInDirectory(home, [...pair, { name: 'b.pem', content: '' }])).toThrow(
      failure('b.pem cannot be written: it does not exist'),
    )
    expect(textsIn(home)).toMatchObject({ 'a.pem': 'third', 'a.pem.old': 'second' })
    expect(readdirSync(home).filter((name) => name.endsWith('.new'))).toEqual([])
  })
})

describe('a file', () => {
  it('is read within a bound, and only when it is one', () => {
    writeFileSync(at('text'), 'text')
    chmodSync(at('text'), 0o640)
    expect(readPemFile(at('text'))).toEqual({ text: 'text', mode: 0o640 })
    expect(readPemFile(at('absent'))).toBeUndefined()
    expect(() => readPemFile(home)).toThrow(failure('is not a file'))
    symlinkSync('loop', at('loop'))
    expect(() => readPemFile(at('loop'))).toThrow(failure('loop cannot be read'))
    writeFileSync(at('large'), '')
    truncateSync(at('large'), limits.certificateFileBytesMax + 1)
    expect(() => readPemFile(at('large'))).toThrow(failure('is larger than'))
  })

  it('is written where nothing is, for its owner alone', () => {
    writeNewFile(at('x.tar'), Buffer.from('first'))
    expect(() => writeNewFile(at('x.tar'), Buffer.from('second'))).toThrow(failure('it is there already'))
    expect(readFileSync(at('x.tar'), 'utf8')).toBe('first')
    expect(statSync(at('x.tar')).mode & 0o777).toBe(0o600)
  })
})
