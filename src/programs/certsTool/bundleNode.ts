/** What one node needs, in a tar. The directory as a whole, which people copy to every node, has everybody's keys and the CA's. */
import { ClusterError } from '../../base/errors.js'
import { shown } from '../../base/shown.js'
import { certificateFile, intermediateName, keyFile, rootName } from '../../domain/certificates/nodeName.js'
import { writeNewFile } from '../../platform/certificates/pemFiles.js'
import { tarArchive } from '../../wire/tar/tarArchive.js'
import { existingFile } from './authorityOnDisk.js'
import type { CertsRun } from './certsRun.js'
import type { BundleTask } from './certsTask.js'

const mode = 0o600
const namePattern = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,63}$/

/** Returns the sentence about what was done. */
export const bundleNode = ({ directory, file, name }: BundleTask, run: CertsRun): string => {
  if (!namePattern.test(name) || name === rootName || name === intermediateName)
    throw new ClusterError('argumentsInvalid', { message: `${shown(name)} is not the name of a node: the key of a CA is in no bundle` })
  const files = [certificateFile(name), keyFile(name), certificateFile(rootName)].map((file) => ({
    name: file,
    content: Buffer.from(existingFile(run.path(`${directory}/${file}`)).text),
    mode,
  }))
  writeNewFile(run.path(file), tarArchive(files, run.nowMs))
  return `${run.path(file)}: ${files.map((one) => one.name).join(', ')}\n`
}
