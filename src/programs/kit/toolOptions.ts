/** The command lines of the tools that `npm run` starts: the help or one sentence, then the end of the process, or what is to be done. */
import { Command, InvalidArgumentError } from 'commander'
import { parsedOptions } from './commandLine.js'

export const toolCommand = (name: string, description: string): Command =>
  new Command(name)
    .description(description)
    .usage('-- [options]')
    .helpOption('-h, --help', 'show this help')
    .configureHelp({ commandUsage: (command) => `npm run ${command.name()} ${command.usage()}` })
    .exitOverride()

/** For an option that takes a number within bounds. */
export const numberArgument = (min: number, max: number, isWhole: boolean) => (text: string) => {
  const value = Number(text)
  if (text.trim() === '' || !(value >= min && value <= max) || (isWhole && !Number.isInteger(value)))
    throw new InvalidArgumentError(`Allowed is a ${isWhole ? 'whole ' : ''}number from ${min} to ${max}.`)
  return value
}

/** What this process was asked to do; it ends here when that was to show the help, or when the arguments are wrong. */
export const toolOptions = <O extends object>(command: Command): O => {
  const parsed = parsedOptions<O>(command, process.argv.slice(2))
  if ('given' in parsed) return parsed.given
  if ('shown' in parsed) process.stdout.write(parsed.shown)
  else process.stderr.write(`Wrong arguments: ${parsed.mistake}\n`)
  process.exit('shown' in parsed ? 0 : 1)
}
