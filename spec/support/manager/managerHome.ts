/** A pretended manager's home: what `muster` finds in one, with an original program, and what is to be the same afterwards. */
import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export const wazuhsProgram = (version: string): string => `#!/bin/sh\n# The program of Wazuh ${version}\necho "Wazuh's own $*"\n`

export interface ManagerHomeOptions {
  readonly version?: string
  readonly conf?: string
}

export const managerConf = `<ossec_config>
  <cluster>
    <name>wazuh</name>
    <node_name>node01</node_name>
    <node_type>master</node_type>
    <key>${'k'.repeat(32)}</key>
    <port>1516</port>
    <bind_addr>0.0.0.0</bind_addr>
    <nodes>
      <node>wazuh-master</node>
    </nodes>
    <hidden>no</hidden>
    <disabled>no</disabled>
  </cluster>
</ossec_config>
`

/** With directories of a manager's modes. */
export const makeManagerHome = (home: string, { conf = managerConf, version = '4.14.7' }: ManagerHomeOptions = {}): void => {
  for (const [directory, mode] of Object.entries({ etc: 0o770, bin: 0o750, var: 0o750, 'var/run': 0o770, queue: 0o750, logs: 0o770 })) {
    mkdirSync(join(home, directory), { recursive: true })
    chmodSync(join(home, directory), mode)
  }
  writeFileSync(join(home, 'etc/ossec.conf'), conf, { mode: 0o640 })
  writeFileSync(join(home, 'bin/wazuh-control'), `#!/bin/sh\nVERSION="v${version}"\n`, { mode: 0o750 })
}

/** As its package installs it, with a time of the past. */
export const installWazuhs = (home: string, version = '4.14.7'): void => {
  const path = join(home, 'bin/wazuh-clusterd')
  writeFileSync(path, wazuhsProgram(version))
  chmodSync(path, 0o750)
  utimesSync(path, 1_700_000_000, 1_700_000_000.25)
}

/** All that there is to see of the files in a directory, but the times of their last access and change of inode. */
export const stateOfFiles = (directory: string): readonly unknown[] =>
  readdirSync(directory)
    .sort()
    .map((name) => {
      const path = join(directory, name)
      const { gid, ino, mode, mtimeNs, nlink, uid } = lstatSync(path, { bigint: true })
      const isLink = (Number(mode) & 0o170000) === 0o120000
      return { name, gid, ino, mode, mtimeNs, nlink, uid, content: isLink ? readlinkSync(path) : readFileSync(path, 'latin1') }
    })
