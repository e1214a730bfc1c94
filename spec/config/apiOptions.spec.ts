/** The object `api` of cluster.json and of createNode: off unless it is switched on, and refused in words where it would be open to others. */
import { describe, expect, it } from 'vitest'
import { apiOptions, defaultApiService, mistakeWithoutUsers } from '../../src/config/apiOptions.js'
import { parseClusterJson } from '../../src/config/clusterJson.js'
import { mistakesInOptions } from '../../src/config/nodeOptions.js'

const read = (api: object) => {
  const findings = { mistakes: [] as string[], warnings: [] as string[], notes: [] as string[] }
  const { internal } = parseClusterJson('cluster.json', JSON.stringify({ api }), findings)
  return { ...findings, api: internal.api }
}

const inNode = (api: object) =>
  mistakesInOptions({ home: '/', type: 'master', node: 'm', key: 'k'.repeat(32), master: { host: '10.0.0.1' }, api }, () => true)

describe('the HTTP service', () => {
  it('is off unless it is switched on, and listens on the loopback interface then', () => {
    expect(read({})).toMatchObject({ mistakes: [], api: undefined })
    expect(read({ enabled: true })).toMatchObject({ mistakes: [], api: defaultApiService })
    expect([defaultApiService.address, defaultApiService.port, apiOptions.enabled.fallback]).toEqual(['127.0.0.1', 55_000, false])
    expect(read({ enabled: true, certficate: 'x' }).warnings).toEqual(['cluster.json: api.certficate is not a known option; it is ignored'])
  })

  it('is refused on an address that other machines reach, without TLS or without a user', () => {
    for (const address of ['0.0.0.0', '::', '10.0.0.7']) {
      expect(read({ enabled: true, address }).mistakes).toEqual([
        expect.stringContaining(`api.address is "${address}", which other machines reach: must be a loopback address`),
      ])
      expect(read({ enabled: true, address, certificate: 'a', key: 'b' }).mistakes).toEqual([])
      expect(mistakeWithoutUsers({ ...defaultApiService, address }, 'api.address')).toContain('muster-api user add NAME')
      expect(inNode({ address })).toEqual([expect.stringContaining('set api.certificatePath and api.keyPath too')])
    }
    for (const address of ['127.0.0.1', '::1', '127.1.2.3']) {
      expect(read({ enabled: true, address }).mistakes).toEqual([])
      expect(mistakeWithoutUsers({ ...defaultApiService, address }, 'api.address')).toBeUndefined()
      expect(inNode({ address, port: 0 })).toEqual([])
    }
  })

  it('is refused with half of a certificate, and with options of another shape', () => {
    expect(read({ enabled: true, certificate: 'a' }).mistakes).toEqual([
      'cluster.json: api.certificate is given without api.key: must be both or neither',
    ])
    expect(read({ enabled: true, key: 'a' }).mistakes).toEqual([
      'cluster.json: api.key is given without api.certificate: must be both or neither',
    ])
    expect(read({ enabled: true, client_ca: 'a' }).mistakes).toEqual([expect.stringContaining('clients show certificates over TLS only')])
    expect(read({ enabled: 'yes', port: 80, address: 'localhost', hosts: ['http://x'] }).mistakes).toHaveLength(4)
    expect(inNode({ port: 80 })).toHaveLength(1)
    expect(inNode({ enabled: true })).toEqual([expect.stringContaining('api.enabled is not an option')])
  })
})
