/** Groups on a simulated disk, edited by an operator, and what their merged files have to be. */
import fc from 'fast-check'
import { MergedFiles } from '../../../src/disk/agents/mergedBuilder.js'
import { groupsHash } from '../../../src/domain/agents/groups.js'
import { defaultSyncedItems } from '../../../src/domain/files/syncedItems.js'
import { createMemoryWorld, filesBelow, type MemoryWorld } from '../files/diskWorlds.js'

export const mergedOf = (world: MemoryWorld): MergedFiles => new MergedFiles(world.disk, { home: world.home, synced: defaultSyncedItems })
export const nothing = { written: [], removed: [], problems: [] }
export const multigroupPath = (...groups: readonly string[]): string => `var/multigroups/${groupsHash(groups)}/merged.mg`

/** Every merged.mg that must exist, computed from the files by the simplest rules. */
export const expectedMerged = (world: MemoryWorld, lists: readonly (readonly string[])[]): Map<string, string> => {
  const files = [...filesBelow(world, 'etc/shared')].map(([path, text]) => ({ path, content: text.slice(text.indexOf(' ') + 1) }))
  const ofGroup = (group: string): Map<string, string> =>
    new Map(
      files.flatMap(({ content, path }) => {
        const name = path.slice(`etc/shared/${group}/`.length)
        const isOut = !path.startsWith(`etc/shared/${group}/`) || name === 'merged.mg' || /(^|\/)ar\.conf$|~$|\.tmp$/.test(name)
        return isOut ? [] : [[name, content] as const]
      }),
    )
  const always = files.find(({ path }) => path === 'etc/shared/ar.conf')
  const encode = (title: string, content: ReadonlyMap<string, string>): string =>
    [
      `#${title}\n`,
      ...(always ? [`!${always.content.length} ar.conf\n${always.content}`] : []),
      ...[...content].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, text]) => `!${text.length} ${name}\n${text}`),
    ].join('')
  const groups = world.disk
    .readdir('/home/etc/shared')
    .flatMap(({ kind, name }) => (kind === 'directory' ? [Buffer.from(name).toString()] : []))
  const present = presentMerged(world)
  const merged = new Map(groups.map((group) => [`etc/shared/${group}/merged.mg`, encode(group, ofGroup(group))]))
  for (const list of lists) {
    const all = new Map<string, string>()
    for (const group of list)
      for (const [name, text] of ofGroup(group))
        all.set(name, name === 'agent.conf' ? `${all.get(name) ?? ''}<!-- Source file: ${group}/agent.conf -->\n${text}` : text)
    // If all groups of a list are missing, nothing can be built: the file that exists stays.
    const built = list.some((group) => groups.includes(group)) ? encode(groupsHash(list), all) : present.get(multigroupPath(...list))
    if (built !== undefined) merged.set(multigroupPath(...list), built)
  }
  return merged
}

export const presentMerged = (world: MemoryWorld): Map<string, string> =>
  new Map(
    [...filesBelow(world, 'etc/shared'), ...filesBelow(world, 'var/multigroups')]
      .filter(([path]) => path.endsWith('/merged.mg'))
      .map(([path, text]) => [path, text.slice(text.indexOf(' ') + 1)]),
  )

const names = fc.constantFrom('a', 'b', 'agent.conf', 'ar.conf', 'x~', 'sub/a', 'merged.mg')
const groups = fc.constantFrom('default', 'g', 'h')
export const groupEdits = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('write'),
        group: groups,
        name: names,
        content: fc.constantFrom('', 'one', 'two', 'three!'),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove'), group: groups, name: names, content: fc.constant('') }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constantFrom('mkdir', 'removeGroup'), group: groups, name: names, content: fc.constant('') }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constantFrom('activeResponse', 'build', 'age'),
        group: groups,
        name: names,
        content: fc.constantFrom('r', 's'),
      }),
    },
  ),
  { maxLength: 20 },
)
type GroupEdits = typeof groupEdits extends fc.Arbitrary<infer T> ? T : never
export const groupLists = fc.uniqueArray(fc.uniqueArray(fc.constantFrom('default', 'g', 'h', 'gone'), { minLength: 2, maxLength: 3 }), {
  selector: (list) => list.join(),
  maxLength: 4,
})

export const editGroups = (world: MemoryWorld, { content, group, kind, name }: GroupEdits[number]): void => {
  if (kind === 'write') world.write(`etc/shared/${group}/${name}`, content)
  else if (kind === 'remove') world.remove(`etc/shared/${group}/${name}`)
  else if (kind === 'mkdir') world.mkdir(`etc/shared/${group}`)
  else if (kind === 'removeGroup') world.remove(`etc/shared/${group}`)
  else if (kind === 'activeResponse') world.write('etc/shared/ar.conf', content)
  else if (kind === 'age') world.age()
}

export const startedWorld = (options: Parameters<typeof createMemoryWorld>[0] = {}): MemoryWorld => {
  const world = createMemoryWorld(options)
  world.mkdir('etc/shared')
  return world
}

/** Files below the directories of groups whose content changed since the last call: what a scan of the tree reports. */
export const changesReported = (world: MemoryWorld): (() => readonly string[]) => {
  const now = (): Map<string, string> =>
    new Map(
      [...filesBelow(world, 'etc/shared'), ...filesBelow(world, 'var/multigroups')].filter(([path]) => !/(^|\/)ar\.conf$|~$/.test(path)),
    )
  let before = now()
  return () => {
    const after = now()
    const changed = [...new Set([...before.keys(), ...after.keys()])].filter((path) => before.get(path) !== after.get(path))
    before = after
    return changed
  }
}
