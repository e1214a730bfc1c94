/** A home knows its programs by links: what is called as `HOME/bin/PROGRAM`, as wazuh-control does, works on this home. */
import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** The environment in which WAZUH_PATH is the home that the program `calledAs` lies in, unless it is set or there is no such home. */
export const withLinkedHome = (env: NodeJS.ProcessEnv, calledAs: string | undefined): NodeJS.ProcessEnv => {
  if (env['WAZUH_PATH'] || calledAs === undefined) return env
  const bin = dirname(calledAs)
  const home = dirname(bin)
  return basename(bin) === 'bin' && existsSync(join(home, 'etc/ossec.conf')) ? { ...env, WAZUH_PATH: home } : env
}
