/** The nodes of config.yml, all of them checked: what is wrong is said line by line, then it is given up. */

import { counted } from '../../base/counted.js'
import { ClusterError } from '../../base/errors.js'
import { type ConfiguredNode, checkCertificateConfig } from '../../domain/certificates/checkCertificateConfig.js'
import { readCertificateConfig } from '../../domain/certificates/readCertificateConfig.js'
import { findingText } from '../../domain/certificates/writtenConfig.js'
import { readPemFile } from '../../platform/certificates/pemFiles.js'
import type { CertsRun } from './certsRun.js'

/** It was said already. */
export class SaidFailure extends Error {
  override readonly name = 'SaidFailure'
}

/** `isWhole`: these are all nodes of the cluster, so that their types can be checked too. Fails with SaidFailure or `fileFailed`. */
export const configuredNodes = async (config: string, isWhole: boolean, { log, path }: CertsRun): Promise<readonly ConfiguredNode[]> => {
  await log.write('DEBUG', 'Reading configuration file.')
  const file = readPemFile(path(config))
  // Both are Wazuh's.
  if (!file)
    throw new ClusterError('fileFailed', { message: `No configuration file found. (${path(config)}; --config FILE names another)` })
  if (file.text.trim() === '') throw new ClusterError('fileFailed', { message: `File ${path(config)} is empty` })
  const { mistakes, nodes, warnings } = checkCertificateConfig(readCertificateConfig(file.text), { checksTypes: isWhole })
  for (const warning of warnings) await log.write('WARNING', findingText(config, warning))
  for (const mistake of mistakes) await log.write('ERROR', findingText(config, mistake))
  if (mistakes.length > 0) throw new SaidFailure(counted(mistakes.length, 'mistake'))
  return nodes
}
