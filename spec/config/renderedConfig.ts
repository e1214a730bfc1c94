/** Settings as an operator would write them, and arbitraries of valid ones. */
import fc from 'fast-check'
import { intervalOptions } from '../../src/config/intervalOptions.js'
import type { NodeSettings } from '../../src/config/settings.js'
import { defaultTimings, type Timings } from '../../src/domain/cluster/timings.js'
import type { SyncedItem } from '../../src/domain/files/syncedItems.js'

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/** Text of the elements of `<cluster>`, by name; a test may change it before rendering. */
export type Block = Record<string, string>

export const blockOf = (settings: NodeSettings): Block => ({
  name: settings.name,
  node_name: settings.nodeName,
  node_type: settings.nodeType,
  key: settings.key,
  port: String(settings.port),
  bind_addr: settings.bindAddress,
  node: settings.masterAddress,
  hidden: settings.hidden ? 'yes' : 'no',
  disabled: settings.disabled ? 'yes' : 'no',
  agents_disconnection_time: `${settings.timings.agentsDisconnectionMs / 1_000}s`,
})

/** The one that is not in `<cluster>`. */
const globalName = 'agents_disconnection_time'

export const renderXml = (block: Block): string => {
  const element = (name: string, text: string): string => `<${name}>${escaped(text)}</${name}>`
  const { [globalName]: silence, ...cluster } = block
  const lines = Object.entries(cluster).map(([name, text]) =>
    name === 'node' ? `<nodes>${element(name, text)}</nodes>` : element(name, text),
  )
  const global = silence === undefined ? '' : `<global>\n${element(globalName, silence)}\n</global>\n`
  return `<ossec_config>\n${global}<cluster>\n${lines.join('\n')}\n</cluster>\n</ossec_config>\n`
}

const renderIntervals = (timings: Timings): object =>
  Object.fromEntries(
    Object.entries(intervalOptions).map(([group, rows]) => [
      group,
      Object.fromEntries(rows.map(({ option, scale, timing }) => [option.name, timings[timing] / scale])),
    ]),
  )

const renderItem = (item: SyncedItem): object => ({
  permissions: `0o${item.mode.toString(8)}`,
  source: 'master',
  files: item.files === 'all' ? ['all'] : item.files,
  recursive: item.recursive,
  restart: item.reload,
  remove_subdirs_if_empty: item.removeEmptyDirectories,
  extra_valid: false,
})

export const renderJson = (
  { synced, compression, manager, previousKey, reloadCommand, timings, workersMax }: NodeSettings,
  removedDirs: readonly string[],
): string =>
  JSON.stringify({
    intervals: renderIntervals(timings),
    files: {
      ...Object.fromEntries(removedDirs.map((dir) => [`${dir}/`, null])),
      ...Object.fromEntries(synced.items.map((item) => [`${item.dir}/`, renderItem(item)])),
      excluded_files: synced.excludedNames,
      excluded_extensions: synced.excludedEndings,
    },
    compression,
    manager,
    workers_max: workersMax,
    ...(previousKey === undefined ? {} : { previous_key: previousKey }),
    ...(reloadCommand === undefined ? {} : { reload_command: reloadCommand }),
  })

const letters = [...'ABCXYZabcxyz0189_']
const key = fc.array(fc.constantFrom(...letters), { minLength: 32, maxLength: 32 }).map((chars) => chars.join(''))
const word = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_-]{0,12}$/)
const address = fc.oneof(fc.ipV4(), fc.ipV6()).filter((text) => text !== '0.0.0.0' && text !== '127.0.1.1')

const timings: fc.Arbitrary<Timings> = fc
  .record({
    values: fc.array(fc.integer({ min: 10, max: 1_000_000 }), { minLength: 20, maxLength: 20 }),
    silentSeconds: fc.integer({ min: 1, max: 999_999 }),
  })
  .map(({ silentSeconds, values }) => ({
    ...defaultTimings,
    ...Object.fromEntries(Object.keys(defaultTimings).map((name, at) => [name, values[at] ?? 10])),
    agentsDisconnectionMs: silentSeconds * 1_000,
  }))

const item = (dir: string): fc.Arbitrary<SyncedItem> =>
  fc.record({
    dir: fc.constant(dir),
    files: fc.oneof(
      fc.constant('all' as const),
      fc.uniqueArray(
        word.filter((name) => name !== 'all'),
        { minLength: 1, maxLength: 3 },
      ),
    ),
    mode: fc.integer({ min: 0o400, max: 0o777 }),
    recursive: fc.boolean(),
    removeEmptyDirectories: fc.boolean(),
    reload: fc.boolean(),
  })

const items = fc
  .subarray(['etc', 'etc/shared', 'var/multigroups', 'etc/rules', 'etc/decoders', 'etc/lists', 'etc/sca', 'ruleset/own', 'a b/ü'], {
    minLength: 1,
  })
  .chain((dirs) => fc.tuple(...dirs.map(item)))
  // An item that holds others cannot be recursive.
  .map((all) => all.map((one) => (all.some(({ dir }) => dir.startsWith(`${one.dir}/`)) ? { ...one, recursive: false } : one)))

/** Any enabled settings that an operator may ask for; `home` is empty, to be filled in. */
export const validSettings: fc.Arbitrary<NodeSettings> = fc
  .record({
    home: fc.constant(''),
    name: fc
      .string({ minLength: 1, maxLength: 40 })
      .map((text) => text.trim())
      .filter((text) => text.length > 0),
    nodeName: fc.stringMatching(/^[A-Za-z0-9_.-]{0,20}[A-Za-z0-9]$/),
    nodeType: fc.constantFrom('master' as const, 'worker' as const),
    key,
    previousKey: fc.option(key, { nil: undefined }),
    port: fc.integer({ min: 1025, max: 65_534 }),
    bindAddress: fc.oneof(fc.ipV4(), fc.ipV6()),
    masterAddress: fc.oneof(address, fc.domain(), fc.constantFrom('127.0.0.1', '::1', 'wazuh-master', 'a_b.c')),
    hidden: fc.boolean(),
    disabled: fc.constant(false),
    synced: fc.record({
      items,
      excludedNames: fc.uniqueArray(word, { maxLength: 3 }).map((names) => ['ar.conf', 'ossec.conf', ...names]),
      excludedEndings: fc.uniqueArray(
        word.map((name) => `.${name}`),
        { maxLength: 3 },
      ),
    }),
    timings,
    compression: fc.constantFrom('auto' as const, 'never' as const, 'always' as const),
    workersMax: fc.integer({ min: 1, max: 10_000 }),
    manager: fc.constantFrom('auto' as const, 'wazuh' as const, 'none' as const),
    reloadCommand: fc.option(
      fc.array(
        fc.string({ minLength: 1, maxLength: 20 }).filter((text) => !text.includes('\0')),
        { minLength: 1, maxLength: 4 },
      ),
      {
        nil: undefined,
      },
    ),
  })
  .map(({ previousKey, reloadCommand, ...rest }) => ({
    ...rest,
    ...(previousKey === undefined ? {} : { previousKey }),
    ...(reloadCommand === undefined ? {} : { reloadCommand }),
  }))
