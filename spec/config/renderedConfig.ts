/** Settings as an operator would write them, and arbitraries of valid ones. */
import fc from 'fast-check'
import { defaultEnrolmentService } from '../../src/config/agentServiceOptions.js'
import { intervalOptions } from '../../src/config/intervalOptions.js'
import type { NodeSettings } from '../../src/config/settings.js'
import { defaultTimings, type Timings } from '../../src/domain/cluster/timings.js'
import type { SyncedItem } from '../../src/domain/files/syncedItems.js'
import { type ListeningPlace, placesOf } from '../../src/domain/listener/listeningPlace.js'

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

export const renderXml = (block: Block, others = ''): string => {
  const element = (name: string, text: string): string => `<${name}>${escaped(text)}</${name}>`
  const { [globalName]: silence, ...cluster } = block
  const lines = Object.entries(cluster).map(([name, text]) =>
    name === 'node' ? `<nodes>${element(name, text)}</nodes>` : element(name, text),
  )
  const global = silence === undefined ? '' : `<global>\n${element(globalName, silence)}\n</global>\n`
  return `<ossec_config>\n${global}<cluster>\n${lines.join('\n')}\n</cluster>\n${others}</ossec_config>\n`
}

const yesNo = (is: boolean): string => (is ? 'yes' : 'no')

const element = (name: string, text: string): string => (text === '' ? '' : `<${name}>${escaped(text)}</${name}>\n`)

const renderAuth = ({ enrolment, enrolmentRules: { force, purge } }: NodeSettings): string => {
  const { agentCaPath, allowHigherVersions, certificatePath, ciphers, ipv6, keyPath, port, usesPassword, usesSourceIp, verifiesHost } =
    enrolment ?? defaultEnrolmentService
  const disconnected = force.disconnectedMs === undefined ? 'enabled="no">1h' : `>${force.disconnectedMs / 1_000}`
  return `<auth>
${element('disabled', yesNo(enrolment === undefined))}${element('port', String(port))}${element('ipv6', yesNo(ipv6))}
${element('use_source_ip', yesNo(usesSourceIp))}${element('purge', yesNo(purge))}${element('use_password', yesNo(usesPassword))}
${element('ciphers', ciphers)}${element('ssl_agent_ca', agentCaPath)}${element('ssl_verify_host', yesNo(verifiesHost))}
${element('ssl_manager_cert', certificatePath)}${element('ssl_manager_key', keyPath)}
<agents>${element('allow_higher_versions', yesNo(allowHigherVersions))}</agents>
<force>${element('enabled', yesNo(force.enabled))}${element('key_mismatch', yesNo(force.keyMismatch))}
<disconnected_time ${disconnected}</disconnected_time>${element('after_registration_time', `${force.afterRegistrationMs / 1_000}s`)}</force>
</auth>
`
}

/** A block for each protocol, as well as none. */
const renderRemotes = ({ listener }: NodeSettings): string => {
  if (!listener) return '<remote><connection>syslog</connection></remote>'
  const { allowHigherVersions } = listener
  const block = ({ ipv6, localIp, port }: ListeningPlace, protocol: string): string => `<remote>
${element('connection', 'secure')}${element('port', String(port))}${element('protocol', protocol)}${element('ipv6', yesNo(ipv6))}
${element('local_ip', localIp)}<agents>${element('allow_higher_versions', yesNo(allowHigherVersions))}</agents>
</remote>
`
  return placesOf(listener)
    .flatMap((place) => place.transports.map((protocol) => block(place, protocol)))
    .join('')
}

/** Blocks that stand beside `<cluster>`. */
export const renderServices = (settings: NodeSettings): string => `${renderAuth(settings)}${renderRemotes(settings)}`

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
  {
    apiBridge,
    synced,
    compression,
    events,
    manager,
    previousKey,
    proxies,
    reloadCommand,
    timings,
    verifiesCounters,
    workersMax,
  }: NodeSettings,
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
    api_bridge: apiBridge,
    workers_max: workersMax,
    verify_msg_id: verifiesCounters,
    events: { segment_bytes: events.segmentBytesMax, keep_bytes: events.bytesMax, reader: events.toReader },
    proxy_protocol: { from: proxies },
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

const relative = fc.constantFrom('etc/a.pem', '/etc/ssl/b.pem')
const wholeSeconds = fc.integer({ min: 0, max: 100_000 }).map((seconds) => seconds * 1_000)
const listeningPlace = fc.record({
  port: fc.integer({ min: 1, max: 65_535 }),
  transports: fc.constantFrom(['tcp' as const], ['udp' as const], ['tcp' as const, 'udp' as const]),
  localIp: fc.oneof(fc.constant(''), fc.ipV4(), fc.ipV6()),
  ipv6: fc.boolean(),
})

const services = {
  enrolment: fc.option(
    fc.record({
      port: fc.integer({ min: 1, max: 65_535 }),
      ipv6: fc.boolean(),
      usesSourceIp: fc.boolean(),
      usesPassword: fc.boolean(),
      ciphers: fc.constantFrom('HIGH', 'HIGH:!ADH:@STRENGTH'),
      agentCaPath: fc.oneof(fc.constant(''), relative),
      verifiesHost: fc.boolean(),
      certificatePath: relative,
      keyPath: relative,
      allowHigherVersions: fc.boolean(),
    }),
    { nil: undefined },
  ),
  listener: fc.option(
    fc
      .record({
        places: fc.uniqueArray(listeningPlace, { selector: ({ port }) => port, minLength: 1, maxLength: 4 }),
        allowHigherVersions: fc.boolean(),
      })
      .map(({ allowHigherVersions, places: [first, ...further] }) => ({
        ...(first as ListeningPlace),
        ...(further.length > 0 && { further }),
        allowHigherVersions,
      })),
    { nil: undefined },
  ),
  enrolmentRules: fc.record({
    purge: fc.boolean(),
    force: fc.record({
      enabled: fc.boolean(),
      keyMismatch: fc.boolean(),
      disconnectedMs: fc.option(wholeSeconds, { nil: undefined }),
      afterRegistrationMs: wholeSeconds,
    }),
  }),
  verifiesCounters: fc.boolean(),
  events: fc
    .record({
      segmentBytesMax: fc.integer({ min: 2 ** 20, max: 2 ** 30 }),
      extra: fc.nat({ max: 2 ** 30 }),
      toReader: fc.boolean(),
    })
    .map(({ extra, segmentBytesMax, toReader }) => ({ segmentBytesMax, bytesMax: 2 * segmentBytesMax + extra, toReader })),
  proxies: fc.array(
    fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.ipV4().map((ip) => `${ip}/16`),
    ),
    { maxLength: 3 },
  ),
}

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
    ...services,
    manager: fc.constantFrom('auto' as const, 'wazuh' as const, 'none' as const),
    apiBridge: fc.constantFrom('auto' as const, 'off' as const),
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
