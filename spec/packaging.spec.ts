/** The unit file: systemd accepts it, and the program that it names accepts its command line. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { parseClusterdArguments } from '../src/programs/clusterd/clusterdArguments.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const unit = read('packaging/wazuh-clusterd.service')

/** The values of a key, `Section.Key`, as systemd reads them. */
const valuesOf = (text: string): ReadonlyMap<string, string> => {
  const values = new Map<string, string>()
  let section = ''
  for (const line of text.split('\n')) {
    const header = /^\[(\w+)\]$/.exec(line)
    if (header) section = header[1] ?? ''
    const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? []
    if (key !== undefined && value !== undefined) values.set(`${section}.${key}`, value)
  }
  return values
}

describe('packaging/wazuh-clusterd.service', () => {
  it('waits for the network, restarts after a pause, and sets the user and descriptors for the daemon', () => {
    const values = valuesOf(unit)
    for (const [key, value] of [
      ['Unit.Wants', 'network-online.target'],
      ['Unit.After', 'network-online.target'],
      ['Service.Type', 'exec'],
      ['Service.User', 'wazuh'],
      ['Service.Restart', 'on-failure'],
      ['Install.WantedBy', 'multi-user.target'],
    ])
      expect([key, values.get(key ?? '')]).toEqual([key, value])
    expect(Number(values.get('Service.RestartSec'))).toBeGreaterThan(0)
    expect(Number(values.get('Service.LimitNOFILE'))).toBeGreaterThanOrEqual(65_536)
  })

  it('starts a program of the package in the foreground, with arguments that it takes', () => {
    const [program = '', ...argv] = valuesOf(unit).get('Service.ExecStart')?.split(' ') ?? []
    const { bin } = JSON.parse(read('package.json')) as { bin: Readonly<Record<string, string>> }
    expect(program).toBe(`/opt/muster/${bin['wazuh-clusterd']}`)
    const says: string[] = []
    const asked = parseClusterdArguments(argv, {}, { out: (text) => says.push(text), err: (text) => says.push(text) })
    expect(says).toEqual([])
    expect(asked).toMatchObject({ foreground: true, home: '/var/ossec', stayRoot: false })
  })

  it('has nothing that systemd-analyze would change, where there is one', () => {
    const directory = mkdtempSync(join(tmpdir(), 'muster-unit-'))
    try {
      const file = join(directory, 'wazuh-clusterd.service')
      // A program that exists on this machine, because systemd checks that.
      writeFileSync(file, unit.replace(/^ExecStart=\S+/m, `ExecStart=${process.execPath}`))
      const { error, stderr } = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' })
      if (error === undefined) expect(stderr.split('\n').filter((line) => line.includes(file))).toEqual([])
      else expect(error).toMatchObject({ code: 'ENOENT' })
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })

  it('is what docs/operating.md installs, from where the program lies', () => {
    expect(read('docs/operating.md')).toContain('/opt/muster/packaging/wazuh-clusterd.service')
  })
})
