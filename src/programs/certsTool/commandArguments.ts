/** The command lines of list, check, renew, add, bundle, request and sign. */
import { Command, Option } from 'commander'
import { limits } from '../../base/limits.js'
import { shown } from '../../base/shown.js'
import { type AltName, altNameOf } from '../../domain/certificates/altName.js'
import { dayMs } from '../../domain/certificates/expiry.js'
import { defaultKeyKind, type KeyKind } from '../../domain/certificates/keyKinds.js'
import { nameRefusalText } from '../../domain/certificates/nodeName.js'
import { parsedOptions } from '../kit/commandLine.js'
import { type CommandName, defaultDirectory, programName } from './certsHelp.js'
import type { CertsArguments, CertsTask, ShowTask } from './certsTask.js'
import {
  durationArgument,
  type GivenMakingOptions,
  keyOption,
  makingConflict,
  makingOptionsOf,
  withMakingOptions,
} from './makingOptions.js'

/** A command line is parsed into a task, or a sentence about what is wrong. */
type Parsed = CertsTask | string

interface CommandRow {
  readonly describe: (command: Command) => Command
  readonly examples: readonly string[]
  readonly taskOf: (command: Command) => Parsed
}

interface DirectoryOptions extends GivenMakingOptions {
  readonly out: string
  readonly caCert?: string
  readonly caKey?: string
}

const withinDefaultMs = 30 * dayMs

const withinOption = (says: string): Option =>
  new Option('--within <time>', says).argParser(durationArgument).default(withinDefaultMs, '30d')
const outOption = (): Option => new Option('--out <dir>', 'the directory of the certificates').default(defaultDirectory)

const withDirectoryOptions = (command: Command, key: Option | undefined): Command =>
  withMakingOptions(command, key)
    .addOption(outOption())
    .addOption(
      new Option('--ca-cert <file>', 'certificate of the CA that signs (default: intermediate-ca.pem or root-ca.pem of the directory)'),
    )
    .addOption(new Option('--ca-key <file>', 'its key (default: intermediate-ca.key or root-ca.key of the directory)'))

const inDirectory = (options: DirectoryOptions) => ({
  directory: options.out,
  authority: {
    ...(options.caCert !== undefined && { certificate: options.caCert }),
    ...(options.caKey !== undefined && { key: options.caKey }),
  },
  ...makingOptionsOf(options),
})

const directoryConflict = (options: DirectoryOptions): string | undefined =>
  makingConflict(options) ?? (options.caCert !== undefined && options.caKey === undefined ? '--ca-cert goes with --ca-key.' : undefined)

const showRow = (kind: ShowTask['kind'], description: string): CommandRow => ({
  describe: (command) =>
    command
      .description(description)
      .argument('[dir]', 'directory of the certificates', defaultDirectory)
      .addOption(withinOption('what ends within this time ends soon'))
      .addOption(new Option('-j, --json', 'print JSON')),
  examples: [`${kind}`, `${kind} /etc/filebeat/certs --json`, ...(kind === 'check' ? ['check --within 60d'] : [])],
  taskOf: (command) => {
    const { json, within } = command.opts<{ readonly json?: true; readonly within: number }>()
    return { kind, directory: command.args[0] ?? defaultDirectory, withinMs: within, isJson: json ?? false }
  },
})

const exitCodes =
  'Exit code 0: all is fine; 1: something is to be done soon (a certificate ends within --within, every user can read a key); 2: something is expired or broken, or cannot be read.'

const rows: Readonly<Record<CommandName, CommandRow>> = {
  list: showRow('list', 'Lists the certificates of a directory.'),
  check: showRow('check', `Checks the certificates of a directory, for cron and monitoring. ${exitCodes}`),
  renew: {
    describe: (command) =>
      withDirectoryOptions(
        command
          .description(
            'Makes new certificates with the subject and the addresses of the old ones, which are kept as .old. The CA itself is not renewed.',
          )
          .argument(
            '[names...]',
            'names of files, without .pem, to renew whenever they end; without a name, or with all: those that end soon',
          ),
        keyOption('kind of the new keys (default: as the old ones)'),
      )
        .addOption(withinOption('what ends within this time is renewed'))
        .addOption(new Option('--keep-key', 'keep the keys: only the certificates are new')),
    examples: ['renew', 'renew all --within 60d', 'renew wazuh-1 --keep-key'],
    taskOf: (command) => {
      const options = command.opts<DirectoryOptions & { readonly keepKey?: true; readonly within: number }>()
      const { args } = command
      if (args.length > 1 && args.includes('all')) return 'all stands alone, without names.'
      if (options.keepKey && options.key !== undefined) return '--keep-key and --key exclude each other.'
      const names = args.length === 0 || args[0] === 'all' ? 'due' : args
      const task = { kind: 'renew', names, withinMs: options.within, keepsKey: options.keepKey ?? false, ...inDirectory(options) } as const
      return directoryConflict(options) ?? task
    },
  },
  add: {
    describe: (command) =>
      withDirectoryOptions(
        command
          .description('Makes certificates for nodes that have none yet, in an existing directory, signed by its CA.')
          .argument('[name]', 'name of the node (default: every node of config.yml that has no certificate)')
          .argument('[addresses...]', 'IP addresses and DNS names of the node'),
        keyOption(),
      ).addOption(new Option('--config <file>', 'names the nodes').default('config.yml')),
    examples: ['add wazuh-4 10.0.0.14 w4.example.com', 'add --config new-nodes.yml', 'add w5 10.0.0.15 --ca-key /media/usb/root-ca.key'],
    taskOf: (command) => {
      const options = command.opts<DirectoryOptions & { readonly config: string }>()
      const node = command.args.length === 0 ? undefined : namedNode(command.args)
      if (typeof node === 'string') return node
      return directoryConflict(options) ?? { kind: 'add', config: options.config, node, ...inDirectory(options) }
    },
  },
  bundle: {
    describe: (command) =>
      command
        .description('Packs what one node needs into a tar: NAME.pem, NAME-key.pem and root-ca.pem, and never the key of the CA.')
        .argument('<name>', 'name of the node')
        .addOption(outOption())
        .addOption(new Option('--file <file>', 'the tar (default: NAME.tar)')),
    examples: ['bundle wazuh-1', 'bundle wazuh-1 --file /tmp/w1.tar'],
    taskOf: (command) => {
      const { file, out } = command.opts<{ readonly file?: string; readonly out: string }>()
      const [name = ''] = command.args
      return { kind: 'bundle', name, directory: out, file: file ?? `${name}.tar` }
    },
  },
  request: {
    describe: (command) =>
      command
        .description('Makes NAME-key.pem and NAME.csr, on the node itself: sign makes a certificate of the request where the CA is.')
        .argument('<name>', 'name of the node')
        .argument('<addresses...>', 'IP addresses and DNS names of the node')
        .addOption(keyOption())
        .addOption(new Option('--out <dir>', 'where both go').default('.')),
    examples: ['request wazuh-4 10.0.0.14 w4.example.com --key p256'],
    taskOf: (command) => {
      const { key = defaultKeyKind, out } = command.opts<{ readonly key?: KeyKind; readonly out: string }>()
      const node = namedNode(command.args)
      return typeof node === 'string' ? node : { kind: 'request', ...node, keyKind: key, directory: out }
    },
  },
  sign: {
    describe: (command) =>
      withDirectoryOptions(
        command
          .description('Makes a certificate of a request (PEM). Its name and addresses are taken from there, and nothing else.')
          .argument('<file>', 'the request'),
        undefined,
      ),
    examples: ['sign wazuh-4.csr'],
    taskOf: (command) => {
      const options = command.opts<DirectoryOptions>()
      return directoryConflict(options) ?? { kind: 'sign', file: command.args[0] ?? '', ...inDirectory(options) }
    },
  },
}

const namedNode = ([name = '', ...texts]: readonly string[]):
  | { readonly name: string; readonly addresses: readonly AltName[] }
  | string => {
  const refusal = nameRefusalText(name)
  if (refusal !== undefined) return refusal
  if (texts.length === 0) return 'a node has an address: an IP address or a DNS name.'
  if (texts.length >= limits.certificateNamesMax) return `a node has less than ${limits.certificateNamesMax} addresses.`
  const addresses: AltName[] = []
  for (const text of texts) {
    const address = altNameOf(text)
    if (!address) return `${shown(text)} is neither an IP address nor a DNS name.`
    addresses.push(address)
  }
  return { name, addresses }
}

export const commandOf = (name: CommandName): Command => {
  const { describe, examples } = rows[name]
  return describe(new Command(`${programName} ${name}`))
    .helpOption('-h, --help', 'show this help')
    .addHelpText('after', `\nExamples:\n${examples.map((example) => `  ${programName} ${example}\n`).join('')}`)
    .exitOverride()
}

/** For monitoring, a check that could not be made is the worst. */
const mistakeCode = (name: CommandName): number => (name === 'check' ? 2 : 1)

export const parseCommand = (name: CommandName, argv: readonly string[]): CertsArguments => {
  const command = commandOf(name)
  const parsed = parsedOptions(command, argv)
  if ('shown' in parsed) return { code: 0, errors: [], text: parsed.shown }
  if ('mistake' in parsed) return { code: mistakeCode(name), mistake: parsed.mistake, isJson: parsed.json }
  const task = rows[name].taskOf(command)
  return typeof task === 'string' ? { code: mistakeCode(name), mistake: task, isJson: false } : { task }
}
