import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { combineFiles, isMergeableName, layOutMerged, mergedBytes } from '../../../src/domain/agents/mergedFile.js'
import { unpackMerged } from '../../support/agents/unpackedMerged.js'

interface Source {
  readonly name: string
  readonly bytes: number
  readonly content: Buffer
}

const source = (name: string, content: Buffer | string): Source => {
  const bytes = Buffer.from(content)
  return { name, bytes: bytes.length, content: bytes }
}

const encode = (title: string, groups: readonly { group: string; files: readonly Source[] }[], activeResponse?: Source): Buffer => {
  const entries = combineFiles(groups, activeResponse)
  const { content, places } = layOutMerged(title, entries)
  for (const place of places) place.into.set(place.source.content)
  expect(content.length).toBe(mergedBytes(title, entries))
  return Buffer.from(content)
}

const component = fc
  .oneof(
    fc.constantFrom('a', 'b', 'agent.conf', '!5 x', '#x', ' ', 'ä', '\u{1f600}', '\uffee', '-'),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 9 }),
  )
  .filter((name) => !/[/\0\n\p{Surrogate}]/u.test(name) && name !== '.' && name !== '..' && name !== 'ar.conf')
const contents = fc.oneof(
  fc.constantFrom('', '\n', '!3 fake\nabc', '#other\n').map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 5_000 }).map((bytes) => Buffer.from(bytes)),
)
const names = fc.array(component, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'))
/** Files of one group, in any order. No name is another's directory, as on a disk. */
const groupFiles = fc
  .uniqueArray(fc.tuple(names, contents), { selector: ([name]) => name, maxLength: 12 })
  .map((files) =>
    files.filter(([name]) => !files.some(([other]) => other.startsWith(`${name}/`))).map(([name, content]) => source(name, content)),
  )

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

describe('merged.mg', () => {
  it('of one group unpacks to the same files in the order of their names, whatever they contain', () =>
    fc.assert(
      fc.property(groupFiles, (files) => {
        const { files: unpacked, title } = unpackMerged(encode('g', [{ group: 'g', files }]))
        expect(title).toBe('g')
        expect(unpacked.map(({ name }) => name)).toEqual(files.map(({ name }) => name).sort(byBytes))
        const wanted = new Map(files.map(({ content, name }) => [name, content.toString('latin1')]))
        expect(new Map(unpacked.map(({ content, name }) => [name, content]))).toEqual(wanted)
      }),
    ))

  it('is the same bytes in whatever order the files are listed', () =>
    fc.assert(
      fc.property(
        groupFiles.chain((files) => fc.tuple(fc.constant(files), fc.shuffledSubarray(files, { minLength: files.length }))),
        ([files, shuffled]) => {
          expect(encode('g', [{ group: 'g', files: shuffled }])).toEqual(encode('g', [{ group: 'g', files }]))
        },
      ),
    ))

  it('of several groups can be unpacked, has the last file of each name, and every agent.conf', () =>
    fc.assert(
      fc.property(fc.array(groupFiles, { minLength: 2, maxLength: 4 }), (several) => {
        const groups = several.map((files, index) => ({ group: `g${index}`, files }))
        const { files: unpacked } = unpackMerged(encode('0123abcd', groups))
        const present = new Set(unpacked.map(({ name }) => name))
        // An agent makes directories as it unpacks: no name may be in another's way.
        for (const name of present) for (const other of present) expect(other.startsWith(`${name}/`)).toBe(false)
        for (const { content, name } of unpacked) {
          const having = groups.flatMap(({ files, group }) => files.filter((file) => file.name === name).map((file) => ({ file, group })))
          const joined = having.map(({ file, group }) => `<!-- Source file: ${group}/agent.conf -->\n${file.content.toString('latin1')}`)
          expect(content).toBe(name === 'agent.conf' ? joined.join('') : having.at(-1)?.file.content.toString('latin1'))
        }
        // The last group's are all there.
        for (const { name } of groups.at(-1)?.files ?? []) expect(present).toContain(name)
      }),
    ))

  it('has the bytes that agents know', () => {
    const files = [source('b', 'two\n'), source('agent.conf', '<agent_config/>'), source('sub/x', '')]
    expect(encode('web', [{ group: 'web', files }]).toString()).toBe('#web\n!15 agent.conf\n<agent_config/>!4 b\ntwo\n!0 sub/x\n')
    expect(encode('web', [{ group: 'web', files: [] }]).toString()).toBe('#web\n')
  })

  it('begins with ar.conf, whatever sorts before it or conflicts with it', () => {
    const files = [source('Z', 'z'), source('a', 'a'), source('ar.conf/x', 'lost')]
    expect(encode('web', [{ group: 'web', files }], source('ar.conf', 'restart\n')).toString()).toBe(
      '#web\n!8 ar.conf\nrestart\n!1 Z\nz!1 a\na',
    )
  })

  it('takes no name that has two lines, or that does not fit into the line an agent reads', () => {
    expect(isMergeableName('a\nb')).toBe(false)
    expect(isMergeableName('ä'.repeat(512))).toBe(true)
    expect(isMergeableName('ä'.repeat(513))).toBe(false)
  })
})
