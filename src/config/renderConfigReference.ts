/** The configuration reference of docs/operating.md, written from the very tables that check the configuration. */
import { defaultSyncedItems } from '../domain/files/syncedItems.js'
import { authOptions, eventOptions, forceOptions, proxyOptions, remoteOptions } from './agentServiceOptions.js'
import { apiOptions } from './apiOptions.js'
import { haproxyJsonOptions, helperOptions } from './balancerOptions.js'
import { type IntervalOption, intervalOptions } from './intervalOptions.js'
import type { Option } from './option.js'
import { clusterOptions, globalOptions, tlsOptions, topOptions } from './settings.js'
import { directoryAllowed, excludedExtensionsOption, excludedFilesOption, itemOptions } from './syncedItemOptions.js'

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

const fallbackInXml = (value: unknown): string =>
  value === '' ? '–' : `\`${typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value)}\``
const fallbackInJson = (value: unknown): string =>
  value === '' || (Array.isArray(value) && value.length === 0) ? '–' : `\`${JSON.stringify(value)}\``

const table = (options: readonly Option[], name: (known: Option) => string, fallback: (value: unknown) => string): string =>
  [
    '| option | default | allowed | what it does |',
    '|---|---|---|---|',
    ...options.map((known) => `| \`${name(known)}\` | ${fallback(known.fallback)} | ${cell(known.allowed)} | ${known.description} |`),
  ].join('\n')

const intervalTable = (group: string, rows: readonly IntervalOption[]): string =>
  table(
    rows.map(({ option }) => option),
    ({ name }) => `intervals.${group}.${name}`,
    fallbackInJson,
  )

const itemsTable = (): string =>
  [
    '| directory | files | permissions | recursive | remove_subdirs_if_empty | restart |',
    '|---|---|---|---|---|---|',
    ...defaultSyncedItems.items.map((item) => {
      const files = item.files === 'all' ? 'all' : item.files.join(', ')
      return `| \`${item.dir}/\` | ${files} | 0o${item.mode.toString(8)} | ${item.recursive} | ${item.removeEmptyDirectories} | ${item.reload} |`
    }),
  ].join('\n')

/** Markdown, ending in a line break. */
export const renderConfigReference = (): string =>
  [
    '### `<cluster>` in `etc/ossec.conf`',
    "Only elements that Wazuh 4.14 knows go here, since its own programs do not start with others; Muster's own options go into `etc/cluster.json`. " +
      'Write one `<cluster>` block, with `<disabled>`. With several blocks the last value of an option counts, with a warning. Blocks of other programs are not read.',
    table(Object.values(clusterOptions), ({ name }) => name.replace('><', '/'), fallbackInXml),
    '`interval` (version 3.0) and the node type `client` are accepted with a warning. `socket_timeout` and `connection_timeout` are ignored.',
    '`<haproxy_helper>` in it is read on the master. The options of the Data Plane API are needed without `haproxy.runtime_socket` in `etc/cluster.json` only.',
    table(Object.values(helperOptions), ({ name }) => `haproxy_helper/${name}`, fallbackInXml),
    '### `<global>` in `etc/ossec.conf`',
    'Of this block only one option is read; the last value wins.',
    table(Object.values(globalOptions), ({ name }) => name, fallbackInXml),
    '### `<auth>` and `<remote>` in `etc/ossec.conf`',
    'What agents connect to, as Wazuh 4.14 has it. Without a block the service is off. Both are left to wazuh-authd and wazuh-remoted where a real manager runs. ' +
      'With several `<auth>` blocks the last value of an option counts; several `<remote>` blocks for agents are several places that agents connect to, 16 at most; those with the same port and address are one, over the protocols of all of them.',
    table(Object.values(authOptions), ({ name }) => `auth/${name.replace('><', '/')}`, fallbackInXml),
    table(Object.values(forceOptions), ({ name }) => `auth/force/${name}`, fallbackInXml),
    table(Object.values(remoteOptions), ({ name }) => `remote/${name.replace('><', '/')}`, fallbackInXml),
    '`force_insert`, `force_time`, `remote_enrollment`, `limit_maxagents` and `key_request` in `<auth>`, `connection_overtake_time`, `allowed-ips` and `denied-ips` in `<remote>` have no effect.',
    '### `etc/cluster.json` (optional)',
    'Overrides what it mentions; all else keeps its default. Times are in seconds, fractions allowed. `intervals` and `files` should be the same on every node. With a key in it, no other user should be able to read it (mode 0640).',
    table(Object.values(topOptions), ({ name }) => name, fallbackInJson),
    table(Object.values(eventOptions), ({ name }) => `events.${name}`, fallbackInJson),
    table(Object.values(proxyOptions), ({ name }) => `proxy_protocol.${name}`, fallbackInJson),
    table(Object.values(haproxyJsonOptions), ({ name }) => `haproxy.${name}`, fallbackInJson),
    table(Object.values(apiOptions), ({ name }) => `api.${name}`, fallbackInJson),
    table(Object.values(tlsOptions), ({ name }) => `tls.${name}`, fallbackInJson),
    ...Object.entries(intervalOptions).map(([group, rows]) => intervalTable(group, rows)),
    '`files` holds the synced items by directory. An item that is mentioned changes in what it says, `null` removes it, a new directory adds one. It is ' +
      `${directoryAllowed}. A recursive item cannot hold another item. Defaults:`,
    itemsTable(),
    table([...Object.values(itemOptions)], ({ name }) => `files.DIRECTORY.${name}`, fallbackInJson),
    table([excludedFilesOption, excludedExtensionsOption], ({ name }) => `files.${name}`, fallbackInJson),
  ]
    .join('\n\n')
    .concat('\n')

const begin = '<!-- config:begin -->'
const end = '<!-- config:end -->'

/** The document with the reference between its markers; undefined when it lacks them. */
export const updateReference = (document: string): string | undefined => {
  const from = document.indexOf(begin)
  const to = document.indexOf(end, from)
  if (from < 0 || to < 0) return undefined
  return `${document.slice(0, from + begin.length)}\n${renderConfigReference()}${document.slice(to)}`
}
