/** What a shell completes of a program, made from the program's own options: scripts for bash and for zsh. */
import type { Command, Option } from 'commander'

/** What the value of an option is, as far as a shell knows such things. */
const kindOf = ({ argChoices, flags }: Option): 'choice' | 'directory' | 'file' | 'text' | undefined => {
  if (argChoices) return 'choice'
  const [, shown] = /[<[]([a-z]+)(?:\.{3})?[>\]]/.exec(flags) ?? []
  if (shown === 'dir' || shown === 'home') return 'directory'
  if (shown === 'file') return 'file'
  return shown === undefined ? undefined : 'text'
}

/** The words that the program knows beside its options: its actions. */
const wordsOf = (program: Command): readonly string[] => program.registeredArguments.flatMap(({ argChoices }) => argChoices ?? [])

/** The ones that its help shows. */
const shownOptions = (program: Command): readonly Option[] => program.createHelp().visibleOptions(program)

const namesOf = ({ long, short }: Option): readonly string[] => [short, long].filter((name) => name !== undefined)

const functionOf = (program: Command): string => `_${program.name().replaceAll('-', '_')}`

const bashValue = (option: Option): string | undefined => {
  switch (kindOf(option)) {
    case 'choice':
      return `COMPREPLY=($(compgen -W '${(option.argChoices ?? []).join(' ')}' -- "$2"))`
    case 'directory':
      return 'COMPREPLY=($(compgen -d -- "$2"))'
    case 'file':
      return 'COMPREPLY=($(compgen -f -- "$2"))'
    case 'text':
      // A value that may be left out may be followed by the next option.
      return option.required ? 'COMPREPLY=()' : undefined
    default:
      return undefined
  }
}

export const bashCompletion = (program: Command): string => {
  const options = shownOptions(program)
  const cases = options.flatMap((option) => {
    const value = bashValue(option)
    return value === undefined ? [] : [`    ${namesOf(option).join(' | ')}) ${value}; return ;;`]
  })
  return [
    `# bash completion of ${program.name()}`,
    `${functionOf(program)}() {`,
    // It is called with the program, the word that is completed, and the one before it.
    '  case "$3" in',
    ...cases,
    '  esac',
    `  COMPREPLY=($(compgen -W '${[...wordsOf(program), ...options.flatMap(namesOf)].join(' ')}' -- "$2"))`,
    '}',
    `complete -o filenames -F ${functionOf(program)} ${program.name()}`,
    '',
  ].join('\n')
}

const zshText = (text: string): string => text.replaceAll(/[\\[\]:]/g, '\\$&').replaceAll("'", "'\\''")

const zshValue = (option: Option): string => {
  const colons = option.required ? ':' : '::'
  switch (kindOf(option)) {
    case 'choice':
      return `${colons}value:(${(option.argChoices ?? []).join(' ')})`
    case 'directory':
      return `${colons}directory:_files -/`
    case 'file':
      return `${colons}file:_files`
    case 'text':
      return `${colons}value: `
    default:
      return ''
  }
}

export const zshCompletion = (program: Command): string => {
  const specs = shownOptions(program).flatMap((option) =>
    namesOf(option).map((name) => `  '*${name}[${zshText(option.description)}]${zshValue(option)}'`),
  )
  const words = wordsOf(program)
  const specsOfWords = words.length > 0 ? [`  '1:action:(${words.join(' ')})'`] : []
  return [`#compdef ${program.name()}`, '_arguments \\', [...specs, ...specsOfWords].join(' \\\n'), ''].join('\n')
}
