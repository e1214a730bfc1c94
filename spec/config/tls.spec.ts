/** `tls` in cluster.json and in the options of createNode: what is taken, and the sentence about what is not. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadSettings } from '../../src/config/loadSettings.js'
import { createNode, type NodeOptions } from '../../src/createNode.js'
import { vectorPaths } from '../support/certificates/nodeCertificates.js'
import { renderXml } from './renderedConfig.js'

const home = mkdtempSync(join(tmpdir(), 'muster-tls-'))
const key = 'c98b62a9b6169ac5f67dae55ae4a9088'
const jsonFile = join(home, 'etc/cluster.json')
const files = { ca: 'etc/ca.pem', cert: 'etc/node.pem', key: 'etc/node-key.pem' }

beforeAll(() => {
  mkdirSync(join(home, 'etc'))
  writeFileSync(join(home, 'etc/ossec.conf'), renderXml({ key, node: '192.0.2.1', disabled: 'no' }), { mode: 0o640 })
  for (const path of Object.values(files)) writeFileSync(join(home, path), 'PEM', { mode: 0o640 })
})
afterAll(() => rmSync(home, { recursive: true, force: true }))

const load = (tls: unknown) => {
  writeFileSync(jsonFile, JSON.stringify({ tls }), { mode: 0o640 })
  return loadSettings({ home })
}
const mistakesOf = (tls: unknown): readonly string[] => {
  const loaded = load(tls)
  return loaded.ok ? [] : loaded.mistakes
}
const tlsOf = (tls: unknown) => {
  const loaded = load(tls)
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'))
  return loaded.settings.tls
}

describe('the certificates of a node in cluster.json', () => {
  it('are required of the others unless it says otherwise, and let anybody in without a list', () => {
    expect(tlsOf(files)).toEqual({ ...files, require: true })
    expect(tlsOf({ ...files, require: false, allow: ['w-1', 'AB:'.repeat(31).concat('AB')] })).toMatchObject({
      require: false,
      allow: { length: 2 },
    })
    expect(tlsOf(undefined)).toBeUndefined()
  })

  it('are refused, each in a sentence, where a file is not named or not there, or the rest is wrong', () => {
    expect(mistakesOf({ ca: files.ca })).toEqual([
      `${jsonFile}: tls.cert is missing: must be the path of a file, absolute or relative to the home`,
      `${jsonFile}: tls.key is missing: must be the path of a file, absolute or relative to the home`,
    ])
    expect(mistakesOf({ ...files, cert: 'etc/none.pem' })).toEqual([
      `${jsonFile}: tls.cert is "etc/none.pem": must be a readable file, but ${join(home, 'etc/none.pem')}: it does not exist`,
    ])
    for (const tls of [
      true,
      [],
      'x',
      { ...files, require: 'no' },
      { ...files, allow: [] },
      { ...files, allow: ['a b'] },
      { ...files, allow: 'w1' },
    ])
      expect(mistakesOf(tls)).not.toEqual([])
  })

  it('are warned of when every user can read their key', () => {
    chmodSync(join(home, files.key), 0o644)
    expect(load(files).warnings).toEqual([
      `${join(home, files.key)}: every user of this machine can read it (mode 644); the key of the node's certificate should be secret: chmod o-rwx`,
    ])
  })
})

describe('the certificates of an embedded node', () => {
  const create = (tls: unknown) => createNode({ home, type: 'worker', node: 'w1', key, master: { host: '192.0.2.1' }, tls } as NodeOptions)

  it('are options like any other, refused with their place', () => {
    expect(() => create({ ca: 'x', cert: 'y' })).toThrow('tls.key is missing: must be the path of a file')
    expect(() => create({ ...files, allow: [] })).toThrow('tls.allow is []: must be a list of names of nodes')
    expect(() => create({ ...files, extra: 1 })).toThrow('tls.extra is not an option')
    expect(() => create(vectorPaths('valid'))).not.toThrow()
  })

  it('keep it from starting when they cannot be used, with the file in the sentence', async () => {
    await expect(create(files).start()).rejects.toMatchObject({
      code: 'configInvalid',
      message: `${join(home, files.ca)} has no certificate (PEM)`,
    })
    await expect(create({ ...vectorPaths('valid'), key: vectorPaths('other').key }).start()).rejects.toThrow(
      'The certificate and the key together cannot be used for TLS',
    )
  })
})
