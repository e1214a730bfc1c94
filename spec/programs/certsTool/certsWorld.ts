/** A directory in which wazuh-certs-tool is called, and what it prints there. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { afterEach } from 'vitest'
import type { CertificateFacts } from '../../../src/domain/certificates/certificateFacts.js'
import { readCertificates } from '../../../src/platform/certificates/readCertificates.js'
import { runCertsTool } from '../../../src/programs/certsTool/certsCommand.js'
import { noInput, type Ran, ranProgram } from '../ranProgram.js'

export const startMs = Date.UTC(2026, 10, 26, 12)

export class CertsHome {
  readonly directory = mkdtempSync(join(tmpdir(), 'muster-certs-'))
  nowMs = startMs

  constructor(config?: string) {
    directories.push(this.directory)
    if (config !== undefined) this.write('config.yml', config)
  }

  run(...argv: readonly string[]): Promise<Ran> {
    return this.typed(noInput(), ...argv)
  }

  typed(stdin: Readable, ...argv: readonly string[]): Promise<Ran> {
    const { directory } = this
    return ranProgram((given, world) => runCertsTool(given, { ...world, directory, now: () => this.nowMs }), argv, {}, stdin)
  }

  write(name: string, text: string): void {
    writeFileSync(this.path(name), text)
  }

  text(name: string): string {
    return readFileSync(this.path(name), 'utf8')
  }

  path(name: string): string {
    return join(this.directory, name)
  }

  /** Of a certificate in the directory that the program makes. */
  facts(name: string): CertificateFacts | undefined {
    return readCertificates(this.text(`wazuh-certificates/${name}.pem`), name)[0]
  }
}

const directories: string[] = []
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true })
})

/** The lines without the time of each. */
export const sentences = (out: string): readonly string[] =>
  out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(/^\d\d\/\d\d\/\d{4} \d\d:\d\d:\d\d /, ''))

export const oneNode = 'nodes:\n  server:\n    - name: w1\n      ip: 10.0.0.1\n'

/** In the ways that people write it. */
export const threeNodes = `nodes:
  # Wazuh indexer nodes
  indexer:
    - name: node-1
      ip: "10.0.0.1"
  server:
    - name: wazuh-1
      ip: "10.0.0.11"
      ip: "w1.example.com"
      ip: 'fd00::11'
      node_type: master
    - name: wazuh_2
      ip:
        - 10.0.0.12
      dns: [w2.example.com]
      node_type: worker
  dashboard:
    - name: dashboard
      ip: 10.0.0.21
`
