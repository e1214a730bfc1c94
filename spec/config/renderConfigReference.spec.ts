import { describe, expect, it } from 'vitest'
import { authOptions, eventOptions, forceOptions, proxyOptions, remoteOptions } from '../../src/config/agentServiceOptions.js'
import { haproxyJsonOptions, helperOptions } from '../../src/config/balancerOptions.js'
import { intervalOptions } from '../../src/config/intervalOptions.js'
import { renderConfigReference, updateReference } from '../../src/config/renderConfigReference.js'
import { clusterOptions, globalOptions, tlsOptions, topOptions } from '../../src/config/settings.js'
import { itemOptions } from '../../src/config/syncedItemOptions.js'
import { defaultTimings } from '../../src/domain/cluster/timings.js'

describe('configuration reference', () => {
  it('has one row for every option that is checked, and only tables whose rows have their columns', () => {
    const lines = renderConfigReference().split('\n')
    const names = [
      ...Object.values(clusterOptions).map(({ name }) => name.replace('><', '/')),
      ...Object.values(globalOptions).map(({ name }) => name),
      ...Object.values(authOptions).map(({ name }) => `auth/${name.replace('><', '/')}`),
      ...Object.values(forceOptions).map(({ name }) => `auth/force/${name}`),
      ...Object.values(remoteOptions).map(({ name }) => `remote/${name.replace('><', '/')}`),
      ...Object.values(eventOptions).map(({ name }) => `events.${name}`),
      ...Object.values(proxyOptions).map(({ name }) => `proxy_protocol.${name}`),
      ...Object.values(tlsOptions).map(({ name }) => `tls.${name}`),
      ...Object.values(helperOptions).map(({ name }) => `haproxy_helper/${name}`),
      ...Object.values(haproxyJsonOptions).map(({ name }) => `haproxy.${name}`),
      ...Object.values(topOptions).map(({ name }) => name),
      ...Object.values(itemOptions).map(({ name }) => `files.DIRECTORY.${name}`),
      ...Object.entries(intervalOptions).flatMap(([group, rows]) => rows.map(({ option }) => `intervals.${group}.${option.name}`)),
    ]
    for (const name of names) expect(lines.filter((line) => line.startsWith(`| \`${name}\` |`))).toHaveLength(1)
    const rows = lines.filter((line) => line.startsWith('| `') && !line.startsWith('| `etc/') && !line.startsWith('| `var/'))
    for (const row of rows) expect(row.split(/(?<!\\)\|/)).toHaveLength(6)
  })

  it('has one interval for every timing but the one that ossec.conf sets', () => {
    const rows = Object.values(intervalOptions).flat()
    expect([...rows.map(({ timing }) => timing), 'agentsDisconnectionMs'].sort()).toEqual(Object.keys(defaultTimings).sort())
  })

  it('replaces only what is between the markers, and nothing the second time', () => {
    const document = 'before\n<!-- config:begin -->\noutdated\n<!-- config:end -->\nafter\n'
    const once = updateReference(document) ?? ''
    expect(once.startsWith('before\n<!-- config:begin -->\n###')).toBe(true)
    expect(once.endsWith('\n<!-- config:end -->\nafter\n')).toBe(true)
    expect(once).not.toContain('outdated')
    expect(updateReference(once)).toBe(once)
    expect(updateReference('no markers')).toBeUndefined()
  })
})
