/** The options of everything that makes certificates. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { dayMs } from '../../domain/certificates/expiry.js'
import { type KeyKind, keyKinds } from '../../domain/certificates/keyKinds.js'
import { numberArgument } from '../kit/toolOptions.js'
import type { MakingOptions } from './certsTask.js'

const daysMax = 36_500
const daysDefault = 3_650

export interface GivenMakingOptions {
  readonly key?: KeyKind
  readonly days: number
  readonly caPassphraseFile?: string
  readonly compatible?: true
  readonly verbose?: true
}

export const keyOption = (says = 'kind of the new keys (default: rsa2048)'): Option => new Option('--key <kind>', says).choices(keyKinds)

/** `key`: undefined where none is made. */
export const withMakingOptions = (command: Command, key: Option | undefined): Command =>
  (key ? command.addOption(key) : command)
    .addOption(
      new Option('--days <days>', 'days for which certificates are valid').argParser(numberArgument(1, daysMax, true)).default(daysDefault),
    )
    .addOption(new Option('--ca-passphrase-file <file>', 'its first line decrypts the key of the CA, or encrypts that of a new one'))
    .addOption(new Option('--compatible', "make certificates exactly as Wazuh's own tool does"))
    .addOption(new Option('-v, --verbose', 'show debug messages'))

export const caDaysOption = (): Option =>
  new Option('--ca-days <days>', 'days for which a new CA is valid').argParser(numberArgument(1, daysMax, true)).default(daysDefault)

export const makingOptionsOf = ({ caPassphraseFile, compatible, days, key, verbose }: GivenMakingOptions): MakingOptions => ({
  keyKind: key,
  days,
  isCompatible: compatible ?? false,
  passphraseFile: caPassphraseFile,
  isVerbose: verbose ?? false,
})

/** What is wrong with the options together. */
export const makingConflict = ({ compatible, key }: GivenMakingOptions): string | undefined =>
  compatible && key !== undefined && key !== 'rsa2048'
    ? '--compatible makes keys of RSA with 2048 bits, as Wazuh does: leave --key away.'
    : undefined

const unitsMs: Readonly<Record<string, number>> = { h: 3_600_000, d: dayMs, w: 7 * dayMs }

/** `30d`, `12h`, `4w`; a number alone is in days. */
export const durationArgument = (text: string): number => {
  const [, count, unit = 'd'] = /^(\d{1,5})([hdw]?)$/.exec(text) ?? []
  if (count === undefined) throw new InvalidArgumentError('Allowed are hours, days or weeks, such as 12h, 30d or 4w.')
  return Number(count) * (unitsMs[unit || 'd'] ?? dayMs)
}
