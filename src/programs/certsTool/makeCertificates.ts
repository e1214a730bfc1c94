/** What Wazuh's own flags ask for: a new directory with a CA and everything that it signs. All is checked before the first key is made. */
import { dirname } from 'node:path'
import { counted } from '../../base/counted.js'
import { ClusterError } from '../../base/errors.js'
import type { CertificateForm } from '../../domain/certificates/certificateProfile.js'
import type { ConfiguredNode } from '../../domain/certificates/checkCertificateConfig.js'
import { dayMs } from '../../domain/certificates/expiry.js'
import { defaultKeyKind } from '../../domain/certificates/keyKinds.js'
import { certificateFile, intermediateName, keyFile, rootName } from '../../domain/certificates/nodeName.js'
import { type Component, components } from '../../domain/certificates/writtenConfig.js'
import { type Authority, isSelfIssued, makeIntermediate, makeRoot, type NewAuthority } from '../../platform/certificates/authority.js'
import { CertificateMaker, type MadeCertificate } from '../../platform/certificates/certificateMaker.js'
import { certificatePem } from '../../platform/certificates/issueCertificate.js'
import { assertWritable, fileNamesIn, type NamedFile, writeNewDirectory } from '../../platform/certificates/pemFiles.js'
import { keyPem } from '../../platform/certificates/privateKeys.js'
import { certificateFacts, parsedCertificates } from '../../platform/certificates/readCertificates.js'
import { type AuthorityTexts, loadAuthority } from './authorityOnDisk.js'
import type { CertsRun } from './certsRun.js'
import type { MakeTask } from './certsTask.js'
import { configuredNodes } from './configuredNodes.js'
import { passphraseIn } from './passphrase.js'
import { dayText, namesText } from './texts.js'

/** As Wazuh writes them. */
const sentences: Readonly<Record<Component, { readonly absent: string; readonly begins: string; readonly done: string }>> = {
  indexer: {
    absent: 'Indexer node not present in config.yml.',
    begins: 'Generating Wazuh indexer certificates.',
    done: 'Wazuh indexer certificates created.',
  },
  server: {
    absent: 'Server node not present in config.yml.',
    begins: 'Generating Filebeat certificates.',
    done: 'Wazuh Filebeat certificates created.',
  },
  dashboard: {
    absent: 'Dashboard node not present in config.yml.',
    begins: 'Generating Wazuh dashboard certificates.',
    done: 'Wazuh dashboard certificates created.',
  },
}

export const makeCertificates = async (task: MakeTask, run: CertsRun): Promise<void> => {
  const directory = run.path(task.directory)
  assertFree(directory, task.directory)
  const nodes = task.mode === 'admin' || task.mode === 'ca' ? [] : chosenNodes(task, await configuredNodes(task.config, true, run))
  const given = task.authority && (await loadAuthority(task.authority, task, run))
  if (given) await warnOfMissingRoot(given, task, run)
  const passphrase = task.passphraseFile === undefined ? undefined : passphraseIn(run.path(task.passphraseFile))
  // Up to here nothing was made.
  const { authority, files } = await authorityFiles(task, given, passphrase, run)
  if (task.mode === 'ca') await run.log.write('INFO', 'Authority certificates created.')
  const maker = new CertificateMaker({ authority, form: formOf(task), keyKind: task.keyKind, days: task.days, nowMs: run.nowMs })
  if (task.mode !== 'ca') await warnOfShortening(maker, run)
  const made = [...files]
  if (task.mode === 'all' || task.mode === 'admin') {
    await run.log.write('INFO', 'Generating Admin certificates.')
    made.push(...(await maker.admin()).files)
    await run.log.write('INFO', 'Admin certificates created.')
  }
  for (const [component, own] of byComponent(task, nodes)) made.push(...(await componentFiles(component, own, maker, run)))
  writeNewDirectory(directory, made)
  await run.log.write('INFO', `${counted(made.length, 'file')} in ${directory}.`)
}

export const formOf = ({ isCompatible }: { readonly isCompatible: boolean }): CertificateForm => (isCompatible ? 'compatible' : 'modern')

const assertFree = (directory: string, given: string): void => {
  if ((fileNamesIn(directory) ?? []).length > 0) {
    // As Wazuh writes it, and what it means where ours puts it.
    const says = `Directory ${given} already exists in the same path as the script. Please, remove the certs directory to create new certificates.`
    throw new ClusterError('fileFailed', { message: `${says} (${directory}; add and renew work in an existing directory)` })
  }
  assertWritable(dirname(directory))
}

/** A CA below another one is given with its chain. */
const warnOfMissingRoot = async ({ certificate }: AuthorityTexts, { authority }: MakeTask, { log }: CertsRun): Promise<void> => {
  const place = authority?.certificate ?? ''
  if (parsedCertificates(certificate, place).some(isSelfIssued)) return
  await log.write('WARNING', `${place} has no root CA, which those need who check the certificates: append its certificate to the file.`)
}

const chosenNodes = ({ mode }: MakeTask, nodes: readonly ConfiguredNode[]): readonly ConfiguredNode[] => {
  const component = components.find((one) => one === mode)
  if (component === undefined) return nodes
  const chosen = nodes.filter((node) => node.components.includes(component))
  if (chosen.length === 0) throw new ClusterError('configInvalid', { message: sentences[component].absent })
  return chosen
}

const authorityFiles = async (
  task: MakeTask,
  given: AuthorityTexts | undefined,
  passphrase: string | undefined,
  run: CertsRun,
): Promise<{ readonly authority: Authority; readonly files: readonly NamedFile[] }> => {
  const asked: NewAuthority = {
    form: formOf(task),
    keyKind: task.keyKind ?? defaultKeyKind,
    nowMs: run.nowMs,
    endsMs: run.nowMs + task.caDays * dayMs,
  }
  const texts = given ?? (await newRoot(task, asked, passphrase, run))
  const files = [
    { name: keyFile(rootName), content: texts.key },
    { name: certificateFile(rootName), content: texts.certificate },
  ]
  if (!task.hasIntermediate) return { authority: texts.authority, files }
  await run.log.write('INFO', 'Generating the intermediate certificate.')
  const intermediate = await makeIntermediate(texts.authority, asked)
  const intermediateFiles = [
    { name: keyFile(intermediateName), content: keyPem(intermediate.key, passphrase) },
    { name: certificateFile(intermediateName), content: certificatePem(...intermediate.chain) },
  ]
  return { authority: intermediate, files: [...files, ...intermediateFiles] }
}

const newRoot = async (task: MakeTask, asked: NewAuthority, passphrase: string | undefined, { log }: CertsRun): Promise<AuthorityTexts> => {
  await log.write('INFO', 'Generating the root certificate.')
  const authority = await makeRoot(asked, task.hasIntermediate ? 1 : 0)
  return { authority, certificate: certificatePem(authority.certificate), key: keyPem(authority.key, passphrase) }
}

export const warnOfShortening = async (maker: CertificateMaker, { log }: CertsRun): Promise<void> => {
  if (!maker.isCutShort) return
  await log.write('WARNING', `The certificates are valid until ${dayText(maker.endsMs)} only: the CA's own ends then.`)
}

/** A node of several components is made with the first, unless only one is made. */
const byComponent = ({ mode }: MakeTask, nodes: readonly ConfiguredNode[]): readonly (readonly [Component, readonly ConfiguredNode[]])[] =>
  components
    .map((component) => {
      const isOwn = (node: ConfiguredNode): boolean =>
        mode === component || components.find((one) => node.components.includes(one)) === component
      return [component, mode === 'all' || mode === component ? nodes.filter(isOwn) : []] as const
    })
    .filter(([, own]) => own.length > 0)

const componentFiles = async (
  component: Component,
  nodes: readonly ConfiguredNode[],
  maker: CertificateMaker,
  run: CertsRun,
): Promise<readonly NamedFile[]> => {
  await run.log.write('INFO', sentences[component].begins)
  const files: NamedFile[] = []
  // On all processors: a key of RSA may take seconds. A failure is that of its turn.
  const making = nodes.map(({ addresses, name }) => ({ name, pending: maker.node(name, addresses) }))
  for (const { pending } of making) pending.catch(() => undefined)
  for (const { name, pending } of making) {
    // As Wazuh writes both.
    await run.log.write('DEBUG', `${component === 'server' ? 'Generating' : 'Creating'} the certificates for ${name} ${component} node.`)
    const made = await pending
    files.push(...made.files)
    await sayMade(name, made, run)
  }
  await run.log.write('INFO', sentences[component].done)
  return files
}

export const sayMade = async (name: string, { certificate }: MadeCertificate, { log }: CertsRun): Promise<void> => {
  const facts = certificateFacts(certificate)
  await log.write('INFO', `${name}: ${namesText(facts.altNames)}, until ${dayText(facts.endsMs)}.`)
}
