/** Which version of Wazuh is installed in a home. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { versionOfControlScript } from '../../domain/cluster/wazuhVersion.js'

/** The script says it in its first lines. */
const bytesMax = 64 * 1024

/** Undefined where no manager is installed, or where its program cannot be read: then Muster takes the place of the manager. The program is not run. */
export const managerVersion = (home: string): string | undefined => {
  let file: number | undefined
  try {
    file = openSync(join(home, 'bin', 'wazuh-control'), constants.O_RDONLY | constants.O_NONBLOCK)
    if (!fstatSync(file).isFile()) return undefined
    const script = Buffer.alloc(bytesMax)
    return versionOfControlScript(script.toString('latin1', 0, readSync(file, script, 0, bytesMax, 0)))
  } catch {
    return undefined
  } finally {
    if (file !== undefined) closeSync(file)
  }
}
