/**
 * The command line of wazuh-certs-tool: the flags of Wazuh's own tool, whose mistakes are said in Wazuh's sentences. The commands that
 * its tool does not have are in commandArguments.
 */
import { CommanderError } from 'commander'
import { closestName } from '../../domain/certificates/closestName.js'
import { sentenceOf, withLongNames, wrongValueOf } from '../kit/commandLine.js'
import { certsHelp, certsProgram, commandNames } from './certsHelp.js'
import type { AuthorityPaths, CertsArguments, MakeMode, PrintedInstead } from './certsTask.js'
import { parseCommand } from './commandArguments.js'
import { type GivenMakingOptions, makingConflict, makingOptionsOf } from './makingOptions.js'

/** commander has no option of several letters after one dash. Of the two spellings of -ca, the one is in Wazuh's help, the other works there. */
const longNames: Readonly<Record<string, string>> = {
  '-ca': '--root-ca-certificates',
  '--root-ca-certificate': '--root-ca-certificates',
  '-wi': '--wazuh-indexer-certificates',
  '-ws': '--wazuh-server-certificates',
  '-wm': '--wazuh-server-certificates',
  '--wazuh-manager-certificates': '--wazuh-server-certificates',
  '-wd': '--wazuh-dashboard-certificates',
  '-tmp': '--cert_tmp_path',
}

type Paths = true | readonly string[]

interface Options extends GivenMakingOptions {
  readonly all?: Paths
  readonly adminCertificates?: Paths
  readonly rootCaCertificates?: true
  readonly wazuhIndexerCertificates?: Paths
  readonly wazuhServerCertificates?: Paths
  readonly wazuhDashboardCertificates?: Paths
  readonly cert_tmp_path?: true | string
  readonly config: string
  readonly out: string
  readonly caDays: number
  readonly intermediate?: true
}

/** As Wazuh's sentences name those that need a CA. */
const modeFlags: Readonly<Record<Exclude<MakeMode, 'ca' | 'all'>, string>> = {
  admin: '-a|--admin-certificates',
  server: '-ws|--wazuh-server-certificates',
  indexer: '-wi|--wazuh-indexer-certificates',
  dashboard: '-wd|--wazuh-dashboard-certificates',
}
const flags = '-a, -A, -ca, -wi, -wd, -ws'

export const parseCertsArguments = (argv: readonly string[]): CertsArguments => {
  const [first, ...rest] = argv
  if (first === undefined) return { code: 1, errors: [], text: certsHelp() }
  const name = commandNames.find((known) => known === first)
  if (name !== undefined) return parseCommand(name, rest)
  if (first === 'help') return { code: 0, errors: [], text: certsHelp() }
  if (!first.startsWith('-')) return unknownOption(first, closestName(first, commandNames))
  return parseFlags(withLongNames(argv, longNames))
}

/** As Wazuh writes it. */
const unknownOption = (given: string, meant: string | undefined): PrintedInstead => ({
  code: 1,
  errors: [],
  text: `Unknow option: ${given}\n${meant === undefined ? '' : `Did you mean ${meant}?\n`}${certsHelp()}`,
})

const wrong = (error: string): PrintedInstead => ({ code: 1, errors: [error], text: '' })
const withHelp = (error: string): PrintedInstead => ({ ...wrong(error), text: certsHelp() })

const parseFlags = (argv: readonly string[]): CertsArguments => {
  const command = certsProgram()
  let text = ''
  command.configureOutput({
    writeOut: (part) => {
      text += part
    },
    writeErr: () => undefined,
  })
  try {
    command.parse([...argv], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return { code: 0, errors: [], text }
    const [, option, meant] = /unknown option '([^']*)'(?:\n\(Did you mean (.*?)\?\))?/s.exec(error.message) ?? []
    return option === undefined ? wrong(sentenceOf(error)) : unknownOption(option, meant)
  }
  const [surplus] = command.args
  if (surplus !== undefined) return unknownOption(surplus, undefined)
  const wrongValue = wrongValueOf(command, argv)
  return wrongValue === undefined ? taskOf(command.opts<Options>()) : wrong(wrongValue)
}

const taskOf = (options: Options): CertsArguments => {
  const { cert_tmp_path: temporary } = options
  if (temporary === true || (temporary !== undefined && !temporary.startsWith('/')))
    return withHelp("Error on arguments. Probably missing </path/to/tmp_dir> or path does not start with '/'.")
  const [chosen, second] = modesOf(options)
  if (!chosen)
    return withHelp(
      temporary === undefined
        ? `One of these options is needed: ${flags}`
        : `Error: -tmp must be used along with one of these options: ${flags}`,
    )
  if (second) return withHelp(`Only one of these options can be given: ${flags}`)
  const [mode, paths] = chosen
  const authority = authorityOf(mode, paths)
  if (authority !== undefined && 'code' in authority) return authority
  const conflict = makingConflict(options) ?? intermediateConflict(options)
  if (conflict !== undefined) return wrong(conflict)
  const { caDays, config, intermediate = false, out } = options
  return {
    task: { kind: 'make', mode, authority, config, directory: out, caDays, hasIntermediate: intermediate, ...makingOptionsOf(options) },
  }
}

/** In Wazuh's order of them. */
const modesOf = (options: Options): readonly (readonly [MakeMode, readonly string[]])[] => {
  const given: readonly (readonly [MakeMode, Paths | undefined])[] = [
    ['all', options.all],
    ['admin', options.adminCertificates],
    ['ca', options.rootCaCertificates],
    ['indexer', options.wazuhIndexerCertificates],
    ['server', options.wazuhServerCertificates],
    ['dashboard', options.wazuhDashboardCertificates],
  ]
  return given.flatMap(([mode, paths]) =>
    paths === undefined ? [] : [[mode, paths === true ? [] : paths.filter((path) => path !== '')] as const],
  )
}

const intermediateConflict = ({ compatible, intermediate }: Options): string | undefined =>
  compatible && intermediate ? "--compatible and --intermediate exclude each other: Wazuh's tool makes no intermediate CA." : undefined

/** The two paths, in either order; or what is wrong with them. */
const authorityOf = (mode: MakeMode, [first, second, third]: readonly string[]): AuthorityPaths | PrintedInstead | undefined => {
  if (third !== undefined) return unknownOption(third, undefined)
  if (first !== undefined && second !== undefined)
    return first.endsWith('.key') ? { certificate: second, key: first } : { certificate: first, key: second }
  if (mode !== 'all' && mode !== 'ca')
    return withHelp(`Error on arguments. Probably missing </path/to/root-ca.pem> </path/to/root-ca.key> after ${modeFlags[mode]}`)
  return first === undefined ? undefined : wrong(`You have not entered a root-ca.${first.endsWith('.key') ? 'pem' : 'key'}`)
}
