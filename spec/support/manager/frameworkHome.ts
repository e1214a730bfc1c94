/** A home with an interpreter where a manager has its own, and the stand-in of Wazuh's framework in its packages. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const packages = fileURLToPath(new URL('standInFramework', import.meta.url))

/** The program that runs in it. */
export const bridgeScript = fileURLToPath(new URL('../../../src/platform/manager/python/muster_api_bridge.py', import.meta.url))

const saysItself = 'import sys; print(sys.executable, "%d.%d" % sys.version_info[:2])'

/** @param packagesPath where the framework is; the stand-in when left out */
export const addFramework = (home: string, packagesPath = packages): void => {
  const [executable = '', version = ''] = execFileSync('python3', ['-c', saysItself]).toString().trim().split(' ')
  const root = join(home, 'framework/python')
  const site = join(root, 'lib', `python${version}`, 'site-packages')
  mkdirSync(join(root, 'bin'), { recursive: true })
  mkdirSync(site, { recursive: true })
  symlinkSync(executable, join(root, 'bin/python3'))
  writeFileSync(join(root, 'pyvenv.cfg'), `home = ${dirname(executable)}\n`)
  writeFileSync(join(site, 'framework.pth'), `${packagesPath}\n`)
}

/** What the stand-in answers by. */
export const setCase = (home: string, node: string, name: string): void =>
  writeFileSync(join(home, 'standin.json'), JSON.stringify({ node, case: name }))

/** A request for a function of the stand-in's own. */
export const standInRequest = (name: string, f_kwargs: object = {}): Buffer =>
  Buffer.from(
    JSON.stringify({
      f: { __callable__: { __name__: name, __module__: 'wazuh.standin', __qualname__: name, __type__: 'function' } },
      f_kwargs,
    }),
  )
