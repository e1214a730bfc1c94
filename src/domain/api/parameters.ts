/** The parameters of a request, read strictly: what an endpoint does not know is refused, and so is a value that cannot be one. */
import { limits } from '../../base/limits.js'
import { shown } from '../../base/shown.js'
import { ApiRefusal, badRequest } from './problem.js'

/** Of a parameter: its value out of its text, or undefined when the text is not allowed; and what is. */
export interface Parameter<T> {
  read(text: string): T | undefined
  readonly allowed: string
}

export type Parameters = Readonly<Record<string, Parameter<unknown>>>
export type Given<P extends Parameters> = { readonly [K in keyof P]?: P[K] extends Parameter<infer T> ? T : never }

const matching = (pattern: RegExp, allowed: string): Parameter<string> => ({
  read: (text) => (pattern.test(text) ? text : undefined),
  allowed,
})

export const wholeNumber: Parameter<number> = {
  read: (text) => (/^\d{1,15}$/.test(text) ? Number(text) : undefined),
  allowed: 'a whole number, not below 0',
}

export const flag: Parameter<boolean> = {
  read: (text) => (/^true$/i.test(text) ? true : /^false$/i.test(text) ? false : undefined),
  allowed: 'true or false',
}

export const anyTextParameter: Parameter<string> = matching(/^[^\0]{1,4096}$/su, 'a text that is not empty')

export const choice = <T extends string>(...values: readonly T[]): Parameter<T> => ({
  read: (text) => values.find((value) => value === text),
  allowed: values.join(' or '),
})

/** Names with commas between. */
export const names: Parameter<readonly string[]> = {
  read: (text) => (/^[\w\-.%]+(,[\w\-.%]+)*$/.test(text) ? text.split(',') : undefined),
  allowed: 'a list of names with commas between',
}

export const listOf = <T extends string>(...values: readonly T[]): Parameter<readonly T[]> => ({
  read: (text) => {
    const given = text.split(',')
    const found = values.filter((value) => given.includes(value))
    return given.every((one) => values.some((value) => value === one)) ? found : undefined
  },
  allowed: `a list of ${values.join(', ')}`,
})

const units = { '': 1_000, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** `7d`, in milliseconds. */
export const timeSpan: Parameter<number> = {
  read: (text) => {
    const [, digits, unit = ''] = /^(\d{1,9})([smhd]?)$/.exec(text) ?? []
    return digits === undefined ? undefined : Number(digits) * units[unit as keyof typeof units]
  },
  allowed: 'a number of seconds, or of the unit that follows it: s, m, h or d',
}

/** As Wazuh writes IDs: at least three digits. */
export const agentIds: Parameter<readonly number[]> = {
  read: (text) => {
    const ids = text.split(',')
    return ids.every((id) => /^\d{3,10}$/.test(id) && Number(id) <= limits.agentIdMax) ? ids.map(Number) : undefined
  },
  allowed: 'a list of IDs of at least three digits',
}

/** Those that every endpoint has. */
export const common = { pretty: flag, wait_for_complete: flag } as const

/** Those of lists. */
export const listParameters = {
  ...common,
  offset: wholeNumber,
  limit: wholeNumber,
  select: names,
  sort: matching(/^[+-]?[\w_\-,\s+.]+$/, 'a list of fields with a + or - before it'),
  search: anyTextParameter,
  q: anyTextParameter,
  distinct: flag,
} as const

/** What follows a question mark, each name once. */
export type RawQuery = Readonly<Record<string, string | readonly string[] | undefined>>

/** @throws ApiRefusal 400 */
export const readParameters = <P extends Parameters>(known: P, raw: RawQuery): Given<P> => {
  const extra = Object.keys(raw).filter((name) => !Object.hasOwn(known, name))
  if (extra.length > 0)
    throw new ApiRefusal(badRequest(`Extra query parameter(s) ${extra.map((name) => shown(name).slice(1, -1)).join(', ')} not in spec`))
  const given: Record<string, unknown> = {}
  for (const [name, parameter] of Object.entries(known)) {
    const text = Object.hasOwn(raw, name) ? raw[name] : undefined
    if (text === undefined) continue
    const value = typeof text === 'string' ? parameter.read(text) : undefined
    if (value === undefined)
      throw new ApiRefusal(
        badRequest(
          `Invalid query parameter '${name}': ${shown(text)} is not ${parameter.allowed}${typeof text === 'string' ? '' : ', given once'}`,
        ),
      )
    given[name] = value
  }
  // Each was read by its own parameter.
  return given as Given<P>
}
