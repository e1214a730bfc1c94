/** wazuh-certs-tool as a process: what it makes is used by openssl, and a signal in the middle leaves nothing. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { lacksOpenssl, openssl } from '../support/certificates/openssl.js'
import { repository } from '../support/daemons.js'

const program = join(repository, 'dist/cli/wazuh-certs-tool.js')
let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'muster-certificates-'))
  writeFileSync(join(directory, 'config.yml'), 'nodes:\n  server:\n    - name: w1\n      ip: 127.0.0.1\n')
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const ran = (...argv: readonly string[]) => spawnSync(process.execPath, [program, ...argv], { cwd: directory, encoding: 'utf8' })

describe('wazuh-certs-tool', () => {
  it.skipIf(lacksOpenssl)('makes, checks and renews where it is called, and openssl takes the chain', () => {
    expect(ran('-A', '--key', 'p256')).toMatchObject({ status: 0, stderr: '' })
    expect(ran('renew', 'w1')).toMatchObject({ status: 0, stderr: '' })
    expect(ran('check')).toMatchObject({ status: 0, stderr: '' })
    const file = (name: string): string => join(directory, 'wazuh-certificates', name)
    expect(openssl('verify', '-x509_strict', '-CAfile', file('root-ca.pem'), file('w1.pem'))).toMatchObject({ status: 0 })
    expect(ran('check', '--within', '9999w')).toMatchObject({ status: 1, stderr: '' })
    expect(ran('check', 'nowhere')).toMatchObject({ status: 2, stdout: '' })
  })

  it('leaves no certificate behind when a signal ends it in the middle', async () => {
    const child = spawn(process.execPath, [program, '-A', '--key', 'rsa4096'], { cwd: directory, stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = once(child, 'close')
    for await (const text of child.stdout) if (String(text).includes('Generating the root certificate.')) break
    child.kill('SIGINT')
    expect(await ended).toEqual([null, 'SIGINT'])
    expect(readdirSync(directory).sort()).toEqual(['config.yml', 'wazuh-certificates-tool.log'])
  })
})
