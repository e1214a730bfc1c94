/** Certificates as wazuh-certs-tool.sh makes them, by Debian's openssl: an authority without a common name, nodes with addresses in the SAN and their name as CN. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const openssl = (directory: string, args: readonly string[]): void => {
  execFileSync('openssl', args, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] })
}

const newKey = ['-nodes', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'] as const
const nodeExtensions = [
  'authorityKeyIdentifier=keyid,issuer',
  'basicConstraints=CA:FALSE',
  'keyUsage=digitalSignature,nonRepudiation,keyEncipherment,dataEncipherment',
  'subjectAltName=IP:127.0.0.1',
].join('\n')

export interface CertificateFiles {
  readonly cert: string
  readonly key: string
}

export class WazuhCertificates {
  readonly directory: string
  /** Of the authority; below the directory. */
  readonly #authority: string

  constructor(directory: string, authority = 'root-ca') {
    this.directory = directory
    this.#authority = authority
    mkdirSync(directory, { recursive: true })
    const files = ['-keyout', `${authority}.key`, '-out', `${authority}.pem`]
    openssl(directory, ['req', '-x509', '-new', ...newKey, ...files, '-batch', '-subj', '/OU=Wazuh/O=Wazuh/L=California/', '-days', '3650'])
  }

  get ca(): string {
    return join(this.directory, `${this.#authority}.pem`)
  }

  /** `admin` has no SAN at all; negative days have ended already. A pair that is there is replaced, each file at once. */
  issue(name: string, days = 3650): CertificateFiles {
    const subject = `/C=US/L=California/O=Wazuh/OU=Wazuh/CN=${name}`
    openssl(this.directory, ['req', '-new', ...newKey, '-keyout', 'new-key.pem', '-out', 'new.csr', '-batch', '-subj', subject])
    writeFileSync(join(this.directory, 'extensions'), nodeExtensions)
    const extensions = name === 'admin' ? [] : ['-extfile', 'extensions']
    const signing = [
      '-CA',
      `${this.#authority}.pem`,
      '-CAkey',
      `${this.#authority}.key`,
      '-CAcreateserial',
      '-sha256',
      '-days',
      String(days),
    ]
    openssl(this.directory, ['x509', '-req', '-in', 'new.csr', ...signing, ...extensions, '-out', 'new.pem'])
    const files = { cert: join(this.directory, `${name}.pem`), key: join(this.directory, `${name}-key.pem`) }
    renameSync(join(this.directory, 'new.pem'), files.cert)
    renameSync(join(this.directory, 'new-key.pem'), files.key)
    return files
  }
}
