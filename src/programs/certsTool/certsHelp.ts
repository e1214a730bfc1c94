/** What `wazuh-certs-tool --help` says, and the options of Wazuh's own tool behind it. */
import { Command, Option } from 'commander'
import { productVersion } from '../../version.js'
import { helpOf, wordsArgument } from '../kit/commandLine.js'
import { caDaysOption, keyOption, withMakingOptions } from './makingOptions.js'

export const programName = 'wazuh-certs-tool'
export const defaultDirectory = 'wazuh-certificates'
/** As Wazuh calls it. */
export const logName = 'wazuh-certificates-tool.log'

export const commandNames = ['list', 'check', 'renew', 'add', 'bundle', 'request', 'sign'] as const
export type CommandName = (typeof commandNames)[number]

const help = `
Commands:
  list [DIR]                 the certificates of a directory: what each is for, when it ends, and its key
  check [DIR]                what is wrong with them. Exit code 0: all is fine; 1: something needs to be done soon (a certificate ends
                             within --within, every user can read a key); 2: something is expired or broken, or cannot be read
  renew [NAME...|all]        new certificates for those that end soon, or for the named ones; the old files are kept as .old
  add [NAME ADDRESS...]      certificates for nodes that have none yet: the named one, or those of config.yml
  bundle NAME                a tar of NAME.pem, NAME-key.pem and root-ca.pem: what the node needs, and never the key of the CA
  request NAME ADDRESS...    a key and a request for a certificate, made on the node itself
  sign FILE                  a certificate for such a request: the key never leaves its node
  Each explains itself: ${programName} renew --help

config.yml is read from the current directory (or --config FILE), the certificates go to ./${defaultDirectory} (or --out DIR), and
the log to ${logName} beside that directory. Everything is checked before the first key is made; the directory
appears whole, or not at all. -ca and -a read no config.yml.

Examples:
  ${programName} -A                                    a CA, the administrator and every node of config.yml
  ${programName} -A root-ca.pem root-ca.key            the same with an existing CA
  ${programName} -ws root-ca.pem root-ca.key --out new --key p256
  ${programName} -A --compatible                       exactly what Wazuh's own tool makes
  ${programName} add wazuh-4 10.0.0.14 w4.example.com
  ${programName} check /etc/filebeat/certs --within 60d
  ${programName} renew all --within 60d
  ${programName} bundle wazuh-4
`

const paths = '</path/to/root-ca.pem> </path/to/root-ca.key>'

export const certsProgram = (): Command =>
  withMakingOptions(
    new Command(programName)
      .description("Makes the certificates of a Wazuh installation and shows when they end, with the flags and files of Wazuh's own tool.")
      .usage('-A [root-ca.pem root-ca.key] | -a|-wi|-ws|-wd root-ca.pem root-ca.key | -ca | COMMAND [options]')
      .version(`${programName} ${productVersion} (Muster)`, '-V, --version', 'print the version of this program')
      .addOption(new Option('-A, --all [paths...]', 'root CA (a new one, or the two files), administrator and all nodes'))
      .addOption(new Option('-a, --admin-certificates [paths...]', `administrator, signed by ${paths}`))
      .addOption(new Option('--root-ca-certificates', '-ca: root CA only'))
      .addOption(new Option('--wazuh-indexer-certificates [paths...]', '-wi: indexer nodes'))
      .addOption(new Option('--wazuh-server-certificates [paths...]', '-ws: server nodes (5.x: -wm, --wazuh-manager-certificates)'))
      .addOption(new Option('--wazuh-dashboard-certificates [paths...]', '-wd: dashboard nodes'))
      .addOption(new Option('--cert_tmp_path [dir]', "-tmp: accepted as in Wazuh's tool, but not needed: keys are made in memory"))
      .addOption(new Option('--config <file>', 'names the nodes').default('config.yml'))
      .addOption(new Option('--out <dir>', 'where the certificates go').default(defaultDirectory)),
    keyOption(),
  )
    .addOption(caDaysOption())
    .addOption(new Option('--intermediate', 'sign nodes with a CA below the root, whose own key can then be kept elsewhere'))
    .helpOption('-h, --help', 'show this help')
    .addHelpText('after', help)
    .addArgument(wordsArgument(commandNames))
    .exitOverride()

export const certsHelp = (): string => helpOf(certsProgram())
